//! Lists of drafts: the reviewers' queue and everybody's own.

use super::{ReviewError, access::visible_filter};
use crate::{
    app::App,
    domain::{ids::ReceiptId, person::Actor},
    store::receipts::{self, Cursor, Filter, ReceiptRow},
};

/// The most receipts one page of a list holds.
pub const MAX_PAGE: u32 = 200;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The receipts.
    pub receipts: Vec<ReceiptRow>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<Cursor>,
}

/// The reviewers' queue as the actor sees it, longest waiting first.
pub async fn list_queue(
    app: &App,
    actor: &Actor,
    filter: Filter,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Listed, ReviewError> {
    if !actor.sees_others() {
        return Err(ReviewError::Forbidden("only reviewers, admins and auditors see the review queue"));
    }
    let mut tx = app.db.read().await?;
    let limit = limit.clamp(1, MAX_PAGE);
    let rows = receipts::list_queue(&mut tx, &visible_filter(actor, filter), after, i64::from(limit) + 1).await?;
    Ok(page(rows, limit, |row| row.submitted_at.unwrap_or(row.created_at).as_micros()))
}

/// Receipts the actor sees, newest first; reps see their own whatever the filter says.
pub async fn list_mine(
    app: &App,
    actor: &Actor,
    filter: Filter,
    before: Option<&Cursor>,
    limit: u32,
) -> Result<Listed, ReviewError> {
    let mut tx = app.db.read().await?;
    let limit = limit.clamp(1, MAX_PAGE);
    let rows = receipts::list_newest(&mut tx, &visible_filter(actor, filter), before, i64::from(limit) + 1).await?;
    Ok(page(rows, limit, |row| row.created_at.as_micros()))
}

/// The receipt after `current` in the queue, for "confirm and next"; the first one when `current` was the last.
pub async fn next_in_queue(app: &App, actor: &Actor, current: &ReceiptRow) -> Result<Option<ReceiptId>, ReviewError> {
    let at = current.submitted_at.map_or(i64::MIN, crate::domain::time::Timestamp::as_micros);
    let cursor = Cursor { at, id: current.id.to_string() };
    for after in [Some(&cursor), None] {
        let listed = list_queue(app, actor, Filter::default(), after, 2).await?;
        if let Some(row) = listed.receipts.into_iter().find(|row| row.id != current.id) {
            return Ok(Some(row.id));
        }
    }
    Ok(None)
}

fn page(mut rows: Vec<ReceiptRow>, limit: u32, at: impl Fn(&ReceiptRow) -> i64) -> Listed {
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = if has_more { rows.last().map(|row| Cursor { at: at(row), id: row.id.to_string() }) } else { None };
    Listed { receipts: rows, next }
}
