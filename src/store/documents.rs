//! Documents: immutable bytes, one row per owner and content.

use super::{StoreError, Tx, on, record};
use crate::domain::{
    ids::{DocumentId, PersonId},
    media::MediaType,
    sha256::Sha256,
    time::Timestamp,
};

record! {
    /// A document as stored.
    pub struct DocumentRow {
        /// Id.
        pub id: DocumentId,
        /// Whose it is.
        pub owner_id: PersonId,
        /// Digest of the bytes.
        pub sha256: Sha256,
        /// Length in bytes.
        pub size: i64,
        /// Type told from the content.
        pub media_type: MediaType,
        /// Where the bytes are: `documents/<sha256>/<uuidv7>`.
        pub object_key: String,
        /// When it came in.
        pub created_at: Timestamp,
        /// When its bytes were erased, if they were.
        pub erased_at: Option<Timestamp>,
    }
}

/// Inserts the document unless its owner has one with the same bytes. `false` means they do.
pub async fn insert(tx: &mut Tx, row: &DocumentRow) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO document (id, owner_id, sha256, size, media_type, object_key, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (owner_id, sha256) DO NOTHING";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.id.as_str())
        .bind(row.owner_id.as_str())
        .bind(row.sha256.to_string())
        .bind(row.size)
        .bind(row.media_type.as_str())
        .bind(&row.object_key)
        .bind(row.created_at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("documents::insert", e))
}

/// The owner's document with these bytes.
pub async fn find_by_hash(tx: &mut Tx, owner: &PersonId, sha256: &Sha256) -> Result<Option<DocumentRow>, StoreError> {
    const SQL: &str = "SELECT * FROM document WHERE owner_id = $1 AND sha256 = $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(owner.as_str()).bind(sha256.to_string()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("documents::find_by_hash", e))
}

/// A document by id.
pub async fn find(tx: &mut Tx, id: &DocumentId) -> Result<Option<DocumentRow>, StoreError> {
    const SQL: &str = "SELECT * FROM document WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("documents::find", e))
}

/// Documents after `after` in id order, for scrubbing; at most `limit`.
pub async fn list_after(tx: &mut Tx, after: Option<&DocumentId>, limit: i64) -> Result<Vec<DocumentRow>, StoreError> {
    const SQL: &str = "SELECT * FROM document WHERE id > $1 AND erased_at IS NULL ORDER BY id LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(after.map_or("", DocumentId::as_str)).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("documents::list_after", e))
}

/// Whether a document or preview refers to the object key.
pub async fn is_referenced(tx: &mut Tx, object_key: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST((SELECT COUNT(*) FROM document WHERE object_key = $1)
        + (SELECT COUNT(*) FROM preview WHERE object_key = $1)
        + (SELECT COUNT(*) FROM preview WHERE thumbnail_key = $1) AS BIGINT)";
    on!(tx, |c| sqlx::query_scalar::<_, i64>(SQL).bind(object_key).fetch_one(c).await)
        .map(|count| count > 0)
        .map_err(|e| StoreError::from_sqlx("documents::is_referenced", e))
}

/// How many documents are kept.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM document";
    on!(tx, |c| sqlx::query_scalar(SQL).fetch_one(c).await).map_err(|e| StoreError::from_sqlx("documents::count", e))
}
