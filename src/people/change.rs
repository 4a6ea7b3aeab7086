//! What admins change about an account: whatever one request changes is one transaction, with an entry in the journal for each part.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    PeopleError,
    accounts::{display_name, email, found, note, require_units},
    require_admin,
};
use crate::{
    app::App,
    domain::{
        ids::{PersonId, UnitId},
        person::{Actor, Language, Role},
    },
    store::{Tx, lease, people, people::Person, sessions, tokens},
};

/// Transactions that may take an admin away follow one another.
const ADMINS: &str = "people.admins";

/// What to change; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// All roles from now on, at least one; take effect with the person's next request.
    pub roles: Option<BTreeSet<Role>>,
    /// All units from now on.
    pub units: Option<BTreeSet<UnitId>>,
    /// What others see, 1 to 100 characters.
    pub display_name: Option<String>,
    /// Where forwarded mail may come from; `Some(None)` for nowhere.
    pub email: Option<Option<String>>,
    /// Language of pages.
    pub language: Option<Language>,
    /// `true` ends their sessions and revokes their tokens at once; account and record stay. `false` lets them act again, with
    /// the password they had.
    pub disabled: Option<bool>,
}

/// Changes a person who is still at `revision` (whatever they are at, when `None`). Everything or nothing; what would stay the
/// same is no change and leaves no entry.
pub async fn change(
    app: &App,
    by: Option<&Actor>,
    id: &PersonId,
    revision: Option<i64>,
    wanted: PersonChange,
) -> Result<Person, PeopleError> {
    require_admin(by)?;
    let mut tx = app.db.write().await?;
    if wanted.roles.is_some() || wanted.disabled == Some(true) {
        lease::queue_up(&mut tx, ADMINS).await?;
    }
    let is_current = people::count_change(&mut tx, id, revision).await?;
    let before = found(&mut tx, id).await?;
    if !is_current {
        return Err(PeopleError::Changed(Box::new(before)));
    }
    let mut person = before.clone();
    let part = Part { app, by };
    if let Some(roles) = &wanted.roles {
        part.roles(&mut tx, &mut person, roles).await?;
    }
    if let Some(units) = &wanted.units {
        part.units(&mut tx, &mut person, units).await?;
    }
    part.profile(&mut tx, &mut person, &wanted).await?;
    match wanted.disabled {
        Some(true) => part.disable(&mut tx, &mut person).await?,
        Some(false) => part.enable(&mut tx, &mut person).await?,
        None => {}
    }
    if person == before {
        // Nothing to count.
        tx.rollback().await?;
        return found(&mut app.db.read().await?, id).await;
    }
    tx.commit().await?;
    Ok(person)
}

/// Replaces the roles of a person.
pub async fn set_roles(
    app: &App,
    by: Option<&Actor>,
    id: &PersonId,
    roles: &BTreeSet<Role>,
) -> Result<Person, PeopleError> {
    change(app, by, id, None, PersonChange { roles: Some(roles.clone()), ..PersonChange::default() }).await
}

/// Disables a person.
pub async fn disable(app: &App, by: Option<&Actor>, id: &PersonId) -> Result<Person, PeopleError> {
    change(app, by, id, None, PersonChange { disabled: Some(true), ..PersonChange::default() }).await
}

/// Lets a disabled person act again.
pub async fn enable(app: &App, by: Option<&Actor>, id: &PersonId) -> Result<Person, PeopleError> {
    change(app, by, id, None, PersonChange { disabled: Some(false), ..PersonChange::default() }).await
}

/// The parts of a change, each with its entry; they change `person` as the database is changed.
struct Part<'a> {
    app: &'a App,
    by: Option<&'a Actor>,
}

impl Part<'_> {
    async fn roles(&self, tx: &mut Tx, person: &mut Person, roles: &BTreeSet<Role>) -> Result<(), PeopleError> {
        if roles.is_empty() {
            return Err(PeopleError::NoRole);
        }
        if *roles == person.roles {
            return Ok(());
        }
        if !roles.contains(&Role::Admin) {
            require_another_admin(tx, person).await?;
        }
        people::set_roles(tx, &person.id, roles).await?;
        let body = json!({"before": person.roles, "after": roles});
        note(self.app, tx, self.by, "person.roles_changed", &person.id, body).await?;
        person.roles.clone_from(roles);
        Ok(())
    }

    async fn units(&self, tx: &mut Tx, person: &mut Person, units: &BTreeSet<UnitId>) -> Result<(), PeopleError> {
        if *units == person.units {
            return Ok(());
        }
        require_units(tx, units).await?;
        people::set_units(tx, &person.id, units).await?;
        let body = json!({"before": person.units, "after": units});
        note(self.app, tx, self.by, "person.units_changed", &person.id, body).await?;
        person.units.clone_from(units);
        Ok(())
    }

    async fn profile(&self, tx: &mut Tx, person: &mut Person, wanted: &PersonChange) -> Result<(), PeopleError> {
        let mut after = person.clone();
        if let Some(name) = &wanted.display_name {
            after.display_name = display_name(name)?;
        }
        if let Some(address) = &wanted.email {
            after.email = email(address.as_deref())?;
        }
        after.language = wanted.language.unwrap_or(after.language);
        if after == *person {
            return Ok(());
        }
        people::set_profile(tx, &person.id, &after.display_name, after.email.as_deref(), after.language).await?;
        let profile =
            |of: &Person| json!({"display_name": of.display_name, "email": of.email, "language": of.language});
        let body = json!({"before": profile(person), "after": profile(&after)});
        note(self.app, tx, self.by, "person.profile_changed", &person.id, body).await?;
        *person = after;
        Ok(())
    }

    async fn disable(&self, tx: &mut Tx, person: &mut Person) -> Result<(), PeopleError> {
        if person.disabled_at.is_some() {
            return Ok(());
        }
        require_another_admin(tx, person).await?;
        let now = self.app.now();
        people::set_disabled(tx, &person.id, Some(now)).await?;
        let ended = sessions::delete_all(tx, &person.id).await?;
        let revoked = tokens::revoke_all(tx, &person.id, now).await?;
        let body = json!({"sessions_ended": ended, "tokens_revoked": revoked});
        note(self.app, tx, self.by, "person.disabled", &person.id, body).await?;
        person.disabled_at = Some(now);
        Ok(())
    }

    async fn enable(&self, tx: &mut Tx, person: &mut Person) -> Result<(), PeopleError> {
        if person.disabled_at.is_none() {
            return Ok(());
        }
        people::set_disabled(tx, &person.id, None).await?;
        note(self.app, tx, self.by, "person.enabled", &person.id, json!({})).await?;
        person.disabled_at = None;
        Ok(())
    }
}

async fn require_another_admin(tx: &mut Tx, person: &Person) -> Result<(), PeopleError> {
    let is_active_admin = person.disabled_at.is_none() && person.roles.contains(&Role::Admin);
    if is_active_admin && people::count_active(tx, Role::Admin).await? <= 1 {
        return Err(PeopleError::LastAdmin(person.user_name.clone()));
    }
    Ok(())
}
