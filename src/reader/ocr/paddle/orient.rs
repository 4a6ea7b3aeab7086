//! Which way up text stands: the axis from the shapes of boxes, up or down from reading a few lines both ways.

use super::crop::{Crop, size};
use super::detect::Detection;
use super::recognise::LineReading;
use super::words::line_score;
use crate::domain::page::Point;
use crate::reader::ocr::OcrError;

/// A side this many times the other shows which way a box's text runs.
const CLEAR: f32 = 1.5;
/// Fewer boxes with a clear shape say nothing about the page; each then goes by its own shape.
const LEAST_BOXES: usize = 4;
/// Lines read to learn which way up the text of one axis stands.
const PROBES: usize = 4;
/// Fewer lines along the lesser axis are stamps and stray marks; they keep the usual way.
const LEAST_LINES: usize = 3;
/// Lines whose mean score is this high are taken to be the right way up without reading them both ways. With it all
/// 44 views (11 corpus pictures, four turns each) were settled right.
const SURE: f32 = 0.85;
/// Turned over, the probes must score this much better to be believed: faded text scores low either way up.
const BETTER: f32 = 0.05;
/// Width over height of a good probe: long enough to tell, short enough to be cheap.
const PROBE_SHAPE: f32 = 6.0;

/// Whether the clearly shaped boxes mostly run down the page, by their length.
pub fn mostly_down(found: &[Detection]) -> bool {
    let corners: Vec<[Point; 4]> = found.iter().map(|found| found.corners).collect();
    is_mostly_down(&corners.iter().map(|corners| size(*corners)).collect::<Vec<_>>())
}

fn is_mostly_down(sizes: &[[f32; 2]]) -> bool {
    let (mut across, mut down, mut clear) = (0.0, 0.0, 0);
    for [width, height] in sizes {
        if height >= &(width * CLEAR) {
            down += height;
        } else if width >= &(height * CLEAR) {
            across += width;
        } else {
            continue;
        }
        clear += 1;
    }
    clear >= LEAST_BOXES && down > across
}

/// For every box whether its text runs down (or up) the page rather than across.
///
/// On a page whose clearly shaped boxes mostly run down, short boxes do so too; else only boxes clearly higher than
/// wide do, as in the reference.
pub fn running_down(boxes: &[[Point; 4]]) -> Vec<bool> {
    let sizes: Vec<[f32; 2]> = boxes.iter().map(|corners| size(*corners)).collect();
    let mostly_down = is_mostly_down(&sizes);
    sizes
        .iter()
        .map(|[width, height]| if mostly_down { *width < height * CLEAR } else { *height >= width * CLEAR })
        .collect()
}

/// Turns over the crops whose text stands upside down. `down` is [`running_down`]'s answer for each crop; both axes
/// are settled by themselves, because slips lie both ways on one table. What was read on the way is returned, by crop.
///
/// # Errors
/// Those of `read`.
pub fn settle(
    crops: &mut [Crop],
    down: &[bool],
    mut read: impl FnMut(&[&Crop]) -> Result<Vec<LineReading>, OcrError>,
) -> Result<Vec<Option<LineReading>>, OcrError> {
    let mut known: Vec<Option<LineReading>> = vec![None; crops.len()];
    let count_down = down.iter().filter(|down| **down).count();
    for axis in [false, true] {
        let members: Vec<usize> = (0..crops.len()).filter(|index| down[*index] == axis).collect();
        let is_lesser = members.len() * 2 < crops.len();
        if members.is_empty() || (is_lesser && members.len() < LEAST_LINES) || (axis && count_down == 0) {
            continue;
        }
        let probes = probes(crops, &members);
        let pictures: Vec<&Crop> = probes.iter().map(|index| &crops[*index]).collect();
        let readings = read(&pictures)?;
        let upright = mean_score(&readings);
        if upright < SURE {
            let turned: Vec<Crop> = pictures.iter().map(|crop| crop.upside_down()).collect();
            let turned_readings = read(&turned.iter().collect::<Vec<_>>())?;
            if mean_score(&turned_readings) > upright + BETTER {
                for index in members {
                    crops[index] = crops[index].upside_down();
                }
                remember(&mut known, &probes, turned_readings);
                continue;
            }
        }
        remember(&mut known, &probes, readings);
    }
    Ok(known)
}

fn remember(known: &mut [Option<LineReading>], probes: &[usize], readings: Vec<LineReading>) {
    for (index, reading) in probes.iter().zip(readings) {
        known[*index] = Some(reading);
    }
}

/// The members whose shape suits a probe best.
fn probes(crops: &[Crop], members: &[usize]) -> Vec<usize> {
    let unsuited = |index: &usize| {
        let picture = &crops[*index].picture;
        (picture.width() as f32 / picture.height().max(1) as f32 / PROBE_SHAPE).ln().abs()
    };
    let mut probes = members.to_vec();
    probes.sort_by(|a, b| unsuited(a).total_cmp(&unsuited(b)));
    probes.truncate(PROBES);
    probes
}

fn mean_score(readings: &[LineReading]) -> f32 {
    readings.iter().map(|reading| line_score(&reading.symbols)).sum::<f32>() / readings.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;
    use crate::domain::page::Quad;
    use crate::imaging::turn::Turn;
    use crate::reader::ocr::paddle::crop::crop;
    use crate::reader::ocr::paddle::ctc::Symbol;

    fn wide(top: f32) -> [Point; 4] {
        Quad::from_edges(10.0, top, 110.0, top + 20.0).0
    }

    fn tall(left: f32) -> [Point; 4] {
        Quad::from_edges(left, 10.0, left + 20.0, 110.0).0
    }

    fn square(left: f32) -> [Point; 4] {
        Quad::from_edges(left, 300.0, left + 20.0, 322.0).0
    }

    #[test]
    fn short_boxes_run_the_way_most_of_the_page_does() {
        let upright = [wide(0.0), wide(30.0), wide(60.0), wide(90.0), tall(200.0), square(0.0)];
        assert_eq!(running_down(&upright), [false, false, false, false, true, false]);
        let turned = [tall(0.0), tall(30.0), tall(60.0), tall(90.0), wide(200.0), square(0.0)];
        assert_eq!(running_down(&turned), [true, true, true, true, false, true]);
        assert_eq!(running_down(&[tall(0.0), square(0.0)]), [true, false], "too few to tell");
    }

    /// Reads a crop as well as its top left pixel is bright, and counts.
    fn reader(count: &mut usize) -> impl FnMut(&[&Crop]) -> Result<Vec<LineReading>, OcrError> {
        |crops| {
            *count += crops.len();
            let score = |crop: &Crop| f32::from(crop.picture.get_pixel(0, 0).0[0]) / 255.0;
            let symbol = |crop: &&Crop| Symbol { character: 'a', score: score(crop), position: 0.5 };
            Ok(crops.iter().map(|crop| LineReading { symbols: vec![symbol(crop)], steps: 1.0 }).collect())
        }
    }

    /// A picture brighter at its right and lower ends: text there would be upside down.
    fn brighter_at_the_end(boxes: &[[Point; 4]], low: u8, high: u8) -> Vec<Crop> {
        let picture =
            RgbImage::from_fn(300, 400, |x, y| image::Rgb([if x % 200 > 60 || y > 60 { high } else { low }; 3]));
        let down = running_down(boxes);
        boxes.iter().zip(down).map(|(corners, down)| crop(&picture, *corners, down).unwrap()).collect()
    }

    #[test]
    fn lines_upside_down_are_turned_and_only_a_few_are_read_for_it() {
        let boxes: Vec<_> = (0..10).map(|i| wide(5.0 * i as f32)).collect();
        let mut crops = brighter_at_the_end(&boxes, 80, 240);
        let mut count = 0;
        let known = settle(&mut crops, &running_down(&boxes), reader(&mut count)).unwrap();
        assert_eq!(count, 2 * PROBES);
        assert_eq!(known.iter().flatten().count(), PROBES);
        assert!(crops.iter().all(|crop| Turn::of(&crop.quad) == Turn::Half));
    }

    #[test]
    fn well_read_lines_are_read_once_and_faded_ones_stay() {
        for (low, high, reads) in [(250, 250, PROBES), (100, 105, 2 * PROBES)] {
            let boxes: Vec<_> = (0..10).map(|i| wide(5.0 * i as f32)).collect();
            let mut crops = brighter_at_the_end(&boxes, low, high);
            let before = crops.clone();
            let mut count = 0;
            settle(&mut crops, &running_down(&boxes), reader(&mut count)).unwrap();
            assert_eq!((crops, count), (before, reads));
        }
    }
}
