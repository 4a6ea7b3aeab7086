//! HTTP: the JSON API, the server-rendered pages, their assets and their words. See ARCHITECTURE.md.

pub mod api;
pub mod assets;
pub mod auth;
pub mod handlers;
mod health;
mod hooks;
pub mod i18n;
pub mod pages;
pub mod problem;
pub mod proxy;
pub mod state;
pub mod tls;
mod unread;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path},
    http::{HeaderName, HeaderValue, Request, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate as _, SizeAbove},
    },
    limit::RequestBodyLimitLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use self::{problem::ApiError, state::AppState};

/// Scripts, styles and pictures come from here only; nothing is embedded anywhere; forms go home.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
     connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
     manifest-src 'self'; worker-src 'self'";

/// Room for form boundaries and fields beside the files.
const FORM_OVERHEAD_BYTES: usize = 1024 * 1024;
/// The longest a request may take. Uploads over a slow phone line: 32 MB at 60 kB/s.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(600);

/// The whole site.
pub fn router(state: AppState) -> Router {
    let limits = state.app.limits;
    let body_limit = limits.max_bytes as usize * limits.max_files as usize + FORM_OVERHEAD_BYTES;
    let (api, document) = api::router().split_for_parts();
    let document = describe(document);
    let api = api
        .route("/api/v1/openapi.json", get(move || async move { Json(document) }))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let request_id = HeaderName::from_static("x-request-id");
    Router::new()
        .merge(api)
        .merge(handlers::router())
        .merge(health::router())
        .merge(hooks::router(limits.max_bytes))
        .route("/assets/{hash}/{*name}", get(asset))
        .fallback(handlers::not_found)
        .with_state(state)
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(body_limit))
        .layer(middleware::from_fn(move |request, next| unread::answer_early(body_limit as u64, request, next)))
        // Pictures and originals are compressed already.
        .layer(
            CompressionLayer::new().compress_when(
                SizeAbove::new(1024)
                    .and(NotForContentType::IMAGES)
                    .and(NotForContentType::const_new("application/octet-stream")),
            ),
        )
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::custom(|_| {
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "something went wrong here; nothing was changed",
            )
            .into_response()
        }))
        .layer(header("content-security-policy", CONTENT_SECURITY_POLICY))
        .layer(header("x-content-type-options", "nosniff"))
        .layer(header("referrer-policy", "no-referrer"))
        .layer(header("x-frame-options", "DENY"))
        .layer(header("cross-origin-opener-policy", "same-origin"))
        .layer(header("permissions-policy", "camera=(self), geolocation=(self)"))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
            // The path only: queries may hold what people search for.
            tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
        }))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
}

fn header(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    match assets::find(&hash, &name) {
        Some(asset) => (
            [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, asset.cache_control.to_owned())],
            asset.bytes.into_owned(),
        )
            .into_response(),
        None => ApiError::not_found("file").into_response(),
    }
}

fn describe(document: OpenApi) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Vouch")
        .version("1")
        .description(Some("Receipts in, expense drafts a person vouches for. Errors are application/problem+json with a stable `code`."))
        .build();
    OpenApiBuilder::from(document).info(info).build()
}

/// The OpenAPI document as text, for `vouch openapi` and the committed copy.
pub fn openapi_json() -> serde_json::Result<String> {
    let (_, document) = api::router().split_for_parts();
    serde_json::to_string_pretty(&describe(document))
}
