//! `POST /api/v1/visits`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::VisitBody;
use crate::{
    domain::{
        ids::{CustomerId, PersonId},
        time::Timestamp,
        visit::VisitPurpose,
    },
    visits::{self, VisitInput},
    web::{
        api::extract::JsonBody,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A visit as entered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVisitBody {
    /// An existing customer.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// Who made it; the caller unless given. Only admins name somebody else.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub owner_id: Option<PersonId>,
    /// Why.
    #[schema(value_type = String)]
    pub purpose: VisitPurpose,
    /// RFC 3339.
    #[schema(value_type = String)]
    pub starts_at: Timestamp,
    /// RFC 3339, not before `starts_at`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Timestamp>,
    /// Where.
    #[serde(default)]
    pub place: Option<String>,
    /// Who else was there, at most 50.
    #[serde(default)]
    pub attendees: Vec<String>,
    /// Anything else, at most 2,000 characters.
    #[serde(default)]
    pub note: Option<String>,
    /// Its id in the CRM.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// Enters a visit; one of the caller's with the same `external_id` is changed instead.
#[utoipa::path(post, path = "/api/v1/visits", operation_id = "create_visit", tag = "visits", request_body = NewVisitBody,
    responses((status = 201, body = VisitBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    signed: Signed,
    JsonBody(body): JsonBody<NewVisitBody>,
) -> Result<(StatusCode, Json<VisitBody>), ApiError> {
    let input = VisitInput {
        customer_id: body.customer_id,
        owner_id: body.owner_id,
        purpose: body.purpose,
        starts_at: body.starts_at,
        ends_at: body.ends_at,
        place: body.place,
        attendees: body.attendees,
        note: body.note,
        external_id: body.external_id,
    };
    let visit = visits::create_visit(&state.app, &signed.actor, input).await?;
    Ok((StatusCode::CREATED, Json(VisitBody::from(visit))))
}
