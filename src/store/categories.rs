//! The organisation's expense categories.

use super::{StoreError, Tx, on, record};
use crate::domain::{category::DEFAULTS, ids::CategoryId, time::Timestamp};

record! {
    /// A category of the organisation.
    pub struct Category {
        /// Its id.
        pub id: CategoryId,
        /// Stable code; models, memory and expenses refer to it.
        pub code: String,
        /// English name.
        pub name_en: String,
        /// Chinese name.
        pub name_zh: String,
        /// Place in the list, 0 first.
        pub position: i64,
        /// Whether it is offered for new drafts.
        pub is_active: bool,
        /// When it was made.
        pub created_at: Timestamp,
    }
}

/// Adds the default categories that are not there yet; how many were added.
pub async fn seed_defaults(
    tx: &mut Tx,
    new_id: impl Fn() -> CategoryId + Send,
    at: Timestamp,
) -> Result<u64, StoreError> {
    const SQL: &str = "INSERT INTO category (id, code, name_en, name_zh, position, is_active, created_at)
        VALUES ($1, $2, $3, $4, $5, 1, $6) ON CONFLICT (code) DO NOTHING";
    let mut added = 0;
    for (position, category) in (0_i64..).zip(DEFAULTS) {
        let id = new_id();
        added += on!(tx, |c| sqlx::query(SQL)
            .bind(id.as_str())
            .bind(category.code)
            .bind(category.name_en)
            .bind(category.name_zh)
            .bind(position)
            .bind(at.as_micros())
            .execute(c)
            .await
            .map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("categories::seed_defaults", e))?;
    }
    Ok(added)
}

/// All categories in the order people see them, or only those offered for new drafts.
pub async fn list(tx: &mut Tx, only_active: bool) -> Result<Vec<Category>, StoreError> {
    const SQL: &str = "SELECT id, code, name_en, name_zh, position, is_active, created_at FROM category
        WHERE is_active >= $1 ORDER BY position, code";
    on!(tx, |c| sqlx::query_as(SQL).bind(i64::from(only_active)).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("categories::list", e))
}

/// The category with this code.
pub async fn find_by_code(tx: &mut Tx, code: &str) -> Result<Option<Category>, StoreError> {
    const SQL: &str = "SELECT id, code, name_en, name_zh, position, is_active, created_at FROM category
        WHERE code = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(code).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("categories::find_by_code", e))
}

/// Stores a category, or renames, moves and activates the one with the same code.
pub async fn put(tx: &mut Tx, category: &Category) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO category (id, code, name_en, name_zh, position, is_active, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (code) DO UPDATE SET name_en = excluded.name_en, name_zh = excluded.name_zh,
            position = excluded.position, is_active = excluded.is_active";
    on!(tx, |c| sqlx::query(SQL)
        .bind(category.id.as_str())
        .bind(&category.code)
        .bind(&category.name_en)
        .bind(&category.name_zh)
        .bind(category.position)
        .bind(i64::from(category.is_active))
        .bind(category.created_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("categories::put", e))
}

/// Puts the named categories first, in this order; the others keep theirs behind them.
pub async fn reorder(tx: &mut Tx, codes: &[String]) -> Result<(), StoreError> {
    const BEHIND: &str = "UPDATE category SET position = position + $1";
    const PLACE: &str = "UPDATE category SET position = $2 WHERE code = $1";
    let named = i64::try_from(codes.len()).unwrap_or(i64::MAX);
    on!(tx, |c| sqlx::query(BEHIND).bind(named).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("categories::reorder", e))?;
    for (position, code) in (0_i64..).zip(codes) {
        on!(tx, |c| sqlx::query(PLACE).bind(code).bind(position).execute(c).await.map(drop))
            .map_err(|e| StoreError::from_sqlx("categories::reorder", e))?;
    }
    Ok(())
}

/// Offers a category for new drafts or no longer. `false` when there is no such code.
pub async fn set_active(tx: &mut Tx, code: &str, is_active: bool) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE category SET is_active = $2 WHERE code = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(code)
        .bind(i64::from(is_active))
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("categories::set_active", e))
}
