//! `POST /api/v1/mail/addresses`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::MailAddressBody;
use crate::{
    capture::mail::addresses,
    domain::ids::VisitId,
    web::{
        api::extract::JsonBody,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Which visit the address is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailAddressBody {
    /// One of the caller's visits: what is sent to the address is for it.
    #[schema(value_type = String)]
    pub visit_id: VisitId,
}

/// The secret address of a visit of the caller's; made when there is none.
#[utoipa::path(post, path = "/api/v1/mail/addresses", operation_id = "create_mail_address", tag = "mail",
    request_body = NewMailAddressBody,
    responses((status = 201, body = MailAddressBody), (status = 404, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    signed: Signed,
    JsonBody(body): JsonBody<NewMailAddressBody>,
) -> Result<(StatusCode, Json<MailAddressBody>), ApiError> {
    let address = addresses::of_visit(&state.app, &signed.actor, &body.visit_id).await?;
    Ok((StatusCode::CREATED, Json(MailAddressBody::new(&state.office, address))))
}
