//! `PATCH /api/v1/people/{id}`.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::PersonBody;
use crate::{
    domain::{
        ids::{PersonId, UnitId},
        person::{Language, Role},
    },
    people::{self, PeopleError},
    store::people as rows,
    web::{
        api::{
            bodies::present,
            extract::{JsonBody, PathId},
        },
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// What to change; what is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EditPersonBody {
    /// What others see.
    pub display_name: Option<String>,
    /// Where forwarded mail may come from; `null` for nowhere.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub email: Option<Option<String>>,
    /// `en` or `zh`.
    #[schema(value_type = Option<String>)]
    pub language: Option<Language>,
    /// All roles from now on.
    #[schema(value_type = Option<Vec<String>>)]
    pub roles: Option<BTreeSet<Role>>,
    /// All units from now on.
    #[schema(value_type = Option<Vec<String>>)]
    pub units: Option<BTreeSet<UnitId>>,
    /// `true` ends their sessions and tokens and lets them no longer in; `false` lets them in again.
    pub disabled: Option<bool>,
}

/// Changes a person. Roles, units, profile and `disabled` are each an act with its own journal entry, done in this order; the first that is refused ends the request.
#[utoipa::path(patch, path = "/api/v1/people/{id}", operation_id = "edit_person", tag = "people",
    params(("id" = String, Path)), request_body = EditPersonBody,
    responses((status = 200, body = PersonBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn edit(
    State(state): State<AppState>,
    Admin(signed): Admin,
    PathId(id): PathId<PersonId>,
    JsonBody(body): JsonBody<EditPersonBody>,
) -> Result<Json<PersonBody>, ApiError> {
    let by = Some(&signed.actor);
    let person = rows::find(&mut state.app.db.read().await?, &id).await?;
    let mut person = person.ok_or_else(|| PeopleError::NoSuchPerson(id.clone()))?;
    if let Some(roles) = &body.roles {
        person = people::set_roles(&state.app, by, &id, roles).await?;
    }
    if let Some(units) = &body.units {
        person = people::set_units(&state.app, by, &id, units).await?;
    }
    if body.display_name.is_some() || body.email.is_some() || body.language.is_some() {
        let display_name = body.display_name.unwrap_or(person.display_name);
        let email = body.email.unwrap_or(person.email);
        let language = body.language.unwrap_or(person.language);
        person = people::set_profile(&state.app, by, &id, &display_name, email.as_deref(), language).await?;
    }
    match body.disabled {
        Some(true) => person = people::disable(&state.app, by, &id).await?,
        Some(false) => person = people::enable(&state.app, by, &id).await?,
        None => {}
    }
    Ok(Json(PersonBody::from(person)))
}
