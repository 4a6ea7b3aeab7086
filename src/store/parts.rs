//! What a capture's documents are to each other: which was found inside which, what became of each, and the password a
//! person typed for one.

use super::{StoreError, Tx, on, record};
use crate::domain::{
    capture::{Reason, Relation},
    ids::{CaptureId, DocumentId, PersonId},
    media::MediaType,
    sha256::Sha256,
    time::Timestamp,
};

record! {
    /// A document of a capture with its place in it.
    pub struct LinkRow {
        /// The document.
        pub document_id: DocumentId,
        /// 0-based place among the capture's documents.
        pub ordinal: i64,
        /// Its name for people.
        pub file_name: Option<String>,
        /// The document it was found in; `None` for what was handed in itself.
        pub parent_document_id: Option<DocumentId>,
        /// What it is to that document.
        pub relation: Option<Relation>,
        /// Why it could not be read.
        pub reason: Option<Reason>,
        /// More about why, without receipt text.
        pub reason_detail: Option<String>,
        /// The capture that filed the same bytes before.
        pub filed_capture_id: Option<CaptureId>,
        /// Type told from the content.
        pub media_type: MediaType,
        /// Length in bytes.
        pub size: i64,
        /// Digest of the bytes.
        pub sha256: Sha256,
    }
}

record! {
    /// A part that never became a document.
    pub struct RefusedRow {
        /// 0-based place among the refused parts of the capture.
        pub ordinal: i64,
        /// The document it was found in.
        pub parent_document_id: DocumentId,
        /// Its name for people.
        pub file_name: Option<String>,
        /// Why it was refused.
        pub reason: Reason,
        /// More about why, without receipt text.
        pub reason_detail: Option<String>,
    }
}

/// How a document belongs to a capture.
#[derive(Debug, Clone)]
pub struct Link<'a> {
    /// The document.
    pub document: &'a DocumentId,
    /// 0-based place among the capture's documents.
    pub ordinal: i64,
    /// Its name for people.
    pub file_name: Option<&'a str>,
    /// The document it was found in.
    pub parent: Option<&'a DocumentId>,
    /// What it is to that document.
    pub relation: Option<Relation>,
    /// Why it could not be read, with a detail.
    pub reason: Option<(Reason, &'a str)>,
    /// The capture that filed the same bytes before.
    pub filed: Option<&'a CaptureId>,
}

/// Says that `capture` brought a document and what became of it; a link that is there keeps its name and parent.
pub async fn link(tx: &mut Tx, capture: &CaptureId, link: &Link<'_>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO capture_document (capture_id, document_id, ordinal, file_name, parent_document_id,
            relation, reason, reason_detail, filed_capture_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (capture_id, document_id) DO UPDATE SET
            ordinal = excluded.ordinal, reason = excluded.reason, reason_detail = excluded.reason_detail,
            filed_capture_id = excluded.filed_capture_id";
    on!(tx, |c| sqlx::query(SQL)
        .bind(capture.as_str())
        .bind(link.document.as_str())
        .bind(link.ordinal)
        .bind(link.file_name)
        .bind(link.parent.map(DocumentId::as_str))
        .bind(link.relation.map(Relation::as_str))
        .bind(link.reason.map(|(reason, _)| reason.as_str()))
        .bind(link.reason.map(|(_, detail)| detail))
        .bind(link.filed.map(CaptureId::as_str))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("parts::link", e))
}

/// The documents of a capture with their places, in order.
pub async fn links(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<LinkRow>, StoreError> {
    const SQL: &str = "SELECT capture_document.*, document.media_type, document.size, document.sha256
        FROM capture_document JOIN document ON document.id = capture_document.document_id
        WHERE capture_document.capture_id = $1 ORDER BY capture_document.ordinal, capture_document.document_id";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("parts::links", e))
}

/// The name a document came with, in the first capture that brought it.
pub async fn name(tx: &mut Tx, document: &DocumentId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT file_name FROM capture_document WHERE document_id = $1 AND file_name IS NOT NULL
        ORDER BY capture_id LIMIT 1";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(document.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("parts::name", e))
}

/// The other capture of the same owner that has filed this document: it made a receipt of it, or is about to.
pub async fn filed_elsewhere(
    tx: &mut Tx,
    document: &DocumentId,
    capture: &CaptureId,
) -> Result<Option<CaptureId>, StoreError> {
    const SQL: &str = "SELECT capture.id FROM capture
        JOIN capture_document ON capture_document.capture_id = capture.id
        WHERE capture_document.document_id = $1 AND capture.id <> $2 AND capture_document.filed_capture_id IS NULL
        AND (capture.state IN ('received', 'reading') OR EXISTS (SELECT 1 FROM receipt_part
            JOIN receipt ON receipt.id = receipt_part.receipt_id
            WHERE receipt_part.document_id = $1 AND receipt.capture_id = capture.id))
        ORDER BY capture.id LIMIT 1";
    let found: Option<String> =
        on!(tx, |c| sqlx::query_scalar(SQL).bind(document.as_str()).bind(capture.as_str()).fetch_optional(c).await)
            .map_err(|e| StoreError::from_sqlx("parts::filed_elsewhere", e))?;
    found
        .map(|id| id.parse().map_err(|_| sqlx::Error::Decode("a capture id that is none".into())))
        .transpose()
        .map_err(|e| StoreError::from_sqlx("parts::filed_elsewhere", e))
}

/// Replaces what is said of the parts that never became documents.
pub async fn set_refused(tx: &mut Tx, capture: &CaptureId, rows: &[RefusedRow]) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM refused_part WHERE capture_id = $1";
    const SQL: &str = "INSERT INTO refused_part (capture_id, ordinal, parent_document_id, file_name, reason,
            reason_detail) VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, |c| sqlx::query(CLEAR).bind(capture.as_str()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("parts::set_refused", e))?;
    for row in rows {
        on!(tx, |c| sqlx::query(SQL)
            .bind(capture.as_str())
            .bind(row.ordinal)
            .bind(row.parent_document_id.as_str())
            .bind(&row.file_name)
            .bind(row.reason.as_str())
            .bind(&row.reason_detail)
            .execute(c)
            .await
            .map(drop))
        .map_err(|e| StoreError::from_sqlx("parts::set_refused", e))?;
    }
    Ok(())
}

/// The parts that never became documents, in order.
pub async fn refused(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<RefusedRow>, StoreError> {
    const SQL: &str = "SELECT * FROM refused_part WHERE capture_id = $1 ORDER BY ordinal";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("parts::refused", e))
}

/// Keeps the password a person typed until the job that needs it has ended.
pub async fn keep_password(
    tx: &mut Tx,
    capture: &CaptureId,
    document: &DocumentId,
    password: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO document_password (capture_id, document_id, password, created_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (capture_id, document_id) DO UPDATE SET
            password = excluded.password, created_at = excluded.created_at";
    on!(tx, |c| sqlx::query(SQL)
        .bind(capture.as_str())
        .bind(document.as_str())
        .bind(password)
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("parts::keep_password", e))
}

/// The passwords typed for documents of a capture, by the documents' digests.
pub async fn passwords(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<(Sha256, String)>, StoreError> {
    const SQL: &str = "SELECT document.sha256, document_password.password FROM document_password
        JOIN document ON document.id = document_password.document_id WHERE document_password.capture_id = $1";
    let rows: Vec<(String, String)> = on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("parts::passwords", e))?;
    Ok(rows.into_iter().filter_map(|(digest, password)| Some((digest.parse().ok()?, password))).collect())
}

/// Forgets the passwords of a capture.
pub async fn forget_passwords(tx: &mut Tx, capture: &CaptureId) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM document_password WHERE capture_id = $1";
    on!(tx, |c| sqlx::query(SQL).bind(capture.as_str()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("parts::forget_passwords", e))
}

/// Forgets passwords typed before `before`, whatever became of their jobs.
pub async fn forget_old_passwords(tx: &mut Tx, before: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM document_password WHERE created_at < $1";
    on!(tx, |c| sqlx::query(SQL).bind(before.as_micros()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("parts::forget_old_passwords", e))
}

/// Captures of `owner` (everybody's when `None`) with a document that waits for its password, newest first.
pub async fn captures_waiting_for_password(
    tx: &mut Tx,
    owner: Option<&PersonId>,
    limit: i64,
) -> Result<Vec<super::captures::CaptureRow>, StoreError> {
    const SQL: &str = "SELECT * FROM capture WHERE state = 'password_needed'
        AND (CAST($1 AS TEXT) IS NULL OR owner_id = $1) ORDER BY created_at DESC, id DESC LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(owner.map(PersonId::as_str)).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("parts::captures_waiting_for_password", e))
}
