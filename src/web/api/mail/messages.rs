//! `GET /api/v1/mail/messages`.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MailMessageBody;
use crate::{
    capture::mail::quarantine,
    web::{api::extract::Parameters, auth::Signed, problem::ApiError, state::AppState},
};

/// Which messages to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct MailListParameters {
    /// Those that were rejected instead of those that wait.
    pub rejected: bool,
}

/// Messages that wait for the caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailMessageListBody {
    /// Newest first, at most 200.
    pub messages: Vec<MailMessageBody>,
}

/// Lists the caller's mail whose sender was doubted.
#[utoipa::path(get, path = "/api/v1/mail/messages", operation_id = "list_mail_messages", tag = "mail",
    params(MailListParameters), responses((status = 200, body = MailMessageListBody)))]
pub async fn list(
    State(state): State<AppState>,
    signed: Signed,
    Parameters(parameters): Parameters<MailListParameters>,
) -> Result<Json<MailMessageListBody>, ApiError> {
    let found = quarantine::list(&state.app, &signed.actor, parameters.rejected).await?;
    Ok(Json(MailMessageListBody { messages: found.into_iter().map(MailMessageBody::from).collect() }))
}
