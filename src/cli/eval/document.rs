//! A labelled document with what was read of it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{cached, fields, labels::Label, pages::CachedReading, sources::Source};
use crate::{
    domain::page::Page,
    extract::{Material, learn::Truth},
    pipeline,
};

/// Size of a box file that is still read.
const MAX_BOX_BYTES: u64 = 4 << 20;

/// One labelled document as it was read.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The row of the tables it belongs to: the corpus folder, for transcripts with `:text`.
    pub source: String,
    /// Its label.
    pub label: Label,
    /// Labels of the receipts it shows together; empty for a picture of one.
    pub shown: Vec<Label>,
    /// What was read, one per receipt that was told apart; empty when it could not be read.
    pub receipts: Vec<Material>,
    /// Wall-clock seconds of the reading, 0 for transcripts.
    pub seconds: f32,
    /// Text that people typed, not recognised.
    pub is_transcript: bool,
    /// What recognised it, and its version; `None` for transcripts and documents that know their text.
    pub engine: Option<String>,
}

impl Document {
    /// The corpus folder, without `:text`.
    pub fn folder(&self) -> &str {
        self.source.strip_suffix(":text").unwrap_or(&self.source)
    }

    /// What is right about it.
    pub fn truth(&self) -> Truth {
        let label = &self.label;
        Truth {
            total: label.total,
            dates: label.dates(),
            time: None,
            merchant: label.merchant.clone().filter(|_| !label.merchant_not_printed),
            currency: label.currency,
            tax: label.tax,
            net: label.net,
            invoice_number: label.invoice_number.clone(),
        }
    }
}

/// The receipts of a kept reading.
pub fn materials(reading: CachedReading) -> Vec<Material> {
    let whole = Material { pages: reading.pages, codes: reading.codes, values: reading.values };
    pipeline::divide(0, &whole, &reading.receipts).into_iter().map(|group| group.material).collect()
}

/// The typed text of every receipt of `source` that has one: boxes of the simple kind (`x1,y1,…,x4,y4,text`), or labelled
/// ones beside its picture.
pub fn read_transcripts(source: &Source) -> anyhow::Result<Vec<Document>> {
    let is_simple = |boxes: &str| Path::new(boxes).extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    let mut out = Vec::new();
    for label in &source.labels {
        match label.boxes.as_deref() {
            Some(boxes) if is_simple(boxes) => out.push(transcript(source, label, boxes)?),
            Some(_) => {}
            None => out.extend(fields::transcript(&source.folder, label).map(|page| typed(source, label, page))),
        }
    }
    Ok(out)
}

fn typed(source: &Source, label: &Label, page: Page) -> Document {
    Document {
        source: format!("{}:text", source.name),
        label: label.clone(),
        shown: Vec::new(),
        receipts: vec![Material { pages: vec![page], ..Material::default() }],
        seconds: 0.0,
        is_transcript: true,
        engine: None,
    }
}

fn transcript(source: &Source, label: &Label, boxes: &str) -> anyhow::Result<Document> {
    let path: PathBuf = source.folder.join(boxes);
    let wrong = || format!("`{}` cannot be read", path.display());
    let size = std::fs::metadata(&path).with_context(wrong)?.len();
    anyhow::ensure!(size <= MAX_BOX_BYTES, "`{}` is over {MAX_BOX_BYTES} bytes", path.display());
    let text = String::from_utf8_lossy(&std::fs::read(&path).with_context(wrong)?).into_owned();
    Ok(typed(source, label, cached::from_boxes(&text)))
}

/// Names of the engines that recognised the documents: kept readings may come from others than the one at hand.
pub fn engines(documents: &[Document]) -> Option<String> {
    let names: BTreeSet<&str> = documents.iter().filter_map(|document| document.engine.as_deref()).collect();
    (!names.is_empty()).then(|| names.into_iter().collect::<Vec<_>>().join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_is_named_once_and_documents_that_know_their_text_name_none() {
        let read_by = |engine: Option<&str>| Document { engine: engine.map(str::to_owned), ..Document::default() };
        assert_eq!(engines(&[read_by(None)]), None);
        let documents = [read_by(Some("new")), read_by(None), read_by(Some("kept")), read_by(Some("new"))];
        assert_eq!(engines(&documents).as_deref(), Some("kept and new"));
    }
}
