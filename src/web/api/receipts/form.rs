//! The request body: files spooled as they come, metadata from fields or the query.

use std::io;

use axum::{
    extract::{FromRequest as _, Multipart, Request, multipart::Field},
    http::{HeaderMap, header},
};
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::{
    capture::{self, Handover, Spooled},
    domain::{
        capture::{Channel, Reason},
        ids::{PersonId, VisitId},
        person::Actor,
        time::CapturedAt,
        visit::VisitChoice,
    },
    web::{
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// The most bytes of one metadata field.
const MAX_FIELD_BYTES: usize = 16 * 1024;
/// The most metadata fields of one request.
const MAX_FIELDS: u32 = 50;

/// What the sender says about the files.
#[derive(Debug, Clone, Default, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct Metadata {
    /// The sender's own id; of several files, the second gets `<id>/1` and so on.
    pub client_id: Option<String>,
    /// When the picture was taken, RFC 3339 with the phone's offset.
    pub captured_at: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// A note for the reviewer.
    pub note: Option<String>,
    /// The visit it was for.
    #[param(value_type = Option<String>)]
    pub visit_id: Option<VisitId>,
    /// Explicitly for no visit.
    pub no_visit: Option<bool>,
    /// Whose receipts these are, when not the caller's.
    #[param(value_type = Option<String>)]
    pub on_behalf_of: Option<PersonId>,
    /// Name of a raw body.
    pub file_name: Option<String>,
}

/// A file of the request.
pub struct FormFile {
    /// As sent.
    pub name: Option<String>,
    /// On local disk, or why it was refused.
    pub spooled: Result<Spooled, Problem>,
}

/// A request understood.
pub struct Form {
    /// Metadata for all files.
    pub metadata: Metadata,
    /// Files in order.
    pub files: Vec<FormFile>,
}

/// Reads the body, spooling files to disk. Fields may come before or after files.
pub async fn read(state: &AppState, query: Metadata, headers: &HeaderMap, request: Request) -> Result<Form, ApiError> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    let mut form = Form { metadata: query, files: Vec::new() };
    if !is_form {
        let body = request.into_body().into_data_stream();
        let spooled = capture::spool(&state.app.spool, &state.app.limits, body).await;
        form.files.push(FormFile { name: form.metadata.file_name.clone(), spooled: keep_refusal(spooled)? });
        return Ok(form);
    }
    let mut multipart =
        Multipart::from_request(request, &()).await.map_err(|error| ApiError::bad_request(error.body_text()))?;
    let mut fields = 0;
    while let Some(field) = multipart.next_field().await.map_err(|error| broken(&error))? {
        if field.file_name().is_some() {
            if form.files.len() >= state.app.limits.max_files as usize {
                return Err(ApiError::unprocessable(
                    Reason::TooManyFiles.as_str(),
                    format!(
                        "at most {} files fit in one request: send the others in another",
                        state.app.limits.max_files
                    ),
                ));
            }
            form.files.push(file(state, field).await?);
        } else {
            fields += 1;
            if fields > MAX_FIELDS {
                return Err(ApiError::bad_request("too many form fields"));
            }
            let name = field.name().unwrap_or_default().to_owned();
            set(&mut form.metadata, &name, text(field).await?)?;
        }
    }
    Ok(form)
}

async fn file(state: &AppState, field: Field<'_>) -> Result<FormFile, ApiError> {
    let name = field.file_name().map(str::to_owned).filter(|name| !name.is_empty());
    let stream = field.map_err(io::Error::other);
    let spooled = capture::spool(&state.app.spool, &state.app.limits, Box::pin(stream)).await;
    Ok(FormFile { name, spooled: keep_refusal(spooled)? })
}

/// A refused file is its own result; a broken connection or full disk ends the request.
fn keep_refusal(spooled: Result<Spooled, capture::CaptureError>) -> Result<Result<Spooled, Problem>, ApiError> {
    match spooled {
        Ok(spooled) => Ok(Ok(spooled)),
        Err(error @ capture::CaptureError::Refused { .. }) => Ok(Err(*ApiError::from(error).0)),
        Err(error) => Err(error.into()),
    }
}

async fn text(mut field: Field<'_>) -> Result<String, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_FIELD_BYTES {
            return Err(ApiError::bad_request(format!("a form field is longer than {MAX_FIELD_BYTES} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| ApiError::bad_request("a form field is not UTF-8"))
}

fn broken(error: &axum::extract::multipart::MultipartError) -> ApiError {
    ApiError::new(error.status(), "broken_form", error.body_text())
}

fn set(metadata: &mut Metadata, name: &str, value: String) -> Result<(), ApiError> {
    let bad = |error: &dyn std::fmt::Display| ApiError::bad_request(format!("form field `{name}`: {error}"));
    let some = Some(value.clone()).filter(|v| !v.is_empty());
    match name {
        "client_id" => metadata.client_id = some,
        "captured_at" => metadata.captured_at = some,
        "place" => metadata.place = some,
        "note" => metadata.note = some,
        "visit_id" => metadata.visit_id = some.map(|v| v.parse()).transpose().map_err(|e| bad(&e))?,
        "no_visit" => {
            metadata.no_visit = match value.as_str() {
                "true" | "1" | "on" => Some(true),
                "false" | "0" | "" => Some(false),
                _ => return Err(bad(&"write `true` or `false`")),
            }
        }
        "on_behalf_of" => metadata.on_behalf_of = some.map(|v| v.parse()).transpose().map_err(|e| bad(&e))?,
        // The form token travels with page forms.
        "csrf" => {}
        _ => {
            let known = "client_id, captured_at, place, note, visit_id, no_visit, on_behalf_of";
            return Err(ApiError::bad_request(format!("unknown form field `{name}`: known are {known}")));
        }
    }
    Ok(())
}

impl Metadata {
    /// The handover of the file at `ordinal`.
    pub fn handover(
        &self,
        actor: &Actor,
        from_page: bool,
        ordinal: usize,
        file_name: Option<String>,
    ) -> Result<Handover, ApiError> {
        let captured_at = self
            .captured_at
            .as_deref()
            .map(CapturedAt::parse)
            .transpose()
            .map_err(|error| ApiError::bad_request(format!("`captured_at` is not RFC 3339: {error}")))?;
        let visit = match (&self.visit_id, self.no_visit) {
            (Some(id), _) => VisitChoice::Visit(id.clone()),
            (None, Some(true)) => VisitChoice::NoVisit,
            (None, Some(false) | None) => VisitChoice::Undecided,
        };
        let client_id =
            self.client_id.as_ref().map(|id| if ordinal == 0 { id.clone() } else { format!("{id}/{ordinal}") });
        Ok(Handover {
            owner: self.on_behalf_of.clone().unwrap_or_else(|| actor.id.clone()),
            channel: if from_page { Channel::Page } else { Channel::Api },
            client_id,
            captured_at,
            place: self.place.clone(),
            note: self.note.clone(),
            visit,
            file_name,
        })
    }
}
