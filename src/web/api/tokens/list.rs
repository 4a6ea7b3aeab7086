//! `GET /api/v1/tokens`.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::TokenBody;
use crate::{
    people,
    web::{auth::Signed, problem::ApiError, state::AppState},
};

/// One's tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenListBody {
    /// The newest first; revoked and expired ones too, at most 200.
    pub tokens: Vec<TokenBody>,
}

/// Lists the caller's own tokens.
#[utoipa::path(get, path = "/api/v1/tokens", operation_id = "list_tokens", tag = "people",
    responses((status = 200, body = TokenListBody)))]
pub async fn list(State(state): State<AppState>, signed: Signed) -> Result<Json<TokenListBody>, ApiError> {
    let tokens = people::list_tokens(&state.app, Some(&signed.actor), &signed.actor.id).await?;
    Ok(Json(TokenListBody { tokens: tokens.into_iter().map(TokenBody::from).collect() }))
}
