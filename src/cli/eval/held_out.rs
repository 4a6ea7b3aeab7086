//! Every receipt read by a model that was not trained on it.

use std::collections::BTreeMap;

use super::{
    ReceiptRead,
    document::Document,
    folds::{self, Apart},
    labels::Label,
    score::{self, Outcome},
};
use crate::extract::{
    self, Context,
    fold::fold_name,
    learn::{self, CrossValidated, Example, Prepared, Settings, Truth},
    model::Model,
    rank::Ranker,
};

/// Parts a corpus is dealt into; each is read by a model trained on the others.
pub const FOLDS: usize = 5;
/// A source with few receipts counts for more than its number, one with many for less: weight ∝ n^(this − 1).
const SOURCE_POWER: f32 = 0.7;
/// The number of receipts at which a source's receipts count 1.
const USUAL_SOURCE: f32 = 260.0;
/// Nobody's receipt counts for more than this.
const MAX_WEIGHT: f32 = 4.0;
/// Typed text shows how words stand but not how they are misread.
const TRANSCRIPT_WEIGHT: f32 = 0.5;

/// Lines from the top in which a logo may stand.
const LOGO_LINES: usize = 4;
/// Letters of a logo that can be damaged and still be known.
const LOGO_LETTERS: std::ops::RangeInclusive<usize> = 4..=12;
/// A receipt with a damaged logo counts so much of the receipt it is made from.
const DAMAGED_WEIGHT: f32 = 0.3;

/// Labelled documents made ready for training.
pub struct Course {
    /// Position of each example's document; the examples of one document follow each other.
    pub documents: Vec<usize>,
    /// The examples.
    pub examples: Vec<Prepared>,
}

/// Makes the examples. Pictures of several receipts teach nothing: which is which is not labelled.
pub fn prepare(documents: &[Document], context: &Context) -> Course {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for document in documents {
        *sizes.entry(document.source.as_str()).or_default() += 1;
    }
    let mut course = Course { documents: Vec::new(), examples: Vec::new() };
    for (at, document) in documents.iter().enumerate() {
        let [material] = document.receipts.as_slice() else { continue };
        if !document.label.multi.is_empty() {
            continue;
        }
        let size = sizes[document.source.as_str()] as f32;
        let weight = (USUAL_SOURCE / size).powf(1.0 - SOURCE_POWER).min(MAX_WEIGHT);
        let example = Example {
            material: material.clone(),
            truth: document.truth(),
            weight: if document.is_transcript { TRANSCRIPT_WEIGHT } else { 1.0 } * weight,
            is_recognised: !document.is_transcript,
        };
        let damaged = damaged_logo(&example);
        for example in std::iter::once(example).chain(damaged) {
            course.documents.push(at);
            course.examples.push(learn::prepare(&example, context, &others(documents, document)));
        }
    }
    course
}

/// The same receipt with a letter of its logo lost, where the logo is the name of a known brand: few receipts show what
/// misread logos look like, and all that do are of a few shops.
fn damaged_logo(example: &Example) -> Option<Example> {
    let wanted = fold_name(example.truth.merchant.as_ref()?);
    let mut damaged = example.clone();
    let lines = damaged.material.pages.first_mut()?.lines.iter_mut().take(LOGO_LINES);
    let word = lines.filter(|l| l.words.len() == 1).filter_map(|l| l.words.first_mut()).find(|w| {
        let letters: Vec<char> = w.text.chars().collect();
        LOGO_LETTERS.contains(&letters.len())
            && letters.iter().all(|c| c.is_alphabetic())
            && fold_name(&w.text) == wanted
            && learn::is_brand(&w.text)
    })?;
    let lost = wanted.bytes().map(usize::from).sum::<usize>() % word.text.chars().count();
    word.text = word.text.chars().enumerate().filter(|(at, _)| *at != lost).map(|(_, c)| c).collect();
    if lost < word.char_scores.len() {
        word.char_scores.remove(lost);
    }
    // Only the merchant is to be learnt once more, and nothing about how sure recognition is.
    damaged.truth = Truth { merchant: example.truth.merchant.clone(), ..Truth::default() };
    damaged.weight = DAMAGED_WEIGHT * example.weight;
    damaged.is_recognised = false;
    Some(damaged)
}

/// Merchants of the other receipts: what an organisation may have confirmed before.
fn others(documents: &[Document], own: &Document) -> Vec<String> {
    let mut names: Vec<String> = documents
        .iter()
        .filter(|d| d.folder() != own.folder() || d.label.name() != own.label.name())
        .filter_map(|d| d.label.merchant.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Which fold each document is in.
pub fn deal(documents: &[Document], apart: Apart) -> Vec<usize> {
    let labels: Vec<(&str, &Label)> = documents.iter().map(|d| (d.folder(), &d.label)).collect();
    folds::deal(&labels, apart, FOLDS)
}

/// Trains on the other folds, fold by fold.
pub fn cross_validate(course: &Course, folds: &[usize], settings: &Settings) -> CrossValidated {
    let own: Vec<usize> = course.documents.iter().map(|at| folds[*at]).collect();
    learn::cross_validate(&course.examples, &own, settings)
}

/// What a model makes of a document.
pub fn read(ranker: &dyn Ranker, document: &Document, context: &Context) -> Vec<ReceiptRead> {
    let read = |material| ReceiptRead {
        extraction: extract::extract_with(ranker, material, context),
        seconds: document.seconds,
    };
    document.receipts.iter().map(read).collect()
}

/// Right or wrong, receipt by receipt.
pub fn outcomes(document: &Document, reads: &[ReceiptRead]) -> Vec<Outcome> {
    if document.label.multi.is_empty() {
        return vec![score::score(&document.label, reads)];
    }
    score::score_many(&document.shown.iter().collect::<Vec<_>>(), reads)
}

/// The model that may read each document: of its own fold's making.
pub fn models<'a>(validated: &'a CrossValidated, folds: &[usize]) -> Vec<&'a Model> {
    folds.iter().map(|fold| &validated.models[*fold]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::{Line, Page, Quad, TextSource, Word};

    fn example(name: &str, merchant: &str) -> Example {
        let quad = Quad::from_edges(10.0, 10.0, 100.0, 30.0);
        let word = Word { text: name.to_owned(), quad, score: 0.9, char_scores: vec![0.9; name.chars().count()] };
        let lines = Line::from_words(vec![word]).into_iter().collect();
        let page = Page { index: 0, width: 200, height: 400, lines, source: TextSource::Recognition };
        Example {
            material: extract::Material { pages: vec![page], ..extract::Material::default() },
            truth: Truth {
                merchant: Some(merchant.to_owned()),
                total: Some(rust_decimal::Decimal::new(450, 2)),
                ..Truth::default()
            },
            weight: 2.0,
            is_recognised: true,
        }
    }

    #[test]
    fn a_known_brands_logo_loses_one_letter_and_calibrates_nothing() {
        let damaged = damaged_logo(&example("ROSSMANN", "Rossmann")).expect("a brand of one word");
        let word = &damaged.material.pages[0].lines[0].words[0];
        assert_eq!((word.text.chars().count(), word.char_scores.len()), (7, 7));
        assert!(!damaged.is_recognised && (damaged.weight - 2.0 * DAMAGED_WEIGHT).abs() < 1e-6);
        assert_eq!(
            (damaged.truth.merchant.as_deref(), damaged.truth.total),
            (Some("Rossmann"), None),
            "once is enough"
        );
        for (name, merchant) in [("Qorvent", "Qorvent"), ("ROSSMANN", "Nordtor"), ("ROSSMANN 12", "Rossmann 12")] {
            assert!(damaged_logo(&example(name, merchant)).is_none(), "{name}");
        }
    }
}
