//! `GET /api/v1/people`.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PersonBody;
use crate::{
    store::people,
    web::{
        api::extract::Parameters,
        auth::Admin,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// People on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// Most people on a page.
const MAX_LIMIT: u32 = 500;

/// Where to begin.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PeopleParameters {
    /// Continue after this user name.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: Option<u32>,
}

/// One page of people.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeopleBody {
    /// By user name; disabled people too.
    pub people: Vec<PersonBody>,
    /// What to continue `after`; `null` on the last page.
    pub next: Option<String>,
}

/// Lists people with their roles and units.
#[utoipa::path(get, path = "/api/v1/people", operation_id = "list_people", tag = "people", params(PeopleParameters),
    responses((status = 200, body = PeopleBody), (status = 403, body = Problem)))]
pub async fn list(
    State(state): State<AppState>,
    _: Admin,
    Parameters(parameters): Parameters<PeopleParameters>,
) -> Result<Json<PeopleBody>, ApiError> {
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
    let mut tx = state.app.db.read().await?;
    // One more than the page tells whether there is another.
    let mut found = people::list(&mut tx, parameters.after.as_deref(), limit as i64 + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|person| person.user_name.clone());
    Ok(Json(PeopleBody { people: found.into_iter().map(PersonBody::from).collect(), next }))
}
