//! People: add, change, disable, enable, new one-time password.

use std::collections::{BTreeSet, HashMap};

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::require_admin;
use crate::{
    domain::{
        ids::{PersonId, UnitId},
        person::{Language, Role},
        time::Timestamp,
    },
    people::{self, Created, NewPerson, PeopleError, PersonChange},
    store::{organisation, people as rows, sessions},
    web::{
        handlers::frame::{self, Frame, PageForm, shown},
        pages::{
            people::{PeoplePage, PersonRow},
            shell::Choice,
        },
        problem::ApiError,
        state::AppState,
    },
};

/// People on the page.
const MAX_PEOPLE: i64 = 2_000;
/// Units offered.
const MAX_UNITS: i64 = 1_000;

/// `GET /admin/people`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    show(&state, &frame, None, None).await
}

/// `POST /admin/people`: the answer shows the one-time password, and only it does.
pub async fn add(State(state): State<AppState>, form: PageForm) -> Response {
    let outcome = async {
        let new = NewPerson {
            user_name: form.get("name").parse().map_err(PeopleError::from)?,
            display_name: form.get("display_name").to_owned(),
            email: None,
            roles: roles(&form)?,
            units: units(&form)?,
            language: language(&form)?.unwrap_or(form.frame.shell.lang),
        };
        Ok(people::create(&state.app, Some(form.frame.actor()), new).await?)
    };
    match outcome.await {
        Ok(created) => show(&state, &form.frame, Some(created), None).await,
        Err(error) => show(&state, &form.frame, None, Some(error)).await,
    }
}

/// `POST /admin/people/{id}`.
pub async fn change(State(state): State<AppState>, Path(id): Path<PersonId>, form: PageForm) -> Response {
    match act(&state, &form, &id).await {
        Ok(None) => Redirect::to("/admin/people").into_response(),
        Ok(Some(reset)) => show(&state, &form.frame, Some(reset), None).await,
        Err(error) => show(&state, &form.frame, None, Some(error)).await,
    }
}

async fn act(state: &AppState, form: &PageForm, id: &PersonId) -> Result<Option<Created>, ApiError> {
    let by = Some(form.frame.actor());
    match form.get("action") {
        "save" => {
            let change = PersonChange {
                roles: Some(roles(form)?),
                units: Some(units(form)?),
                display_name: Some(form.get("display_name").to_owned()),
                language: language(form)?,
                ..PersonChange::default()
            };
            let revision = form.get("revision").parse().map_err(|_| ApiError::bad_request("that is no revision"))?;
            people::change(&state.app, by, id, Some(revision), change).await?;
        }
        "disable" => drop(people::disable(&state.app, by, id).await?),
        "enable" => drop(people::enable(&state.app, by, id).await?),
        "reset" => return Ok(Some(people::reset_password(&state.app, by, id).await?)),
        _ => return Err(ApiError::bad_request("that act is not known")),
    }
    Ok(None)
}

/// The page with what was just issued, or with what went wrong; an error page for those it is not for.
async fn show(state: &AppState, frame: &Frame, issued: Option<Created>, error: Option<ApiError>) -> Response {
    match fill(state, frame, issued, error.as_ref()).await {
        Ok(page) => frame::render(error.map_or(StatusCode::OK, |error| error.status()), &page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(
    state: &AppState,
    frame: &Frame,
    issued: Option<Created>,
    error: Option<&ApiError>,
) -> Result<PeoplePage, ApiError> {
    require_admin(frame.actor())?;
    let mut tx = state.app.db.read().await?;
    let seen: HashMap<String, i64> = sessions::last_seen(&mut tx).await?.into_iter().collect();
    let people = rows::list(&mut tx, None, MAX_PEOPLE).await?.into_iter().map(|person| PersonRow {
        seen_at: seen.get(person.id.as_str()).copied().map(Timestamp::from_micros),
        id: person.id,
        name: person.user_name,
        display_name: person.display_name,
        roles: person.roles,
        units: person.units.iter().map(ToString::to_string).collect(),
        language: Some(person.language),
        disabled_at: person.disabled_at,
        revision: person.revision,
    });
    let people = people.collect();
    let units = organisation::list_units(&mut tx, MAX_UNITS).await?;
    Ok(PeoplePage {
        shell: frame.shell.clone(),
        people,
        units: units.into_iter().map(|unit| Choice { value: unit.id.to_string(), label: unit.name }).collect(),
        issued: issued.map(|made| (made.person.user_name, made.one_time_password.reveal().to_owned())),
        problem: error.map(shown),
    })
}

fn roles(form: &PageForm) -> Result<BTreeSet<Role>, ApiError> {
    form.all("role").map(str::parse).collect::<Result<_, _>>().map_err(|_| ApiError::bad_request("that is no role"))
}

fn units(form: &PageForm) -> Result<BTreeSet<UnitId>, ApiError> {
    form.all("unit").map(str::parse).collect::<Result<_, _>>().map_err(|_| ApiError::bad_request("that is no unit"))
}

/// `None` for "as it is".
fn language(form: &PageForm) -> Result<Option<Language>, ApiError> {
    let word = Some(form.get("language")).filter(|word| !word.is_empty());
    word.map(str::parse).transpose().map_err(|_| ApiError::bad_request("that language is not offered"))
}
