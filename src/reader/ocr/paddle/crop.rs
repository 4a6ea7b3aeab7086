//! Cutting a line of text out of a picture, straightened.

use image::{Rgb, RgbImage, imageops};
use imageproc::geometric_transformations::Projection;

use crate::domain::page::{Point, Quad};

/// OpenCV's cubic convolution parameter.
const CUBIC: f32 = -0.75;

/// A line cut out of a picture and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// The line's pixels; text runs left to right (or, upside down, right to left).
    pub picture: RgbImage,
    /// Its corners in the source picture, in the order top left, top right, bottom right, bottom left of `picture`.
    pub quad: Quad,
}

impl Crop {
    /// Turns the crop by 180 degrees; its corners follow.
    pub fn upside_down(&self) -> Self {
        let [a, b, c, d] = self.quad.0;
        Self { picture: imageops::rotate180(&self.picture), quad: Quad([c, d, a, b]) }
    }
}

/// Width and height of the upright picture a quadrilateral (top left, top right, bottom right, bottom left as they lie
/// in the picture) becomes, in whole pixels.
pub fn size(corners: [Point; 4]) -> [f32; 2] {
    let length = |a: Point, b: Point| (a[0] - b[0]).hypot(a[1] - b[1]);
    let [a, b, c, d] = corners;
    [length(a, b).max(length(c, d)).trunc(), length(a, d).max(length(b, c)).trunc()]
}

/// Cuts the quadrilateral `corners` (in the order of [`size`]) out of `picture`; `down` says that its text runs down
/// the page, then it is turned a quarter counter-clockwise. `None` when a side is shorter than a pixel.
pub fn crop(picture: &RgbImage, corners: [Point; 4], down: bool) -> Option<Crop> {
    let [a, b, c, d] = corners;
    let [width, height] = size(corners);
    if !(width >= 1.0 && height >= 1.0) {
        return None;
    }
    // Straight boxes on whole pixels need no interpolation: their first and third corner say everything.
    let is_straight = corners == Quad::from_edges(a[0], a[1], c[0], c[1]).0;
    let is_whole = corners.iter().flatten().all(|v| v.to_bits() == v.trunc().to_bits());
    let straight = if is_straight && is_whole {
        imageops::crop_imm(picture, a[0] as u32, a[1] as u32, width as u32, height as u32).to_image()
    } else {
        warp(picture, corners, width, height)?
    };
    if straight.width() == 0 || straight.height() == 0 {
        return None;
    }
    if down {
        return Some(Crop { picture: imageops::rotate270(&straight), quad: Quad([b, c, d, a]) });
    }
    Some(Crop { picture: straight, quad: Quad(corners) })
}

/// Maps the quadrilateral to an upright picture; `None` when it is degenerate.
fn warp(picture: &RgbImage, corners: [Point; 4], width: f32, height: f32) -> Option<RgbImage> {
    let upright = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)];
    // Coordinates relative to the first corner keep the solver's 32-bit numbers small.
    let [left, top] = corners[0];
    let there = Projection::from_control_points(upright, corners.map(|[x, y]| (x - left, y - top)))?;
    Some(RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let (dx, dy) = there * (x as f32, y as f32);
        cubic(picture, left + dx, top + dy)
    }))
}

/// Weights of the four neighbours for a position `t` (0 to 1) between the middle two.
fn weights(t: f32) -> [f32; 4] {
    let near = |d: f32| ((CUBIC + 2.0) * d - (CUBIC + 3.0)) * d * d + 1.0;
    let far = |d: f32| ((CUBIC * d - 5.0 * CUBIC) * d + 8.0 * CUBIC) * d - 4.0 * CUBIC;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

/// Cubic interpolation; beyond the edge the picture repeats its last pixels.
fn cubic(picture: &RgbImage, x: f32, y: f32) -> Rgb<u8> {
    let (left, top) = (whole_below(x), whole_below(y));
    let (across, down) = (weights(x - left), weights(y - top));
    let stride = picture.width() as usize * 3;
    let limit = |v: f32, size: u32| (v.max(0.0) as usize).min(size as usize - 1);
    let columns: [usize; 4] = std::array::from_fn(|i| limit(left + i as f32 - 1.0, picture.width()) * 3);
    let pixels = picture.as_raw();
    let mut sum = [0.0f32; 3];
    for (i, wy) in down.into_iter().enumerate() {
        let row = limit(top + i as f32 - 1.0, picture.height()) * stride;
        for (column, wx) in columns.into_iter().zip(across) {
            let at = row + column;
            for (total, value) in sum.iter_mut().zip(&pixels[at..at + 3]) {
                *total += wy * wx * f32::from(*value);
            }
        }
    }
    Rgb(sum.map(|v| (v.clamp(0.0, 255.0) + 0.5) as u8))
}

/// `floor`, which is a call of a library where not every processor has an instruction for it.
fn whole_below(value: f32) -> f32 {
    let whole = value as i32 as f32;
    if whole > value { whole - 1.0 } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient() -> RgbImage {
        RgbImage::from_fn(200, 150, |x, y| Rgb([x as u8, y as u8, 0]))
    }

    #[test]
    fn a_level_box_is_copied_pixel_by_pixel() {
        let crop = crop(&gradient(), Quad::from_edges(20.0, 30.0, 80.0, 50.0).0, false).unwrap();
        assert_eq!(crop.picture.dimensions(), (60, 20));
        assert_eq!(crop.picture.get_pixel(0, 0).0, [20, 30, 0]);
        assert_eq!(crop.picture.get_pixel(59, 19).0, [79, 49, 0]);
    }

    #[test]
    fn a_tilted_box_comes_out_upright() {
        // 100 along (0.8, 0.6), 25 across.
        let corners = [[60.0, 20.0], [140.0, 80.0], [125.0, 100.0], [45.0, 40.0]];
        let crop = crop(&gradient(), corners, false).unwrap();
        assert_eq!(crop.picture.dimensions(), (100, 25));
        for (x, y) in [(0u32, 0u32), (50, 10), (99, 24)] {
            let expected = [60.0 + 0.8 * x as f32 - 0.6 * y as f32, 20.0 + 0.6 * x as f32 + 0.8 * y as f32];
            let pixel = crop.picture.get_pixel(x, y).0;
            assert!((f32::from(pixel[0]) - expected[0]).abs() <= 1.0, "{pixel:?} {expected:?}");
            assert!((f32::from(pixel[1]) - expected[1]).abs() <= 1.0, "{pixel:?} {expected:?}");
        }
    }

    #[test]
    fn text_running_down_the_page_is_turned_and_its_corners_follow() {
        let crop = crop(&gradient(), Quad::from_edges(20.0, 10.0, 40.0, 110.0).0, true).unwrap();
        assert_eq!(crop.picture.dimensions(), (100, 20));
        // The crop's top left is the page's top right of the box.
        assert_eq!(crop.picture.get_pixel(0, 0).0, [39, 10, 0]);
        assert_eq!(crop.quad.0, [[40.0, 10.0], [40.0, 110.0], [20.0, 110.0], [20.0, 10.0]]);
        assert!((crop.quad.text_width() - 100.0).abs() < 1e-3);
    }

    #[test]
    fn turning_upside_down_moves_pixels_and_corners_together() {
        let turned = crop(&gradient(), Quad::from_edges(20.0, 30.0, 80.0, 50.0).0, false).unwrap().upside_down();
        assert_eq!(turned.picture.get_pixel(0, 0).0, [79, 49, 0]);
        assert_eq!(turned.quad, Quad([[80.0, 50.0], [20.0, 50.0], [20.0, 30.0], [80.0, 30.0]]));
    }

    #[test]
    fn boxes_reaching_outside_the_picture_are_filled_from_its_edge_and_flat_ones_refused() {
        let picture = RgbImage::from_pixel(20, 20, Rgb([7, 8, 9]));
        let tilted = crop(&picture, [[-5.0, -4.0], [30.0, -2.0], [29.0, 25.0], [-6.0, 23.0]], false).unwrap();
        assert!(tilted.picture.pixels().all(|p| p.0 == [7, 8, 9]));
        assert!(crop(&picture, [[3.0, 3.0]; 4], false).is_none());
        assert!(crop(&picture, [[f32::NAN, 3.0]; 4], true).is_none());
    }
}
