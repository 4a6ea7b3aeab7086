//! `GET /api/v1/drafts/{id}/history`: its journal entries.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{ids::ReceiptId, time::Timestamp},
    review,
    store::journal,
    web::{
        api::extract::PathId,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Entries shown; a draft with more has a story of its own.
const MAX_ENTRIES: i64 = 500;

/// A journal entry about the draft.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntryBody {
    /// When, RFC 3339.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Person id; `null` for the system.
    pub actor_id: Option<String>,
    /// What, e.g. `draft.confirmed`.
    pub kind: String,
    /// More about it; `null` when erased.
    #[schema(value_type = Option<Object>)]
    pub body: Option<serde_json::Value>,
}

/// What happened to a draft, oldest first.
#[utoipa::path(get, path = "/api/v1/drafts/{id}/history", tag = "drafts", params(("id" = String, Path)),
    responses((status = 200, body = Vec<HistoryEntryBody>), (status = 404, body = Problem)))]
pub async fn history(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<ReceiptId>,
) -> Result<Json<Vec<HistoryEntryBody>>, ApiError> {
    // Seeing the draft is what allows seeing its history.
    review::view(&state.app, &signed.actor, &id).await?;
    let mut tx = state.app.db.read().await?;
    let entries = journal::list_for_subject(&mut tx, id.as_str(), MAX_ENTRIES).await?;
    Ok(Json(
        entries
            .into_iter()
            .map(|entry| HistoryEntryBody {
                at: entry.at,
                actor_id: entry.actor_id.map(|id| id.to_string()),
                kind: entry.kind,
                body: entry.body.map(|json| json.0),
            })
            .collect(),
    ))
}
