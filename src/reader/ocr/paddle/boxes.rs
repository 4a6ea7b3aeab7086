//! From the detection network's probability map to boxes around lines of text (differentiable binarisation, DB).
//!
//! The steps and their constants are PaddleOCR's; the numbers the recogniser was tuned with are kept so that the
//! crops it sees are the ones it knows.

use std::f64::consts::TAU;

use image::{GrayImage, Luma};
use imageproc::contours::find_contours;
use imageproc::point::Point;

use super::rectangle::{Corner, Rectangle, Start, area_and_length, least_area};

/// Shorter side below which a blob is noise, in map pixels; the grown box must be two wider still.
const LEAST_SIDE: f64 = 3.0;
/// How far, in map pixels, the chords of a grown box's round corners may miss the true arc (Clipper's default).
const ARC_TOLERANCE: f64 = 0.25;

/// How a probability map becomes boxes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxSettings {
    /// Pixels above this probability are text.
    pub threshold: f32,
    /// Boxes whose mean probability is lower are dropped.
    pub box_threshold: f32,
    /// The network marks the middle of a line; boxes grow by `area * unclip / circumference` on every side.
    pub unclip: f64,
    /// Most blobs looked at in one map.
    pub max_candidates: usize,
}

impl Default for BoxSettings {
    fn default() -> Self {
        Self { threshold: 0.3, box_threshold: 0.5, unclip: 1.6, max_candidates: 1000 }
    }
}

/// A map of probabilities, row by row.
#[derive(Debug, Clone, Copy)]
pub struct ProbabilityMap<'a> {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` probabilities.
    pub values: &'a [f32],
}

/// A box around a line of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextBox {
    /// Corners in order around the box, in map pixels.
    pub corners: [Corner; 4],
    /// Mean probability inside, 0 to 1.
    pub score: f32,
}

/// Finds the boxes of a map.
pub fn boxes(map: ProbabilityMap<'_>, settings: &BoxSettings) -> Vec<TextBox> {
    let contours = find_contours::<i32>(&text_mask(map, settings.threshold));
    // OpenCV lists contours from the bottom up; the limit then cuts the same ones.
    let candidates = contours.iter().rev().take(settings.max_candidates);
    candidates.filter_map(|contour| text_box(map, &contour.points, settings)).collect()
}

fn text_box(map: ProbabilityMap<'_>, contour: &[Point<i32>], settings: &BoxSettings) -> Option<TextBox> {
    let core = least_area(contour, Start::TopLeft).filter(|r| r.short_side >= LEAST_SIDE)?;
    let score = mean_inside(map, &core.corners);
    if score < settings.box_threshold {
        return None;
    }
    let grown = grow(&core, settings.unclip).filter(|r| r.short_side >= LEAST_SIDE + 2.0)?;
    Some(TextBox { corners: grown.corners, score })
}

/// Text pixels as 255, each spread one pixel right and down (OpenCV's dilation with a 2 x 2 kernel).
fn text_mask(map: ProbabilityMap<'_>, threshold: f32) -> GrayImage {
    let mut mask = GrayImage::new(map.width as u32, map.height as u32);
    for (y, row) in map.values.chunks_exact(map.width.max(1)).enumerate().take(map.height) {
        for (x, _) in row.iter().enumerate().filter(|(_, value)| **value > threshold) {
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                if x + dx < map.width && y + dy < map.height {
                    mask.put_pixel((x + dx) as u32, (y + dy) as u32, Luma([255]));
                }
            }
        }
    }
    mask
}

/// Mean of the map inside a convex polygon, its outline included; corners are cut to whole pixels.
fn mean_inside(map: ProbabilityMap<'_>, corners: &[Corner; 4]) -> f32 {
    let corners = corners.map(|[x, y]| [x.trunc(), y.trunc()]);
    let top = corners.iter().map(|c| c[1]).fold(f64::INFINITY, f64::min).max(0.0) as usize;
    let bottom = corners.iter().map(|c| c[1]).fold(0.0, f64::max) as usize;
    let (mut sum, mut count) = (0.0f64, 0usize);
    for y in top..=bottom.min(map.height.saturating_sub(1)) {
        let Some((from, to)) = span(&corners, y as f64, map.width) else { continue };
        let row = &map.values[y * map.width + from..=y * map.width + to];
        sum += row.iter().map(|v| f64::from(*v)).sum::<f64>();
        count += row.len();
    }
    if count == 0 { 0.0 } else { (sum / count as f64) as f32 }
}

/// First and last column of a convex polygon in row `y`.
fn span(corners: &[Corner; 4], y: f64, width: usize) -> Option<(usize, usize)> {
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for (index, a) in corners.iter().enumerate() {
        let b = corners[(index + 1) % corners.len()];
        if y < a[1].min(b[1]) || y > a[1].max(b[1]) {
            continue;
        }
        let level = (b[1] - a[1]).abs() < f64::EPSILON;
        let crossings = if level { [a[0], b[0]] } else { [a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]); 2] };
        for x in crossings {
            from = from.min(x);
            to = to.max(x);
        }
    }
    let last = width.checked_sub(1)? as f64;
    (from <= last && to >= 0.0).then(|| (from.max(0.0).round() as usize, to.min(last).round() as usize))
}

/// The rectangle around the polygon that lies outside `core` by its area times `unclip` over its circumference.
///
/// The reference cuts the core's corners and rounds the grown outline to whole pixels (Clipper works in integers);
/// so does this, because at detection scale a pixel is several of the photo's.
fn grow(core: &Rectangle, unclip: f64) -> Option<Rectangle> {
    let (area, length) = area_and_length(&core.corners);
    let distance = area * unclip / length;
    let whole = core.corners.map(|[x, y]| [x.trunc(), y.trunc()]);
    let normals: [Option<f64>; 4] = std::array::from_fn(|i| {
        let (a, b) = (whole[i], whole[(i + 1) % 4]);
        // Corners run clockwise on screen (y downwards), so the outside lies to the left of each edge.
        (a[0].total_cmp(&b[0]).is_ne() || a[1].total_cmp(&b[1]).is_ne()).then(|| (-(b[0] - a[0])).atan2(b[1] - a[1]))
    });
    let step = 2.0 * (1.0 - ARC_TOLERANCE.min(distance / 2.0) / distance).acos();
    let mut outline = Vec::new();
    for (i, corner) in whole.iter().enumerate() {
        let (before, after) = (normals[(i + 3) % 4]?, normals[i]?);
        let turn = (after - before).rem_euclid(TAU);
        let steps = (turn / step).round().clamp(1.0, 64.0) as u32;
        // Even steps from the edge before, then the edge after: the last chord is what is left.
        for angle in (0..steps).map(|k| before + step * f64::from(k)).chain([after]) {
            let at = [corner[0] + distance * angle.cos(), corner[1] + distance * angle.sin()];
            outline.push(Point::new(at[0].round() as i32, at[1].round() as i32));
        }
    }
    least_area(&outline, Start::TopRight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::ocr::paddle::rectangle::clockwise;

    struct Drawn {
        width: usize,
        height: usize,
        values: Vec<f32>,
    }

    impl Drawn {
        fn new(width: usize, height: usize) -> Self {
            Self { width, height, values: vec![0.02; width * height] }
        }

        /// A bar of `length` x `thickness` around `centre`, turned by `degrees`.
        fn bar(mut self, centre: Corner, length: f64, thickness: f64, degrees: f64, probability: f32) -> Self {
            let (sin, cos) = degrees.to_radians().sin_cos();
            for y in 0..self.height {
                for x in 0..self.width {
                    let (dx, dy) = (x as f64 - centre[0], y as f64 - centre[1]);
                    let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
                    if along.abs() <= length / 2.0 && across.abs() <= thickness / 2.0 {
                        self.values[y * self.width + x] = probability;
                    }
                }
            }
            self
        }

        fn boxes(&self) -> Vec<TextBox> {
            let map = ProbabilityMap { width: self.width, height: self.height, values: &self.values };
            boxes(map, &BoxSettings::default())
        }
    }

    fn sides(found: &TextBox) -> (f64, f64) {
        let [a, b, c, _] = clockwise(found.corners);
        ((b[0] - a[0]).hypot(b[1] - a[1]), (c[0] - b[0]).hypot(c[1] - b[1]))
    }

    #[test]
    fn a_level_bar_grows_by_area_times_unclip_over_circumference() {
        let found = Drawn::new(200, 60).bar([100.0, 30.0], 100.0, 10.0, 0.0, 0.9).boxes();
        assert_eq!(found.len(), 1);
        // 101 x 11 pixels, one more each way from dilation; 101 * 11 * 1.6 / 224 = 7.9 on every side.
        let (width, height) = sides(&found[0]);
        assert!((width - 117.0).abs() <= 1.5 && (height - 27.0).abs() <= 1.5, "{width} x {height}");
        assert!((found[0].score - 0.9).abs() < 0.1);
    }

    #[test]
    fn a_tilted_bar_keeps_its_tilt() {
        let found = Drawn::new(300, 300).bar([150.0, 150.0], 160.0, 12.0, 20.0, 0.9).boxes();
        assert_eq!(found.len(), 1);
        let [a, b, _, _] = clockwise(found[0].corners);
        let tilt = (b[1] - a[1]).atan2(b[0] - a[0]).to_degrees();
        assert!((tilt - 20.0).abs() < 1.5, "{tilt}");
        let (width, height) = sides(&found[0]);
        assert!((width - 178.0).abs() < 4.0 && (height - 30.0).abs() < 4.0, "{width} x {height}");
    }

    #[test]
    fn faint_and_tiny_blobs_are_not_text() {
        let faint = Drawn::new(100, 40).bar([50.0, 20.0], 60.0, 10.0, 0.0, 0.35).boxes();
        assert!(faint.is_empty(), "{faint:?}");
        let tiny = Drawn::new(100, 40).bar([50.0, 20.0], 40.0, 1.0, 0.0, 0.99).boxes();
        assert!(tiny.is_empty(), "{tiny:?}");
    }

    #[test]
    fn lines_are_found_apart_and_at_the_very_edge() {
        let found = Drawn::new(120, 80)
            .bar([60.0, 0.0], 100.0, 10.0, 0.0, 0.9)
            .bar([60.0, 40.0], 100.0, 10.0, 0.0, 0.9)
            .bar([119.0, 70.0], 60.0, 8.0, 0.0, 0.9)
            .boxes();
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn more_blobs_than_the_limit_are_cut() {
        let drawn = Drawn::new(64, 400);
        let drawn = (0..20).fold(drawn, |d, i| d.bar([32.0, 10.0 + 20.0 * f64::from(i)], 40.0, 6.0, 0.0, 0.9));
        let map = ProbabilityMap { width: drawn.width, height: drawn.height, values: &drawn.values };
        let settings = BoxSettings { max_candidates: 7, ..BoxSettings::default() };
        assert_eq!(boxes(map, &settings).len(), 7);
    }
}
