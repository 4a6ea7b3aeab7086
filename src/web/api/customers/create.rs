//! `POST /api/v1/customers`.

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::CustomerBody;
use crate::{
    domain::visit::CustomerType,
    visits::{self, CustomerInput},
    web::{
        api::extract::JsonBody,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// A customer as entered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCustomerBody {
    /// 1 to 200 characters.
    pub name: String,
    /// `new`, `existing` or `potential`.
    #[schema(value_type = String)]
    pub customer_type: CustomerType,
    /// Its id in the CRM.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// Enters a customer; one with the same `external_id` is changed instead.
#[utoipa::path(post, path = "/api/v1/customers", operation_id = "create_customer", tag = "visits",
    request_body = NewCustomerBody,
    responses((status = 201, body = CustomerBody), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    signed: Signed,
    JsonBody(body): JsonBody<NewCustomerBody>,
) -> Result<(StatusCode, Json<CustomerBody>), ApiError> {
    let input = CustomerInput { name: body.name, customer_type: body.customer_type, external_id: body.external_id };
    let customer = visits::create_customer(&state.app, &signed.actor, input).await?;
    Ok((StatusCode::CREATED, Json(CustomerBody::from(customer))))
}
