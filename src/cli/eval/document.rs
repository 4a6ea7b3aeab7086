//! A labelled document with what was read of it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{cached, labels::Label, pages::CachedReading, sources::Source};
use crate::{
    extract::{Material, learn::Truth},
    pipeline,
};

/// Size of a box file that is still read.
const MAX_BOX_BYTES: u64 = 4 << 20;

/// One labelled document as it was read.
#[derive(Debug, Clone)]
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

/// The typed text of every receipt of `source` that has boxes of the simple kind (`x1,y1,…,x4,y4,text`).
pub fn read_transcripts(source: &Source) -> anyhow::Result<Vec<Document>> {
    let boxed = source.labels.iter().filter_map(|l| Some((l, l.boxes.as_deref()?)));
    let is_simple = |boxes: &str| Path::new(boxes).extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    boxed.filter(|(_, boxes)| is_simple(boxes)).map(|(label, boxes)| transcript(source, label, boxes)).collect()
}

fn transcript(source: &Source, label: &Label, boxes: &str) -> anyhow::Result<Document> {
    let path: PathBuf = source.folder.join(boxes);
    let wrong = || format!("`{}` cannot be read", path.display());
    let size = std::fs::metadata(&path).with_context(wrong)?.len();
    anyhow::ensure!(size <= MAX_BOX_BYTES, "`{}` is over {MAX_BOX_BYTES} bytes", path.display());
    let text = String::from_utf8_lossy(&std::fs::read(&path).with_context(wrong)?).into_owned();
    let page = cached::from_boxes(&text);
    Ok(Document {
        source: format!("{}:text", source.name),
        label: label.clone(),
        shown: Vec::new(),
        receipts: vec![Material { pages: vec![page], ..Material::default() }],
        seconds: 0.0,
        is_transcript: true,
    })
}
