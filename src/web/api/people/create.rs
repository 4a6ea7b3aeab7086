//! `POST /api/v1/people`.

use std::collections::BTreeSet;

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::IssuedPasswordBody;
use crate::{
    domain::{
        ids::UnitId,
        person::{Language, Role},
    },
    people::{self, NewPerson, PeopleError},
    web::{
        api::extract::JsonBody,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A person to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPersonBody {
    /// What they sign in with.
    pub user_name: String,
    /// What others see.
    pub display_name: String,
    /// Where forwarded mail may come from.
    #[serde(default)]
    pub email: Option<String>,
    /// At least one of `rep`, `reviewer`, `admin`, `auditor`.
    #[schema(value_type = Vec<String>)]
    pub roles: BTreeSet<Role>,
    /// Ids of existing units.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub units: BTreeSet<UnitId>,
    /// `en` (unless given) or `zh`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub language: Option<Language>,
}

/// Creates a person with a one-time password.
#[utoipa::path(post, path = "/api/v1/people", operation_id = "create_person", tag = "people",
    request_body = NewPersonBody,
    responses((status = 201, body = IssuedPasswordBody), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    Admin(signed): Admin,
    JsonBody(body): JsonBody<NewPersonBody>,
) -> Result<(StatusCode, Json<IssuedPasswordBody>), ApiError> {
    let new = NewPerson {
        user_name: body.user_name.parse().map_err(PeopleError::from)?,
        display_name: body.display_name,
        email: body.email,
        roles: body.roles,
        units: body.units,
        language: body.language.unwrap_or(Language::En),
    };
    let created = people::create(&state.app, Some(&signed.actor), new).await?;
    Ok((StatusCode::CREATED, Json(IssuedPasswordBody::from(created))))
}
