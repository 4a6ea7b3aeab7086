//! A draft as a person sees it: fields with evidence, pages with previews, the visit, the history.

use std::collections::BTreeMap;

use super::{
    ReviewError, access,
    current::{DraftField, draft_fields},
    findings::{self, FindingView},
};
use crate::{
    app::App,
    domain::{
        breakdown::Breakdown,
        field::FieldKey,
        ids::{DocumentId, ReadingId, ReceiptId},
        media::MediaType,
        page::Code,
        person::Actor,
        receipt::PartRole,
        structured::StructuredValue,
        trip::Trip,
    },
    store::{
        Tx, breakdowns,
        captures::{self, CaptureRow},
        documents::{self, DocumentRow},
        expenses::{self, ExpenseRow},
        fields, parts as document_parts,
        readings::{self, PreviewRow, ReadingRow},
        receipts::{self, PartRow, ReceiptRow},
    },
};

/// One page of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct PageView {
    /// 0-based page of the receipt: what a field's page means.
    pub index: i64,
    /// The document it is of.
    pub document: DocumentId,
    /// 0-based page of that document.
    pub page: i64,
    /// Width in full-resolution pixels: what boxes are measured in.
    pub width: i64,
    /// Height in full-resolution pixels.
    pub height: i64,
    /// The preview to show.
    pub preview: PreviewRow,
}

/// A document of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct DocumentView {
    /// The document.
    pub id: DocumentId,
    /// Its name for people.
    pub file_name: Option<String>,
    /// Told from the content.
    pub media_type: MediaType,
    /// Leading or supporting.
    pub role: PartRole,
    /// The receipt's pages that are its, by [`PageView::index`]; empty when it has no preview.
    pub pages: Vec<i64>,
}

/// Everything a draft page shows.
#[derive(Debug, Clone)]
pub struct DraftView {
    /// The receipt.
    pub receipt: ReceiptRow,
    /// Its capture.
    pub capture: CaptureRow,
    /// The documents of its capture.
    pub documents: Vec<DocumentRow>,
    /// The documents it is made of, in the order of its pages.
    pub made_of: Vec<DocumentView>,
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
    /// Machine-readable codes on its pages, of every document it is made of, as they were read.
    pub codes: Vec<Code>,
    /// The trip around it, by its beginning, as the documents it is made of say it in data.
    pub trips: Vec<Trip>,
    /// What checks noticed, most important first.
    pub findings: Vec<FindingView>,
    /// The live expense, once confirmed.
    pub expense: Option<ExpenseRow>,
}

impl DraftView {
    /// The document whose bytes a download gives.
    pub fn leading_document(&self) -> Option<&DocumentId> {
        let leading = self.parts.iter().find(|part| part.role == PartRole::Leading).or_else(|| self.parts.first());
        leading.map(|part| &part.document_id).or_else(|| self.documents.first().map(|d| &d.id))
    }
}

/// The picture of one page of a draft, by [`PageView::index`] (of its first page, when `None`), for whoever may see the draft.
pub async fn page_picture(
    app: &App,
    actor: &Actor,
    id: &ReceiptId,
    page: Option<i64>,
) -> Result<Option<PreviewRow>, ReviewError> {
    let mut tx = app.db.read().await?;
    let no_such = || ReviewError::NoSuchDraft(id.clone());
    let receipt = receipts::find(&mut tx, id).await?.ok_or_else(no_such)?;
    if !access::may_see(&mut tx, actor, &receipt).await? {
        return Err(no_such());
    }
    // A page's reading is its part's: several documents, and merged receipts, have one each.
    let parts = receipts::parts(&mut tx, id).await?;
    let mut shown = pages(&mut tx, &parts).await?.into_iter();
    let found = match page {
        Some(page) => shown.find(|view| view.index == page),
        None => shown.next(),
    };
    Ok(found.map(|view| view.preview))
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
    let (mut proposed, mut breakdown) = (Vec::new(), Breakdown::default());
    if let Some(reading_id) = &receipt.reading_id {
        proposed = fields::list(&mut tx, id, reading_id).await?;
        breakdown = breakdowns::find(&mut tx, id, reading_id).await?;
    }
    let readings = readings_of(&mut tx, &receipt, &parts).await?;
    let mut warnings: Vec<String> = readings.iter().flat_map(|reading| reading.warnings.0.clone()).collect();
    warnings.dedup();
    let engine = readings.iter().find(|reading| receipt.reading_id.as_ref() == Some(&reading.id));
    let engine = engine.map(|reading| reading.engine.clone());
    let codes = codes(&parts, &readings);
    let trips = trips(readings.iter().map(|reading| &reading.structured.0));
    let pages = pages(&mut tx, &parts).await?;
    let made_of = made_of(&mut tx, &parts, &pages).await?;
    let expense = expenses::find_by_receipt(&mut tx, id).await?;
    let findings = findings::list(&mut tx, actor, id).await?;
    Ok(DraftView {
        receipt,
        capture,
        documents,
        made_of,
        parts,
        fields: draft_fields(proposed, decisions),
        breakdown,
        pages,
        warnings,
        engine,
        codes,
        trips,
        findings,
        expense,
    })
}

/// The readings a draft is made of, that of its leading document first, each once.
async fn readings_of(tx: &mut Tx, receipt: &ReceiptRow, parts: &[PartRow]) -> Result<Vec<ReadingRow>, ReviewError> {
    let mut found: Vec<ReadingRow> = Vec::new();
    for id in receipt.reading_id.iter().chain(parts.iter().filter_map(|part| part.reading_id.as_ref())) {
        if found.iter().all(|known| known.id != *id) {
            found.extend(readings::find(tx, id).await?);
        }
    }
    Ok(found)
}

/// The trips that readings tell of, from what each says in data. Readings of versions that kept something else tell of none.
pub(super) fn trips<'a>(said: impl Iterator<Item = &'a serde_json::Value>) -> Vec<Trip> {
    let values = said.map(|said| serde_json::from_value::<Vec<StructuredValue>>(said.clone()));
    Trip::all(&values.flat_map(Result::unwrap_or_default).collect::<Vec<_>>())
}

/// The codes on a receipt's own pages, and of a picture of several receipts only those inside its region, in the order of
/// the pages. Their page is the receipt's, as that of its fields.
fn codes(parts: &[PartRow], readings: &[ReadingRow]) -> Vec<Code> {
    let of_part = |part: &PartRow| {
        let reading = readings.iter().find(|reading| part.reading_id.as_ref() == Some(&reading.id));
        let on_page = |code: &&Code| {
            i64::from(code.page) == part.page
                && part.region.as_ref().is_none_or(|region| region.0.contains(code.quad.centre()))
        };
        let position = u32::try_from(part.position).unwrap_or(0);
        let found = reading.iter().flat_map(|reading| reading.codes.0.iter()).filter(on_page);
        found.map(|code| Code { page: position, ..code.clone() }).collect::<Vec<Code>>()
    };
    parts.iter().flat_map(of_part).collect()
}

/// The pages that have a preview, in the order of the receipt, each from the reading of its own document.
async fn pages(tx: &mut Tx, parts: &[PartRow]) -> Result<Vec<PageView>, ReviewError> {
    let mut previews: BTreeMap<&ReadingId, Vec<PreviewRow>> = BTreeMap::new();
    for reading in parts.iter().filter_map(|part| part.reading_id.as_ref()) {
        if !previews.contains_key(reading) {
            previews.insert(reading, readings::previews(tx, reading).await?);
        }
    }
    let view = |part: &PartRow| {
        let shown = previews.get(part.reading_id.as_ref()?)?;
        let preview = shown.iter().find(|preview| preview.page == part.page)?.clone();
        Some(PageView {
            index: part.position,
            document: part.document_id.clone(),
            page: part.page,
            width: preview.page_width,
            height: preview.page_height,
            preview,
        })
    };
    Ok(parts.iter().filter_map(view).collect())
}

/// The documents behind the parts. A merged receipt's documents keep the names their own captures know them by.
async fn made_of(tx: &mut Tx, parts: &[PartRow], pages: &[PageView]) -> Result<Vec<DocumentView>, ReviewError> {
    let mut made_of: Vec<DocumentView> = Vec::new();
    for part in parts {
        if made_of.iter().any(|known| known.id == part.document_id) {
            continue;
        }
        let Some(document) = documents::find(tx, &part.document_id).await? else { continue };
        let pages = pages.iter().filter(|page| page.document == document.id).map(|page| page.index).collect();
        let file_name = document_parts::name(tx, &document.id).await?;
        let DocumentRow { id, media_type, .. } = document;
        made_of.push(DocumentView { id, file_name, media_type, role: part.role, pages });
    }
    Ok(made_of)
}
