//! Why a field came out wrong, told from the candidates.

use std::collections::BTreeMap;

use super::{ReceiptRead, document::Document};
use crate::{
    domain::field::{Candidate, Field, FieldKey, FieldValue},
    extract::{fold::fold_name, learn::Truth},
};

/// Wrong answers by field and cause.
pub type Causes = BTreeMap<(FieldKey, &'static str), usize>;

/// Adds the causes of what is wrong with a document of one receipt.
pub fn count(causes: &mut Causes, document: &Document, reads: &[ReceiptRead]) {
    if !document.label.multi.is_empty() {
        return;
    }
    let truth = document.truth();
    for key in [FieldKey::Total, FieldKey::Date, FieldKey::Merchant] {
        let Some(read) = reads.first() else {
            if truth.is_labelled(key) {
                *causes.entry((key, "the document could not be read")).or_default() += 1;
            }
            continue;
        };
        let field = read.extraction.fields.get(&key);
        let right = field.and_then(|f| truth.judge(key, &f.value));
        if truth.is_labelled(key) && right != Some(true) {
            let candidates: Vec<&Candidate> = read.extraction.candidates.iter().filter(|c| c.key == key).collect();
            *causes.entry((key, cause(key, field, &candidates, &truth))).or_default() += 1;
        }
    }
}

fn cause(key: FieldKey, field: Option<&Field>, candidates: &[&Candidate], truth: &Truth) -> &'static str {
    let seen = candidates.iter().any(|c| truth.judge(key, &c.value) == Some(true));
    match (key, field) {
        (_, None) if seen => "seen, but not probable enough to propose",
        (FieldKey::Date, Some(field)) if seen && is_swapped(&field.value, truth) => {
            "day and month taken for each other"
        }
        (FieldKey::Total, Some(field)) if seen => match field.source.as_str() {
            "total:unlabelled" => "an amount without a label was preferred",
            "total:other_label" => "an amount with another label was preferred",
            _ => "another amount called total was preferred",
        },
        (_, Some(_)) if seen => "another candidate was preferred",
        _ if is_misread(key, candidates, truth) => "its characters were misread",
        _ => "it is not among the candidates",
    }
}

fn is_swapped(value: &FieldValue, truth: &Truth) -> bool {
    value.as_date().is_some_and(|read| {
        truth.dates.iter().any(|d| {
            d.year() == read.year() && i16::from(d.month()) == i16::from(read.day()) && d.day() == read.month()
        })
    })
}

/// Whether a candidate differs from the right value by one or two characters.
fn is_misread(key: FieldKey, candidates: &[&Candidate], truth: &Truth) -> bool {
    let wanted: Vec<String> = match key {
        FieldKey::Total => truth.total.iter().map(ToString::to_string).collect(),
        FieldKey::Date => truth.dates.iter().map(ToString::to_string).collect(),
        _ => truth.merchant.iter().map(|m| fold_name(m)).collect(),
    };
    let shown = |c: &&Candidate| match key {
        FieldKey::Merchant => fold_name(&c.value.to_string()),
        _ => c.value.to_string(),
    };
    candidates.iter().map(shown).any(|read| {
        let read: Vec<char> = read.chars().collect();
        wanted.iter().any(|w| {
            let w: Vec<char> = w.chars().collect();
            let most = if key == FieldKey::Merchant { w.len() / 4 } else { 1 };
            crate::extract::fold::distance(&w, &read) <= most
        })
    })
}
