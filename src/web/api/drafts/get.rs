//! `GET /api/v1/drafts/{id}`.

use axum::{Json, extract::State};

use crate::{
    domain::ids::ReceiptId,
    review,
    web::{
        api::{bodies::DraftBody, extract::PathId},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A draft with its fields, candidates, boxes, reasons and pages.
#[utoipa::path(get, path = "/api/v1/drafts/{id}", operation_id = "get_draft", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, body = DraftBody), (status = 404, body = Problem)))]
pub async fn get(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
) -> Result<Json<DraftBody>, ApiError> {
    let view = review::view(&state.app, &signed.actor, &id).await?;
    Ok(Json(DraftBody::from(&view)))
}
