//! `/api/v1/customers`.

pub mod create;
pub mod edit;
pub mod list;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::visit::CustomerType, store::customers::Customer};

/// A customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerBody {
    /// Customer id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `new`, `existing` or `potential`.
    #[schema(value_type = String)]
    pub customer_type: CustomerType,
    /// Its id in the CRM.
    pub external_id: Option<String>,
    /// Send it with a change.
    pub revision: i64,
}

impl From<Customer> for CustomerBody {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            name: customer.name,
            customer_type: customer.customer_type,
            external_id: customer.external_id,
            revision: customer.revision,
        }
    }
}
