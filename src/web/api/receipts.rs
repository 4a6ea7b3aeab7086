//! `POST /api/v1/receipts`: hand in one or several files.

mod form;

use axum::{
    Json,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use self::form::{Form, Metadata};
use crate::{
    capture::{self, Accepted, Outcome, Spooled},
    domain::{
        capture::Reason,
        sha256::{Sha256, Sha256Stream},
    },
    kill_points,
    store::idempotency::{self, Answered},
    web::{
        api::bodies::CaptureBody,
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// The longest Idempotency-Key, in characters.
const MAX_KEY_CHARS: usize = 200;

/// What became of each file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultsBody {
    /// One result per file, in the order they were sent.
    pub results: Vec<FileResult>,
}

/// What became of one file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileResult {
    /// The file's name as sent.
    pub file: Option<String>,
    /// `created`, or `already_here` for the same bytes or client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// The capture, durable when this is here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<CaptureBody>,
    /// Why this file was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// Hands in receipts: `multipart/form-data` with files and the metadata as fields, or one raw picture with the metadata
/// as query parameters. 201 means durable. The same bytes or client id of the same owner give the earlier capture (200).
#[utoipa::path(post, path = "/api/v1/receipts", operation_id = "create_receipts", tag = "captures", params(Metadata,
        ("Idempotency-Key" = Option<String>, Header, description = "the same key and content give the same answer")),
    request_body(content_type = "multipart/form-data", content = Vec<u8>),
    responses((status = 201, body = ResultsBody), (status = 200, body = ResultsBody), (status = 207, body = ResultsBody),
        (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem), (status = 507, body = Problem)))]
pub async fn create(
    State(state): State<AppState>,
    signed: Signed,
    Query(query): Query<Metadata>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let key = idempotency_key(&headers)?;
    let form = form::read(&state, query, &headers, request).await?;
    if form.files.is_empty() {
        return Err(ApiError::unprocessable(Reason::Empty.as_str(), "no file was sent: add at least one picture"));
    }
    let hash = request_hash(&form);
    if let Some(key) = &key
        && let Some(replayed) = replay(&state, &signed, key, &hash).await?
    {
        return Ok(replayed);
    }
    let results = take_all(&state, &signed, &form).await;
    let (status, is_final) = status_of(&results);
    // A single refused file is simply an error.
    if let ([FileResult { error: Some(problem), .. }], true) = (results.as_slice(), results.len() == 1) {
        return Ok(ApiError(Box::new(problem.clone())).into_response());
    }
    let body = json!(ResultsBody { results });
    if let Some(key) = &key
        && is_final
    {
        let stored = json!({ "status": status.as_u16(), "body": body });
        let mut tx = state.app.db.write().await?;
        let answered = Answered { request_hash: hash, response: stored.to_string(), created_at: state.app.now() };
        idempotency::put(&mut tx, &signed.actor.id, key, &answered).await?;
        tx.commit().await?;
    }
    kill_points::reached("u12");
    if kill_points::halves_answers() {
        let halves = Body::from_stream(kill_points::in_two_halves(body.to_string().into()));
        return Ok((status, [(header::CONTENT_TYPE, "application/json")], halves).into_response());
    }
    Ok((status, Json(body)).into_response())
}

async fn take_all(state: &AppState, signed: &Signed, form: &Form) -> Vec<FileResult> {
    let mut results = Vec::with_capacity(form.files.len());
    for (ordinal, file) in form.files.iter().enumerate() {
        let name = file.name.clone();
        let taken = match &file.spooled {
            Ok(spooled) => take(state, signed, form, ordinal, name.clone(), spooled).await,
            Err(problem) => Err(ApiError(Box::new(problem.clone()))),
        };
        results.push(match taken {
            Ok(accepted) => FileResult {
                file: name,
                outcome: Some(match accepted.outcome {
                    Outcome::Created => "created",
                    Outcome::AlreadyHere => "already_here",
                }),
                capture: Some(CaptureBody::new(&accepted.capture, &accepted.receipts)),
                error: None,
            },
            Err(error) => FileResult { file: name, outcome: None, capture: None, error: Some(*error.0) },
        });
    }
    results
}

async fn take(
    state: &AppState,
    signed: &Signed,
    form: &Form,
    ordinal: usize,
    name: Option<String>,
    spooled: &Spooled,
) -> Result<Accepted, ApiError> {
    let handover = form.metadata.handover(&signed.actor, signed.session.is_some(), ordinal, name)?;
    Ok(capture::accept(&state.app, &signed.actor, &handover, spooled).await?)
}

/// The status of the whole, and whether a retry would give the same.
fn status_of(results: &[FileResult]) -> (StatusCode, bool) {
    let created = results.iter().any(|r| r.outcome == Some("created"));
    let failed = results.iter().filter_map(|r| r.error.as_ref()).collect::<Vec<_>>();
    let is_final = failed.iter().all(|problem| problem.status < 500);
    let status = if failed.is_empty() {
        if created { StatusCode::CREATED } else { StatusCode::OK }
    } else if failed.len() < results.len() {
        StatusCode::MULTI_STATUS
    } else if is_final {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, is_final)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| !text.is_empty() && text.len() <= MAX_KEY_CHARS);
    text.map(|text| Some(text.to_owned()))
        .ok_or_else(|| ApiError::bad_request("`Idempotency-Key` must be 1 to 200 visible ASCII characters"))
}

/// What makes two requests the same: who sent which bytes with which metadata.
fn request_hash(form: &Form) -> Sha256 {
    let mut hash = Sha256Stream::default();
    for file in &form.files {
        match &file.spooled {
            Ok(spooled) => hash.update(spooled.sha256.as_bytes()),
            Err(problem) => hash.update(problem.code.as_bytes()),
        }
        hash.update(file.name.as_deref().unwrap_or_default().as_bytes());
        hash.update(&[0]);
    }
    hash.update(json!(form.metadata).to_string().as_bytes());
    hash.finish()
}

async fn replay(state: &AppState, signed: &Signed, key: &str, hash: &Sha256) -> Result<Option<Response>, ApiError> {
    let mut tx = state.app.db.read().await?;
    let Some(earlier) = idempotency::find(&mut tx, &signed.actor.id, key).await? else { return Ok(None) };
    if earlier.request_hash != *hash {
        return Err(ApiError::unprocessable(
            Reason::IdempotencyConflict.as_str(),
            "this Idempotency-Key was used for other content: send a new key",
        ));
    }
    let stored: serde_json::Value = serde_json::from_str(&earlier.response).unwrap_or_default();
    let status = stored["status"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(200);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok(Some((status, json, stored["body"].to_string()).into_response()))
}
