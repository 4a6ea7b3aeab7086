//! Secret mail addresses, and the senders whose mail their owners get.

use super::{StoreError, Tx, on, record};
use crate::domain::{
    ids::{MailAddressId, PersonId, VisitId},
    sha256::Sha256,
    time::Timestamp,
};

record! {
    /// A secret address of a person, or of one of their visits.
    pub struct MailAddress {
        /// Its id.
        pub id: MailAddressId,
        /// Whose mail it takes.
        pub person_id: PersonId,
        /// The visit that mail to it is for.
        pub visit_id: Option<VisitId>,
        /// What stands before the `@`: the secret.
        pub local_part: String,
        /// When it was made.
        pub created_at: Timestamp,
        /// Since when it takes nothing.
        pub retired_at: Option<Timestamp>,
    }
}

/// Stores a new address.
pub async fn create(tx: &mut Tx, address: &MailAddress) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mail_address (id, person_id, visit_id, local_part, hash, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(address.id.as_str())
        .bind(address.person_id.as_str())
        .bind(address.visit_id.as_ref().map(VisitId::as_str))
        .bind(&address.local_part)
        .bind(Sha256::of(address.local_part.as_bytes()).to_string())
        .bind(address.created_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("mail_addresses::create", e))
}

/// The address that takes mail to this local part, unless it is retired or its owner disabled.
pub async fn find_active(tx: &mut Tx, local_part: &str) -> Result<Option<MailAddress>, StoreError> {
    const SQL: &str = "SELECT a.id, a.person_id, a.visit_id, a.local_part, a.created_at, a.retired_at
        FROM mail_address a JOIN person p ON p.id = a.person_id
        WHERE a.hash = $1 AND a.retired_at IS NULL AND p.disabled_at IS NULL";
    let hash = Sha256::of(local_part.as_bytes()).to_string();
    on!(tx, |c| sqlx::query_as(SQL).bind(hash).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_addresses::find_active", e))
}

/// Addresses of a person that take mail, the personal one first, then those of visits, newest first.
pub async fn list(tx: &mut Tx, person: &PersonId, limit: i64) -> Result<Vec<MailAddress>, StoreError> {
    const SQL: &str = "SELECT id, person_id, visit_id, local_part, created_at, retired_at FROM mail_address
        WHERE person_id = $1 AND retired_at IS NULL
        ORDER BY CASE WHEN visit_id IS NULL THEN 0 ELSE 1 END, created_at DESC, id DESC LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(person.as_str()).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_addresses::list", e))
}

/// The address of a person for this visit (`None`: their own) that takes mail.
pub async fn find_for(
    tx: &mut Tx,
    person: &PersonId,
    visit: Option<&VisitId>,
) -> Result<Option<MailAddress>, StoreError> {
    const SQL: &str = "SELECT id, person_id, visit_id, local_part, created_at, retired_at FROM mail_address
        WHERE person_id = $1 AND COALESCE(visit_id, '') = $2 AND retired_at IS NULL ORDER BY id DESC LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(person.as_str())
        .bind(visit.map_or("", VisitId::as_str))
        .fetch_optional(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("mail_addresses::find_for", e))
}

/// Retires an address of a person. `false` when they have none such or it was retired before.
pub async fn retire(tx: &mut Tx, person: &PersonId, id: &MailAddressId, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE mail_address SET retired_at = $3 WHERE id = $1 AND person_id = $2 AND retired_at IS NULL";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(person.as_str())
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("mail_addresses::retire", e))
}

/// An address by id, retired or not.
pub async fn find(tx: &mut Tx, id: &MailAddressId) -> Result<Option<MailAddress>, StoreError> {
    const SQL: &str =
        "SELECT id, person_id, visit_id, local_part, created_at, retired_at FROM mail_address WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_addresses::find", e))
}

/// Whether mail of this person comes from the (lower-case) address: their own, or one they accepted.
pub async fn knows_sender(tx: &mut Tx, person: &PersonId, address: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT CAST((SELECT COUNT(*) FROM mail_sender WHERE person_id = $1 AND address = $2)
        + (SELECT COUNT(*) FROM person WHERE id = $1 AND lower(email) = $2) AS BIGINT)";
    on!(tx, |c| sqlx::query_scalar::<_, i64>(SQL).bind(person.as_str()).bind(address).fetch_one(c).await)
        .map(|count| count > 0)
        .map_err(|e| StoreError::from_sqlx("mail_addresses::knows_sender", e))
}

/// From now on mail of this person comes from the (lower-case) address.
pub async fn add_sender(
    tx: &mut Tx,
    person: &PersonId,
    address: &str,
    by: &PersonId,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mail_sender (person_id, address, added_by, added_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (person_id, address) DO NOTHING";
    on!(tx, |c| sqlx::query(SQL)
        .bind(person.as_str())
        .bind(address)
        .bind(by.as_str())
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("mail_addresses::add_sender", e))
}

/// Senders a person accepted, in alphabetical order.
pub async fn senders(tx: &mut Tx, person: &PersonId, limit: i64) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT address FROM mail_sender WHERE person_id = $1 ORDER BY address LIMIT $2";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(person.as_str()).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_addresses::senders", e))
}

/// Forgets a sender. `false` when the person had not accepted it.
pub async fn remove_sender(tx: &mut Tx, person: &PersonId, address: &str) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM mail_sender WHERE person_id = $1 AND address = $2";
    on!(tx, |c| sqlx::query(SQL)
        .bind(person.as_str())
        .bind(address)
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("mail_addresses::remove_sender", e))
}
