//! How it was paid, and the card's last digits.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    layout::Layout,
    money::Mention,
    rank::{Features, Proposal},
    words::Label as L,
};
use crate::domain::field::{Evidence, FieldKey, FieldValue};

/// Rows searched.
const MAX_ROWS: usize = 800;
/// A card's digits stand within this many rows of its name.
const CARD_NEAR_ROWS: usize = 6;

/// Payment method, pattern, probability. Earlier ones win on one row.
static METHODS: LazyLock<Vec<(&'static str, Regex, f32)>> = LazyLock::new(|| {
    [
        ("visa", r"(?i)\bvisa\b", 0.88),
        ("mastercard", r"(?i)\bmaster\s?card|\bmcard\b|\bmaster\b\s*[x*\d]|\beurocard\b", 0.88),
        ("amex", r"(?i)\bamex|american express", 0.88),
        ("maestro", r"(?i)\bmaestro\b", 0.88),
        ("girocard", r"(?i)girocard|ec-?karte|ec-?cash", 0.88),
        ("twint", r"(?i)\btwint\b", 0.88),
        ("postcard", r"(?i)postcard|postfinance", 0.86),
        ("alipay", r"(?i)alipay|支付宝|支付寶", 0.88),
        ("wechat", r"(?i)wechat|微信", 0.88),
        ("unionpay", r"(?i)union\s?pay|银联", 0.88),
        ("nets", r"\bNETS\b", 0.86),
        ("ewallet", r"(?i)touch.?n.?go|grabpay|boost|apple pay|google pay|e-?wallet|悠遊卡|一卡通", 0.82),
        (
            "card",
            r"(?i)\b(?:credit|debit)(?:\s?card|\s?tend)?\b|\bcard\b|kreditkarte|kartenzahlung|\bkarte\b|carte\b|信用卡|刷卡|bancomat",
            0.72,
        ),
        ("cash", r"(?i)\bcash\b|\btunai\b|\bbar\b|bargeld|esp[eè]ces|contanti|现金|現金", 0.74),
    ]
    .into_iter()
    .filter_map(|(name, pattern, p)| Regex::new(pattern).ok().map(|r| (name, r, p)))
    .collect()
});
/// Masked digits before the last four: `XXXXXXXXXXXX6901`, `**** **** **** 9689`, `4323 22XX XXXX 7361`, `ending in 1234`.
static LAST4: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:[*x•·#冰水本米木]{2,}[\s-]*)+(\d{4})(?:\b|[^\d.,]|$)",
        r"|(?:ending(?: in)?|acct\.?|account|karte(?:n-?nr)?\.?|card(?:\s?no)?\.?)\s*[:#]*\s*[*x#]*\s?(\d{4})\b(?:[^\d.,/-]|$)"
    ))
    .ok()
});

/// Proposals for payment and last four digits.
pub fn propose(layout: &Layout<'_>, mentions: &[Mention]) -> Vec<Proposal> {
    let mut out = Vec::new();
    let last4 = last_four(layout, &mut out);
    methods(layout, mentions, last4, &mut out);
    out
}

fn proposal(key: FieldKey, value: &str, p: f32, evidence: Option<Evidence>, finder: &'static str) -> Proposal {
    Proposal {
        key,
        value: FieldValue::Text(value.to_owned()),
        evidence: evidence.into_iter().collect(),
        finder,
        reasons: Vec::new(),
        features: Features(vec![("p", p)]),
    }
}

/// The first masked number; a number of points or members is masked as well, so a card must be named near it.
fn last_four(layout: &Layout<'_>, out: &mut Vec<Proposal>) -> bool {
    let Some(pattern) = LAST4.as_ref() else { return false };
    let names_card = |row: usize| {
        let from = row.saturating_sub(CARD_NEAR_ROWS);
        layout
            .rows
            .iter()
            .skip(from)
            .take(2 * CARD_NEAR_ROWS + 1)
            .any(|r| METHODS.iter().any(|(name, p, _)| *name != "cash" && p.is_match(&r.text)))
    };
    let mut best: Option<(f32, String, Evidence)> = None;
    for (row_at, row) in layout.rows.iter().enumerate().take(MAX_ROWS) {
        // Stars and digits are often read as two boxes: the row as a whole is searched.
        let Some(found) = pattern.captures(&row.text).and_then(|c| c.get(1).or_else(|| c.get(2))) else { continue };
        let p = if names_card(row_at) { 0.96 } else { 0.6 };
        let whole = || layout.row_evidence(row_at);
        let own = row.segments.iter().find_map(|at| {
            let text = &layout.segments[*at].text;
            text.find(found.as_str()).map(|from| layout.evidence(*at, &(from..from + found.len())))
        });
        if let Some(evidence) = own.or_else(whole)
            && best.as_ref().is_none_or(|(most, ..)| p > *most)
        {
            best = Some((p, found.as_str().to_owned(), evidence));
        }
    }
    let Some((p, digits, evidence)) = best else { return false };
    out.push(proposal(FieldKey::CardLast4, &digits, p, Some(evidence), "card:masked"));
    p > 0.6
}

/// Titles and people that begin like money: `cash sale`, `cash bill`.
const CASH_TITLES: &[&str] = &[
    "cash sale",
    "cash bill",
    "cash memo",
    "cash receipt",
    "cash invoice",
    "cash inv",
    "cash & carry",
    "cash book",
    "cash refund",
    "no cash",
    "cash back",
    "petty cash",
    "cash voucher",
];

fn methods(layout: &Layout<'_>, mentions: &[Mention], last4: bool, out: &mut Vec<Proposal>) {
    let changed = mentions.iter().any(|m| m.is(&[L::Change]) && !m.amount.value.is_zero());
    for (name, pattern, p) in METHODS.iter() {
        let cash = *name == "cash";
        let rows: Vec<usize> = layout
            .rows
            .iter()
            .enumerate()
            .take(MAX_ROWS)
            .filter(|(_, r)| {
                let lower = r.text.to_lowercase();
                pattern.is_match(&r.text) && !(cash && CASH_TITLES.iter().any(|t| lower.contains(t)))
            })
            .map(|(at, _)| at)
            .collect();
        let amount_on = |row: usize| mentions.iter().any(|m| m.row == row && m.amount.decimals > 0);
        // The row with the money says it best.
        let Some(row) = rows.iter().copied().find(|r| amount_on(*r)).or_else(|| rows.first().copied()) else {
            continue;
        };
        let alone = layout.rows[row].text.chars().filter(|c| c.is_alphanumeric()).count() <= name.len() + 14;
        let mut p = p + match (amount_on(row), alone) {
            (true, _) => 0.11,
            (false, true) => -0.05,
            (false, false) => -0.25,
        };
        if rows.len() > 1 {
            p += 0.03;
        }
        if cash && changed && !last4 {
            p = p.max(0.97);
        } else if cash && last4 {
            p -= 0.3;
        } else if !cash && last4 {
            p += 0.05;
        }
        let mut found =
            proposal(FieldKey::Payment, name, p.clamp(0.05, 0.98), layout.row_evidence(row), "payment:words");
        if cash && changed {
            found.reasons.push("sum:cash-change".to_owned());
        }
        out.push(found);
    }
    brand_before_card(out);
}

/// `Kartenzahlung … Debit MasterCard`: the brand says more than that it was a card.
fn brand_before_card(out: &mut [Proposal]) {
    const BRANDS: &[&str] = &["visa", "mastercard", "amex", "maestro", "girocard", "unionpay", "postcard", "nets"];
    let is = |p: &Proposal, names: &[&str]| {
        p.key == FieldKey::Payment && matches!(&p.value, FieldValue::Text(text) if names.contains(&text.as_str()))
    };
    if !out.iter().any(|p| is(p, &["card"])) || !out.iter().any(|p| is(p, BRANDS)) {
        return;
    }
    for proposal in out.iter_mut() {
        let p = proposal.features.get("p");
        if is(proposal, &["card"]) {
            proposal.features = Features(vec![("p", p.min(0.3))]);
        } else if is(proposal, BRANDS) {
            proposal.features = Features(vec![("p", p.max(0.93))]);
        }
    }
}
