//! People with accounts, their roles and units.

use std::collections::BTreeSet;

use super::{StoreError, Tx, on, record};
use crate::domain::{
    ids::{PersonId, UnitId},
    person::{Actor, Language, Role},
    time::Timestamp,
};

record! {
    /// A person with an account. The password hash is apart, in [`Credentials`], so it cannot slip into a page or log.
    pub struct Person {
        /// Their id.
        pub id: PersonId,
        /// What they sign in with; folded, unique.
        pub user_name: String,
        /// What others see.
        pub display_name: String,
        /// Where forwarded mail may come from.
        pub email: Option<String>,
        /// Whether the password was chosen by someone else and must be changed first.
        pub must_change_password: bool,
        /// Language of their pages.
        pub language: Language,
        /// Since when they may not act; `None` while they may.
        pub disabled_at: Option<Timestamp>,
        /// When the account was made.
        pub created_at: Timestamp,
        /// Their roles.
        pub roles: BTreeSet<Role>,
        /// Units they belong to.
        pub units: BTreeSet<UnitId>,
        /// Counts changes by admins, from 1.
        pub revision: i64,
    }
}

record! {
    /// What signing in compares.
    pub struct Credentials {
        /// Whose.
        pub person_id: PersonId,
        /// Argon2 in PHC text.
        pub password_hash: String,
        /// Disabled people do not sign in.
        pub disabled_at: Option<Timestamp>,
    }
}

impl Person {
    /// The person as an actor; `None` when disabled or without a role.
    pub fn actor(&self) -> Option<Actor> {
        (self.disabled_at.is_none() && !self.roles.is_empty()).then(|| Actor {
            id: self.id.clone(),
            roles: self.roles.clone(),
            units: self.units.clone(),
        })
    }
}

/// The active person as an actor, with the units below theirs; what every request starts from.
pub async fn find_actor(tx: &mut Tx, id: &PersonId) -> Result<Option<Actor>, StoreError> {
    let Some(mut actor) = find(tx, id).await?.and_then(|person| person.actor()) else { return Ok(None) };
    actor.units = super::organisation::units_in_reach(tx, id).await?;
    Ok(Some(actor))
}

macro_rules! select_person {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.user_name, p.display_name, p.email, p.must_change_password, p.language, p.disabled_at,
                p.created_at, p.revision,
                (SELECT string_agg(r.role, ',') FROM person_role r WHERE r.person_id = p.id) AS roles,
                (SELECT string_agg(u.unit_id, ',') FROM person_unit u WHERE u.person_id = p.id) AS units
            FROM person p ",
            $rest
        )
    };
}

/// Stores a new person with their roles and units. `false`, and nothing stored, when the user name is taken.
pub async fn create(tx: &mut Tx, person: &Person, password_hash: &str) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO person (id, user_name, display_name, email, password_hash, must_change_password,
            language, disabled_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (user_name) DO NOTHING";
    let is_new = on!(tx, |c| sqlx::query(SQL)
        .bind(person.id.as_str())
        .bind(&person.user_name)
        .bind(&person.display_name)
        .bind(person.email.as_deref())
        .bind(password_hash)
        .bind(i64::from(person.must_change_password))
        .bind(person.language.as_str())
        .bind(person.disabled_at.map(Timestamp::as_micros))
        .bind(person.created_at.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("people::create", e))?;
    if is_new {
        set_roles(tx, &person.id, &person.roles).await?;
        set_units(tx, &person.id, &person.units).await?;
    }
    Ok(is_new)
}

/// The person with this id.
pub async fn find(tx: &mut Tx, id: &PersonId) -> Result<Option<Person>, StoreError> {
    const SQL: &str = select_person!("WHERE p.id = $1");
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("people::find", e))
}

/// The person with this (folded) user name.
pub async fn find_by_user_name(tx: &mut Tx, user_name: &str) -> Result<Option<Person>, StoreError> {
    const SQL: &str = select_person!("WHERE p.user_name = $1");
    on!(tx, |c| sqlx::query_as(SQL).bind(user_name).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("people::find_by_user_name", e))
}

/// What signing in as this (folded) user name compares.
pub async fn find_credentials(tx: &mut Tx, user_name: &str) -> Result<Option<Credentials>, StoreError> {
    const SQL: &str = "SELECT id AS person_id, password_hash, disabled_at FROM person WHERE user_name = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(user_name).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("people::find_credentials", e))
}

/// A page of people by user name, after the one named; disabled people too.
pub async fn list(tx: &mut Tx, after_user_name: Option<&str>, limit: i64) -> Result<Vec<Person>, StoreError> {
    const SQL: &str =
        select_person!("WHERE CAST($1 AS TEXT) IS NULL OR p.user_name > $1 ORDER BY p.user_name LIMIT $2");
    on!(tx, |c| sqlx::query_as(SQL).bind(after_user_name).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("people::list", e))
}

/// Counts a change to a person who is still at `expected` (whatever they are at, when `None`) before it is made. `false` when they are
/// not, or there is no such person: change nothing. On PostgreSQL others who change them wait from here on.
pub async fn count_change(tx: &mut Tx, id: &PersonId, expected: Option<i64>) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE person SET revision = revision + 1
        WHERE id = $1 AND (CAST($2 AS BIGINT) IS NULL OR revision = $2)";
    on!(tx, |c| sqlx::query(SQL).bind(id.as_str()).bind(expected).execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(|e| StoreError::from_sqlx("people::count_change", e))
}

/// Replaces the roles of a person.
pub async fn set_roles(tx: &mut Tx, id: &PersonId, roles: &BTreeSet<Role>) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM person_role WHERE person_id = $1";
    const ADD: &str = "INSERT INTO person_role (person_id, role) VALUES ($1, $2)";
    on!(tx, |c| sqlx::query(CLEAR).bind(id.as_str()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("people::set_roles", e))?;
    for role in roles {
        on!(tx, |c| sqlx::query(ADD).bind(id.as_str()).bind(role.as_str()).execute(c).await.map(drop))
            .map_err(|e| StoreError::from_sqlx("people::set_roles", e))?;
    }
    Ok(())
}

/// Replaces the units of a person.
pub async fn set_units(tx: &mut Tx, id: &PersonId, units: &BTreeSet<UnitId>) -> Result<(), StoreError> {
    const CLEAR: &str = "DELETE FROM person_unit WHERE person_id = $1";
    const ADD: &str = "INSERT INTO person_unit (person_id, unit_id) VALUES ($1, $2)";
    on!(tx, |c| sqlx::query(CLEAR).bind(id.as_str()).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("people::set_units", e))?;
    for unit in units {
        on!(tx, |c| sqlx::query(ADD).bind(id.as_str()).bind(unit.as_str()).execute(c).await.map(drop))
            .map_err(|e| StoreError::from_sqlx("people::set_units", e))?;
    }
    Ok(())
}

/// Sets display name, e-mail address and language. `false` when there is no such person.
pub async fn set_profile(
    tx: &mut Tx,
    id: &PersonId,
    display_name: &str,
    email: Option<&str>,
    language: Language,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE person SET display_name = $2, email = $3, language = $4 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(display_name)
        .bind(email)
        .bind(language.as_str())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("people::set_profile", e))
}

/// Sets the language of pages. `false` when there is no such person.
pub async fn set_language(tx: &mut Tx, id: &PersonId, language: Language) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE person SET language = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(language.as_str())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("people::set_language", e))
}

/// Sets the password hash. `false` when there is no such person.
pub async fn set_password(
    tx: &mut Tx,
    id: &PersonId,
    password_hash: &str,
    must_change_password: bool,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE person SET password_hash = $2, must_change_password = $3 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(password_hash)
        .bind(i64::from(must_change_password))
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("people::set_password", e))
}

/// Disables a person from an instant on, or enables them again. `false` when there is no such person.
pub async fn set_disabled(tx: &mut Tx, id: &PersonId, disabled_at: Option<Timestamp>) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE person SET disabled_at = $2 WHERE id = $1";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(disabled_at.map(Timestamp::as_micros))
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("people::set_disabled", e))
}

/// How many people who are not disabled have this role.
pub async fn count_active(tx: &mut Tx, role: Role) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM person p JOIN person_role r ON r.person_id = p.id
        WHERE r.role = $1 AND p.disabled_at IS NULL";
    on!(tx, |c| sqlx::query_scalar(SQL).bind(role.as_str()).fetch_one(c).await)
        .map_err(|e| StoreError::from_sqlx("people::count_active", e))
}

/// How many people are not disabled.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) FROM person WHERE disabled_at IS NULL";
    on!(tx, |c| sqlx::query_scalar(SQL).fetch_one(c).await).map_err(|e| StoreError::from_sqlx("people::count", e))
}
