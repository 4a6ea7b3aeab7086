//! The review queue.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts as _, Query, Request, State},
    response::Response,
};
use serde::Deserialize;

use super::{
    file_form,
    frame::{self, Frame},
    names,
    receipts::{category_name, thumbnail},
};
use crate::{
    domain::draft::DraftState,
    findings, review,
    store::{organisation, receipts::Filter},
    web::{
        api::drafts::list::{ListParameters, encode_cursor},
        auth::encode,
        pages::{
            draft::in_list,
            queue::{QueueFilter, QueuePage, QueueRow},
            shell::Choice,
        },
        problem::ApiError,
        state::AppState,
    },
};

/// Drafts on a page.
const LIMIT: u32 = 100;
/// Units offered in the filter.
const MAX_UNITS: i64 = 1_000;
/// A draft whose total and date are less likely than this both right is flagged.
const LOW_P: f64 = 0.5;

/// The page's address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    /// A state's word; empty is the queue.
    pub state: String,
    /// A person's id.
    pub person: String,
    /// A unit's id.
    pub unit: String,
    /// A category's code.
    pub category: String,
    /// Words to find.
    pub text: String,
    /// Continue after.
    pub after: String,
}

impl Address {
    /// The filter as a query string without the cursor, for links that stay in it.
    pub fn query(&self) -> String {
        let pairs = [
            ("state", &self.state),
            ("person", &self.person),
            ("unit", &self.unit),
            ("category", &self.category),
            ("text", &self.text),
        ];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        set.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
    }

    /// As the store understands it.
    pub fn filter(&self) -> Result<Filter, ApiError> {
        let id = |what: &'static str| move |_| ApiError::bad_request(format!("that is no {what}"));
        let some = |text: &String| Some(text.clone()).filter(|t| !t.is_empty());
        ListParameters {
            state: some(&self.state),
            owner_id: some(&self.person).map(|v| v.parse()).transpose().map_err(id("person"))?,
            unit_id: some(&self.unit).map(|v| v.parse()).transpose().map_err(id("unit"))?,
            category: some(&self.category),
            text: some(&self.text),
            ..ListParameters::default()
        }
        .filter()
    }

    /// Whether it shows the queue rather than another state.
    pub fn is_queue(&self) -> bool {
        self.state.is_empty() || self.state == DraftState::Submitted.as_str()
    }
}

/// `GET /review`.
pub async fn page(State(state): State<AppState>, frame: Frame, Query(address): Query<Address>) -> Response {
    match fill(&state, &frame, &address).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

/// `POST /review/verifications`: a form with a CSV file of what the tax bureau said; the queue says what became of it.
pub async fn import_verifications(State(state): State<AppState>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let frame = match Frame::from_request_parts(&mut parts, &state).await {
        Ok(frame) => frame,
        Err(response) => return response,
    };
    let outcome: Result<usize, ApiError> = async {
        let bytes = file_form::file(&frame, Request::from_parts(parts, body), findings::MAX_BATCH_BYTES).await?;
        Ok(findings::import(&state.app, frame.actor(), &String::from_utf8_lossy(&bytes)).await?)
    }
    .await;
    let mut page = match fill(&state, &frame, &Address::default()).await {
        Ok(page) => page,
        Err(error) => return frame.fail(error).await,
    };
    match outcome {
        Ok(recorded) => {
            page.imported = Some(recorded);
            frame.render(&page)
        }
        Err(error) => {
            page.problem = Some(frame::shown(&error));
            frame::render(error.status(), &page)
        }
    }
}

async fn fill(state: &AppState, frame: &Frame, address: &Address) -> Result<QueuePage, ApiError> {
    let actor = frame.actor();
    if !actor.sees_others() {
        return Err(ApiError::forbidden("only reviewers, admins and auditors see the review queue"));
    }
    let cursor =
        ListParameters { after: Some(address.after.clone()).filter(|a| !a.is_empty()), ..ListParameters::default() }
            .cursor()?;
    let filter = address.filter()?;
    let (listed, total) = if address.is_queue() {
        let total = review::count_queue(&state.app, actor, filter.clone()).await?;
        (review::list_queue(&state.app, actor, filter, cursor.as_ref(), LIMIT).await?, Some(total))
    } else {
        (review::list_mine(&state.app, actor, filter, cursor.as_ref(), LIMIT).await?, None)
    };
    let mut tx = state.app.db.read().await?;
    let categories = names::category_choices(&mut tx, frame.shell.lang).await?;
    let owners = names::of_people(&mut tx, listed.receipts.iter().map(|r| &r.owner_id)).await?;
    let mut known = HashMap::new();
    let mut rows = Vec::new();
    let query = address.query();
    for row in &listed.receipts {
        let visit = names::visit_view(&mut tx, &row.visit(), &frame.shell.zone, &mut known).await?;
        let mut flags = Vec::new();
        if row.p_total_and_date.is_some_and(|p| p < LOW_P) {
            flags.push("low_p".to_owned());
        }
        rows.push(QueueRow {
            id: row.id.clone(),
            state: row.state,
            url: in_list(&format!("/drafts/{}", row.id), &query),
            thumbnail_url: thumbnail(row),
            owner: owners.get(&row.owner_id).cloned().unwrap_or_default(),
            merchant: row.merchant.clone(),
            total: row.total.as_deref().and_then(|t| t.parse().ok()),
            currency: row.currency,
            issued_on: row.issued_on,
            category: category_name(row, &categories),
            visit,
            p: row.p_total_and_date.map(|p| p as f32),
            flags,
            submitted_at: row.submitted_at,
        });
    }
    let units = organisation::list_units(&mut tx, MAX_UNITS)
        .await?
        .into_iter()
        .map(|unit| Choice { value: unit.id.to_string(), label: unit.name })
        .collect();
    let people = names::people_choices(&mut tx).await?;
    Ok(QueuePage {
        shell: frame.shell.clone(),
        total,
        rows,
        filter: QueueFilter {
            state: address.state.clone(),
            person: address.person.clone(),
            unit: address.unit.clone(),
            category: address.category.clone(),
            text: address.text.clone(),
        },
        people,
        units,
        categories,
        may_import: findings::may_record(actor),
        imported: None,
        problem: None,
        more: listed.next.map(|cursor| format!("/review?{query}&after={}", encode_cursor(&cursor))),
    })
}
