//! `DELETE /api/v1/tokens/{id}`.

use axum::{extract::State, http::StatusCode};

use crate::{
    domain::ids::TokenId,
    people,
    web::{
        api::extract::PathId,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Revokes a token of the caller, or as an admin anybody's; it is refused from now on.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", operation_id = "revoke_token", tag = "people",
    params(("id" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub async fn revoke(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<TokenId>,
) -> Result<StatusCode, ApiError> {
    people::revoke_token(&state.app, Some(&signed.actor), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
