//! Answers given to requests with an Idempotency-Key, so a repeated request gets the same answer.

use super::{StoreError, Tx, on, record};
use crate::domain::{ids::PersonId, sha256::Sha256, time::Timestamp};

record! {
    /// An answer already given.
    pub struct Answered {
        /// Hash of the request it was given to; another request under the same key is a conflict.
        pub request_hash: Sha256,
        /// The answer's JSON.
        pub response: String,
        /// When it was given.
        pub created_at: Timestamp,
    }
}

/// The answer given to this person under this key.
pub async fn find(tx: &mut Tx, person: &PersonId, key: &str) -> Result<Option<Answered>, StoreError> {
    const SQL: &str = "SELECT request_hash, response, created_at FROM idempotency
        WHERE person_id = $1 AND idempotency_key = $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(person.as_str()).bind(key).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("idempotency::find", e))
}

/// Keeps an answer. `false`, and nothing kept, when the key has one already.
pub async fn put(tx: &mut Tx, person: &PersonId, key: &str, answered: &Answered) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO idempotency (person_id, idempotency_key, request_hash, response, created_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person_id, idempotency_key) DO NOTHING";
    on!(tx, |c| sqlx::query(SQL)
        .bind(person.as_str())
        .bind(key)
        .bind(answered.request_hash.to_string())
        .bind(&answered.response)
        .bind(answered.created_at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("idempotency::put", e))
}

/// Forgets answers given before an instant; how many.
pub async fn purge(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM idempotency WHERE created_at < $1";
    on!(tx, |c| sqlx::query(SQL).bind(before.as_micros()).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("idempotency::purge", e))
}
