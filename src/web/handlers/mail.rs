//! One's mail: addresses, what waits, and single messages.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    frame::{self, Frame, PageForm, shown},
    names,
};
use crate::{
    capture::mail::{
        addresses, links,
        preview::{self, Preview},
        quarantine, recheck,
    },
    domain::{
        ids::{MailAddressId, MailMessageId, VisitId},
        mail::{Check, Decision, Doubt},
        page::Line,
    },
    review,
    store::{mail_addresses::MailAddress, mail_messages::MailMessage, receipts::ReceiptRow},
    web::{
        pages::{
            mail::{AddressRow, DraftLink, MailPage, MessagePage, MessageRow},
            shell::{Choice, Shell, VisitOption},
            trips::TripLine,
        },
        problem::ApiError,
        state::AppState,
    },
};

/// Lines of a message that are shown; the original can be downloaded.
const MAX_LINES: usize = 400;

/// `GET /mail`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    show(&state, &frame, None).await
}

/// `POST /mail/addresses`: an address for a visit.
pub async fn for_visit(State(state): State<AppState>, form: PageForm) -> Response {
    let made = match form.get("visit_id").parse::<VisitId>() {
        Ok(visit) => addresses::of_visit(&state.app, form.frame.actor(), &visit).await.map_err(ApiError::from),
        Err(_) => Err(ApiError::not_found("visit")),
    };
    back(&state, &form, made.map(drop)).await
}

/// `POST /mail/addresses/{id}/rotate`.
pub async fn rotate(State(state): State<AppState>, Path(id): Path<MailAddressId>, form: PageForm) -> Response {
    let done = addresses::rotate(&state.app, form.frame.actor(), &id).await;
    back(&state, &form, done.map(drop).map_err(ApiError::from)).await
}

/// `POST /mail/addresses/{id}/retire`.
pub async fn retire(State(state): State<AppState>, Path(id): Path<MailAddressId>, form: PageForm) -> Response {
    let done = addresses::retire(&state.app, form.frame.actor(), &id).await;
    back(&state, &form, done.map_err(ApiError::from)).await
}

/// `POST /mail/{id}/accept`.
pub async fn accept(State(state): State<AppState>, Path(id): Path<MailMessageId>, form: PageForm) -> Response {
    let done = quarantine::accept(&state.app, form.frame.actor(), &id, form.has("remember")).await;
    back(&state, &form, done.map(drop).map_err(ApiError::from)).await
}

/// `POST /mail/{id}/reject`.
pub async fn reject(State(state): State<AppState>, Path(id): Path<MailMessageId>, form: PageForm) -> Response {
    let done = quarantine::reject(&state.app, form.frame.actor(), &id).await;
    back(&state, &form, done.map(drop).map_err(ApiError::from)).await
}

/// `GET /mail/{id}`.
pub async fn message(State(state): State<AppState>, Path(id): Path<MailMessageId>, frame: Frame) -> Response {
    match fill_message(&state, &frame, &id, None).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

/// `POST /mail/{id}/follow`: the document behind a link is handed in.
pub async fn follow(State(state): State<AppState>, Path(id): Path<MailMessageId>, form: PageForm) -> Response {
    let frame = &form.frame;
    let error = match links::follow(&state.office, frame.actor(), &id, form.get("link")).await {
        Ok(_) => return Redirect::to("/receipts").into_response(),
        Err(error) => ApiError::from(error),
    };
    match fill_message(&state, frame, &id, Some(&error)).await {
        Ok(page) => frame::render(error.status(), &page),
        Err(error) => frame.fail(error).await,
    }
}

async fn back(state: &AppState, form: &PageForm, done: Result<(), ApiError>) -> Response {
    match done {
        Ok(()) => Redirect::to("/mail").into_response(),
        Err(error) => show(state, &form.frame, Some(error)).await,
    }
}

async fn show(state: &AppState, frame: &Frame, error: Option<ApiError>) -> Response {
    match fill(state, frame, error.as_ref()).await {
        Ok(page) => frame::render(error.map_or(StatusCode::OK, |error| error.status()), &page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame, error: Option<&ApiError>) -> Result<MailPage, ApiError> {
    let actor = frame.actor();
    let found = addresses::of_person(&state.app, actor).await?;
    let choices = visit_choices(state, frame).await?;
    let row = |address: MailAddress| AddressRow {
        address: state.office.shown(&address),
        visit: address.visit_id.as_ref().map(|id| choices.get(id.as_str()).cloned().unwrap_or_default()),
        id: address.id,
    };
    let with_address: Vec<String> =
        found.iter().filter_map(|address| Some(address.visit_id.as_ref()?.to_string())).collect();
    let mut rows = found.into_iter().map(row);
    let own = rows.next().ok_or_else(|| ApiError::not_found("mail address"))?;
    let shell = &frame.shell;
    let doubted = quarantine::list(&state.app, actor, false).await?;
    let rows_of = doubted.iter().map(|message| message_row(state, shell, message));
    let (quiet, open): (Vec<_>, Vec<_>) = rows_of.partition(|row| row.doubt.is_quiet());
    let (checking, waiting): (Vec<_>, Vec<_>) = open.into_iter().partition(|row| row.is_being_checked(&shell.now));
    let rejected = quarantine::list(&state.app, actor, true).await?;
    let lately = quarantine::read_lately(&state.app, actor).await?;
    Ok(MailPage {
        shell: shell.clone(),
        is_on: !state.web.mail_doors.is_empty(),
        own,
        of_visits: rows.collect(),
        visits: choices
            .iter()
            .filter(|(id, _)| !with_address.contains(id))
            .map(|(value, label)| Choice { value: value.clone(), label: label.clone() })
            .collect(),
        waiting,
        checking,
        check_minutes: check_minutes(),
        quiet,
        rejected: rejected.iter().map(|message| message_row(state, shell, message)).collect(),
        lately: lately.iter().map(|message| message_row(state, shell, message)).collect(),
        problem: error.map(shown),
    })
}

/// The person's recent visits by id, in words.
async fn visit_choices(state: &AppState, frame: &Frame) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tx = state.app.db.read().await?;
    let recent = names::visit_options(&mut tx, &frame.actor().id, &state.web.time_zone).await?;
    let words = |visit: &VisitOption| match visit.on {
        Some(on) => format!("{} · {on}", visit.customer),
        None => visit.customer.clone(),
    };
    Ok(recent.into_iter().map(|visit| (visit.id.to_string(), words(&visit))).collect())
}

/// Minutes between two checks of senders that could not be checked.
fn check_minutes() -> u64 {
    recheck::EVERY.as_secs() / 60
}

fn message_row(state: &AppState, shell: &Shell, message: &MailMessage) -> MessageRow {
    MessageRow {
        id: message.id.clone(),
        from: message.header_from.clone().unwrap_or_else(|| "–".to_owned()),
        subject: message.subject.clone().unwrap_or_else(|| shell.t("mail.no_subject")),
        doubt: message.doubt.unwrap_or(Doubt::Unchecked),
        received_at: message.received_at,
        is_proved: message.evidence.0.dmarc == Check::Pass || message.evidence.0.is_aligned,
        checked_until: recheck::until(&state.office, message),
    }
}

async fn fill_message(
    state: &AppState,
    frame: &Frame,
    id: &MailMessageId,
    error: Option<&ApiError>,
) -> Result<MessagePage, ApiError> {
    let message = quarantine::find(&state.app, frame.actor(), id).await?;
    let seen = review::capture(&state.app, frame.actor(), &message.capture_id).await?;
    let mut tx = state.app.db.read().await?;
    let reading = preview::reading(&mut tx, &message).await?;
    let text = reading.map(|reading| {
        let lines = reading.pages.0.iter().flat_map(|page| &page.lines);
        lines.map(Line::text).take(MAX_LINES).collect()
    });
    drop(tx);
    let Preview { text, attached, trips } = match (text, &state.pool) {
        // What is attached to a message that was read is with its receipts.
        (Some(text), _) => {
            let trips = review::trips_of_capture(&state.app, frame.actor(), &message.capture_id).await?;
            Preview { text, attached: Vec::new(), trips }
        }
        // It waits, and nobody can decide about what they cannot see.
        (None, Some(pool)) => preview::of(&state.app, pool, &message, MAX_LINES).await,
        (None, None) => Preview::default(),
    };
    let links = links::of_message(&state.office, frame.actor(), id).await?;
    let shell = &frame.shell;
    let row = message_row(state, shell, &message);
    let draft = |receipt: &ReceiptRow| DraftLink {
        url: format!("/drafts/{}", receipt.id),
        merchant: receipt.merchant.clone(),
        money: shell.money(&receipt.total.as_deref().and_then(|total| total.parse().ok()), &receipt.currency),
        state: receipt.state,
    };
    Ok(MessagePage {
        shell: shell.clone(),
        row,
        waits: message.doubt.is_some() && message.decision != Some(Decision::Accepted),
        is_doubted: message.doubt.is_some(),
        check_minutes: check_minutes(),
        capture_id: message.capture_id,
        way: message.way,
        envelope_sender: message.envelope_sender,
        peer: message.peer,
        sent_at: message.sent_at,
        evidence: message.evidence.0,
        text,
        attached,
        links,
        problem: error.map(shown),
        state: seen.capture.state,
        reason: seen.capture.reason,
        drafts: seen.receipts.iter().map(draft).collect(),
        trips: trips.iter().map(|trip| TripLine::new(shell, trip)).collect(),
    })
}
