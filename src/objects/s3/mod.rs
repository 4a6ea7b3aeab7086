//! Objects in a bucket of an S3-speaking server: AWS, MinIO, Garage, R2 and the like.
//!
//! Nothing beyond plain PUT, GET, HEAD, DELETE, LIST and multipart is relied on. `If-None-Match: *` is sent as a
//! second line of defence; servers that answer 501 to it are asked without from then on, those that ignore it do no
//! harm because keys are unique.

mod failure;
mod foreign;
mod settings;
mod upload;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
};
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};

use self::failure::Failure;
pub use self::foreign::{ForeignBuckets, ForeignObject};
pub use self::settings::{S3Credentials, S3Settings, S3Timeouts};
use super::{KeyKind, ListCursor, ObjectBody, ObjectError, ObjectInfo, ObjectKey, ObjectPage};
use crate::domain::time::Timestamp;

/// Idle connections are dropped before the usual 30–60 s of load balancers and servers.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Tries inside one call, with exponential back-off and jitter; the job queue repeats the rest.
const ATTEMPTS: u32 = 3;

/// A bucket, or the part of it under a prefix.
#[derive(Clone)]
pub struct S3Store {
    client: Client,
    bucket: Arc<str>,
    prefix: Arc<str>,
    timeouts: S3Timeouts,
    /// Cleared for good when the server says it does not know `If-None-Match`.
    conditional: Arc<AtomicBool>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Store").field(&self.place()).finish()
    }
}

impl S3Store {
    /// Builds the client; nothing is sent yet.
    pub(super) fn new(settings: &S3Settings) -> Result<Self, ObjectError> {
        Ok(Self {
            client: client(settings)?,
            bucket: settings.bucket.as_str().into(),
            prefix: settings.prefix.as_str().into(),
            timeouts: settings.timeouts,
            conditional: Arc::new(AtomicBool::new(true)),
        })
    }

    pub(super) fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    fn name(&self, key: &ObjectKey) -> String {
        format!("{}{key}", self.prefix)
    }

    fn on(&self, verb: &str, key: &ObjectKey) -> String {
        format!("{verb} `{}{key}`", self.place())
    }

    fn is_conditional(&self) -> bool {
        self.conditional.load(Ordering::Relaxed)
    }

    /// Whether the bucket exists and lets us in; some servers make a missing bucket up when written to.
    pub(super) async fn check_bucket(&self) -> Result<(), ObjectError> {
        let sent = self.client.head_bucket().bucket(&*self.bucket).send().await;
        sent.map(|_| ()).map_err(|error| Failure::of(&error).into_error(format!("look at bucket `{}`", self.bucket)))
    }

    pub(super) async fn get(&self, key: &ObjectKey) -> Result<ObjectBody, ObjectError> {
        let sent = self.client.get_object().bucket(&*self.bucket).key(self.name(key)).send().await;
        let output = sent.map_err(|error| {
            let failure = Failure::of(&error);
            if failure.is_missing_object() {
                ObjectError::Missing { key: key.clone() }
            } else {
                failure.into_error(self.on("read", key))
            }
        })?;
        let Some(size) = output.content_length().and_then(|size| u64::try_from(size).ok()) else {
            let reason = "the server did not say how long the object is";
            return Err(Failure::from_text(reason).into_error(self.on("read", key)));
        };
        Ok(ObjectBody::new(output.body.into_async_read(), size, self.timeouts.read))
    }

    pub(super) async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, ObjectError> {
        match self.client.head_object().bucket(&*self.bucket).key(self.name(key)).send().await {
            Ok(output) => Ok(Some(ObjectInfo {
                key: key.clone(),
                size: output.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                modified_at: output.last_modified().map_or_else(|| key.made_at(), timestamp),
            })),
            Err(error) => {
                let failure = Failure::of(&error);
                if failure.is_missing_object() { Ok(None) } else { Err(failure.into_error(self.on("look at", key))) }
            }
        }
    }

    pub(super) async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        match self.client.delete_object().bucket(&*self.bucket).key(self.name(key)).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                let failure = Failure::of(&error);
                if failure.is_missing_object() { Ok(()) } else { Err(failure.into_error(self.on("delete", key))) }
            }
        }
    }

    pub(super) async fn list(
        &self,
        kind: KeyKind,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<ObjectPage, ObjectError> {
        let prefix = format!("{}{}/", self.prefix, kind.directory());
        let request = self
            .client
            .list_objects_v2()
            .bucket(&*self.bucket)
            .prefix(&prefix)
            .set_start_after(after.map(|cursor| format!("{}{}", self.prefix, cursor.0)))
            .max_keys(limit as i32);
        let output = request
            .send()
            .await
            .map_err(|error| Failure::of(&error).into_error(format!("list `{}{}/`", self.place(), kind.directory())))?;
        let names = output.contents().iter().filter_map(|object| {
            let name = object.key()?.strip_prefix(&*self.prefix)?;
            Some((name, object))
        });
        let last = names.clone().next_back().map(|(name, _)| ListCursor(name.to_owned()));
        let objects = names.filter_map(|(name, object)| {
            let key: ObjectKey = name.parse().ok()?;
            Some(ObjectInfo {
                size: object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                modified_at: object.last_modified().map_or_else(|| key.made_at(), timestamp),
                key,
            })
        });
        Ok(ObjectPage {
            objects: objects.collect(),
            // The name, not the continuation token: a cursor outlives a restart of the server.
            next: last.filter(|_| output.is_truncated() == Some(true)),
        })
    }
}

/// A client for the server and credentials of `settings`.
fn client(settings: &S3Settings) -> Result<Client, ObjectError> {
    settings.validate()?;
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client(settings))
        .region(Region::new(settings.region.clone()))
        .force_path_style(settings.path_style)
        .credentials_provider(credentials(&settings.credentials))
        // Many servers reject the SDK's default checksum trailers; ours is the signed SHA-256 of the body.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeout_config(&settings.timeouts, settings.timeouts.read));
    if let Some(endpoint) = &settings.endpoint {
        config = config.endpoint_url(endpoint);
    }
    Ok(Client::from_conf(config.build()))
}

fn timeout_config(timeouts: &S3Timeouts, read: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .read_timeout(read)
        .operation_attempt_timeout(timeouts.attempt)
        .operation_timeout(timeouts.operation)
        .build()
}

fn http_client(settings: &S3Settings) -> aws_sdk_s3::config::SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new().pool_idle_timeout(POOL_IDLE);
    if settings.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")) {
        // No TLS, so a machine without installed root certificates is fine.
        return builder.build_http();
    }
    let trust = match &settings.ca_pem {
        Some(pem) => TrustStore::empty().with_native_roots(true).with_pem_certificate(pem.as_bytes()),
        None => TrustStore::empty().with_native_roots(true),
    };
    let builder = builder.tls_provider(tls::Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(trust).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        Err(_) => builder.build_https(),
    }
}

fn credentials(credentials: &S3Credentials) -> Credentials {
    Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        credentials.session_token.clone(),
        None,
        "vouch",
    )
}

fn timestamp(at: &aws_sdk_s3::primitives::DateTime) -> Timestamp {
    Timestamp::from_micros(at.secs().saturating_mul(1_000_000) + i64::from(at.subsec_nanos()) / 1000)
}
