//! Who is asking: a bearer token, or a session cookie with the form token beside it.

use axum::{
    extract::FromRequestParts,
    http::{Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;

use super::{api::people::PersonBody, problem::ApiError, state::AppState};
use crate::{
    domain::person::{Actor, Role},
    people::{self, PasswordError, PeopleError, SessionUser},
};

/// The session cookie on HTTPS; the prefix makes browsers refuse it from anywhere but this host over TLS.
pub const SECURE_COOKIE: &str = "__Host-vouch";
/// The session cookie on plain HTTP (localhost, or a misconfigured LAN).
pub const PLAIN_COOKIE: &str = "vouch";
/// The header scripts send the form token in.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody signed in, through the API.
#[derive(Debug, Clone)]
pub struct Signed {
    /// Who.
    pub actor: Actor,
    /// Their session, unless they came with a token.
    pub session: Option<SessionUser>,
}

impl FromRequestParts<AppState> for Signed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if let Some(token) = bearer(parts) {
            let actor = people::authenticate_token(&state.app, &token).await?.ok_or_else(unauthorized)?;
            return Ok(Self { actor, session: None });
        }
        let user = session_user(parts, state).await?.ok_or_else(unauthorized)?;
        // A cookie alone proves only that the browser has it; another site can make the browser send it.
        if !is_safe(&parts.method) {
            let sent = parts.headers.get(CSRF_HEADER).and_then(|v| v.to_str().ok()).unwrap_or_default();
            if !people::is_csrf_token(&user.session, sent) {
                return Err(ApiError::new(
                    StatusCode::FORBIDDEN,
                    "csrf",
                    "the form token is missing or old: reload the page and try again",
                ));
            }
        }
        if user.person.must_change_password {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "password_change_required",
                "change the one-time password first",
            ));
        }
        Ok(Self { actor: user.actor.clone(), session: Some(user) })
    }
}

/// Somebody signed in who may act as an admin.
#[derive(Debug, Clone)]
pub struct Admin(pub Signed);

impl FromRequestParts<AppState> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let signed = Signed::from_request_parts(parts, state).await?;
        if signed.actor.is(Role::Admin) {
            Ok(Self(signed))
        } else {
            Err(ApiError::forbidden("only an admin may do this"))
        }
    }
}

/// Somebody signed in, looking at pages; everybody else is sent to sign in and back.
#[derive(Debug, Clone)]
pub struct PageUser(pub SessionUser);

impl FromRequestParts<AppState> for PageUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let user = session_user(parts, state).await.map_err(IntoResponse::into_response)?;
        let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        match user {
            None => Err(Redirect::to(&format!("/sign-in?next={}", encode(path))).into_response()),
            Some(user) if user.person.must_change_password && parts.uri.path() != "/password" => {
                Err(Redirect::to("/password").into_response())
            }
            Some(user) => Ok(Self(user)),
        }
    }
}

/// The session behind the request's cookie.
pub async fn session_user(parts: &Parts, state: &AppState) -> Result<Option<SessionUser>, ApiError> {
    let jar = CookieJar::from_headers(&parts.headers);
    let name = cookie_name(state);
    match jar.get(name) {
        Some(cookie) => Ok(people::authenticate_session(&state.app, cookie.value()).await?),
        None => Ok(None),
    }
}

/// The cookie's name under the way we are served.
pub fn cookie_name(state: &AppState) -> &'static str {
    if state.web.is_secure { SECURE_COOKIE } else { PLAIN_COOKIE }
}

fn bearer(parts: &Parts) -> Option<String> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn unauthorized() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", "sign in, or send a valid bearer token")
}

/// Percent-encodes a path for a query value.
pub fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        let detail = error.to_string();
        match error {
            PeopleError::Store(error) => error.into(),
            PeopleError::Password(PasswordError::TooShort) => Self::unprocessable("password_too_short", detail),
            PeopleError::Password(PasswordError::Unchanged) => Self::unprocessable("password_same", detail),
            PeopleError::UserName(_) | PeopleError::Invalid { .. } | PeopleError::Password(_) => {
                Self::unprocessable("invalid_value", detail)
            }
            PeopleError::UserNameTaken(_) => Self::new(StatusCode::CONFLICT, "user_name_taken", detail),
            PeopleError::NoRole => Self::unprocessable("no_role", detail),
            PeopleError::NoSuchPerson(_) => Self::not_found("person"),
            PeopleError::Changed(current) => {
                let revision = current.revision;
                let current = PersonBody::from(*current);
                Self::new(StatusCode::CONFLICT, "conflict", detail)
                    .with(serde_json::json!({ "revision": revision, "current": current }))
            }
            PeopleError::NoSuchUnit(_) => Self::not_found("unit"),
            PeopleError::NoSuchToken(_) => Self::not_found("token"),
            PeopleError::LastAdmin(_) => Self::new(StatusCode::CONFLICT, "last_admin", detail),
            PeopleError::NotAllowed => Self::forbidden(detail),
            PeopleError::TooManyTokens(_) => Self::unprocessable("too_many_tokens", detail),
            PeopleError::Refused => Self::new(StatusCode::UNAUTHORIZED, "sign_in_refused", detail),
            PeopleError::Throttled { .. } => Self::new(StatusCode::TOO_MANY_REQUESTS, "throttled", detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_query_survives_the_way_through_sign_in() {
        assert_eq!(encode("/drafts?state=draft&a=b"), "/drafts%3Fstate%3Ddraft%26a%3Db");
    }
}
