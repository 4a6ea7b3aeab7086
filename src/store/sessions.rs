//! Browser sessions. Only the SHA-256 of the cookie's secret is stored.

use super::{StoreError, Tx, on, record};
use crate::domain::{
    ids::{PersonId, SessionId},
    sha256::Sha256,
    time::Timestamp,
};

record! {
    /// A session, without the hash of its secret.
    pub struct Session {
        /// Its id.
        pub id: SessionId,
        /// Whose.
        pub person_id: PersonId,
        /// The token forms must carry.
        pub csrf: String,
        /// When the person signed in.
        pub created_at: Timestamp,
        /// When it was last used, to the minute.
        pub last_seen_at: Timestamp,
        /// From when on it is refused; moves with use.
        pub expires_at: Timestamp,
    }
}

/// Stores a session by the hash of its secret.
pub async fn create(tx: &mut Tx, session: &Session, hash: Sha256) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO session (id, person_id, hash, csrf, created_at, last_seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(session.id.as_str())
        .bind(session.person_id.as_str())
        .bind(hash.to_string())
        .bind(&session.csrf)
        .bind(session.created_at.as_micros())
        .bind(session.last_seen_at.as_micros())
        .bind(session.expires_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("sessions::create", e))
}

/// The session with this hash, unless expired at `now`.
pub async fn find_active(tx: &mut Tx, hash: Sha256, now: Timestamp) -> Result<Option<Session>, StoreError> {
    const SQL: &str = "SELECT id, person_id, csrf, created_at, last_seen_at, expires_at FROM session
        WHERE hash = $1 AND expires_at > $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(hash.to_string()).bind(now.as_micros()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("sessions::find_active", e))
}

/// Notes a use and moves the expiry. `false` when the session is gone.
pub async fn touch(tx: &mut Tx, id: &SessionId, now: Timestamp, expires_at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE session SET last_seen_at = $2, expires_at = $3 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(now.as_micros())
        .bind(expires_at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("sessions::touch", e))
}

/// Ends a session. `false` when it was gone.
pub async fn delete(tx: &mut Tx, id: &SessionId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM session WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL).bind(id.as_str()).execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(|e| StoreError::from_sqlx("sessions::delete", e))
}

/// Ends every session of a person; how many there were.
pub async fn delete_all(tx: &mut Tx, person: &PersonId) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM session WHERE person_id = $1";
    on!(tx, |c| sqlx::query(SQL).bind(person.as_str()).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("sessions::delete_all", e))
}

/// Removes sessions that have expired; how many.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM session WHERE expires_at <= $1";
    on!(tx, |c| sqlx::query(SQL).bind(now.as_micros()).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("sessions::delete_expired", e))
}

/// When each person with a session was last seen, by person id, in microseconds since 1970.
pub async fn last_seen(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT person_id, CAST(MAX(last_seen_at) AS BIGINT) FROM session GROUP BY person_id";
    on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await).map_err(|e| StoreError::from_sqlx("sessions::last_seen", e))
}
