//! Making pictures smaller; pieces with codes larger, because their readers want wide modules.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer, images::Image};
use image::{GrayImage, RgbImage};

/// The picture with its longest side at most `max_side` pixels; `None` when it already fits or cannot be scaled.
pub fn to_longest_side(picture: &RgbImage, max_side: u32) -> Option<RgbImage> {
    let longest = picture.width().max(picture.height());
    (longest > max_side).then(|| by_factor(picture, max_side as f32 / longest as f32)).flatten()
}

/// The picture scaled down by `factor` (0 to 1), each side at least one pixel; `None` when there is nothing to do.
pub fn by_factor(picture: &RgbImage, factor: f32) -> Option<RgbImage> {
    let (width, height) = smaller(picture.dimensions(), factor)?;
    let mut target = Image::new(width, height, fast_image_resize::PixelType::U8x3);
    // Sharper than a box, rings less than Lanczos around the thin strokes of print.
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    let source = fast_image_resize::images::ImageRef::new(
        picture.width(),
        picture.height(),
        picture.as_raw(),
        fast_image_resize::PixelType::U8x3,
    )
    .ok()?;
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    RgbImage::from_raw(width, height, target.into_vec())
}

/// As [`by_factor`], of a grey picture.
pub fn grey_by_factor(picture: &GrayImage, factor: f32) -> Option<GrayImage> {
    let (width, height) = smaller(picture.dimensions(), factor)?;
    grey_to(picture, width, height)
}

/// Sides scaled down by `factor`; `None` when it scales nothing down or there is nothing.
fn smaller((width, height): (u32, u32), factor: f32) -> Option<(u32, u32)> {
    let side = |value: u32| ((value as f32 * factor).round() as u32).max(1);
    (factor > 0.0 && factor < 1.0 && width > 0 && height > 0).then(|| (side(width), side(height)))
}

/// A grey picture at `width` x `height` pixels, larger or smaller, by the Catmull-Rom kernel; `None` when a side of
/// either is zero.
///
/// Not the general resizer of `image`: enlarging what might be a code with it was most of the search for codes.
pub fn grey_to(picture: &GrayImage, width: u32, height: u32) -> Option<GrayImage> {
    grey_by(picture, width, height, FilterType::CatmullRom)
}

/// A grey picture at `width` x `height` pixels, smaller, each the mean of those it stands for; `None` when a side of either
/// is zero.
///
/// Not `image`'s `thumbnail`, which goes pixel by pixel.
pub fn grey_mean(picture: &GrayImage, width: u32, height: u32) -> Option<GrayImage> {
    grey_by(picture, width, height, FilterType::Box)
}

fn grey_by(picture: &GrayImage, width: u32, height: u32, filter: FilterType) -> Option<GrayImage> {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    let kind = fast_image_resize::PixelType::U8;
    let (from_width, from_height) = picture.dimensions();
    if width == 0 || height == 0 || from_width == 0 || from_height == 0 {
        return None;
    }
    let source = fast_image_resize::images::ImageRef::new(from_width, from_height, picture.as_raw(), kind).ok()?;
    let mut target = Image::new(width, height, kind);
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    GrayImage::from_raw(width, height, target.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_pieces_grow_and_shrink_and_nothing_comes_of_nothing() {
        let piece = GrayImage::from_fn(4, 4, |x, _| image::Luma([if x < 2 { 0 } else { 200 }]));
        for (width, height) in [(16, 8), (2, 2)] {
            let scaled = grey_to(&piece, width, height).unwrap();
            assert_eq!(scaled.dimensions(), (width, height));
            assert!(scaled.get_pixel(0, 0).0[0] < 20 && scaled.get_pixel(width - 1, height - 1).0[0] > 180);
        }
        assert!(grey_to(&piece, 0, 3).is_none() && grey_to(&GrayImage::new(0, 2), 3, 3).is_none());
    }

    #[test]
    fn the_mean_of_fine_stripes_is_an_even_grey() {
        let stripes = GrayImage::from_fn(40, 20, |x, _| image::Luma([if x % 2 == 0 { 0 } else { 200 }]));
        let small = grey_mean(&stripes, 10, 5).unwrap();
        assert!(small.pixels().all(|pixel| pixel.0[0].abs_diff(100) < 2), "{small:?}");
        assert!(grey_mean(&stripes, 0, 5).is_none());
        assert_eq!(grey_by_factor(&stripes, 0.25).unwrap().dimensions(), (10, 5));
        assert!(grey_by_factor(&stripes, 1.0).is_none());
    }

    #[test]
    fn a_long_slip_keeps_its_shape_and_a_small_picture_is_left_alone() {
        let slip = RgbImage::from_pixel(400, 4000, image::Rgb([10, 200, 30]));
        let small = to_longest_side(&slip, 2000).unwrap();
        assert_eq!(small.dimensions(), (200, 2000));
        assert_eq!(small.get_pixel(100, 1000), &image::Rgb([10, 200, 30]));
        assert!(to_longest_side(&small, 2000).is_none());
    }
}
