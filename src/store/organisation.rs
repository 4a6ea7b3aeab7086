//! The one organisation, its legal entities and units.

use std::collections::BTreeSet;

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    ids::{LegalEntityId, OrganisationId, PersonId, UnitId},
    money::Currency,
    time::Timestamp,
};

record! {
    /// The one organisation of an instance.
    pub struct Organisation {
        /// Its id; part of every signed checkpoint.
        pub id: OrganisationId,
        /// Its name.
        pub name: String,
        /// IANA time zone; decides what `today` is.
        pub time_zone: String,
        /// What amounts are compared in.
        pub home_currency: Currency,
        /// BCP 47 tags in order of preference; decides 03/04 and the language of pages before sign-in.
        pub languages: Json<Vec<String>>,
        /// Whether a draft goes to the reviewers by itself as soon as required fields are there.
        pub submits_automatically: bool,
        /// When the instance was set up.
        pub created_at: Timestamp,
    }
}

record! {
    /// A legal entity; supplier invoices are made out to one.
    pub struct LegalEntity {
        /// Its id.
        pub id: LegalEntityId,
        /// Registered name.
        pub name: String,
        /// Tax number, as registered.
        pub tax_id: Option<String>,
        /// ISO 3166 alpha-2.
        pub country: Option<String>,
        /// When it differs from the organisation's.
        pub home_currency: Option<Currency>,
        /// When it was entered.
        pub created_at: Timestamp,
    }
}

record! {
    /// An organisational unit.
    pub struct Unit {
        /// Its id.
        pub id: UnitId,
        /// The entity that pays for it.
        pub legal_entity_id: Option<LegalEntityId>,
        /// The unit above.
        pub parent_id: Option<UnitId>,
        /// Its name.
        pub name: String,
        /// When it was entered.
        pub created_at: Timestamp,
    }
}

/// Stores the organisation. Call it once, in the transaction that also creates the first account.
pub async fn create(tx: &mut Tx, organisation: &Organisation) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO organisation (id, name, time_zone, home_currency, languages, submits_automatically, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(organisation.id.as_str())
        .bind(&organisation.name)
        .bind(&organisation.time_zone)
        .bind(organisation.home_currency.code())
        .bind(Json::text(&organisation.languages.0))
        .bind(i64::from(organisation.submits_automatically))
        .bind(organisation.created_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("organisation::create", e))
}

/// The organisation; `None` before the first run.
pub async fn find(tx: &mut Tx) -> Result<Option<Organisation>, StoreError> {
    const SQL: &str = "SELECT id, name, time_zone, home_currency, languages, submits_automatically, created_at
        FROM organisation ORDER BY created_at, id LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).fetch_optional(c).await).map_err(|e| StoreError::from_sqlx("organisation::find", e))
}

/// Changes the settings of the organisation; its id and birth stay.
pub async fn update(tx: &mut Tx, organisation: &Organisation) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE organisation SET name = $2, time_zone = $3, home_currency = $4, languages = $5,
        submits_automatically = $6 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(organisation.id.as_str())
        .bind(&organisation.name)
        .bind(&organisation.time_zone)
        .bind(organisation.home_currency.code())
        .bind(Json::text(&organisation.languages.0))
        .bind(i64::from(organisation.submits_automatically))
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("organisation::update", e))
}

/// Stores a legal entity, or changes the one with this id.
pub async fn put_legal_entity(tx: &mut Tx, entity: &LegalEntity) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO legal_entity (id, name, tax_id, country, home_currency, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, tax_id = excluded.tax_id, country = excluded.country,
            home_currency = excluded.home_currency";
    on!(tx, |c| sqlx::query(SQL)
        .bind(entity.id.as_str())
        .bind(&entity.name)
        .bind(entity.tax_id.as_deref())
        .bind(entity.country.as_deref())
        .bind(entity.home_currency.map(Currency::code))
        .bind(entity.created_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("organisation::put_legal_entity", e))
}

/// The legal entity with this id.
pub async fn find_legal_entity(tx: &mut Tx, id: &LegalEntityId) -> Result<Option<LegalEntity>, StoreError> {
    const SQL: &str = "SELECT id, name, tax_id, country, home_currency, created_at FROM legal_entity WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("organisation::find_legal_entity", e))
}

/// Legal entities in the order they were entered.
pub async fn list_legal_entities(tx: &mut Tx, limit: i64) -> Result<Vec<LegalEntity>, StoreError> {
    const SQL: &str = "SELECT id, name, tax_id, country, home_currency, created_at
        FROM legal_entity ORDER BY created_at, id LIMIT $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("organisation::list_legal_entities", e))
}

/// Stores a unit, or changes the one with this id.
pub async fn put_unit(tx: &mut Tx, unit: &Unit) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO unit (id, legal_entity_id, parent_id, name, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET legal_entity_id = excluded.legal_entity_id, parent_id = excluded.parent_id,
            name = excluded.name";
    on!(tx, |c| sqlx::query(SQL)
        .bind(unit.id.as_str())
        .bind(unit.legal_entity_id.as_ref().map(LegalEntityId::as_str))
        .bind(unit.parent_id.as_ref().map(UnitId::as_str))
        .bind(&unit.name)
        .bind(unit.created_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("organisation::put_unit", e))
}

/// The unit with this id.
pub async fn find_unit(tx: &mut Tx, id: &UnitId) -> Result<Option<Unit>, StoreError> {
    const SQL: &str = "SELECT id, legal_entity_id, parent_id, name, created_at FROM unit WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("organisation::find_unit", e))
}

/// Units in the order they were entered.
pub async fn list_units(tx: &mut Tx, limit: i64) -> Result<Vec<Unit>, StoreError> {
    const SQL: &str = "SELECT id, legal_entity_id, parent_id, name, created_at
        FROM unit ORDER BY created_at, id LIMIT $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("organisation::list_units", e))
}

/// The unit itself and all units below it; empty when there is no such unit. A circle of parents ends.
pub async fn units_below(tx: &mut Tx, unit: &UnitId) -> Result<BTreeSet<UnitId>, StoreError> {
    // UNION, not UNION ALL: a unit already found is not followed again, so a circle ends.
    const SQL: &str = "WITH RECURSIVE below (id) AS (
            SELECT id FROM unit WHERE id = $1
            UNION SELECT unit.id FROM unit JOIN below ON unit.parent_id = below.id
        ) SELECT id FROM below";
    unit_set(on!(tx, |c| sqlx::query_scalar(SQL).bind(unit.as_str()).fetch_all(c).await), "organisation::units_below")
}

/// Every unit whose receipts a reviewer sees: those the person belongs to and all below them.
/// Empty means the person belongs to none, which for reviewers is the whole organisation.
pub async fn units_in_reach(tx: &mut Tx, person: &PersonId) -> Result<BTreeSet<UnitId>, StoreError> {
    const SQL: &str = "WITH RECURSIVE reach (id) AS (
            SELECT unit_id FROM person_unit WHERE person_id = $1
            UNION SELECT unit.id FROM unit JOIN reach ON unit.parent_id = reach.id
        ) SELECT id FROM reach";
    unit_set(
        on!(tx, |c| sqlx::query_scalar(SQL).bind(person.as_str()).fetch_all(c).await),
        "organisation::units_in_reach",
    )
}

fn unit_set(rows: Result<Vec<String>, sqlx::Error>, during: &'static str) -> Result<BTreeSet<UnitId>, StoreError> {
    rows.and_then(|ids| {
        ids.iter().map(|id| id.parse().map_err(|e| sqlx::Error::Decode(Box::new(e)))).collect::<Result<_, _>>()
    })
    .map_err(|e| StoreError::from_sqlx(during, e))
}
