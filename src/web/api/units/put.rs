//! `PUT /api/v1/units/{id}`.

use axum::{Json, extract::State};

use super::{UnitBody, UnitInputBody};
use crate::{
    domain::ids::UnitId,
    organisation,
    web::{
        api::extract::{JsonBody, PathId},
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Replaces everything about a unit but its id.
#[utoipa::path(put, path = "/api/v1/units/{id}", operation_id = "put_unit", tag = "organisation",
    params(("id" = String, Path)), request_body = UnitInputBody,
    responses((status = 200, body = UnitBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put(
    State(state): State<AppState>,
    Admin(signed): Admin,
    PathId(id): PathId<UnitId>,
    JsonBody(body): JsonBody<UnitInputBody>,
) -> Result<Json<UnitBody>, ApiError> {
    let changed = organisation::change_unit(&state.app, &signed.actor, &id, body.into()).await?;
    Ok(Json(UnitBody::from(changed)))
}
