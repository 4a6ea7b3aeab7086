//! `POST /api/v1/verifications/import`: answers of the tax bureau in a batch.

use axum::{
    Json,
    extract::{Request, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    findings,
    web::{
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// How many answers were recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedBody {
    /// Lines recorded.
    pub recorded: usize,
}

/// Imports answers: the body is a CSV file with `number,code,outcome,checked_on`; code and day may be empty. All or nothing.
#[utoipa::path(post, path = "/api/v1/verifications/import", operation_id = "import_verifications", tag = "drafts",
    request_body(content_type = "text/csv", content = String),
    responses((status = 200, body = ImportedBody), (status = 403, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
pub async fn import(
    State(state): State<AppState>,
    signed: Signed,
    request: Request,
) -> Result<Json<ImportedBody>, ApiError> {
    let bytes = axum::body::to_bytes(request.into_body(), findings::MAX_BATCH_BYTES).await;
    let bytes = bytes.map_err(|_| findings::RecordError::TooMany)?;
    let recorded = findings::import(&state.app, &signed.actor, &String::from_utf8_lossy(&bytes)).await?;
    Ok(Json(ImportedBody { recorded }))
}
