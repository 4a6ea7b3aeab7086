//! Where things stand: skew removed, words joined into segments, segments into rows.
//!
//! Engines disagree about lines: one returns `TOTAL      9.00` as a line of two words, another as two lines.
//! A segment is a run of words a person reads in one go; a row is what stands beside each other.

use std::ops::Range;

use crate::domain::{
    field::Evidence,
    page::{Page, Quad, Word, glyph_width},
};

/// Pages of one receipt that are looked at; a longer invoice repeats itself.
pub const MAX_PAGES: usize = 20;
/// Lines of one page that are looked at: an A4 page in small print has about 150, a metre of slip 400.
pub const MAX_LINES_PER_PAGE: usize = 1500;
/// Words of one line that are looked at.
pub const MAX_WORDS_PER_LINE: usize = 200;
/// Characters of one word that are looked at.
pub const MAX_CHARS_PER_WORD: usize = 300;
/// Coordinates beyond this are hostile; clamping keeps the arithmetic finite.
const MAX_COORDINATE: f32 = 1.0e6;
/// A gap wider than this many text heights separates two segments of a line.
const SEGMENT_GAP: f32 = 1.4;
/// Segments whose centres differ by less than this share of their mean height stand on one row.
const ROW_TOLERANCE: f32 = 0.52;

/// Edges after the page's skew is removed, in page pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl Bounds {
    /// Height, at least 1 pixel.
    pub fn height(&self) -> f32 {
        (self.bottom - self.top).max(1.0)
    }

    /// Vertical middle.
    pub fn middle(&self) -> f32 {
        f32::midpoint(self.top, self.bottom)
    }

    /// Horizontal middle.
    pub fn centre(&self) -> f32 {
        f32::midpoint(self.left, self.right)
    }

    fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Share of the narrower one's width that both cover, 0 to 1.
    pub fn overlap_x(&self, other: &Self) -> f32 {
        let shared = self.right.min(other.right) - self.left.max(other.left);
        let narrower = (self.right - self.left).min(other.right - other.left).max(1.0);
        (shared / narrower).clamp(0.0, 1.0)
    }
}

/// A run of words read in one go.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    /// 0-based position of the page in the material.
    pub page: usize,
    /// The words joined by single spaces.
    pub text: String,
    /// Byte range in `text` of each word.
    pub spans: Vec<(Range<usize>, &'a Word)>,
    /// De-skewed edges.
    pub bounds: Bounds,
    /// Slope left over after the page's skew is removed.
    slope: f32,
    /// The row it stands on.
    pub row: usize,
}

/// What stands beside each other, left to right.
#[derive(Debug, Clone)]
pub struct Row {
    /// Indices into [`Layout::segments`], left to right.
    pub segments: Vec<usize>,
    /// De-skewed edges around all of them.
    pub bounds: Bounds,
    /// Mean text height.
    pub height: f32,
    /// 0-based position of the page in the material.
    pub page: usize,
    /// The segments' texts joined by two spaces.
    pub text: String,
}

/// The whole material laid out.
#[derive(Debug, Clone, Default)]
pub struct Layout<'a> {
    /// All segments, row by row, left to right.
    pub segments: Vec<Segment<'a>>,
    /// All rows, page by page, top to bottom.
    pub rows: Vec<Row>,
    /// Median text height of all segments, in pixels; 1 when there are none.
    pub median_height: f32,
    /// Edges around all text of the first page.
    pub frame: Option<Bounds>,
}

impl Segment<'_> {
    /// The box around the words that `range` of the text touches, in original page pixels.
    ///
    /// A word that is touched only in part contributes that part, by the widths of its characters: engines may return a
    /// whole line as one word.
    pub fn quad_of(&self, range: &Range<usize>) -> Option<Quad> {
        self.spans
            .iter()
            .filter(|(span, _)| span.start < range.end && range.start < span.end)
            .map(|(span, word)| {
                let (mut before, mut inside, mut after) = (0.0, 0.0, 0.0);
                for (at, character) in self.text[span.clone()].char_indices() {
                    let at = span.start + at;
                    let part = if at < range.start {
                        &mut before
                    } else if at < range.end {
                        &mut inside
                    } else {
                        &mut after
                    };
                    *part += glyph_width(character);
                }
                let all = f32::max(before + inside + after, 1.0);
                slice(&word.quad, before / all, (before + inside) / all)
            })
            .reduce(|a, b| a.union(&b))
    }

    /// The box around the whole segment, in original page pixels.
    pub fn quad(&self) -> Option<Quad> {
        if let [(_, word)] = self.spans.as_slice() {
            return Some(word.quad);
        }
        self.quad_of(&(0..self.text.len()))
    }

    /// The lowest recogniser score among the characters of `range`, 0 to 1.
    pub fn score_of(&self, range: &Range<usize>) -> f32 {
        let mut lowest = 1.0_f32;
        for (span, word) in self.spans.iter().filter(|(s, _)| s.start < range.end && range.start < s.end) {
            if word.char_scores.is_empty() {
                lowest = lowest.min(word.score);
                continue;
            }
            for ((at, _), score) in word.text.char_indices().zip(&word.char_scores) {
                if (range.start..range.end).contains(&(span.start + at)) {
                    lowest = lowest.min(*score);
                }
            }
        }
        if lowest.is_finite() { lowest.clamp(0.0, 1.0) } else { 0.0 }
    }
}

fn slice(quad: &Quad, from: f32, to: f32) -> Quad {
    let between = |a: [f32; 2], b: [f32; 2], k: f32| [a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k];
    let [top_left, top_right, bottom_right, bottom_left] = quad.0;
    Quad([
        between(top_left, top_right, from),
        between(top_left, top_right, to),
        between(bottom_left, bottom_right, to),
        between(bottom_left, bottom_right, from),
    ])
}

impl<'a> Layout<'a> {
    /// Lays out the pages of one receipt.
    pub fn new(pages: &'a [Page]) -> Self {
        let mut layout = Self { median_height: 1.0, ..Self::default() };
        for (page_at, page) in pages.iter().take(MAX_PAGES).enumerate() {
            let segments = page_segments(page_at, page);
            layout.append_rows(segments);
            if page_at == 0 {
                layout.frame = layout.segments.iter().map(|s| s.bounds).reduce(Bounds::union);
            }
        }
        let mut heights: Vec<f32> = layout.segments.iter().map(|s| s.bounds.height()).collect();
        heights.sort_by(f32::total_cmp);
        if let Some(median) = heights.get(heights.len() / 2) {
            layout.median_height = *median;
        }
        layout
    }

    /// Sweeps left to right; each segment joins the row whose end it continues best.
    fn append_rows(&mut self, mut segments: Vec<Segment<'a>>) {
        segments.sort_by(|a, b| a.bounds.left.total_cmp(&b.bounds.left));
        let mut rows: Vec<Vec<usize>> = Vec::new();
        for at in 0..segments.len() {
            let new = &segments[at];
            let mut best: Option<(f32, usize)> = None;
            for (row_at, row) in rows.iter().enumerate() {
                let Some(last) = row.last().map(|i| &segments[*i]) else { continue };
                let height = f32::midpoint(last.bounds.height(), new.bounds.height());
                if new.bounds.left < last.bounds.right - height * 0.6 {
                    continue;
                }
                let slope = f32::midpoint(last.slope, new.slope);
                let expected = last.bounds.middle() + slope * (new.bounds.centre() - last.bounds.centre());
                let off = (new.bounds.middle() - expected).abs() / height;
                if off < ROW_TOLERANCE && best.is_none_or(|(least, _)| off < least) {
                    best = Some((off, row_at));
                }
            }
            match best {
                Some((_, row)) => rows[row].push(at),
                None => rows.push(vec![at]),
            }
        }
        let middle = |row: &[usize]| row.iter().map(|i| segments[*i].bounds.middle()).sum::<f32>() / row.len() as f32;
        rows.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
        let mut slots: Vec<Option<Segment<'a>>> = segments.into_iter().map(Some).collect();
        for row in rows {
            let row_at = self.rows.len();
            let first = self.segments.len();
            for at in row {
                if let Some(mut segment) = slots[at].take() {
                    segment.row = row_at;
                    self.segments.push(segment);
                }
            }
            let members = &self.segments[first..];
            let Some(bounds) = members.iter().map(|s| s.bounds).reduce(Bounds::union) else { continue };
            let height = members.iter().map(|s| s.bounds.height()).sum::<f32>() / members.len() as f32;
            let text = members.iter().map(|s| s.text.as_str()).collect::<Vec<_>>().join("  ");
            let page = members[0].page;
            self.rows.push(Row { segments: (first..self.segments.len()).collect(), bounds, height, page, text });
        }
    }

    /// The segment at `at`'s neighbours to the left on the same row, nearest first.
    pub fn left_of(&self, at: usize) -> impl Iterator<Item = &Segment<'a>> {
        let row = &self.rows[self.segments[at].row];
        row.segments.iter().rev().filter(move |i| **i < at).map(|i| &self.segments[*i])
    }

    /// The segment at `at`'s neighbours to the right on the same row, nearest first.
    pub fn right_of(&self, at: usize) -> impl Iterator<Item = &Segment<'a>> {
        let row = &self.rows[self.segments[at].row];
        row.segments.iter().filter(move |i| **i > at).map(|i| &self.segments[*i])
    }

    /// The nearest segment above (`down` false) or below within `reach` text heights that shares its column.
    pub fn vertical(&self, at: usize, down: bool, reach: f32) -> Option<&Segment<'a>> {
        let from = &self.segments[at];
        let limit = reach * from.bounds.height();
        // Three rows are the farthest a label stands from its value.
        for step in 1..=3_usize {
            let row_at = if down { from.row.checked_add(step) } else { from.row.checked_sub(step) }?;
            let row = self.rows.get(row_at).filter(|r| r.page == from.page)?;
            if (row.bounds.middle() - from.bounds.middle()).abs() > limit {
                return None;
            }
            let best = row
                .segments
                .iter()
                .map(|i| &self.segments[*i])
                .filter(|s| s.bounds.overlap_x(&from.bounds) > 0.3)
                .max_by(|a, b| a.bounds.overlap_x(&from.bounds).total_cmp(&b.bounds.overlap_x(&from.bounds)));
            if best.is_some() {
                return best;
            }
        }
        None
    }

    /// How far down the whole material a row stands, 0 (first) to 1 (last).
    pub fn depth(&self, row: usize) -> f32 {
        row as f32 / self.rows.len().saturating_sub(1).max(1) as f32
    }

    /// Evidence for `range` of the segment at `at`.
    pub fn evidence(&self, at: usize, range: &Range<usize>) -> Evidence {
        let segment = &self.segments[at];
        let text = segment.text.get(range.clone()).unwrap_or(&segment.text).to_owned();
        Evidence { page: segment.page as u32, quad: segment.quad_of(range), text }
    }

    /// Evidence for a whole row.
    pub fn row_evidence(&self, row: usize) -> Option<Evidence> {
        let row = self.rows.get(row)?;
        let quad = row.segments.iter().filter_map(|i| self.segments[*i].quad()).reduce(|a, b| a.union(&b));
        Some(Evidence { page: row.page as u32, quad, text: row.text.clone() })
    }
}

/// Skew of a page in radians: the weighted median of what its longer lines say.
fn page_skew(page: &Page) -> f32 {
    let mut angles: Vec<(f32, f32)> = Vec::new();
    for line in page.lines.iter().take(MAX_LINES_PER_PAGE) {
        let usable = |w: &&Word| w.quad.is_finite();
        let (first, last) = (line.words.iter().find(usable), line.words.iter().rev().find(usable));
        let (Some(first), Some(last)) = (first, last) else { continue };
        // Several words: from the middle of the first to the middle of the last, as axis-aligned boxes hide the slope.
        // One word: its own top edge.
        let (from, to) = if std::ptr::eq(first, last) {
            if first.quad.text_width() < 3.0 * first.quad.text_height() {
                continue;
            }
            (first.quad.0[0], first.quad.0[1])
        } else {
            (first.quad.centre(), last.quad.centre())
        };
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy);
        if length.is_finite() && length > 1.0 {
            angles.push((dy.atan2(dx), length));
        }
    }
    angles.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = angles.iter().map(|a| a.1).sum::<f32>() / 2.0;
    let mut sum = 0.0;
    for (angle, weight) in &angles {
        sum += weight;
        if sum >= half {
            return *angle;
        }
    }
    0.0
}

fn page_segments<'a>(page_at: usize, page: &'a Page) -> Vec<Segment<'a>> {
    let skew = page_skew(page);
    let (sin, cos) = (-skew).sin_cos();
    let turned = |quad: &Quad| {
        let points = quad.0.map(|[x, y]| {
            let (x, y) = (x.clamp(-MAX_COORDINATE, MAX_COORDINATE), y.clamp(-MAX_COORDINATE, MAX_COORDINATE));
            [x * cos - y * sin, x * sin + y * cos]
        });
        Quad(points)
    };
    let mut segments: Vec<Segment<'a>> = Vec::new();
    for line in page.lines.iter().take(MAX_LINES_PER_PAGE) {
        let mut open: Option<Segment<'a>> = None;
        for word in line.words.iter().take(MAX_WORDS_PER_LINE) {
            let text = word.text.trim();
            if text.is_empty() || !word.quad.is_finite() || text.len() > MAX_CHARS_PER_WORD * 4 {
                continue;
            }
            let quad = turned(&word.quad);
            let centre = quad.centre();
            let half = (quad.right() - quad.left()) / 2.0;
            let height = quad.text_height().min(quad.bottom() - quad.top()).max(1.0) / 2.0;
            let bounds = Bounds {
                left: centre[0] - half,
                top: centre[1] - height,
                right: centre[0] + half,
                bottom: centre[1] + height,
            };
            let slope = own_slope(&quad);
            match &mut open {
                Some(segment) if bounds.left - segment.bounds.right <= SEGMENT_GAP * bounds.height() => {
                    segment.text.push(' ');
                    let start = segment.text.len();
                    segment.text.push_str(text);
                    segment.spans.push((start..segment.text.len(), word));
                    segment.bounds = segment.bounds.union(bounds);
                }
                _ => {
                    segments.extend(open.take());
                    open = Some(Segment {
                        page: page_at,
                        text: text.to_owned(),
                        spans: vec![(0..text.len(), word)],
                        bounds,
                        slope,
                        row: 0,
                    });
                }
            }
        }
        segments.extend(open);
    }
    segments
}

/// What is left of a segment's slope; short ones do not know theirs.
fn own_slope(quad: &Quad) -> f32 {
    let [left, right] = [quad.0[0], quad.0[1]];
    let dx = right[0] - left[0];
    if dx < 4.0 * quad.text_height() {
        return 0.0;
    }
    // 0.12 is 7 degrees: more than paper curls between two words.
    ((right[1] - left[1]) / dx).clamp(-0.12, 0.12)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::{Line, TextSource};

    #[test]
    fn part_of_a_word_stands_where_its_characters_are_wide() {
        // Four square characters and eight narrow ones of half their width: 160 pixels, ten for each narrow one.
        let quad = Quad::from_edges(100.0, 50.0, 260.0, 70.0);
        let word = Word { text: "发票号码31415926".into(), quad, score: 0.9, char_scores: Vec::new() };
        let line = Line { words: vec![word], quad };
        let page = Page { index: 0, width: 400, height: 300, lines: vec![line], source: TextSource::Recognition };
        let layout = Layout::new(std::slice::from_ref(&page));
        let text = &layout.segments[0].text;
        let digits = text.find('3').unwrap()..text.len();
        let found = layout.segments[0].quad_of(&digits).unwrap();
        assert!((found.left() - 180.0).abs() < 0.01 && (found.right() - 260.0).abs() < 0.01, "{found:?}");
        let label = layout.segments[0].quad_of(&(0..digits.start)).unwrap();
        assert!((label.left() - 100.0).abs() < 0.01 && (label.right() - 180.0).abs() < 0.01, "{label:?}");
    }
}
