//! Visits to customers. Every row comes with its customer's name and type: nobody shows a visit without them.

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    ids::{CustomerId, PersonId, VisitId},
    time::Timestamp,
    visit::{CustomerType, VisitPurpose},
};

record! {
    /// A visit.
    pub struct Visit {
        /// Its id.
        pub id: VisitId,
        /// Whom it was to.
        pub customer_id: CustomerId,
        /// The customer's name; read only.
        pub customer_name: String,
        /// The customer's type; read only.
        pub customer_type: CustomerType,
        /// Who made it.
        pub owner_id: PersonId,
        /// Why.
        pub purpose: VisitPurpose,
        /// When it began.
        pub starts_at: Timestamp,
        /// When it ended.
        pub ends_at: Option<Timestamp>,
        /// Where.
        pub place: Option<String>,
        /// Who else was there.
        pub attendees: Json<Vec<String>>,
        /// Anything else.
        pub note: Option<String>,
        /// Its id in the CRM or the imported file.
        pub external_id: Option<String>,
        /// Counts changes, from 1.
        pub revision: i64,
        /// When it was entered.
        pub created_at: Timestamp,
        /// When it was last changed.
        pub updated_at: Timestamp,
    }
}

/// Which visits a search finds; what is `None` does not narrow it.
#[derive(Debug, Clone, Copy, Default)]
pub struct VisitFilter<'a> {
    /// Only visits of this person.
    pub owner: Option<&'a PersonId>,
    /// Only visits to this customer.
    pub customer: Option<&'a CustomerId>,
    /// Part of the customer's folded name; empty for all.
    pub customer_part: &'a str,
    /// Begun at or after.
    pub from: Option<Timestamp>,
    /// Begun before.
    pub until: Option<Timestamp>,
}

macro_rules! select_visit {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.customer_id, c.name AS customer_name, c.customer_type, v.owner_id, v.purpose, v.starts_at,
                v.ends_at, v.place, v.attendees, v.note, v.external_id, v.revision, v.created_at, v.updated_at
            FROM visit v JOIN customer c ON c.id = v.customer_id ",
            $rest
        )
    };
}

/// Stores a visit; one with the same external id is changed instead. Gives the id it is kept under.
pub async fn upsert(tx: &mut Tx, visit: &Visit) -> Result<VisitId, StoreError> {
    const SQL: &str =
        "INSERT INTO visit (id, customer_id, owner_id, purpose, starts_at, ends_at, place, attendees, note,
            external_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (external_id) DO UPDATE SET customer_id = excluded.customer_id, owner_id = excluded.owner_id,
            purpose = excluded.purpose, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
            place = excluded.place, attendees = excluded.attendees, note = excluded.note,
            updated_at = excluded.updated_at, revision = visit.revision + 1
        RETURNING id";
    let id: String = on!(tx, |c| sqlx::query_scalar(SQL)
        .bind(visit.id.as_str())
        .bind(visit.customer_id.as_str())
        .bind(visit.owner_id.as_str())
        .bind(visit.purpose.as_str())
        .bind(visit.starts_at.as_micros())
        .bind(visit.ends_at.map(Timestamp::as_micros))
        .bind(visit.place.as_deref())
        .bind(Json::text(&visit.attendees.0))
        .bind(visit.note.as_deref())
        .bind(visit.external_id.as_deref())
        .bind(visit.created_at.as_micros())
        .bind(visit.updated_at.as_micros())
        .fetch_one(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("visits::upsert", e))?;
    id.parse().map_err(|e| StoreError::from_sqlx("visits::upsert", sqlx::Error::Decode(Box::new(e))))
}

/// Changes a visit that is still at `visit.revision`, and counts the change; its id, external id and birth stay. `false` when it is
/// not, or there is no such visit.
pub async fn update(tx: &mut Tx, visit: &Visit) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE visit SET customer_id = $2, owner_id = $3, purpose = $4, starts_at = $5, ends_at = $6,
        place = $7, attendees = $8, note = $9, updated_at = $10, revision = revision + 1
        WHERE id = $1 AND revision = $11";
    on!(tx, |c| sqlx::query(SQL)
        .bind(visit.id.as_str())
        .bind(visit.customer_id.as_str())
        .bind(visit.owner_id.as_str())
        .bind(visit.purpose.as_str())
        .bind(visit.starts_at.as_micros())
        .bind(visit.ends_at.map(Timestamp::as_micros))
        .bind(visit.place.as_deref())
        .bind(Json::text(&visit.attendees.0))
        .bind(visit.note.as_deref())
        .bind(visit.updated_at.as_micros())
        .bind(visit.revision)
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("visits::update", e))
}

/// The visit with this id.
pub async fn find(tx: &mut Tx, id: &VisitId) -> Result<Option<Visit>, StoreError> {
    const SQL: &str = select_visit!("WHERE v.id = $1");
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("visits::find", e))
}

/// The visit with this external id.
pub async fn find_by_external_id(tx: &mut Tx, external_id: &str) -> Result<Option<Visit>, StoreError> {
    const SQL: &str = select_visit!("WHERE v.external_id = $1");
    on!(tx, |c| sqlx::query_as(SQL).bind(external_id).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("visits::find_by_external_id", e))
}

/// The latest visits of a person, for the list a phone offers.
pub async fn list_recent(tx: &mut Tx, owner: &PersonId, limit: i64) -> Result<Vec<Visit>, StoreError> {
    const SQL: &str = select_visit!("WHERE v.owner_id = $1 ORDER BY v.starts_at DESC, v.id DESC LIMIT $2");
    on!(tx, |c| sqlx::query_as(SQL).bind(owner.as_str()).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("visits::list_recent", e))
}

/// A page of visits, the latest first, after the one given.
pub async fn search(
    tx: &mut Tx,
    filter: VisitFilter<'_>,
    after: Option<(Timestamp, &VisitId)>,
    limit: i64,
) -> Result<Vec<Visit>, StoreError> {
    const SQL: &str = select_visit!(
        "WHERE (CAST($1 AS TEXT) IS NULL OR v.owner_id = $1)
            AND (CAST($2 AS TEXT) IS NULL OR v.customer_id = $2)
            AND c.name_key LIKE $3 ESCAPE '!'
            AND (CAST($4 AS BIGINT) IS NULL OR v.starts_at >= $4)
            AND (CAST($5 AS BIGINT) IS NULL OR v.starts_at < $5)
            AND (CAST($6 AS BIGINT) IS NULL OR v.starts_at < $6 OR (v.starts_at = $6 AND v.id < $7))
        ORDER BY v.starts_at DESC, v.id DESC LIMIT $8"
    );
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(filter.owner.map(PersonId::as_str))
        .bind(filter.customer.map(CustomerId::as_str))
        .bind(super::containing(filter.customer_part))
        .bind(filter.from.map(Timestamp::as_micros))
        .bind(filter.until.map(Timestamp::as_micros))
        .bind(after.map(|(at, _)| at.as_micros()))
        .bind(after.map(|(_, id)| id.as_str()))
        .bind(limit)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("visits::search", e))
}

/// How many visits a customer had.
pub async fn count_of_customer(tx: &mut Tx, customer: &CustomerId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM visit WHERE customer_id = $1";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(customer.as_str()).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("visits::count_of_customer", e))
}
