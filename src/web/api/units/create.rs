//! `POST /api/v1/units`.

use axum::{Json, extract::State, http::StatusCode};

use super::{UnitBody, UnitInputBody};
use crate::{
    organisation,
    web::{
        api::extract::JsonBody,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Adds a unit.
#[utoipa::path(post, path = "/api/v1/units", operation_id = "create_unit", tag = "organisation", request_body = UnitInputBody,
    responses((status = 201, body = UnitBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    Admin(signed): Admin,
    JsonBody(body): JsonBody<UnitInputBody>,
) -> Result<(StatusCode, Json<UnitBody>), ApiError> {
    let added = organisation::add_unit(&state.app, &signed.actor, body.into()).await?;
    Ok((StatusCode::CREATED, Json(UnitBody::from(added))))
}
