//! Captures as people see them.

use serde_json::json;

use super::{ReviewError, access, view::trips};
use crate::{
    app::App,
    domain::{
        capture::{CaptureState, Reason},
        ids::{CaptureId, DocumentId, PersonId},
        journal::Manner,
        person::{Actor, Role},
        time::Timestamp,
        trip::Trip,
    },
    queue,
    store::{
        StoreError, Tx,
        captures::{self, CaptureRow},
        documents::DocumentRow,
        parts::{self, LinkRow, RefusedRow},
        readings,
        receipts::{self, ReceiptRow},
    },
};

/// A capture with what it brought and what became of it.
#[derive(Debug, Clone)]
pub struct CaptureView {
    /// The capture.
    pub capture: CaptureRow,
    /// Its documents.
    pub documents: Vec<DocumentRow>,
    /// Which was found in which, and what became of each; in the order of the documents.
    pub links: Vec<LinkRow>,
    /// Parts that never became documents.
    pub refused: Vec<RefusedRow>,
    /// Its receipts.
    pub receipts: Vec<ReceiptRow>,
}

/// Loads a capture for `actor`; one they may not see is not there.
pub async fn capture(app: &App, actor: &Actor, id: &CaptureId) -> Result<CaptureView, ReviewError> {
    let mut tx = app.db.read().await?;
    let capture = load(&mut tx, actor, id).await?;
    Ok(CaptureView {
        documents: captures::documents(&mut tx, id).await?,
        links: parts::links(&mut tx, id).await?,
        refused: parts::refused(&mut tx, id).await?,
        receipts: receipts::list_by_capture(&mut tx, id).await?,
        capture,
    })
}

/// The trips that the documents of a capture tell of, by their beginning; of one the actor may not see there is none.
pub async fn trips_of_capture(app: &App, actor: &Actor, id: &CaptureId) -> Result<Vec<Trip>, ReviewError> {
    let mut tx = app.db.read().await?;
    load(&mut tx, actor, id).await?;
    let said = readings::said(&mut tx, id).await?;
    Ok(trips(said.iter()))
}

/// A page of captures without receipts.
#[derive(Debug, Clone)]
pub struct ListedCaptures {
    /// Newest first.
    pub captures: Vec<CaptureRow>,
    /// Continue after this one; `None` on the last page.
    pub next: Option<(Timestamp, CaptureId)>,
}

/// Captures without receipts in one of `states` (all, when empty) that the actor sees, newest first: admins and auditors everybody's,
/// others their own.
pub async fn captures_without_receipts(
    app: &App,
    actor: &Actor,
    states: &[CaptureState],
    after: Option<(Timestamp, &CaptureId)>,
    limit: usize,
) -> Result<ListedCaptures, StoreError> {
    let sees_all = actor.is(Role::Admin) || actor.is(Role::Auditor);
    let owner: Option<&PersonId> = if sees_all { None } else { Some(&actor.id) };
    let mut tx = app.db.read().await?;
    // One more than the page tells whether there is another.
    let mut found = captures::list_without_receipts(&mut tx, owner, states, after, limit as i64 + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|capture| (capture.created_at, capture.id.clone()));
    Ok(ListedCaptures { captures: found, next })
}

/// Captures of the actor's own with a document that waits for its password, newest first.
pub async fn waiting_for_password(app: &App, actor: &Actor, limit: i64) -> Result<Vec<CaptureRow>, StoreError> {
    let mut tx = app.db.read().await?;
    parts::captures_waiting_for_password(&mut tx, Some(&actor.id), limit).await
}

/// The longest password of a document, in characters; PDF takes 127 bytes.
pub const MAX_PASSWORD_CHARS: usize = 200;

/// Keeps the password a person typed for an encrypted document, until the capture has been read again with it. Without a
/// document, the first one that waits. The password goes nowhere else: not into the journal, not into a log.
pub async fn give_password(
    app: &App,
    actor: &Actor,
    id: &CaptureId,
    document: Option<&DocumentId>,
    password: &str,
) -> Result<(), ReviewError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let capture = load(&mut tx, actor, id).await?;
    super::decide::check_owner_or_reviewer(actor, &capture)?;
    if capture.state != CaptureState::PasswordNeeded {
        return Err(ReviewError::Forbidden("nothing in this capture waits for a password"));
    }
    if password.is_empty() || password.chars().count() > MAX_PASSWORD_CHARS {
        return Err(ReviewError::Forbidden("a password has 1 to 200 characters"));
    }
    let links = parts::links(&mut tx, id).await?;
    let waits = |link: &&LinkRow| {
        link.reason == Some(Reason::PasswordNeeded) && document.is_none_or(|wanted| *wanted == link.document_id)
    };
    let Some(link) = links.iter().find(waits) else {
        return Err(ReviewError::Forbidden("that document does not wait for a password"));
    };
    parts::keep_password(&mut tx, id, &link.document_id, password, now).await?;
    queue::read_again(app, &mut tx, &capture, now).await?;
    captures::set_state(&mut tx, id, CaptureState::Received, None, now).await?;
    let body = json!({ "document": link.document_id });
    let entry = app.entry(Some(&actor.id), Manner::Singly, "capture.password_given", ("capture", id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(())
}

/// The capture, if the actor may see it.
pub(super) async fn load(tx: &mut Tx, actor: &Actor, id: &CaptureId) -> Result<CaptureRow, ReviewError> {
    let no_such = || ReviewError::NoSuchCapture(id.clone());
    let capture = captures::find(tx, id).await?.ok_or_else(no_such)?;
    let handed_in = capture.captured_by == actor.id;
    if handed_in || access::may_see_of(tx, actor, &capture.owner_id).await? { Ok(capture) } else { Err(no_such()) }
}
