//! A draft as a person sees it: fields with evidence, pages with previews, the visit, the history.

use std::collections::BTreeMap;

use super::{
    ReviewError, access,
    current::{DraftField, draft_fields},
};
use crate::{
    app::App,
    domain::{
        breakdown::Breakdown,
        field::FieldKey,
        ids::{DocumentId, ReceiptId},
        person::Actor,
    },
    store::{
        breakdowns,
        captures::{self, CaptureRow},
        documents::DocumentRow,
        expenses::{self, ExpenseRow},
        fields,
        readings::{self, PreviewRow},
        receipts::{self, PartRow, ReceiptRow},
    },
};

/// One page of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct PageView {
    /// 0-based page.
    pub index: i64,
    /// Width in full-resolution pixels: what boxes are measured in.
    pub width: i64,
    /// Height in full-resolution pixels.
    pub height: i64,
    /// The preview to show.
    pub preview: PreviewRow,
}

/// Everything a draft page shows.
#[derive(Debug, Clone)]
pub struct DraftView {
    /// The receipt.
    pub receipt: ReceiptRow,
    /// Its capture.
    pub capture: CaptureRow,
    /// Its documents.
    pub documents: Vec<DocumentRow>,
    /// Its parts.
    pub parts: Vec<PartRow>,
    /// Fields by key.
    pub fields: BTreeMap<FieldKey, DraftField>,
    /// Lines of what was bought and tax per rate, as the reading proposes them.
    pub breakdown: Breakdown,
    /// Pages with previews; empty when it was filled in by hand.
    pub pages: Vec<PageView>,
    /// What the reader warned about.
    pub warnings: Vec<String>,
    /// Engine and version.
    pub engine: Option<String>,
    /// The live expense, once confirmed.
    pub expense: Option<ExpenseRow>,
}

impl DraftView {
    /// The document whose bytes a download gives.
    pub fn leading_document(&self) -> Option<&DocumentId> {
        self.parts.first().map(|part| &part.document_id).or_else(|| self.documents.first().map(|d| &d.id))
    }
}

/// Loads a draft for `actor`; one they may not see is not there.
pub async fn view(app: &App, actor: &Actor, id: &ReceiptId) -> Result<DraftView, ReviewError> {
    let mut tx = app.db.read().await?;
    let no_such = || ReviewError::NoSuchDraft(id.clone());
    let receipt = receipts::find(&mut tx, id).await?.ok_or_else(no_such)?;
    if !access::may_see(&mut tx, actor, &receipt).await? {
        return Err(no_such());
    }
    let capture = captures::find(&mut tx, &receipt.capture_id).await?.ok_or_else(no_such)?;
    let documents = captures::documents(&mut tx, &capture.id).await?;
    let parts = receipts::parts(&mut tx, id).await?;
    let decisions = fields::decisions(&mut tx, id).await?;
    let (mut proposed, mut pages, mut warnings, mut engine) = (Vec::new(), Vec::new(), Vec::new(), None);
    let mut breakdown = Breakdown::default();
    if let Some(reading_id) = &receipt.reading_id {
        proposed = fields::list(&mut tx, id, reading_id).await?;
        breakdown = breakdowns::find(&mut tx, id, reading_id).await?;
        pages = readings::previews(&mut tx, reading_id)
            .await?
            .into_iter()
            .map(|preview| PageView {
                index: preview.page,
                width: preview.page_width,
                height: preview.page_height,
                preview,
            })
            .collect();
        if let Some(reading) = readings::find(&mut tx, reading_id).await? {
            warnings = reading.warnings.0;
            engine = Some(reading.engine);
        }
    }
    let expense = expenses::find_by_receipt(&mut tx, id).await?;
    Ok(DraftView {
        receipt,
        capture,
        documents,
        parts,
        fields: draft_fields(proposed, decisions),
        breakdown,
        pages,
        warnings,
        engine,
        expense,
    })
}
