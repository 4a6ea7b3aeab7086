//! Stripes and dense squares, by the steps of brightness across and down.

use image::{GrayImage, imageops};

use super::{Likely, Suspect, widened};
use crate::imaging::scale;

/// Longest side of the copy stripes are looked for in: a bar of a printed code is still a pixel wide.
const STRIPES_SIDE: u32 = 1_200;
/// The same for fields of modules, which are as high as they are wide: small modules are grey on the smaller copy, and a cell
/// of the larger one may lie within one large module.
const DENSE_SIDES: [u32; 2] = [600, 300];
/// How much larger than the copy a picture is whose mean is taken by shares of pixels, in a fraction of the time. Below it
/// the shares blur narrow stripes, and whole pixels do not.
const LARGE: f32 = 2.0;
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
/// Share of a dense field's cells that have edges both ways; large modules and the rows of a PDF417 (ISO/IEC 15438) leave
/// some cells with edges one way, a linear code has nearly nothing else.
const LEAST_BOTH_WAYS: f32 = 0.25;
/// Share of a field's box that its cells fill.
const LEAST_FILLED: f32 = 0.62;

/// Fields of stripes and dense squares.
pub(super) fn suspects(grey: &GrayImage) -> Vec<Suspect> {
    let longest = grey.width().max(grey.height()) as f32;
    let side = |value: u32, factor: f32| ((value as f32 / factor) as u32).max(1);
    // By the mean of the pixels: stripes must not turn into moiré.
    let factor = (longest / STRIPES_SIDE as f32).max(1.0);
    let (width, height) = (side(grey.width(), factor), side(grey.height(), factor));
    let copy = match factor {
        LARGE.. => scale::grey_mean(grey, width, height),
        _ if factor > 1.0 => Some(imageops::thumbnail(grey, width, height)),
        _ => None,
    };
    let copy = copy.as_ref().unwrap_or(grey);
    let mut suspects = fields_of(copy, factor, grey, &[Kind::Across, Kind::Down]);
    for dense_side in DENSE_SIDES {
        // From the copy: once through all pixels of a photo is enough.
        let factor = (longest / dense_side as f32).max(1.0);
        let (width, height) = (side(grey.width(), factor), side(grey.height(), factor));
        let smaller = (width < copy.width()).then(|| scale::grey_mean(copy, width, height)).flatten();
        let look = smaller.as_ref().unwrap_or(copy);
        for suspect in fields_of(look, factor, grey, &[Kind::Dense]) {
            let is_known = |known: &Suspect| known.likely == Likely::Dense && known.contains(suspect.centre());
            if !suspects.iter().any(is_known) {
                suspects.push(suspect);
            }
        }
    }
    suspects
}

/// Fields of the `wanted` kinds on `look`, a copy of `grey` that is `factor` times smaller.
fn fields_of(look: &GrayImage, factor: f32, grey: &GrayImage, wanted: &[Kind]) -> Vec<Suspect> {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Across,
    Down,
    /// Edges one way, and some the other way.
    Busy,
    Dense,
}

impl Kind {
    /// Whether a cell of this kind may be part of a field of `wanted`.
    const fn belongs_to(self, wanted: Self) -> bool {
        match wanted {
            Self::Dense => !matches!(self, Self::Plain),
            Self::Across => matches!(self, Self::Across),
            Self::Down => matches!(self, Self::Down),
            Self::Plain | Self::Busy => false,
        }
    }
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
            } else if across > full || down > full {
                Kind::Busy
            } else {
                Kind::Plain
            });
        }
    }
    kinds
}

/// Cells that touch and may be one code.
struct Field {
    /// Left, top, right, bottom in cells; right and bottom are beyond the last.
    edges: [usize; 4],
    cells: usize,
    /// Cells with edges both ways.
    both_ways: usize,
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
                let is_code = self.both_ways as f32 >= LEAST_BOTH_WAYS * self.cells as f32;
                let is_wide_enough = width >= LEAST_DENSE && height >= LEAST_DENSE;
                is_code && is_wide_enough && width <= height * 6 && height <= width * 6
            }
            Kind::Plain | Kind::Busy => false,
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
        if seen[start] || !kinds[start].belongs_to(kind) {
            continue;
        }
        seen[start] = true;
        let mut queue = vec![start];
        let mut field = Field { edges: [columns, rows, 0, 0], cells: 0, both_ways: 0 };
        while let Some(at) = queue.pop() {
            let (x, y) = (at % columns, at / columns);
            field.cells += 1;
            field.both_ways += usize::from(kinds[at] == Kind::Dense);
            let [left, top, right, bottom] = field.edges;
            field.edges = [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)];
            for (dx, dy) in [(-1i64, 0i64), (1, 0), (0, -1), (0, 1)] {
                let (x, y) = (x as i64 + dx, y as i64 + dy);
                if (0..columns as i64).contains(&x) && (0..rows as i64).contains(&y) {
                    let next = y as usize * columns + x as usize;
                    if !seen[next] && kinds[next].belongs_to(kind) {
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
