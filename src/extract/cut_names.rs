//! Names out of longer lines: a letterhead's sender line, a title before the name, a legal form in the middle, a logo
//! that other lines spell out.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    find_merchant::{HEAD_ROWS, Printed},
    fold::{distance, fold_name, is_cjk, letters},
    judge_merchant::{DOMAIN, LEGAL, LEGAL_MALAYSIA, matches},
    layout::Layout,
    words::{self, Label as L},
};

/// Rows whose segments are looked at for legal names below the head; an invoice of five pages has about 300.
const MAX_ROWS: usize = 400;
/// Legal names below the head that are kept: a letter's foot has one or two.
const MAX_DEEP: usize = 6;
/// Rows of the head in which a logo may stand.
const LOGO_ROWS: usize = 3;
/// Words of the paper a logo is compared with.
const MAX_WORDS: usize = 300;
/// Names one logo may be mended to.
const MAX_MENDED: usize = 3;

/// What divides a sender line: `Nordtor GmbH - Hafenstr. 3 - 24103 Kiel`.
static DIVIDER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\s[-–—|•·*]\s|\s{3,}|[•·|]").ok());

/// Parts of the head's lines that may be the name, and legal names further down.
pub fn find(layout: &Layout<'_>) -> Vec<Printed> {
    let mut out = Vec::new();
    let mut deep = 0_usize;
    for (at, segment) in layout.segments.iter().enumerate().filter(|(_, s)| s.row < MAX_ROWS) {
        let is_head = segment.row < HEAD_ROWS;
        let text = segment.text.as_str();
        let (titled, divided, legal) = (after_title(text), before_divider(text), through_legal_form(text));
        if is_head {
            let whole = text.trim().len();
            let parts = [titled, divided, legal].into_iter().flatten().filter(|range| range.len() < whole);
            out.extend(parts.map(|range| piece(layout, at, range)));
        } else if let Some(range) = legal.filter(|_| deep < MAX_DEEP) {
            deep += 1;
            out.push(piece(layout, at, range));
        }
    }
    out.extend(logos(layout));
    out
}

fn piece(layout: &Layout<'_>, at: usize, range: Range<usize>) -> Printed {
    let text = layout.segments[at].text.get(range.clone()).unwrap_or("").to_owned();
    Printed::piece(layout, at, &range, text)
}

/// `FACTUUR. Nordtor` → `Nordtor`.
fn after_title(text: &str) -> Option<Range<usize>> {
    let hits = words::find(text);
    let mut end = 0;
    for hit in hits.iter().filter(|h| matches!(h.label, L::Title | L::InvoiceNumber)) {
        if text.get(end..hit.start)?.chars().any(char::is_alphanumeric) {
            break;
        }
        end = hit.end;
    }
    let rest = text.get(end..)?;
    let start = end + rest.find(char::is_alphanumeric)?;
    (end > 0 && letters(text.get(start..)?) >= 3).then_some(start..text.len())
}

fn before_divider(text: &str) -> Option<Range<usize>> {
    let found = DIVIDER.as_ref()?.find(text)?;
    (letters(text.get(..found.start())?) >= 3).then_some(0..found.start())
}

/// From the start through the legal form: `Nordtor B.V. Kade 66` → `Nordtor B.V.`.
fn through_legal_form(text: &str) -> Option<Range<usize>> {
    let cut = before_divider(text).unwrap_or(0..text.len());
    let head = text.get(cut)?;
    if matches(&LEGAL_MALAYSIA, head) {
        return None;
    }
    let found = LEGAL.as_ref()?.find_iter(head).find(|m| m.start() >= 3)?;
    (letters(&head[..found.start()]) >= 3).then_some(0..found.end())
}

/// A word of the logo, as other lines of the same paper spell it: `nordtorll` above `Nordtor Baumarkt GmbH`.
fn logos(layout: &Layout<'_>) -> Vec<Printed> {
    let mut out: Vec<Printed> = Vec::new();
    let spelt = spelt_words(layout);
    for (at, segment) in layout.segments.iter().enumerate().filter(|(_, s)| s.row < LOGO_ROWS) {
        let own: Vec<char> = fold_name(&segment.text).chars().collect();
        if segment.spans.len() != 1 || !(4..=14).contains(&own.len()) || own.iter().any(|c| is_cjk(*c)) {
            continue;
        }
        let mut near: Vec<(usize, &str)> = spelt
            .iter()
            .filter(|(row, _)| *row != segment.row)
            .filter_map(|(_, word)| {
                let other: Vec<char> = fold_name(word).chars().collect();
                let off = if own.starts_with(&other) { own.len() - other.len() } else { distance(&own, &other) };
                (other.len() >= 4 && other != own && off <= own.len().div_ceil(4)).then_some((off, word.as_str()))
            })
            .collect();
        near.sort_unstable();
        near.dedup_by(|a, b| fold_name(a.1) == fold_name(b.1));
        let ways = near.len().min(MAX_MENDED);
        for (_, word) in near.into_iter().take(MAX_MENDED) {
            let whole = 0..segment.text.len();
            out.push(Printed { text: word.to_owned(), is_mended: true, ways, ..piece(layout, at, whole) });
        }
    }
    out
}

/// First words of lines with a legal form and of web addresses, with their rows.
fn spelt_words(layout: &Layout<'_>) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    for segment in layout.segments.iter().filter(|s| s.row < MAX_ROWS) {
        if out.len() >= MAX_WORDS {
            break;
        }
        if matches(&LEGAL, &segment.text) || segment.row < HEAD_ROWS {
            out.extend(segment.text.split_whitespace().take(3).map(|w| (segment.row, w.to_owned())));
        }
        if let Some(pattern) = DOMAIN.as_ref() {
            let names = pattern.captures_iter(&segment.text).filter_map(|c| c.get(1));
            out.extend(names.map(|name| (segment.row, name.as_str().to_owned())));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_out_of_the_line_it_stands_in() {
        let cut = |text: &'static str, range: Option<Range<usize>>| range.map(|r| &text[r]);
        let sender = "Nordtor Hosting AG - Uferweg 4 - D-24103 Kiel";
        assert_eq!(cut(sender, before_divider(sender)), Some("Nordtor Hosting AG"));
        let joined = "Nordtor B.V. Kade 66";
        assert_eq!(cut(joined, through_legal_form(joined)), Some("Nordtor B.V."));
        let titled = "RECHNUNG: Nordtor";
        assert_eq!(cut(titled, after_title(titled)), Some("Nordtor"));
        assert_eq!(after_title("Nordtor Rechnung"), None, "the title stands last");
        assert_eq!(before_divider("Nord-Tor Kiel"), None, "a hyphen divides nothing");
    }
}
