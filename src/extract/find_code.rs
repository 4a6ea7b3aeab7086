//! What the codes on a receipt say, as exact candidates. Feature `exact` overrules the ranker.

use rust_decimal::Decimal;

use super::{
    arithmetic::Sums,
    money::Mention,
    payloads::{self, Payload},
    rank::{Features, Proposal},
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue},
    page::Code,
};

/// Codes of one receipt that are looked at.
const MAX_CODES: usize = 16;
/// Characters of a payload shown as evidence.
const MAX_SHOWN: usize = 120;
/// The printed total a net amount leads to.
const GROSS: f32 = 0.97;

/// Exact proposals from the codes.
pub fn propose(codes: &[Code], mentions: &[Mention], sums: &Sums) -> Vec<Proposal> {
    let mut out = Vec::new();
    for code in codes.iter().take(MAX_CODES) {
        let Some(payload) = payloads::parse(&code.text) else { continue };
        let shown = code.text.chars().take(MAX_SHOWN).collect();
        let evidence = Evidence { page: code.page, quad: Some(code.quad), text: shown };
        let mut push = |key, value, p| {
            out.push(Proposal {
                key,
                value,
                evidence: vec![evidence.clone()],
                finder: finder(&payload),
                reasons: vec![format!("code:{}", payload.format)],
                features: Features(vec![("exact", p), ("p", p)]),
            });
        };
        let gross = payload.needs_gross.map(|net| (net, gross_of(net, mentions, sums)));
        for (key, value, p) in &payload.values {
            // A net amount that is itself the printed total, written out in capitals, was no net amount: tax is not due, or a
            // roll invoice states it with tax.
            let is_total = *key == FieldKey::Net && gross.is_some_and(|(net, total)| total == Some(net));
            push(*key, value.clone(), if is_total { 0.9 } else { *p });
        }
        if let Some((_, Some(total))) = gross {
            push(FieldKey::Total, FieldValue::Amount(total), GROSS);
        }
    }
    out
}

const fn finder(payload: &Payload) -> &'static str {
    // One name for statistics; the reason says which kind.
    match payload.format.as_bytes() {
        b"fapiao" => "code:fapiao",
        _ => "code:payload",
    }
}

/// The printed total a net amount leads to: written out in capitals, or net + a printed tax that is itself printed.
fn gross_of(net: Decimal, mentions: &[Mention], sums: &Sums) -> Option<Decimal> {
    let plausible = |total: Decimal| total >= net && total * Decimal::from(100) <= net * Decimal::from(120);
    let printed = |value: Decimal| mentions.iter().any(|m| m.amount.value == value);
    if let Some(total) = sums.capitals.iter().copied().find(|t| plausible(*t)) {
        let mut total = total;
        total.rescale(2);
        return Some(total);
    }
    mentions.iter().map(|m| net + m.amount.value).find(|total| *total > net && plausible(*total) && printed(*total))
}
