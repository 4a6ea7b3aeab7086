//! What every page handler starts from: who is looking, the frame around the page, the form they sent.

use askama::Template;
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};

use crate::{
    domain::person::{Actor, Language},
    people::{self, SessionUser},
    web::{
        auth::{self, PageUser},
        i18n,
        pages::{Shell, Viewer, error::ErrorPage, shell::Problem},
        problem::ApiError,
        state::AppState,
    },
};

/// The most bytes of a posted form; files go through the capture handler.
const MAX_FORM_BYTES: usize = 256 * 1024;

/// A signed-in person looking at a page.
pub struct Frame {
    /// Who, with their session.
    pub user: SessionUser,
    /// Around the page.
    pub shell: Shell,
    parts: Parts,
    state: AppState,
}

impl Frame {
    /// Who, as use cases see them.
    pub fn actor(&self) -> &Actor {
        &self.user.actor
    }

    /// The page as an answer.
    pub fn render(&self, page: &impl Template) -> Response {
        render(StatusCode::OK, page)
    }

    /// The error as a page in the person's language.
    pub async fn fail(&self, error: impl Into<ApiError>) -> Response {
        error_page(&self.state, &self.parts, error.into()).await
    }
}

/// An error that is already a page.
pub type PageError = Response;

impl FromRequestParts<AppState> for Frame {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let PageUser(user) = PageUser::from_request_parts(parts, state).await?;
        let shell = shell(state, parts, Some(&user));
        Ok(Self { user, shell, parts: parts.clone(), state: state.clone() })
    }
}

/// A posted form of a signed-in person, its form token checked.
pub struct PageForm {
    /// Who posted it.
    pub frame: Frame,
    values: Vec<(String, String)>,
}

impl PageForm {
    /// The first value under `name`; empty when absent.
    pub fn get(&self, name: &str) -> &str {
        self.values.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether there is a value under `name`.
    pub fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(key, _)| key == name)
    }

    /// All values under `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl FromRequest<AppState> for PageForm {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let frame = Frame::from_request_parts(&mut parts, state).await?;
        let values = match read_form(&parts, body).await {
            Ok(values) => values,
            Err(error) => return Err(frame.fail(error).await),
        };
        let form = Self { frame, values };
        if people::is_csrf_token(&form.frame.user.session, form.get("csrf")) {
            Ok(form)
        } else {
            let problem =
                ApiError::new(StatusCode::FORBIDDEN, "csrf", "the form is too old: reload the page and try again");
            Err(form.frame.fail(problem).await)
        }
    }
}

/// The pairs of an urlencoded body.
pub async fn read_form(parts: &Parts, body: axum::body::Body) -> Result<Vec<(String, String)>, ApiError> {
    if !is_same_origin(parts) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "csrf", "the form came from another site"));
    }
    let bytes = axum::body::to_bytes(body, MAX_FORM_BYTES)
        .await
        .map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "form_too_large", "the form is too large"))?;
    Ok(form_pairs(&bytes))
}

/// Pairs of `application/x-www-form-urlencoded` bytes.
fn form_pairs(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Browsers say where a form comes from; a form from elsewhere is refused even where no session is at stake yet (sign-in).
fn is_same_origin(parts: &Parts) -> bool {
    match parts.headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()) {
        Some(site) => matches!(site, "same-origin" | "none"),
        // Old browsers and scripts do not say; the form token decides.
        None => true,
    }
}

/// The frame for anybody.
pub fn shell(state: &AppState, parts: &Parts, user: Option<&SessionUser>) -> Shell {
    Shell {
        lang: user.map_or_else(|| negotiated(parts), |user| user.person.language),
        csrf: user.map(|user| user.session.csrf.clone()).unwrap_or_default(),
        viewer: user.map(|user| Viewer { name: user.person.display_name.clone(), roles: user.actor.roles.clone() }),
        path: parts.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        now: state.app.now(),
        zone: state.web.time_zone.clone(),
        notices: Vec::new(),
    }
}

/// The cookie that keeps the language of people who are not signed in.
pub const LANGUAGE_COOKIE: &str = "vouch-language";

fn negotiated(parts: &Parts) -> Language {
    let jar = axum_extra::extract::CookieJar::from_headers(&parts.headers);
    let chosen = jar.get(LANGUAGE_COOKIE).and_then(|cookie| cookie.value().parse().ok());
    let wished = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    chosen.unwrap_or_else(|| i18n::negotiate(wished))
}

/// Renders a page; a template that cannot render is a bug and answers 500.
pub fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let headers = [(header::CACHE_CONTROL, "no-store")];
            (status, headers, Html(html)).into_response()
        }
        Err(error) => {
            tracing::error!("A page could not be rendered: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An error as a page.
pub async fn error_page(state: &AppState, parts: &Parts, error: ApiError) -> Response {
    let user = auth::session_user(parts, state).await.ok().flatten();
    let status = error.status();
    let page = ErrorPage {
        shell: shell(state, parts, user.as_ref()),
        status: error.0.status,
        problem: shown(&error),
        request_id: parts.headers.get("x-request-id").and_then(|v| v.to_str().ok()).map(str::to_owned),
    };
    render(status, &page)
}

/// The error as pages show it.
pub fn shown(error: &ApiError) -> Problem {
    Problem { code: error.0.code.to_owned(), detail: error.0.detail.clone() }
}

/// A path within this site, or `/`: what people may be sent back to.
pub fn local_path(next: &str) -> &str {
    let is_local = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if is_local { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(local_path("/drafts/1?x=y"), "/drafts/1?x=y");
        for next in ["//evil.example", "https://evil.example", "/\\evil.example", "", "javascript:alert(1)"] {
            assert_eq!(local_path(next), "/", "{next}");
        }
    }
}
