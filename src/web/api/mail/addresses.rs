//! `GET /api/v1/mail/addresses`.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::MailAddressBody;
use crate::{
    capture::mail::addresses,
    web::{auth::Signed, problem::ApiError, state::AppState},
};

/// One's addresses.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailAddressListBody {
    /// The caller's own first, then those of visits, newest first.
    pub addresses: Vec<MailAddressBody>,
}

/// Lists the caller's secret mail addresses; the first call makes their own.
#[utoipa::path(get, path = "/api/v1/mail/addresses", operation_id = "list_mail_addresses", tag = "mail",
    responses((status = 200, body = MailAddressListBody)))]
pub async fn list(State(state): State<AppState>, signed: Signed) -> Result<Json<MailAddressListBody>, ApiError> {
    let found = addresses::of_person(&state.app, &signed.actor).await?;
    let bodies = found.into_iter().map(|address| MailAddressBody::new(&state.office, address));
    Ok(Json(MailAddressListBody { addresses: bodies.collect() }))
}
