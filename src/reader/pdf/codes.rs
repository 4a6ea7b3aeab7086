//! Codes on a page: looked for on the small picture of it, read from a part drawn larger.

use super::{
    Sheet,
    render::Drawing,
    text::{Drawn, Seen},
};
use crate::{
    domain::page::Quad,
    imaging::{rgba::Pixels, suspects},
    reader::{
        output::Stopped,
        see::codes::{self, Found},
    },
};

/// Filled shapes from which a page may have a code drawn in vectors; a table has fewer.
const LEAST_FILLS: usize = 120;
/// Parts of a page that are drawn again.
const MAX_PARTS: usize = 10;
/// Longest side of a part drawn again, in pixels.
const PART_SIDE: f32 = 640.0;
/// Share of the middle of a part that letters may fill in a code. Running text with lines 1.2 heights apart fills 0.8 of its
/// space, and half of that where half a code stands beside it.
const MOST_TEXT: f32 = 0.45;
/// A picture on the page is looked at when its sides are between these shares of the page's shorter one.
const PICTURE_SIDES: std::ops::Range<f32> = 0.03..0.6;

/// Codes of the page, boxes in page pixels. `picture` shows it at any size.
pub fn find(drawing: &Drawing<'_>, drawn: &Drawn, sheet: Sheet, picture: &Pixels) -> Result<Vec<Found>, Stopped> {
    if drawn.pictures.is_empty() && drawn.fills < LEAST_FILLS {
        return Ok(Vec::new());
    }
    let scale = sheet.width as f32 / picture.dimensions().0.max(1) as f32;
    let mut parts = placed_pictures(drawn, sheet);
    let seen = suspects::suspects(&picture.grey()).into_iter().map(|s| s.edges.map(|v| v * scale));
    for part in seen.filter(|part| !is_text(*part, drawn)) {
        if !parts.iter().any(|other| is_looked_at(*other, part)) {
            parts.push(part);
        }
    }
    let mut found: Vec<Found> = Vec::new();
    for part in parts.into_iter().take(MAX_PARTS) {
        let [left, top, right, bottom] = part;
        let centre = [f32::midpoint(left, right), f32::midpoint(top, bottom)];
        if found.iter().any(|code| holds(&code.quad, centre)) {
            continue;
        }
        let factor = (PART_SIDE / (right - left).max(bottom - top).max(1.0)).clamp(0.25, 4.0);
        let piece = drawing.part(part, factor)?;
        let real = piece.dimensions().0 as f32 / (right - left).max(1.0);
        for mut code in codes::find_in_piece(&piece.grey()) {
            code.quad = Quad(code.quad.0.map(|[x, y]| [left + x / real, top + y / real]));
            codes::add(&mut found, code, (sheet.width, sheet.height));
        }
    }
    Ok(found)
}

/// Pictures put on the page in the size of codes, each with some paper around it.
fn placed_pictures(drawn: &Drawn, sheet: Sheet) -> Vec<[f32; 4]> {
    let (width, height) = (sheet.width as f32, sheet.height as f32);
    let shorter = width.min(height);
    let mut parts: Vec<[f32; 4]> = Vec::new();
    for [left, top, right, bottom] in &drawn.pictures {
        let (across, down) = (right - left, bottom - top);
        if !PICTURE_SIDES.contains(&(across.max(down) / shorter)) {
            continue;
        }
        let margin = 0.15 * across.max(down);
        parts.push([
            (left - margin).max(0.0),
            (top - margin).max(0.0),
            (right + margin).min(width),
            (bottom + margin).min(height),
        ]);
    }
    parts.truncate(MAX_PARTS / 2);
    parts
}

/// Whether the middle of a part is set with letters: to whoever looks at pixels, lines of text are fields of modules. Only
/// the middle, because a code has a margin here and text around it.
fn is_text([left, top, right, bottom]: [f32; 4], drawn: &Drawn) -> bool {
    let (across, down) = ((right - left) / 4.0, (bottom - top) / 4.0);
    let (left, top, right, bottom) = (left + across, top + down, right - across, bottom - down);
    let mut set = 0.0;
    for glyph in drawn.glyphs.iter().filter(|glyph| glyph.seen == Seen::Yes) {
        let [x, y] = glyph.centre();
        if (left..=right).contains(&x) && (top..=bottom).contains(&y) {
            let [from, to] = glyph.base;
            let wide = (to[0] - from[0]).hypot(to[1] - from[1]);
            set += wide * (glyph.up[0].hypot(glyph.up[1]) + glyph.down[0].hypot(glyph.down[1]));
        }
    }
    set > MOST_TEXT * (right - left) * (bottom - top)
}

/// Whether looking at `other` is looking at `part`: its middle lies there, and it is not much smaller there.
fn is_looked_at(other: [f32; 4], part: [f32; 4]) -> bool {
    let side = |[left, top, right, bottom]: [f32; 4]| (right - left).max(bottom - top);
    let [left, top, right, bottom] = part;
    let (x, y) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
    let [left, top, right, bottom] = other;
    (left..=right).contains(&x) && (top..=bottom).contains(&y) && side(other) < 2.0 * side(part)
}

fn holds(quad: &Quad, [x, y]: [f32; 2]) -> bool {
    (quad.left()..=quad.right()).contains(&x) && (quad.top()..=quad.bottom()).contains(&y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::pdf::text::Glyph;

    /// Letters 10 pixels high and 6 wide in rows 14 apart, in a box from the origin.
    fn paragraph(width: f32, height: f32, seen: Seen) -> Drawn {
        let mut drawn = Drawn::default();
        for row in 0..(height / 14.0) as u32 {
            for column in 0..(width / 6.0) as u32 {
                let (left, baseline) = (column as f32 * 6.0, row as f32 * 14.0 + 10.0);
                drawn.glyphs.push(Glyph {
                    text: Some("n".to_owned()),
                    base: [[left, baseline], [left + 6.0, baseline]],
                    up: [0.0, -8.0],
                    down: [0.0, 2.0],
                    seen,
                });
            }
        }
        drawn
    }

    #[test]
    fn lines_of_text_are_no_code_and_a_code_beside_them_is_looked_at() {
        let text = paragraph(300.0, 300.0, Seen::Yes);
        assert!(is_text([0.0, 0.0, 300.0, 300.0], &text));
        // Half of the middle is a code's, where nothing is set.
        assert!(!is_text([150.0, 0.0, 450.0, 300.0], &text));
        assert!(!is_text([400.0, 0.0, 600.0, 200.0], &text), "nothing is set here");
        // Text all around it says nothing about what stands in the middle.
        let mut around = paragraph(300.0, 300.0, Seen::Yes);
        around.glyphs.retain(|glyph| glyph.centre().iter().any(|at| !(75.0..=225.0).contains(at)));
        assert!(!is_text([0.0, 0.0, 300.0, 300.0], &around));
        assert!(!is_text([0.0, 0.0, 300.0, 300.0], &paragraph(300.0, 300.0, Seen::Hidden)), "nobody sees it");
    }

    #[test]
    fn a_part_is_looked_at_once_and_a_small_one_within_a_large_one_by_itself() {
        let logo = [100.0, 100.0, 200.0, 200.0];
        assert!(is_looked_at(logo, [110.0, 110.0, 180.0, 180.0]));
        assert!(!is_looked_at(logo, [130.0, 130.0, 160.0, 160.0]), "a third of its size: seen larger alone");
        assert!(!is_looked_at(logo, [300.0, 100.0, 400.0, 200.0]), "elsewhere");
    }
}
