//! Recognised text with boxes, as every reader produces it and every extractor consumes it.

use serde::{Deserialize, Serialize};

/// What begins the lines that stand below a mail's text on its page: what it is about, by whom and when it was sent.
pub mod mail_line {
    /// Before the subject, without marks of forwarding.
    pub const SUBJECT: &str = "Subject:";
    /// Before the sender's name and address.
    pub const FROM: &str = "From:";
    /// Before the day it was sent, where its text says none.
    pub const SENT: &str = "Sent:";
}

/// A point in full-resolution pixels of the page after EXIF orientation: `[x, y]`, origin top left.
pub type Point = [f32; 2];

/// Four corners, clockwise from the text's own top left. Not necessarily axis-aligned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// An axis-aligned box from its left, top, right and bottom edges in pixels.
    pub const fn from_edges(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self([[left, top], [right, top], [right, bottom], [left, bottom]])
    }

    /// The smallest x of the corners.
    pub fn left(&self) -> f32 {
        self.0.iter().map(|p| p[0]).fold(f32::INFINITY, f32::min)
    }

    /// The smallest y of the corners.
    pub fn top(&self) -> f32 {
        self.0.iter().map(|p| p[1]).fold(f32::INFINITY, f32::min)
    }

    /// The largest x of the corners.
    pub fn right(&self) -> f32 {
        self.0.iter().map(|p| p[0]).fold(f32::NEG_INFINITY, f32::max)
    }

    /// The largest y of the corners.
    pub fn bottom(&self) -> f32 {
        self.0.iter().map(|p| p[1]).fold(f32::NEG_INFINITY, f32::max)
    }

    /// Length of the top edge: the text's width however it is turned.
    pub fn text_width(&self) -> f32 {
        distance(self.0[0], self.0[1])
    }

    /// Length of the left edge: the text's height however it is turned.
    pub fn text_height(&self) -> f32 {
        distance(self.0[0], self.0[3])
    }

    /// The middle of the four corners.
    pub fn centre(&self) -> Point {
        let sum = self.0.iter().fold([0.0, 0.0], |s, p| [s[0] + p[0], s[1] + p[1]]);
        [sum[0] / 4.0, sum[1] / 4.0]
    }

    /// Whether the point is inside, for a convex quadrilateral: on the same side of all four edges. Edges are inside.
    pub fn contains(&self, point: Point) -> bool {
        let sides = (0..4).map(|i| {
            let (a, b) = (self.0[i], self.0[(i + 1) % 4]);
            (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])
        });
        let (mut some_left, mut some_right) = (false, false);
        for side in sides {
            some_left |= side > 0.0;
            some_right |= side < 0.0;
        }
        !(some_left && some_right)
    }

    /// The axis-aligned box around both; use it for a value that spans several words.
    pub fn union(&self, other: &Self) -> Self {
        Self::from_edges(
            self.left().min(other.left()),
            self.top().min(other.top()),
            self.right().max(other.right()),
            self.bottom().max(other.bottom()),
        )
    }

    /// Whether every coordinate is a finite number: what hostile output must prove before use.
    pub fn is_finite(&self) -> bool {
        self.0.iter().flatten().all(|v| v.is_finite())
    }
}

fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// A word as recognised. In scripts without spaces a word is whatever the engine returned as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// The text, never empty, without line breaks.
    pub text: String,
    /// Where it stands.
    #[serde(rename = "box")]
    pub quad: Quad,
    /// The recogniser's score for the whole word, 0 to 1. Not calibrated.
    pub score: f32,
    /// Score of each `char` of `text`, 0 to 1; empty when the engine gives none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub char_scores: Vec<f32>,
}

/// How wide a character is printed, in widths of a Latin one.
pub fn glyph_width(character: char) -> f32 {
    // From the Hangul and CJK blocks on, glyphs are square.
    if character >= '\u{1100}' { 2.0 } else { 1.0 }
}

/// A line of words, left to right in reading order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The words; never empty.
    pub words: Vec<Word>,
    /// The box around all words.
    #[serde(rename = "box")]
    pub quad: Quad,
}

impl Line {
    /// A line around `words`; `None` when there are none.
    pub fn from_words(words: Vec<Word>) -> Option<Self> {
        let quad = words.iter().map(|w| w.quad).reduce(|a, b| a.union(&b))?;
        Some(Self { words, quad })
    }

    /// The words joined by single spaces.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for word in &self.words {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&word.text);
        }
        text
    }
}

/// Where a page's words came from; decides how far they are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextSource {
    /// Recognised from pixels.
    Recognition,
    /// A PDF's or OFD's own text.
    TextLayer,
    /// Structured data (XML, JSON-LD) rendered as lines.
    Structured,
}

/// One page of one part of a capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// 0-based within its document.
    pub index: u32,
    /// Width in pixels of the full-resolution page after EXIF orientation.
    pub width: u32,
    /// Height in pixels of the full-resolution page after EXIF orientation.
    pub height: u32,
    /// Lines, top to bottom in reading order.
    pub lines: Vec<Line>,
    /// Where the text came from.
    pub source: TextSource,
}

impl Page {
    /// All lines joined by line breaks; for tests and search, not for extraction.
    pub fn text(&self) -> String {
        self.lines.iter().map(Line::text).collect::<Vec<_>>().join("\n")
    }
}

/// A machine-readable code found on a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// Symbology, e.g. `qr_code`.
    pub symbology: String,
    /// The decoded text.
    pub text: String,
    /// 0-based page it stands on.
    pub page: u32,
    /// Where it stands.
    #[serde(rename = "box")]
    pub quad: Quad,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_inside_a_turned_region_or_not() {
        let diamond = Quad([[50.0, 0.0], [100.0, 50.0], [50.0, 100.0], [0.0, 50.0]]);
        assert!(diamond.contains([50.0, 50.0]));
        assert!(diamond.contains([30.0, 40.0]));
        assert!(!diamond.contains([5.0, 5.0]));
        assert!(!diamond.contains([95.0, 95.0]));
    }

    #[test]
    fn a_turned_box_still_knows_its_text_width_and_height() {
        // A 100 x 20 line of text turned by 90 degrees clockwise.
        let quad = Quad([[20.0, 0.0], [20.0, 100.0], [0.0, 100.0], [0.0, 0.0]]);
        assert!((quad.text_width() - 100.0).abs() < 1e-3);
        assert!((quad.text_height() - 20.0).abs() < 1e-3);
        assert!((quad.right() - 20.0).abs() < 1e-3);
    }
}
