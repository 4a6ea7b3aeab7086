//! Lists of drafts: the reviewers' queue and everybody's own.

use super::{ReviewError, access::visible_filter};
use crate::{
    app::App,
    domain::{ids::ReceiptId, person::Actor},
    store::{
        StoreError, Tx,
        receipts::{self, Cursor, Filter, ReceiptRow},
    },
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

/// The most drafts counted for "so many wait".
const MAX_COUNTED: i64 = 100_000;

/// Where a draft stands in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The one before.
    pub previous: Option<ReceiptRow>,
    /// The one after; the first when there is none.
    pub next: Option<ReceiptRow>,
    /// How many wait.
    pub waiting: u64,
}

/// Where `current` stands, or stood, in the queue as the actor sees it through the filter.
pub async fn place_in_queue(
    app: &App,
    actor: &Actor,
    filter: Filter,
    current: &ReceiptRow,
) -> Result<Place, ReviewError> {
    let filter = visible_filter(actor, filter);
    let mut tx = app.db.read().await?;
    let previous = receipts::previous_in_queue(&mut tx, &filter, &cursor_of(current)).await?;
    let next = next_or_first(&mut tx, &filter, current).await?;
    let waiting = u64::try_from(receipts::count_queue(&mut tx, &filter, MAX_COUNTED).await?).unwrap_or(0);
    Ok(Place { previous, next, waiting })
}

/// How many drafts of the queue the actor sees through the filter.
pub async fn count_queue(app: &App, actor: &Actor, filter: Filter) -> Result<u64, ReviewError> {
    let mut tx = app.db.read().await?;
    let counted = receipts::count_queue(&mut tx, &visible_filter(actor, filter), MAX_COUNTED).await?;
    Ok(u64::try_from(counted).unwrap_or(0))
}

fn cursor_of(row: &ReceiptRow) -> Cursor {
    let at = row.submitted_at.map_or(i64::MIN, crate::domain::time::Timestamp::as_micros);
    Cursor { at, id: row.id.to_string() }
}

/// The receipt after `current` in the queue, for "confirm and next"; the first one when `current` was the last.
pub async fn next_in_queue(app: &App, actor: &Actor, current: &ReceiptRow) -> Result<Option<ReceiptId>, ReviewError> {
    let mut tx = app.db.read().await?;
    let next = next_or_first(&mut tx, &visible_filter(actor, Filter::default()), current).await?;
    Ok(next.map(|row| row.id))
}

/// The receipt after `current`; the first one when there is none, unless that is `current` itself.
async fn next_or_first(tx: &mut Tx, filter: &Filter, current: &ReceiptRow) -> Result<Option<ReceiptRow>, StoreError> {
    if let Some(next) = receipts::list_queue(tx, filter, Some(&cursor_of(current)), 1).await?.pop() {
        return Ok(Some(next));
    }
    let first = receipts::list_queue(tx, filter, None, 1).await?.pop();
    Ok(first.filter(|first| first.id != current.id))
}

fn page(mut rows: Vec<ReceiptRow>, limit: u32, at: impl Fn(&ReceiptRow) -> i64) -> Listed {
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = if has_more { rows.last().map(|row| Cursor { at: at(row), id: row.id.to_string() }) } else { None };
    Listed { receipts: rows, next }
}
