//! `POST /api/v1/mail/messages/{id}/reject`.

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

/// Makes nothing of a message that waited. It is kept and can be accepted later.
#[utoipa::path(post, path = "/api/v1/mail/messages/{id}/reject", operation_id = "reject_mail_message", tag = "mail",
    params(("id" = String, Path)),
    responses((status = 200, body = MailMessageBody), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub async fn reject(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<MailMessageId>,
) -> Result<Json<MailMessageBody>, ApiError> {
    Ok(Json(quarantine::reject(&state.app, &signed.actor, &id).await?.into()))
}
