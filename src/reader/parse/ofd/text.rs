//! Runs of characters as words and lines in page pixels.

use std::collections::HashMap;

use super::content::{Glyph, Run};
use crate::{
    domain::page::{Line, Point, Quad, Word},
    reader::protocol::{MAX_LINES_PER_PAGE, MAX_WORD_CHARS, MAX_WORDS_PER_PAGE, clean},
};

/// Above the baseline, in em: the top of a Chinese character.
const ASCENT: f32 = 0.86;
/// Below the baseline, in em.
const DESCENT: f32 = 0.14;
/// A gap wider than this, in em, parts words.
const WORD_GAP: f32 = 0.6;
/// Leaving the baseline by more than this, in em, parts lines.
const LINE_STEP: f32 = 0.3;

/// The text of one object and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Printed {
    /// 0-based page.
    pub page: u32,
    /// The words joined as they were set.
    pub text: String,
    /// The box around them in page pixels.
    pub quad: Quad,
}

/// Printed text by object id, for the tags that point at it.
pub type ByObject = HashMap<String, Printed>;

/// How millimetres become pixels on a page of so many pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raster {
    /// Pixels per millimetre.
    pub scale: f32,
    /// The page's left and top edge in millimetres.
    pub origin: Point,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Raster {
    /// A point in pixels.
    pub fn pixel(&self, [x, y]: Point) -> Point {
        [(x - self.origin[0]) * self.scale, (y - self.origin[1]) * self.scale]
    }
}

/// The words of one run; the second value says that it was cut.
fn words(run: &Run, raster: &Raster) -> Vec<Word> {
    let mut out = Vec::new();
    let mut piece: Vec<Glyph> = Vec::new();
    for glyph in &run.glyphs {
        let parts = glyph.letter.is_whitespace() || piece.last().is_some_and(|last| is_apart(run, last, glyph));
        if parts || piece.len() >= MAX_WORD_CHARS {
            out.extend(word(run, &piece, raster));
            piece.clear();
        }
        if !glyph.letter.is_whitespace() {
            piece.push(*glyph);
        }
    }
    out.extend(word(run, &piece, raster));
    out
}

/// Whether the next character begins another word.
fn is_apart(run: &Run, last: &Glyph, next: &Glyph) -> bool {
    let [a, b, c, d, ..] = run.turn.0;
    let (dx, dy) = (next.at[0] - last.at[0], next.at[1] - last.at[1]);
    let along = (dx * a + dy * b) / (a * a + b * b).max(1e-9);
    let across = (dx * c + dy * d) / (c * c + d * d).max(1e-9);
    across.abs() > LINE_STEP * run.size || along < -LINE_STEP * run.size || along - last.advance > WORD_GAP * run.size
}

fn word(run: &Run, piece: &[Glyph], raster: &Raster) -> Option<Word> {
    let (first, last) = (piece.first()?, piece.last()?);
    let text = clean(&piece.iter().map(|glyph| glyph.letter).collect::<String>());
    if text.trim().is_empty() {
        return None;
    }
    let corner = |from: Point, x: f32, y: f32| {
        let [dx, dy] = run.turn.apply([x, y]);
        let [x, y] = raster.pixel([from[0] + dx, from[1] + dy]);
        [x.clamp(0.0, raster.width as f32), y.clamp(0.0, raster.height as f32)]
    };
    let (top, bottom) = (-ASCENT * run.size, DESCENT * run.size);
    let quad = Quad([
        corner(first.at, 0.0, top),
        corner(last.at, last.advance, top),
        corner(last.at, last.advance, bottom),
        corner(first.at, 0.0, bottom),
    ]);
    // Wholly outside the page: nobody sees it.
    let area = (quad.right() - quad.left()) * (quad.bottom() - quad.top());
    (quad.is_finite() && area > 0.0).then_some(Word { text, quad, score: 1.0, char_scores: Vec::new() })
}

/// The lines of a page, and its texts by object. The flag says that something was left out.
pub fn lines<'a>(
    runs: impl Iterator<Item = &'a Run>,
    raster: &Raster,
    page: u32,
    objects: &mut ByObject,
) -> (Vec<Line>, bool) {
    let mut all: Vec<Word> = Vec::new();
    let mut truncated = false;
    for run in runs {
        let words = words(run, raster);
        if all.len() + words.len() > MAX_WORDS_PER_PAGE {
            truncated = true;
            break;
        }
        remember(run, &words, page, objects);
        all.extend(words);
    }
    all.sort_by(|a, b| a.quad.centre()[1].total_cmp(&b.quad.centre()[1]));
    let mut rows: Vec<Vec<Word>> = Vec::new();
    for word in all {
        match rows.last_mut() {
            Some(row) if row.last().is_some_and(|last| is_beside(last, &word)) => row.push(word),
            _ => rows.push(vec![word]),
        }
    }
    truncated |= rows.len() > MAX_LINES_PER_PAGE;
    let lines = rows.into_iter().take(MAX_LINES_PER_PAGE).filter_map(|mut row| {
        row.sort_by(|a, b| a.quad.left().total_cmp(&b.quad.left()));
        Line::from_words(row)
    });
    (lines.collect(), truncated)
}

/// On one line: middles closer than half the smaller height.
fn is_beside(a: &Word, b: &Word) -> bool {
    let height = |w: &Word| w.quad.bottom() - w.quad.top();
    (a.quad.centre()[1] - b.quad.centre()[1]).abs() < 0.5 * height(a).min(height(b))
}

fn remember(run: &Run, words: &[Word], page: u32, objects: &mut ByObject) {
    let Some(quad) = words.iter().map(|word| word.quad).reduce(|a, b| a.union(&b)) else { return };
    let text = clean(&run.glyphs.iter().map(|glyph| glyph.letter).collect::<String>()).trim().to_owned();
    if run.object.is_empty() || text.is_empty() {
        return;
    }
    match objects.get_mut(&run.object) {
        Some(known) if known.page == page => {
            known.text.push_str(&text);
            known.quad = known.quad.union(&quad);
        }
        Some(_) => {}
        None => drop(objects.insert(run.object.clone(), Printed { page, text, quad })),
    }
}
