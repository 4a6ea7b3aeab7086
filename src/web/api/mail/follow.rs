//! `POST /api/v1/mail/messages/{id}/links`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    capture::mail::links,
    domain::ids::MailMessageId,
    web::{
        api::{
            bodies::CaptureBody,
            extract::{JsonBody, PathId},
        },
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Which link to follow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowLinkBody {
    /// As the message has it.
    pub link: String,
}

/// Hands in the document behind a link of a message. Only hosts in `mail.links.hosts` are asked.
#[utoipa::path(post, path = "/api/v1/mail/messages/{id}/links", operation_id = "follow_mail_link", tag = "mail",
    params(("id" = String, Path)), request_body = FollowLinkBody,
    responses((status = 201, body = CaptureBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 502, body = Problem)))]
pub async fn follow(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<MailMessageId>,
    JsonBody(body): JsonBody<FollowLinkBody>,
) -> Result<(StatusCode, Json<CaptureBody>), ApiError> {
    let accepted = links::follow(&state.office, &signed.actor, &id, &body.link).await?;
    Ok((StatusCode::CREATED, Json(CaptureBody::new(&accepted.capture, &accepted.receipts))))
}
