//! Trade names and legal names: which of two printed names is the merchant, and which the company's in its register.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    find_merchant::{Printed, clean},
    fold::{fold_name, letters},
    judge_merchant::{LEGAL, LEGAL_LEFT_OUT, LEGAL_MALAYSIA, matches},
    rank::{Features, Proposal},
};
use crate::domain::field::{FieldKey, FieldValue};

/// Probability of a legal name printed beside the same name without its legal form.
const SURE_LEGAL: f32 = 0.9;

/// `Nordtor GmbH` where `Nordtor` stands alone as well: the one is the legal name and no merchant's name to choose, and
/// where it stands the trade name is understood. Only legal forms that everyday use leaves out.
pub fn take(printed: &mut [Printed]) -> Vec<Proposal> {
    let folded = |name: &Printed| clean(&name.text).map(|text| fold_name(&text)).unwrap_or_default();
    let bare: Vec<String> = printed.iter().filter(|n| !n.buyer && !n.is_mended).map(folded).collect();
    let mut out: Vec<Proposal> = Vec::new();
    for name in printed.iter_mut().filter(|n| !n.buyer && n.rows == 1 && matches(&LEGAL_LEFT_OUT, &n.text)) {
        let Some(trade) = without_legal_form(name) else { continue };
        if !bare.contains(&folded(&trade)) {
            continue;
        }
        if out.is_empty()
            && let Some(text) = clean(&name.text)
        {
            out.push(Proposal {
                key: FieldKey::MerchantLegal,
                value: FieldValue::Text(text),
                finder: "merchant_legal:head",
                evidence: vec![name.evidence.clone()],
                reasons: vec!["legal form".to_owned()],
                features: Features(vec![("p", SURE_LEGAL)]),
            });
        }
        *name = Printed { stripped: false, piece: name.piece, ..trade };
    }
    out
}

/// Features that say a name carries its legal form.
const LEGAL_FEATURES: [&str; 3] = ["legal", "legal_malaysia", "legal_china"];

fn is_legal(proposal: &Proposal) -> bool {
    LEGAL_FEATURES.iter().any(|name| proposal.features.get(name) > 0.0)
}

/// `real` and `real GmbH` both printed: one is the trade name of the other.
pub fn mark_twins(folds: &[String], proposals: &mut [Proposal]) {
    let legal: Vec<bool> = proposals.iter().map(is_legal).collect();
    for (at, own) in folds.iter().enumerate() {
        let long_enough = |name: &str| name.chars().count() >= 3;
        let legal_twin = !legal[at]
            && long_enough(own)
            && folds
                .iter()
                .zip(&legal)
                .any(|(other, legal)| *legal && other.len() > own.len() && other.starts_with(own));
        let trade_twin = legal[at]
            && (0..folds.len()).any(|o| {
                !legal[o]
                    && proposals[o].features.get("piece") == 0.0
                    && long_enough(&folds[o])
                    && own.starts_with(&folds[o])
            });
        proposals[at].features.flag("legal_twin", legal_twin);
        proposals[at].features.flag("trade_twin", trade_twin);
    }
}

/// The legal name printed beside a trade name that was chosen, when there is one.
pub fn legal_name(chosen: &str, proposals: &[Proposal]) -> Option<Proposal> {
    let own = fold_name(chosen);
    let merchants = || proposals.iter().filter(|p| p.key == FieldKey::Merchant);
    let continues = |p: &Proposal| fold_name(&p.value.to_string()).starts_with(&own);
    let is_known = |p: &Proposal| p.key == FieldKey::MerchantLegal && continues(p);
    if proposals.iter().any(is_known) || merchants().any(|p| is_legal(p) && fold_name(&p.value.to_string()) == own) {
        return None;
    }
    let other = |p: &&Proposal| {
        is_legal(p) && ["buyer", "only_legal", "address", "contact", "joined"].iter().all(|f| p.features.get(f) == 0.0)
    };
    let found = merchants().find(|p| other(p) && continues(p)).or_else(|| merchants().find(other))?;
    let p = if continues(found) { 0.85 } else { 0.6 };
    Some(Proposal {
        key: FieldKey::MerchantLegal,
        finder: "merchant_legal:head",
        features: Features(vec![("p", p)]),
        ..found.clone()
    })
}

/// `SDN BHD` as recognition misreads it, after a name: `S0N BHD`, `SON 8HD`, `5DN. 3HD`.
static MISREAD_MALAYSIA: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b(?:[s5](?:[dioub0]n|d[nhm]|n|1n))\s?[.,]{0,2}\s{0,2}[b83]h[dino0b]\b\.?").ok());
/// `S/B`, the short form, after a name.
static MISREAD_SHORT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[Ss5]\s?/\s?[Bb8]$").ok());

/// The text with a misread Malaysian legal form mended, and without what follows it that is no word: a registration number
/// with or without its brackets, a date of the margin.
pub fn with_legal_form(text: &str) -> String {
    if let Some(found) = MISREAD_MALAYSIA.as_ref().and_then(|p| p.find(text))
        && letters(&text[..found.start()]) >= 3
    {
        let (before, form, after) = (&text[..found.start()], found.as_str(), &text[found.end()..]);
        let is_plain = fold_name(form) == "sdnbhd";
        let upper = form.chars().all(|c| !c.is_lowercase());
        let mended = if is_plain {
            form
        } else if upper {
            "SDN BHD"
        } else {
            "Sdn Bhd"
        };
        let is_number = after.chars().any(|c| c.is_ascii_digit())
            && after.split_whitespace().all(|w| letters(w) < 3 || has_digit(w));
        return format!("{before}{mended}{}", if is_number { "" } else { after });
    }
    match MISREAD_SHORT.as_ref().and_then(|p| p.find(text)) {
        Some(found) if letters(&text[..found.start()]) >= 6 => format!("{}S/B", &text[..found.start()]),
        _ => text.to_owned(),
    }
}

fn has_digit(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit())
}

/// Words that may follow the legal form in the middle of a name.
const MAX_WORDS_AFTER: usize = 3;

/// `Nordtor Kiel` for `Nordtor AG Kiel`: the legal form stands inside of the name.
pub fn around_legal_form(name: &Printed) -> Option<Printed> {
    let found = LEGAL_LEFT_OUT.as_ref()?.find(&name.text)?;
    let (before, after) = (name.text.get(..found.start())?.trim(), name.text.get(found.end()..)?.trim());
    let is_name = letters(before) >= 3 && letters(after) >= 3 && !has_digit(after);
    let short = name.rows == 1 && after.split_whitespace().count() <= MAX_WORDS_AFTER;
    (is_name && short).then(|| Printed {
        text: format!("{before} {after}"),
        stripped: true,
        piece: true,
        ..name.clone()
    })
}

/// `real` for `real GmbH`: the trade name, where the legal form is not part of it in everyday use.
pub fn without_legal_form(name: &Printed) -> Option<Printed> {
    let found = LEGAL.as_ref()?.find_iter(&name.text).last()?;
    let kept = name.text.get(..found.start())?.trim();
    if kept.chars().filter(|c| c.is_alphabetic()).count() < 3 || matches(&LEGAL_MALAYSIA, &name.text) {
        return None;
    }
    let mut stripped = name.clone();
    kept.clone_into(&mut stripped.text);
    stripped.piece = true;
    stripped.stripped = true;
    Some(stripped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{find_merchant, layout::Layout, tests};

    #[test]
    fn a_trade_name_printed_beside_its_legal_name_is_the_merchant_and_the_legal_name_is_kept() {
        let rows =
            ["Nordtor GmbH", "Nordtor  Hafenstr. 3", "24103 Kiel", "Tel. 0431 123456", "Brot  2,50", "Summe EUR  2,50"];
        let page = tests::page(&rows, 0.0);
        let layout = Layout::new(std::slice::from_ref(&page));
        let proposals = find_merchant::propose(&layout, jiff::civil::date(2026, 11, 30), &[]);
        let of = |key| proposals.iter().filter(|p| p.key == key).map(|p| p.value.to_string()).collect::<Vec<_>>();
        assert!(of(FieldKey::Merchant).contains(&"Nordtor".to_owned()));
        assert!(!of(FieldKey::Merchant).contains(&"Nordtor GmbH".to_owned()), "{:?}", of(FieldKey::Merchant));
        assert_eq!(of(FieldKey::MerchantLegal), ["Nordtor GmbH"]);
        // Without the trade name alone, the legal name stays a name to choose.
        let page = tests::page(&["Nordtor GmbH", "Hafenstr. 3", "24103 Kiel"], 0.0);
        let layout = Layout::new(std::slice::from_ref(&page));
        let proposals = find_merchant::propose(&layout, jiff::civil::date(2026, 11, 30), &[]);
        assert!(proposals.iter().any(|p| p.key == FieldKey::Merchant && p.value.to_string() == "Nordtor GmbH"));
    }
}
