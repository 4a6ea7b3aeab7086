//! `GET /api/v1/units`.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::UnitBody;
use crate::{
    store::organisation,
    web::{
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Most units listed.
const LIMIT: i64 = 1_000;

/// All units.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitListBody {
    /// In the order they were entered, at most 1000.
    pub units: Vec<UnitBody>,
}

/// Lists the units of the organisation.
#[utoipa::path(get, path = "/api/v1/units", operation_id = "list_units", tag = "organisation",
    responses((status = 200, body = UnitListBody), (status = 403, body = Problem)))]
pub async fn list(State(state): State<AppState>, _: Admin) -> Result<Json<UnitListBody>, ApiError> {
    let list = organisation::list_units(&mut state.app.db.read().await?, LIMIT).await?;
    Ok(Json(UnitListBody { units: list.into_iter().map(UnitBody::from).collect() }))
}
