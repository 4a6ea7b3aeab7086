//! What admins do about accounts.

use std::collections::BTreeSet;

use serde_json::json;

use super::{PeopleError, Secret, UserName, manner, password, require_admin};
use crate::{
    app::App,
    domain::{
        ids::{PersonId, UnitId},
        person::{Actor, Language, Role},
    },
    store::{Tx, organisation, people, people::Person, sessions},
};

/// Most characters of a display name.
const MAX_NAME_CHARS: usize = 100;
/// RFC 5321 allows no longer path.
const MAX_EMAIL_BYTES: usize = 254;

/// A person to be created.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// What they sign in with.
    pub user_name: UserName,
    /// What others see, 1 to 100 characters.
    pub display_name: String,
    /// Where forwarded mail may come from.
    pub email: Option<String>,
    /// At least one.
    pub roles: BTreeSet<Role>,
    /// Existing units.
    pub units: BTreeSet<UnitId>,
    /// Language of pages.
    pub language: Language,
}

/// A person who was created, and what they sign in with the first time.
#[derive(Debug, Clone)]
pub struct Created {
    /// The person.
    pub person: Person,
    /// To be shown once and changed at the first sign-in.
    pub one_time_password: Secret,
}

/// Creates a person with a one-time password.
pub async fn create(app: &App, by: Option<&Actor>, new: NewPerson) -> Result<Created, PeopleError> {
    require_admin(by)?;
    let one_time_password = password::one_time(&app.random);
    let hash = password::hash(&one_time_password, &app.random).await?;
    let mut tx = app.db.write().await?;
    let person = insert(app, &mut tx, by, new, &hash).await?;
    tx.commit().await?;
    Ok(Created { person, one_time_password: Secret(one_time_password) })
}

/// Stores and journals a new person whose password must be changed.
pub(super) async fn insert(
    app: &App,
    tx: &mut Tx,
    by: Option<&Actor>,
    new: NewPerson,
    password_hash: &str,
) -> Result<Person, PeopleError> {
    if new.roles.is_empty() {
        return Err(PeopleError::NoRole);
    }
    require_units(tx, &new.units).await?;
    let person = Person {
        id: app.id::<PersonId>(),
        user_name: new.user_name.as_str().to_owned(),
        display_name: display_name(&new.display_name)?,
        email: email(new.email.as_deref())?,
        must_change_password: true,
        language: new.language,
        disabled_at: None,
        created_at: app.now(),
        roles: new.roles,
        units: new.units,
        revision: 1,
    };
    if !people::create(tx, &person, password_hash).await? {
        return Err(PeopleError::UserNameTaken(new.user_name));
    }
    let body = json!({
        "user_name": person.user_name, "display_name": person.display_name, "email": person.email,
        "roles": person.roles, "units": person.units, "language": person.language,
    });
    note(app, tx, by, "person.created", &person.id, body).await?;
    Ok(person)
}

/// Changes the language of one's own pages.
pub async fn set_language(app: &App, by: &Actor, language: Language) -> Result<(), PeopleError> {
    let mut tx = app.db.write().await?;
    people::set_language(&mut tx, &by.id, language).await?;
    note(app, &mut tx, Some(by), "person.language_changed", &by.id, json!({"after": language})).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a person a one-time password, to be shown once, and ends their sessions.
pub async fn reset_password(app: &App, by: Option<&Actor>, id: &PersonId) -> Result<Created, PeopleError> {
    require_admin(by)?;
    let one_time_password = password::one_time(&app.random);
    let hash = password::hash(&one_time_password, &app.random).await?;
    let mut tx = app.db.write().await?;
    let person = found(&mut tx, id).await?;
    people::count_change(&mut tx, id, None).await?;
    people::set_password(&mut tx, id, &hash, true).await?;
    let ended = sessions::delete_all(&mut tx, id).await?;
    note(app, &mut tx, by, "person.password_reset", id, json!({"sessions_ended": ended})).await?;
    tx.commit().await?;
    Ok(Created {
        person: Person { must_change_password: true, revision: person.revision + 1, ..person },
        one_time_password: Secret(one_time_password),
    })
}

/// Appends what happened to a person to the journal.
pub(super) async fn note(
    app: &App,
    tx: &mut Tx,
    by: Option<&Actor>,
    kind: &str,
    id: &PersonId,
    body: serde_json::Value,
) -> Result<(), PeopleError> {
    let entry = app.entry(by.map(|actor| &actor.id), manner(by), kind, ("person", id.as_str()), body);
    Ok(app.record(tx, &entry).await?)
}

pub(super) async fn found(tx: &mut Tx, id: &PersonId) -> Result<Person, PeopleError> {
    people::find(tx, id).await?.ok_or_else(|| PeopleError::NoSuchPerson(id.clone()))
}

pub(super) async fn require_units(tx: &mut Tx, units: &BTreeSet<UnitId>) -> Result<(), PeopleError> {
    for unit in units {
        if organisation::units_below(tx, unit).await?.is_empty() {
            return Err(PeopleError::NoSuchUnit(unit.clone()));
        }
    }
    Ok(())
}

pub(super) fn display_name(text: &str) -> Result<String, PeopleError> {
    let name = text.trim();
    if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) || name.contains(char::is_control) {
        return Err(PeopleError::Invalid { what: "a display name", rule: "1 to 100 characters on one line" });
    }
    Ok(name.to_owned())
}

pub(super) fn email(text: Option<&str>) -> Result<Option<String>, PeopleError> {
    let Some(address) = text.map(str::trim).filter(|address| !address.is_empty()) else { return Ok(None) };
    let is_plausible = address.len() <= MAX_EMAIL_BYTES
        && !address.contains(|c: char| c.is_whitespace() || c.is_control())
        && address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if !is_plausible {
        return Err(PeopleError::Invalid { what: "an e-mail address", rule: "like `mei@example.com`" });
    }
    Ok(Some(address.to_lowercase()))
}
