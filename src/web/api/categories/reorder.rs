//! `PUT /api/v1/categories`: the order.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CategoryListBody;
use crate::{
    organisation,
    web::{
        api::extract::JsonBody,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// The order of the categories.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryOrderBody {
    /// Codes of those to come first, in order; the others keep theirs behind them.
    pub codes: Vec<String>,
}

/// Puts categories into an order.
#[utoipa::path(put, path = "/api/v1/categories", operation_id = "reorder_categories", tag = "organisation",
    request_body = CategoryOrderBody,
    responses((status = 200, body = CategoryListBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn reorder(
    State(state): State<AppState>,
    Admin(signed): Admin,
    JsonBody(body): JsonBody<CategoryOrderBody>,
) -> Result<Json<CategoryListBody>, ApiError> {
    let list = organisation::reorder_categories(&state.app, &signed.actor, &body.codes).await?;
    Ok(Json(CategoryListBody::from(list)))
}
