//! `GET /api/v1/customers`.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CustomerBody;
use crate::{
    domain::ids::CustomerId,
    extract::fold::fold_name,
    store::customers,
    web::{
        api::extract::Parameters,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// Customers on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// Most customers on a page.
const MAX_LIMIT: u32 = 200;

/// Which customers to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CustomerParameters {
    /// Part of the name.
    pub text: String,
    /// Continue after this customer.
    #[param(value_type = Option<String>)]
    pub after: Option<CustomerId>,
    /// 1 to 200.
    pub limit: Option<u32>,
}

/// One page of customers.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerListBody {
    /// By name.
    pub customers: Vec<CustomerBody>,
    /// What to continue `after`; `null` on the last page.
    pub next: Option<String>,
}

/// Lists customers: everybody signed in sees them all, to name the one they visited.
#[utoipa::path(get, path = "/api/v1/customers", operation_id = "list_customers", tag = "visits",
    params(CustomerParameters), responses((status = 200, body = CustomerListBody), (status = 404, body = Problem)))]
pub async fn list(
    State(state): State<AppState>,
    _: Signed,
    Parameters(parameters): Parameters<CustomerParameters>,
) -> Result<Json<CustomerListBody>, ApiError> {
    let limit = parameters.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
    let mut tx = state.app.db.read().await?;
    let after = match &parameters.after {
        None => None,
        Some(id) => Some(customers::find(&mut tx, id).await?.ok_or_else(|| ApiError::not_found("customer"))?),
    };
    let after = after.as_ref().map(|customer| (customer.name_key.as_str(), &customer.id));
    // One more than the page tells whether there is another.
    let mut found = customers::search(&mut tx, &fold_name(&parameters.text), after, limit as i64 + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|customer| customer.id.to_string());
    Ok(Json(CustomerListBody { customers: found.into_iter().map(CustomerBody::from).collect(), next }))
}
