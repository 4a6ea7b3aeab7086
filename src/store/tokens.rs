//! API tokens. Only the SHA-256 of a token is stored; the token itself is shown once.

use std::time::Duration;

use super::{StoreError, Tx, on, record};
use crate::domain::{
    ids::{PersonId, TokenId},
    sha256::Sha256,
    time::Timestamp,
};

/// `last_used_at` answers "is it still in use?" in days; a write per request would cost the one writer of SQLite.
pub const TOUCH_EVERY: Duration = Duration::from_mins(1);

record! {
    /// A token, without its hash.
    pub struct Token {
        /// Its id.
        pub id: TokenId,
        /// Whose.
        pub person_id: PersonId,
        /// What the person calls it.
        pub name: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// From when on it is refused; `None` for never.
        pub expires_at: Option<Timestamp>,
        /// When it was last used, to the minute.
        pub last_used_at: Option<Timestamp>,
        /// Since when it is refused.
        pub revoked_at: Option<Timestamp>,
    }
}

/// Stores a token by the hash of its text.
pub async fn create(tx: &mut Tx, token: &Token, hash: Sha256) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO token (id, person_id, name, hash, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(token.id.as_str())
        .bind(token.person_id.as_str())
        .bind(&token.name)
        .bind(hash.to_string())
        .bind(token.created_at.as_micros())
        .bind(token.expires_at.map(Timestamp::as_micros))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("tokens::create", e))
}

/// The token with this hash, unless revoked or expired at `now`.
pub async fn find_active(tx: &mut Tx, hash: Sha256, now: Timestamp) -> Result<Option<Token>, StoreError> {
    const SQL: &str = "SELECT id, person_id, name, created_at, expires_at, last_used_at, revoked_at FROM token
        WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    on!(tx, |c| sqlx::query_as(SQL).bind(hash.to_string()).bind(now.as_micros()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("tokens::find_active", e))
}

/// Tokens of a person, the newest first; revoked and expired ones too.
pub async fn list(tx: &mut Tx, person: &PersonId, limit: i64) -> Result<Vec<Token>, StoreError> {
    const SQL: &str = "SELECT id, person_id, name, created_at, expires_at, last_used_at, revoked_at FROM token
        WHERE person_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(person.as_str()).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("tokens::list", e))
}

/// How many tokens of a person still work at `now`.
pub async fn count_active(tx: &mut Tx, person: &PersonId, now: Timestamp) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM token
        WHERE person_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(person.as_str()).bind(now.as_micros()).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("tokens::count_active", e))
}

/// The token with this id, in any state.
pub async fn find(tx: &mut Tx, id: &TokenId) -> Result<Option<Token>, StoreError> {
    const SQL: &str = "SELECT id, person_id, name, created_at, expires_at, last_used_at, revoked_at FROM token
        WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("tokens::find", e))
}

/// Revokes a token. `false` when there is none or it was revoked already.
pub async fn revoke(tx: &mut Tx, id: &TokenId, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("tokens::revoke", e))
}

/// Revokes every token of a person; how many worked until now.
pub async fn revoke_all(tx: &mut Tx, person: &PersonId, at: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE token SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL";
    on!(tx, |c| sqlx::query(SQL)
        .bind(person.as_str())
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))
    .map_err(|e| StoreError::from_sqlx("tokens::revoke_all", e))
}

/// Notes a use, at most once in [`TOUCH_EVERY`]; whether it was noted.
pub async fn touch(tx: &mut Tx, id: &TokenId, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE token SET last_used_at = $2
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(now.as_micros())
        .bind(now.minus(TOUCH_EVERY).as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("tokens::touch", e))
}
