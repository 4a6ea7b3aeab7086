//! Customers.

use super::{StoreError, Tx, on, record};
use crate::domain::{ids::CustomerId, time::Timestamp, visit::CustomerType};

record! {
    /// A customer.
    pub struct Customer {
        /// Its id.
        pub id: CustomerId,
        /// Its name as people write it.
        pub name: String,
        /// The folded name, for finding; not unique.
        pub name_key: String,
        /// What it is to the organisation.
        pub customer_type: CustomerType,
        /// Its id in the CRM.
        pub external_id: Option<String>,
        /// Counts changes, from 1.
        pub revision: i64,
        /// When it was entered.
        pub created_at: Timestamp,
        /// When it was last changed.
        pub updated_at: Timestamp,
    }
}

macro_rules! select_customer {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, name_key, customer_type, external_id, revision, created_at, updated_at FROM customer ",
            $rest
        )
    };
}

/// Stores a customer; one with the same external id is changed instead. Gives the id it is kept under.
pub async fn upsert(tx: &mut Tx, customer: &Customer) -> Result<CustomerId, StoreError> {
    const SQL: &str = "INSERT INTO customer (id, name, name_key, customer_type, external_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (external_id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key,
            customer_type = excluded.customer_type, updated_at = excluded.updated_at,
            revision = customer.revision + 1
        RETURNING id";
    let id: String = on!(tx, |c| sqlx::query_scalar(SQL)
        .bind(customer.id.as_str())
        .bind(&customer.name)
        .bind(&customer.name_key)
        .bind(customer.customer_type.as_str())
        .bind(customer.external_id.as_deref())
        .bind(customer.created_at.as_micros())
        .bind(customer.updated_at.as_micros())
        .fetch_one(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("customers::upsert", e))?;
    id.parse().map_err(|e| StoreError::from_sqlx("customers::upsert", sqlx::Error::Decode(Box::new(e))))
}

/// Changes name and type of a customer that is still at `customer.revision`, and counts the change. `false` when it is not, or
/// there is no such customer.
pub async fn update(tx: &mut Tx, customer: &Customer) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE customer SET name = $2, name_key = $3, customer_type = $4, updated_at = $5,
        revision = revision + 1 WHERE id = $1 AND revision = $6";
    on!(tx, |c| sqlx::query(SQL)
        .bind(customer.id.as_str())
        .bind(&customer.name)
        .bind(&customer.name_key)
        .bind(customer.customer_type.as_str())
        .bind(customer.updated_at.as_micros())
        .bind(customer.revision)
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("customers::update", e))
}

/// The customer with this id.
pub async fn find(tx: &mut Tx, id: &CustomerId) -> Result<Option<Customer>, StoreError> {
    const SQL: &str = select_customer!("WHERE id = $1");
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("customers::find", e))
}

/// The customer with this id in the CRM.
pub async fn find_by_external_id(tx: &mut Tx, external_id: &str) -> Result<Option<Customer>, StoreError> {
    const SQL: &str = select_customer!("WHERE external_id = $1");
    on!(tx, |c| sqlx::query_as(SQL).bind(external_id).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("customers::find_by_external_id", e))
}

/// The oldest customer with this folded name.
pub async fn find_by_name_key(tx: &mut Tx, name_key: &str) -> Result<Option<Customer>, StoreError> {
    const SQL: &str = select_customer!("WHERE name_key = $1 ORDER BY created_at, id LIMIT 1");
    on!(tx, |c| sqlx::query_as(SQL).bind(name_key).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("customers::find_by_name_key", e))
}

/// A page of customers whose folded name contains `part` (all when empty), by folded name, after the one given.
pub async fn search(
    tx: &mut Tx,
    part: &str,
    after: Option<(&str, &CustomerId)>,
    limit: i64,
) -> Result<Vec<Customer>, StoreError> {
    const SQL: &str = select_customer!(
        "WHERE name_key LIKE $1 ESCAPE '!'
            AND (CAST($2 AS TEXT) IS NULL OR name_key > $2 OR (name_key = $2 AND id > $3))
        ORDER BY name_key, id LIMIT $4"
    );
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(super::containing(part))
        .bind(after.map(|(name_key, _)| name_key))
        .bind(after.map(|(_, id)| id.as_str()))
        .bind(limit)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("customers::search", e))
}
