//! Signing in and out, the password, the language.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Query, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use serde::Deserialize;

use super::frame::{self, Frame, LANGUAGE_COOKIE, PageForm, local_path, read_form, shown};
use crate::{
    domain::person::Language,
    people::{self, Attempt, MIN_PASSWORD_CHARS, SignedIn},
    web::{
        auth::{cookie_name, session_user},
        pages::sign_in::{PasswordPage, SignInPage},
        problem::ApiError,
        proxy,
        state::AppState,
    },
};

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
}

/// `GET /sign-in`.
pub async fn sign_in_page(State(state): State<AppState>, Query(query): Query<Next>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Ok(Some(_)) = session_user(&parts, &state).await {
        return Redirect::to(local_path(&query.next)).into_response();
    }
    let shell = frame::shell(&state, &parts, None);
    let next = local_path(&query.next).to_owned();
    frame::render(StatusCode::OK, &SignInPage { shell, name: String::new(), next, problem: None })
}

/// `POST /sign-in`.
pub async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let values = match read_form(&parts, body).await {
        Ok(values) => values,
        Err(error) => return frame::error_page(&state, &parts, error).await,
    };
    let get = |name: &str| values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let jar = CookieJar::from_headers(&parts.headers);
    let previous = jar.get(cookie_name(&state)).map(|cookie| cookie.value().to_owned());
    let caller = proxy::caller(peer.ip(), state.web.is_secure, &parts.headers, &state.web.trusted_proxies);
    let attempt = Attempt {
        user_name: get("name"),
        password: get("password"),
        address: caller.address,
        previous: previous.as_deref(),
    };
    match people::sign_in(&state.app, attempt).await {
        Ok(signed) => {
            let next = if signed.user.person.must_change_password { "/password" } else { local_path(get("next")) };
            (jar.add(session_cookie(&state, &signed)), Redirect::to(next)).into_response()
        }
        Err(error) => {
            let error = ApiError::from(error);
            let page = SignInPage {
                shell: frame::shell(&state, &parts, None),
                name: get("name").to_owned(),
                next: local_path(get("next")).to_owned(),
                problem: Some(shown(&error)),
            };
            frame::render(error.status(), &page)
        }
    }
}

fn session_cookie(state: &AppState, signed: &SignedIn) -> Cookie<'static> {
    Cookie::build((cookie_name(state), signed.secret.reveal().to_owned()))
        .path("/")
        .http_only(true)
        .secure(state.web.is_secure)
        // Lax, not Strict: links in mails and chats must open signed in; state changes carry the form token.
        .same_site(SameSite::Lax)
        .build()
}

/// `POST /sign-out`.
pub async fn sign_out(State(state): State<AppState>, jar: CookieJar, form: PageForm) -> Response {
    if let Err(error) = people::sign_out(&state.app, &form.frame.user).await {
        return form.frame.fail(error).await;
    }
    let gone = Cookie::build((cookie_name(&state), "")).path("/").secure(state.web.is_secure).build();
    (jar.remove(gone), Redirect::to("/sign-in")).into_response()
}

/// `GET /password`.
pub async fn password_page(frame: Frame) -> Response {
    password_form(&frame, StatusCode::OK, None)
}

fn password_form(frame: &Frame, status: StatusCode, error: Option<&ApiError>) -> Response {
    let page = PasswordPage {
        shell: frame.shell.clone(),
        first: frame.user.person.must_change_password,
        min_chars: MIN_PASSWORD_CHARS as u32,
        problem: error.map(shown),
    };
    frame::render(status, &page)
}

/// `POST /password`. All other sessions of the person end; this one goes on under a new secret.
pub async fn change_password(State(state): State<AppState>, jar: CookieJar, form: PageForm) -> Response {
    let (current, new) = (form.get("current"), form.get("new"));
    if new != form.get("again") {
        let error = ApiError::unprocessable("passwords_differ", "the two new passwords differ");
        return password_form(&form.frame, StatusCode::UNPROCESSABLE_ENTITY, Some(&error));
    }
    match people::change_password(&state.app, form.frame.actor(), current, new).await {
        Ok(signed) => (jar.add(session_cookie(&state, &signed)), Redirect::to("/")).into_response(),
        Err(error) => {
            let error = ApiError::from(error);
            password_form(&form.frame, error.status(), Some(&error))
        }
    }
}

/// `POST /language`: the person's setting, or a cookie before signing in.
pub async fn set_language(State(state): State<AppState>, jar: CookieJar, request: Request) -> Response {
    let (parts, body): (Parts, _) = request.into_parts();
    let values = match read_form(&parts, body).await {
        Ok(values) => values,
        Err(error) => return frame::error_page(&state, &parts, error).await,
    };
    let get = |name: &str| values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let Ok(language) = get("language").parse::<Language>() else {
        return frame::error_page(&state, &parts, ApiError::bad_request("that language is not offered")).await;
    };
    if let Ok(Some(user)) = session_user(&parts, &state).await
        && people::is_csrf_token(&user.session, get("csrf"))
        && let Err(error) = people::set_language(&state.app, &user.actor, language).await
    {
        return frame::error_page(&state, &parts, error.into()).await;
    }
    let cookie = Cookie::build((LANGUAGE_COOKIE, language.as_str()))
        .path("/")
        .secure(state.web.is_secure)
        .same_site(SameSite::Lax)
        .permanent()
        .build();
    (jar.add(cookie), Redirect::to(local_path(get("next")))).into_response()
}
