//! Drawn pages, which come with an alpha channel, as pictures without one: in grey when they have no colours, as most
//! written pages, so that whoever looks at them or encodes them has a third of the bytes to go through.

use std::borrow::Cow;

use image::{GrayImage, RgbImage};

use super::grey::{brightness, colourless};

/// A drawn page.
#[derive(Debug, Clone)]
pub enum Pixels {
    /// Without colours.
    Grey(GrayImage),
    /// With colours.
    Colour(RgbImage),
}

impl Pixels {
    /// Width and height in pixels.
    pub fn dimensions(&self) -> (u32, u32) {
        match self {
            Self::Grey(grey) => grey.dimensions(),
            Self::Colour(colour) => colour.dimensions(),
        }
    }

    /// Its brightness.
    pub fn grey(&self) -> Cow<'_, GrayImage> {
        match self {
            Self::Grey(grey) => Cow::Borrowed(grey),
            Self::Colour(colour) => Cow::Owned(brightness(colour)),
        }
    }

    /// The darkest channel of every pixel, row by row: red and blue print is as much ink as black.
    pub fn darkest(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Grey(grey) => Cow::Borrowed(grey.as_raw()),
            Self::Colour(colour) => {
                Cow::Owned(colour.as_raw().chunks_exact(3).map(|pixel| pixel[0].min(pixel[1]).min(pixel[2])).collect())
            }
        }
    }

    /// With three channels, whatever its colours.
    pub fn into_rgb(self) -> RgbImage {
        match self {
            Self::Grey(grey) => {
                let mut rgb = RgbImage::new(grey.width(), grey.height());
                for (to, from) in rgb.as_mut().chunks_exact_mut(3).zip(grey.as_raw()) {
                    to.fill(*from);
                }
                rgb
            }
            Self::Colour(colour) => colour,
        }
    }
}

/// The picture of `width` x `height` pixels whose red, green, blue and alpha bytes these are, row by row; alpha is left
/// out. `None` when the bytes are fewer than that many pixels.
pub fn opaque(bytes: &[u8], width: u32, height: u32) -> Option<Pixels> {
    if let Some(grey) = colourless::<4>(bytes, width, height) {
        return Some(Pixels::Grey(grey));
    }
    // Not `flat_map`, which asks for room pixel by pixel.
    let mut rgb = vec![0; bytes.len() / 4 * 3];
    for (to, from) in rgb.chunks_exact_mut(3).zip(bytes.chunks_exact(4)) {
        to.copy_from_slice(&from[..3]);
    }
    RgbImage::from_raw(width, height, rgb).map(Pixels::Colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_stay_and_alpha_goes() {
        let picture = opaque(&[1, 2, 3, 255, 4, 5, 6, 255], 2, 1).unwrap();
        assert_eq!((&*picture.darkest(), picture.dimensions()), (&[1, 4][..], (2, 1)));
        assert_eq!(picture.into_rgb().into_raw(), [1, 2, 3, 4, 5, 6]);
        assert!(opaque(&[1, 2, 3, 255], 2, 1).is_none() && opaque(&[7, 7, 7, 255], 2, 1).is_none());
    }

    #[test]
    fn a_page_without_colours_is_grey_and_one_coloured_pixel_makes_it_coloured() {
        let grey = opaque(&[9, 9, 9, 255, 200, 200, 200, 255], 1, 2).unwrap();
        assert!(matches!(&grey, Pixels::Grey(grey) if grey.as_raw().as_slice() == [9, 200]));
        assert_eq!((&*grey.darkest(), grey.grey().as_raw().as_slice()), (&[9, 200][..], &[9, 200][..]));
        assert_eq!(grey.into_rgb().into_raw(), [9, 9, 9, 200, 200, 200]);
        for channel in 0..3 {
            let mut bytes = [9, 9, 9, 255, 200, 200, 200, 255];
            bytes[4 + channel] = 201;
            assert!(matches!(opaque(&bytes, 1, 2), Some(Pixels::Colour(_))), "{channel}");
        }
    }
}
