//! `GET /api/v1/visits`.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::VisitBody;
use crate::{
    domain::{
        ids::{CustomerId, PersonId},
        time::Timestamp,
    },
    visits::{self, VisitQuery},
    web::{
        api::{cursor, extract::Parameters},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Visits on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 50;

/// Which visits to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct VisitParameters {
    /// Only this person's.
    #[param(value_type = Option<String>)]
    pub owner_id: Option<PersonId>,
    /// Only to this customer.
    #[param(value_type = Option<String>)]
    pub customer_id: Option<CustomerId>,
    /// Part of the customer's name.
    pub text: String,
    /// Begun at or after, RFC 3339.
    #[param(value_type = Option<String>)]
    pub from: Option<Timestamp>,
    /// Begun before, RFC 3339.
    #[param(value_type = Option<String>)]
    pub until: Option<Timestamp>,
    /// Continue after this cursor.
    pub after: Option<String>,
    /// 1 to 200.
    pub limit: Option<u32>,
}

/// One page of visits.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitListBody {
    /// The latest first.
    pub visits: Vec<VisitBody>,
    /// Cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

/// Lists one's own visits; admins, auditors and reviewers of the whole organisation see everybody's.
#[utoipa::path(get, path = "/api/v1/visits", operation_id = "list_visits", tag = "visits", params(VisitParameters),
    responses((status = 200, body = VisitListBody), (status = 400, body = Problem)))]
pub async fn list(
    State(state): State<AppState>,
    signed: Signed,
    Parameters(parameters): Parameters<VisitParameters>,
) -> Result<Json<VisitListBody>, ApiError> {
    let after = parameters.after.as_deref().map(cursor::decode).transpose()?;
    let query = VisitQuery {
        owner: parameters.owner_id,
        customer: parameters.customer_id,
        text: parameters.text,
        from: parameters.from,
        until: parameters.until,
    };
    let after = after.as_ref().map(|(at, id)| (*at, id));
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT);
    let listed = visits::list_visits(&state.app, &signed.actor, &query, after, limit).await?;
    Ok(Json(VisitListBody {
        next: listed.next.as_ref().map(cursor::encode),
        visits: listed.visits.into_iter().map(VisitBody::from).collect(),
    }))
}
