//! `GET /api/v1/legal-entities`.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::LegalEntityBody;
use crate::{
    store::organisation,
    web::{
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Most legal entities listed.
const LIMIT: i64 = 1_000;

/// All legal entities.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegalEntityListBody {
    /// In the order they were entered, at most 1000.
    pub legal_entities: Vec<LegalEntityBody>,
}

/// Lists the legal entities of the organisation.
#[utoipa::path(get, path = "/api/v1/legal-entities", operation_id = "list_legal_entities", tag = "organisation",
    responses((status = 200, body = LegalEntityListBody), (status = 403, body = Problem)))]
pub async fn list(State(state): State<AppState>, _: Admin) -> Result<Json<LegalEntityListBody>, ApiError> {
    let list = organisation::list_legal_entities(&mut state.app.db.read().await?, LIMIT).await?;
    Ok(Json(LegalEntityListBody { legal_entities: list.into_iter().map(LegalEntityBody::from).collect() }))
}
