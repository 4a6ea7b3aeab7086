//! The card of a trained extraction model: data, date, figures, how to retrain.

use std::fmt::Write as _;

use super::{Measured, document::Document, held_out::Course, report};
use crate::extract::model::Model;

/// The card as Markdown.
pub fn card(
    on: &str,
    engine: &str,
    documents: &[Document],
    course: &Course,
    model: &Model,
    receipts: &Measured,
    merchants: &Measured,
) -> String {
    let mut sources: Vec<(&str, usize)> = Vec::new();
    let mut counted = course.documents.clone();
    counted.dedup();
    let damaged = course.documents.len() - counted.len();
    for at in &counted {
        let source = documents[*at].source.as_str();
        match sources.iter_mut().find(|(name, _)| *name == source) {
            Some((_, n)) => *n += 1,
            None => sources.push((source, 1)),
        }
    }
    let listed = sources.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ");
    let mut out = format!(
        "# Extraction ranker\n\n\
         Chooses total, date and merchant among the candidates of `src/extract` and says how sure it is. Written by \
         `vouch train extraction` on {on}; text recognised by {engine}.\n\n\
         - **Data**: labelled receipts of the public corpus named in `docs/accuracy.md`: {listed} (`:text`: typed \
         transcripts, weight 0.5, calibrating tax and invoice numbers only), {damaged} of them once more with a letter of the logo lost. The file holds numbers and names of features; no word of any \
         receipt.\n\
         - **Form**: per field a conditional logit over the candidates and \"none of them\", then boosted regression trees \
         on the same softmax loss, then a logistic calibration on the recogniser's scores and what corroborates the value.\n\
         - **Deterministic**: the same readings give the same bytes.\n\
         - **Retrain**: `vouch train extraction --pages-cache DIR DIR…`, a few minutes on two cores once the pages are \
         recognised; `--confirmed` adds what the organisation's reviewers confirmed.\n\n\
         | field | columns | trees |\n|---|---|---|\n"
    );
    for (key, scorer) in &model.fields {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| {key} | {} | {} |", scorer.columns.len(), scorer.trees.len());
    }
    for (title, measured) in [("Receipts", receipts), ("Merchants", merchants)] {
        let _ = writeln!(out, "\n## {title} held out (five folds)\n\n```\n{}```", report::table(&measured.reports));
    }
    out
}
