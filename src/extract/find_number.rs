//! Invoice number and tax ids.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    check_digits::{self, Verdict},
    dates, find_contact,
    layout::Layout,
    rank::{Features, Proposal},
    times,
    words::{self, Hit, Label as L},
};
use crate::domain::{
    credit_code,
    field::{Evidence, FieldKey, FieldValue, MAX_TEXT_CHARS},
    time::CivilDate,
};

/// Proposals kept per field.
const MAX_PROPOSALS: usize = 12;

static NUMBER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b[A-Z]{1,4}\s\d{4,}\b|[A-Za-z0-9][A-Za-z0-9/._#-]{1,30}[A-Za-z0-9]|\d{3,}").ok());

/// Patterns of tax ids, most specific first, with how sure one is without a label.
static TAX_IDS: LazyLock<Vec<(Regex, f32)>> = LazyLock::new(|| {
    [
        (r"\bCHE\s?[-.]?\s?\d{3}[.\s]?\d{3}[.\s]?\d{3}\b", 0.95),
        (r"\bDE\s?\d{3}\s?\d{3}\s?\d{3}\b", 0.92),
        (r"\bATU\d{8}\b", 0.92),
        // Letters that the code has not (I, O, S, Z) are let in: recognition puts them, the check digit finds out.
        (r"(?:^|[^0-9A-Za-z])((?:9[123]|5[12]|1[12])[0-9OI]{6}[0-9A-Z]{10})(?:[^0-9A-Za-z]|$)", 0.9),
        (r"\b\d{2}[A-Z]{5}\d{4}[A-Z]\d?Z[0-9A-Z]\b", 0.9),
        (r"\b(?:FR[0-9A-Z]{2}\s?\d{9}|IT\s?\d{11}|NL\d{9}B\d{2}|ES[A-Z0-9]\d{7}[A-Z0-9]|BE\s?0\d{9}|PL\d{10})\b", 0.9),
        (r"\bGB\s?\d{3}\s?\d{4}\s?\d{2}\b", 0.9),
        // Malaysia: GST numbers have twelve digits (until 2018), SST numbers a letter and fourteen.
        (r"(?i)gst[^0-9]{0,14}(0\d{11})\b", 0.96),
        (r"\b([A-Z]\d{2}-\d{4}-\d{8})\b", 0.95),
    ]
    .into_iter()
    .filter_map(|(pattern, p)| Regex::new(pattern).ok().map(|r| (r, p)))
    .collect()
});
/// What a tax id looks like after a label.
static LABELLED_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Z]{0,3}\d[\dA-Z][\dA-Z .\-/]{5,20}[\dA-Z]").ok());
/// Every number and line of the letterhead worth proposing.
pub fn propose(layout: &Layout<'_>, today: CivilDate) -> Vec<Proposal> {
    let mut out = Vec::new();
    invoice_numbers(layout, today, &mut out);
    tax_ids(layout, today, &mut out);
    find_contact::propose(layout, today, &mut out);
    out
}

/// Adds a proposal unless the text is empty, known, or there are enough.
pub fn push(
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
pub fn announced(layout: &Layout<'_>, at: usize, hit: &Hit) -> Vec<(usize, Range<usize>)> {
    let mut out = vec![(at, hit.end..layout.segments[at].text.len())];
    let row = &layout.rows[layout.segments[at].row];
    // A colon is often a box of its own.
    let says = |i: &usize| layout.segments[*i].text.chars().any(char::is_alphanumeric);
    if let Some(right) = row.segments.iter().copied().find(|i| *i > at && says(i)) {
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
                _ if hit.phrase.contains(['号', '號']) => 0.97,
                _ if hit.phrase.contains(' ') || hit.phrase.contains("nummer") => 0.93,
                _ => 0.72,
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
                let place = [1.0, 0.97, 0.55][step.min(2)];
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
    digits >= 2 && digits * 3 >= text.len() && dates::find(text, today).is_empty() && times::find(text).is_empty()
}

/// A tax id where it stands.
struct TaxId {
    p: f32,
    value: String,
    evidence: Evidence,
    reasons: Vec<String>,
    /// A 统一社会信用代码, or one after a label that says so: a fapiao has the buyer's and the seller's.
    chinese: bool,
    /// Stands below a label of the buyer.
    of_buyer: bool,
}

fn tax_ids(layout: &Layout<'_>, today: CivilDate, out: &mut Vec<Proposal>) {
    // In reading order: on a fapiao the buyer's comes first.
    let mut found: Vec<TaxId> = Vec::new();
    let mut of_buyer = false;
    for (at, segment) in layout.segments.iter().enumerate() {
        let hits = words::find(&segment.text);
        of_buyer |= hits.iter().any(|h| h.label == L::Buyer && !h.phrase.chars().any(super::fold::is_cjk));
        let direct = TAX_IDS.iter().find_map(|(pattern, p)| {
            pattern.captures(&segment.text).and_then(|c| c.get(1).or_else(|| c.get(0))).map(|m| (m.range(), *p))
        });
        if let Some((range, p)) = direct {
            let value = segment.text.get(range.clone()).unwrap_or("").to_owned();
            found.push(checked(p, value, layout.evidence(at, &range), None, of_buyer));
            continue;
        }
        let Some(pattern) = LABELLED_ID.as_ref() else { continue };
        for hit in hits.iter().filter(|h| h.label == L::TaxId) {
            for (i, range) in announced(layout, at, hit).into_iter().take(2) {
                let text = layout.segments[i].text.get(range.clone()).unwrap_or("");
                if let Some(m) = pattern
                    .find(text)
                    .filter(|m| dates::find(m.as_str(), today).is_empty())
                    .filter(|m| text[..m.start()].chars().filter(|c| c.is_alphanumeric()).count() <= 6)
                {
                    let evidence = layout.evidence(i, &(range.start + m.start()..range.start + m.end()));
                    // The register of companies is not the tax office: believed only when nothing else is printed.
                    let registration =
                        ["co reg no", "company reg no", "reg no", "roc no", "co no"].contains(&hit.phrase);
                    let p = if registration { 0.3 } else { 0.96 };
                    found.push(checked(p, m.as_str().trim().to_owned(), evidence, Some(hit.phrase), of_buyer));
                    break;
                }
            }
        }
    }
    let mut distinct: Vec<&String> = found.iter().filter(|f| f.chinese).map(|f| &f.value).collect();
    distinct.dedup();
    let buyer = (distinct.len() >= 2).then(|| distinct[0].clone());
    let mut ids: Vec<(FieldKey, TaxId)> = found
        .into_iter()
        .map(|f| {
            if Some(&f.value) == buyer.as_ref() || f.of_buyer {
                (FieldKey::BuyerTaxId, TaxId { p: f.p * 0.9, ..f })
            } else {
                (FieldKey::SellerTaxId, f)
            }
        })
        .collect();
    ids.sort_by(|a, b| b.1.p.total_cmp(&a.1.p));
    for (key, id) in ids {
        let before = out.len();
        push(out, key, &id.value, id.p, id.evidence, "tax_id:pattern", None);
        if let Some(added) = out.get_mut(before) {
            added.reasons = id.reasons;
        }
    }
}

/// The id with what its check digit says about it; one misread letter is put right.
fn checked(p: f32, value: String, evidence: Evidence, phrase: Option<&'static str>, of_buyer: bool) -> TaxId {
    let mut reasons: Vec<String> = phrase.into_iter().map(|phrase| format!("label:{phrase}")).collect();
    let chinese =
        credit_code::looks_like_one(&check_digits::plain(&value)) || phrase.is_some_and(|l| l.contains("识别"));
    let (p, value) = match check_digits::verify(&value) {
        Verdict::Valid => {
            reasons.push("check_digit".to_owned());
            (p.max(0.985), value)
        }
        Verdict::Invalid => {
            if let Some(repaired) = check_digits::repair(&value) {
                reasons.push("check_digit:repaired".to_owned());
                (p * 0.85, repaired)
            } else {
                reasons.push("check_digit_wrong".to_owned());
                (p * 0.5, value)
            }
        }
        Verdict::Unknown => (p, value),
    };
    TaxId { p, value, evidence, reasons, chinese, of_buyer }
}
