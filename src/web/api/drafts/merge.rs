//! `POST /api/v1/drafts/{id}/merge`.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

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

/// Into which receipt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeBody {
    /// The revision the caller saw.
    pub revision: i64,
    /// The receipt that stays.
    #[schema(value_type = String)]
    pub into: ReceiptId,
}

/// Makes a draft part of another one of the same person; its documents become supporting ones there.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/merge", tag = "drafts", params(("id" = String, Path)),
    request_body = MergeBody,
    responses((status = 200, body = ReceiptBody), (status = 409, body = Problem)))]
pub async fn merge(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<MergeBody>,
) -> Result<Json<ReceiptBody>, ApiError> {
    let receipt = review::merge(&state.app, &signed.actor, &id, body.revision, &body.into).await?;
    Ok(Json(ReceiptBody::from(&receipt)))
}
