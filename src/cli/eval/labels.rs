//! The labelled corpus: `labels.jsonl`, one object a line.

use std::{collections::BTreeMap, io, path::Path};

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::domain::{field::FieldKey, money::Currency, time::CivilDate};

/// Labels that the corpus does not have, read off its receipts for this project (`models/fields/CARD.md`).
const FIELDS: &str = include_str!("../../../models/fields/eval-labels.csv");

/// Size of a `labels.jsonl` that is still read: a label takes about 500 bytes.
const MAX_BYTES: u64 = 64 << 20;

/// What a person says is printed on a file. An absent field was not labelled.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Label {
    /// The picture, relative to the folder of the labels; absent where only text boxes are given.
    pub file: Option<String>,
    /// Perfect text boxes, relative, where given.
    #[serde(rename = "box")]
    pub boxes: Option<String>,
    /// Who was paid.
    pub merchant: Option<String>,
    /// The date.
    pub date: Option<CivilDate>,
    /// Dates of which any is right (day and month cannot be told apart).
    #[serde(default)]
    pub date_candidates: Vec<CivilDate>,
    /// The total.
    #[serde(default, deserialize_with = "decimal")]
    pub total: Option<Decimal>,
    /// ISO 4217 code.
    #[serde(default, deserialize_with = "currency")]
    pub currency: Option<Currency>,
    /// Tax.
    #[serde(default, deserialize_with = "decimal")]
    pub tax: Option<Decimal>,
    /// Total without tax.
    #[serde(default, deserialize_with = "decimal")]
    pub net: Option<Decimal>,
    /// The corpus's own word for the category.
    pub category: Option<String>,
    /// Invoice number.
    #[serde(alias = "number")]
    pub invoice_number: Option<String>,
    /// The seller's tax id.
    pub merchant_tax_id: Option<String>,
    /// The files whose labels this picture shows together; empty for a picture of one receipt.
    #[serde(default)]
    pub multi: Vec<String>,
    /// The merchant is not printed and cannot be read.
    #[serde(default)]
    pub merchant_not_printed: bool,
}

impl Label {
    /// The dates of which any is right; empty when the date was not labelled.
    pub fn dates(&self) -> Vec<CivilDate> {
        self.date.into_iter().chain(self.date_candidates.iter().copied()).collect()
    }

    /// A name for listings and for splitting: the file, else the boxes.
    pub fn name(&self) -> &str {
        self.file.as_deref().or(self.boxes.as_deref()).unwrap_or("")
    }

    /// Whether it belongs to the half a model may be fitted on: by hash of the file's stem, stable for ever.
    pub fn is_train(&self) -> bool {
        let stem = Path::new(self.name()).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        // FNV-1a, then a mixing step: names that differ in their last digit must fall apart. Values never change.
        let hash =
            stem.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        (mixed >> 33) & 1 == 0
    }
}

fn decimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|t| Decimal::from_str_exact(t.trim()).ok()))
}

fn currency<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Currency>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|t| t.parse().ok()))
}

/// Why labels could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read: {cause}; name a folder with a labels.jsonl")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// A line is no label.
    #[error("`{path}` line {line} is no label: {cause}")]
    Malformed {
        /// The file.
        path: String,
        /// 1-based line.
        line: usize,
        /// Why.
        cause: serde_json::Error,
    },
}

/// Parses the text of a `labels.jsonl`; `path` is for messages.
pub fn parse(text: &str, path: &str) -> Result<Vec<Label>, LabelError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| {
            serde_json::from_str(line).map_err(|cause| LabelError::Malformed {
                path: path.to_owned(),
                line: at + 1,
                cause,
            })
        })
        .collect()
}

/// Reads the labels of the corpus folder `folder`.
pub fn read(folder: &Path) -> Result<Vec<Label>, LabelError> {
    let path = folder.join("labels.jsonl");
    let shown = path.display().to_string();
    let unreadable = |cause| LabelError::Unreadable { path: shown.clone(), cause };
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > MAX_BYTES {
        return Err(unreadable(io::Error::other(format!("it has {size} bytes, over the limit of {MAX_BYTES}"))));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    let mut labels = parse(&text, &shown)?;
    let source = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let numbers = numbers_of(&source);
    for label in labels.iter_mut().filter(|l| l.invoice_number.is_none()) {
        let mut own = [label.file.as_deref(), label.boxes.as_deref()].into_iter().flatten();
        label.invoice_number = own.find_map(|name| numbers.get(name)).cloned();
    }
    Ok(labels)
}

#[derive(Deserialize)]
struct FieldLabel {
    source: String,
    file: String,
    key: FieldKey,
    value: String,
}

/// Numbers of invoices of `source` by file, labelled by this project; a number that is not printed is left out.
fn numbers_of(source: &str) -> BTreeMap<String, String> {
    csv::Reader::from_reader(FIELDS.as_bytes())
        .deserialize::<FieldLabel>()
        .filter_map(Result::ok)
        .filter(|l| l.source == source && l.key == FieldKey::InvoiceNumber && l.value != "-")
        .map(|l| (l.file, l.value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_keeps_what_was_labelled_and_nothing_else() {
        let text = r#"{"file": "img/1.jpg", "merchant": "Blue Door", "date_candidates": ["2024-03-04", "2024-04-03"], "total": "9.50", "currency": "EUR", "more": 1}"#;
        let labels = parse(text, "x").unwrap();
        assert_eq!(labels[0].total, Some("9.50".parse().unwrap()));
        assert_eq!(labels[0].dates().len(), 2);
        assert_eq!(labels[0].tax, None);
        let error = parse("\n{", "labels.jsonl").unwrap_err();
        assert!(error.to_string().starts_with("`labels.jsonl` line 2 is no label"), "{error}");
    }

    #[test]
    fn numbers_of_this_projects_own_labels_are_added_by_source_and_file() {
        let swiss = numbers_of("swiss_photos");
        assert!(swiss.len() > 5 && swiss.keys().all(|file| file.starts_with("img/")), "{swiss:?}");
        let is_own = |(file, number): (&String, &String)| {
            FIELDS.lines().any(|line| line == format!("swiss_photos,{file},invoice_number,{number}"))
        };
        assert!(swiss.iter().all(is_own), "{swiss:?}");
        assert!(numbers_of("nowhere").is_empty());
        let (file, number) = swiss.first_key_value().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("swiss_photos");
        std::fs::create_dir(&folder).unwrap();
        let own =
            format!("{{\"file\": \"{file}\"}}\n{{\"file\": \"{file}\", \"number\": \"own\"}}\n{{\"file\": \"x\"}}");
        std::fs::write(folder.join("labels.jsonl"), own).unwrap();
        let read: Vec<_> = read(&folder).unwrap().into_iter().map(|label| label.invoice_number).collect();
        assert_eq!(read, [Some(number.clone()), Some("own".to_owned()), None]);
    }

    #[test]
    fn about_half_the_files_are_for_training() {
        let train = (0..1000)
            .filter(|i| Label { file: Some(format!("img/{i:03}.jpg")), ..Label::default() }.is_train())
            .count();
        assert!((420..580).contains(&train), "{train}");
    }
}
