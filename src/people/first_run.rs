//! The first account, made when an instance starts for the first time.

use std::collections::BTreeSet;

use serde_json::json;

use super::{NewPerson, PeopleError, Secret, UserName, accounts, password};
use crate::{
    app::App,
    domain::{
        ids::{CategoryId, OrganisationId},
        journal::Manner,
        money::Currency,
        person::{Language, Role},
    },
    store::{
        Json, categories,
        organisation::{self, Organisation},
    },
};

/// What a new organisation starts with; all of it can be changed later.
#[derive(Debug, Clone)]
pub struct OrganisationDefaults {
    /// Its name.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What amounts are compared in.
    pub home_currency: Currency,
    /// BCP 47 tags in order of preference.
    pub languages: Vec<String>,
    /// Language of the first account's pages.
    pub page_language: Language,
}

/// The first account, to be shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAccount {
    /// What to sign in with.
    pub user_name: UserName,
    /// And this, once.
    pub one_time_password: Secret,
}

/// Creates the organisation, the default categories and the account `admin` (admin, reviewer and rep), once per
/// instance. `None` when that was done before, also by another process a moment ago.
pub async fn first_run(app: &App, defaults: &OrganisationDefaults) -> Result<Option<FirstAccount>, PeopleError> {
    if organisation::find(&mut app.db.read().await?).await?.is_some() {
        return Ok(None);
    }
    let one_time_password = password::one_time(&app.random);
    let hash = password::hash(&one_time_password, &app.random).await?;
    let user_name: UserName = "admin".parse()?;
    let admin = NewPerson {
        user_name: user_name.clone(),
        display_name: "Admin".to_owned(),
        email: None,
        roles: BTreeSet::from([Role::Admin, Role::Reviewer, Role::Rep]),
        units: BTreeSet::new(),
        language: defaults.page_language,
    };
    let mut tx = app.db.write().await?;
    // The unique user name decides between two processes that start at once: the second waits here and is told.
    match accounts::insert(app, &mut tx, None, admin, &hash).await {
        Ok(_) => {}
        Err(PeopleError::UserNameTaken(_)) => return Ok(None),
        Err(error) => return Err(error),
    }
    let organisation = Organisation {
        id: app.id::<OrganisationId>(),
        name: defaults.name.clone(),
        time_zone: defaults.time_zone.clone(),
        home_currency: defaults.home_currency,
        languages: Json(defaults.languages.clone()),
        submits_automatically: true,
        created_at: app.now(),
    };
    organisation::create(&mut tx, &organisation).await?;
    categories::seed_defaults(&mut tx, || app.id::<CategoryId>(), app.now()).await?;
    let body = json!({
        "name": organisation.name, "time_zone": organisation.time_zone,
        "home_currency": organisation.home_currency, "languages": defaults.languages,
    });
    let subject = ("organisation", organisation.id.as_str());
    let entry = app.entry(None, Manner::System, "organisation.created", subject, body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(Some(FirstAccount { user_name, one_time_password: Secret(one_time_password) }))
}
