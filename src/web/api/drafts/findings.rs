//! `GET /api/v1/drafts/{id}/findings`: what checks noticed.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{ids::ReceiptId, time::Timestamp},
    review::{self, FindingView},
    web::{
        api::extract::PathId,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Something a check noticed. It never refuses anything: people decide what follows.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingBody {
    /// What, e.g. `duplicate_invoice`.
    pub kind: &'static str,
    /// `info`, `warning` or `error`.
    pub severity: &'static str,
    /// The other receipt it is about, when the caller may see it.
    pub other_draft_id: Option<String>,
    /// Names and values of the sentence, by the kind's own keys.
    #[schema(value_type = Object)]
    pub detail: serde_json::Map<String, serde_json::Value>,
    /// When it was found, RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

impl From<FindingView> for FindingBody {
    fn from(finding: FindingView) -> Self {
        Self {
            kind: finding.kind.as_str(),
            severity: finding.severity.as_str(),
            other_draft_id: finding.other.map(|receipt| receipt.id.to_string()),
            detail: finding.detail,
            created_at: finding.created_at,
        }
    }
}

/// What checks noticed about a draft, most important first.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/findings", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, body = Vec<FindingBody>), (status = 404, body = Problem)))]
pub async fn findings(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
) -> Result<Json<Vec<FindingBody>>, ApiError> {
    let found = review::findings(&state.app, &signed.actor, &id).await?;
    Ok(Json(found.into_iter().map(FindingBody::from).collect()))
}
