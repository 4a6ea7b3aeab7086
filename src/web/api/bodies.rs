//! JSON bodies shared by several endpoints.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        breakdown::{LineItem, TaxLine},
        field::{Alternative, FieldKey},
        ids::ReceiptId,
        page::{Code, Quad},
        time::Timestamp,
    },
    extract::payloads,
    review::{CaptureView, DocumentView, DraftField, DraftView},
    store::{
        captures::CaptureRow,
        parts::{LinkRow, RefusedRow},
        receipts::ReceiptRow,
    },
    web::api::trips::TripBody,
};

/// Tells `null` (the value goes) from absent (it stays).
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A receipt in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReceiptBody {
    /// Receipt id, also the draft's.
    pub id: String,
    /// State of the draft.
    pub state: String,
    /// Revision to name in a change.
    pub revision: i64,
    /// Whose it is.
    pub owner_id: String,
    /// Current merchant.
    pub merchant: Option<String>,
    /// Current date of issue, `YYYY-MM-DD`.
    pub issued_on: Option<String>,
    /// Current total, decimal text.
    pub total: Option<String>,
    /// Current currency, ISO 4217.
    pub currency: Option<String>,
    /// Current category code.
    pub category: Option<String>,
    /// Invoice number.
    pub invoice_number: Option<String>,
    /// Visit, when one was named.
    pub visit_id: Option<String>,
    /// Explicitly for no visit.
    pub no_visit: bool,
    /// Probability that total and date are both right as proposed, 0 to 1.
    pub p: Option<f64>,
    /// Why it was returned or rejected.
    pub reason: Option<String>,
    /// RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// RFC 3339.
    #[schema(value_type = Option<String>)]
    pub submitted_at: Option<Timestamp>,
}

impl From<&ReceiptRow> for ReceiptBody {
    fn from(row: &ReceiptRow) -> Self {
        Self {
            id: row.id.to_string(),
            state: row.state.to_string(),
            revision: row.revision,
            owner_id: row.owner_id.to_string(),
            merchant: row.merchant.clone(),
            issued_on: row.issued_on.map(|d| d.to_string()),
            total: row.total.clone(),
            currency: row.currency.map(|c| c.to_string()),
            category: row.category_code.clone(),
            invoice_number: row.invoice_number.clone(),
            visit_id: row.visit_id.as_ref().map(ToString::to_string),
            no_visit: row.no_visit,
            p: row.p_total_and_date,
            reason: row.reason.clone(),
            created_at: row.created_at,
            submitted_at: row.submitted_at,
        }
    }
}

/// A capture.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaptureBody {
    /// Capture id.
    pub id: String,
    /// `received`, `reading`, `read`, `password_needed`, `quarantined` or `failed`.
    pub state: String,
    /// Why it failed, stable code.
    pub reason: Option<String>,
    /// More about why, for people.
    pub detail: Option<String>,
    /// When it was accepted, RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// Its receipts so far.
    pub receipts: Vec<ReceiptBody>,
    /// Its documents and what became of each; only where one capture is asked for.
    pub documents: Vec<CaptureDocumentBody>,
    /// Parts that never became documents; only where one capture is asked for.
    pub refused: Vec<RefusedPartBody>,
}

/// A document of a capture.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CaptureDocumentBody {
    /// Document id.
    pub id: String,
    /// Its name for people.
    pub file_name: Option<String>,
    /// Told from the content.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// The document it was found in; `null` for what was handed in itself.
    pub parent_id: Option<String>,
    /// `attachment`, `inline`, `message` or `entry`.
    pub relation: Option<String>,
    /// Why it could not be read, stable code; `password_needed` waits for `POST /captures/{id}/password`.
    pub reason: Option<String>,
    /// More about why, for people.
    pub detail: Option<String>,
    /// The capture that filed the same bytes before; nothing was drafted from them again.
    pub filed_capture_id: Option<String>,
}

/// A part that never became a document; its bytes stay inside the document it was found in.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RefusedPartBody {
    /// Its name for people.
    pub file_name: Option<String>,
    /// The document it was found in.
    pub parent_id: String,
    /// Why, stable code.
    pub reason: String,
    /// More about why, for people.
    pub detail: Option<String>,
}

impl From<&LinkRow> for CaptureDocumentBody {
    fn from(link: &LinkRow) -> Self {
        Self {
            id: link.document_id.to_string(),
            file_name: link.file_name.clone(),
            media_type: link.media_type.to_string(),
            size: link.size,
            parent_id: link.parent_document_id.as_ref().map(ToString::to_string),
            relation: link.relation.map(|r| r.to_string()),
            reason: link.reason.map(|r| r.to_string()),
            detail: link.reason_detail.clone(),
            filed_capture_id: link.filed_capture_id.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&RefusedRow> for RefusedPartBody {
    fn from(row: &RefusedRow) -> Self {
        Self {
            file_name: row.file_name.clone(),
            parent_id: row.parent_document_id.to_string(),
            reason: row.reason.to_string(),
            detail: row.reason_detail.clone(),
        }
    }
}

impl From<&CaptureView> for CaptureBody {
    fn from(view: &CaptureView) -> Self {
        Self {
            documents: view.links.iter().map(CaptureDocumentBody::from).collect(),
            refused: view.refused.iter().map(RefusedPartBody::from).collect(),
            ..Self::new(&view.capture, &view.receipts)
        }
    }
}

impl CaptureBody {
    /// From rows.
    pub fn new(capture: &CaptureRow, receipts: &[ReceiptRow]) -> Self {
        Self {
            id: capture.id.to_string(),
            state: capture.state.to_string(),
            reason: capture.reason.map(|r| r.to_string()),
            detail: capture.reason_detail.clone(),
            created_at: capture.created_at,
            receipts: receipts.iter().map(ReceiptBody::from).collect(),
            documents: Vec::new(),
            refused: Vec::new(),
        }
    }
}

/// What a reading proposes for a field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProposedBody {
    /// Canonical text.
    pub value: String,
    /// Probability that it is right, 0 to 1.
    pub p: f64,
    /// Four corners in page pixels, clockwise from the text's top left.
    #[serde(rename = "box")]
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub quad: Option<Quad>,
    /// 0-based page.
    pub page: Option<i64>,
    /// The text as read.
    pub text: Option<String>,
    /// The finder that won.
    pub source: String,
    /// Reason codes.
    pub reasons: Vec<String>,
    /// What else it could be.
    #[schema(value_type = Vec<Object>)]
    pub alternatives: Vec<Alternative>,
}

/// What a person decided about a field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecidedBody {
    /// Canonical text; `null` when cleared.
    pub value: Option<String>,
    /// Person id.
    pub by: String,
    /// RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
}

/// A field of a draft.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldBody {
    /// The value that counts.
    pub value: Option<String>,
    /// What was proposed.
    pub proposed: Option<ProposedBody>,
    /// What was decided.
    pub decided: Option<DecidedBody>,
}

impl From<&DraftField> for FieldBody {
    fn from(field: &DraftField) -> Self {
        Self {
            value: field.value().map(str::to_owned),
            proposed: field.proposed.as_ref().map(|f| ProposedBody {
                value: f.value.clone(),
                p: f.p,
                quad: f.quad.as_ref().map(|q| q.0),
                page: f.page,
                text: f.evidence_text.clone(),
                source: f.source.clone(),
                reasons: f.reasons.0.clone(),
                alternatives: f.alternatives.0.clone(),
            }),
            decided: field.decided.as_ref().map(|d| DecidedBody {
                value: d.value.clone(),
                by: d.decided_by.to_string(),
                at: d.decided_at,
            }),
        }
    }
}

/// A line of what was bought, as the reading proposes it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ItemBody {
    /// `article`, `discount` (its amount is negative) or `charge`.
    pub kind: String,
    /// The name as printed.
    pub name: String,
    /// How many, decimal text.
    pub quantity: Option<String>,
    /// Price of one, decimal text.
    pub unit_price: Option<String>,
    /// What the line adds to the bill, decimal text in the draft's currency.
    pub amount: String,
    /// Probability that name and amount are right, 0 to 1.
    pub p: f32,
    /// Four corners around the whole line, in page pixels.
    #[serde(rename = "box")]
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub quad: Option<Quad>,
    /// 0-based page.
    pub page: Option<u32>,
    /// Reason codes.
    pub reasons: Vec<String>,
}

impl From<&LineItem> for ItemBody {
    fn from(item: &LineItem) -> Self {
        Self {
            kind: item.kind.to_string(),
            name: item.name.clone(),
            quantity: item.quantity.map(|q| q.to_string()),
            unit_price: item.unit_price.map(|u| u.to_string()),
            amount: item.amount.to_string(),
            p: item.p,
            quad: item.evidence.as_ref().and_then(|e| e.quad),
            page: item.evidence.as_ref().map(|e| e.page),
            reasons: item.reasons.clone(),
        }
    }
}

/// The tax of one rate, as the reading proposes it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TaxLineBody {
    /// Per cent, decimal text.
    pub rate: String,
    /// What it applies to, without tax, decimal text.
    pub net: Option<String>,
    /// The tax, decimal text.
    pub tax: Option<String>,
    /// Probability that everything stated is right, 0 to 1.
    pub p: f32,
    /// Four corners in page pixels.
    #[serde(rename = "box")]
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub quad: Option<Quad>,
    /// 0-based page.
    pub page: Option<u32>,
    /// Reason codes.
    pub reasons: Vec<String>,
}

impl From<&TaxLine> for TaxLineBody {
    fn from(line: &TaxLine) -> Self {
        Self {
            rate: line.rate.to_string(),
            net: line.net.map(|n| n.to_string()),
            tax: line.tax.map(|t| t.to_string()),
            p: line.p,
            quad: line.evidence.as_ref().and_then(|e| e.quad),
            page: line.evidence.as_ref().map(|e| e.page),
            reasons: line.reasons.clone(),
        }
    }
}

/// A page of a draft.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PageBody {
    /// 0-based.
    pub index: i64,
    /// Width in full-resolution pixels: what boxes are measured in.
    pub width: i64,
    /// Height in full-resolution pixels.
    pub height: i64,
    /// Where the preview picture is.
    pub preview_url: String,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DraftBody {
    /// The receipt with its current values.
    #[serde(flatten)]
    pub receipt: ReceiptBody,
    /// Fields by key.
    #[schema(value_type = Object)]
    pub fields: BTreeMap<FieldKey, FieldBody>,
    /// Lines of what was bought, in the order of the paper.
    pub items: Vec<ItemBody>,
    /// Tax per rate, in the order of the paper.
    pub taxes: Vec<TaxLineBody>,
    /// Pages with previews.
    pub pages: Vec<PageBody>,
    /// The documents it is made of.
    pub documents: Vec<DraftDocumentBody>,
    /// Machine-readable codes on its pages, in the order of the pages.
    pub codes: Vec<CodeBody>,
    /// The trip around it, by its beginning, as mails, calendars and wallet passes say it in data.
    pub trips: Vec<TripBody>,
    /// The capture.
    pub capture_id: String,
    /// The rep's note.
    pub note: Option<String>,
    /// Where the original bytes are; they come as an attachment.
    pub original_url: String,
    /// Warnings of the reader, stable codes.
    pub warnings: Vec<String>,
    /// Engine and version.
    pub engine: Option<String>,
    /// The expense it became.
    pub expense_id: Option<String>,
}

/// A machine-readable code on a draft's pages, kept as it was read whether or not anybody knows its format.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CodeBody {
    /// Symbology, e.g. `qr_code`.
    pub symbology: String,
    /// What kind of payload it is, e.g. `fapiao`; `null` when nobody knows it.
    pub format: Option<String>,
    /// The payload.
    pub text: String,
    /// 0-based page of the draft.
    pub page: u32,
    /// Four corners `[x, y]` in full-resolution pixels of that page.
    #[serde(rename = "box")]
    #[schema(value_type = Vec<Vec<f32>>)]
    pub quad: Quad,
}

impl From<&Code> for CodeBody {
    fn from(code: &Code) -> Self {
        Self {
            symbology: code.symbology.clone(),
            format: payloads::parse(&code.text).map(|payload| payload.format.to_owned()),
            text: code.text.clone(),
            page: code.page,
            quad: code.quad,
        }
    }
}

/// A document of a draft.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DraftDocumentBody {
    /// Document id.
    pub id: String,
    /// Its name for people.
    pub file_name: Option<String>,
    /// Told from the content.
    pub media_type: String,
    /// `leading` (the receipt is read from it) or `supporting`.
    pub role: String,
    /// Indexes of the draft's pages that are its.
    pub pages: Vec<i64>,
    /// Where its bytes are; they come as an attachment.
    pub original_url: String,
}

impl DraftDocumentBody {
    fn new(draft: &ReceiptId, number: usize, document: &DocumentView) -> Self {
        Self {
            id: document.id.to_string(),
            file_name: document.file_name.clone(),
            media_type: document.media_type.to_string(),
            role: document.role.to_string(),
            pages: document.pages.clone(),
            original_url: format!("/api/v1/drafts/{draft}/documents/{number}/original"),
        }
    }
}

impl From<&DraftView> for DraftBody {
    fn from(view: &DraftView) -> Self {
        let id = &view.receipt.id;
        Self {
            receipt: ReceiptBody::from(&view.receipt),
            fields: view.fields.iter().map(|(key, field)| (*key, FieldBody::from(field))).collect(),
            items: view.breakdown.items.iter().map(ItemBody::from).collect(),
            taxes: view.breakdown.taxes.iter().map(TaxLineBody::from).collect(),
            pages: view
                .pages
                .iter()
                .map(|page| PageBody {
                    index: page.index,
                    width: page.width,
                    height: page.height,
                    preview_url: format!("/api/v1/drafts/{id}/pages/{}/preview", page.index),
                })
                .collect(),
            documents: view
                .made_of
                .iter()
                .enumerate()
                .map(|(n, document)| DraftDocumentBody::new(id, n, document))
                .collect(),
            codes: view.codes.iter().map(CodeBody::from).collect(),
            trips: view.trips.iter().map(TripBody::from).collect(),
            capture_id: view.capture.id.to_string(),
            note: view.capture.note.clone(),
            original_url: format!("/api/v1/drafts/{id}/original"),
            warnings: view.warnings.clone(),
            engine: view.engine.clone(),
            expense_id: view.expense.as_ref().map(|e| e.id.to_string()),
        }
    }
}
