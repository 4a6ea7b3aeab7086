//! `/hooks/mail/…`: providers post mail here. An answer of 2xx means the message is durable.
//!
//! Nobody signs in; each provider proves itself with its key. Providers send again after 5xx, and give up after 4xx.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};

use super::{problem::ApiError, state::AppState};
use crate::{
    capture::{
        CaptureError,
        mail::webhook::{self, HookError, Sns},
    },
    domain::sha256::Sha256,
};

/// JSON carries a message with escapes and base64: up to half as much again, and a little for the rest.
const OVERHEAD_BYTES: usize = 1024 * 1024;
/// Fields of a posted form.
const MAX_FIELDS: usize = 100;
/// How long Amazon may take to give a certificate or to hear a confirmation.
const FETCH_TIME: Duration = Duration::from_secs(10);
/// A certificate is a few KiB.
const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

/// The addresses providers post to.
pub fn router(max_bytes: u64) -> Router<AppState> {
    let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX / 4) / 2 * 3 + OVERHEAD_BYTES;
    Router::new()
        // Mailgun posts raw messages to addresses that end so, and only to these.
        .route("/hooks/mail/mailgun/mime", post(mailgun))
        .route("/hooks/mail/postmark", post(postmark))
        .route("/hooks/mail/sendgrid", post(sendgrid))
        .route("/hooks/mail/ses", post(ses))
        .layer(DefaultBodyLimit::max(limit))
}

/// An answer to a provider.
struct HookAnswer(Result<(), HookError>);

impl IntoResponse for HookAnswer {
    fn into_response(self) -> Response {
        let error = match self.0 {
            Ok(()) => return StatusCode::NO_CONTENT.into_response(),
            Err(error) => error,
        };
        match error {
            HookError::Off => ApiError::not_found("address").into_response(),
            HookError::Forged | HookError::Replayed => {
                tracing::warn!("A webhook delivery was refused: {error}");
                ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", error.to_string()).into_response()
            }
            HookError::Unusable(_) => {
                tracing::warn!("A webhook delivery was refused: {error}");
                ApiError::unprocessable("unusable", error.to_string()).into_response()
            }
            // 406 tells Mailgun, and any 4xx the others, that another attempt is of no use.
            HookError::NoSuchAddress => {
                ApiError::new(StatusCode::NOT_ACCEPTABLE, "no_such_address", error.to_string()).into_response()
            }
            // The provider's upload came whole: what broke off is ours or Amazon's, and 4xx would make it give up.
            HookError::Capture(CaptureError::Interrupted(text)) => {
                tracing::warn!("A webhook delivery could not be kept and will come again: {text}");
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "try_again", text).into_response()
            }
            HookError::Capture(error) => ApiError::from(error).into_response(),
            HookError::Store(error) => ApiError::from(error).into_response(),
        }
    }
}

async fn mailgun(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> HookAnswer {
    HookAnswer(take_mailgun(&state, &headers, body).await)
}

async fn take_mailgun(state: &AppState, headers: &HeaderMap, body: Bytes) -> Result<(), HookError> {
    let fields = fields(headers, body).await?;
    let (posted, token) = webhook::mailgun(&state.web.hooks, &fields, state.app.now())?;
    state.office.remember("mailgun", &token, &posted.raw).await?;
    state.office.take_posted(&posted).await.map(drop)
}

async fn postmark(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> HookAnswer {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let taken = async {
        let posted = webhook::postmark(&state.web.hooks, authorization, &body)?;
        state.office.take_posted(&posted).await.map(drop)
    };
    HookAnswer(taken.await)
}

async fn sendgrid(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> HookAnswer {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let timestamp = header("x-twilio-email-event-webhook-timestamp");
    let signature = header("x-twilio-email-event-webhook-signature");
    let checked = webhook::check_sendgrid(&state.web.hooks, timestamp, signature, &body, state.app.now());
    let taken = async {
        checked?;
        let posted = webhook::sendgrid(&fields(&headers, body).await?)?;
        state.office.take_posted(&posted).await.map(drop)
    };
    HookAnswer(taken.await)
}

async fn ses(State(state): State<AppState>, body: Bytes) -> HookAnswer {
    HookAnswer(take_ses(&state, &body).await)
}

async fn take_ses(state: &AppState, body: &[u8]) -> Result<(), HookError> {
    let sns = Sns::parse(body)?;
    // Before anything is fetched: only from Amazon, only for topics of ours.
    let is_ours = state.web.hooks.ses_topics.contains(&sns.topic_arn);
    if !is_ours || !webhook::is_certificate_url(&sns.signing_cert_url) {
        return Err(if state.web.hooks.ses_topics.is_empty() { HookError::Off } else { HookError::Forged });
    }
    let keys = &state.web.hooks;
    let known = keys.certificates.get(&sns.signing_cert_url);
    let der = if let Some(der) = known {
        der
    } else {
        let pem = fetch(&sns.signing_cert_url).await?;
        webhook::certificate_of(&pem).ok_or(HookError::Forged)?
    };
    webhook::verify_sns(keys, &sns, &der, state.app.now())?;
    // Only one that has proved something: addresses that never signed cannot push others out.
    keys.certificates.keep(&sns.signing_cert_url, &der);
    if sns.kind == "SubscriptionConfirmation" {
        let url = sns.subscribe_url.filter(|url| webhook::is_subscribe_url(url)).ok_or(HookError::Forged)?;
        fetch(&url).await?;
        tracing::info!(topic.hash = %Sha256::of(sns.topic_arn.as_bytes()), "Confirmed a subscription to an SNS topic");
        return Ok(());
    }
    let posted = webhook::ses(&sns.message)?.complete(keys, state.app.limits.max_bytes).await?;
    state.office.take_posted(&posted).await.map(drop)
}

/// What Amazon serves at an address that was checked to be Amazon's.
async fn fetch(url: &str) -> Result<Vec<u8>, HookError> {
    let away = |error: reqwest::Error| {
        HookError::Capture(CaptureError::Interrupted(format!("Amazon did not answer: {error}")))
    };
    let client = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(FETCH_TIME)
        .build()
        .map_err(away)?;
    let mut answer = client.get(url).send().await.map_err(away)?.error_for_status().map_err(away)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        if bytes.len() + chunk.len() > MAX_CERTIFICATE_BYTES {
            return Err(HookError::Unusable("Amazon's answer is too large"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The fields of a form of either kind, the first of each name.
async fn fields(headers: &HeaderMap, body: Bytes) -> Result<BTreeMap<String, Vec<u8>>, HookError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut fields = BTreeMap::new();
    let Ok(boundary) = multer::parse_boundary(kind) else {
        for (name, value) in form_urlencoded::parse(&body).take(MAX_FIELDS) {
            fields.entry(name.into_owned()).or_insert_with(|| value.into_owned().into_bytes());
        }
        return Ok(fields);
    };
    let broken = |_| HookError::Unusable("the form is broken");
    let mut form = multer::Multipart::new(Body::from(body).into_data_stream(), boundary);
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if fields.len() >= MAX_FIELDS {
            return Err(HookError::Unusable("the form has too many fields"));
        }
        let Some(name) = field.name().map(str::to_owned) else { continue };
        let value = field.bytes().await.map_err(broken)?;
        fields.entry(name).or_insert_with(|| value.to_vec());
    }
    Ok(fields)
}
