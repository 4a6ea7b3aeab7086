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
    learn::{self, CrossValidated, Example, Prepared, Settings},
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

/// Labelled documents made ready for training.
pub struct Course {
    /// Position of each example's document.
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
        course.documents.push(at);
        course.examples.push(learn::prepare(&example, context, &others(documents, document)));
    }
    course
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
