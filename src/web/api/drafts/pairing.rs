//! `POST /api/v1/drafts/{id}/keep-apart` and `/propose-again`: answers to the proposal that two papers are one expense.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::findings::FindingBody;
use crate::{
    domain::ids::ReceiptId,
    review::{self, Pairing},
    web::{
        api::extract::{JsonBody, PathId},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// The other paper.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PairBody {
    /// The receipt the finding `same_expense` or `kept_apart` names.
    #[schema(value_type = String)]
    pub other: ReceiptId,
}

/// Says that a draft and the receipt that was proposed as paper of the same expense are two expenses. Reviewers only, not about
/// their own. Returns the findings afterwards: `kept_apart` instead of `same_expense`.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/keep-apart", tag = "drafts", params(("id" = String, Path)),
    request_body = PairBody,
    responses((status = 200, body = Vec<FindingBody>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn keep_apart(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<PairBody>,
) -> Result<Json<Vec<FindingBody>>, ApiError> {
    pair(&state, &signed, &id, &body.other, Pairing::KeptApart).await
}

/// Takes `keep-apart` back. Returns the findings afterwards.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/propose-again", tag = "drafts", params(("id" = String, Path)),
    request_body = PairBody,
    responses((status = 200, body = Vec<FindingBody>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub async fn propose_again(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<PairBody>,
) -> Result<Json<Vec<FindingBody>>, ApiError> {
    pair(&state, &signed, &id, &body.other, Pairing::Proposed).await
}

async fn pair(
    state: &AppState,
    signed: &Signed,
    id: &ReceiptId,
    other: &ReceiptId,
    pairing: Pairing,
) -> Result<Json<Vec<FindingBody>>, ApiError> {
    review::pair(&state.app, &signed.actor, id, other, pairing).await?;
    let found = review::findings(&state.app, &signed.actor, id).await?;
    Ok(Json(found.into_iter().map(FindingBody::from).collect()))
}
