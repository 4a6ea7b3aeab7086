//! Finding lines of text: scale, run the network, box its map, map the boxes back.

use image::RgbImage;
use vouch_networks::Network;

use super::boxes::{BoxSettings, ProbabilityMap, boxes};
use super::rectangle::{Corner, clockwise};
use super::{Watch, pixels, resize};
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
    /// Long slips are shrunk only until their shorter side has this many pixels; 0 to go by the longer side alone.
    pub shortest_side: u32,
    /// Whether a picture that turns out to have small print is looked at again in more detail.
    pub closer_look: bool,
    /// From map to boxes.
    pub boxes: BoxSettings,
}

impl Default for DetectionSettings {
    /// 960 suffices even for 12-megapixel photos; 1600 doubled the time and lost merchants (measured on the corpus).
    fn default() -> Self {
        Self { longest_side: 960, shortest_side: 256, closer_look: true, boxes: BoxSettings::default() }
    }
}

/// Most pixels the network is fed; bounds its working memory to about 100 MB.
const MOST_PIXELS: f64 = 1_500_000.0;
/// Box height in map pixels below which print is small. A tenth of a page's boxes may be lower than the rest: on
/// receipts that fill their picture that tenth is 17 to 27 high, on a table with eight slips 13, on one with six 11.
const SMALL_PRINT: f32 = 15.0;
/// Height a closer look brings small print to.
const COMFORTABLE: f32 = 22.0;
/// Most a closer look enlarges; the lowest boxes are all about 11 high, so their height does not tell how small.
const CLOSEST: f64 = 2.0;

/// How much more detail is worth another run.
const WORTH: f64 = 1.2;
/// Fewer boxes than a receipt has lines: its print may have been too small to be seen.
const FEW: usize = 6;

/// A line found in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Top left, top right, bottom right, bottom left as they lie in the picture, in its pixels.
    pub corners: [Point; 4],
    /// Mean probability of text inside, 0 to 1.
    pub score: f32,
}

/// Finds the lines of `picture`, in no particular order. Detail follows the height of the print: see
/// [`DetectionSettings`].
///
/// # Errors
/// [`OcrError::Failed`] when the network cannot run, [`OcrError::Deadline`] when there is no time left.
pub fn detect(
    network: &Network,
    picture: &RgbImage,
    settings: &DetectionSettings,
    watch: Watch,
) -> Result<Vec<Detection>, OcrError> {
    let scale = first_scale(picture.dimensions(), settings);
    let found = detect_at(network, picture, scale, &settings.boxes)?;
    if !settings.closer_look {
        return Ok(found);
    }
    if found.len() < FEW {
        return look_around(network, picture, found, scale, settings, watch);
    }
    match closer_scale(&found, picture.dimensions(), scale) {
        Some(scale) => {
            watch.check()?;
            detect_at(network, picture, scale, &settings.boxes)
        }
        None => Ok(found),
    }
}

/// Hardly anything was seen: nothing is there, or a receipt lies far away on a large picture and its print vanished. Looks
/// with all pixels the network may be fed, then where that showed something, with as many again. Whatever saw most counts.
fn look_around(
    network: &Network,
    picture: &RgbImage,
    seen: Vec<Detection>,
    scale: f64,
    settings: &DetectionSettings,
    watch: Watch,
) -> Result<Vec<Detection>, OcrError> {
    let (width, height) = picture.dimensions();
    let all = most_scale(f64::from(width), f64::from(height)).min(1.0);
    if all <= scale * WORTH {
        return Ok(seen);
    }
    watch.check()?;
    let mut best = detect_at(network, picture, all, &settings.boxes)?;
    if best.len() < seen.len() {
        best = seen;
    }
    if let Some([left, top, width, height]) = surroundings(&best, picture.dimensions()) {
        let near = most_scale(f64::from(width), f64::from(height)).min(1.0);
        if near > all * WORTH {
            watch.check()?;
            let part = image::imageops::crop_imm(picture, left, top, width, height).to_image();
            let mut found = detect_at(network, &part, near, &settings.boxes)?;
            if found.len() > best.len() {
                for point in found.iter_mut().flat_map(|found| &mut found.corners) {
                    *point = [point[0] + left as f32, point[1] + top as f32];
                }
                best = found;
            }
        }
    }
    Ok(best)
}

/// Left, top, width and height of what lies around the boxes, in pixels of the picture: their hull and as much again on
/// every side, because what was seen is a part of what is there. `None` without boxes.
fn surroundings(found: &[Detection], (width, height): (u32, u32)) -> Option<[u32; 4]> {
    let points = || found.iter().flat_map(|found| found.corners);
    let (left, right) = points().map(|p| p[0]).fold((f32::MAX, 0.0_f32), |(a, b), x| (a.min(x), b.max(x)));
    let (top, bottom) = points().map(|p| p[1]).fold((f32::MAX, 0.0_f32), |(a, b), y| (a.min(y), b.max(y)));
    // A single short line says little of how large the paper is.
    let margin = (right - left).max(bottom - top).max(width.max(height) as f32 / 12.0);
    let within = |value: f32, most: u32| value.clamp(0.0, most as f32) as u32;
    let (left, right) = (within(left - margin, width), within(right + margin, width));
    let (top, bottom) = (within(top - margin, height), within(bottom + margin, height));
    (!found.is_empty() && right > left && bottom > top).then(|| [left, top, right - left, bottom - top])
}

/// How far the picture is shrunk at first.
fn first_scale((width, height): (u32, u32), settings: &DetectionSettings) -> f64 {
    let (longer, shorter) = (f64::from(width.max(height).max(1)), f64::from(width.min(height).max(1)));
    let scale = f64::from(settings.longest_side) / longer;
    if settings.shortest_side == 0 {
        return scale.min(1.0);
    }
    scale.max(f64::from(settings.shortest_side) / shorter).min(most_scale(longer, shorter)).min(1.0)
}

/// The scale that uses all pixels the network may be fed.
fn most_scale(longer: f64, shorter: f64) -> f64 {
    (MOST_PIXELS / (longer * shorter)).sqrt()
}

/// The scale for a closer look; `None` when the print is not small or the picture has no more detail to give.
fn closer_scale(found: &[Detection], (width, height): (u32, u32), scale: f64) -> Option<f64> {
    let mut heights: Vec<f32> = found
        .iter()
        .map(|found| {
            let [a, b, _, d] = found.corners;
            let side = |p: Point, q: Point| (p[0] - q[0]).hypot(p[1] - q[1]);
            side(a, b).min(side(a, d)) * scale as f32
        })
        .collect();
    heights.sort_by(f32::total_cmp);
    let small = heights.get(heights.len() / 10).copied().filter(|small| *small < SMALL_PRINT)?;
    let factor = f64::from(COMFORTABLE / small.max(1.0)).min(CLOSEST);
    let closer = (scale * factor).min(most_scale(f64::from(width), f64::from(height))).min(1.0);
    (closer > scale * WORTH).then_some(closer)
}

fn detect_at(
    network: &Network,
    picture: &RgbImage,
    scale: f64,
    settings: &BoxSettings,
) -> Result<Vec<Detection>, OcrError> {
    let (width, height) = input_size(picture.dimensions(), scale);
    let small = resize::bilinear(picture, width, height);
    let mut input = pixels::grey(1, height as usize, width as usize);
    pixels::write(&small, 0, &mut input);
    drop(small);
    let map = network.map(input)?;
    network.forget();
    let map = ProbabilityMap { width: map.width, height: map.height, values: &map.values };
    Ok(boxes(map, settings)
        .iter()
        .filter_map(|found| {
            let corners = in_picture(found.corners, (map.width, map.height), picture.dimensions())?;
            Some(Detection { corners, score: found.score })
        })
        .collect())
}

/// Size to feed: both sides scaled and rounded to the grid (ties to even, as the reference does).
fn input_size((width, height): (u32, u32), scale: f64) -> (u32, u32) {
    let on_grid = |side: u32| {
        // A hair more, for products that come out a hair below a whole number.
        let scaled = (f64::from(side) * scale + 1e-9).floor();
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
    use crate::domain::page::Quad;

    #[test]
    fn big_pictures_shrink_to_the_longest_side_and_small_ones_only_move_to_the_grid() {
        let settings = DetectionSettings { shortest_side: 0, ..DetectionSettings::default() };
        let cases = [
            ((3000, 4000), (704, 960)),
            ((4000, 3000), (960, 704)),
            ((463, 1013), (448, 960)),
            ((300, 200), (288, 192)),
            ((5, 3000), (32, 960)),
            ((1, 1), (32, 32)),
        ];
        for (size, expected) in cases {
            assert_eq!(input_size(size, first_scale(size, &settings)), expected, "{size:?}");
        }
    }

    #[test]
    fn long_slips_keep_their_width_within_the_pixels_allowed() {
        let settings = DetectionSettings::default();
        for (size, expected) in [((1000, 6000), (256, 1536)), ((1000, 2000), (480, 960)), ((1000, 60_000), (160, 9472))]
        {
            assert_eq!(input_size(size, first_scale(size, &settings)), expected, "{size:?}");
        }
    }

    #[test]
    fn only_small_print_in_a_large_picture_is_looked_at_again() {
        let page =
            |height: f32| vec![Detection { corners: Quad::from_edges(0.0, 0.0, 300.0, height).0, score: 0.9 }; 30];
        let size = (4000, 3000);
        assert_eq!(closer_scale(&page(100.0), size, 0.24), None);
        let closer = closer_scale(&page(50.0), size, 0.24).unwrap();
        assert!((closer - 0.353).abs() < 0.01, "bounded by the pixels allowed: {closer}");
        assert!((closer_scale(&page(50.0), (2000, 1500), 0.24).unwrap() - 0.44).abs() < 0.01);
        assert_eq!(closer_scale(&page(12.0), (900, 700), 1.0), None, "there is no more detail");
        assert_eq!(closer_scale(&[], size, 0.24), None);
    }

    #[test]
    fn what_lies_around_a_few_boxes_is_larger_than_they_are_and_inside_the_picture() {
        let line = |x: f32, y: f32| {
            let [a, b, c, d] = Quad::from_edges(0.0, 0.0, 300.0, 20.0).0;
            let moved = |p: Point| [p[0] + x, p[1] + y];
            Detection { corners: [moved(a), moved(b), moved(c), moved(d)], score: 0.9 }
        };
        let size = (4000, 3000);
        assert_eq!(surroundings(&[], size), None);
        // The hull is 300 wide and 420 high, so 420 are added on every side.
        assert_eq!(surroundings(&[line(1500.0, 1000.0), line(1500.0, 1400.0)], size), Some([1080, 580, 1140, 1260]));
        let [left, top, width, height] = surroundings(&[line(3600.0, 0.0)], size).unwrap();
        assert!(left >= 3200 && top == 0 && left + width == 4000 && height < 400, "{left} {top} {width} {height}");
    }

    #[test]
    fn boxes_come_back_in_the_pictures_own_pixels_and_stay_inside() {
        let corners = [[-3.0, 10.0], [110.0, 10.0], [110.0, 20.0], [-3.0, 20.0]];
        let mapped = in_picture(corners, (100, 50), (1000, 1000)).unwrap();
        assert_eq!(mapped, [[0.0, 200.0], [999.0, 200.0], [999.0, 400.0], [0.0, 400.0]]);
        assert!(in_picture([[1.0, 1.0], [4.0, 1.0], [4.0, 2.0], [1.0, 2.0]], (100, 100), (100, 100)).is_none());
    }
}
