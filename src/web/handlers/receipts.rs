//! My receipts, and what their owner does with one or many.

use std::collections::HashMap;

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    frame::{Frame, PageForm, local_path},
    names,
};
use crate::{
    domain::{
        capture::{CaptureState, Channel, Reason},
        draft::DraftState,
        field::FieldKey,
        ids::{CaptureId, ReceiptId},
        policy,
    },
    review::{self, Verb},
    store::{
        Tx, captures as capture_rows, mail_messages, readings,
        receipts::{Filter, ReceiptRow as Row},
    },
    web::{
        api::drafts::list::ListParameters,
        auth::encode,
        pages::{
            receipts::{CaptureRow, ReceiptRow, ReceiptsPage},
            shell::{Choice, VisitOption},
        },
        problem::ApiError,
        state::AppState,
    },
};

/// Receipts on a page.
const LIMIT: u32 = 50;
/// Captures on their way or stuck that the page shows.
const MAX_CAPTURES: i64 = 50;

/// The page's address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    state: String,
    after: Option<String>,
}

/// `GET /receipts?state=&after=`.
pub async fn page(State(state): State<AppState>, frame: Frame, Query(address): Query<Address>) -> Response {
    match fill(&state, &frame, &address).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame, address: &Address) -> Result<ReceiptsPage, ApiError> {
    let actor = frame.actor();
    let parameters = ListParameters {
        state: Some(address.state.clone()),
        after: address.after.clone(),
        ..ListParameters::default()
    };
    let filter = Filter { owner: Some(actor.id.clone()), ..parameters.filter()? };
    let listed = review::list_mine(&state.app, actor, filter, parameters.cursor()?.as_ref(), LIMIT).await?;
    let mut captures = Vec::new();
    let mut tx = state.app.db.read().await?;
    // On their way or stuck: above the first page only.
    if address.after.is_none() && address.state.is_empty() {
        let mut rows = review::waiting_for_password(&state.app, actor, MAX_CAPTURES).await?;
        let without = capture_rows::list_without_receipts(&mut tx, Some(&actor.id), &[], None, MAX_CAPTURES).await?;
        // Bounces and automatic answers are kept with the mail; nobody handed in a receipt.
        let is_listed = |row: &capture_rows::CaptureRow| {
            row.state != CaptureState::PasswordNeeded && row.reason != Some(Reason::AutomaticMail)
        };
        rows.extend(without.into_iter().filter(is_listed));
        rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
        for row in rows {
            let document = capture_rows::documents(&mut tx, &row.id).await?.into_iter().next();
            let file_name = match document {
                Some(document) => capture_rows::file_name(&mut tx, &row.id, &document.id).await?,
                None => None,
            };
            let message = if row.channel == Channel::Mail {
                mail_messages::find_by_capture(&mut tx, &row.id).await?
            } else {
                None
            };
            captures.push(CaptureRow {
                id: row.id,
                state: row.state,
                reason: row.reason,
                file_name,
                mail_url: message.map(|message| format!("/mail/{}", message.id)),
                thumbnail_url: None,
                captured_at: row.created_at,
            });
        }
    }
    let categories = names::category_choices(&mut tx, frame.shell.lang).await?;
    let mut known = HashMap::new();
    let mut receipts = Vec::new();
    for row in &listed.receipts {
        receipts.push(receipt_row(&mut tx, row, &categories, &frame.shell.zone, &mut known).await?);
    }
    let visits = names::visit_options(&mut tx, &actor.id, &frame.shell.zone).await?;
    let more = listed.next.map(|cursor| {
        let after = crate::web::api::drafts::list::encode_cursor(&cursor);
        format!("/receipts?state={}&after={after}", encode(&address.state))
    });
    let filters = std::iter::once(String::new())
        .chain(DraftState::ALL.iter().map(ToString::to_string))
        .map(|value| Choice { value, label: String::new() })
        .collect();
    Ok(ReceiptsPage {
        shell: frame.shell.clone(),
        captures,
        receipts,
        filter: address.state.clone(),
        filters,
        visits,
        more,
    })
}

async fn receipt_row(
    tx: &mut Tx,
    row: &Row,
    categories: &[Choice],
    zone: &str,
    known: &mut HashMap<crate::domain::ids::VisitId, VisitOption>,
) -> Result<ReceiptRow, ApiError> {
    let missing = policy::missing(policy::REQUIRED_TO_SUBMIT, |key| match key {
        FieldKey::Merchant => row.merchant.is_some(),
        FieldKey::Date => row.issued_on.is_some(),
        FieldKey::Total => row.total.is_some(),
        FieldKey::Currency => row.currency.is_some(),
        _ => true,
    });
    let warnings = match &row.reading_id {
        Some(reading) => readings::warnings(tx, reading).await?,
        None => Vec::new(),
    };
    Ok(ReceiptRow {
        id: row.id.clone(),
        state: row.state,
        thumbnail_url: thumbnail(row),
        merchant: row.merchant.clone(),
        total: row.total.as_deref().and_then(|t| t.parse().ok()),
        currency: row.currency,
        issued_on: row.issued_on,
        category: category_name(row, categories),
        visit: names::visit_view(tx, &row.visit(), zone, known).await?,
        reason: row.reason.clone(),
        warnings,
        missing,
        captured_at: row.created_at,
        revision: row.revision,
    })
}

/// A small picture for lists, when a reader drew one.
pub fn thumbnail(row: &Row) -> Option<String> {
    row.reading_id.as_ref().map(|_| format!("/api/v1/drafts/{}/thumbnail", row.id))
}

/// The first page's picture, when a reader drew one.
pub fn first_preview(row: &Row) -> Option<String> {
    row.reading_id.as_ref().map(|_| format!("/api/v1/drafts/{}/pages/0/preview", row.id))
}

/// The category's name in the page's language.
pub fn category_name(row: &Row, categories: &[Choice]) -> Option<String> {
    let code = row.category_code.as_ref()?;
    Some(categories.iter().find(|c| c.value == *code).map_or_else(|| code.clone(), |c| c.label.clone()))
}

/// `POST /receipts`: one act for many.
pub async fn act_on_many(State(state): State<AppState>, form: PageForm) -> Response {
    match act(&state, &form).await {
        Ok(()) => Redirect::to("/receipts").into_response(),
        Err(error) => form.frame.fail(error).await,
    }
}

async fn act(state: &AppState, form: &PageForm) -> Result<(), ApiError> {
    let ids: Vec<ReceiptId> = form
        .all("id")
        .take(review::MAX_BULK)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| ApiError::bad_request("that is no receipt"))?;
    let actor = form.frame.actor();
    match form.get("action") {
        "visit" => {
            let visit =
                names::parse_visit(form.get("visit")).ok_or_else(|| ApiError::bad_request("that is no visit"))?;
            review::set_visit_of_many(&state.app, actor, &ids, &visit).await?;
        }
        action @ ("submit" | "withdraw") => {
            for id in &ids {
                let verb = if action == "submit" { Verb::Submit } else { Verb::Withdraw };
                let revision = review::view(&state.app, actor, id).await?.receipt.revision;
                review::decide(&state.app, actor, id, revision, verb).await?;
            }
        }
        _ => return Err(ApiError::bad_request("that act is not known")),
    }
    Ok(())
}

/// `POST /captures/{id}/retry`.
pub async fn retry(State(state): State<AppState>, Path(id): Path<CaptureId>, form: PageForm) -> Response {
    match review::retry_capture(&state.app, form.frame.actor(), &id).await {
        Ok(()) => {
            state.app.wake.notify_one();
            let next = form.get("next");
            Redirect::to(if next.is_empty() { "/receipts" } else { local_path(next) }).into_response()
        }
        Err(error) => form.frame.fail(error).await,
    }
}

/// `POST /captures/{id}/password`.
pub async fn unlock(State(state): State<AppState>, Path(id): Path<CaptureId>, form: PageForm) -> Response {
    match review::give_password(&state.app, form.frame.actor(), &id, None, form.get("password")).await {
        Ok(()) => {
            state.app.wake.notify_one();
            Redirect::to("/receipts").into_response()
        }
        Err(error) => form.frame.fail(error).await,
    }
}

/// `POST /captures/{id}/fill-in`.
pub async fn fill_in(State(state): State<AppState>, Path(id): Path<CaptureId>, form: PageForm) -> Response {
    match review::fill_by_hand(&state.app, form.frame.actor(), &id).await {
        Ok(receipt) => Redirect::to(&format!("/drafts/{}", receipt.id)).into_response(),
        Err(error) => form.frame.fail(error).await,
    }
}
