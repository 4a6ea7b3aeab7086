//! Finding lines of text: scale, run the network, box its map, map the boxes back.

use image::RgbImage;
use rten_tensor::NdTensor;

use super::boxes::{BoxSettings, ProbabilityMap, boxes};
use super::network::{CHANNELS, Network, write_planes};
use super::rectangle::{Corner, clockwise};
use super::{failed, resize};
use crate::domain::page::Point;
use crate::reader::ocr::OcrError;

/// Sides the network is fed are multiples of this.
const GRID: u32 = 32;
/// Boxes whose sides, cut to whole pixels of the picture, are not longer than this are dropped.
const LEAST_BOX_SIDE: f64 = 3.0;

/// How lines are looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectionSettings {
    /// The picture is shrunk until its longer side has this many pixels; smaller ones keep their size.
    pub longest_side: u32,
    /// From map to boxes.
    pub boxes: BoxSettings,
}

impl Default for DetectionSettings {
    /// 960 suffices even for 12-megapixel photos; 1600 doubled the time and lost merchants (measured on the corpus).
    fn default() -> Self {
        Self { longest_side: 960, boxes: BoxSettings::default() }
    }
}

/// A line found in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Top left, top right, bottom right, bottom left as they lie in the picture, in its pixels.
    pub corners: [Point; 4],
    /// Mean probability of text inside, 0 to 1.
    pub score: f32,
}

/// Finds the lines of `picture`, in no particular order.
///
/// # Errors
/// [`OcrError::Failed`] when the network cannot run.
pub fn detect(network: &Network, picture: &RgbImage, settings: &DetectionSettings) -> Result<Vec<Detection>, OcrError> {
    let (width, height) = input_size(picture.dimensions(), settings.longest_side);
    let small = resize::bilinear(picture, width, height);
    let (width, height) = (width as usize, height as usize);
    let mut planes = vec![0.0; CHANNELS * width * height];
    write_planes(&small, width, &mut planes);
    drop(small);
    let input = NdTensor::from_data([1, CHANNELS, height, width], planes);
    let ([_, _, map_height, map_width], values) = network.run::<4>(input)?;
    if map_height * map_width != values.len() {
        return Err(failed("the detection network's map has the wrong shape"));
    }
    let map = ProbabilityMap { width: map_width, height: map_height, values: &values };
    Ok(boxes(map, &settings.boxes)
        .iter()
        .filter_map(|found| {
            let corners = in_picture(found.corners, (map_width, map_height), picture.dimensions())?;
            Some(Detection { corners, score: found.score })
        })
        .collect())
}

/// Size to feed: longer side at most `longest`, both sides rounded to the grid (ties to even, as the reference does).
fn input_size((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let ratio = (f64::from(longest) / f64::from(width.max(height).max(1))).min(1.0);
    let on_grid = |side: u32| {
        let scaled = (f64::from(side) * ratio).floor();
        ((scaled / f64::from(GRID)).round_ties_even() as u32).max(1) * GRID
    };
    (on_grid(width), on_grid(height))
}

/// Maps a box to whole pixels of the picture; `None` when it is too small to hold text.
fn in_picture(corners: [Corner; 4], map: (usize, usize), picture: (u32, u32)) -> Option<[Point; 4]> {
    let scale = |value: f64, from: usize, to: u32| {
        let to = f64::from(to);
        (value / from as f64 * to).round_ties_even().clamp(0.0, to)
    };
    let mapped = clockwise(corners.map(|[x, y]| [scale(x, map.0, picture.0), scale(y, map.1, picture.1)]));
    let inside = mapped.map(|[x, y]| [x.min(f64::from(picture.0) - 1.0), y.min(f64::from(picture.1) - 1.0)]);
    let [a, b, _, d] = inside;
    let long_enough = |p: Corner, q: Corner| (p[0] - q[0]).hypot(p[1] - q[1]).trunc() > LEAST_BOX_SIDE;
    (long_enough(a, b) && long_enough(a, d)).then(|| inside.map(|[x, y]| [x as f32, y as f32]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_pictures_shrink_to_the_longest_side_and_small_ones_only_move_to_the_grid() {
        let cases = [
            ((3000, 4000), (704, 960)),
            ((4000, 3000), (960, 704)),
            ((463, 1013), (448, 960)),
            ((300, 200), (288, 192)),
            ((5, 3000), (32, 960)),
            ((1, 1), (32, 32)),
        ];
        for (size, expected) in cases {
            assert_eq!(input_size(size, 960), expected, "{size:?}");
        }
    }

    #[test]
    fn boxes_come_back_in_the_pictures_own_pixels_and_stay_inside() {
        let corners = [[-3.0, 10.0], [110.0, 10.0], [110.0, 20.0], [-3.0, 20.0]];
        let mapped = in_picture(corners, (100, 50), (1000, 1000)).unwrap();
        assert_eq!(mapped, [[0.0, 200.0], [999.0, 200.0], [999.0, 400.0], [0.0, 400.0]]);
        assert!(in_picture([[1.0, 1.0], [4.0, 1.0], [4.0, 2.0], [1.0, 2.0]], (100, 100), (100, 100)).is_none());
    }
}
