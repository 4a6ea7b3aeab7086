//! How a job ends in the database: one transaction that first finishes the job under its fencing token.

use serde_json::json;

use super::{
    JobError, Kept, found,
    split::Group,
    understand::{Knowledge, Understood},
    walk::{Ending, Node, Tree},
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
    findings, kill_points,
    queue::{self, Claimed},
    reader::ReadFailure,
    store::{
        Json, StoreError, Tx, breakdowns, captures,
        captures::CaptureRow,
        documents::DocumentRow,
        fields, jobs, parts, readings,
        readings::{PreviewRow, ReadingRow},
        receipts::{self, Current, PartRow, ReceiptRow},
    },
};

/// What a job found, with everything slow done.
pub(super) struct Done {
    pub capture: CaptureRow,
    /// What was handed in; the first nodes of the tree.
    pub roots: Vec<DocumentRow>,
    pub tree: Tree,
    /// By node of the tree.
    pub kept: Vec<Kept>,
    pub understood: Vec<Understood>,
    pub knowledge: Knowledge,
}

/// Stores what a job found: documents, readings, previews, receipts, fields, the capture's state, the journal entry.
pub(super) async fn store(app: &App, claimed: &Claimed, done: &Done) -> Result<(), JobError> {
    kill_points::reached("w05");
    let now = app.now();
    let mut tx = app.db.write().await?;
    let lease_now = tx.lease_now(app.clock.as_ref()).await?;
    if !jobs::finish(&mut tx, &claimed.lease, lease_now).await? {
        return Err(JobError::LeaseLost);
    }
    let documents = found::store(app, &mut tx, done, now).await?;
    let mut readings = Vec::with_capacity(documents.len());
    for (node, (document, kept)) in done.tree.nodes.iter().zip(documents.iter().zip(&done.kept)) {
        readings.push(match &node.ending {
            Ending::Read(_) => {
                store_reading(&mut tx, &done.capture, node, document, kept, now).await?;
                Some(kept.reading.clone())
            }
            Ending::Failed(_) | Ending::FiledElsewhere(_) => None,
        });
    }
    let places = places(&mut tx, &done.capture, &done.understood, &documents).await?;
    let mut made = Vec::new();
    for (receipt, ordinal) in done.understood.iter().zip(places) {
        let place = Place { done, documents: &documents, readings: &readings, ordinal };
        if let Some(id) = store_receipt(app, &mut tx, &place, receipt, now).await? {
            made.push(id);
        }
    }
    kill_points::reached("w06");
    let (state, reason) = ended(done, !made.is_empty());
    captures::set_state(&mut tx, &done.capture.id, state, reason, now).await?;
    parts::forget_passwords(&mut tx, &done.capture.id).await?;
    let body = json!({
        "readings": readings.iter().flatten().collect::<Vec<_>>(),
        "documents": documents,
        "refused": done.tree.refused.len(),
        "state": state,
        "reason": reason.map(|(reason, _)| reason),
        "receipts": made,
    });
    let entry = app.entry(None, Manner::System, "capture.read", ("capture", done.capture.id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    kill_points::reached("w07");
    Ok(())
}

/// The capture's state: a document that waits for its password counts most, then whether anything came of it.
fn ended(done: &Done, has_receipts: bool) -> (CaptureState, Option<(Reason, &str)>) {
    let failures = || {
        let nodes = done.tree.nodes.iter().filter_map(|node| node.failure());
        nodes.chain(done.tree.refused.iter().map(|part| &part.failure))
    };
    if let Some(locked) = failures().find(|failure| failure.reason == Reason::PasswordNeeded) {
        return (CaptureState::PasswordNeeded, Some((locked.reason, &locked.detail)));
    }
    if has_receipts {
        return (CaptureState::Read, None);
    }
    if done.tree.nodes.iter().any(|node| matches!(node.ending, Ending::FiledElsewhere(_))) {
        return (CaptureState::Read, Some((Reason::AlreadyFiled, "all it brought was filed before")));
    }
    match failures().next() {
        Some(failure) => (CaptureState::Failed, Some((failure.reason, &failure.detail))),
        None => (CaptureState::Failed, Some((Reason::Empty, "there is no document in it"))),
    }
}

async fn store_reading(
    tx: &mut Tx,
    capture: &CaptureRow,
    node: &Node,
    document: &DocumentId,
    kept: &Kept,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(reading) = node.reading() else { return Ok(()) };
    let sizes: Vec<(u32, u32, u32)> = reading.pages.iter().map(|p| (p.index, p.width, p.height)).collect();
    let row = ReadingRow {
        id: kept.reading.clone(),
        capture_id: capture.id.clone(),
        document_id: document.clone(),
        engine: reading.engine.clone(),
        versions: Json(json!({ "vouch": env!("CARGO_PKG_VERSION") })),
        pages: Json(reading.pages.clone()),
        codes: Json(reading.codes.clone()),
        structured: Json(json!(reading.values)),
        warnings: Json(reading.warnings.iter().map(|w| w.code.clone()).collect()),
        duration_ms: node.duration_ms,
        created_at: now,
    };
    readings::insert(tx, &row).await?;
    for (preview, keys) in reading.previews.iter().zip(&kept.pictures) {
        let Some((_, page_width, page_height)) = sizes.iter().find(|(index, ..)| *index == preview.page) else {
            continue;
        };
        let preview = PreviewRow {
            reading_id: row.id.clone(),
            page: i64::from(preview.page),
            document_id: document.clone(),
            width: i64::from(preview.width),
            height: i64::from(preview.height),
            page_width: i64::from(*page_width),
            page_height: i64::from(*page_height),
            object_key: keys.preview.to_string(),
            thumbnail_key: keys.thumbnail.as_ref().map(ToString::to_string),
        };
        readings::insert_preview(tx, &preview).await?;
    }
    Ok(())
}

/// The ordinal of each receipt: that of the receipt an earlier reading made of the same documents, else the next free one.
/// A job may run twice and a password may bring more to light; neither shifts what is there.
async fn places(
    tx: &mut Tx,
    capture: &CaptureRow,
    understood: &[Understood],
    documents: &[DocumentId],
) -> Result<Vec<i64>, StoreError> {
    let mut known = Vec::new();
    let mut next = 0;
    for receipt in receipts::list_by_capture(tx, &capture.id).await? {
        let parts = receipts::parts(tx, &receipt.id).await?;
        next = next.max(receipt.ordinal + 1);
        known.push((receipt.ordinal, parts));
    }
    let mut places = Vec::with_capacity(understood.len());
    for receipt in understood {
        let is_of = |document: &DocumentId| {
            receipt.group.members.iter().any(|member| documents.get(member.document) == Some(document))
        };
        // One filled in by hand may name no document; it is the capture's first all the same.
        let earlier =
            known.iter().position(|(_, parts)| parts.is_empty() || parts.iter().any(|part| is_of(&part.document_id)));
        places.push(if let Some(at) = earlier {
            known.remove(at).0
        } else {
            next += 1;
            next - 1
        });
    }
    Ok(places)
}

/// Where a receipt belongs.
struct Place<'a> {
    done: &'a Done,
    /// By node.
    documents: &'a [DocumentId],
    /// By node; `None` for what was not read.
    readings: &'a [Option<ReadingId>],
    ordinal: i64,
}

/// Makes the draft, or fills the one an earlier reading made unless a person has touched it. `None` when nothing was read
/// that it could come from.
async fn store_receipt(
    app: &App,
    tx: &mut Tx,
    place: &Place<'_>,
    understood: &Understood,
    now: Timestamp,
) -> Result<Option<ReceiptId>, StoreError> {
    let capture = &place.done.capture;
    let members = &understood.group.members;
    let leading = members.iter().find(|member| member.role == PartRole::Leading).or_else(|| members.first());
    let reading = leading.and_then(|member| place.readings.get(member.document)?.as_ref());
    let Some(reading) = reading else { return Ok(None) };
    let visit = match (&capture.visit_id, capture.no_visit) {
        (Some(id), _) => VisitChoice::Visit(id.clone()),
        (None, true) => VisitChoice::NoVisit,
        (None, false) => VisitChoice::Undecided,
    };
    let fresh = Draft::new(app.id::<ReceiptId>(), capture.owner_id.clone());
    receipts::insert(tx, &fresh, &capture.id, place.ordinal, &visit, now).await?;
    let existing = receipts::list_by_capture(tx, &capture.id).await?;
    let draft = existing.iter().find(|r| r.ordinal == place.ordinal).map_or(fresh, ReceiptRow::draft);
    let submit = place.done.knowledge.submits_automatically && understood.is_complete;
    let filled = match draft.apply(Event::Filled { submit, at: now }) {
        Ok(filled) => filled,
        // The reading is kept beside; the person's draft stays as it is.
        Err(TransitionError::Touched | TransitionError::Illegal { .. }) => return Ok(Some(draft.id)),
        Err(TransitionError::ReasonMissing { .. } | TransitionError::IntoItself) => return Ok(Some(draft.id)),
    };
    let extraction = &understood.extraction;
    for field in extraction.fields.values() {
        fields::insert(tx, &filled.id, reading, field).await?;
    }
    if !extraction.breakdown.is_empty() {
        breakdowns::insert(tx, &filled.id, reading, &extraction.breakdown).await?;
    }
    receipts::set_reading(tx, &filled.id, reading, f64::from(extraction.p_total_and_date)).await?;
    receipts::set_current(tx, &filled.id, &current(understood)).await?;
    store_parts(tx, place, &filled.id, &understood.group).await?;
    receipts::update(tx, &filled, draft.revision, now).await?;
    findings::set_facts(tx, &filled.id, &understood.facts).await?;
    findings::refresh(app, tx, &filled.id).await?;
    let body = json!({
        "reading": reading,
        "state": filled.state,
        "p_total_and_date": extraction.p_total_and_date,
        "fields": extraction.fields.values().map(|f| (f.key.as_str(), f.p)).collect::<std::collections::BTreeMap<_, _>>(),
    });
    let entry = app.entry(None, Manner::System, "draft.filled", ("receipt", filled.id.as_str()), body);
    app.record(tx, &entry).await?;
    Ok(Some(filled.id))
}

/// Which pages of which documents the receipt is made of.
async fn store_parts(tx: &mut Tx, place: &Place<'_>, receipt: &ReceiptId, group: &Group) -> Result<(), StoreError> {
    receipts::clear_parts(tx, receipt).await?;
    for member in &group.members {
        let Some(document) = place.documents.get(member.document) else { continue };
        let part = PartRow {
            receipt_id: receipt.clone(),
            document_id: document.clone(),
            page: i64::from(member.page),
            region: group.is_region_of_many.then_some(Json(member.quad)),
            role: member.role,
            position: i64::from(member.position),
            reading_id: place.readings.get(member.document).cloned().flatten(),
        };
        receipts::add_part(tx, &part).await?;
    }
    Ok(())
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
    parts::forget_passwords(tx, capture).await?;
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
