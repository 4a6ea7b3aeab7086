//! `PATCH /api/v1/customers/{id}`.

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CustomerBody;
use crate::{
    domain::{ids::CustomerId, visit::CustomerType},
    store::customers,
    visits::{self, CustomerInput},
    web::{
        api::extract::{JsonBody, PathId},
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditCustomerBody {
    /// The revision this change was made from.
    pub revision: i64,
    /// 1 to 200 characters.
    pub name: Option<String>,
    /// `new`, `existing` or `potential`.
    #[schema(value_type = Option<String>)]
    pub customer_type: Option<CustomerType>,
}

/// Renames a customer or changes its type. 409 with the current customer when it is at another revision.
#[utoipa::path(patch, path = "/api/v1/customers/{id}", operation_id = "edit_customer", tag = "visits",
    params(("id" = String, Path)), request_body = EditCustomerBody,
    responses((status = 200, body = CustomerBody), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn edit(
    State(state): State<AppState>,
    signed: Signed,
    PathId(id): PathId<CustomerId>,
    JsonBody(body): JsonBody<EditCustomerBody>,
) -> Result<Json<CustomerBody>, ApiError> {
    let customer = customers::find(&mut state.app.db.read().await?, &id).await?;
    let customer = customer.ok_or_else(|| ApiError::not_found("customer"))?;
    let input = CustomerInput {
        name: body.name.unwrap_or(customer.name),
        customer_type: body.customer_type.unwrap_or(customer.customer_type),
        external_id: None,
    };
    let customer = visits::update_customer(&state.app, &signed.actor, &id, body.revision, input).await?;
    Ok(Json(CustomerBody::from(customer)))
}
