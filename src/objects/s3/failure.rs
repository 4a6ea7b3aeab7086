//! What a server or the way to it did wrong, in our words.

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

use super::ObjectError;

/// The parts of an SDK error that decide what to do about it.
#[derive(Debug)]
pub(super) struct Failure {
    code: String,
    status: u16,
    reason: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answered,
    TimedOut,
    Unreachable,
}

impl Failure {
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let (kind, code, message) = match error {
            SdkError::ServiceError(service) => (Kind::Answered, service.err().code(), service.err().message()),
            SdkError::TimeoutError(_) => (Kind::TimedOut, None, None),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => (Kind::TimedOut, None, None),
            SdkError::DispatchFailure(_) => (Kind::Unreachable, None, None),
            // Construction, an answer that is not S3, and whatever the SDK adds.
            _ => (Kind::Answered, None, None),
        };
        let code = code.unwrap_or_default().to_owned();
        let reason = match (code.as_str(), message) {
            ("", _) if status == 0 => one_line(&DisplayErrorContext(error).to_string()),
            ("", _) => format!("answer {status}"),
            (code, Some(message)) => format!("{code} ({status}): {}", one_line(message)),
            (code, None) => format!("{code} ({status})"),
        };
        Self { code, status, reason, kind }
    }

    pub(super) fn from_text(reason: &str) -> Self {
        Self { code: String::new(), status: 0, reason: reason.to_owned(), kind: Kind::Answered }
    }

    /// The bucket is there, the object is not. HEAD has no body, so there a bare 404 counts.
    pub(super) fn is_missing_object(&self) -> bool {
        self.status == 404 && matches!(self.code.as_str(), "" | "NoSuchKey" | "NotFound")
    }

    /// `If-None-Match: *` found something.
    pub(super) fn is_existing_object(&self) -> bool {
        self.status == 412
    }

    /// The server does not know a header or operation.
    pub(super) fn is_unsupported(&self) -> bool {
        self.status == 501 || self.code == "NotImplemented"
    }

    pub(super) fn into_error(self, operation: String) -> ObjectError {
        let reason = self.reason;
        let refused = |hint| Some(ObjectError::Refused { operation: operation.clone(), reason: reason.clone(), hint });
        let by_code = match self.code.as_str() {
            "NoSuchBucket" => refused("create the bucket, or correct `objects.s3.bucket`"),
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken" | "NotSignedUp" => {
                refused("check the access key, its secret and `objects.s3.region`")
            }
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => {
                refused("let this access key get, put, delete and list objects in the bucket")
            }
            "RequestTimeTooSkewed" => refused("set this machine's clock: it differs from the server's by minutes"),
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                refused("correct `objects.s3.region` and `objects.s3.endpoint`: the bucket lives elsewhere")
            }
            _ => None,
        };
        let by_status = match self.status {
            301 | 307 => refused("correct `objects.s3.region` and `objects.s3.endpoint`: the bucket lives elsewhere"),
            401 | 403 => refused("check the access key, its secret and its rights on the bucket"),
            404 => refused("create the bucket, or correct `objects.s3.bucket` and `objects.s3.endpoint`"),
            _ => None,
        };
        if let Some(error) = by_code.or(by_status) {
            return error;
        }
        let hint = match (self.kind, self.status) {
            (Kind::TimedOut, _) => "the server is slow or stuck; it is tried again",
            (Kind::Unreachable, _) => "is `objects.s3.endpoint` right, and can this machine reach it?",
            (Kind::Answered, 429 | 500..) => "the server is busy or broken; it is tried again",
            (Kind::Answered, _) => "does `objects.s3.endpoint` speak S3?",
        };
        ObjectError::Unavailable { operation, reason, hint }
    }
}

/// Server text goes to logs and terminals: one line, no control characters, bounded.
fn one_line(text: &str) -> String {
    const MOST: usize = 300;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect()
}
