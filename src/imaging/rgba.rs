//! Drawn pages, which come with an alpha channel, as pictures without one.

use image::RgbImage;

/// The picture of `width` x `height` pixels whose red, green, blue and alpha bytes these are, row by row; alpha is left
/// out. `None` when the bytes are fewer than that many pixels.
pub fn opaque(bytes: &[u8], width: u32, height: u32) -> Option<RgbImage> {
    // Not `flat_map`: it asks for room pixel by pixel and took longer than drawing the page.
    let mut rgb = vec![0; bytes.len() / 4 * 3];
    for (to, from) in rgb.chunks_exact_mut(3).zip(bytes.chunks_exact(4)) {
        to.copy_from_slice(&from[..3]);
    }
    RgbImage::from_raw(width, height, rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stay_and_alpha_goes() {
        let picture = opaque(&[1, 2, 3, 255, 4, 5, 6, 255], 2, 1).unwrap();
        assert_eq!(picture.into_raw(), [1, 2, 3, 4, 5, 6]);
        assert!(opaque(&[1, 2, 3, 255], 2, 1).is_none());
    }
}
