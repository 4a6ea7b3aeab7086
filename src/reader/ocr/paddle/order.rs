//! Reading order.

use crate::domain::page::{Line, Quad};
use crate::imaging::turn::Turn;

/// Sorts the lines of a page of this size top to bottom, those beside each other from left to right, as most of the
/// page's text stands.
pub fn sort_for_reading(lines: Vec<Line>, size: (u32, u32)) -> Vec<Line> {
    let turn = Turn::of_most(lines.iter().map(|line| &line.quad));
    let mut placed: Vec<(Quad, Line)> = lines.into_iter().map(|line| (turn.upright(&line.quad, size), line)).collect();
    let mut heights: Vec<f32> = placed.iter().map(|(quad, _)| quad.text_height()).collect();
    heights.sort_by(f32::total_cmp);
    let Some(usual) = heights.get(heights.len() / 2).copied() else { return Vec::new() };
    placed.sort_by(|(a, _), (b, _)| a.centre()[1].total_cmp(&b.centre()[1]));
    // A row ends where the next line's middle lies further down than half a usual line.
    placed.chunk_by_mut(|(a, _), (b, _)| b.centre()[1] - a.centre()[1] < usual / 2.0).for_each(|row| {
        row.sort_by(|(a, _), (b, _)| a.left().total_cmp(&b.left()));
    });
    placed.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::Word;

    #[test]
    fn lines_are_read_row_by_row_however_the_page_is_turned() {
        let places = [("d", 300.0, 52.0), ("c", 10.0, 57.0), ("a", 10.0, 20.0), ("e", 200.0, 90.0), ("b", 150.0, 24.0)];
        let size = (400, 200);
        for turn in Turn::ALL {
            let lines = places
                .map(|(text, left, top)| {
                    let quad = Quad::from_edges(left, top, left + 80.0, top + 20.0);
                    let quad = turn.on_page(&quad, size);
                    let word = Word { text: text.into(), quad, score: 1.0, char_scores: vec![] };
                    Line { words: vec![word], quad }
                })
                .to_vec();
            let read: String = sort_for_reading(lines, size).iter().map(Line::text).collect();
            assert_eq!(read, "abcde", "{turn:?}");
        }
    }
}
