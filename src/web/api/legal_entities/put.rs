//! `PUT /api/v1/legal-entities/{id}`.

use axum::{Json, extract::State};

use super::{LegalEntityBody, LegalEntityInputBody};
use crate::{
    domain::ids::LegalEntityId,
    organisation,
    web::{
        api::extract::{JsonBody, PathId},
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Replaces everything about a legal entity but its id.
#[utoipa::path(put, path = "/api/v1/legal-entities/{id}", operation_id = "put_legal_entity", tag = "organisation",
    params(("id" = String, Path)), request_body = LegalEntityInputBody,
    responses((status = 200, body = LegalEntityBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put(
    State(state): State<AppState>,
    Admin(signed): Admin,
    PathId(id): PathId<LegalEntityId>,
    JsonBody(body): JsonBody<LegalEntityInputBody>,
) -> Result<Json<LegalEntityBody>, ApiError> {
    let changed = organisation::change_entity(&state.app, &signed.actor, &id, body.into()).await?;
    Ok(Json(LegalEntityBody::from(changed)))
}
