//! Paper for documents that have none: lines of text become pages with words, boxes and a preview.
//!
//! Plain text, HTML, mails and XML have no pages of their own. People check figures by looking at where they stand, so
//! their lines are set in cells of one width (a wide character takes two) and drawn. Columns that spaces line up stay
//! columns, and a word's box is where it is drawn.

mod pen;

pub use pen::Pen;

use image::{Rgb, RgbImage};

use super::{
    output::{Output, Stopped, failed},
    protocol::{Kind, MAX_LINES_PER_PAGE, MAX_WORD_CHARS, Warning, clean},
    see::preview::{self, Preview},
};
use crate::domain::{
    capture::{Limits, Reason},
    page::{Line, Page, Quad, TextSource, Word},
};

/// Width of a cell in pixels: 100 of them and the margins are as wide as A4 at 150 dpi.
const CELL: f32 = 11.0;
/// Height of a line in pixels.
const LINE: f32 = 24.0;
/// Em size of the letters; a monospaced letter is 0.6 em wide.
const EM: f32 = 18.0;
/// Space around the text in pixels.
const MARGIN: f32 = 60.0;
/// Cells of a page that is not wider than its text needs.
const LEAST_CELLS: usize = 60;
/// Cells of the widest page; longer lines go on below.
const MOST_CELLS: usize = 140;
/// Lines of one page: its preview stays at full size below the protocol's longest side.
const LINES_PER_PAGE: usize = 200;
/// Characters between two stops of a tab.
const TAB: usize = 8;
/// Characters of one line of the text that are looked at.
const MAX_LINE_CHARS: usize = 4_000;
/// Lines of the text that are looked at: fifty pages of two hundred lines.
pub const MAX_TEXT_LINES: usize = 10_000;

/// A page made of lines of text.
pub struct TextPage {
    /// Its words and boxes.
    pub page: Page,
    /// Its picture.
    pub preview: Preview,
    /// Characters that no installed font can draw.
    pub undrawn: usize,
}

/// Sets `lines` on as many pages as they need, numbered from 0, and draws them.
///
/// A line's words are what stands between its spaces; several spaces (or a tab) keep columns apart. Control characters are
/// left out, empty lines keep their height. Fails when the pages would be more than `limits` allow.
pub fn text_pages(lines: &[String], source: TextSource, limits: &Limits) -> Result<Vec<TextPage>, Stopped> {
    let rows = rows(lines);
    let pages = rows.len().div_ceil(LINES_PER_PAGE).max(1);
    if pages > limits.max_pages as usize {
        return Err(failed(Reason::PagesExceeded, format!("the text needs {pages} pages")));
    }
    let mut pen = Pen::new();
    let mut out = Vec::with_capacity(pages);
    for index in 0..pages {
        let rows = rows.iter().skip(index * LINES_PER_PAGE).take(LINES_PER_PAGE);
        out.push(set(&rows.collect::<Vec<_>>(), index as u32, source, &mut pen)?);
    }
    Ok(out)
}

/// [`text_pages`], sent; returns how many.
pub fn send_text(lines: &[String], source: TextSource, limits: &Limits, out: &mut impl Output) -> Result<u32, Stopped> {
    let pages = text_pages(lines, source, limits)?;
    let sent = pages.len() as u32;
    if pages.iter().any(|page| page.undrawn > 0) {
        out.send(Kind::Warning, &Warning { code: "font_missing".into(), page: None }, &[])?;
    }
    for TextPage { page, preview, .. } in pages {
        preview.send(page.index, out)?;
        out.send(Kind::Page, &page, &[])?;
    }
    Ok(sent)
}

/// A word and the cell it begins in.
struct Placed {
    cell: usize,
    cells: usize,
    text: String,
}

/// The lines cut into words, wrapped where they are too long.
fn rows(lines: &[String]) -> Vec<Vec<Placed>> {
    let mut rows = Vec::new();
    for line in lines.iter().take(MAX_TEXT_LINES) {
        let mut row: Vec<Placed> = Vec::new();
        // Where the present row began, so that what is wrapped begins at the left again.
        let mut from = 0;
        for piece in words(line).into_iter().flat_map(pieces) {
            if piece.cell + piece.cells > from + MOST_CELLS {
                // A column far to the right of nothing moves to the left instead.
                if !row.is_empty() {
                    rows.push(std::mem::take(&mut row));
                }
                from = piece.cell;
            }
            row.push(Placed { cell: piece.cell - from, ..piece });
        }
        rows.push(row);
    }
    rows
}

/// A word longer than a row or than a word may be, cut into pieces that fit.
fn pieces(word: Placed) -> Vec<Placed> {
    const MOST: usize = if MOST_CELLS < MAX_WORD_CHARS { MOST_CELLS } else { MAX_WORD_CHARS };
    if word.cells <= MOST {
        return vec![word];
    }
    let mut pieces = Vec::new();
    let mut piece = Placed { cell: word.cell, cells: 0, text: String::new() };
    for character in word.text.chars() {
        let width = cells_of(character);
        if piece.cells + width > MOST {
            let next = Placed { cell: piece.cell + piece.cells, cells: 0, text: String::new() };
            pieces.push(std::mem::replace(&mut piece, next));
        }
        piece.cells += width;
        piece.text.push(character);
    }
    pieces.push(piece);
    pieces
}

fn words(line: &str) -> Vec<Placed> {
    let mut words: Vec<Placed> = Vec::new();
    let mut cell = 0;
    let mut inside = false;
    for character in line.chars().take(MAX_LINE_CHARS) {
        if character == '\t' {
            cell = (cell / TAB + 1) * TAB;
            inside = false;
            continue;
        }
        if character.is_whitespace() {
            cell += cells_of(character);
            inside = false;
            continue;
        }
        let text = clean(character.encode_utf8(&mut [0; 4]));
        if text.is_empty() {
            continue;
        }
        let width = cells_of(character);
        match words.last_mut() {
            Some(word) if inside => {
                word.text.push_str(&text);
                word.cells += width;
            }
            Some(_) | None => words.push(Placed { cell, cells: width.max(1), text }),
        }
        inside = true;
        cell += width;
    }
    words
}

/// Cells a character takes: none for marks put on others, two for the wide scripts (UAX #11), else one.
pub(super) const fn cells_of(character: char) -> usize {
    match character {
        '\u{300}'..='\u{36F}' | '\u{200B}'..='\u{200F}' | '\u{FE00}'..='\u{FE0F}' => 0,
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{303E}'
        | '\u{3041}'..='\u{33FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{A000}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1F64F}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}

fn set(rows: &[&Vec<Placed>], index: u32, source: TextSource, pen: &mut Pen) -> Result<TextPage, Stopped> {
    let widest = rows.iter().flat_map(|row| row.iter().map(|word| word.cell + word.cells)).max().unwrap_or(0);
    let cells = widest.clamp(LEAST_CELLS, MOST_CELLS);
    let width = (cells as f32 * CELL + 2.0 * MARGIN) as u32;
    // At least as high as a third of A4, so that a short message looks like one.
    let height = (rows.len() as f32 * LINE + 2.0 * MARGIN).max(width as f32 * 0.45) as u32;
    let mut picture = RgbImage::from_pixel(width, height, Rgb([255, 255, 255]));
    let mut lines = Vec::new();
    let mut undrawn = 0;
    for (number, row) in rows.iter().enumerate() {
        let top = MARGIN + number as f32 * LINE;
        let mut words = Vec::with_capacity(row.len());
        for placed in *row {
            let left = MARGIN + placed.cell as f32 * CELL;
            let mut at = left;
            for character in placed.text.chars() {
                let room = cells_of(character) as f32 * CELL;
                undrawn += usize::from(!pen.draw_in(&mut picture, character, [at, top + LINE * 0.75], room, EM));
                at += room;
            }
            let right = left + placed.cells as f32 * CELL;
            let quad = Quad::from_edges(left, top, right.min(width as f32), top + LINE);
            words.push(Word { text: placed.text.clone(), quad, score: 1.0, char_scores: Vec::new() });
        }
        lines.extend(Line::from_words(words));
        if lines.len() >= MAX_LINES_PER_PAGE {
            break;
        }
    }
    let preview = preview::make(&picture).map_err(|cause| failed(Reason::Undecodable, cause))?;
    Ok(TextPage { page: Page { index, width, height, lines, source }, preview, undrawn })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::fonts::{self, Face};

    fn pages(lines: &[&str]) -> Vec<TextPage> {
        let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        text_pages(&lines, TextSource::Structured, &Limits::default()).map_err(|_| "stopped").unwrap()
    }

    #[test]
    fn words_stand_where_they_are_drawn_and_columns_stay_columns() {
        let pages = pages(&["Coffee        4.50", "Big sandwich  8.30", "", "合计 ¥12.80"]);
        let [TextPage { page, preview, .. }] = pages.as_slice() else { panic!("one page") };
        assert_eq!(page.text(), "Coffee 4.50\nBig sandwich 8.30\n合计 ¥12.80");
        let apart = page.lines[0].words[1].quad.left() - page.lines[1].words[2].quad.left();
        assert!(apart.abs() < 0.01, "{apart}");
        assert_eq!((preview.width, preview.height), (page.width, page.height));
        if !fonts::has(Face::Mono) {
            eprintln!("skipped: no monospaced font is installed (apt-get install fonts-dejavu)");
            return;
        }
        let picture = image::load_from_memory(&preview.jpeg).unwrap().into_luma8();
        let has_ink = |quad: &Quad| {
            let inside = |x: u32, y: u32| {
                (quad.left()..quad.right()).contains(&(x as f32)) && (quad.top()..quad.bottom()).contains(&(y as f32))
            };
            picture.enumerate_pixels().any(|(x, y, ink)| inside(x, y) && ink.0[0] < 100)
        };
        for word in page.lines.iter().flat_map(|line| &line.words) {
            assert!(has_ink(&word.quad) || !fonts::has(Face::Cjk), "`{}` has no ink in its box", word.text);
        }
    }

    #[test]
    fn long_texts_go_on_on_the_next_page_and_endless_ones_are_refused() {
        let line = "a".to_owned();
        let lines = vec![line; LINES_PER_PAGE + 1];
        let pages = text_pages(&lines, TextSource::Structured, &Limits::default()).map_err(|_| "stopped").unwrap();
        assert_eq!(pages.iter().map(|p| (p.page.index, p.page.lines.len())).collect::<Vec<_>>(), [(0, 200), (1, 1)]);
        let limits = Limits { max_pages: 1, ..Limits::default() };
        assert!(text_pages(&lines, TextSource::Structured, &limits).is_err());
    }

    #[test]
    fn long_lines_go_on_below() {
        let long = format!("{} end", "word ".repeat(60));
        let pages = pages(&[&long]);
        assert!(pages[0].page.lines.len() > 2);
        let words = pages[0].page.lines.iter().map(|line| line.words.len()).sum::<usize>();
        assert_eq!(words, 61);
        let unbroken = "x".repeat(1_000);
        let text: String = self::pages(&[&unbroken])[0].page.text().split('\n').collect();
        assert_eq!(text, unbroken);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_the_text_its_words_are_inside_the_page(lines in prop::collection::vec("\\PC{0,400}", 0..12)) {
            for word in rows(&lines).iter().flatten() {
                prop_assert!(word.cell + word.cells <= MOST_CELLS);
                prop_assert!(!word.text.trim().is_empty() && word.text.chars().count() <= MAX_WORD_CHARS);
                prop_assert!(crate::reader::protocol::is_clean(&word.text));
            }
        }
    }
}
