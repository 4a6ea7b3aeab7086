//! `POST /api/v1/drafts/visit`: one visit, or explicitly none, for many drafts.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        ids::{ReceiptId, VisitId},
        visit::VisitChoice,
    },
    review,
    web::{
        api::extract::JsonBody,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Which drafts, and which visit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetVisitBody {
    /// At most 500 drafts.
    #[schema(value_type = Vec<String>)]
    pub ids: Vec<ReceiptId>,
    /// The visit.
    #[schema(value_type = Option<String>)]
    pub visit_id: Option<VisitId>,
    /// Explicitly none.
    #[serde(default)]
    pub no_visit: bool,
}

/// How many changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedBody {
    /// Drafts changed.
    pub changed: usize,
}

/// Names one visit (or none) for many drafts, all or nothing.
#[utoipa::path(post, path = "/api/v1/drafts/visit", tag = "drafts", request_body = SetVisitBody,
    responses((status = 200, body = ChangedBody), (status = 422, body = Problem)))]
pub async fn set_visit(
    State(state): State<AppState>,
    signed: Signed,
    JsonBody(body): JsonBody<SetVisitBody>,
) -> Result<Json<ChangedBody>, ApiError> {
    let visit = match (body.visit_id, body.no_visit) {
        (Some(id), _) => VisitChoice::Visit(id),
        (None, true) => VisitChoice::NoVisit,
        (None, false) => VisitChoice::Undecided,
    };
    let changed = review::set_visit_of_many(&state.app, &signed.actor, &body.ids, &visit).await?;
    Ok(Json(ChangedBody { changed }))
}
