//! One's own API tokens.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::frame::{self, Frame, PageForm, shown};
use crate::{
    domain::ids::TokenId,
    people::{self, IssuedToken},
    web::{
        pages::tokens::{TokenRow, TokensPage},
        problem::ApiError,
        state::AppState,
    },
};

/// The longest a token may live when it is made on the page, in days.
const MAX_DAYS: u64 = 3_650;
const DAY: Duration = Duration::from_hours(24);

/// `GET /account/tokens`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    show(&state, &frame, None, None).await
}

/// `POST /account/tokens`: the answer shows the token, and only it does.
pub async fn create(State(state): State<AppState>, form: PageForm) -> Response {
    let actor = form.frame.actor();
    let days = form.get("days").parse::<u64>().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    let outcome = match days {
        None => Err(ApiError::bad_request("a token lives 1 to 3650 days")),
        Some(days) => {
            let expires_at = state.app.now().plus(DAY * days as u32);
            let made = people::create_token(&state.app, Some(actor), &actor.id, form.get("name"), Some(expires_at));
            made.await.map_err(ApiError::from)
        }
    };
    match outcome {
        Ok(issued) => show(&state, &form.frame, Some(issued), None).await,
        Err(error) => show(&state, &form.frame, None, Some(error)).await,
    }
}

/// `POST /account/tokens/{id}/revoke`.
pub async fn revoke(State(state): State<AppState>, Path(id): Path<TokenId>, form: PageForm) -> Response {
    match people::revoke_token(&state.app, Some(form.frame.actor()), &id).await {
        Ok(()) => Redirect::to("/account/tokens").into_response(),
        Err(error) => show(&state, &form.frame, None, Some(error.into())).await,
    }
}

async fn show(state: &AppState, frame: &Frame, issued: Option<IssuedToken>, error: Option<ApiError>) -> Response {
    let actor = frame.actor();
    let tokens = match people::list_tokens(&state.app, Some(actor), &actor.id).await {
        Ok(tokens) => tokens,
        Err(error) => return frame.fail(error).await,
    };
    let rows = tokens.into_iter().map(|token| TokenRow {
        id: token.id,
        name: token.name,
        created_at: token.created_at,
        expires_at: token.expires_at,
        used_at: token.last_used_at,
        revoked_at: token.revoked_at,
    });
    let page = TokensPage {
        shell: frame.shell.clone(),
        tokens: rows.collect(),
        issued: issued.map(|issued| issued.text.reveal().to_owned()),
        problem: error.as_ref().map(shown),
    };
    frame::render(error.map_or(StatusCode::OK, |error| error.status()), &page)
}
