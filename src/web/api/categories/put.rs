//! `PUT /api/v1/categories/{code}`.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CategoryBody;
use crate::{
    organisation::{self, CategoryChange},
    web::{
        api::extract::JsonBody,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A category as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryChangeBody {
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
    /// Whether it is offered for new drafts.
    pub active: bool,
}

/// Renames a category, offers it or no longer offers it.
#[utoipa::path(put, path = "/api/v1/categories/{code}", operation_id = "put_category", tag = "organisation",
    params(("code" = String, Path)), request_body = CategoryChangeBody,
    responses((status = 200, body = CategoryBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn put(
    State(state): State<AppState>,
    Admin(signed): Admin,
    Path(code): Path<String>,
    JsonBody(body): JsonBody<CategoryChangeBody>,
) -> Result<Json<CategoryBody>, ApiError> {
    let change = CategoryChange {
        name_en: Some(body.name_en),
        name_zh: Some(body.name_zh),
        is_active: Some(body.active),
        position: None,
    };
    let category = organisation::change_category(&state.app, &signed.actor, &code, change).await?;
    Ok(Json(CategoryBody::from(category)))
}
