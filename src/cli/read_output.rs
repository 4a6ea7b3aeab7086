//! The JSON of `vouch read`: one object a line per receipt. Pure.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    domain::{
        breakdown::{LineItem, TaxLine},
        field::{Alternative, Evidence, Field, FieldKey},
        media::MediaType,
        page::{Page, Quad},
        receipt::PartRole,
    },
    extract::Extraction,
};

/// Fields that are always there, `null` when nothing was found, with the name they are printed under.
const ALWAYS: [(FieldKey, &str); 8] = [
    (FieldKey::Merchant, "merchant"),
    (FieldKey::Date, "date"),
    (FieldKey::Time, "time"),
    (FieldKey::Total, "total"),
    (FieldKey::Currency, "currency"),
    (FieldKey::Tax, "tax"),
    (FieldKey::InvoiceNumber, "invoice_number"),
    (FieldKey::Category, "category"),
];

/// Width and height of a page in full-resolution pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PageSize {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl From<&Page> for PageSize {
    fn from(page: &Page) -> Self {
        Self { width: page.width, height: page.height }
    }
}

/// A document of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentOutput {
    /// Its place among the documents of the file.
    pub node: usize,
    /// Its name, when it was found inside the file.
    pub name: Option<String>,
    /// Told from its content.
    pub media_type: MediaType,
    /// Leading or supporting.
    pub role: PartRole,
}

/// Everything about one receipt of a file that `vouch read` prints.
#[derive(Debug, Clone)]
pub struct ReadOutput<'a> {
    /// The file as it was named.
    pub file: &'a str,
    /// 0-based receipt of the file.
    pub receipt: usize,
    /// Where it stands on the picture, when the picture holds several.
    pub region: Option<Quad>,
    /// What was read.
    pub extraction: &'a Extraction,
    /// Engine and version.
    pub engine: &'a str,
    /// Sizes of the receipt's pages.
    pub pages: &'a [PageSize],
    /// The documents it is made of, the leading one first.
    pub documents: &'a [DocumentOutput],
    /// Milliseconds for the whole file.
    pub ms: u64,
    /// What a person should know.
    pub warnings: &'a [String],
}

impl ReadOutput<'_> {
    /// The object of one line.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("file".to_owned(), json!(self.file));
        out.insert("receipt".to_owned(), json!(self.receipt));
        if let Some(region) = self.region {
            out.insert("region".to_owned(), json!(region));
        }
        for (key, name) in ALWAYS {
            let field = self.extraction.fields.get(&key);
            out.insert(name.to_owned(), field.map_or(Value::Null, field_json));
        }
        // `_` would hide a field added later; every other key is printed when it was found.
        for (key, field) in &self.extraction.fields {
            if ALWAYS.iter().all(|(always, _)| always != key) {
                out.insert(key.as_str().to_owned(), field_json(field));
            }
        }
        let breakdown = &self.extraction.breakdown;
        out.insert("items".to_owned(), breakdown.items.iter().map(item_json).collect());
        out.insert("taxes".to_owned(), breakdown.taxes.iter().map(tax_json).collect());
        out.insert("p_total_and_date".to_owned(), json!(rounded(self.extraction.p_total_and_date)));
        out.insert("engine".to_owned(), json!(self.engine));
        out.insert("pages".to_owned(), json!(self.pages));
        out.insert("documents".to_owned(), self.documents.iter().map(document_json).collect());
        out.insert("ms".to_owned(), json!(self.ms));
        out.insert("warnings".to_owned(), json!(self.warnings));
        Value::Object(out)
    }
}

fn document_json(document: &DocumentOutput) -> Value {
    json!({ "name": document.name, "media_type": document.media_type, "role": document.role })
}

fn field_json(field: &Field) -> Value {
    json!({
        "value": field.value.to_string(),
        "p": rounded(field.p),
        "box": field.evidence.as_ref().and_then(|e| e.quad),
        "page": field.evidence.as_ref().map(|e| e.page),
        "source": field.source,
        "reasons": field.reasons,
        "alternatives": field.alternatives.iter().map(alternative_json).collect::<Vec<_>>(),
    })
}

fn item_json(item: &LineItem) -> Value {
    json!({
        "kind": item.kind,
        "name": item.name,
        "quantity": item.quantity,
        "unit_price": item.unit_price,
        "amount": item.amount,
        "p": rounded(item.p),
        "box": item.evidence.as_ref().and_then(|e| e.quad),
        "page": item.evidence.as_ref().map(|e| e.page),
        "reasons": item.reasons,
    })
}

fn tax_json(line: &TaxLine) -> Value {
    json!({
        "rate": line.rate,
        "net": line.net,
        "tax": line.tax,
        "p": rounded(line.p),
        "box": line.evidence.as_ref().and_then(|e| e.quad),
        "page": line.evidence.as_ref().map(|e| e.page),
        "reasons": line.reasons,
    })
}

fn alternative_json(alternative: &Alternative) -> Value {
    let evidence: Option<&Evidence> = alternative.evidence.as_ref();
    json!({
        "value": alternative.value,
        "p": rounded(alternative.p),
        "box": evidence.and_then(|e| e.quad),
        "page": evidence.map(|e| e.page),
    })
}

/// Probabilities to four decimals: more is noise in a file people read.
fn rounded(p: f32) -> f64 {
    (f64::from(p) * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::FieldValue;

    #[test]
    fn a_line_has_every_promised_key_and_null_for_what_is_absent() {
        let total = Field {
            key: FieldKey::Total,
            value: FieldValue::parse(FieldKey::Total, "12.50").unwrap(),
            p: 0.987_654,
            evidence: Some(Evidence {
                page: 0,
                quad: Some(Quad::from_edges(1.0, 2.0, 3.0, 4.0)),
                text: "12,50".to_owned(),
            }),
            source: "total:label_same_row".to_owned(),
            reasons: vec!["label:Summe".to_owned()],
            alternatives: vec![Alternative { value: "10.50".to_owned(), p: 0.01, evidence: None }],
        };
        let net = Field { key: FieldKey::Net, ..total.clone() };
        let extraction =
            Extraction { fields: [(FieldKey::Total, total), (FieldKey::Net, net)].into(), ..Extraction::default() };
        let json = ReadOutput {
            file: "a.jpg",
            receipt: 0,
            region: None,
            extraction: &extraction,
            engine: "engine 1",
            pages: &[PageSize { width: 100, height: 200 }],
            documents: &[],
            ms: 12,
            warnings: &[],
        }
        .to_json();
        for (_, key) in ALWAYS {
            assert!(json.get(key).is_some(), "{key}");
        }
        assert_eq!(json["merchant"], Value::Null);
        assert_eq!(json["total"]["value"], "12.50");
        assert_eq!(json["total"]["p"], 0.9877);
        assert_eq!(json["total"]["box"], json!([[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [1.0, 4.0]]));
        assert_eq!(json["total"]["alternatives"][0]["page"], Value::Null);
        assert_eq!(json["net"]["value"], "12.50");
        assert_eq!(json["pages"], json!([{"width": 100, "height": 200}]));
        assert!(json.get("region").is_none(), "a picture of one receipt has no region");
    }
}
