//! `GET /api/v1/categories`.

use axum::{Json, extract::State};
use serde::Deserialize;

use super::CategoryListBody;
use crate::{
    store::categories,
    web::{api::extract::Parameters, auth::Signed, problem::ApiError, state::AppState},
};

/// Which categories to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CategoryParameters {
    /// Also those no longer offered; old expenses name them.
    pub all: bool,
}

/// Lists the categories in the order people see them.
#[utoipa::path(get, path = "/api/v1/categories", operation_id = "list_categories", tag = "organisation",
    params(CategoryParameters), responses((status = 200, body = CategoryListBody)))]
pub async fn list(
    State(state): State<AppState>,
    _: Signed,
    Parameters(parameters): Parameters<CategoryParameters>,
) -> Result<Json<CategoryListBody>, ApiError> {
    let list = categories::list(&mut state.app.db.read().await?, !parameters.all).await?;
    Ok(Json(CategoryListBody::from(list)))
}
