//! Errors as `application/problem+json` (RFC 9457) with a stable `code`.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    capture::{
        CaptureError,
        mail::{addresses::AddressError, links::LinkError, quarantine::QuarantineError},
    },
    domain::{capture::Reason, draft::TransitionError, policy::ConfirmRefusal},
    findings::RecordError,
    objects::ObjectError,
    organisation::OrganisationError,
    review::ReviewError,
    store::StoreError,
    visits::{ImportError, VisitError},
    web::api::{customers::CustomerBody, visits::VisitBody},
};

/// Seconds a client should wait before trying again when a part of us is away.
const RETRY_AFTER_SECONDS: u32 = 5;

/// A problem as sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`; `code` tells problems apart.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Stable code for programs.
    pub code: &'static str,
    /// What happened, on which thing, and what to do; for people.
    pub detail: String,
    /// What else a program needs, e.g. the current revision after a conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<serde_json::Value>,
}

/// An error of an endpoint.
#[derive(Debug, Clone)]
pub struct ApiError(pub Box<Problem>);

impl ApiError {
    /// A problem with a status, a stable code and words for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            extra: None,
        }))
    }

    /// With what a program needs besides.
    pub fn with(mut self, extra: serde_json::Value) -> Self {
        self.0.extra = Some(extra);
        self
    }

    /// Not there, or not theirs to see.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such {what}"))
    }

    /// Seen, but not allowed.
    pub fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", why)
    }

    /// The request cannot be understood.
    pub fn bad_request(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", why)
    }

    /// Understood, but not acceptable.
    pub fn unprocessable(code: &'static str, why: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, why)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn unavailable(what: &'static str, cause: &dyn std::fmt::Display) -> Self {
        tracing::warn!("{what} unavailable: {cause}");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            what,
            "storage is not available right now; nothing was lost, please try again in a moment",
        )
    }

    fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!("Internal error: {cause}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong here; it is in the log, and nothing was changed",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let comes_back =
            [StatusCode::SERVICE_UNAVAILABLE, StatusCode::INSUFFICIENT_STORAGE, StatusCode::TOO_MANY_REQUESTS];
        if comes_back.contains(&status) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if error.is_transient() { Self::unavailable("database_unavailable", &error) } else { Self::internal(&error) }
    }
}

impl From<AddressError> for ApiError {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::NoSuchVisit(_) => Self::not_found("visit"),
            AddressError::NoSuchAddress(_) => Self::not_found("mail address"),
            AddressError::Store(error) => error.into(),
        }
    }
}

impl From<QuarantineError> for ApiError {
    fn from(error: QuarantineError) -> Self {
        match error {
            QuarantineError::NoSuchMessage(_) => Self::not_found("message"),
            QuarantineError::NotWaiting(_) => Self::new(StatusCode::CONFLICT, "not_waiting", error.to_string()),
            QuarantineError::Store(error) => error.into(),
        }
    }
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::NotAllowed(_) => Self::forbidden(error.to_string()),
            LinkError::NoSuchLink => Self::not_found("link"),
            LinkError::Failed(_) => Self::new(StatusCode::BAD_GATEWAY, "link_failed", error.to_string()),
            LinkError::NotADocument(_) => Self::unprocessable("not_a_document", error.to_string()),
            LinkError::Message(error) => error.into(),
            LinkError::Capture(error) => error.into(),
            LinkError::Store(error) => error.into(),
        }
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        match &error {
            ObjectError::Unavailable { .. } | ObjectError::Refused { .. } => {
                Self::unavailable("object_storage_unavailable", &error)
            }
            ObjectError::Missing { .. } => Self::not_found("object"),
            ObjectError::Damaged { .. }
            | ObjectError::AlreadyExists { .. }
            | ObjectError::TooLarge { .. }
            | ObjectError::Source { .. } => Self::internal(&error),
        }
    }
}

/// The HTTP status a document's refusal maps to.
pub fn status_of(reason: Reason) -> StatusCode {
    match reason {
        Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Reason::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Reason::Empty
        | Reason::PasswordNeeded
        | Reason::XmlDtdForbidden
        | Reason::ArchiveLimits
        | Reason::MimeLimits
        | Reason::SenderDoubted
        | Reason::AutomaticMail
        | Reason::PixelsExceeded
        | Reason::PagesExceeded
        | Reason::TooManyFiles
        | Reason::Undecodable
        | Reason::IdempotencyConflict
        | Reason::ReaderCrashed
        | Reason::ReaderTimeout
        | Reason::ReaderMemory
        | Reason::ProtocolViolation
        | Reason::RecognitionFailed
        | Reason::ObjectDamaged
        | Reason::ObjectMissing
        | Reason::AlreadyFiled
        | Reason::AttemptsExhausted => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<CaptureError> for ApiError {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Refused { reason, detail } => Self::new(status_of(reason), reason.as_str(), detail),
            CaptureError::Interrupted(_) => Self::bad_request(error.to_string()),
            CaptureError::NotOnBehalf(_) => Self::forbidden(error.to_string()),
            CaptureError::UnknownVisit(_) => Self::unprocessable("unknown_visit", error.to_string()),
            CaptureError::TooLong { .. } => Self::unprocessable("text_too_long", error.to_string()),
            CaptureError::DiskFull { .. } => {
                tracing::warn!("Refused an upload: {error}");
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", error.to_string())
            }
            CaptureError::Spool(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                tracing::warn!("Refused an upload: {error}");
                let detail = "the disk is full: nothing was taken; make room on the disk of the data directory";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail)
            }
            CaptureError::Spool(error) => Self::unavailable("spool_unavailable", &error),
            // Whatever storage said, the sender keeps the bytes and tries again.
            CaptureError::Objects(error) => Self::unavailable("object_storage_unavailable", &error),
            CaptureError::Store(error) => error.into(),
        }
    }
}

impl From<ReviewError> for ApiError {
    fn from(error: ReviewError) -> Self {
        let detail = error.to_string();
        match error {
            ReviewError::NoSuchDraft(_) => Self::not_found("draft"),
            ReviewError::NoSuchCapture(_) => Self::not_found("capture"),
            ReviewError::NoSuchJob(_) => Self::not_found("job"),
            ReviewError::Forbidden(why) => Self::forbidden(why),
            ReviewError::Conflict { state, revision } => Self::new(StatusCode::CONFLICT, "conflict", detail)
                .with(json!({ "state": state, "revision": revision })),
            ReviewError::Transition(cause) => match cause {
                TransitionError::ReasonMissing { .. } => Self::unprocessable("reason_missing", detail),
                TransitionError::IntoItself => Self::unprocessable("into_itself", detail),
                TransitionError::Illegal { state, .. } => {
                    Self::new(StatusCode::CONFLICT, "illegal_transition", detail).with(json!({ "state": state }))
                }
                TransitionError::Touched => Self::new(StatusCode::CONFLICT, "touched", detail),
            },
            ReviewError::Field(_) | ReviewError::Money(_) => Self::unprocessable("invalid_value", detail),
            ReviewError::Missing(keys) => Self::unprocessable("fields_missing", detail).with(json!({ "fields": keys })),
            ReviewError::Refused(ConfirmRefusal::Own) => Self::forbidden(detail),
            ReviewError::Refused(ConfirmRefusal::VisitUndecided) => Self::unprocessable("visit_undecided", detail),
            ReviewError::Refused(ConfirmRefusal::OnlySupports(_)) => Self::unprocessable("only_supports", detail),
            ReviewError::UnknownCategory(_) => Self::unprocessable("unknown_category", detail),
            ReviewError::UnknownVisit(_) => Self::unprocessable("unknown_visit", detail),
            ReviewError::NotProposed => Self::new(StatusCode::CONFLICT, "not_proposed", detail),
            ReviewError::AlreadyExported => Self::new(StatusCode::CONFLICT, "already_exported", detail),
            ReviewError::Store(error) => error.into(),
        }
    }
}

impl From<OrganisationError> for ApiError {
    fn from(error: OrganisationError) -> Self {
        let detail = error.to_string();
        match error {
            OrganisationError::Store(error) => error.into(),
            OrganisationError::NotAllowed => Self::forbidden(detail),
            OrganisationError::Invalid { .. } | OrganisationError::NamedTwice(_) => {
                Self::unprocessable("invalid_value", detail)
            }
            OrganisationError::CodeTaken(_) => Self::new(StatusCode::CONFLICT, "name_taken", detail),
            OrganisationError::NoSuchCategory(_) => Self::not_found("category"),
            OrganisationError::NoSuchEntity(_) => Self::not_found("legal entity"),
            OrganisationError::NoSuchUnit(_) => Self::not_found("unit"),
            OrganisationError::Circle => Self::unprocessable("circle", detail),
        }
    }
}

impl From<VisitError> for ApiError {
    fn from(error: VisitError) -> Self {
        let detail = error.to_string();
        match error {
            VisitError::Store(error) => error.into(),
            VisitError::Invalid { .. } => Self::unprocessable("invalid_value", detail),
            VisitError::EndsFirst => Self::unprocessable("ends_first", detail),
            VisitError::NoSuchCustomer(_) => Self::not_found("customer"),
            VisitError::NoSuchVisit(_) => Self::not_found("visit"),
            VisitError::CustomerChanged(current) => {
                let revision = current.revision;
                let current = CustomerBody::from(*current);
                Self::new(StatusCode::CONFLICT, "conflict", detail)
                    .with(json!({ "revision": revision, "current": current }))
            }
            VisitError::VisitChanged(current) => {
                let revision = current.revision;
                let current = VisitBody::from(*current);
                Self::new(StatusCode::CONFLICT, "conflict", detail)
                    .with(json!({ "revision": revision, "current": current }))
            }
            VisitError::NoSuchOwner(_) => Self::unprocessable("unknown_person", detail),
            VisitError::NotAllowed => Self::forbidden(detail),
        }
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        let detail = error.to_string();
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::NotAllowed => Self::forbidden(detail),
            ImportError::TooLarge => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
            ImportError::TooManyRows
            | ImportError::NotUtf8
            | ImportError::MissingColumn(_)
            | ImportError::UnknownColumn(_) => Self::unprocessable("invalid_csv", detail),
        }
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> Self {
        let detail = error.to_string();
        match error {
            RecordError::Store(error) => error.into(),
            RecordError::Forbidden | RecordError::Own => Self::forbidden(detail),
            RecordError::NoNumber => Self::unprocessable("no_invoice_number", detail),
            RecordError::TooMany => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
            RecordError::Line { .. } => Self::unprocessable("invalid_csv", detail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_status_http_has_for_them() {
        assert_eq!(status_of(Reason::TooLarge), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(status_of(Reason::PixelsExceeded), StatusCode::UNPROCESSABLE_ENTITY);
        let error = ApiError::from(CaptureError::refused(Reason::UnsupportedType, "no"));
        assert_eq!((error.0.status, error.0.code), (415, "unsupported_type"));
    }
}
