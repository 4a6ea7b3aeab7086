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
    /// The candidates, in the order they were found, at most [`MOST_CANDIDATES`].
    pub candidates: Vec<String>,
}

/// Candidates listed with a wrong answer.
const MOST_CANDIDATES: usize = 12;

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
            candidates: candidates.iter().map(|c| c.value.to_string()).take(MOST_CANDIDATES).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::eval::labels::Label, extract::Extraction};

    fn amount(text: &str) -> FieldValue {
        FieldValue::Amount(text.parse().expect("an amount"))
    }

    fn candidate(text: &str) -> Candidate {
        Candidate {
            key: FieldKey::Total,
            value: amount(text),
            evidence: Vec::new(),
            finder: "total:unlabelled",
            score: 0.0,
            reasons: Vec::new(),
        }
    }

    fn total(value: &str, p: f32) -> ReceiptRead {
        let field = Field {
            key: FieldKey::Total,
            value: amount(value),
            p,
            evidence: None,
            source: "total:unlabelled".to_owned(),
            reasons: Vec::new(),
            alternatives: Vec::new(),
        };
        let candidates = vec![candidate("30.00"), candidate("12.00")];
        let fields = [(FieldKey::Total, field)].into_iter().collect();
        ReceiptRead { extraction: Extraction { fields, candidates, ..Extraction::default() }, seconds: 0.0 }
    }

    fn labelled_twelve() -> Document {
        Document {
            source: "till".to_owned(),
            label: Label {
                file: Some("img/1.jpg".to_owned()),
                total: Some("12.00".parse().expect("an amount")),
                ..Label::default()
            },
            shown: Vec::new(),
            receipts: Vec::new(),
            seconds: 0.0,
            is_transcript: false,
            engine: None,
        }
    }

    #[test]
    fn a_wrong_total_is_listed_with_what_was_labelled_and_what_was_seen() {
        let document = labelled_twelve();
        assert_eq!(of(&document, &[total("12.00", 0.9)]), [], "right, and nothing else is labelled");
        let wrong = of(&document, &[total("30.00", 0.75)]);
        let expected = Failure {
            source: "till".to_owned(),
            file: "img/1.jpg".to_owned(),
            field: FieldKey::Total,
            cause: "an amount without a label was preferred",
            labelled: vec!["12.00".to_owned()],
            proposed: Some(("30.00".to_owned(), 0.75)),
            candidates: vec!["30.00".to_owned(), "12.00".to_owned()],
        };
        assert_eq!(wrong, [expected]);
        assert_eq!(causes(&wrong).into_iter().collect::<Vec<_>>().len(), 1);
    }

    #[test]
    fn what_could_not_be_read_is_wrong_and_a_picture_of_several_is_left_to_its_parts() {
        let mut document = labelled_twelve();
        assert_eq!(of(&document, &[])[0].cause, "the document could not be read");
        document.label.multi = vec!["img/2.jpg".to_owned()];
        assert_eq!(of(&document, &[]), []);
    }
}
