//! How a job ends in the database: one transaction that first finishes the job under its fencing token.

use serde_json::json;

use super::{
    JobError, ReadDocument,
    understand::{Knowledge, Understood},
};
use crate::{
    app::App,
    classify::merchant_key,
    domain::{
        capture::{CaptureState, Reason},
        draft::{Draft, Event, TransitionError},
        field::FieldKey,
        ids::{CaptureId, DocumentId, ReadingId, ReceiptId},
        journal::Manner,
        money::Money,
        receipt::PartRole,
        time::Timestamp,
        visit::VisitChoice,
    },
    queue::{self, Claimed},
    reader::ReadFailure,
    store::{
        Json, StoreError, Tx, breakdowns, captures,
        captures::CaptureRow,
        fields, jobs, readings,
        readings::{PreviewRow, ReadingRow},
        receipts::{self, Current, PartRow, ReceiptRow},
    },
};

/// Stores what a job found: readings, previews, receipts, fields, the capture's state, the journal entry.
pub(super) async fn store(
    app: &App,
    claimed: &Claimed,
    capture: &CaptureRow,
    read: Vec<ReadDocument>,
    understood: Vec<Understood>,
    knowledge: &Knowledge,
) -> Result<(), JobError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let lease_now = tx.lease_now(app.clock.as_ref()).await?;
    if !jobs::finish(&mut tx, &claimed.lease, lease_now).await? {
        return Err(JobError::LeaseLost);
    }
    let mut first: Option<(ReadingId, DocumentId)> = None;
    let mut pages = 0;
    for done in read {
        let (reading_id, document_id) = store_reading(&mut tx, capture, done, &mut pages, now).await?;
        first.get_or_insert((reading_id, document_id));
    }
    let Some((reading_id, document_id)) = first else {
        return Err(ReadFailure::new(Reason::ObjectMissing, "the capture has no document").into());
    };
    let mut made = Vec::new();
    for (ordinal, receipt) in understood.iter().enumerate() {
        let place = Place { capture, reading: &reading_id, document: &document_id, ordinal: ordinal as i64 };
        made.push(store_receipt(app, &mut tx, &place, receipt, knowledge.submits_automatically, now).await?);
    }
    captures::set_state(&mut tx, &capture.id, CaptureState::Read, None, now).await?;
    let body = json!({ "reading": reading_id, "pages": pages, "receipts": made });
    let entry = app.entry(None, Manner::System, "capture.read", ("capture", capture.id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

async fn store_reading(
    tx: &mut Tx,
    capture: &CaptureRow,
    done: ReadDocument,
    pages: &mut usize,
    now: Timestamp,
) -> Result<(ReadingId, DocumentId), StoreError> {
    let ReadDocument { id, document, reading, previews, duration_ms } = done;
    *pages += reading.pages.len();
    let sizes: Vec<(u32, u32)> = reading.pages.iter().map(|p| (p.width, p.height)).collect();
    let row = ReadingRow {
        id,
        capture_id: capture.id.clone(),
        document_id: document.id.clone(),
        engine: reading.engine,
        versions: Json(json!({ "vouch": env!("CARGO_PKG_VERSION") })),
        pages: Json(reading.pages),
        codes: Json(reading.codes),
        structured: Json(json!(reading.values)),
        warnings: Json(reading.warnings.into_iter().map(|w| w.code).collect()),
        duration_ms,
        created_at: now,
    };
    readings::insert(tx, &row).await?;
    for (preview, key) in reading.previews.iter().zip(previews) {
        let Some((page_width, page_height)) = sizes.get(preview.page as usize) else { continue };
        let preview = PreviewRow {
            reading_id: row.id.clone(),
            page: i64::from(preview.page),
            document_id: document.id.clone(),
            width: i64::from(preview.width),
            height: i64::from(preview.height),
            page_width: i64::from(*page_width),
            page_height: i64::from(*page_height),
            object_key: key.to_string(),
        };
        readings::insert_preview(tx, &preview).await?;
    }
    Ok((row.id, document.id))
}

/// Where a receipt belongs.
struct Place<'a> {
    capture: &'a CaptureRow,
    reading: &'a ReadingId,
    document: &'a DocumentId,
    ordinal: i64,
}

/// Makes the draft, or fills the one an earlier reading made unless a person has touched it.
async fn store_receipt(
    app: &App,
    tx: &mut Tx,
    place: &Place<'_>,
    understood: &Understood,
    submits: bool,
    now: Timestamp,
) -> Result<ReceiptId, StoreError> {
    let capture = place.capture;
    let visit = match (&capture.visit_id, capture.no_visit) {
        (Some(id), _) => VisitChoice::Visit(id.clone()),
        (None, true) => VisitChoice::NoVisit,
        (None, false) => VisitChoice::Undecided,
    };
    let fresh = Draft::new(app.id::<ReceiptId>(), capture.owner_id.clone());
    receipts::insert(tx, &fresh, &capture.id, place.ordinal, &visit, now).await?;
    let existing = receipts::list_by_capture(tx, &capture.id).await?;
    let draft = existing.iter().find(|r| r.ordinal == place.ordinal).map_or(fresh, ReceiptRow::draft);
    let submit = submits && understood.is_complete;
    let filled = match draft.apply(Event::Filled { submit, at: now }) {
        Ok(filled) => filled,
        // The reading is kept beside; the person's draft stays as it is.
        Err(TransitionError::Touched | TransitionError::Illegal { .. }) => return Ok(draft.id),
        Err(TransitionError::ReasonMissing { .. } | TransitionError::IntoItself) => return Ok(draft.id),
    };
    let extraction = &understood.extraction;
    for field in extraction.fields.values() {
        fields::insert(tx, &filled.id, place.reading, field).await?;
    }
    if !extraction.breakdown.is_empty() {
        breakdowns::insert(tx, &filled.id, place.reading, &extraction.breakdown).await?;
    }
    receipts::set_reading(tx, &filled.id, place.reading, f64::from(extraction.p_total_and_date)).await?;
    receipts::set_current(tx, &filled.id, &current(understood)).await?;
    for region in &understood.group.regions {
        let part = PartRow {
            receipt_id: filled.id.clone(),
            document_id: place.document.clone(),
            page: i64::from(region.page),
            region: understood.group.is_region_of_many.then_some(Json(region.quad)),
            role: PartRole::Leading,
        };
        receipts::add_part(tx, &part).await?;
    }
    receipts::update(tx, &filled, draft.revision, now).await?;
    let body = json!({
        "reading": place.reading,
        "state": filled.state,
        "p_total_and_date": extraction.p_total_and_date,
        "fields": extraction.fields.values().map(|f| (f.key.as_str(), f.p)).collect::<std::collections::BTreeMap<_, _>>(),
    });
    let entry = app.entry(None, Manner::System, "draft.filled", ("receipt", filled.id.as_str()), body);
    app.record(tx, &entry).await?;
    Ok(filled.id)
}

fn current(understood: &Understood) -> Current {
    let fields = &understood.extraction.fields;
    let text = |key| fields.get(&key).map(|f| f.value.to_string());
    let currency = text(FieldKey::Currency).and_then(|code| code.parse().ok());
    let total = fields.get(&FieldKey::Total).and_then(|f| f.value.as_amount());
    let merchant = text(FieldKey::Merchant);
    Current {
        merchant_key: merchant.as_deref().map(merchant_key),
        merchant,
        issued_on: fields.get(&FieldKey::Date).and_then(|f| f.value.as_date()),
        total: text(FieldKey::Total),
        total_minor: currency
            .zip(total)
            .and_then(|(currency, total)| Money::from_decimal(total, currency).ok())
            .map(|money| money.minor),
        currency,
        category_code: text(FieldKey::Category),
        invoice_number: text(FieldKey::InvoiceNumber),
        evidence_kind: text(FieldKey::EvidenceKind).and_then(|kind| kind.parse().ok()),
    }
}

/// The document could not be read: again later where that may help and attempts are left, else a visible failure.
pub(super) async fn fail(app: &App, claimed: &Claimed, failure: &ReadFailure) -> Result<(), StoreError> {
    let job = &claimed.job;
    let mut tx = app.db.write().await?;
    let now = tx.lease_now(app.clock.as_ref()).await?;
    let reason = failure.reason;
    if reason.is_worth_retrying() && job.attempts < job.max_attempts {
        let run_at = now.plus(queue::back_off(job.attempts));
        jobs::retry_at(&mut tx, &claimed.lease, run_at, reason.as_str(), &failure.detail).await?;
        return tx.commit().await;
    }
    if !jobs::bury(&mut tx, &claimed.lease, reason.as_str(), &failure.detail, now).await? {
        return Ok(());
    }
    if let Ok(capture) = job.subject_id.parse() {
        mark_failed(app, &mut tx, &capture, reason, &failure.detail).await?;
    }
    tx.commit().await
}

/// Says on the capture and in the journal that it could not be read.
pub(super) async fn mark_failed(
    app: &App,
    tx: &mut Tx,
    capture: &CaptureId,
    reason: Reason,
    detail: &str,
) -> Result<(), StoreError> {
    captures::set_state(tx, capture, CaptureState::Failed, Some((reason, detail)), app.now()).await?;
    let body = json!({ "reason": reason, "detail": detail });
    let entry = app.entry(None, Manner::System, "capture.failed", ("capture", capture.as_str()), body);
    app.record(tx, &entry).await
}

/// Our own trouble (storage or database away): back into the queue without counting the attempt.
pub(super) async fn release(app: &App, claimed: &Claimed, error: &str) -> Result<(), StoreError> {
    let mut tx = app.db.write().await?;
    let now = tx.lease_now(app.clock.as_ref()).await?;
    let run_at = now.plus(queue::back_off(1));
    jobs::release(&mut tx, &claimed.lease, run_at, error).await?;
    tx.commit().await
}
