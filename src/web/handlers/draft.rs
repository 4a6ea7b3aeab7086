//! The draft page, and its form for browsers without scripts.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    draft_view,
    frame::{self, Frame, PageForm, local_path, shown},
    names,
    review::Address,
};
use crate::{
    domain::{field::FieldKey, ids::ReceiptId},
    findings,
    review::{self, Edit, Pairing, Verb},
    web::{pages::draft::in_list, problem::ApiError, state::AppState},
};

/// `GET /drafts/{id}`.
pub async fn page(
    State(state): State<AppState>,
    Path(id): Path<ReceiptId>,
    frame: Frame,
    Query(address): Query<Address>,
) -> Response {
    match draft_view::fill(&state, &frame, &id, &address).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

/// `POST /drafts/{id}`: saves what was typed, then does `action`.
pub async fn act(
    State(state): State<AppState>,
    Path(id): Path<ReceiptId>,
    Query(address): Query<Address>,
    form: PageForm,
) -> Response {
    match perform(&state, &form, &id, &address).await {
        Ok(Some(next)) => Redirect::to(&next).into_response(),
        Ok(None) => Redirect::to(local_path(form.get("next"))).into_response(),
        Err(error) => again(&state, &form, &id, &address, error).await,
    }
}

/// `POST /drafts/{id}/attach`: the other paper of the expense becomes part of it, or this one part of the other.
pub async fn attach(
    State(state): State<AppState>,
    Path(id): Path<ReceiptId>,
    Query(address): Query<Address>,
    form: PageForm,
) -> Response {
    let Some(other) = other(&form) else { return names_no_other(&form).await };
    match review::attach(&state.app, form.frame.actor(), &id, &other).await {
        Ok(leading) => Redirect::to(&of_draft(&leading, &address)).into_response(),
        Err(error) => again(&state, &form, &id, &address, error.into()).await,
    }
}

/// `POST /drafts/{id}/keep-apart`: the other paper is an expense of its own.
pub async fn keep_apart(
    State(state): State<AppState>,
    Path(id): Path<ReceiptId>,
    Query(address): Query<Address>,
    form: PageForm,
) -> Response {
    pair(&state, &id, &address, &form, Pairing::KeptApart).await
}

/// `POST /drafts/{id}/propose-again`: it may be of the same expense after all.
pub async fn propose_again(
    State(state): State<AppState>,
    Path(id): Path<ReceiptId>,
    Query(address): Query<Address>,
    form: PageForm,
) -> Response {
    pair(&state, &id, &address, &form, Pairing::Proposed).await
}

async fn pair(state: &AppState, id: &ReceiptId, address: &Address, form: &PageForm, pairing: Pairing) -> Response {
    let Some(other) = other(form) else { return names_no_other(form).await };
    match review::pair(&state.app, form.frame.actor(), id, &other, pairing).await {
        Ok(()) => Redirect::to(&of_draft(id, address)).into_response(),
        Err(error) => again(state, form, id, address, error.into()).await,
    }
}

/// The page of a draft in the list one came from.
fn of_draft(id: &ReceiptId, address: &Address) -> String {
    in_list(&format!("/drafts/{id}"), &address.query())
}

/// The receipt a button beside a finding names.
fn other(form: &PageForm) -> Option<ReceiptId> {
    form.get("other").parse().ok()
}

async fn names_no_other(form: &PageForm) -> Response {
    form.frame.fail(ApiError::bad_request("the form names no other receipt: reload the page")).await
}

/// `POST /drafts/{id}/verification`: what a reviewer read about the invoice on the tax bureau's page.
pub async fn verify(
    State(state): State<AppState>,
    Path(id): Path<ReceiptId>,
    Query(address): Query<Address>,
    form: PageForm,
) -> Response {
    match record(&state, &form, &id).await {
        Ok(()) => Redirect::to(&of_draft(&id, &address)).into_response(),
        Err(error) => again(&state, &form, &id, &address, error).await,
    }
}

async fn record(state: &AppState, form: &PageForm, id: &ReceiptId) -> Result<(), ApiError> {
    let outcome = form.get("outcome").parse().map_err(|_| ApiError::bad_request("the form names no outcome"))?;
    let typed = |name: &str| Some(form.get(name).trim()).filter(|text| !text.is_empty());
    let day = typed("checked_on").map(str::parse).transpose();
    let checked_on = day.map_err(|_| ApiError::bad_request("that is no date: write YYYY-MM-DD"))?;
    let note = typed("note").map(str::to_owned);
    let receipt = review::receipt(&state.app, form.frame.actor(), id).await?;
    findings::record_by_hand(&state.app, form.frame.actor(), &receipt, outcome, checked_on, note).await?;
    Ok(())
}

/// Where to go then: `None` for the form's own `next`.
async fn perform(
    state: &AppState,
    form: &PageForm,
    id: &ReceiptId,
    address: &Address,
) -> Result<Option<String>, ApiError> {
    let actor = form.frame.actor();
    let mut revision: i64 = form
        .get("revision")
        .parse()
        .map_err(|_| ApiError::bad_request("the form names no revision: reload the page"))?;
    let action = form.get("action");
    if matches!(action, "save" | "confirm" | "submit")
        && let Some(change) = changed(state, form, id).await?
    {
        revision = review::edit(&state.app, actor, id, revision, &change).await?.revision;
    }
    let reason = || form.get("reason").to_owned();
    let verb = match action {
        "save" | "" => return Ok(Some(of_draft(id, address))),
        "confirm" => {
            review::confirm(&state.app, actor, id, revision).await?;
            return Ok(None);
        }
        "submit" => Verb::Submit,
        "withdraw" => Verb::Withdraw,
        "return" => Verb::Return { reason: reason() },
        "reject" => Verb::Reject { reason: reason() },
        "reopen" => Verb::Reopen,
        _ => return Err(ApiError::bad_request("that act is not known")),
    };
    let stays = matches!(verb, Verb::Reopen);
    review::decide(&state.app, actor, id, revision, verb).await?;
    Ok(stays.then(|| of_draft(id, address)))
}

/// What the form changes compared with what counts now; `None` when nothing.
async fn changed(state: &AppState, form: &PageForm, id: &ReceiptId) -> Result<Option<Edit>, ApiError> {
    let view = review::view(&state.app, form.frame.actor(), id).await?;
    let mut fields = BTreeMap::new();
    for key in FieldKey::ALL {
        if !form.has(key.as_str()) {
            continue;
        }
        let typed = form.get(key.as_str()).trim();
        let current = view.fields.get(key).and_then(review::DraftField::value).unwrap_or_default();
        if typed != current {
            fields.insert(*key, Some(typed.to_owned()).filter(|t| !t.is_empty()));
        }
    }
    let mut visit = None;
    if form.has("visit") {
        let chosen = names::parse_visit(form.get("visit")).ok_or_else(|| ApiError::bad_request("that is no visit"))?;
        visit = (chosen != view.receipt.visit()).then_some(chosen);
    }
    let change = Edit { fields, visit };
    Ok((change != Edit::default()).then_some(change))
}

/// The page again with why it did not work; what was typed stays in the inputs.
async fn again(state: &AppState, form: &PageForm, id: &ReceiptId, address: &Address, error: ApiError) -> Response {
    if !matches!(error.status(), StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY) {
        return form.frame.fail(error).await;
    }
    let mut page = match draft_view::fill(state, &form.frame, id, address).await {
        Ok(page) => page,
        Err(error) => return form.frame.fail(error).await,
    };
    let problem = shown(&error);
    if error.status() == StatusCode::CONFLICT {
        page.conflict = true;
    } else {
        for field in &mut page.fields {
            let typed = form.get(field.key.as_str()).trim().to_owned();
            if form.has(field.key.as_str()) && typed != field.value() {
                field.refused = Some((typed, problem.clone()));
            }
        }
        page.problem = Some(problem);
    }
    frame::render(error.status(), &page)
}
