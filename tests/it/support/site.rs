//! The whole site in-process: requests go through every layer, no socket is opened.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use tower::ServiceExt as _;
use vouch::{
    capture::mail::{PostOffice, webhook::Keys},
    domain::{ids::SessionId, person::Actor, sha256::Sha256},
    people,
    store::sessions::{self, Session},
    web::{
        self,
        state::{AppState, WebSettings},
    },
};

use super::TestApp;

/// Most bytes of an answer.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// The router over a test application.
pub struct Site {
    router: Router,
}

/// How a request proves whose it is.
pub enum Caller {
    /// Not at all.
    Nobody,
    /// With a bearer token.
    Token(String),
    /// With a session cookie and, on changes, the form token.
    Session {
        /// The cookie.
        cookie: String,
        /// The form token.
        csrf: String,
    },
}

/// An answer, read to its end.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

/// The site over `world`, without readers, reached as `http://localhost`.
pub fn site(world: &TestApp) -> Site {
    site_with_keys(world, super::mail::hook_keys())
}

/// The same with other keys of mail providers.
pub fn site_with_keys(world: &TestApp, hooks: Keys) -> Site {
    build(world, hooks, super::office(world))
}

/// The same with another post office.
pub fn site_with_office(world: &TestApp, office: PostOffice) -> Site {
    build(world, super::mail::hook_keys(), office)
}

fn build(world: &TestApp, hooks: Keys, office: PostOffice) -> Site {
    let web = WebSettings {
        external_url: "http://localhost".to_owned(),
        is_secure: false,
        trusted_proxies: Vec::new(),
        local_ca: None,
        time_zone: "Asia/Shanghai".to_owned(),
        hooks,
        mail_doors: Vec::new(),
    };
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    Site { router: web::router(AppState { app: world.app.clone(), pool: None, web: Arc::new(web), office, metrics }) }
}

impl Site {
    /// Sends a request and reads the answer.
    pub async fn send(&self, caller: &Caller, method: Method, path: &str, kind: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request = match caller {
            Caller::Nobody => request,
            Caller::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Caller::Session { cookie, .. } => request.header(header::COOKIE, cookie),
        };
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MAX_ANSWER).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Caller {
    /// `who` with an API token.
    pub async fn token(world: &TestApp, who: &Actor) -> Self {
        let issued = people::create_token(&world.app, None, &who.id, "test", None).await.unwrap();
        Self::Token(issued.text.reveal().to_owned())
    }

    /// `who` with a session, stored as signing in stores it.
    pub async fn session(world: &TestApp, who: &Actor) -> Self {
        let id = world.app.id::<SessionId>();
        // A secret has 43 characters, an id 36.
        let secret = format!("{id}session");
        let csrf = format!("form-token-{id}");
        let now = world.app.now();
        let session = Session {
            id,
            person_id: who.id.clone(),
            csrf: csrf.clone(),
            created_at: now,
            last_seen_at: now,
            expires_at: now.plus(people::SESSION_IDLE),
        };
        let mut tx = world.app.db.write().await.unwrap();
        sessions::create(&mut tx, &session, Sha256::of(secret.as_bytes())).await.unwrap();
        tx.commit().await.unwrap();
        Self::Session { cookie: format!("vouch={secret}"), csrf }
    }
}
