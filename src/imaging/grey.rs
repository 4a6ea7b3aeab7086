//! Pictures with one channel: the brightness of coloured ones, and those that have no colours to begin with.

use image::{GrayImage, RgbImage};

/// Brightness by the weights of ITU-R BT.601, in whole numbers.
pub fn brightness(picture: &RgbImage) -> GrayImage {
    let luma =
        |pixel: &[u8]| ((u32::from(pixel[0]) * 77 + u32::from(pixel[1]) * 150 + u32::from(pixel[2]) * 29) >> 8) as u8;
    let pixels = picture.as_raw().chunks_exact(3).map(luma).collect();
    GrayImage::from_raw(picture.width(), picture.height(), pixels).unwrap_or_default()
}

/// The picture of `width` x `height` pixels whose red, green and blue bytes, and `N - 3` further ones, these are row by row;
/// `None` when a pixel has a colour or there are fewer bytes than that.
pub fn colourless<const N: usize>(bytes: &[u8], width: u32, height: u32) -> Option<GrayImage> {
    // Row by row, so that a coloured page is known by its first coloured row.
    let is_grey = |row: &[u8]| row.chunks_exact(N).fold(0, |differs, p| differs | (p[0] ^ p[1]) | (p[1] ^ p[2])) == 0;
    let mut rows = bytes.chunks_exact((width as usize * N).max(1));
    if width == 0 || !rows.all(is_grey) {
        return None;
    }
    GrayImage::from_raw(width, height, bytes.chunks_exact(N).map(|pixel| pixel[0]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn green_is_brighter_than_red_and_blue_is_darkest() {
        let of = |colour| brightness(&RgbImage::from_pixel(2, 1, image::Rgb(colour))).as_raw()[1];
        assert_eq!([of([255, 0, 0]), of([0, 255, 0]), of([0, 0, 255])], [76, 149, 28]);
        assert_eq!((of([0; 3]), of([255; 3])), (0, 255));
    }

    #[test]
    fn one_coloured_pixel_makes_a_picture_coloured() {
        let grey = [9, 9, 9, 200, 200, 200];
        assert_eq!(colourless::<3>(&grey, 1, 2).map(GrayImage::into_raw), Some(vec![9, 200]));
        for channel in 0..3 {
            let mut bytes = grey;
            bytes[3 + channel] = 201;
            assert_eq!(colourless::<3>(&bytes, 1, 2), None, "{channel}");
        }
        // The fourth byte is no colour.
        assert_eq!(colourless::<4>(&[7, 7, 7, 255], 1, 1).map(GrayImage::into_raw), Some(vec![7]));
        assert_eq!(colourless::<3>(&grey, 2, 2), None, "too few bytes");
        assert_eq!(colourless::<3>(&[], 0, 0), None);
    }
}
