//! `/api/v1/visits`.

pub mod create;
pub mod edit;
pub mod import;
pub mod list;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        time::Timestamp,
        visit::{CustomerType, VisitPurpose},
    },
    store::visits::Visit,
};

/// A visit to a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct VisitBody {
    /// Visit id.
    pub id: String,
    /// Customer id.
    pub customer_id: String,
    /// The customer's name.
    pub customer: String,
    /// `new`, `existing` or `potential`.
    #[schema(value_type = String)]
    pub customer_type: CustomerType,
    /// Who made it.
    pub owner_id: String,
    /// Why: `introduction`, `sales`, `demonstration`, `delivery`, `service`, `relationship`, `event` or `other`.
    #[schema(value_type = String)]
    pub purpose: VisitPurpose,
    /// RFC 3339.
    #[schema(value_type = String)]
    pub starts_at: Timestamp,
    /// RFC 3339.
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Timestamp>,
    /// Where.
    pub place: Option<String>,
    /// Who else was there.
    pub attendees: Vec<String>,
    /// Anything else.
    pub note: Option<String>,
    /// Its id in the CRM.
    pub external_id: Option<String>,
    /// Send it with a change.
    pub revision: i64,
}

impl From<Visit> for VisitBody {
    fn from(visit: Visit) -> Self {
        Self {
            id: visit.id.to_string(),
            customer_id: visit.customer_id.to_string(),
            customer: visit.customer_name,
            customer_type: visit.customer_type,
            owner_id: visit.owner_id.to_string(),
            purpose: visit.purpose,
            starts_at: visit.starts_at,
            ends_at: visit.ends_at,
            place: visit.place,
            attendees: visit.attendees.0,
            note: visit.note,
            external_id: visit.external_id,
            revision: visit.revision,
        }
    }
}
