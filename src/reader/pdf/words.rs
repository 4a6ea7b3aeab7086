//! Glyphs to words to lines, whatever order and direction they were drawn in.

use crate::{
    domain::page::{Line, Point, Quad, Word},
    reader::{
        ocr::words::join_unspaced,
        protocol::{MAX_LINES_PER_PAGE, MAX_WORD_CHARS, MAX_WORDS_PER_PAGE, clean},
    },
};

use super::text::{Glyph, Seen};

/// Text is read in directions this many degrees apart: finer than any layout, coarser than rounding.
const DIRECTION_STEP: f32 = 3.0;
/// Glyphs whose baselines differ by less than this share of their height stand on one line.
const SAME_LINE: f32 = 0.42;
/// A gap of this share of the height separates words even where no space was written. Kerning stays below a tenth.
const WORD_GAP: f32 = 0.22;
/// A written space that takes less of the line than this share of the height separates nothing: some writers put one and go
/// back over it, and people see one word. The narrowest spaces of typesetting take a sixth.
const NO_SPACE: f32 = 0.04;
/// Where letters are set apart, a word ends at a gap this many times as wide as its usual one.
const SPACED_OUT: f32 = 1.9;
/// The same letter again within this share of its height is bold printing, not another letter.
const SAME_PLACE: f32 = 0.12;
/// Neighbours looked at for the same letter.
const MAX_NEIGHBOURS: usize = 12;

/// A word before it is cleaned: its text, box and where its glyphs were seen.
struct Upright<'a> {
    glyph: &'a Glyph,
    left: f32,
    right: f32,
    baseline: f32,
    top: f32,
    bottom: f32,
}

impl Upright<'_> {
    fn height(&self) -> f32 {
        (self.bottom - self.top).max(0.1)
    }

    fn is_space(&self) -> bool {
        self.glyph.text.as_deref().is_some_and(|text| text.trim().is_empty())
    }
}

/// Lines of the glyphs that `wanted` lets through, in reading order, boxes inside a page of this size.
pub fn lines(glyphs: &[Glyph], size: (u32, u32), wanted: impl Fn(Seen) -> bool) -> Vec<Line> {
    let mut directions: Vec<(i32, Vec<&Glyph>)> = Vec::new();
    for glyph in glyphs.iter().filter(|glyph| wanted(glyph.seen)) {
        let step = direction(glyph);
        match directions.iter_mut().find(|(known, _)| *known == step) {
            Some((_, members)) => members.push(glyph),
            None => directions.push((step, vec![glyph])),
        }
    }
    let mut lines = Vec::new();
    for (step, members) in directions {
        lines.extend(lines_of(&members, step as f32 * DIRECTION_STEP, size));
    }
    // Each direction is in order; together they go by where they begin.
    lines.sort_by(|a, b| a.quad.top().total_cmp(&b.quad.top()));
    let mut words = 0;
    lines.retain(|line| {
        words += line.words.len();
        words <= MAX_WORDS_PER_PAGE
    });
    lines.truncate(MAX_LINES_PER_PAGE);
    lines
}

/// Direction of the baseline in steps, -60 to 60.
fn direction(glyph: &Glyph) -> i32 {
    let [a, b] = glyph.base;
    // A glyph without width (a mark, an empty one) stands at right angles to its height.
    let (dx, dy) =
        if (b[0] - a[0]).hypot(b[1] - a[1]) > 0.01 { (b[0] - a[0], b[1] - a[1]) } else { (-glyph.up[1], glyph.up[0]) };
    let step = (dy.atan2(dx).to_degrees() / DIRECTION_STEP).round() as i32;
    // Half a turn either way is the same direction.
    if step == -60 { 60 } else { step }
}

fn lines_of(members: &[&Glyph], degrees: f32, size: (u32, u32)) -> Vec<Line> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let turned = |[x, y]: Point| [x * cos + y * sin, y * cos - x * sin];
    let mut upright: Vec<Upright<'_>> = members
        .iter()
        .map(|glyph| {
            let [from, to] = glyph.base.map(turned);
            let (up, down) = (turned(glyph.up)[1], turned(glyph.down)[1]);
            let baseline = from[1];
            Upright {
                glyph,
                left: from[0].min(to[0]),
                right: from[0].max(to[0]),
                baseline,
                top: baseline + up.min(down),
                bottom: baseline + up.max(down),
            }
        })
        .collect();
    upright.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut rows: Vec<Vec<Upright<'_>>> = Vec::new();
    // Middle of the baselines and height of each row, as it grows.
    let mut marks: Vec<(f32, f32)> = Vec::new();
    for glyph in upright {
        let fits = marks.last().is_some_and(|(baseline, height)| {
            (glyph.baseline - baseline).abs()
                < SAME_LINE * height.min(glyph.height()).max(height.max(glyph.height()) * 0.4)
        });
        match (rows.last_mut(), marks.last_mut()) {
            (Some(row), Some(mark)) if fits => {
                // The tallest letters say where the line is: a footnote mark does not pull it up.
                if glyph.height() > mark.1 {
                    *mark = (glyph.baseline, glyph.height());
                }
                row.push(glyph);
            }
            (Some(_) | None, Some(_) | None) => {
                marks.push((glyph.baseline, glyph.height()));
                rows.push(vec![glyph]);
            }
        }
    }
    let back = |[x, y]: Point| [x * cos - y * sin, x * sin + y * cos];
    rows.into_iter().filter_map(|row| Line::from_words(words_of(row, size, back))).collect()
}

fn words_of(mut row: Vec<Upright<'_>>, size: (u32, u32), back: impl Fn(Point) -> Point) -> Vec<Word> {
    row.sort_by(|a, b| a.left.total_cmp(&b.left));
    let row = without_doubles(row);
    let mut words: Vec<Word> = Vec::new();
    let mut word: Vec<&Upright<'_>> = Vec::new();
    let mut usual_gap = 0.0f32;
    // Where the first space since the last letter begins.
    let mut space: Option<f32> = None;
    for (index, glyph) in row.iter().enumerate() {
        if glyph.is_space() {
            space = space.or(Some(glyph.left));
            continue;
        }
        if space.take().is_some_and(|left| glyph.left - left > NO_SPACE * glyph.height()) {
            words.extend(finish(&std::mem::take(&mut word), size, &back));
        }
        if let Some(last) = word.last() {
            let gap = glyph.left - last.right;
            let height = last.height().min(glyph.height());
            if word.len() == 1 {
                usual_gap = usual_gap_from(&row, index);
            }
            // Letters set apart (`T O T A L`) make a wider gap the usual one.
            let limit = (WORD_GAP * height).max(usual_gap * SPACED_OUT);
            if gap > limit || gap < -height * 2.0 {
                words.extend(finish(&std::mem::take(&mut word), size, &back));
            }
        }
        word.push(glyph);
    }
    words.extend(finish(&word, size, &back));
    join_unspaced(words)
}

/// The usual gap of the letters that begin at `index`: their median, when they are set apart evenly and no space
/// stands between them; else nothing.
fn usual_gap_from(row: &[Upright<'_>], index: usize) -> f32 {
    let mut gaps: Vec<f32> = Vec::new();
    for pair in row[index.saturating_sub(1)..].windows(2) {
        if pair.iter().any(Upright::is_space) {
            break;
        }
        let gap = pair[1].left - pair[0].right;
        // A column begins here, whatever the letters do.
        if gap > pair[0].height() * 1.5 {
            break;
        }
        gaps.push(gap);
    }
    if gaps.len() < 3 {
        return 0.0;
    }
    let first = gaps[0];
    let even = gaps.iter().take(3).all(|gap| (gap - first).abs() < 0.08 * row[index].height());
    gaps.sort_by(f32::total_cmp);
    if even { gaps[gaps.len() / 2].max(0.0) } else { 0.0 }
}

/// Letters printed twice at the same place count once.
fn without_doubles(row: Vec<Upright<'_>>) -> Vec<Upright<'_>> {
    let mut kept: Vec<Upright<'_>> = Vec::with_capacity(row.len());
    for glyph in row {
        let is_double = kept.iter().rev().take(MAX_NEIGHBOURS).any(|other| {
            let reach = SAME_PLACE * glyph.height();
            other.glyph.text == glyph.glyph.text
                && (other.left - glyph.left).abs() < reach
                && (other.baseline - glyph.baseline).abs() < reach
        });
        if !is_double {
            kept.push(glyph);
        }
    }
    kept
}

fn finish(glyphs: &[&Upright<'_>], (width, height): (u32, u32), back: impl Fn(Point) -> Point) -> Option<Word> {
    let text: String = glyphs.iter().filter_map(|glyph| glyph.glyph.text.as_deref()).collect();
    let text: String = clean(&text).split_whitespace().collect::<Vec<_>>().concat();
    let text: String = text.chars().take(MAX_WORD_CHARS).collect();
    if text.is_empty() {
        return None;
    }
    let edge = |value: fn(&Upright<'_>) -> f32, pick: fn(f32, f32) -> f32| {
        glyphs.iter().map(|glyph| value(glyph)).reduce(pick)
    };
    let (left, right) = (edge(|g| g.left, f32::min)?, edge(|g| g.right, f32::max)?);
    let (top, bottom) = (edge(|g| g.top, f32::min)?, edge(|g| g.bottom, f32::max)?);
    let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
    let inside = |[x, y]: Point| [x.clamp(0.0, width as f32), y.clamp(0.0, height as f32)];
    let quad = Quad(corners.map(|corner| inside(back(corner))));
    Some(Word { text, quad, score: 1.0, char_scores: Vec::new() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Letters of a word from `[x, baseline]`, 10 pixels high, each `advance` wide, along `angle` degrees.
    fn typed(text: &str, at: Point, advance: f32, angle: f32) -> Vec<Glyph> {
        let (sin, cos) = angle.to_radians().sin_cos();
        let along = |d: f32| [at[0] + d * cos, at[1] + d * sin];
        let glyph = |(index, character): (usize, char)| {
            let from = index as f32 * advance;
            Glyph {
                text: Some(character.to_string()),
                base: [along(from), along(from + 5.0)],
                up: [8.0 * sin, -8.0 * cos],
                down: [-2.0 * sin, 2.0 * cos],
                seen: Seen::Yes,
            }
        };
        text.chars().enumerate().map(glyph).collect()
    }

    fn read(glyphs: &[Glyph]) -> Vec<String> {
        lines(glyphs, (1000, 1000), |_| true).iter().map(Line::text).collect()
    }

    #[test]
    fn glyphs_in_any_order_become_lines_of_words() {
        let mut glyphs = typed("12.50", [200.0, 100.0], 5.0, 0.0);
        glyphs.extend(typed("second line", [20.0, 120.0], 5.0, 0.0));
        glyphs.extend(typed("TOTAL", [20.0, 100.5], 5.0, 0.0));
        assert_eq!(read(&glyphs), ["TOTAL 12.50", "second line"]);
        let total = &lines(&glyphs, (1000, 1000), |_| true)[0].words[0];
        assert_eq!((total.quad.left(), total.quad.right(), total.quad.top()), (20.0, 45.0, 92.5));
    }

    #[test]
    fn text_that_runs_upwards_is_read_upwards_and_boxed_in_place() {
        let glyphs = typed("sideways text", [300.0, 500.0], 5.0, -90.0);
        let found = lines(&glyphs, (1000, 1000), |_| true);
        assert_eq!(found[0].text(), "sideways text");
        let quad = found[0].words[0].quad;
        assert!((quad.text_width() - 40.0).abs() < 0.1 && (quad.text_height() - 10.0).abs() < 0.1, "{quad:?}");
        assert!((quad.left() - 292.0).abs() < 0.1 && (quad.bottom() - 500.0).abs() < 0.1, "{quad:?}");
    }

    #[test]
    fn bold_printing_counts_once_and_letters_set_apart_are_one_word() {
        let mut bold = typed("Sum", [20.0, 100.0], 5.0, 0.0);
        bold.extend(typed("Sum", [20.4, 100.0], 5.0, 0.0));
        assert_eq!(read(&bold), ["Sum"]);
        assert_eq!(read(&typed("TOTAL", [20.0, 100.0], 9.0, 0.0)), ["TOTAL"]);
    }

    #[test]
    fn a_written_space_without_room_separates_nothing() {
        // A space, and back over it.
        let mut glyphs = typed("F ", [20.0, 100.0], 5.0, 0.0);
        glyphs.extend(typed("actuur 17", [25.1, 100.0], 5.0, 0.0));
        assert_eq!(lines(&glyphs, (1000, 1000), |_| true)[0].words.len(), 2);
        assert_eq!(read(&glyphs), ["Factuur 17"]);
        // A thin one is one.
        let mut glyphs = typed("No ", [20.0, 100.0], 5.0, 0.0);
        glyphs.extend(typed("17", [31.5, 100.0], 5.0, 0.0));
        assert_eq!(read(&glyphs), ["No 17"]);
    }

    #[test]
    fn chinese_is_joined_and_what_is_not_wanted_is_left_out() {
        let mut glyphs = typed("价税合计", [20.0, 100.0], 5.5, 0.0);
        let mut hidden = typed("hidden", [20.0, 200.0], 5.0, 0.0);
        for glyph in &mut hidden {
            glyph.seen = Seen::Hidden;
        }
        glyphs.extend(hidden);
        let visible = lines(&glyphs, (1000, 1000), |seen| seen == Seen::Yes);
        assert_eq!(visible.iter().map(Line::text).collect::<Vec<_>>(), ["价税合计"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn any_glyphs_give_clean_words_inside_the_page(
            glyphs in prop::collection::vec(("\\PC{0,3}", -2e3f32..2e3, -2e3f32..2e3, -90f32..90.0, 0.0f32..60.0), 0..60)
        ) {
            let glyphs: Vec<Glyph> = glyphs.into_iter().map(|(text, x, y, dx, dy)| Glyph {
                text: (!text.is_empty()).then_some(text), base: [[x, y], [x + dx, y + dy]], up: [dy, -dx], down: [0.0, 1.0], seen: Seen::Yes,
            }).collect();
            for line in lines(&glyphs, (500, 400), |_| true) {
                prop_assert!(!line.words.is_empty());
                for word in &line.words {
                    prop_assert!(!word.text.trim().is_empty() && crate::reader::protocol::is_clean(&word.text));
                    prop_assert!(word.quad.left() >= 0.0 && word.quad.right() <= 500.0 && word.quad.bottom() <= 400.0);
                }
            }
        }
    }
}
