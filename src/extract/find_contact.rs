//! Telephone and address of the merchant: after a label, or by their form in the letterhead.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    dates,
    find_number::{announced, push},
    layout::Layout,
    numbers,
    rank::Proposal,
    words::{self, Hit, Label as L},
};
use crate::domain::{
    field::{Evidence, FieldKey, MAX_TEXT_CHARS},
    time::CivilDate,
};

/// Rows of the letterhead: further down addresses and numbers are other people's.
const HEAD_ROWS: usize = 26;
/// Rows of one address.
const MAX_ADDRESS_ROWS: usize = 6;
/// Rows without a sign of an address that may stand between two with one.
const MAX_PLAIN: usize = 1;
/// Digits of a telephone number: local ones have six, international ones up to fifteen (ITU-T E.164).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?\s?\(?\d[\d\s()./–-]{4,20}\d").ok());
/// Numbers that are telephones without a label: `(515) 555-0142`, `+41 41 555 01 23`, `041 555 01 45`, `03-5550 0167`.
static BARE_PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\(\s?\d{3}\s?\)\s?\d{3}\s?[-–. ]\s?\d{4}\b|\b\d{3}[-.]\d{3}[-.]\d{4}\b",
        r"|\+\s?\d{1,3}[\s(./-]{0,3}\d[\d\s()./-]{6,14}\d\b",
        r"|\b0\d{1,4}[\s/-]{1,3}\d{2,4}(?:[\s-]?\d{2,4}){1,3}\b|\b1[3-9]\d{9}\b|\b0\d{2,3}-\d{7,8}\b"
    ))
    .ok()
});

/// Words of streets and places. Long ones are found inside glued words as well (`4461EastCommerceWay`).
static STREET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)street|avenue|boulevard|highway|parkway|commerce\s?way|turnpike|\b(?:road|drive|lane|court|plaza|square|suite|floor|centre|center|mall|way)\b",
        r"|\d.*\b(?:st|ave|rd|dr|blvd|hwy|pkwy|ln|ste|sq|pl|ct)\b",
        r"|\b(?:jalan|jln|jl|lorong|lrg|taman|tmn|persiaran|lebuh|lebuhraya|kampung|kampong|kg|bandar|seksyen|section|kawasan|lot|wisma|menara|plaza|batu|pt\s?\d+)\b",
        r"|stra(?:ss|ß)e|\b\p{L}*str\.|\p{L}{3,}(?:gasse|platz|weg|allee|ring|damm|ufer)\b\.?\s?\d|\bpostfach\b",
        r"|\b(?:rue|chemin|quai|route|place|via|viale|piazza|corso|largo|calle|avenida|plaza|rua|laan|straat)\s",
        r"|[省市区县區縣镇鎮州].{0,24}[路街道号號弄巷室层楼樓里]|[路街道]\s?\d+\s?[号號弄]"
    ))
    .ok()
});
/// A postcode with its place.
static POSTCODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b\d{5}\s*,?\s*\p{L}{3}|\b(?:[A-Z]{1,2}-)?\d{4,5}\s+\p{Lu}\p{L}+|\b[A-Z]{2}\.?,?\s*\d{5}(?:-\d{4})?\b|[a-z,][A-Z]{2}\d{5}\b",
        r"|\b[A-Z]{1,2}\d{1,2}[A-Z]?\s?\d[A-Z]{2}\b|(?i)\bsingapore\s*\d{6}\b|\b\p{L}{3,}\s\d{5}$"
    ))
    .ok()
});
/// How an address begins: `NO. 12`, `Lot 5`, `54, JALAN`, `180 El Camino`.
static BEGINS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)^\W*(?:no\b\.?\s*:?\s*\d|lot\b|unit\b|block\b|blk\b|pt\s?\d|g?f?\s?\d{1,5}[a-z]?[\s,&/-])").ok()
});
/// Registration numbers, sites and mail are no address.
static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)@|www\.|whatsapp|website|e-?mail|facebook|sdn\.?\s*bhd|\bs/b\b|\bgmbh\b|\bltd\b|\bchit\b|https?:|\.com\b|\.ch\b|\.de\b|^\W*\(?\s?(?:co\.?\s?(?:reg|no).{0,12})?\d{5,12}\s?-\s?[a-z]\s?\)?\W*$").ok()
});
static LABELLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(?:.{0,6}?)(?:地\s*址\s*[、,，]?\s*(?:电\s*话)?|address|adresse|indirizzo|alamat)\s*[:：]\s*(.+)$",
    )
    .ok()
});

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(text))
}

/// Proposals for telephone and address.
pub fn propose(layout: &Layout<'_>, today: CivilDate, out: &mut Vec<Proposal>) {
    labelled_addresses(layout, out);
    addresses(layout, out);
    phones(layout, out);
    bare_phones(layout, today, out);
}

fn phones(layout: &Layout<'_>, out: &mut Vec<Proposal>) {
    let Some(pattern) = PHONE.as_ref() else { return };
    let mut of_buyer = false;
    for (at, segment) in layout.segments.iter().enumerate() {
        let hits = words::find(&segment.text);
        of_buyer |= hits.iter().any(|h| h.label == L::Buyer);
        for hit in hits.iter().filter(|h| h.label == L::Phone && !h.phrase.contains("fax") && h.phrase != "传真") {
            // What stands below belongs to another label.
            let found = announced(layout, at, hit).into_iter().take(2).find_map(|(i, range)| {
                let text = layout.segments[i].text.get(range.clone())?;
                let m = pattern.find(text).filter(|m| text[..m.start()].chars().count() < 12)?;
                is_phone(m.as_str()).then(|| (i, range.start + m.start()..range.start + m.end(), m.as_str().to_owned()))
            });
            if let Some((i, range, text)) = found {
                let p = if of_buyer { 0.45 } else { 0.95 };
                push(out, FieldKey::Phone, &text, p, layout.evidence(i, &range), "phone:label", Some(hit.phrase));
            }
        }
    }
}

fn is_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    // Twelve digits in one go are a tax number or a bar code.
    PHONE_DIGITS.contains(&digits) && (digits < 12 || digits < text.chars().count())
}

fn bare_phones(layout: &Layout<'_>, today: CivilDate, out: &mut Vec<Proposal>) {
    let Some(pattern) = BARE_PHONE.as_ref() else { return };
    for (at, segment) in layout.segments.iter().enumerate() {
        let hits = words::find(&segment.text);
        let other = |h: &Hit| {
            matches!(h.label, L::TaxId | L::Bank | L::InvoiceNumber | L::OtherNumber | L::Buyer | L::Date | L::Card)
                || (h.label == L::Phone && h.phrase.contains("fax"))
        };
        let taken: Vec<_> = dates::find(&segment.text, today).into_iter().map(|d| d.range).collect();
        let free = |m: &regex::Match<'_>| taken.iter().all(|d| d.end <= m.start() || m.end() <= d.start);
        let Some(m) = pattern.find_iter(&segment.text).find(|m| is_phone(m.as_str()) && free(m)) else { continue };
        // Brackets and a plus are telephones whatever stands beside them.
        if hits.iter().any(other) && !m.as_str().starts_with(['(', '+']) {
            continue;
        }
        let alone = segment.text.chars().filter(|c| c.is_alphanumeric()).count()
            <= m.as_str().chars().filter(char::is_ascii_digit).count() + 4;
        let p = match (segment.row < HEAD_ROWS / 2, alone) {
            (true, true) => 0.9,
            (true, false) => 0.7,
            (false, true) => 0.55,
            (false, false) => 0.35,
        };
        push(out, FieldKey::Phone, m.as_str(), p, layout.evidence(at, &m.range()), "phone:form", None);
    }
}

/// `地址、电话：…市…路12号 0755-12345678`: on a fapiao the seller's stands last.
fn labelled_addresses(layout: &Layout<'_>, out: &mut Vec<Proposal>) {
    let (Some(label), Some(phone)) = (LABELLED.as_ref(), BARE_PHONE.as_ref()) else { return };
    let found: Vec<(usize, std::ops::Range<usize>)> = layout
        .segments
        .iter()
        .enumerate()
        .filter_map(|(at, s)| label.captures(&s.text)?.get(1).map(|m| (at, m.range())))
        .filter(|(at, range)| layout.segments[*at].text[range.clone()].chars().count() >= 6)
        .collect();
    let Some((at, range)) = found.last() else { return };
    let text = &layout.segments[*at].text[range.clone()];
    // The telephone follows without a gap: the last run of digits long enough to be one.
    let tail = text.trim_end();
    let digits_from = tail
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_ascii_digit() || matches!(c, '-' | ' ' | '–'))
        .last()
        .map_or(tail.len(), |(i, _)| i);
    let number = tail[digits_from..].trim_start_matches(['-', ' ']);
    let number_from = tail.len() - number.len();
    let split = if number.chars().filter(char::is_ascii_digit).count() >= 7 {
        Some(number_from)
    } else {
        phone.find(tail).map(|m| m.start())
    };
    let chinese = text.chars().any(super::fold::is_cjk);
    let p = if chinese { 0.85 } else { 0.75 };
    let address = split.map_or(tail, |from| &tail[..from]);
    let place = range.start..range.start + address.len();
    push(out, FieldKey::Address, address, p, layout.evidence(*at, &place), "address:label", None);
    if let Some(from) = split.filter(|from| is_phone(&tail[*from..])) {
        let place = range.start + from..range.start + tail.len();
        push(out, FieldKey::Phone, &tail[from..], p, layout.evidence(*at, &place), "phone:label", None);
    }
}

/// The part of a row that may be an address: the text before a telephone or another label; `None` when it starts with one.
fn address_part<'t>(text: &'t str, rows: &Layout<'_>, row: usize) -> Option<&'t str> {
    let stops = |h: &Hit| {
        matches!(
            h.label,
            L::Phone | L::TaxId | L::Bank | L::Date | L::InvoiceNumber | L::OtherNumber | L::Title | L::Time | L::Buyer
        ) && !matches!(
            h.phrase,
            "store"
                | "till"
                | "pos"
                | "shift"
                | "server"
                | "counter"
                | "order"
                | "bill"
                | "check"
                | "ticket"
                | "bon"
                | "le"
                | "del"
                | "data"
        )
    };
    let cut = words::find(text).into_iter().filter(stops).map(|h| h.start).min();
    let kept = cut.map_or(text, |at| &text[..at]).trim_end_matches([' ', ',', '(', '|']);
    let kept = BARE_PHONE.as_ref().and_then(|p| p.find(kept)).map_or(kept, |m| kept[..m.start()].trim_end());
    let has_money = rows.rows.get(row).is_some_and(|r| numbers::find(&r.text).iter().any(|a| a.decimals == 2));
    (kept.chars().filter(|c| c.is_alphabetic()).count() >= 3 && !matches(&OTHER, kept) && !has_money).then_some(kept)
}

/// How much a text looks like a line of an address.
fn signs(text: &str) -> u8 {
    u8::from(matches(&STREET, text)) * 2 + u8::from(matches(&POSTCODE, text)) * 2 + u8::from(matches(&BEGINS, text))
}

fn addresses(layout: &Layout<'_>, out: &mut Vec<Proposal>) {
    let rows = layout.rows.len().min(HEAD_ROWS);
    let parts: Vec<Option<&str>> = (0..rows).map(|row| address_part(&layout.rows[row].text, layout, row)).collect();
    let strength: Vec<u8> = parts.iter().map(|p| p.map_or(0, signs)).collect();
    let mut row = 0;
    let mut found = 0;
    while row < rows {
        if strength[row] < 2 {
            row += 1;
            continue;
        }
        let mut first = row;
        // `NO. 5, LOT 12,` on the row above has no street yet.
        while first > 0 && strength[first - 1] == 1 && row - first < 2 {
            first -= 1;
        }
        let last = block_end(layout, &parts, &strength, first, row);
        let total: u8 = strength[first..=last].iter().sum();
        let lines: Vec<(usize, &str)> = (first..=last).filter_map(|r| parts[r].map(|p| (r, p))).collect();
        propose_block(layout, &lines, total, found, out);
        found += 1;
        row = last + 1;
    }
}

/// The last row of an address that begins at `first` and surely holds `from`.
fn block_end(layout: &Layout<'_>, parts: &[Option<&str>], strength: &[u8], first: usize, from: usize) -> usize {
    let mut last = from;
    let mut plain = 0;
    for row in from + 1..parts.len().min(first + MAX_ADDRESS_ROWS) {
        let Some(part) = parts[row] else { break };
        let gap = layout.rows[row].bounds.middle() - layout.rows[row - 1].bounds.middle();
        if layout.rows[row].page != layout.rows[from].page || gap > 3.2 * layout.rows[row].height {
            break;
        }
        let goes_on = parts[row - 1].is_some_and(|p| p.trim_end().ends_with([',', '-', '&']));
        let is_place = matches(&POSTCODE, parts[row - 1].unwrap_or(""))
            && part.split_whitespace().count() <= 4
            && part.chars().all(|c| !c.is_ascii_digit());
        if strength.get(row).is_some_and(|s| *s > 0) || goes_on {
            last = row;
            plain = 0;
        } else if is_place && plain == 0 && part.chars().filter(|c| c.is_uppercase()).count() * 2 > part.chars().count()
        {
            // `SELANGOR` below the postcode.
            last = row;
            break;
        } else {
            plain += 1;
            if plain > MAX_PLAIN {
                break;
            }
        }
    }
    last
}

fn propose_block(layout: &Layout<'_>, lines: &[(usize, &str)], total: u8, before: usize, out: &mut Vec<Proposal>) {
    let mut text = String::new();
    for (_, line) in lines {
        let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '*' | '|'));
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&line.replace("  ", " "));
    }
    let evidence = lines.iter().filter_map(|(row, _)| layout.row_evidence(*row)).reduce(|a, b| Evidence {
        page: a.page,
        quad: a.quad.zip(b.quad).map(|(x, y)| x.union(&y)).or(a.quad),
        text: format!("{} {}", a.text, b.text).chars().take(MAX_TEXT_CHARS).collect(),
    });
    let Some(evidence) = evidence else { return };
    let base = match total {
        0..=2 => 0.55,
        3 | 4 => 0.82,
        _ => 0.94,
    };
    // The first block is the shop's; a head office, a buyer follow.
    push(out, FieldKey::Address, &text, base * 0.45_f32.powi(before.min(4) as i32), evidence, "address:head", None);
}
