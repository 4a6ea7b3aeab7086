//! Pages as people use them: each handler loads through a use case, fills the page's struct and renders it.

mod account;
mod admin;
mod capture;
mod draft;
mod draft_view;
mod file_form;
mod frame;
mod help;
mod mail;
mod names;
mod receipts;
mod review;
mod tokens;
mod visits;

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};

pub use frame::{Frame, PageError, PageForm};

use super::{auth::PageUser, state::AppState};
use crate::domain::person::Role;

/// All pages.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", get(account::sign_in_page).post(account::sign_in))
        .route("/sign-out", post(account::sign_out))
        .route("/password", get(account::password_page).post(account::change_password))
        .route("/language", post(account::set_language))
        .route("/capture", get(capture::page).post(capture::hand_in))
        .route("/receipts", get(receipts::page).post(receipts::act_on_many))
        .route("/captures/{id}/retry", post(receipts::retry))
        .route("/captures/{id}/password", post(receipts::unlock))
        .route("/captures/{id}/fill-in", post(receipts::fill_in))
        .route("/review", get(review::page))
        .route("/drafts/{id}", get(draft::page).post(draft::act))
        .route("/drafts/{id}/attach", post(draft::attach))
        .route("/drafts/{id}/keep-apart", post(draft::keep_apart))
        .route("/drafts/{id}/propose-again", post(draft::propose_again))
        .route("/drafts/{id}/verification", post(draft::verify))
        .route("/review/verifications", post(review::import_verifications))
        .route("/account/tokens", get(tokens::page).post(tokens::create))
        .route("/account/tokens/{id}/revoke", post(tokens::revoke))
        .route("/mail", get(mail::page))
        .route("/mail/{id}", get(mail::message))
        .route("/mail/{id}/accept", post(mail::accept))
        .route("/mail/{id}/reject", post(mail::reject))
        .route("/mail/{id}/follow", post(mail::follow))
        .route("/mail/addresses", post(mail::for_visit))
        .route("/mail/addresses/{id}/rotate", post(mail::rotate))
        .route("/mail/addresses/{id}/retire", post(mail::retire))
        .route("/visits", get(visits::page).post(visits::add))
        .route("/visits/import", post(visits::import))
        .route("/customers", post(visits::add_customer))
        .merge(admin::router())
        .route("/https", get(help::page))
        .route("/https/ca.crt", get(help::certificate))
}

/// Reviewers start at their queue, everybody else at the camera.
async fn home(PageUser(user): PageUser) -> Redirect {
    if user.actor.is(Role::Reviewer) || user.actor.is(Role::Auditor) {
        Redirect::to("/review")
    } else {
        Redirect::to("/capture")
    }
}

/// Whatever is not there: a page for browsers, a problem for programs.
pub async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !wants_page || request.uri().path().starts_with("/api/") {
        return super::problem::ApiError::not_found("address").into_response();
    }
    let (parts, _) = request.into_parts();
    let problem = super::problem::ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such page");
    frame::error_page(&state, &parts, problem).await
}
