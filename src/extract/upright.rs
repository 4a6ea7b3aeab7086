//! Pages whose text stands on its side or head are laid out in their upright view; boxes go back to the page's own pixels.

use super::{Extraction, Material};
use crate::{
    domain::{
        field::Evidence,
        page::{Code, Page},
    },
    imaging::turn::{Turn, upright_lines},
};

/// How each page of a material stands.
pub(super) struct Turned {
    pages: Vec<(u32, Turn, (u32, u32))>,
}

/// The upright view of the material; `None` when every page is upright already.
pub(super) fn view(material: &Material) -> Option<(Material, Turned)> {
    let turn_of = |page: &Page| Turn::of_most(page.lines.iter().map(|line| &line.quad));
    let turned = Turned {
        pages: material.pages.iter().map(|page| (page.index, turn_of(page), (page.width, page.height))).collect(),
    };
    if turned.pages.iter().all(|(_, turn, _)| *turn == Turn::Upright) {
        return None;
    }
    let pages = material
        .pages
        .iter()
        .zip(&turned.pages)
        .map(|(page, (_, turn, size))| {
            let (width, height) = turn.upright_size(*size);
            Page { lines: upright_lines(&page.lines, *turn, *size), width, height, ..page.clone() }
        })
        .collect();
    let codes = material
        .codes
        .iter()
        .map(|code| match turned.of(code.page) {
            Some((turn, size)) => Code { quad: turn.upright(&code.quad, size), ..code.clone() },
            None => code.clone(),
        })
        .collect();
    let mut values = material.values.clone();
    for value in &mut values {
        if let (Some((turn, size)), Some(quad)) = (value.page.and_then(|page| turned.of(page)), value.quad.as_mut()) {
            *quad = turn.upright(quad, size);
        }
    }
    Some((Material { pages, codes, values }, turned))
}

impl Turned {
    fn of(&self, page: u32) -> Option<(Turn, (u32, u32))> {
        self.pages.iter().find(|(index, ..)| *index == page).map(|(_, turn, size)| (*turn, *size))
    }

    /// Moves every box back to the page.
    pub(super) fn back(&self, mut extraction: Extraction) -> Extraction {
        let place = |evidence: &mut Evidence| {
            if let (Some((turn, size)), Some(quad)) = (self.of(evidence.page), evidence.quad.as_mut()) {
                *quad = turn.on_page(quad, size);
            }
        };
        for field in extraction.fields.values_mut() {
            field.evidence.iter_mut().for_each(place);
            field.alternatives.iter_mut().filter_map(|a| a.evidence.as_mut()).for_each(place);
        }
        for candidate in &mut extraction.candidates {
            candidate.evidence.iter_mut().for_each(place);
        }
        extraction.breakdown.items.iter_mut().filter_map(|item| item.evidence.as_mut()).for_each(place);
        extraction.breakdown.taxes.iter_mut().filter_map(|line| line.evidence.as_mut()).for_each(place);
        extraction
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            field::FieldKey,
            page::{Line, Quad, TextSource, Word},
        },
        extract::{Context, extract},
    };

    fn line(text: &str, left: f32, top: f32) -> Line {
        let quad = Quad::from_edges(left, top, left + 12.0 * text.len() as f32, top + 20.0);
        let word = Word { text: text.to_owned(), quad, score: 0.99, char_scores: Vec::new() };
        Line { words: vec![word], quad }
    }

    fn page() -> Page {
        let lines = vec![
            line("Corner Shop Ltd", 60.0, 20.0),
            line("20/11/2026", 60.0, 60.0),
            line("TOTAL", 20.0, 120.0),
            line("£12.34", 260.0, 120.0),
        ];
        Page { index: 0, width: 400, height: 200, lines, source: TextSource::Recognition }
    }

    #[test]
    fn a_page_on_its_side_says_the_same_and_its_boxes_are_where_the_text_is() {
        let context = Context {
            today: jiff::civil::date(2026, 11, 23),
            home_currency: None,
            locales: vec!["en-GB".to_owned()],
            known_merchants: Vec::new(),
        };
        let upright = Material { pages: vec![page()], codes: Vec::new(), values: Vec::new() };
        let expected = extract(&upright, &context);
        assert_eq!(expected.fields[&FieldKey::Total].value.to_string(), "12.34");
        for turn in [Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
            let mut on_side = page();
            // The page whose upright view is `page()`.
            let size = turn.upright_size((400, 200));
            (on_side.width, on_side.height) = size;
            for line in &mut on_side.lines {
                line.quad = turn.on_page(&line.quad, size);
                for word in &mut line.words {
                    word.quad = turn.on_page(&word.quad, size);
                }
            }
            let wanted = on_side.lines[3].quad;
            let found = extract(&Material { pages: vec![on_side], codes: Vec::new(), values: Vec::new() }, &context);
            let total = &found.fields[&FieldKey::Total];
            assert_eq!(total.value, expected.fields[&FieldKey::Total].value, "{turn:?}");
            let quad = total.evidence.as_ref().and_then(|e| e.quad).expect("a box");
            let (got, want) = (quad.centre(), wanted.centre());
            assert!((got[0] - want[0]).abs() < 30.0 && (got[1] - want[1]).abs() < 30.0, "{turn:?}: {got:?} {want:?}");
            assert_eq!(Turn::of(&quad), turn);
        }
    }
}
