//! Customers and visits: the lists, adding, and CSV import.

use axum::{
    extract::{FromRequestParts as _, Query, Request, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{civil::Time, tz::TimeZone};
use serde::Deserialize;

use super::{
    file_form,
    frame::{self, Frame, PageForm, shown},
    names,
};
use crate::{
    domain::{
        ids::CustomerId,
        person::Role,
        time::{CivilDate, Timestamp},
    },
    extract::fold::fold_name,
    store::{Tx, customers, receipts, visits as rows, visits::Visit},
    visits::{self, CustomerInput, MAX_IMPORT_BYTES, RowOutcome, RowResult, VisitInput, VisitQuery},
    web::{
        api::cursor,
        auth::encode,
        pages::{
            shell::Choice,
            visits::{CustomerRow, ImportResult, VisitRow, VisitsPage},
        },
        problem::ApiError,
        state::AppState,
    },
};

/// Visits on a page.
const LIMIT: u32 = 50;
/// Customers on a page.
const CUSTOMERS: usize = 50;
/// Customers in the select; with more, one looks for a name first.
const MAX_CHOICES: i64 = 500;

/// The page's address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Visits after this cursor.
    after: Option<String>,
    /// Part of the names of customers.
    customers: String,
    /// Customers after this one.
    customers_after: Option<CustomerId>,
}

/// What the page says besides its lists.
#[derive(Default)]
struct Outcome {
    imported: Option<ImportResult>,
    error: Option<ApiError>,
}

impl From<ApiError> for Outcome {
    fn from(error: ApiError) -> Self {
        Self { imported: None, error: Some(error) }
    }
}

/// `GET /visits?after=&customers=&customers_after=`.
pub async fn page(State(state): State<AppState>, frame: Frame, Query(address): Query<Address>) -> Response {
    show(&state, &frame, &address, Outcome::default()).await
}

/// `POST /visits`.
pub async fn add(State(state): State<AppState>, form: PageForm) -> Response {
    let outcome = async {
        let input = visit_input(&form)?;
        Ok(visits::create_visit(&state.app, form.frame.actor(), input).await?)
    };
    match outcome.await {
        Ok(_) => Redirect::to("/visits").into_response(),
        Err(error) => show(&state, &form.frame, &Address::default(), ApiError::into(error)).await,
    }
}

/// `POST /customers`.
pub async fn add_customer(State(state): State<AppState>, form: PageForm) -> Response {
    let outcome = async {
        let customer_type = form.get("type").parse().map_err(|_| ApiError::bad_request("that is no customer type"))?;
        let input = CustomerInput {
            name: form.get("name").to_owned(),
            customer_type,
            external_id: Some(form.get("external_id").to_owned()),
        };
        Ok(visits::create_customer(&state.app, form.frame.actor(), input).await?)
    };
    match outcome.await {
        Ok(_) => Redirect::to("/visits").into_response(),
        Err(error) => show(&state, &form.frame, &Address::default(), ApiError::into(error)).await,
    }
}

/// `POST /visits/import`: a form with a CSV file; the answer says what became of its rows.
pub async fn import(State(state): State<AppState>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let frame = match Frame::from_request_parts(&mut parts, &state).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    let outcome = async {
        let bytes = file_form::file(&frame, Request::from_parts(parts, body), MAX_IMPORT_BYTES).await?;
        Ok(visits::import_csv(&state.app, frame.actor(), &bytes).await?)
    };
    let outcome = match outcome.await {
        Ok(rows) => Outcome { imported: Some(import_result(&rows)), error: None },
        Err(error) => ApiError::into(error),
    };
    show(&state, &frame, &Address::default(), outcome).await
}

fn import_result(rows: &[RowResult]) -> ImportResult {
    let mut result = ImportResult::default();
    for row in rows {
        match &row.outcome {
            RowOutcome::Created(_) => result.created += 1,
            RowOutcome::Updated(_) | RowOutcome::Unchanged(_) => result.known += 1,
            RowOutcome::Refused(problem) => result.refused.push((row.line, problem.to_string())),
        }
    }
    result
}

fn visit_input(form: &PageForm) -> Result<VisitInput, ApiError> {
    let bad = |what: &'static str| move |_| ApiError::bad_request(format!("that is no {what}"));
    let on: CivilDate = form.get("on").parse().map_err(|_| ApiError::bad_request("that is no date"))?;
    let zone = TimeZone::get(&form.frame.shell.zone).unwrap_or(TimeZone::UTC);
    let at = |name: &str| -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = Some(form.get(name)).filter(|text| !text.is_empty()) else { return Ok(None) };
        let time: Time = text.parse().map_err(|_| ApiError::bad_request("that is no time of day"))?;
        moment(on, time, &zone).map(Some)
    };
    let starts_at = match at("starts")? {
        Some(at) => at,
        None => moment(on, Time::midnight(), &zone)?,
    };
    let some = |name: &str| Some(form.get(name).to_owned()).filter(|text| !text.trim().is_empty());
    let attendees = form.get("attendees").split([',', '，', ';', '；', '、']);
    Ok(VisitInput {
        customer_id: form.get("customer").parse().map_err(bad("customer"))?,
        owner_id: some("person").map(|id| id.parse()).transpose().map_err(bad("person"))?,
        purpose: form.get("purpose").parse().map_err(|_| ApiError::bad_request("that is no purpose"))?,
        starts_at,
        ends_at: at("ends")?,
        place: some("place"),
        attendees: attendees.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        note: None,
        external_id: None,
    })
}

/// The instant of a wall clock; the hour that does not exist in spring is the one after.
fn moment(on: CivilDate, time: Time, zone: &TimeZone) -> Result<Timestamp, ApiError> {
    let at = zone.to_ambiguous_timestamp(on.to_datetime(time)).compatible();
    at.map(Timestamp::from).map_err(|_| ApiError::bad_request("that date is out of range"))
}

async fn show(state: &AppState, frame: &Frame, address: &Address, outcome: Outcome) -> Response {
    let status = outcome.error.as_ref().map_or(StatusCode::OK, ApiError::status);
    match fill(state, frame, address, outcome).await {
        Ok(page) => frame::render(status, &page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame, address: &Address, outcome: Outcome) -> Result<VisitsPage, ApiError> {
    let actor = frame.actor();
    let after = address.after.as_deref().map(cursor::decode).transpose()?;
    let after = after.as_ref().map(|(at, id)| (*at, id));
    let listed = visits::list_visits(&state.app, actor, &VisitQuery::default(), after, LIMIT).await?;
    let found = format!("customers={}", encode(&address.customers));
    let more = listed.next.as_ref().map(|last| format!("/visits?after={}&{found}", cursor::encode(last)));
    let mut tx = state.app.db.read().await?;
    let visits = visit_rows(&mut tx, &listed.visits, &frame.shell.zone).await?;
    let (customers, next) = customer_rows(&mut tx, address).await?;
    let more_customers = next.map(|last| format!("/visits?{found}&customers_after={last}"));
    let part = fold_name(&address.customers);
    let customer_choices = customers::search(&mut tx, &part, None, MAX_CHOICES)
        .await?
        .into_iter()
        .map(|customer| Choice { value: customer.id.to_string(), label: customer.name })
        .collect();
    let mut people = Vec::new();
    if actor.is(Role::Admin) {
        // One's own name first: it is the one chosen unless another is.
        people = names::people_choices(&mut tx).await?;
        people.sort_by_key(|choice: &Choice| choice.value != actor.id.as_str());
    }
    Ok(VisitsPage {
        shell: frame.shell.clone(),
        visits,
        customers,
        customer_choices,
        customer_text: address.customers.clone(),
        more_customers,
        people,
        today: frame.shell.now.date_in(&frame.shell.zone),
        imported: outcome.imported,
        more,
        problem: outcome.error.as_ref().map(shown),
    })
}

/// A page of customers, and the one to continue after.
async fn customer_rows(tx: &mut Tx, address: &Address) -> Result<(Vec<CustomerRow>, Option<CustomerId>), ApiError> {
    let after = match &address.customers_after {
        None => None,
        Some(id) => Some(customers::find(tx, id).await?.ok_or_else(|| ApiError::not_found("customer"))?),
    };
    let after = after.as_ref().map(|customer| (customer.name_key.as_str(), &customer.id));
    // One more than the page tells whether there is another.
    let mut found = customers::search(tx, &fold_name(&address.customers), after, CUSTOMERS as i64 + 1).await?;
    let has_more = found.len() > CUSTOMERS;
    found.truncate(CUSTOMERS);
    let next = found.last().filter(|_| has_more).map(|customer| customer.id.clone());
    let mut customers = Vec::new();
    for customer in found {
        customers.push(CustomerRow {
            visits: rows::count_of_customer(tx, &customer.id).await?.unsigned_abs(),
            id: customer.id,
            name: customer.name,
            customer_type: customer.customer_type,
            external_id: customer.external_id,
        });
    }
    Ok((customers, next))
}

async fn visit_rows(tx: &mut Tx, visits: &[Visit], zone: &str) -> Result<Vec<VisitRow>, ApiError> {
    let owners = names::of_people(tx, visits.iter().map(|visit| &visit.owner_id)).await?;
    let mut rows = Vec::new();
    for visit in visits {
        rows.push(VisitRow {
            id: visit.id.clone(),
            customer: visit.customer_name.clone(),
            customer_type: visit.customer_type,
            on: Some(visit.starts_at.date_in(zone)),
            purpose: Some(visit.purpose),
            place: visit.place.clone(),
            person: owners.get(&visit.owner_id).cloned().unwrap_or_default(),
            receipts: receipts::count_of_visit(tx, &visit.id).await?.unsigned_abs(),
        });
    }
    Ok(rows)
}
