//! Invoice number, tax ids, telephone and address.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    dates,
    layout::Layout,
    rank::{Features, Proposal},
    words::{self, Hit, Label as L},
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue, MAX_TEXT_CHARS},
    time::CivilDate,
};

/// Proposals kept per field.
const MAX_PROPOSALS: usize = 12;
/// Rows of one address.
const MAX_ADDRESS_ROWS: usize = 4;

static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9][A-Za-z0-9/._#-]{1,30}[A-Za-z0-9]|\d{3,}").ok());

/// Patterns of tax ids, most specific first, with how sure one is without a label.
static TAX_IDS: LazyLock<Vec<(Regex, f32)>> = LazyLock::new(|| {
    [
        (r"\bCHE[-\s.]?\d{3}[.\s]?\d{3}[.\s]?\d{3}\b", 0.95),
        (r"\bDE\s?\d{3}\s?\d{3}\s?\d{3}\b", 0.92),
        (r"\bATU\d{8}\b", 0.92),
        (r"\b(?:91|92|93|51|52|12|11)\d{6}[0-9A-HJ-NP-RTUWXY]{10}\b", 0.95),
        (r"\b\d{2}[A-Z]{5}\d{4}[A-Z]\d?Z[0-9A-Z]\b", 0.9),
        (r"\b(?:FR[0-9A-Z]{2}\s?\d{9}|IT\s?\d{11}|NL\d{9}B\d{2}|ES[A-Z0-9]\d{7}[A-Z0-9]|BE\s?0\d{9}|PL\d{10})\b", 0.9),
        (r"\bGB\s?\d{3}\s?\d{4}\s?\d{2}\b", 0.9),
    ]
    .into_iter()
    .filter_map(|(pattern, p)| Regex::new(pattern).ok().map(|r| (r, p)))
    .collect()
});
/// What a tax id looks like after a label.
static LABELLED_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Z]{0,3}\d[\dA-Z][\dA-Z .\-/]{5,20}[\dA-Z]").ok());
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\+?\(?\d[\d\s()./-]{5,18}\d").ok());
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:jalan|jln|lorong|lot|taman|persiaran|lebuh|street|road|avenue|blvd|boulevard|highway|suite)\b",
        r"|(?:stra(?:ss|ß)e|str\.|gasse|platz|weg|allee)\s?\d|\b(?:rue|via|viale|piazza|chemin|route|quai)\s|\b\d{5}\s+\p{L}{3}|\b(?:CH-)?\d{4}\s+\p{Lu}\p{L}{2}|\b[A-Z]{2}\s+\d{5}|[省市区县區縣].*[路街道号號弄巷]"
    ))
    .ok()
});

/// Every number and line of the letterhead worth proposing.
pub fn propose(layout: &Layout<'_>, today: CivilDate) -> Vec<Proposal> {
    let mut out = Vec::new();
    invoice_numbers(layout, today, &mut out);
    tax_ids(layout, &mut out);
    phones(layout, &mut out);
    addresses(layout, &mut out);
    out
}

fn push(
    out: &mut Vec<Proposal>,
    key: FieldKey,
    text: &str,
    p: f32,
    evidence: Evidence,
    finder: &'static str,
    reason: Option<&str>,
) {
    let text: String = text.trim().chars().take(MAX_TEXT_CHARS).collect();
    let known = out.iter().any(|o| o.key == key && o.value == FieldValue::Text(text.clone()));
    if text.is_empty() || known || out.iter().filter(|o| o.key == key).count() >= MAX_PROPOSALS {
        return;
    }
    out.push(Proposal {
        key,
        value: FieldValue::Text(text),
        evidence: vec![evidence],
        finder,
        reasons: reason.into_iter().map(|r| format!("label:{r}")).collect(),
        features: Features(vec![("p", p)]),
    });
}

/// The text a label announces: the rest of its segment, then the neighbour to the right, then what stands below.
fn announced(layout: &Layout<'_>, at: usize, hit: &Hit) -> Vec<(usize, Range<usize>)> {
    let mut out = vec![(at, hit.end..layout.segments[at].text.len())];
    let row = &layout.rows[layout.segments[at].row];
    if let Some(right) = row.segments.iter().copied().find(|i| *i > at) {
        out.push((right, 0..layout.segments[right].text.len()));
    }
    if let Some(below) = layout.vertical(at, true, 2.5) {
        let row = &layout.rows[below.row];
        if let Some(i) = row.segments.iter().copied().find(|i| std::ptr::eq(&raw const layout.segments[*i], below)) {
            out.push((i, 0..below.text.len()));
        }
    }
    out
}

fn invoice_numbers(layout: &Layout<'_>, today: CivilDate, out: &mut Vec<Proposal>) {
    let Some(pattern) = NUMBER.as_ref() else { return };
    let mut found: Vec<(f32, String, Evidence, &'static str)> = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate() {
        for hit in words::find(&segment.text).iter().filter(|h| h.label == L::InvoiceNumber || h.label == L::Title) {
            // `Invoice` alone may be the title; `Invoice no.` is not.
            let sure = match hit.label {
                L::Title => 0.35,
                _ if hit.phrase.contains(['号', '號']) => 0.93,
                _ if hit.phrase.contains(' ') || hit.phrase.contains("nummer") => 0.8,
                _ => 0.5,
            };
            for (step, (i, range)) in announced(layout, at, hit).into_iter().enumerate() {
                let text = layout.segments[i].text.get(range.clone()).unwrap_or("");
                // Only what follows directly; a colon, hash or `no.` may stand between.
                let Some(m) = pattern.find_iter(text).find(|m| is_number(m.as_str(), today)) else { continue };
                let letters_between = text[..m.start()].chars().filter(|c| c.is_alphabetic()).count();
                if letters_between > 3 {
                    continue;
                }
                let value = m.as_str().trim_matches(|c: char| !c.is_alphanumeric());
                let place = [1.0, 0.9, 0.55][step.min(2)];
                let length = if value.len() < 4 { 0.6 } else { 1.0 };
                let evidence = layout.evidence(i, &(range.start + m.start()..range.start + m.end()));
                found.push((sure * place * length, value.to_owned(), evidence, hit.phrase));
                break;
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (p, value, evidence, phrase) in found {
        push(out, FieldKey::InvoiceNumber, &value, p, evidence, "invoice_number:label", Some(phrase));
    }
}

fn is_number(text: &str, today: CivilDate) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 2 && digits * 3 >= text.len() && dates::find(text, today).is_empty() && dates::find_times(text).is_empty()
}

fn tax_ids(layout: &Layout<'_>, out: &mut Vec<Proposal>) {
    // In reading order: on a fapiao the buyer's comes first.
    let mut found: Vec<(f32, String, Evidence, bool)> = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate() {
        let direct = TAX_IDS.iter().find_map(|(pattern, p)| pattern.find(&segment.text).map(|m| (m.range(), *p)));
        if let Some((range, p)) = direct {
            let value = segment.text.get(range.clone()).unwrap_or("").to_owned();
            let chinese = value.chars().all(char::is_alphanumeric) && value.len() == 18;
            found.push((p, value, layout.evidence(at, &range), chinese));
            continue;
        }
        let Some(pattern) = LABELLED_ID.as_ref() else { continue };
        for hit in words::find(&segment.text).iter().filter(|h| h.label == L::TaxId) {
            for (i, range) in announced(layout, at, hit).into_iter().take(2) {
                let text = layout.segments[i].text.get(range.clone()).unwrap_or("");
                if let Some(m) = pattern
                    .find(text)
                    .filter(|m| text[..m.start()].chars().filter(|c| c.is_alphanumeric()).count() <= 4)
                {
                    let evidence = layout.evidence(i, &(range.start + m.start()..range.start + m.end()));
                    let registration = hit.phrase.contains("co") && hit.phrase.contains("no");
                    let p = if registration { 0.35 } else { 0.8 };
                    found.push((p, m.as_str().trim().to_owned(), evidence, hit.phrase.contains("识别")));
                    break;
                }
            }
        }
    }
    let mut distinct: Vec<&String> = found.iter().filter(|f| f.3).map(|f| &f.1).collect();
    distinct.dedup();
    let buyer = (distinct.len() >= 2).then(|| distinct[0].clone());
    for (p, value, evidence, _) in &found {
        if Some(value) == buyer.as_ref() {
            push(out, FieldKey::BuyerTaxId, value, *p * 0.9, evidence.clone(), "tax_id:first", None);
        }
    }
    found.retain(|f| Some(&f.1) != buyer.as_ref());
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (p, value, evidence, _) in found {
        push(out, FieldKey::SellerTaxId, &value, p, evidence, "tax_id:pattern", None);
    }
}

fn phones(layout: &Layout<'_>, out: &mut Vec<Proposal>) {
    let Some(pattern) = PHONE.as_ref() else { return };
    for (at, segment) in layout.segments.iter().enumerate() {
        let hits = words::find(&segment.text);
        let Some(hit) = hits.iter().find(|h| h.label == L::Phone && !h.phrase.starts_with("fax")) else { continue };
        for (i, range) in announced(layout, at, hit).into_iter().take(2) {
            let text = layout.segments[i].text.get(range.clone()).unwrap_or("");
            if let Some(m) = pattern.find(text).filter(|m| m.start() < 12) {
                let evidence = layout.evidence(i, &(range.start + m.start()..range.start + m.end()));
                push(out, FieldKey::Phone, m.as_str(), 0.85, evidence, "phone:label", Some(hit.phrase));
                break;
            }
        }
    }
}

fn addresses(layout: &Layout<'_>, out: &mut Vec<Proposal>) {
    let is_address = |row: usize| {
        layout.rows.get(row).is_some_and(|r| {
            ADDRESS.as_ref().is_some_and(|p| p.is_match(&r.text))
                && super::numbers::find(&r.text).iter().all(|a| a.decimals != 2)
        })
    };
    // The head of the paper only: further down addresses are other people's.
    let Some(first) = (0..layout.rows.len().min(25)).find(|r| is_address(*r)) else { return };
    let last = (first..first + MAX_ADDRESS_ROWS).take_while(|r| is_address(*r)).last().unwrap_or(first);
    let parts: Vec<Evidence> = (first..=last).filter_map(|r| layout.row_evidence(r)).collect();
    let text = parts.iter().map(|e| e.text.replace("  ", " ")).collect::<Vec<_>>().join(", ");
    if let Some(evidence) = parts.into_iter().reduce(|a, b| Evidence {
        page: a.page,
        quad: a.quad.zip(b.quad).map(|(x, y)| x.union(&y)).or(a.quad),
        text: format!("{} {}", a.text, b.text),
    }) {
        push(out, FieldKey::Address, &text, 0.6, evidence, "address:head", None);
    }
}
