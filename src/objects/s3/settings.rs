//! Which bucket, on which server, with which credentials.

use std::{fmt, time::Duration};

use super::ObjectError;

/// A bucket as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket; it must exist.
    pub bucket: String,
    /// In front of every key, ending in `/`, or empty for the whole bucket.
    pub prefix: String,
    /// Region used in signatures; most self-hosted servers take `us-east-1` or `garage`.
    pub region: String,
    /// `https://host[:port]` of a server that is not AWS.
    pub endpoint: Option<String>,
    /// Bucket in the path instead of the host name; self-hosted servers usually want it.
    pub path_style: bool,
    /// Who signs.
    pub credentials: S3Credentials,
    /// PEM certificates trusted besides those of the system, for a server with a private CA.
    pub ca_pem: Option<String>,
    /// How long to wait.
    pub timeouts: S3Timeouts,
}

/// An access key. `Debug` shows only the public half.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
    /// For temporary credentials.
    pub session_token: Option<String>,
}

impl S3Credentials {
    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, when set, `AWS_SESSION_TOKEN`, looked up with
    /// `variable`. `None` when one of the first two is absent or empty.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        Some(Self {
            access_key_id: set("AWS_ACCESS_KEY_ID")?,
            secret_access_key: set("AWS_SECRET_ACCESS_KEY")?,
            session_token: set("AWS_SESSION_TOKEN"),
        })
    }
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Every wait has an end (facts/reliability.md §F).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct S3Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Until the first byte of the answer, and between two pieces of a body. Uploads are bounded by `attempt`,
    /// since a slow line may need longer than this to send a photo.
    pub read: Duration,
    /// One try of a request.
    pub attempt: Duration,
    /// All tries of a request together.
    pub operation: Duration,
}

impl Default for S3Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(10),
            attempt: Duration::from_secs(30),
            operation: Duration::from_secs(90),
        }
    }
}

impl S3Settings {
    pub(super) fn validate(&self) -> Result<(), ObjectError> {
        let refuse = |reason: String, hint| {
            Err(ObjectError::Refused { operation: format!("use bucket `{}`", self.bucket), reason, hint })
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if self.bucket.len() < 3 || !self.bucket.chars().all(is_plain) {
            return refuse("not a bucket name".into(), "a bucket name has at least 3 letters, digits, `.` or `-`");
        }
        let segments_are_plain = self.prefix.trim_end_matches('/').split('/').all(|s| s != ".." && s != ".");
        if !self.prefix.is_empty()
            && (!self.prefix.ends_with('/') || self.prefix.starts_with('/') || !segments_are_plain)
        {
            return refuse(format!("prefix `{}` is unusable", self.prefix), "write a prefix such as `vouch/`");
        }
        if let Some(endpoint) = &self.endpoint
            && !endpoint.starts_with("https://")
            && !endpoint.starts_with("http://")
        {
            let hint = "write the endpoint with its scheme, such as `https://s3.example.org`";
            return refuse(format!("endpoint `{endpoint}` has no scheme"), hint);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_from_the_usual_variables_and_never_show_their_secret() {
        let variable = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKIA1".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("hush".to_owned()),
            _ => None,
        };
        let credentials = S3Credentials::from_environment(variable).unwrap();
        assert_eq!(credentials.session_token, None);
        assert!(!format!("{credentials:?}").contains("hush"));
        assert_eq!(S3Credentials::from_environment(|_| None), None);
    }
}
