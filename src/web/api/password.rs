//! `POST /api/v1/captures/{id}/password`: opens an encrypted document.

use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    domain::ids::{CaptureId, DocumentId},
    review,
    web::{
        api::extract::{JsonBody, PathId},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// What a person typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    /// The document it opens; the first one that waits unless given.
    pub document_id: Option<String>,
    /// 1 to 200 characters. Kept only until the document has been read, and never logged.
    pub password: String,
}

/// Reads a capture again with the password of its encrypted document.
#[utoipa::path(post, path = "/api/v1/captures/{id}/password", operation_id = "give_password", tag = "captures",
    params(("id" = String, Path)), request_body = PasswordBody,
    responses((status = 202), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn give(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<CaptureId>,
    JsonBody(body): JsonBody<PasswordBody>,
) -> Result<StatusCode, ApiError> {
    let document: Option<DocumentId> =
        body.document_id.map(|id| id.parse()).transpose().map_err(|_| ApiError::not_found("document"))?;
    review::give_password(&state.app, &signed.actor, &id, document.as_ref(), &body.password).await?;
    state.app.wake.notify_one();
    Ok(StatusCode::ACCEPTED)
}
