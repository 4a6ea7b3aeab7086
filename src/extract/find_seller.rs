//! Names that stand after a label: `商户名称`, `单位名称`, the two `名称` of a fapiao, `Merchant:`.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    find_merchant::Printed,
    layout::Layout,
    rank::{Features, Proposal},
    words::{self, Label as L},
};

use crate::domain::field::{FieldKey, FieldValue, MAX_TEXT_CHARS};

/// Labels of one receipt that are followed; a fapiao has two.
const MAX_LABELS: usize = 24;

/// `名称:`, also with the two characters pulled apart; not the column head `货物或应税劳务、服务名称`.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:购买方|销售方|购方|销方|[购销售买方信息\s]{0,8})?名\s*[称稱]\s*[:：]?\s*(.*)$").ok()
});
static NAME_TAIL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[称稱]\s*[:：]\s*(.*)$").ok());

/// Every name after a label of the seller or the buyer, in reading order.
pub fn find(layout: &Layout<'_>) -> Vec<Printed> {
    let names = fapiao_names(layout);
    let mut out: Vec<Printed> = names
        .iter()
        .map(|(at, range)| {
            // The buyer's name stands first; on one row, left. A single one is the seller's.
            let own = (layout.segments[*at].row, *at);
            let last = names.iter().all(|(other, _)| (layout.segments[*other].row, *other) <= own);
            labelled(layout, *at, range.clone(), last)
        })
        .collect();
    for (at, segment) in layout.segments.iter().enumerate() {
        if out.len() >= MAX_LABELS || names.iter().any(|(taken, _)| *taken == at) {
            continue;
        }
        let hits = words::find(&segment.text);
        let Some(hit) = hits.iter().rev().find(|h| matches!(h.label, L::Seller | L::Buyer)) else { continue };
        // `销售方` in the margin of a fapiao is no label of what stands beside it.
        if matches!(hit.phrase, "销售方" | "销方" | "购买方" | "购方" | "賣方" | "買方" | "买方") {
            continue;
        }
        let after = hit.end..segment.text.len();
        if let Some((target, range)) = value_after(layout, at, after) {
            out.push(labelled(layout, target, range, hit.label == L::Seller));
        }
    }
    out
}

/// The names after a label of the buyer, as proposals for that field.
pub fn buyers(layout: &Layout<'_>) -> Vec<Proposal> {
    let mut out: Vec<Proposal> = Vec::new();
    for name in find(layout).into_iter().filter(|name| name.buyer) {
        // `名称：X 密码区 …`: what stands further right is another box.
        let text: String = name.text.trim().chars().take(MAX_TEXT_CHARS).collect();
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let value = FieldValue::Text(text);
        if letters < 2 || out.iter().any(|o| o.value == value) {
            continue;
        }
        let first = out.is_empty();
        out.push(Proposal {
            key: FieldKey::BuyerName,
            value,
            evidence: vec![name.evidence],
            finder: "buyer:label",
            reasons: vec!["label:buyer".to_owned()],
            features: Features(vec![("p", if first { 0.85 } else { 0.08 })]),
        });
    }
    out
}

/// Segment and range of each value after `名称`.
fn fapiao_names(layout: &Layout<'_>) -> Vec<(usize, Range<usize>)> {
    let (Some(name), Some(tail)) = (NAME.as_ref(), NAME_TAIL.as_ref()) else { return Vec::new() };
    let mut out = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate() {
        let left_is_name = || layout.left_of(at).next().is_some_and(|l| l.text.trim_end().ends_with('名'));
        let found = name
            .captures(&segment.text)
            .or_else(|| tail.captures(&segment.text).filter(|_| left_is_name()))
            .and_then(|c| c.get(1));
        let Some(value) = found else { continue };
        if let Some(target) = value_after(layout, at, value.range())
            && out.len() < MAX_LABELS
        {
            out.push(target);
        }
    }
    out
}

/// The rest of the segment when it says something, else the neighbour to the right.
fn value_after(layout: &Layout<'_>, at: usize, after: Range<usize>) -> Option<(usize, Range<usize>)> {
    let segment = &layout.segments[at];
    let says = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count() >= 2;
    if says(segment.text.get(after.clone())?) {
        return Some((at, after));
    }
    let row = &layout.rows[segment.row];
    let right = row.segments.iter().copied().find(|i| *i > at)?;
    let text = &layout.segments[right].text;
    says(text).then_some((right, 0..text.len()))
}

fn labelled(layout: &Layout<'_>, at: usize, range: Range<usize>, seller: bool) -> Printed {
    let segment = &layout.segments[at];
    let text = segment.text.get(range.clone()).unwrap_or("").to_owned();
    Printed {
        text: text.trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned(),
        row: segment.row,
        rows: 1,
        evidence: layout.evidence(at, &range),
        height: segment.bounds.height(),
        legibility: segment.score_of(&range),
        seller,
        buyer: !seller,
        piece: false,
        stripped: false,
        is_mended: false,
        ways: 1,
    }
}
