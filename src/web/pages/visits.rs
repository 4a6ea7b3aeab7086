//! Customers and visits.

use askama::Template;

use super::shell::{Choice, Problem, Shell};
use crate::domain::{
    ids::{CustomerId, VisitId},
    time::CivilDate,
    visit::{CustomerType, VisitPurpose},
};

/// `GET /visits?after=&customers=&customers_after=`. A visit posts `customer`, `on`, `starts`, `ends`, `purpose`, `place`, `attendees`, `csrf` to `/visits`; a customer posts
/// `name`, `type`, `external_id` to `/customers`; a CSV file posts `file` to `/visits/import`.
#[derive(Debug, Clone, Template)]
#[template(path = "visits.html")]
pub struct VisitsPage {
    /// The frame.
    pub shell: Shell,
    /// Visits, newest first.
    pub visits: Vec<VisitRow>,
    /// A page of the customers whose name contains `customer_text`, by name.
    pub customers: Vec<CustomerRow>,
    /// Customers a visit may be entered for (value: id): those that contain `customer_text`, at most 500.
    pub customer_choices: Vec<Choice>,
    /// Part of a customer's name that was looked for; empty for all.
    pub customer_text: String,
    /// Address of the next page of customers.
    pub more_customers: Option<String>,
    /// People a visit may be entered for (value: id); empty when only for oneself.
    pub people: Vec<Choice>,
    /// Today on the organisation's clock; the date a new visit starts with.
    pub today: CivilDate,
    /// What the last import did.
    pub imported: Option<ImportResult>,
    /// Address of the next page of visits.
    pub more: Option<String>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// A visit in the list.
#[derive(Debug, Clone)]
pub struct VisitRow {
    /// The visit.
    pub id: VisitId,
    /// Name of the customer.
    pub customer: String,
    /// What the customer is.
    pub customer_type: CustomerType,
    /// The day.
    pub on: Option<CivilDate>,
    /// Why.
    pub purpose: Option<VisitPurpose>,
    /// Where.
    pub place: Option<String>,
    /// Who went.
    pub person: String,
    /// Receipts filed under it.
    pub receipts: u64,
}

/// A customer in the list.
#[derive(Debug, Clone)]
pub struct CustomerRow {
    /// The customer.
    pub id: CustomerId,
    /// Name.
    pub name: String,
    /// What it is to the organisation.
    pub customer_type: CustomerType,
    /// Id in another system.
    pub external_id: Option<String>,
    /// Visits to it.
    pub visits: u64,
}

/// What a CSV import did.
#[derive(Debug, Clone, Default)]
pub struct ImportResult {
    /// Rows that became visits.
    pub created: u64,
    /// Rows that were there already.
    pub known: u64,
    /// Rows that could not be taken: line number and why.
    pub refused: Vec<(u64, String)>,
}

impl VisitsPage {
    /// Purposes to choose from.
    pub fn purposes(&self) -> &'static [VisitPurpose] {
        VisitPurpose::ALL
    }

    /// Customer types to choose from.
    pub fn customer_types(&self) -> &'static [CustomerType] {
        CustomerType::ALL
    }
}
