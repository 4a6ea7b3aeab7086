//! `POST /api/v1/drafts/{id}/verification`: what the tax bureau said of the draft's invoice.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::findings::FindingBody;
use crate::{
    domain::{finding::VerificationOutcome, ids::ReceiptId, time::CivilDate},
    findings, review,
    web::{
        api::extract::{JsonBody, PathId},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// An answer of the tax bureau.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationBody {
    /// `genuine`, `mismatched`, `voided`, `cancelled` or `not_found`.
    #[schema(value_type = String)]
    pub outcome: VerificationOutcome,
    /// The day it was asked, `YYYY-MM-DD`; today when left out.
    #[schema(value_type = Option<String>)]
    pub checked_on: Option<CivilDate>,
    /// What else was seen there.
    pub note: Option<String>,
}

/// Records what a reviewer read on the tax bureau's page. Returns the findings afterwards.
#[utoipa::path(post, path = "/api/v1/drafts/{id}/verification", tag = "drafts", params(("id" = String, Path)),
    request_body = VerificationBody,
    responses((status = 200, body = Vec<FindingBody>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn verification(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
    JsonBody(body): JsonBody<VerificationBody>,
) -> Result<Json<Vec<FindingBody>>, ApiError> {
    let receipt = review::receipt(&state.app, &signed.actor, &id).await?;
    let VerificationBody { outcome, checked_on, note } = body;
    findings::record_by_hand(&state.app, &signed.actor, &receipt, outcome, checked_on, note).await?;
    let found = review::findings(&state.app, &signed.actor, &id).await?;
    Ok(Json(found.into_iter().map(FindingBody::from).collect()))
}
