//! `GET /api/v1/mail/messages/{id}`.

use axum::{Json, extract::State};

use super::MailMessageBody;
use crate::{
    capture::mail::quarantine,
    domain::ids::MailMessageId,
    web::{
        api::extract::PathId,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A message of the caller's, doubted or believed.
#[utoipa::path(get, path = "/api/v1/mail/messages/{id}", operation_id = "get_mail_message", tag = "mail",
    params(("id" = String, Path)), responses((status = 200, body = MailMessageBody), (status = 404, body = Problem)))]
pub async fn get(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<MailMessageId>,
) -> Result<Json<MailMessageBody>, ApiError> {
    Ok(Json(quarantine::find(&state.app, &signed.actor, &id).await?.into()))
}
