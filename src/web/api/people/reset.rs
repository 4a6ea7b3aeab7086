//! `POST /api/v1/people/{id}/reset`.

use axum::{Json, extract::State};

use super::IssuedPasswordBody;
use crate::{
    domain::ids::PersonId,
    people,
    web::{
        api::extract::PathId,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Gives a person a one-time password and ends their sessions.
#[utoipa::path(post, path = "/api/v1/people/{id}/reset", operation_id = "reset_password", tag = "people",
    params(("id" = String, Path)),
    responses((status = 200, body = IssuedPasswordBody), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn reset(
    State(state): State<AppState>,
    Admin(signed): Admin,
    PathId(id): PathId<PersonId>,
) -> Result<Json<IssuedPasswordBody>, ApiError> {
    let reset = people::reset_password(&state.app, Some(&signed.actor), &id).await?;
    Ok(Json(IssuedPasswordBody::from(reset)))
}
