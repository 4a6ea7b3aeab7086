//! Decisions: a draft is submitted, confirmed, returned, rejected, withdrawn, reopened or merged.

use serde_json::json;

use super::{
    ReviewError,
    current::{DraftField, current_values, draft_fields},
    edit::{conflict, load, visit_json},
};
use crate::{
    app::App,
    domain::{
        capture::CaptureState,
        draft::{Draft, Event},
        field::FieldKey,
        ids::{CaptureId, ExpenseId, ExpenseLineId, JobId, ReceiptId},
        journal::Manner,
        money::Money,
        person::{Actor, Role},
        policy,
        receipt::PartRole,
        visit::VisitChoice,
    },
    findings, kill_points, queue,
    store::{
        Tx, captures, expenses,
        expenses::{ExpenseLineRow, ExpenseRow},
        fields, jobs, memory, organisation, people,
        receipts::{self, Current, PartRow, ReceiptRow},
    },
};

/// The acts that need only a draft and perhaps a reason; confirmation and merging stand by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Hand to the reviewers.
    Submit,
    /// Back to the rep.
    Return {
        /// Why.
        reason: String,
    },
    /// Refuse.
    Reject {
        /// Why.
        reason: String,
    },
    /// Take back.
    Withdraw,
    /// Make a draft again.
    Reopen,
}

/// Does `verb` to the draft at `revision`.
pub async fn decide(
    app: &App,
    actor: &Actor,
    id: &ReceiptId,
    revision: i64,
    verb: Verb,
) -> Result<ReceiptRow, ReviewError> {
    let now = app.now();
    let by = actor.id.clone();
    let mut tx = app.db.write().await?;
    let row = load(&mut tx, actor, id, Some(revision)).await?;
    allow(actor, &row, &verb)?;
    let (event, reason) = match verb {
        Verb::Submit => {
            let fields = load_fields(&mut tx, &row).await?;
            let missing = policy::missing(policy::REQUIRED_TO_SUBMIT, |key| has_value(&fields, key));
            if !missing.is_empty() {
                return Err(ReviewError::Missing(missing));
            }
            (Event::Submitted { by, at: now }, None)
        }
        Verb::Return { reason } => (Event::Returned { by, at: now, reason: reason.clone() }, Some(reason)),
        Verb::Reject { reason } => (Event::Rejected { by, at: now, reason: reason.clone() }, Some(reason)),
        Verb::Withdraw => (Event::Withdrawn { by, at: now }, None),
        Verb::Reopen => (Event::Reopened { by, at: now }, None),
    };
    let kind = format!("draft.{}", event.name());
    let draft = row.draft().apply(event)?;
    if matches!(row.state, crate::domain::draft::DraftState::Confirmed)
        && !expenses::void_by_receipt(&mut tx, id, now).await?
    {
        return Err(ReviewError::AlreadyExported);
    }
    if !receipts::update(&mut tx, &draft, row.revision, now).await? {
        return Err(conflict(&mut tx, id).await?);
    }
    let body = json!({ "revision": draft.revision, "from": row.state, "to": draft.state, "reason": reason });
    let entry = app.entry(Some(&actor.id), Manner::Singly, &kind, ("receipt", id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    // What is withdrawn or rejected is no longer anybody's duplicate.
    findings::refresh(app, &mut tx, id).await?;
    finish(tx, id).await
}

fn allow(actor: &Actor, row: &ReceiptRow, verb: &Verb) -> Result<(), ReviewError> {
    let is_own = row.owner_id == actor.id;
    let is_reviewer = policy::is_reviewer(actor);
    let (may, why) = match verb {
        Verb::Submit => (is_own || is_reviewer, "only its owner or a reviewer may submit this draft"),
        Verb::Withdraw => (is_own, "only its owner may withdraw this draft"),
        Verb::Return { .. } => (is_reviewer, "only reviewers return drafts"),
        Verb::Reject { .. } => (is_reviewer, "only reviewers reject drafts"),
        Verb::Reopen => match row.state {
            crate::domain::draft::DraftState::Withdrawn => {
                (is_own || is_reviewer, "only its owner or a reviewer may reopen this draft")
            }
            _ => (is_reviewer, "only reviewers reopen what was decided"),
        },
    };
    if may { Ok(()) } else { Err(ReviewError::Forbidden(why)) }
}

/// Vouches for the draft at `revision`: it becomes an expense, and its merchant is remembered.
pub async fn confirm(app: &App, actor: &Actor, id: &ReceiptId, revision: i64) -> Result<ReceiptRow, ReviewError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let row = load(&mut tx, actor, id, Some(revision)).await?;
    if !policy::is_reviewer(actor) {
        return Err(ReviewError::Forbidden("only reviewers confirm drafts"));
    }
    let draft = row.draft().apply(Event::Confirmed { by: actor.id.clone(), at: now })?;
    let reviewers = people::count_active(&mut tx, Role::Reviewer).await?;
    policy::may_confirm(row.owner_id == actor.id, reviewers, &row.visit(), row.evidence_kind)?;
    let fields = load_fields(&mut tx, &row).await?;
    let missing = policy::missing(policy::REQUIRED_TO_CONFIRM, |key| has_value(&fields, key));
    if !missing.is_empty() {
        return Err(ReviewError::Missing(missing));
    }
    let current = current_values(&fields);
    let expense = store_expense(app, &mut tx, actor, &row, &draft, &current, &fields).await?;
    if !receipts::update(&mut tx, &draft, row.revision, now).await? {
        return Err(conflict(&mut tx, id).await?);
    }
    // Only what a reviewer saw singly teaches.
    if let (Some(key), Some(merchant), Some(code)) = (&current.merchant_key, &current.merchant, &current.category_code)
        && !key.is_empty()
    {
        memory::remember(&mut tx, key, merchant, code, now).await?;
    }
    let shown: serde_json::Map<_, _> = fields
        .iter()
        .map(|(key, field)| {
            let p = field.proposed.as_ref().map(|f| f.p);
            (key.to_string(), json!({ "value": field.value(), "p": p, "corrected": field.is_corrected() }))
        })
        .collect();
    let body = json!({
        "revision": draft.revision,
        "expense": expense.id,
        "fields": shown,
        "visit": visit_json(&row.visit()),
        "reading": row.reading_id,
    });
    let entry = app.entry(Some(&actor.id), Manner::Singly, "draft.confirmed", ("receipt", id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    findings::refresh(app, &mut tx, id).await?;
    kill_points::reached("c01");
    finish(tx, id).await
}

async fn store_expense(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    row: &ReceiptRow,
    draft: &Draft,
    current: &Current,
    fields: &std::collections::BTreeMap<FieldKey, DraftField>,
) -> Result<ExpenseRow, ReviewError> {
    let missing = || ReviewError::Missing(vec![FieldKey::Total, FieldKey::Currency]);
    let currency = current.currency.ok_or_else(missing)?;
    let total = Money::parse(current.total.as_deref().ok_or_else(missing)?, currency)?;
    let home = organisation::find(tx).await?.map(|o| o.home_currency);
    let is_home = home == Some(currency);
    let date = |key| fields.get(&key).and_then(DraftField::value).and_then(|text| text.parse().ok());
    let expense = ExpenseRow {
        id: app.id::<ExpenseId>(),
        receipt_id: row.id.clone(),
        receipt_revision: draft.revision,
        owner_id: row.owner_id.clone(),
        visit_id: row.visit_id.clone(),
        merchant: current.merchant.clone(),
        issued_on: current.issued_on,
        occurred_on: date(FieldKey::OccurredOn),
        currency,
        total_minor: total.minor,
        approved_minor: total.minor,
        home_currency: home,
        home_minor: is_home.then_some(total.minor),
        rate: is_home.then(|| "1".to_owned()),
        rate_on: if is_home { current.issued_on } else { None },
        rate_source: is_home.then(|| "same_currency".to_owned()),
        confirmed_by: actor.id.clone(),
        confirmed_at: app.now(),
        voided_at: None,
    };
    let tax = fields
        .get(&FieldKey::Tax)
        .and_then(DraftField::value)
        .and_then(|text| Money::parse(text, currency).ok())
        .map(|money| money.minor);
    let line = ExpenseLineRow {
        id: app.id::<ExpenseLineId>(),
        expense_id: expense.id.clone(),
        ordinal: 0,
        category_code: current.category_code.clone().ok_or_else(|| ReviewError::Missing(vec![FieldKey::Category]))?,
        visit_id: None,
        description: current.merchant.clone(),
        amount_minor: total.minor,
        tax_minor: tax,
    };
    expenses::insert(tx, &expense, &[line]).await?;
    Ok(expense)
}

/// Makes `id` part of `into`: same owner, both still open.
pub async fn merge(
    app: &App,
    actor: &Actor,
    id: &ReceiptId,
    revision: i64,
    into: &ReceiptId,
) -> Result<ReceiptRow, ReviewError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let row = load(&mut tx, actor, id, Some(revision)).await?;
    let target = load(&mut tx, actor, into, None).await?;
    if row.owner_id != target.owner_id {
        return Err(ReviewError::Forbidden("receipts of two people cannot be merged"));
    }
    if row.owner_id != actor.id && !policy::is_reviewer(actor) {
        return Err(ReviewError::Forbidden("only its owner or a reviewer may merge this draft"));
    }
    if !target.draft().is_editable() {
        return Err(ReviewError::Forbidden("the receipt to merge into is no longer open"));
    }
    let draft = row.draft().apply(Event::Merged { into: into.clone(), by: actor.id.clone(), at: now })?;
    let there = receipts::parts(&mut tx, into).await?;
    let mut position = there.iter().map(|part| part.position + 1).max().unwrap_or(0);
    for part in receipts::parts(&mut tx, id).await? {
        if there.iter().any(|known| known.document_id == part.document_id && known.page == part.page) {
            continue;
        }
        let part = PartRow { receipt_id: into.clone(), role: PartRole::Supporting, position, ..part };
        receipts::add_part(&mut tx, &part).await?;
        position += 1;
    }
    if !receipts::update(&mut tx, &draft, row.revision, now).await? {
        return Err(conflict(&mut tx, id).await?);
    }
    let body = json!({ "revision": draft.revision, "into": into });
    let entry = app.entry(Some(&actor.id), Manner::Singly, "draft.merged", ("receipt", id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    findings::refresh(app, &mut tx, id).await?;
    findings::refresh(app, &mut tx, into).await?;
    finish(tx, id).await
}

/// Starts a draft without fields for a capture that could not be read.
pub async fn fill_by_hand(app: &App, actor: &Actor, capture_id: &CaptureId) -> Result<ReceiptRow, ReviewError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let capture = super::captures::load(&mut tx, actor, capture_id).await?;
    check_owner_or_reviewer(actor, &capture)?;
    if let Some(existing) = receipts::list_by_capture(&mut tx, capture_id).await?.into_iter().next() {
        return Ok(existing);
    }
    // One that waits for a password nobody knows any more can be filled in by hand as well.
    if !matches!(capture.state, CaptureState::Failed | CaptureState::PasswordNeeded) {
        return Err(ReviewError::Forbidden("the capture is still being read"));
    }
    let visit = match (&capture.visit_id, capture.no_visit) {
        (Some(id), _) => VisitChoice::Visit(id.clone()),
        (None, true) => VisitChoice::NoVisit,
        (None, false) => VisitChoice::Undecided,
    };
    let draft = Draft::new(app.id::<ReceiptId>(), capture.owner_id.clone());
    receipts::insert(&mut tx, &draft, capture_id, 0, &visit, now).await?;
    for (position, document) in captures::documents(&mut tx, capture_id).await?.into_iter().enumerate() {
        let part = PartRow {
            receipt_id: draft.id.clone(),
            document_id: document.id,
            page: 0,
            region: None,
            role: if position == 0 { PartRole::Leading } else { PartRole::Supporting },
            position: i64::try_from(position).unwrap_or(i64::MAX),
            reading_id: None,
        };
        receipts::add_part(&mut tx, &part).await?;
    }
    let body = json!({ "capture": capture_id });
    let entry =
        app.entry(Some(&actor.id), Manner::Singly, "draft.started_by_hand", ("receipt", draft.id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    finish(tx, &draft.id).await
}

/// Gives a failed capture fresh attempts.
pub async fn retry_capture(app: &App, actor: &Actor, capture_id: &CaptureId) -> Result<(), ReviewError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let capture = super::captures::load(&mut tx, actor, capture_id).await?;
    check_owner_or_reviewer(actor, &capture)?;
    if capture.state != CaptureState::Failed {
        return Err(ReviewError::Forbidden("only a failed capture can be tried again"));
    }
    queue::read_again(app, &mut tx, &capture, now).await?;
    captures::set_state(&mut tx, capture_id, CaptureState::Received, None, now).await?;
    let entry = app.entry(
        Some(&actor.id),
        Manner::Singly,
        "capture.retried",
        ("capture", capture_id.as_str()),
        json!({ "reason": capture.reason }),
    );
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a dead job fresh attempts; one that read a capture through [`retry_capture`], so that its owner sees it moving.
pub async fn retry_job(app: &App, actor: &Actor, id: &JobId) -> Result<(), ReviewError> {
    if !actor.is(Role::Admin) {
        return Err(ReviewError::Forbidden("only an admin may do this"));
    }
    let job = jobs::find(&mut app.db.read().await?, id).await?.ok_or_else(|| ReviewError::NoSuchJob(id.clone()))?;
    if job.kind == queue::READ
        && let Ok(capture) = job.subject_id.parse::<CaptureId>()
        && captures::find(&mut app.db.read().await?, &capture).await?.is_some_and(|c| c.state == CaptureState::Failed)
    {
        return retry_capture(app, actor, &capture).await;
    }
    let mut tx = app.db.write().await?;
    if !jobs::revive(&mut tx, id, app.now()).await? {
        return Err(ReviewError::Forbidden("only a job that was given up can be tried again"));
    }
    let body = json!({"kind": job.kind, "subject": job.subject_id, "reason": job.last_reason});
    let entry = app.entry(Some(&actor.id), Manner::Singly, "job.retried", ("job", id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// Auditors see captures but change nothing.
pub(super) fn check_owner_or_reviewer(actor: &Actor, capture: &captures::CaptureRow) -> Result<(), ReviewError> {
    let may = capture.owner_id == actor.id || actor.is(Role::Reviewer) || actor.is(Role::Admin);
    if may { Ok(()) } else { Err(ReviewError::Forbidden("only its owner, a reviewer or an admin may do this")) }
}

async fn load_fields(
    tx: &mut Tx,
    row: &ReceiptRow,
) -> Result<std::collections::BTreeMap<FieldKey, DraftField>, ReviewError> {
    let proposed = match &row.reading_id {
        Some(reading) => fields::list(tx, &row.id, reading).await?,
        None => Vec::new(),
    };
    Ok(draft_fields(proposed, fields::decisions(tx, &row.id).await?))
}

fn has_value(fields: &std::collections::BTreeMap<FieldKey, DraftField>, key: FieldKey) -> bool {
    fields.get(&key).is_some_and(|field| field.value().is_some())
}

async fn finish(mut tx: Tx, id: &ReceiptId) -> Result<ReceiptRow, ReviewError> {
    let row = receipts::find(&mut tx, id).await?.ok_or_else(|| ReviewError::NoSuchDraft(id.clone()))?;
    tx.commit().await?;
    Ok(row)
}
