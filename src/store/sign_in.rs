//! Attempts to sign in that did not end well, counted per bucket for throttling.

use super::{StoreError, Tx, on};
use crate::domain::time::Timestamp;

/// Counts an attempt in a bucket. `id` is unique per attempt.
pub async fn record(tx: &mut Tx, id: &str, bucket: &str, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO sign_in_failure (id, bucket, at) VALUES ($1, $2, $3)";
    on!(tx, |c| sqlx::query(SQL).bind(id).bind(bucket).bind(at.as_micros()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("sign_in::record", e))
}

/// How many attempts a bucket holds since an instant.
pub async fn count_since(tx: &mut Tx, bucket: &str, since: Timestamp) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM sign_in_failure WHERE bucket = $1 AND at >= $2";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(bucket).bind(since.as_micros()).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("sign_in::count_since", e))
}

/// Takes one attempt back: it ended well after all.
pub async fn forget(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM sign_in_failure WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL).bind(id).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("sign_in::forget", e))
}

/// Empties a bucket.
pub async fn clear(tx: &mut Tx, bucket: &str) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM sign_in_failure WHERE bucket = $1";
    on!(tx, |c| sqlx::query(SQL).bind(bucket).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("sign_in::clear", e))
}

/// Removes attempts before an instant; how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM sign_in_failure WHERE at < $1";
    on!(tx, |c| sqlx::query(SQL).bind(before.as_micros()).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("sign_in::purge", e))
}
