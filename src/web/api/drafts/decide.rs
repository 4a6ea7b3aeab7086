//! `POST /api/v1/drafts/{id}/submit | withdraw | return | reject | reopen`: one act each, differing in a word.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::AtRevision;
use crate::{
    domain::ids::ReceiptId,
    review::{self, Verb},
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

/// The revision the caller saw, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithReason {
    /// Revision.
    pub revision: i64,
    /// Why; shown to the rep.
    pub reason: String,
}

async fn act(
    state: &AppState,
    signed: &Signed,
    id: &ReceiptId,
    revision: i64,
    verb: Verb,
) -> Result<Json<ReceiptBody>, ApiError> {
    let receipt = review::decide(&state.app, &signed.actor, id, revision, verb).await?;
    Ok(Json(ReceiptBody::from(&receipt)))
}

/// Hands a draft to the reviewers.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/submit", tag = "drafts", params(("id" = String, Path)),
    request_body = AtRevision,
    responses((status = 200, body = ReceiptBody), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn submit(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<AtRevision>,
) -> Result<Json<ReceiptBody>, ApiError> {
    act(&state, &signed, &id, body.revision, Verb::Submit).await
}

/// Takes a draft back; until confirmation, by its owner.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/withdraw", tag = "drafts", params(("id" = String, Path)),
    request_body = AtRevision,
    responses((status = 200, body = ReceiptBody), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn withdraw(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<AtRevision>,
) -> Result<Json<ReceiptBody>, ApiError> {
    act(&state, &signed, &id, body.revision, Verb::Withdraw).await
}

/// Sends a draft back to its rep with a reason.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/return", tag = "drafts", params(("id" = String, Path)),
    request_body = WithReason,
    responses((status = 200, body = ReceiptBody), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn return_(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<WithReason>,
) -> Result<Json<ReceiptBody>, ApiError> {
    act(&state, &signed, &id, body.revision, Verb::Return { reason: body.reason }).await
}

/// Refuses a draft with a reason.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/reject", tag = "drafts", params(("id" = String, Path)),
    request_body = WithReason,
    responses((status = 200, body = ReceiptBody), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn reject(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<WithReason>,
) -> Result<Json<ReceiptBody>, ApiError> {
    act(&state, &signed, &id, body.revision, Verb::Reject { reason: body.reason }).await
}

/// Makes a confirmed, rejected or withdrawn receipt a draft again.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/reopen", tag = "drafts", params(("id" = String, Path)),
    request_body = AtRevision,
    responses((status = 200, body = ReceiptBody), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn reopen(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<AtRevision>,
) -> Result<Json<ReceiptBody>, ApiError> {
    act(&state, &signed, &id, body.revision, Verb::Reopen).await
}
