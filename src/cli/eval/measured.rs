//! All documents read and compared.

use std::collections::BTreeMap;

use super::{
    calibration::Calibrations,
    document::Document,
    failures::{self, Causes, Failure},
    held_out,
    report::SourceReport,
    score::Outcome,
};
use crate::extract::{Context, rank::Ranker};

/// What a measurement found.
#[derive(Debug, Default)]
pub struct Measured {
    /// One row per source.
    pub reports: Vec<SourceReport>,
    /// How far stated probabilities were right, over all recognised pictures; of
    /// [`TYPED_TOO`](crate::extract::learn::TYPED_TOO) over transcripts as well.
    pub calibrations: Calibrations,
    /// Why what was wrong was wrong, over all recognised pictures.
    pub causes: Causes,
    /// Every wrong answer behind them.
    pub failures: Vec<Failure>,
}

impl Measured {
    /// Reads every document with the ranker that may read it.
    pub fn new<'a, R: Ranker + 'a>(documents: &[Document], context: &Context, ranker: impl Fn(usize) -> &'a R) -> Self {
        let mut order: Vec<String> = Vec::new();
        let mut rows: BTreeMap<String, Vec<Outcome>> = BTreeMap::new();
        let mut recognised: Vec<Outcome> = Vec::new();
        let mut typed: Vec<Outcome> = Vec::new();
        let mut failures = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            let reads = held_out::read(ranker(at), document, context);
            let outcomes = held_out::outcomes(document, &reads);
            let several = if document.label.multi.is_empty() { "" } else { ":several" };
            let name = format!("{}{several}", document.source);
            if !order.contains(&name) {
                order.push(name.clone());
            }
            if document.is_transcript {
                typed.extend(outcomes.iter().cloned());
            } else {
                failures.extend(failures::of(document, &reads));
                recognised.extend(outcomes.iter().cloned());
            }
            rows.entry(name).or_default().extend(outcomes);
        }
        let reports = order.iter().map(|name| SourceReport::new(name, &rows[name])).collect();
        Self {
            reports,
            calibrations: Calibrations::new(&recognised, &typed),
            causes: failures::causes(&failures),
            failures,
        }
    }
}
