//! `POST /api/v1/mail/addresses/{id}/rotate`.

use axum::{Json, extract::State};

use super::MailAddressBody;
use crate::{
    capture::mail::addresses,
    domain::ids::MailAddressId,
    web::{
        api::extract::PathId,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A new secret in place of one of the caller's addresses; mail to the old one is refused from now on.
#[utoipa::path(post, path = "/api/v1/mail/addresses/{id}/rotate", operation_id = "rotate_mail_address", tag = "mail",
    params(("id" = String, Path)), responses((status = 200, body = MailAddressBody), (status = 404, body = Problem)))]
pub async fn rotate(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<MailAddressId>,
) -> Result<Json<MailAddressBody>, ApiError> {
    let address = addresses::rotate(&state.app, &signed.actor, &id).await?;
    Ok(Json(MailAddressBody::new(&state.office, address)))
}
