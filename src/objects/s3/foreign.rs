//! Buckets that others fill and that are only read here: Amazon SES leaves mail in one.

use std::{fmt, sync::Arc};

use aws_sdk_s3::Client;
use tokio::io::AsyncReadExt as _;

use super::{Failure, ObjectBody, ObjectError, S3Settings, S3Timeouts, client};

/// The buckets of a list, and no other. Cheap to clone.
#[derive(Clone)]
pub struct ForeignBuckets {
    client: Client,
    names: Arc<[String]>,
    timeouts: S3Timeouts,
}

/// What lies under a name in such a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForeignObject {
    /// The bytes.
    Here(Vec<u8>),
    /// Nothing, as far as the server says now.
    Missing,
    /// More than the caller wants to hold, in bytes.
    TooLarge(u64),
}

impl fmt::Debug for ForeignBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ForeignBuckets").field(&self.names).finish()
    }
}

impl ForeignBuckets {
    /// Builds the client; nothing is sent yet. `settings` say where and as whom, their bucket must be one of `names`.
    ///
    /// # Errors
    /// [`ObjectError::Refused`] for settings that cannot work.
    pub fn new(settings: &S3Settings, names: &[String]) -> Result<Self, ObjectError> {
        Ok(Self { client: client(settings)?, names: names.into(), timeouts: settings.timeouts })
    }

    /// Whether this bucket may be read.
    pub fn holds(&self, bucket: &str) -> bool {
        self.names.iter().any(|name| name == bucket)
    }

    /// Reads the object called `name`, of at most `max` bytes. Nothing is asked about a bucket that is not on the list.
    ///
    /// # Errors
    /// [`ObjectError::Refused`] for a bucket that is not on the list or does not let us in, [`ObjectError::Unavailable`]
    /// when the server is away or the body breaks off.
    pub async fn read(&self, bucket: &str, name: &str, max: u64) -> Result<ForeignObject, ObjectError> {
        let operation = || format!("read `{name}` in bucket `{bucket}`");
        if !self.holds(bucket) {
            let (reason, hint) = ("the bucket is not on the list".to_owned(), "add it to `mail.webhooks.ses_buckets`");
            return Err(ObjectError::Refused { operation: operation(), reason, hint });
        }
        let output = match self.client.get_object().bucket(bucket).key(name).send().await {
            Ok(output) => output,
            Err(error) => {
                let failure = Failure::of(&error);
                if failure.is_missing_object() {
                    return Ok(ForeignObject::Missing);
                }
                return Err(failure.into_error(operation()));
            }
        };
        let Some(size) = output.content_length().and_then(|size| u64::try_from(size).ok()) else {
            return Err(Failure::from_text("the server did not say how long the object is").into_error(operation()));
        };
        if size > max {
            return Ok(ForeignObject::TooLarge(size));
        }
        let mut bytes = Vec::new();
        let mut body = ObjectBody::new(output.body.into_async_read(), size, self.timeouts.read);
        body.read_to_end(&mut bytes)
            .await
            .map_err(|error| Failure::from_text(&error.to_string()).into_error(operation()))?;
        Ok(ForeignObject::Here(bytes))
    }
}
