//! Why a field came out wrong, told from the candidates.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ReceiptRead, document::Document};
use crate::{
    domain::field::{Candidate, Field, FieldKey, FieldValue},
    extract::{fold::fold_name, learn::Truth},
};

/// Wrong answers by field and cause.
pub type Causes = BTreeMap<(FieldKey, &'static str), usize>;

/// A field of a document of one receipt that came out wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// The row of the tables.
    pub source: String,
    /// The file, relative to its folder.
    pub file: String,
    /// The field.
    pub field: FieldKey,
    /// Why.
    pub cause: &'static str,
    /// What is labelled; dates of which any is right, all of them.
    pub labelled: Vec<String>,
    /// What was proposed, and its probability.
    pub proposed: Option<(String, f32)>,
    /// The other candidates, in the order they were found, at most [`MOST_OTHERS`].
    pub others: Vec<String>,
}

/// Candidates listed beside a wrong answer.
const MOST_OTHERS: usize = 12;

/// How often each cause was one.
pub fn causes(failures: &[Failure]) -> Causes {
    let mut causes = Causes::new();
    for failure in failures {
        *causes.entry((failure.field, failure.cause)).or_default() += 1;
    }
    causes
}

/// What is wrong with a document of one receipt; nothing for one that shows several.
pub fn of(document: &Document, reads: &[ReceiptRead]) -> Vec<Failure> {
    if !document.label.multi.is_empty() {
        return Vec::new();
    }
    let truth = document.truth();
    let wrong = |key: FieldKey| {
        let read = reads.first();
        let field = read.and_then(|r| r.extraction.fields.get(&key));
        let right = field.and_then(|f| truth.judge(key, &f.value)) == Some(true);
        if !truth.is_labelled(key) || right {
            return None;
        }
        let candidates: Vec<&Candidate> =
            read.iter().flat_map(|r| &r.extraction.candidates).filter(|c| c.key == key).collect();
        let cause =
            if read.is_some() { cause(key, field, &candidates, &truth) } else { "the document could not be read" };
        Some(Failure {
            source: document.source.clone(),
            file: document.label.file.clone().unwrap_or_default(),
            field: key,
            cause,
            labelled: labelled(key, &truth),
            proposed: field.map(|f| (f.value.to_string(), f.p)),
            others: candidates.iter().map(|c| c.value.to_string()).take(MOST_OTHERS).collect(),
        })
    };
    [FieldKey::Total, FieldKey::Date, FieldKey::Merchant].into_iter().filter_map(wrong).collect()
}

fn labelled(key: FieldKey, truth: &Truth) -> Vec<String> {
    match key {
        FieldKey::Total => truth.total.iter().map(ToString::to_string).collect(),
        FieldKey::Date => truth.dates.iter().map(ToString::to_string).collect(),
        _ => truth.merchant.iter().cloned().collect(),
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
    let mut wanted = labelled(key, truth);
    if key == FieldKey::Merchant {
        for name in &mut wanted {
            *name = fold_name(name);
        }
    }
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
