//! `POST /api/v1/legal-entities`.

use axum::{Json, extract::State, http::StatusCode};

use super::{LegalEntityBody, LegalEntityInputBody};
use crate::{
    organisation,
    web::{
        api::extract::JsonBody,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Adds a legal entity.
#[utoipa::path(post, path = "/api/v1/legal-entities", operation_id = "create_legal_entity", tag = "organisation", request_body = LegalEntityInputBody,
    responses((status = 201, body = LegalEntityBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    Admin(signed): Admin,
    JsonBody(body): JsonBody<LegalEntityInputBody>,
) -> Result<(StatusCode, Json<LegalEntityBody>), ApiError> {
    let added = organisation::add_entity(&state.app, &signed.actor, body.into()).await?;
    Ok((StatusCode::CREATED, Json(LegalEntityBody::from(added))))
}
