//! Stripes and dense squares, by the steps of brightness across and down.

use image::{GrayImage, imageops};

use super::{Likely, Suspect, widened};

/// Longest side of the copy stripes are looked for in: a bar of a printed code is still a pixel wide.
const STRIPES_SIDE: u32 = 1_200;
/// The same for dense squares, whose modules are as high as they are wide.
const DENSE_SIDE: u32 = 600;
/// Side of a cell in pixels of the copy.
const CELL: usize = 8;
/// Mean step between neighbours of a cell that is full of edges.
const LEAST_STEP: u32 = 16;
/// How much more a striped cell changes across its stripes than along them.
const STRIPED: u32 = 3;
/// Cells of a striped field: across the stripes and along them.
const LEAST_ACROSS: usize = 7;
const LEAST_ALONG: usize = 2;
/// Side of a dense field in cells.
const LEAST_DENSE: usize = 4;
/// Share of a field's box that its cells fill.
const LEAST_FILLED: f32 = 0.62;

/// Fields of stripes and dense squares.
pub(super) fn suspects(grey: &GrayImage) -> Vec<Suspect> {
    let mut suspects = fields_of(grey, STRIPES_SIDE, &[Kind::Across, Kind::Down]);
    suspects.extend(fields_of(grey, DENSE_SIDE, &[Kind::Dense]));
    suspects
}

fn fields_of(grey: &GrayImage, side: u32, wanted: &[Kind]) -> Vec<Suspect> {
    let longest = grey.width().max(grey.height());
    let factor = (longest as f32 / side as f32).max(1.0);
    let small;
    let look = if factor > 1.0 {
        small = shrunk(grey, factor);
        &small
    } else {
        grey
    };
    let (columns, rows) = (look.width() as usize / CELL, look.height() as usize / CELL);
    if columns < LEAST_DENSE || rows < LEAST_DENSE {
        return Vec::new();
    }
    let kinds = kinds(look, columns, rows);
    let mut suspects = Vec::new();
    for kind in wanted {
        for field in fields(&kinds, columns, rows, *kind) {
            let Some(weight) = field.worth(*kind) else { continue };
            let scale = CELL as f32 * factor;
            let [left, top, right, bottom] = field.edges.map(|cell| cell as f32 * scale);
            // Stripes fade at their ends, and readers want quiet around a code.
            let margin = 2.0 * scale;
            let likely = if *kind == Kind::Dense { Likely::Dense } else { Likely::Stripes };
            let edges = widened([left, top, right, bottom], margin, grey);
            suspects.push(Suspect { edges, likely, module: None, weight });
        }
    }
    suspects
}

/// A copy `factor` times smaller, by the mean of the pixels: stripes must not turn into moiré.
fn shrunk(grey: &GrayImage, factor: f32) -> GrayImage {
    let side = |value: u32| ((value as f32 / factor) as u32).max(1);
    imageops::thumbnail(grey, side(grey.width()), side(grey.height()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Across,
    Down,
    Dense,
}

fn kinds(look: &GrayImage, columns: usize, rows: usize) -> Vec<Kind> {
    let width = look.width() as usize;
    let pixels = look.as_raw();
    let mut kinds = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (mut across, mut down) = (0u32, 0u32);
            for y in row * CELL..(row + 1) * CELL - 1 {
                let here = &pixels[y * width + column * CELL..][..CELL];
                let below = &pixels[(y + 1) * width + column * CELL..][..CELL];
                for x in 0..CELL - 1 {
                    across += u32::from(here[x].abs_diff(here[x + 1]));
                    down += u32::from(here[x].abs_diff(below[x]));
                }
            }
            let steps = ((CELL - 1) * (CELL - 1)) as u32;
            let full = LEAST_STEP * steps;
            kinds.push(if across > full && across > STRIPED * down {
                Kind::Across
            } else if down > full && down > STRIPED * across {
                Kind::Down
            } else if across > full && down > full {
                Kind::Dense
            } else {
                Kind::Plain
            });
        }
    }
    kinds
}

/// Cells of one kind that touch.
struct Field {
    /// Left, top, right, bottom in cells; right and bottom are beyond the last.
    edges: [usize; 4],
    cells: usize,
}

impl Field {
    /// How promising a field is; `None` when it is no code.
    fn worth(&self, kind: Kind) -> Option<f32> {
        let [left, top, right, bottom] = self.edges;
        let (width, height) = (right - left, bottom - top);
        let filled = self.cells as f32 / (width * height) as f32;
        let fits = match kind {
            Kind::Across => width >= LEAST_ACROSS && height >= LEAST_ALONG,
            Kind::Down => height >= LEAST_ACROSS && width >= LEAST_ALONG,
            Kind::Dense => {
                // Squares, and PDF417, which is up to six times as wide as high.
                width >= LEAST_DENSE && height >= LEAST_DENSE && width <= height * 6 && height <= width * 6
            }
            Kind::Plain => false,
        };
        // Blurred or slanted stripes leave holes.
        let least = if kind == Kind::Dense { LEAST_FILLED } else { LEAST_FILLED * 0.7 };
        (fits && filled >= least).then_some(self.cells as f32)
    }
}

fn fields(kinds: &[Kind], columns: usize, rows: usize, kind: Kind) -> Vec<Field> {
    let mut seen = vec![false; kinds.len()];
    let mut fields = Vec::new();
    for start in 0..kinds.len() {
        if seen[start] || kinds[start] != kind {
            continue;
        }
        seen[start] = true;
        let mut queue = vec![start];
        let mut field = Field { edges: [columns, rows, 0, 0], cells: 0 };
        while let Some(at) = queue.pop() {
            let (x, y) = (at % columns, at / columns);
            field.cells += 1;
            let [left, top, right, bottom] = field.edges;
            field.edges = [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)];
            for (dx, dy) in [(-1i64, 0i64), (1, 0), (0, -1), (0, 1)] {
                let (x, y) = (x as i64 + dx, y as i64 + dy);
                if (0..columns as i64).contains(&x) && (0..rows as i64).contains(&y) {
                    let next = y as usize * columns + x as usize;
                    if !seen[next] && kinds[next] == kind {
                        seen[next] = true;
                        queue.push(next);
                    }
                }
            }
        }
        fields.push(field);
    }
    fields
}
