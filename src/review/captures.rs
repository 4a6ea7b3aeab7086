//! Captures as people see them.

use super::{ReviewError, access};
use crate::{
    app::App,
    domain::{
        capture::CaptureState,
        ids::{CaptureId, PersonId},
        person::{Actor, Role},
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        captures::{self, CaptureRow},
        documents::DocumentRow,
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
    /// Its receipts.
    pub receipts: Vec<ReceiptRow>,
}

/// Loads a capture for `actor`; one they may not see is not there.
pub async fn capture(app: &App, actor: &Actor, id: &CaptureId) -> Result<CaptureView, ReviewError> {
    let mut tx = app.db.read().await?;
    let capture = load(&mut tx, actor, id).await?;
    Ok(CaptureView {
        documents: captures::documents(&mut tx, id).await?,
        receipts: receipts::list_by_capture(&mut tx, id).await?,
        capture,
    })
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

/// The capture, if the actor may see it.
pub(super) async fn load(tx: &mut Tx, actor: &Actor, id: &CaptureId) -> Result<CaptureRow, ReviewError> {
    let no_such = || ReviewError::NoSuchCapture(id.clone());
    let capture = captures::find(tx, id).await?.ok_or_else(no_such)?;
    let handed_in = capture.captured_by == actor.id;
    if handed_in || access::may_see_of(tx, actor, &capture.owner_id).await? { Ok(capture) } else { Err(no_such()) }
}
