//! `POST /api/v1/categories`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CategoryBody;
use crate::{
    organisation::{self, NewCategory},
    web::{
        api::extract::JsonBody,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A category to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCategoryBody {
    /// Lower-case letters, digits and `_`; stays for ever.
    pub code: String,
    /// English name.
    pub name_en: String,
    /// Chinese name.
    pub name_zh: String,
}

/// Adds a category behind the others.
#[utoipa::path(post, path = "/api/v1/categories", operation_id = "create_category", tag = "organisation",
    request_body = NewCategoryBody,
    responses((status = 201, body = CategoryBody), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    Admin(signed): Admin,
    JsonBody(body): JsonBody<NewCategoryBody>,
) -> Result<(StatusCode, Json<CategoryBody>), ApiError> {
    let new = NewCategory { code: body.code, name_en: body.name_en, name_zh: body.name_zh };
    let category = organisation::add_category(&state.app, &signed.actor, new).await?;
    Ok((StatusCode::CREATED, Json(CategoryBody::from(category))))
}
