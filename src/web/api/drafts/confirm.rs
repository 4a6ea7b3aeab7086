//! `POST /api/v1/drafts/{id}/confirm`.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::AtRevision;
use crate::{
    domain::ids::ReceiptId,
    review,
    web::{
        api::{
            bodies::ReceiptBody,
            extract::{JsonBody, PathId},
        },
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// The confirmed receipt, and what to look at next.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfirmedBody {
    /// The receipt.
    pub receipt: ReceiptBody,
    /// The next draft in the queue.
    pub next_id: Option<String>,
}

/// Vouches for a draft as it stands: it becomes an expense. It must be submitted and complete, and name a visit or none.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/confirm", tag = "drafts", params(("id" = String, Path)),
    request_body = AtRevision,
    responses((status = 200, body = ConfirmedBody), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn confirm(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<AtRevision>,
) -> Result<Json<ConfirmedBody>, ApiError> {
    let receipt = review::confirm(&state.app, &signed.actor, &id, body.revision).await?;
    let next = review::next_in_queue(&state.app, &signed.actor, &receipt).await?;
    Ok(Json(ConfirmedBody { receipt: ReceiptBody::from(&receipt), next_id: next.map(|id| id.to_string()) }))
}
