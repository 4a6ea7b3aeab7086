//! The three squares in the corners of a QR code (ISO/IEC 18004, 6.3.3): along any line through the middle, dark and
//! light alternate as 1:1:3:1:1.

use image::GrayImage;

use super::{Likely, Suspect, widened};

/// Side of the blocks whose brightness is compared, in pixels.
const BLOCK: usize = 16;
/// Difference of brightness of a block below which it is one colour.
const LEAST_CONTRAST: u8 = 30;
/// Modules of a run may be this much wider or narrower than the pattern wants; print and blur eat half a module.
const TOLERANCE: f32 = 0.62;
/// Narrowest pattern in pixels: seven modules of one and a half.
const LEAST_PATTERN: usize = 10;
/// Widest pattern, as a share of the picture's longer side.
const WIDEST_PATTERN: f32 = 0.35;
/// Every so many rows are looked at; the dark middle of the smallest pattern is four rows high.
const ROW_STEP: usize = 2;
/// Crossings of one picture that are kept.
const MAX_HITS: usize = 4_000;
/// Patterns of one picture: a table of receipts has a dozen; text gives some false ones.
const MAX_PATTERNS: usize = 160;
/// Rows that must agree on a pattern.
const LEAST_ROWS: u32 = 2;
/// Sides of codes, in modules between the middles of two corners: versions 1 (14) to 40 (170), and what slant and blur
/// make of a module.
const SIDES: std::ops::Range<f32> = 10.0..190.0;
/// The same where only two corners were seen, or three hardly, which patterns in text are: up to version 18, beyond what
/// receipts carry (a Swiss QR-bill has version 25, and its corners are large).
const MOST_OF_TWO: f32 = 80.0;
/// Rows in which three corners together must be seen, not to be such: two each.
const ROWS_OF_THREE: u32 = 6;

/// Weight of a suspect whose three corners were seen; below it, one with two. The rows that saw them are added.
pub(super) const THREE_CORNERS: f32 = 1_000_000.0;
/// The same where they were seen in fewer than [`ROWS_OF_THREE`] rows, which corners in text are as well.
const HARDLY_THREE: f32 = 100_000.0;

/// A corner of a code, as far as is known.
#[derive(Debug, Clone, Copy)]
struct Pattern {
    x: f32,
    y: f32,
    module: f32,
    rows: u32,
    light: bool,
}

/// Brightness below which a pixel is dark, block by block.
struct Threshold {
    columns: usize,
    values: Vec<u8>,
}

impl Threshold {
    fn new(grey: &GrayImage) -> Self {
        let (width, height) = (grey.width() as usize, grey.height() as usize);
        let (columns, rows) = (width.div_ceil(BLOCK), height.div_ceil(BLOCK));
        let pixels = grey.as_raw();
        let mut means = vec![0u8; columns * rows];
        let mut flat = vec![false; columns * rows];
        for row in 0..rows {
            for column in 0..columns {
                let (left, right) = (column * BLOCK, (column * BLOCK + BLOCK).min(width));
                let (mut sum, mut least, mut most, mut count) = (0u32, 255u8, 0u8, 0u32);
                // Every second row is enough for a mean.
                for y in (row * BLOCK..(row * BLOCK + BLOCK).min(height)).step_by(2) {
                    let line = &pixels[y * width + left..y * width + right];
                    for value in line {
                        sum += u32::from(*value);
                        least = least.min(*value);
                        most = most.max(*value);
                    }
                    count += line.len() as u32;
                }
                let at = row * columns + column;
                flat[at] = most - least < LEAST_CONTRAST;
                // Between the extremes rather than their mean: text is mostly paper.
                means[at] = if flat[at] {
                    (sum / count.max(1)) as u8
                } else {
                    let mean = (sum / count.max(1)) as u16;
                    mean.midpoint(u16::midpoint(u16::from(least), u16::from(most))) as u8
                };
            }
        }
        Self { columns, values: smooth(&means, &flat, columns, rows) }
    }

    fn at(&self, x: usize, y: usize) -> u8 {
        self.values[y / BLOCK * self.columns + x / BLOCK]
    }
}

/// Each block's threshold from its surroundings: flat blocks inside a large code must not decide alone.
fn smooth(means: &[u8], flat: &[bool], columns: usize, rows: usize) -> Vec<u8> {
    let mut values = Vec::with_capacity(means.len());
    for row in 0..rows {
        for column in 0..columns {
            let (mut sum, mut count) = (0u32, 0u32);
            let (mut flat_sum, mut flat_count) = (0u32, 0u32);
            for y in row.saturating_sub(2)..(row + 3).min(rows) {
                for x in column.saturating_sub(2)..(column + 3).min(columns) {
                    let at = y * columns + x;
                    if flat[at] {
                        flat_sum += u32::from(means[at]);
                        flat_count += 1;
                    } else {
                        sum += u32::from(means[at]);
                        count += 1;
                    }
                }
            }
            // Nothing but one colour around: paper, as long as it is not much darker than its mean.
            let value = sum.checked_div(count).unwrap_or(flat_sum / flat_count.max(1) * 3 / 4);
            values.push(value.min(255) as u8);
        }
    }
    values
}

/// Places where corners of QR codes lie together.
pub(super) fn suspects(grey: &GrayImage) -> Vec<Suspect> {
    if grey.width() < 3 * LEAST_PATTERN as u32 || grey.height() < 3 * LEAST_PATTERN as u32 {
        return Vec::new();
    }
    let patterns = patterns(grey);
    group(&patterns, grey)
}

fn patterns(grey: &GrayImage) -> Vec<Pattern> {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let threshold = Threshold::new(grey);
    let pixels = grey.as_raw();
    let widest = (width.max(height) as f32 * WIDEST_PATTERN) as usize;
    let mut found: Vec<Pattern> = Vec::new();
    let mut hits = 0;
    for y in (0..height).step_by(ROW_STEP) {
        let row = &pixels[y * width..(y + 1) * width];
        let levels = &threshold.values[y / BLOCK * threshold.columns..][..threshold.columns];
        // The last five runs, newest last, and where the newest ends.
        let mut runs = [0usize; 5];
        let mut dark = false;
        let mut length = 0usize;
        for x in 0..=width {
            let now = x < width && row[x] < levels[x / BLOCK];
            if x < width && now == dark {
                length += 1;
                continue;
            }
            runs.rotate_left(1);
            runs[4] = length;
            let total: usize = runs.iter().sum();
            if (LEAST_PATTERN..=widest).contains(&total) && is_pattern(runs) {
                let middle = x - runs[4] - runs[3] - runs[2] / 2;
                let light = !dark;
                if let Some(pattern) = crossed(grey, &threshold, middle, y, total, light) {
                    hits += 1;
                    remember(&mut found, pattern);
                }
                if hits >= MAX_HITS {
                    return sure(found);
                }
            }
            dark = now;
            length = 1;
        }
    }
    sure(found)
}

fn sure(mut found: Vec<Pattern>) -> Vec<Pattern> {
    found.retain(|pattern| pattern.rows >= LEAST_ROWS || pattern.module < 2.5);
    found.sort_by_key(|pattern| std::cmp::Reverse(pattern.rows));
    found.truncate(MAX_PATTERNS);
    found
}

fn is_pattern(runs: [usize; 5]) -> bool {
    let total: usize = runs.iter().sum();
    let module = total as f32 / 7.0;
    let reach = (module * TOLERANCE).max(0.9);
    let is_near = |run: usize, modules: f32| (run as f32 - modules * module).abs() < reach * modules.sqrt();
    runs.iter().all(|run| *run > 0)
        && is_near(runs[0], 1.0)
        && is_near(runs[1], 1.0)
        && is_near(runs[2], 3.0)
        && is_near(runs[3], 1.0)
        && is_near(runs[4], 1.0)
}

/// Looks at the same pattern from above: it must cross the column as well.
fn crossed(grey: &GrayImage, threshold: &Threshold, x: usize, y: usize, total: usize, light: bool) -> Option<Pattern> {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let pixels = grey.as_raw();
    let is_ink = |y: usize| (pixels[y * width + x] < threshold.at(x, y)) != light;
    if x >= width || !is_ink(y) {
        return None;
    }
    let most = total;
    // From the middle up: the rest of the middle, the ring's gap, the ring.
    let mut up = [0usize; 3];
    let mut at = y as i64;
    for (step, length) in up.iter_mut().enumerate() {
        while at >= 0 && is_ink(at as usize) == (step != 1) && *length <= most {
            *length += 1;
            at -= 1;
        }
    }
    let mut down = [0usize; 3];
    let mut at = y + 1;
    for (step, length) in down.iter_mut().enumerate() {
        while at < height && is_ink(at) == (step != 1) && *length <= most {
            *length += 1;
            at += 1;
        }
    }
    let runs = [up[2], up[1], up[0] + down[0], down[1], down[2]];
    let high: usize = runs.iter().sum();
    // Seen at a slant a square is at most twice as long one way as the other.
    let like = high * 2 > total && total * 2 > high;
    if !like || !is_pattern(runs) {
        return None;
    }
    let middle = y as f32 + (down[0] as f32 - up[0] as f32) / 2.0;
    let module = (total as f32 * high as f32).sqrt() / 7.0;
    Some(Pattern { x: x as f32, y: middle, module, rows: 1, light })
}

fn remember(found: &mut Vec<Pattern>, new: Pattern) {
    let has_room = found.len() < 4 * MAX_PATTERNS;
    let same = found.iter_mut().rev().take(64).find(|known| {
        let reach = 2.5 * known.module;
        (known.x - new.x).abs() < reach && (known.y - new.y).abs() < reach && known.light == new.light
    });
    match same {
        Some(known) => {
            let rows = known.rows as f32;
            known.x = (known.x * rows + new.x) / (rows + 1.0);
            known.y = (known.y * rows + new.y) / (rows + 1.0);
            known.module = (known.module * rows + new.module) / (rows + 1.0);
            known.rows += 1;
        }
        None if has_room => found.push(new),
        None => {}
    }
}

/// Corners of like size at a code's distance belong together.
fn group(patterns: &[Pattern], grey: &GrayImage) -> Vec<Suspect> {
    let mut suspects = Vec::new();
    let mut used = vec![false; patterns.len()];
    for (index, first) in patterns.iter().enumerate() {
        if used[index] {
            continue;
        }
        let fits = |other: &Pattern| {
            let ratio = other.module / first.module;
            let modules = (other.x - first.x).hypot(other.y - first.y) / first.module.min(other.module);
            other.light == first.light && (0.6..1.67).contains(&ratio) && SIDES.contains(&modules)
        };
        // The two nearest that fit: farther ones are other codes' corners.
        let mut others: Vec<usize> =
            (0..patterns.len()).filter(|other| *other != index && !used[*other] && fits(&patterns[*other])).collect();
        let distance = |other: usize| (patterns[other].x - first.x).hypot(patterns[other].y - first.y);
        others.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        let Some((second, third)) = best_pair(index, &others, patterns) else { continue };
        let members: Vec<&Pattern> =
            [Some(index), Some(second), third].into_iter().flatten().map(|i| &patterns[i]).collect();
        let module = members.iter().map(|p| p.module).sum::<f32>() / members.len() as f32;
        let edge = |value: fn(&Pattern) -> f32, pick: fn(f32, f32) -> f32| {
            members.iter().map(|p| value(p)).reduce(pick).unwrap_or(0.0)
        };
        let (left, right) = (edge(|p| p.x, f32::min), edge(|p| p.x, f32::max));
        let (top, bottom) = (edge(|p| p.y, f32::min), edge(|p| p.y, f32::max));
        // With two corners the others may lie on either side; with three the fourth is across the middle, and farthest out
        // where the code stands on a corner.
        let side = (right - left).max(bottom - top);
        let margin = if members.len() == 2 { side + 8.0 * module } else { side * 0.55 + 6.0 * module };
        let rows: u32 = members.iter().map(|p| p.rows).sum();
        if let Some(third) = third {
            used[second] = true;
            used[third] = true;
            used[index] = true;
        }
        let corners = match third {
            Some(_) if rows >= ROWS_OF_THREE => THREE_CORNERS,
            Some(_) => HARDLY_THREE,
            None => 0.0,
        };
        suspects.push(Suspect {
            edges: widened([left, top, right, bottom], margin, grey),
            likely: Likely::Qr,
            module: Some(module),
            weight: corners + rows as f32,
        });
        if suspects.len() >= 4 * super::MAX_SUSPECTS {
            break;
        }
    }
    suspects
}

/// Among the nearest that fit, the pair that makes a right angle of equal sides with the first; else the nearest alone.
fn best_pair(first: usize, others: &[usize], patterns: &[Pattern]) -> Option<(usize, Option<usize>)> {
    const NEAREST: usize = 10;
    let near = &others[..others.len().min(NEAREST)];
    let vector = |from: &Pattern, to: &Pattern| [to.x - from.x, to.y - from.y];
    let mut best: Option<(f32, usize, usize)> = None;
    for (position, a) in near.iter().enumerate() {
        for b in &near[position + 1..] {
            let trio = [&patterns[first], &patterns[*a], &patterns[*b]];
            // Whichever of the three is the corner.
            for corner in 0..3 {
                let one = vector(trio[corner], trio[(corner + 1) % 3]);
                let two = vector(trio[corner], trio[(corner + 2) % 3]);
                let (long, short) = (one[0].hypot(one[1]), two[0].hypot(two[1]));
                let cosine = (one[0] * two[0] + one[1] * two[1]) / (long * short).max(1.0);
                let uneven = (long / short.max(0.1)).max(short / long.max(0.1));
                let rows: u32 = trio.iter().map(|pattern| pattern.rows).sum();
                let module = trio.iter().map(|pattern| pattern.module).fold(f32::INFINITY, f32::min);
                let is_likely = rows >= ROWS_OF_THREE || long.max(short) < MOST_OF_TWO * module;
                if cosine.abs() < 0.35 && uneven < 1.5 && is_likely {
                    let badness = cosine.abs() + (uneven - 1.0) + long.max(short) / 4_000.0;
                    if best.is_none_or(|(known, ..)| badness < known) {
                        best = Some((badness, *a, *b));
                    }
                }
            }
        }
    }
    if let Some((_, a, b)) = best {
        return Some((a, Some(b)));
    }
    let (one, other) = (&patterns[first], &patterns[*near.first()?]);
    let [across, down] = vector(one, other);
    let modules = across.hypot(down) / one.module.min(other.module);
    (modules < MOST_OF_TWO).then(|| (near[0], None))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What three corners at a right angle, `side` modules of two pixels apart and each seen in `rows` rows, point at.
    fn of_three(side: f32, rows: u32) -> Option<Suspect> {
        let [near, far] = [100.0, 100.0 + 2.0 * side];
        let corner = |x, y| Pattern { x, y, module: 2.0, rows, light: false };
        let patterns = [corner(near, near), corner(far, near), corner(near, far)];
        group(&patterns, &GrayImage::new(1_000, 1_000)).into_iter().next()
    }

    #[test]
    fn corners_hardly_seen_are_a_small_code_or_none_and_no_code_has_more_modules_than_there_are() {
        for (side, rows, is_suspect, is_sure) in [
            (30.0, 2, true, true),
            (120.0, 2, true, true),
            (30.0, 1, true, false),
            (120.0, 1, false, false),
            (240.0, 9, false, false),
        ] {
            let suspect = of_three(side, rows);
            assert_eq!(suspect.is_some(), is_suspect, "{side} modules, {rows} rows: {suspect:?}");
            assert_eq!(suspect.is_some_and(|s| s.has_three_corners()), is_sure, "{side} modules, {rows} rows");
        }
    }
}
