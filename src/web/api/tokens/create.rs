//! `POST /api/v1/tokens`.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TokenBody;
use crate::{
    domain::time::Timestamp,
    people,
    web::{
        api::extract::JsonBody,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTokenBody {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// RFC 3339, in the future; without it the token works until it is revoked.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
}

/// A token that has just been made; its text is in this answer only.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedTokenBody {
    /// What is kept about it.
    #[serde(flatten)]
    pub token: TokenBody,
    /// What to send as `Authorization: Bearer …`.
    pub text: String,
}

/// Makes a token that acts as the caller.
#[utoipa::path(post, path = "/api/v1/tokens", operation_id = "create_token", tag = "people",
    request_body = NewTokenBody, responses((status = 201, body = IssuedTokenBody), (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    signed: Signed,
    JsonBody(body): JsonBody<NewTokenBody>,
) -> Result<(StatusCode, Json<IssuedTokenBody>), ApiError> {
    let actor = &signed.actor;
    let issued = people::create_token(&state.app, Some(actor), &actor.id, &body.name, body.expires_at).await?;
    let text = issued.text.reveal().to_owned();
    Ok((StatusCode::CREATED, Json(IssuedTokenBody { token: TokenBody::from(issued.token), text })))
}
