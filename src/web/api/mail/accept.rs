//! `POST /api/v1/mail/messages/{id}/accept`.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::MailMessageBody;
use crate::{
    capture::mail::quarantine,
    domain::ids::MailMessageId,
    web::{
        api::extract::{JsonBody, PathId},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// How the message is accepted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptMailBody {
    /// Whether mail that is proved to come from the same sender is read without asking from now on.
    pub remember_sender: bool,
}

/// Reads a message that waited.
#[utoipa::path(post, path = "/api/v1/mail/messages/{id}/accept", operation_id = "accept_mail_message", tag = "mail",
    params(("id" = String, Path)), request_body = AcceptMailBody,
    responses((status = 200, body = MailMessageBody), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn accept(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<MailMessageId>,
    JsonBody(body): JsonBody<AcceptMailBody>,
) -> Result<Json<MailMessageBody>, ApiError> {
    Ok(Json(quarantine::accept(&state.app, &signed.actor, &id, body.remember_sender).await?.into()))
}
