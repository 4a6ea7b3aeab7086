//! From a line's characters to words with boxes.

use super::ctc::Symbol;
use crate::domain::page::{Line, Point, Quad, Word, glyph_width};

/// Splits a recognised line at its spaces. `quad` is the line's box, `steps` how many of the recogniser's steps it is
/// wide. `None` when there is nothing but space.
///
/// Runs without spaces stay one word, Chinese ones too.
pub fn line(symbols: &[Symbol], quad: Quad, steps: f32) -> Option<Line> {
    let symbols = &close_decimals(symbols);
    let runs: Vec<&[Symbol]> = symbols.split(|s| s.character.is_whitespace()).filter(|run| !run.is_empty()).collect();
    let half = half_widths(symbols, steps);
    let mut words = Vec::with_capacity(runs.len());
    let mut left_limit = 0.0;
    for (index, run) in runs.iter().enumerate() {
        let (first, last) = (run[0], run[run.len() - 1]);
        // Between two words the border is at most in the middle of the gap.
        let right_limit = runs.get(index + 1).map_or(steps, |next| f32::midpoint(last.position, next[0].position));
        let left = (first.position - half * glyph_width(first.character)).max(left_limit);
        let right = (last.position + half * glyph_width(last.character)).min(right_limit);
        left_limit = right_limit;
        let char_scores: Vec<f32> = run.iter().map(|s| s.score).collect();
        words.push(Word {
            text: run.iter().map(|s| s.character).collect(),
            quad: part(&quad, left / steps, right / steps),
            score: mean(&char_scores),
            char_scores,
        });
    }
    (!words.is_empty()).then_some(Line { words, quad })
}

/// The characters without spaces that stand before a decimal point: print of fixed pitch (dot matrix) leaves a wide gap
/// there, and `38 .00` is one number. Only a digit before and exactly two after the point count as one.
fn close_decimals(symbols: &[Symbol]) -> Vec<Symbol> {
    let digit = |at: Option<usize>| at.and_then(|at| symbols.get(at)).is_some_and(|s| s.character.is_ascii_digit());
    let is_gap = |at: usize| {
        symbols[at].character == ' '
            && digit(at.checked_sub(1))
            && matches!(symbols.get(at + 1).map(|s| s.character), Some('.' | ','))
            && digit(Some(at + 2))
            && digit(Some(at + 3))
            && !digit(Some(at + 4))
    };
    (0..symbols.len()).filter(|at| !is_gap(*at)).map(|at| symbols[at]).collect()
}

/// Mean score of all characters, spaces included; 0 when there are none.
pub fn line_score(symbols: &[Symbol]) -> f32 {
    mean(&symbols.iter().map(|s| s.score).collect::<Vec<_>>())
}

fn mean(scores: &[f32]) -> f32 {
    if scores.is_empty() { 0.0 } else { scores.iter().sum::<f32>() / scores.len() as f32 }
}

/// Half the width of a Latin character of this line, in steps.
fn half_widths(symbols: &[Symbol], steps: f32) -> f32 {
    let [first, .., last] = symbols else { return steps / 2.0 };
    let between: f32 = symbols.iter().map(|s| glyph_width(s.character)).sum::<f32>()
        - f32::midpoint(glyph_width(first.character), glyph_width(last.character));
    (last.position - first.position) / between / 2.0
}

/// The part of a box between two fractions of its width.
fn part(quad: &Quad, from: f32, to: f32) -> Quad {
    let [top_left, top_right, bottom_right, bottom_left] = quad.0;
    let along = |p: Point, q: Point, fraction: f32| {
        let fraction = fraction.clamp(0.0, 1.0);
        [p[0] + (q[0] - p[0]) * fraction, p[1] + (q[1] - p[1]) * fraction]
    };
    Quad([
        along(top_left, top_right, from),
        along(top_left, top_right, to),
        along(bottom_left, bottom_right, to),
        along(bottom_left, bottom_right, from),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters one step apart, starting in the middle of step `start`.
    fn symbols(text: &str, start: f32) -> Vec<Symbol> {
        text.chars()
            .enumerate()
            .map(|(i, character)| Symbol { character, score: 0.5 + 0.01 * i as f32, position: start + i as f32 + 0.5 })
            .collect()
    }

    #[test]
    fn a_line_is_split_at_spaces_with_boxes_over_its_own_characters() {
        let line = line(&symbols("TOTAL  9.00", 0.0), Quad::from_edges(0.0, 100.0, 110.0, 120.0), 11.0).unwrap();
        assert_eq!(line.text(), "TOTAL 9.00");
        let [total, amount] = &line.words[..] else { panic!("{line:?}") };
        assert_eq!(total.quad, Quad::from_edges(0.0, 100.0, 50.0, 120.0));
        assert_eq!(amount.quad, Quad::from_edges(70.0, 100.0, 110.0, 120.0));
        assert_eq!(amount.char_scores.len(), 4);
        assert!((amount.char_scores[0] - 0.57).abs() < 1e-6);
    }

    #[test]
    fn a_gap_before_a_decimal_point_does_not_part_a_number() {
        for (text, expected) in [
            ("¥38 .00元", "¥38.00元"),
            ("A 7 ,50 B", "A 7,50 B"),
            ("7 .5", "7 .5"),
            ("7 .500", "7 .500"),
            ("No .12", "No .12"),
            ("12. 50", "12. 50"),
        ] {
            let line = line(&symbols(text, 0.0), Quad::from_edges(0.0, 0.0, 90.0, 20.0), 9.0).unwrap();
            assert_eq!(line.text(), expected);
        }
    }

    #[test]
    fn chinese_stays_one_word_and_its_characters_are_twice_as_wide() {
        let mut characters = symbols("合计 5", 0.0);
        for (symbol, position) in characters.iter_mut().zip([1.0, 3.0, 4.5, 5.5]) {
            symbol.position = position;
        }
        let line = line(&characters, Quad::from_edges(0.0, 0.0, 60.0, 20.0), 6.0).unwrap();
        assert_eq!(line.words.len(), 2);
        assert!((line.words[0].quad.right() - 40.0).abs() < 1e-3, "{line:?}");
    }

    #[test]
    fn words_on_a_turned_line_follow_its_direction() {
        // Text running down: the line's top left is the page's top right.
        let quad = Quad([[20.0, 0.0], [20.0, 110.0], [0.0, 110.0], [0.0, 0.0]]);
        let line = line(&symbols("TOTAL  9.00", 0.0), quad, 11.0).unwrap();
        assert!((line.words[1].quad.top() - 70.0).abs() < 1e-3);
        assert!((line.words[1].quad.text_width() - 40.0).abs() < 1e-3);
    }

    #[test]
    fn nothing_but_space_is_no_line() {
        assert!(line(&symbols("  ", 0.0), Quad::from_edges(0.0, 0.0, 9.0, 9.0), 2.0).is_none());
        assert!(line(&[], Quad::from_edges(0.0, 0.0, 9.0, 9.0), 2.0).is_none());
    }
}
