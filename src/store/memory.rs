//! What reviewers confirmed about merchants, by merchant key (folded name).

use super::{StoreError, Tx, on, record};
use crate::domain::time::Timestamp;

record! {
    /// A merchant a reviewer has confirmed, and its category.
    pub struct Remembered {
        /// Folded name.
        pub merchant_key: String,
        /// The name as last confirmed.
        pub merchant: String,
        /// The category confirmed last.
        pub category_code: String,
        /// How often this merchant was confirmed with this category.
        pub times: i64,
        /// When last.
        pub last_confirmed_at: Timestamp,
    }
}

/// Remembers a confirmation of a merchant with a category; from now on it is the one that counts.
///
/// Two confirmations of the same instant keep their order: the later call wins, by a microsecond.
pub async fn remember(
    tx: &mut Tx,
    merchant_key: &str,
    merchant: &str,
    category_code: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO merchant_memory (merchant_key, category_code, merchant, times, last_confirmed_at)
        VALUES ($1, $2, $3, 1, (SELECT CASE WHEN MAX(m.last_confirmed_at) >= $4 THEN MAX(m.last_confirmed_at) + 1
            ELSE $4 END FROM merchant_memory m WHERE m.merchant_key = $1))
        ON CONFLICT (merchant_key, category_code) DO UPDATE SET merchant = excluded.merchant,
            times = merchant_memory.times + 1, last_confirmed_at = excluded.last_confirmed_at";
    on!(tx, |c| sqlx::query(SQL)
        .bind(merchant_key)
        .bind(category_code)
        .bind(merchant)
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("memory::remember", e))
}

/// What was confirmed last about this merchant.
pub async fn lookup(tx: &mut Tx, merchant_key: &str) -> Result<Option<Remembered>, StoreError> {
    const SQL: &str = "SELECT merchant_key, merchant, category_code, times, last_confirmed_at FROM merchant_memory
        WHERE merchant_key = $1 ORDER BY last_confirmed_at DESC LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(merchant_key).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("memory::lookup", e))
}

/// Everything confirmed about this merchant, the latest first.
pub async fn list_of(tx: &mut Tx, merchant_key: &str, limit: i64) -> Result<Vec<Remembered>, StoreError> {
    const SQL: &str = "SELECT merchant_key, merchant, category_code, times, last_confirmed_at FROM merchant_memory
        WHERE merchant_key = $1 ORDER BY last_confirmed_at DESC LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(merchant_key).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("memory::list_of", e))
}

/// What was confirmed most lately about all merchants, the latest first; at most `limit` rows.
pub async fn list_latest(tx: &mut Tx, limit: i64) -> Result<Vec<Remembered>, StoreError> {
    const SQL: &str = "SELECT merchant_key, merchant, category_code, times, last_confirmed_at FROM merchant_memory
        ORDER BY last_confirmed_at DESC, merchant_key LIMIT $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("memory::list_latest", e))
}

/// Names of the merchants confirmed most lately, each once; for the extractor.
pub async fn known_merchants(tx: &mut Tx, limit: i64) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT m.merchant FROM merchant_memory m
        WHERE m.last_confirmed_at =
            (SELECT MAX(o.last_confirmed_at) FROM merchant_memory o WHERE o.merchant_key = m.merchant_key)
        ORDER BY m.last_confirmed_at DESC, m.merchant_key LIMIT $1";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("memory::known_merchants", e))
}
