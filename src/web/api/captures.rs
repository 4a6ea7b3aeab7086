//! `/api/v1/captures`: what became of what was handed in.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{capture::CaptureState, ids::CaptureId},
    review,
    web::{
        api::{
            bodies::{CaptureBody, ReceiptBody},
            cursor,
            extract::{Parameters, PathId},
            files,
        },
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Captures on a page.
const LIMIT: usize = 200;

/// Which captures to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// Only in this state, e.g. `failed`; `read` without receipts is what brought nothing that was not filed before.
    pub state: Option<String>,
    /// Continue after this cursor.
    pub after: Option<String>,
}

/// Captures that have no receipt yet.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaptureListBody {
    /// Newest first, at most 200.
    pub captures: Vec<CaptureBody>,
    /// What to continue `after`; `null` on the last page.
    pub next: Option<String>,
}

/// A capture with its receipts so far.
#[utoipa::path(get, path = "/api/v1/captures/{id}", operation_id = "get_capture", tag = "captures", params(("id" = String, Path)),
    responses((status = 200, body = CaptureBody), (status = 404, body = Problem)))]
pub async fn get(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<CaptureId>,
) -> Result<Json<CaptureBody>, ApiError> {
    let seen = review::capture(&state.app, &signed.actor, &id).await?;
    Ok(Json(CaptureBody::from(&seen)))
}

/// Captures without receipts: on their way, or failed with a reason.
///
/// Only those: a capture is no longer listed here once a receipt was made of it. Then `GET /api/v1/drafts` lists its
/// receipts, and `GET /api/v1/captures/{id}` shows it with them.
#[utoipa::path(get, path = "/api/v1/captures", operation_id = "list_captures", tag = "captures", params(ListParameters),
    responses((status = 200, body = CaptureListBody), (status = 400, body = Problem)))]
pub async fn list(
    State(state): State<AppState>,
    signed: Signed,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<CaptureListBody>, ApiError> {
    let wanted = parameters
        .state
        .map(|word| word.parse::<CaptureState>())
        .transpose()
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let after = parameters.after.as_deref().map(cursor::decode).transpose()?;
    let after = after.as_ref().map(|(at, id)| (*at, id));
    let listed = review::captures_without_receipts(&state.app, &signed.actor, wanted.as_slice(), after, LIMIT).await?;
    Ok(Json(CaptureListBody {
        captures: listed.captures.iter().map(|row| CaptureBody::new(row, &[])).collect(),
        next: listed.next.as_ref().map(cursor::encode),
    }))
}

/// Gives a failed capture fresh attempts.
#[utoipa::path(post, path = "/api/v1/captures/{id}/retry", tag = "captures", params(("id" = String, Path)),
    responses((status = 202), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn retry(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<CaptureId>,
) -> Result<StatusCode, ApiError> {
    review::retry_capture(&state.app, &signed.actor, &id).await?;
    state.app.wake.notify_one();
    Ok(StatusCode::ACCEPTED)
}

/// Starts an empty draft for a capture that could not be read, to be filled in by hand.
#[utoipa::path(post, path = "/api/v1/captures/{id}/fill-by-hand", tag = "captures", params(("id" = String, Path)),
    responses((status = 201, body = ReceiptBody), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub async fn fill_by_hand(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<CaptureId>,
) -> Result<(StatusCode, Json<ReceiptBody>), ApiError> {
    let receipt = review::fill_by_hand(&state.app, &signed.actor, &id).await?;
    Ok((StatusCode::CREATED, Json(ReceiptBody::from(&receipt))))
}

/// The original bytes of a capture's first document, as an attachment.
#[utoipa::path(get, path = "/api/v1/captures/{id}/original", operation_id = "capture_original", tag = "captures", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
pub async fn original(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<CaptureId>,
) -> Result<Response, ApiError> {
    let seen = review::capture(&state.app, &signed.actor, &id).await?;
    let document = seen.documents.first().ok_or_else(|| ApiError::not_found("document"))?;
    files::attachment(&state, &id, &document.id).await
}
