//! Whether a page's text layer says what the page shows.
//!
//! A text layer may be absent (a scan), wrong (a font without a map to characters), hidden (white on white, under a
//! picture, outside the page) or not the whole story (an invoice pasted in as a picture). The drawn page is the witness:
//! visible words leave ink, and ink that looks like text must lie in words.

use std::borrow::Cow;

use crate::{
    domain::page::{Line, Quad},
    imaging::rgba::Pixels,
};

use super::{
    Sheet,
    text::{Drawn, Glyph, Seen},
    words,
};

/// Difference of brightness within a word's box below which nobody can read it; light grey print has 60.
const LEAST_CONTRAST: u8 = 28;
/// Share of letters without a known character above which the layer is not believed.
const MOST_UNKNOWN: f32 = 0.08;
/// Letters below which their mixture says nothing.
const LEAST_LETTERS: usize = 80;
/// Share of vowels among Latin letters below which they are no language: Polish and Czech have over 0.35.
const LEAST_VOWELS: f32 = 0.14;
/// Side in pixels of the cells the drawn page is looked at in.
const CELL: usize = 8;
/// Steps of brightness between neighbours that count as the edge of a stroke.
const EDGE: u8 = 56;
/// Edges across and down a cell needs to look like text; a ruled line has only one kind.
const LEAST_EDGES: usize = 5;
/// Cells of text-like ink outside all words that make a page more than its text layer.
const LEAST_UNTOLD_CELLS: usize = 260;
/// The same as a share of the cells inside words.
const LEAST_UNTOLD_SHARE: f32 = 0.45;

/// What is wrong with a text layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No text, but something is drawn.
    Empty,
    /// Its characters are not known or make no language.
    Unreadable,
    /// It is a recognition program's, put invisibly over or under a scan.
    Overlaid,
    /// Words in it cannot be seen on the page.
    Hiding,
    /// The page shows more text than it says.
    Partial,
}

/// A text layer judged.
#[derive(Debug)]
pub struct Judged {
    /// Lines of the words that can be seen.
    pub lines: Vec<Line>,
    /// Lines of all words, seen or not; what recognition is compared with.
    pub all: Vec<Line>,
    /// What is wrong, if anything.
    pub fault: Option<Fault>,
}

/// Judges the layer by what was drawn; `codes` are boxes on the page in which ink is no text.
pub fn judge(drawn: &Drawn, sheet: Sheet, picture: &Pixels, codes: &[Quad]) -> Judged {
    let size = (sheet.width, sheet.height);
    let grey = Grey::new(picture, sheet);
    let is_inked = |quad: &Quad| grey.contrast(quad) >= LEAST_CONTRAST;
    let mut lines = words::lines(&drawn.glyphs, size, |seen| seen == Seen::Yes);
    let all = if drawn.glyphs.iter().all(|glyph| glyph.seen == Seen::Yes) {
        lines.clone()
    } else {
        words::lines(&drawn.glyphs, size, |_| true)
    };
    let painted: usize = lines.iter().map(|line| line.words.len()).sum();
    for line in &mut lines {
        line.words.retain(|word| is_inked(&word.quad));
    }
    lines.retain_mut(|line| match Line::from_words(std::mem::take(&mut line.words)) {
        Some(kept) => {
            *line = kept;
            true
        }
        None => false,
    });
    let visible: usize = lines.iter().map(|line| line.words.len()).sum();
    let invisible = drawn.glyphs.iter().filter(|g| g.seen == Seen::Invisible && is_letter(g)).count();
    let buried = drawn.glyphs.iter().filter(|g| g.seen == Seen::Hidden && is_letter(g)).count();
    let letters = drawn.glyphs.iter().filter(|g| is_letter(g)).count();
    let fault = if is_unreadable(&drawn.glyphs) {
        Some(Fault::Unreadable)
    } else if letters > 0 && (invisible + buried) * 2 > letters && !drawn.pictures.is_empty() {
        Some(Fault::Overlaid)
    } else if painted > visible || buried + invisible > 0 {
        Some(Fault::Hiding)
    } else {
        let (told, untold) = grey.cells(&lines, codes);
        if visible == 0 {
            (untold > LEAST_EDGES).then_some(Fault::Empty)
        } else {
            let most = (told as f32 * LEAST_UNTOLD_SHARE).max(LEAST_UNTOLD_CELLS as f32);
            (untold as f32 > most).then_some(Fault::Partial)
        }
    };
    Judged { lines, all, fault }
}

fn is_letter(glyph: &Glyph) -> bool {
    glyph.text.as_deref().is_none_or(|text| !text.trim().is_empty())
}

/// Whether the characters are unknown, or Latin letters in a mixture no language has.
fn is_unreadable(glyphs: &[Glyph]) -> bool {
    let (mut known, mut unknown, mut latin, mut vowels) = (0usize, 0usize, 0usize, 0usize);
    for glyph in glyphs {
        match glyph.text.as_deref() {
            None => unknown += 1,
            Some(text) => {
                known += usize::from(!text.trim().is_empty());
                for character in text.chars().filter(|c| c.is_alphabetic() && *c < '\u{250}') {
                    latin += 1;
                    vowels += usize::from(is_vowel(character));
                }
            }
        }
    }
    let total = known + unknown;
    // A tick box or bullet of a symbol font is no reason to doubt.
    let much_unknown = unknown > 3 && unknown as f32 > total as f32 * MOST_UNKNOWN;
    let no_language = latin >= LEAST_LETTERS && (vowels as f32) < latin as f32 * LEAST_VOWELS;
    much_unknown || no_language
}

fn is_vowel(character: char) -> bool {
    let base = character.to_lowercase().next().unwrap_or(character);
    matches!(base, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'à'..='æ' | 'è'..='ï' | 'ò'..='ö' | 'ø'..='ý' | 'ą' | 'ę' | 'ě' | 'ů' | 'ő' | 'ű' | 'ı' | 'œ' | 'ā' | 'ē' | 'ī' | 'ō' | 'ū')
}

/// Share of the longer words of `recognised` that the layer has too, 0 to 1; 1 when nothing longer was recognised.
pub fn agreement(layer: &[Line], recognised: &[Line]) -> f32 {
    let folded = |lines: &[Line]| -> Vec<String> {
        lines
            .iter()
            .map(|line| {
                line.words
                    .iter()
                    .flat_map(|w| w.text.chars())
                    .filter(|c| c.is_alphanumeric())
                    .flat_map(char::to_lowercase)
                    .collect()
            })
            .collect()
    };
    let layer = folded(layer).join("|");
    let words: Vec<String> = recognised
        .iter()
        .flat_map(|line| &line.words)
        .map(|w| w.text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>())
        .filter(|w| w.chars().count() >= 3)
        .collect();
    if words.is_empty() {
        return 1.0;
    }
    let agreed = words.iter().filter(|word| layer.contains(word.as_str())).count();
    agreed as f32 / words.len() as f32
}

/// The layer's lines and those recognised lines that stand where it says nothing.
pub fn completed(layer: Vec<Line>, recognised: Vec<Line>) -> Vec<Line> {
    let is_told = |line: &Line| {
        let [x, y] = line.quad.centre();
        layer.iter().any(|own| {
            let within = x >= own.quad.left() && x <= own.quad.right() && y >= own.quad.top() && y <= own.quad.bottom();
            within || line.words.iter().any(|word| own.words.iter().any(|mine| overlap(&mine.quad, &word.quad)))
        })
    };
    let extra: Vec<Line> = recognised.into_iter().filter(|line| !is_told(line)).collect();
    let mut lines = layer;
    lines.extend(extra);
    lines.sort_by(|a, b| a.quad.top().total_cmp(&b.quad.top()));
    lines
}

/// Whether two boxes share more than a third of the smaller one.
fn overlap(a: &Quad, b: &Quad) -> bool {
    let width = a.right().min(b.right()) - a.left().max(b.left());
    let height = a.bottom().min(b.bottom()) - a.top().max(b.top());
    let area = |quad: &Quad| (quad.right() - quad.left()) * (quad.bottom() - quad.top());
    width > 0.0 && height > 0.0 && width * height * 3.0 > area(a).min(area(b))
}

/// The drawn page in brightness.
struct Grey<'a> {
    pixels: Cow<'a, [u8]>,
    width: usize,
    height: usize,
    /// Drawn pixels per page pixel.
    scale: f32,
}

impl<'a> Grey<'a> {
    fn new(picture: &'a Pixels, sheet: Sheet) -> Self {
        let (width, height) = picture.dimensions();
        let scale = width as f32 / sheet.width.max(1) as f32;
        Self { pixels: picture.darkest(), width: width as usize, height: height as usize, scale }
    }

    fn range(&self, from: f32, to: f32, most: usize) -> std::ops::Range<usize> {
        let at = |value: f32| (value * self.scale).max(0.0);
        let (from, to) = (at(from).floor() as usize, at(to).ceil() as usize);
        from.min(most)..to.clamp(from.min(most), most)
    }

    /// Difference between the brightest and the darkest pixel of a box; 255 for a box of nothing, which nobody misses.
    fn contrast(&self, quad: &Quad) -> u8 {
        let (mut least, mut most) = (255, 0);
        let columns = self.range(quad.left(), quad.right(), self.width);
        for y in self.range(quad.top(), quad.bottom(), self.height) {
            for value in &self.pixels[y * self.width..][columns.clone()] {
                least = least.min(*value);
                most = most.max(*value);
            }
        }
        most.checked_sub(least).unwrap_or(u8::MAX)
    }

    /// Cells that look like text: inside words, and outside words and codes.
    fn cells(&self, lines: &[Line], codes: &[Quad]) -> (usize, usize) {
        let (columns, rows) = (self.width / CELL, self.height / CELL);
        let mut told = vec![false; columns * rows];
        let mut mark = |quad: &Quad| {
            let across = self.range(quad.left(), quad.right(), self.width);
            for row in self.range(quad.top(), quad.bottom(), self.height).step_by(1).map(|y| y / CELL) {
                for column in across.start / CELL..across.end.div_ceil(CELL).min(columns) {
                    if let Some(cell) = told.get_mut(row * columns + column).filter(|_| row < rows) {
                        *cell = true;
                    }
                }
            }
        };
        lines.iter().flat_map(|line| &line.words).for_each(|word| mark(&word.quad));
        codes.iter().for_each(&mut mark);
        let (mut inside, mut outside) = (0, 0);
        for row in 0..rows {
            for column in 0..columns {
                if self.looks_like_text(column * CELL, row * CELL) {
                    if told[row * columns + column] { inside += 1 } else { outside += 1 }
                }
            }
        }
        (inside, outside)
    }

    /// Whether a cell and the row below it are of one brightness, as most of a page is: no stroke ends there.
    fn is_plain(&self, left: usize, top: usize) -> bool {
        let first = self.pixels[top * self.width + left];
        let mut rows = top..(top + CELL + 1).min(self.height);
        rows.all(|y| self.pixels[y * self.width + left..][..CELL] == [first; CELL])
    }

    fn looks_like_text(&self, left: usize, top: usize) -> bool {
        if self.is_plain(left, top) {
            return false;
        }
        let (mut across, mut down) = (0, 0);
        for y in top..(top + CELL).min(self.height - 1) {
            let here = &self.pixels[y * self.width..][left..];
            let below = &self.pixels[(y + 1) * self.width..][left..];
            // The last column of all has no right neighbour.
            let here = &here[..here.len().min(CELL + 1)];
            for ((pixel, right), below) in here.iter().zip(&here[1..]).zip(below) {
                across += usize::from(pixel.abs_diff(*right) > EDGE);
                down += usize::from(pixel.abs_diff(*below) > EDGE);
            }
        }
        across >= LEAST_EDGES && down >= LEAST_EDGES
    }
}
