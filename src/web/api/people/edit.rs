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
    people::{self, PersonChange},
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
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditPersonBody {
    /// The revision this change was made from.
    pub revision: i64,
    /// What others see.
    pub display_name: Option<String>,
    /// Where forwarded mail may come from; `null` for nowhere.
    #[serde(default, deserialize_with = "present")]
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

/// Changes a person: everything asked for, or nothing. 409 with the current person when they are at another revision.
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
    let change = PersonChange {
        roles: body.roles,
        units: body.units,
        display_name: body.display_name,
        email: body.email,
        language: body.language,
        disabled: body.disabled,
    };
    let person = people::change(&state.app, Some(&signed.actor), &id, Some(body.revision), change).await?;
    Ok(Json(PersonBody::from(person)))
}
