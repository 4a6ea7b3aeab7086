//! One corpus folder read and compared, with the reading as an argument.

use std::path::{Path, PathBuf};

use futures_util::{Stream, StreamExt, stream};

use super::{
    ReceiptRead,
    labels::{self, Label, LabelError},
    report::SourceReport,
    score::{self, Outcome},
};

/// One corpus folder with its labels.
#[derive(Debug, Clone)]
pub struct Source {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its labels.
    pub labels: Vec<Label>,
}

impl Source {
    /// Reads the labels of `folder`.
    pub fn open(folder: &Path) -> Result<Self, LabelError> {
        let name =
            folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned());
        Ok(Self { name, folder: folder.to_owned(), labels: labels::read(folder)? })
    }

    /// Keeps at most `most` labelled pictures, spread evenly.
    pub fn thin(&mut self, most: usize) {
        self.labels.retain(|label| label.file.is_some());
        let step = self.labels.len().div_ceil(most.max(1)).max(1);
        self.labels = self.labels.drain(..).step_by(step).collect();
    }

    /// Labels that name a picture.
    pub fn with_file(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().filter(|l| l.file.is_some())
    }
}

/// Reads every labelled file of `source` with `read`, `parallel` at a time, and compares.
///
/// `progress` hears of each finished file. Pictures of several receipts are reported on a row of their own,
/// `<source>:several`.
pub async fn evaluate<F, Fut>(
    source: &Source,
    parallel: usize,
    read: F,
    mut progress: impl FnMut(&str),
) -> Vec<SourceReport>
where
    F: Fn(PathBuf) -> Fut,
    Fut: Future<Output = Vec<ReceiptRead>>,
{
    let (mut single, mut several): (Vec<Outcome>, Vec<Outcome>) = (Vec::new(), Vec::new());
    let mut reads = std::pin::pin!(read_all(source, parallel.max(1), &read));
    while let Some((label, receipts)) = reads.next().await {
        progress(label.name());
        if label.multi.is_empty() {
            single.push(score::score(label, &receipts));
        } else {
            let shown: Vec<&Label> =
                source.labels.iter().filter(|l| label.multi.iter().any(|m| m == l.name())).collect();
            several.extend(score::score_many(&shown, &receipts));
        }
    }
    let mut reports = vec![SourceReport::new(&source.name, &single)];
    if !several.is_empty() {
        reports.push(SourceReport::new(&format!("{}:several", source.name), &several));
    }
    reports
}

fn read_all<'a, F, Fut>(
    source: &'a Source,
    parallel: usize,
    read: &'a F,
) -> impl Stream<Item = (&'a Label, Vec<ReceiptRead>)> + 'a
where
    F: Fn(PathBuf) -> Fut,
    Fut: Future<Output = Vec<ReceiptRead>> + 'a,
{
    stream::iter(source.with_file())
        .map(move |label| {
            let path = source.folder.join(label.file.as_deref().unwrap_or_default());
            async move { (label, read(path).await) }
        })
        .buffered(parallel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::field::{Field, FieldKey, FieldValue},
        extract::Extraction,
    };

    fn read_of(total: &str, number: &str) -> ReceiptRead {
        let field = |key, text: &str| Field {
            key,
            value: FieldValue::parse(key, text).unwrap(),
            p: 0.9,
            evidence: None,
            source: "test".to_owned(),
            reasons: Vec::new(),
            alternatives: Vec::new(),
        };
        let fields = [
            (FieldKey::Total, field(FieldKey::Total, total)),
            (FieldKey::InvoiceNumber, field(FieldKey::InvoiceNumber, number)),
        ];
        let extraction = Extraction { fields: fields.into(), ..Extraction::default() };
        ReceiptRead { extraction, seconds: 0.1 }
    }

    #[tokio::test]
    async fn a_picture_of_several_receipts_is_scored_receipt_by_receipt() {
        let text = concat!(
            r#"{"file": "a.jpg", "total": "1.00", "invoice_number": "11"}"#,
            "\n",
            r#"{"file": "b.jpg", "total": "2.00", "invoice_number": "22"}"#,
            "\n",
            r#"{"file": "both.jpg", "multi": ["a.jpg", "b.jpg"]}"#
        );
        let labels = labels::parse(text, "x").unwrap();
        let source = Source { name: "slips".to_owned(), folder: PathBuf::from("slips"), labels };
        let read = |path: PathBuf| async move {
            match path.to_string_lossy().as_ref() {
                "slips/a.jpg" => vec![read_of("1.00", "11")],
                "slips/b.jpg" => vec![read_of("9.00", "22")],
                _ => vec![read_of("2.00", "22"), read_of("1.00", "11"), read_of("1.00", "33")],
            }
        };
        let mut heard = 0;
        let reports = evaluate(&source, 2, read, |_| heard += 1).await;
        assert_eq!(heard, 3);
        assert_eq!((reports[0].n, reports[0].total.right, reports[0].invoice_number.right), (2, 1, 2));
        assert_eq!(reports[1].source, "slips:several");
        assert_eq!((reports[1].total.right, reports[1].invoice_number.right), (2, 2));
    }
}
