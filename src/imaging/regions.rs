//! Several receipts on one picture, told apart by where their text stands.
//!
//! One receipt must never be split: a cut needs an empty gutter right across, and what lies on both sides must look
//! like a receipt by itself, with a date or time and an amount. Columns of one receipt fail that: its header or a rule
//! of text bridges the gutter, or a column has amounts but no date.

use crate::domain::page::{Line, Quad};
use crate::imaging::turn::Turn;

/// Narrowest gutter between receipts side by side, in usual text heights.
const LEAST_GUTTER: f32 = 0.8;
/// Narrowest gutter where receipts lie on their side: there it is one's own blank lines that look like a gutter.
const LEAST_SIDEWAYS_GUTTER: f32 = 4.0;
/// Lowest gap between rows of receipts, in usual text heights: more than a blank line.
const LEAST_LEVEL_GUTTER: f32 = 2.5;
/// Fewest lines of a receipt.
const LEAST_LINES: usize = 6;
/// Least width and height of a receipt's text, in usual text heights.
const LEAST_EXTENT: f32 = 7.0;
/// Boxes are drawn wider than their text; this much of the height is taken off each end before gutters are looked for.
const SLACK: f32 = 0.25;
/// Cuts within cuts; rows of columns of rows need three.
const MOST_DEPTH: u32 = 4;
/// Most receipts told apart on one picture.
pub const MOST_REGIONS: usize = 32;

/// A receipt on a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The box around it, clockwise from its text's own top left.
    pub quad: Quad,
    /// Indices of its lines, in the order they were given.
    pub lines: Vec<usize>,
}

/// An axis-aligned box: left, top, right, bottom.
type Edges = [f32; 4];

/// The receipts of a picture of this size. One region over the whole picture when there is nothing to tell apart.
pub fn regions(lines: &[Line], size: (u32, u32)) -> Vec<Region> {
    let whole = || {
        vec![Region {
            quad: around(lines, &(0..lines.len()).collect::<Vec<_>>(), size, None),
            lines: (0..lines.len()).collect(),
        }]
    };
    let mut heights: Vec<f32> = lines.iter().map(|line| line.quad.text_height()).collect();
    heights.sort_by(f32::total_cmp);
    let Some(usual) = heights.get(heights.len() / 2).copied().filter(|usual| *usual > 0.0) else { return whole() };
    let turn = Turn::of_most(lines.iter().map(|line| &line.quad));
    let quads = lines.iter().map(|line| turn.upright(&line.quad, size)).collect();
    let page = Text { lines, quads, usual };
    let parts = page.split((0..lines.len()).collect(), MOST_DEPTH);
    if parts.len() < 2 || parts.len() > MOST_REGIONS {
        return whole();
    }
    let parts: Vec<Vec<usize>> = parts
        .into_iter()
        .map(|mut part| {
            part.sort_unstable();
            part
        })
        .collect();
    parts
        .into_iter()
        .map(|lines_of| Region { quad: around(lines, &lines_of, size, Some(usual)), lines: lines_of })
        .collect()
}

/// The box around some lines with a margin of one text height, or the whole picture; its corners start where the text
/// does.
fn around(lines: &[Line], members: &[usize], size: (u32, u32), margin: Option<f32>) -> Quad {
    let quads = || members.iter().map(|index| &lines[*index].quad);
    let turn = Turn::of_most(quads());
    let (width, height) = (size.0 as f32, size.1 as f32);
    let [left, top, right, bottom] = match margin {
        Some(margin) => {
            let [left, top, right, bottom] = quads().map(edges).fold(EMPTY, join);
            [
                (left - margin).max(0.0),
                (top - margin).max(0.0),
                (right + margin).min(width),
                (bottom + margin).min(height),
            ]
        }
        None => [0.0, 0.0, width, height],
    };
    let upright = turn.upright(&Quad::from_edges(left, top, right, bottom), size);
    turn.on_page(&Quad::from_edges(upright.left(), upright.top(), upright.right(), upright.bottom()), size)
}

const EMPTY: Edges = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];

fn edges(quad: &Quad) -> Edges {
    [quad.left(), quad.top(), quad.right(), quad.bottom()]
}

fn join(a: Edges, b: Edges) -> Edges {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

/// Directions of gutters.
#[derive(Clone, Copy)]
enum Gutter {
    Upright,
    Level,
}

/// Lines apart by gutters.
struct Parts {
    parts: Vec<Vec<usize>>,
    /// Width of the widest gutter; 0 when there is none.
    widest: f32,
}

struct Text<'a> {
    lines: &'a [Line],
    /// The lines' boxes with most of the text upright.
    quads: Vec<Quad>,
    usual: f32,
}

impl Text<'_> {
    /// Splits lines into receipts; one part when they are one receipt or cannot be told apart.
    fn split(&self, members: Vec<usize>, depth: u32) -> Vec<Vec<usize>> {
        if depth == 0 || members.len() < 2 * LEAST_LINES {
            return vec![members];
        }
        let columns = self.parts(&members, Gutter::Upright);
        let rows = self.parts(&members, Gutter::Level);
        // The wider gutter first: in a grid of receipts both go right across.
        let level_first = rows.widest > columns.widest;
        for level in [level_first, !level_first] {
            let parts = if level { self.rows(&rows.parts, depth) } else { self.columns(&columns.parts, depth) };
            if parts.len() > 1 {
                return parts;
            }
        }
        vec![members]
    }

    /// Receipts beside each other: each column must be one.
    fn columns(&self, parts: &[Vec<usize>], depth: u32) -> Vec<Vec<usize>> {
        let columns = self.receipts_of(parts);
        if columns.len() < 2 {
            return columns;
        }
        columns.into_iter().flat_map(|column| self.split(column, depth - 1)).collect()
    }

    /// Receipts below each other. A level gap alone divides one receipt's header from its items, so it only counts
    /// where one side of it turns out to hold several receipts and the other at least one.
    fn rows(&self, parts: &[Vec<usize>], depth: u32) -> Vec<Vec<usize>> {
        for cut in 1..parts.len().min(MOST_REGIONS) {
            let (upper, lower) = (parts[..cut].concat(), parts[cut..].concat());
            if !self.is_receipt(&upper) || !self.is_receipt(&lower) {
                continue;
            }
            let (upper, lower) = (self.split(upper, depth - 1), self.split(lower, depth - 1));
            if upper.len() > 1 || lower.len() > 1 {
                return [upper, lower].concat();
            }
        }
        Vec::new()
    }

    /// Lines apart by empty gutters, in order along the axis.
    fn parts(&self, members: &[usize], gutter: Gutter) -> Parts {
        let (axis, least) = match gutter {
            Gutter::Upright => (0, LEAST_GUTTER * self.usual),
            Gutter::Level => (1, LEAST_LEVEL_GUTTER * self.usual),
        };
        let slack = SLACK * self.usual;
        let mut spans: Vec<(f32, f32, usize)> = members
            .iter()
            .map(|index| {
                let edges = edges(&self.quads[*index]);
                (edges[axis] + slack, edges[axis + 2] - slack, *index)
            })
            .collect();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut parts: Vec<(f32, Vec<usize>)> = Vec::new();
        let mut reached = f32::NEG_INFINITY;
        for (from, to, index) in spans {
            match parts.last_mut() {
                Some((_, part)) if from - reached < least => part.push(index),
                Some(_) | None => parts.push((from - reached, vec![index])),
            }
            reached = reached.max(to);
        }
        let mut found = Parts { parts: Vec::new(), widest: 0.0 };
        for (gap, part) in parts {
            match found.parts.last_mut() {
                Some(last)
                    if gap < LEAST_SIDEWAYS_GUTTER * self.usual
                        && self.is_sideways(last)
                        && self.is_sideways(&part) =>
                {
                    last.extend(part);
                }
                Some(_) => {
                    found.widest = found.widest.max(gap);
                    found.parts.push(part);
                }
                None => found.parts.push(part),
            }
        }
        found
    }

    fn is_sideways(&self, members: &[usize]) -> bool {
        let turn = Turn::of_most(members.iter().map(|index| &self.quads[*index]));
        matches!(turn, Turn::Quarter | Turn::ThreeQuarters)
    }

    /// Joins neighbouring parts until each is a receipt; one part when that leaves no two.
    fn receipts_of(&self, parts: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut receipts: Vec<Vec<usize>> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for part in parts {
            open.extend_from_slice(part);
            if self.is_receipt(&open) {
                receipts.push(std::mem::take(&mut open));
            }
        }
        match receipts.last_mut() {
            Some(last) => last.extend(open),
            None => receipts.push(open),
        }
        receipts
    }

    fn is_receipt(&self, members: &[usize]) -> bool {
        let bounds = members.iter().map(|index| edges(&self.quads[*index])).fold(EMPTY, join);
        let least = LEAST_EXTENT * self.usual;
        // Dot matrix print has spaces inside numbers, so a line counts without its spaces too.
        let any = |has: fn(&str) -> bool| {
            members
                .iter()
                .map(|index| &self.lines[*index])
                .any(|line| line.words.iter().any(|word| has(&word.text)) || has(&line.text().replace(' ', "")))
        };
        members.len() >= LEAST_LINES
            && bounds[2] - bounds[0] >= least
            && bounds[3] - bounds[1] >= least
            && any(has_amount)
            && any(has_date_or_time)
    }
}

/// Whether a word holds a number with two decimals.
fn has_amount(word: &str) -> bool {
    let characters: Vec<char> = word.chars().collect();
    characters.windows(4).enumerate().any(|(at, window)| {
        let [whole, point, a, b] = window else { return false };
        let once = characters.iter().filter(|c| *c == point).count() == 1;
        let ends = characters.get(at + 4).is_none_or(|next| !next.is_ascii_digit() && *next != '.' && *next != ',');
        whole.is_ascii_digit() && matches!(point, '.' | ',') && a.is_ascii_digit() && b.is_ascii_digit() && once && ends
    })
}

/// Whether a word holds two numbers of at most four digits joined as in dates and times.
fn has_date_or_time(word: &str) -> bool {
    let characters: Vec<char> = word.chars().collect();
    characters.windows(4).any(|window| {
        let [a, b, joint, c] = window else { return false };
        a.is_ascii_digit() && b.is_ascii_digit() && matches!(joint, ':' | '/' | '-' | '年' | '月') && c.is_ascii_digit()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::Word;

    const SIZE: (u32, u32) = (2000, 1000);

    fn line(text: &str, left: f32, top: f32) -> Line {
        let words: Vec<&str> = text.split(' ').collect();
        let mut at = left;
        let words = words
            .iter()
            .map(|word| {
                let right = at + 10.0 * word.chars().count() as f32;
                let quad = Quad::from_edges(at, top, right, top + 20.0);
                at = right + 10.0;
                Word { text: (*word).to_owned(), quad, score: 1.0, char_scores: vec![] }
            })
            .collect();
        Line::from_words(words).unwrap()
    }

    /// A receipt 240 wide and 300 high with a bridging header and a column of amounts.
    fn receipt(left: f32, top: f32) -> Vec<Line> {
        let mut lines = vec![line("THE CORNER SHOP LIMITED", left, top), line("01/02/2024 12:34", left, top + 30.0)];
        for row in 0..6 {
            lines.push(line("item name", left, top + 60.0 + 30.0 * row as f32));
            lines.push(line("12.50", left + 190.0, top + 60.0 + 30.0 * row as f32));
        }
        lines.push(line("TOTAL", left, top + 260.0));
        lines.push(line("75.00", left + 190.0, top + 260.0));
        lines
    }

    fn counts(lines: &[Line]) -> Vec<usize> {
        regions(lines, SIZE).iter().map(|region| region.lines.len()).collect()
    }

    #[test]
    fn one_receipt_is_never_split() {
        let one = receipt(100.0, 100.0);
        assert_eq!(counts(&one), [one.len()]);
        let found = regions(&one, SIZE);
        assert_eq!(found[0].quad, Quad::from_edges(0.0, 0.0, 2000.0, 1000.0));
        // Without its header nothing bridges the columns; the amounts still have no date.
        assert_eq!(counts(&one[2..]), [one.len() - 2]);
        assert_eq!(counts(&[]), [0]);
    }

    #[test]
    fn two_columns_of_dated_amounts_under_one_header_stay_together() {
        let mut lines = vec![line("STATEMENT OF ACCOUNT FOR THE MONTH OF JANUARY AND ALL OF FEBRUARY", 100.0, 20.0)];
        for row in 0..12 {
            for left in [100.0, 600.0] {
                lines.push(line("03/01/2024 coffee 4.50", left, 120.0 + 30.0 * row as f32));
            }
        }
        assert_eq!(counts(&lines), [lines.len()]);
    }

    #[test]
    fn receipts_side_by_side_and_in_rows_are_told_apart() {
        let places = [(50.0, 50.0), (400.0, 60.0), (800.0, 40.0), (60.0, 500.0), (560.0, 520.0)];
        let lines: Vec<Line> = places.iter().flat_map(|(left, top)| receipt(*left, *top)).collect();
        let found = regions(&lines, SIZE);
        assert_eq!(found.len(), 5);
        for (region, (left, top)) in found.iter().zip(places) {
            assert_eq!(region.lines.len(), 16);
            assert!((region.quad.left() - (left - 20.0)).abs() < 1.0 && (region.quad.top() - (top - 20.0)).abs() < 1.0);
        }
        let mut all: Vec<usize> = found.into_iter().flat_map(|region| region.lines).collect();
        all.sort_unstable();
        assert_eq!(all, (0..lines.len()).collect::<Vec<_>>());
    }

    #[test]
    fn receipts_on_a_turned_page_are_told_apart_the_same_way() {
        let lines: Vec<Line> = [50.0, 400.0, 800.0].iter().flat_map(|left| receipt(*left, 60.0)).collect();
        for turn in Turn::ALL {
            let size = turn.upright_size(SIZE);
            let mut turned = lines.clone();
            for line in &mut turned {
                line.quad = turn.on_page(&line.quad, size);
            }
            let found = regions(&turned, size);
            assert_eq!(found.iter().map(|region| region.lines.len()).collect::<Vec<_>>(), [16; 3], "{turn:?}");
            assert!(found.iter().all(|region| Turn::of(&region.quad) == turn), "{found:?}");
        }
    }

    #[test]
    fn a_receipt_on_its_side_is_not_cut_at_its_blank_lines() {
        // Dated amounts above and below a gap of two lines, the whole beside two upright receipts.
        let mut lines: Vec<Line> = [400.0, 800.0].iter().flat_map(|left| receipt(*left, 60.0)).collect();
        let slip = receipt(0.0, 0.0).into_iter().chain(receipt(0.0, 340.0));
        for mut line in slip {
            line.quad = Quad(Turn::Quarter.on_page(&line.quad, (700, 300)).0.map(|[x, y]| [x + 1100.0, y + 100.0]));
            lines.push(line);
        }
        assert_eq!(counts(&lines), [16, 16, 32]);
    }

    #[test]
    fn a_note_beside_a_receipt_belongs_to_it() {
        let mut lines = receipt(100.0, 100.0);
        lines.push(line("lunch with Anna", 900.0, 200.0));
        assert_eq!(counts(&lines), [lines.len()]);
    }

    #[test]
    fn amounts_and_dates_are_known_by_their_shape() {
        for (word, amount, date) in [
            ("12.50", true, false),
            ("RM1,234.50", true, false),
            ("16,50€", true, false),
            ("1.234", false, false),
            ("192.168.10.10", false, false),
            ("12:34", false, true),
            ("2024-01-02", false, true),
            ("2023年12月09日", false, true),
            ("12328", false, false),
        ] {
            assert_eq!((has_amount(word), has_date_or_time(word)), (amount, date), "{word}");
        }
    }
}
