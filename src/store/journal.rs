//! The journal table: append in the transaction of the change.

use super::{Json, StoreError, Tx, on};
use crate::domain::journal::{Entry, body_hash};

/// Appends an entry to the unsealed tail, in the transaction of the change it records. `salt` is 16 random bytes.
pub async fn append(tx: &mut Tx, entry: &Entry, salt: [u8; 16]) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO journal (id, at, actor_id, manner, kind, subject_type, subject_id, body, salt, body_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let body = Json::text(&entry.body);
    let hash = body_hash(&salt, &body);
    on!(tx, |c| sqlx::query(SQL)
        .bind(entry.id.as_str())
        .bind(entry.at.as_micros())
        .bind(entry.actor.as_ref().map(|a| a.as_str()))
        .bind(entry.manner.as_str())
        .bind(&entry.kind)
        .bind(entry.subject_type)
        .bind(&entry.subject_id)
        .bind(&body)
        .bind(hex::encode(salt))
        .bind(hash.to_string())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("journal::append", e))
}
