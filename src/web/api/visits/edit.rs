//! `PATCH /api/v1/visits/{id}`.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::VisitBody;
use crate::{
    domain::{
        ids::{CustomerId, PersonId, VisitId},
        time::Timestamp,
        visit::VisitPurpose,
    },
    visits::{self, VisitInput},
    web::{
        api::{
            bodies::present,
            extract::{JsonBody, PathId},
        },
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// What to change; what is absent stays, `null` empties.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditVisitBody {
    /// The revision this change was made from.
    pub revision: i64,
    /// Another customer.
    #[schema(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// Another person; only for admins.
    #[schema(value_type = Option<String>)]
    pub owner_id: Option<PersonId>,
    /// Why.
    #[schema(value_type = Option<String>)]
    pub purpose: Option<VisitPurpose>,
    /// RFC 3339.
    #[schema(value_type = Option<String>)]
    pub starts_at: Option<Timestamp>,
    /// RFC 3339.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Option<Timestamp>>,
    /// Where.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub place: Option<Option<String>>,
    /// Who else was there.
    pub attendees: Option<Vec<String>>,
    /// Anything else.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    pub note: Option<Option<String>>,
}

/// Changes a visit of the caller; admins change anybody's. 409 with the current visit when it is at another revision.
#[utoipa::path(patch, path = "/api/v1/visits/{id}", operation_id = "edit_visit", tag = "visits",
    params(("id" = String, Path)), request_body = EditVisitBody,
    responses((status = 200, body = VisitBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn edit(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<VisitId>,
    JsonBody(body): JsonBody<EditVisitBody>,
) -> Result<Json<VisitBody>, ApiError> {
    let visit = visits::find_visit(&state.app, &signed.actor, &id).await?;
    let visit = visit.ok_or_else(|| ApiError::not_found("visit"))?;
    let input = VisitInput {
        customer_id: body.customer_id.unwrap_or(visit.customer_id),
        owner_id: body.owner_id,
        purpose: body.purpose.unwrap_or(visit.purpose),
        starts_at: body.starts_at.unwrap_or(visit.starts_at),
        ends_at: body.ends_at.unwrap_or(visit.ends_at),
        place: body.place.unwrap_or(visit.place),
        attendees: body.attendees.unwrap_or(visit.attendees.0),
        note: body.note.unwrap_or(visit.note),
        external_id: None,
    };
    let visit = visits::update_visit(&state.app, &signed.actor, &id, body.revision, input).await?;
    Ok(Json(VisitBody::from(visit)))
}
