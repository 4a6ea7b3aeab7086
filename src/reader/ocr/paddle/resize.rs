//! Bilinear scaling the way the networks saw it in training.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use super::failed;
use crate::reader::ocr::OcrError;

/// Scales without smoothing first: two source pixels per axis whatever the ratio, OpenCV's `INTER_LINEAR`.
///
/// # Errors
/// [`OcrError::Failed`] when a side is zero.
pub fn bilinear(resizer: &mut Resizer, picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage, OcrError> {
    if picture.dimensions() == (width, height) {
        return Ok(picture.clone());
    }
    let source = ImageRef::new(picture.width(), picture.height(), picture.as_raw(), PixelType::U8x3).map_err(failed)?;
    let mut target = Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
    resizer.resize(&source, &mut target, &options).map_err(failed)?;
    RgbImage::from_raw(width, height, target.into_vec()).ok_or_else(|| failed("a scaled picture has the wrong size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_samples_two_pixels_per_axis_and_does_not_average_the_rest() {
        // Eight columns to two: OpenCV reads columns 1, 2 and 5, 6 and nothing else.
        let picture = RgbImage::from_fn(8, 8, |x, _| image::Rgb([if x == 1 || x == 2 { 200 } else { 0 }; 3]));
        let small = bilinear(&mut Resizer::new(), &picture, 2, 2).unwrap();
        assert_eq!(small.get_pixel(0, 0).0, [200; 3]);
        assert_eq!(small.get_pixel(1, 0).0, [0; 3]);
    }
}
