//! Captures: acts of handing in, and the documents each brought.

use super::{Column, StoreError, Tx, documents::DocumentRow, on, record};
use crate::domain::{
    capture::{CaptureState, Channel, Reason},
    ids::{CaptureId, DocumentId, PersonId, VisitId},
    time::Timestamp,
};

record! {
    /// A capture as stored.
    pub struct CaptureRow {
        /// Id.
        pub id: CaptureId,
        /// Whose receipts it brought.
        pub owner_id: PersonId,
        /// Who handed it in; a delegate may differ from the owner.
        pub captured_by: PersonId,
        /// How.
        pub channel: Channel,
        /// The sender's own id for it; unique per owner.
        pub client_id: Option<String>,
        /// When the picture was taken, as the phone said.
        pub captured_at: Option<Timestamp>,
        /// The phone's offset from UTC in minutes.
        pub captured_offset_minutes: Option<i64>,
        /// Where, as the sender said.
        pub place: Option<String>,
        /// The sender's note.
        pub note: Option<String>,
        /// The visit it was for.
        pub visit_id: Option<VisitId>,
        /// Explicitly for no visit.
        pub no_visit: bool,
        /// State.
        pub state: CaptureState,
        /// Why it failed.
        pub reason: Option<Reason>,
        /// More about why, without receipt text.
        pub reason_detail: Option<String>,
        /// When it was accepted.
        pub created_at: Timestamp,
        /// When its state last changed.
        pub updated_at: Timestamp,
    }
}

/// Inserts the capture unless its owner has one with the same client id. `false` means they do.
pub async fn insert(tx: &mut Tx, row: &CaptureRow) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO capture (id, owner_id, captured_by, channel, client_id, captured_at,
            captured_offset_minutes, place, note, visit_id, no_visit, state, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
        ON CONFLICT (owner_id, client_id) DO NOTHING";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.id.as_str())
        .bind(row.owner_id.as_str())
        .bind(row.captured_by.as_str())
        .bind(row.channel.as_str())
        .bind(&row.client_id)
        .bind(row.captured_at.map(Timestamp::as_micros))
        .bind(row.captured_offset_minutes)
        .bind(&row.place)
        .bind(&row.note)
        .bind(row.visit_id.as_ref().map(VisitId::as_str))
        .bind(i64::from(row.no_visit))
        .bind(row.state.as_str())
        .bind(row.created_at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("captures::insert", e))
}

/// Says that `capture` brought `document`.
pub async fn add_document(
    tx: &mut Tx,
    capture: &CaptureId,
    document: &DocumentId,
    ordinal: i64,
    file_name: Option<&str>,
) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO capture_document (capture_id, document_id, ordinal, file_name) VALUES ($1, $2, $3, $4)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(capture.as_str())
        .bind(document.as_str())
        .bind(ordinal)
        .bind(file_name)
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("captures::add_document", e))
}

/// A capture by id.
pub async fn find(tx: &mut Tx, id: &CaptureId) -> Result<Option<CaptureRow>, StoreError> {
    const SQL: &str = "SELECT * FROM capture WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("captures::find", e))
}

/// The owner's capture with this client id.
pub async fn find_by_client_id(
    tx: &mut Tx,
    owner: &PersonId,
    client_id: &str,
) -> Result<Option<CaptureRow>, StoreError> {
    const SQL: &str = "SELECT * FROM capture WHERE owner_id = $1 AND client_id = $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(owner.as_str()).bind(client_id).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("captures::find_by_client_id", e))
}

/// The first capture that brought the document.
pub async fn find_by_document(tx: &mut Tx, document: &DocumentId) -> Result<Option<CaptureRow>, StoreError> {
    const SQL: &str = "SELECT capture.* FROM capture JOIN capture_document ON capture_document.capture_id = capture.id
        WHERE capture_document.document_id = $1 ORDER BY capture.id LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(document.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("captures::find_by_document", e))
}

/// The documents a capture brought, in order.
pub async fn documents(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<DocumentRow>, StoreError> {
    const SQL: &str = "SELECT document.* FROM document
        JOIN capture_document ON capture_document.document_id = document.id
        WHERE capture_document.capture_id = $1 ORDER BY capture_document.ordinal";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("captures::documents", e))
}

/// The documents that were handed in themselves, in order; not those found inside them.
pub async fn handed_in(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<DocumentRow>, StoreError> {
    const SQL: &str = "SELECT document.* FROM document
        JOIN capture_document ON capture_document.document_id = document.id
        WHERE capture_document.capture_id = $1 AND capture_document.parent_document_id IS NULL
        ORDER BY capture_document.ordinal";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("captures::handed_in", e))
}

/// The name the sender gave the document, for downloads and lists; never used as a path.
pub async fn file_name(tx: &mut Tx, capture: &CaptureId, document: &DocumentId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT file_name FROM capture_document WHERE capture_id = $1 AND document_id = $2";
    on!(tx, |c| sqlx::query_scalar::<_, Option<String>>(SQL)
        .bind(capture.as_str())
        .bind(document.as_str())
        .fetch_optional(c)
        .await)
    .map(Option::flatten)
    .map_err(|e| StoreError::from_sqlx("captures::file_name", e))
}

/// Moves the capture to `state`; the reason is cleared unless one is given.
pub async fn set_state(
    tx: &mut Tx,
    id: &CaptureId,
    state: CaptureState,
    reason: Option<(Reason, &str)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE capture SET state = $2, reason = $3, reason_detail = $4, updated_at = $5 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(state.as_str())
        .bind(reason.map(|(reason, _)| reason.as_str()))
        .bind(reason.map(|(_, detail)| detail))
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("captures::set_state", e))
}

/// A page of captures of `owner` (everybody's when `None`) in one of `states` (all, when empty) that have no receipt yet, newest
/// first, after the one given: what is on its way and what is stuck.
pub async fn list_without_receipts(
    tx: &mut Tx,
    owner: Option<&PersonId>,
    states: &[CaptureState],
    after: Option<(Timestamp, &CaptureId)>,
    limit: i64,
) -> Result<Vec<CaptureRow>, StoreError> {
    const SQL: &str = "SELECT * FROM capture
        WHERE (CAST($1 AS TEXT) IS NULL OR owner_id = $1) AND ($2 = '' OR ',' || $2 || ',' LIKE '%,' || state || ',%')
        AND (CAST($3 AS BIGINT) IS NULL OR created_at < $3 OR (created_at = $3 AND id < $4))
        AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.capture_id = capture.id)
        ORDER BY created_at DESC, id DESC LIMIT $5";
    let words = states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(",");
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(owner.map(PersonId::as_str))
        .bind(&words)
        .bind(after.map(|(at, _)| at.as_micros()))
        .bind(after.map(|(_, id)| id.as_str()))
        .bind(limit)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("captures::list_without_receipts", e))
}

/// How many captures are in each state, for metrics.
pub async fn count_by_state(tx: &mut Tx) -> Result<Vec<(CaptureState, i64)>, StoreError> {
    const SQL: &str = "SELECT state, CAST(COUNT(*) AS BIGINT) FROM capture GROUP BY state ORDER BY state";
    let rows: Vec<(String, i64)> = on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("captures::count_by_state", e))?;
    rows.into_iter()
        .map(|(state, count)| Ok((CaptureState::from_raw(state).map_err(sqlx::Error::Decode)?, count)))
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|e| StoreError::from_sqlx("captures::count_by_state", e))
}
