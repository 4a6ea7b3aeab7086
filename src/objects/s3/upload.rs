//! Writing to a bucket: one request up to 8 MiB, multipart above; then the object is read back and hashed.

use std::{path::Path, sync::atomic::Ordering};

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

use super::{Failure, ObjectError, ObjectKey, S3Store, timeout_config};
use crate::{
    domain::sha256::{Sha256, Sha256Stream},
    kill_points,
    objects::hash_body,
};

/// Size of a part, and largest body sent at once. Held in memory so that the signature covers its SHA-256.
/// S3 asks for at least 5 MiB.
const PART: u64 = 8 * 1024 * 1024;

/// S3's own limit on the parts of an upload.
const MAX_PARTS: i32 = 10_000;

/// A body that comes back wrong is read once more, in case only the way back was bad.
const READ_BACKS: usize = 2;

/// Whether this call put the object there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Stored,
    Existed,
}

impl S3Store {
    pub(in crate::objects) async fn put_file(
        &self,
        key: &ObjectKey,
        path: &Path,
        size: u64,
        sha256: &Sha256,
    ) -> Result<(), ObjectError> {
        let source = |reason: String| ObjectError::Source { path: path.to_path_buf(), reason };
        let mut file = Source {
            path,
            file: tokio::fs::File::open(path).await.map_err(|error| source(error.to_string()))?,
            hash: Sha256Stream::default(),
            left: size,
            sha256,
        };
        kill_points::reached("o01");
        let sent = if size <= PART {
            let bytes = file.next_part().await?;
            file.finish().await?;
            self.put_object(key, bytes).await?
        } else {
            self.put_multipart(key, file).await?
        };
        kill_points::reached("o04");
        self.confirm(key, size, sha256, sent).await
    }

    pub(in crate::objects) async fn put_bytes(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), ObjectError> {
        let (size, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
        let sent = self.put_object(key, bytes).await?;
        self.confirm(key, size, &sha256, sent).await
    }

    async fn put_object(&self, key: &ObjectKey, bytes: Bytes) -> Result<Sent, ObjectError> {
        let send = async |conditional: bool| {
            let request = self
                .client
                .put_object()
                .bucket(&*self.bucket)
                .key(self.name(key))
                .set_if_none_match(conditional.then(|| "*".to_owned()))
                .body(ByteStream::from(bytes.clone()));
            let sent = request.customize().config_override(self.slow_line()).send().await;
            sent.map_err(|error| Failure::of(&error))
        };
        let conditional = self.is_conditional();
        let result = match send(conditional).await {
            Err(failure) if conditional && failure.is_unsupported() => {
                self.conditional.store(false, Ordering::Relaxed);
                send(false).await
            }
            result => result,
        };
        match result {
            Ok(_) => Ok(Sent::Stored),
            Err(failure) if failure.is_existing_object() => Ok(Sent::Existed),
            Err(failure) => Err(failure.into_error(self.on("write", key))),
        }
    }

    async fn put_multipart(&self, key: &ObjectKey, file: Source<'_>) -> Result<Sent, ObjectError> {
        let request = self.client.create_multipart_upload().bucket(&*self.bucket).key(self.name(key));
        let output =
            request.send().await.map_err(|error| Failure::of(&error).into_error(self.on("begin to write", key)))?;
        let Some(upload_id) = output.upload_id else {
            return Err(Failure::from_text("the server gave no upload id").into_error(self.on("write", key)));
        };
        let upload = Abort {
            client: self.client.clone(),
            bucket: self.bucket.to_string(),
            name: self.name(key),
            upload_id: Some(upload_id.clone()),
        };
        match self.send_parts(key, &upload_id, file).await {
            Ok(Sent::Stored) => {
                upload.disarm();
                Ok(Sent::Stored)
            }
            // A refused completion leaves the parts as well.
            given_up => {
                kill_points::reached("o08");
                upload.run().await;
                given_up
            }
        }
    }

    async fn send_parts(&self, key: &ObjectKey, upload_id: &str, mut file: Source<'_>) -> Result<Sent, ObjectError> {
        let mut parts = Vec::new();
        for number in 1..=MAX_PARTS {
            let bytes = file.next_part().await?;
            if bytes.is_empty() {
                break;
            }
            let request = self
                .client
                .upload_part()
                .bucket(&*self.bucket)
                .key(self.name(key))
                .upload_id(upload_id)
                .part_number(number)
                .body(ByteStream::from(bytes));
            let output =
                request.customize().config_override(self.slow_line()).send().await.map_err(|error| {
                    Failure::of(&error).into_error(self.on(&format!("write part {number} of"), key))
                })?;
            kill_points::reached("o07");
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(output.e_tag).build());
        }
        // Before the upload is completed, so wrong bytes never become an object.
        file.finish().await?;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let send = async |conditional: bool| {
            self.client
                .complete_multipart_upload()
                .bucket(&*self.bucket)
                .key(self.name(key))
                .upload_id(upload_id)
                .multipart_upload(parts.clone())
                .set_if_none_match(conditional.then(|| "*".to_owned()))
                .send()
                .await
                .map_err(|error| Failure::of(&error))
        };
        let conditional = self.is_conditional();
        let result = match send(conditional).await {
            Err(failure) if conditional && failure.is_unsupported() => {
                self.conditional.store(false, Ordering::Relaxed);
                send(false).await
            }
            result => result,
        };
        match result {
            Ok(_) => Ok(Sent::Stored),
            Err(failure) if failure.is_existing_object() => Ok(Sent::Existed),
            Err(failure) => Err(failure.into_error(self.on("finish writing", key))),
        }
    }

    /// Reads the object back. Wrong bytes that this call wrote are deleted again; the caller repeats under a
    /// new key.
    async fn confirm(&self, key: &ObjectKey, size: u64, sha256: &Sha256, sent: Sent) -> Result<(), ObjectError> {
        let mut found = *sha256;
        for _ in 0..READ_BACKS {
            let body = self.get(key).await.map_err(|error| match error {
                ObjectError::Missing { .. } => Failure::from_text("the server took the object and does not have it")
                    .into_error(self.on("write", key)),
                other => other,
            })?;
            let (digest, length) = hash_body(key, body).await?;
            if digest == *sha256 && length == size {
                return Ok(());
            }
            found = digest;
        }
        match sent {
            Sent::Existed => Err(ObjectError::AlreadyExists { key: key.clone() }),
            Sent::Stored => {
                // Best effort: an object nobody refers to is collected after a day.
                let _ = self.delete(key).await;
                Err(ObjectError::Damaged { key: key.clone(), expected: *sha256, found })
            }
        }
    }

    /// The SDK's read time-out runs while the body is still being sent; for uploads the attempt's counts.
    fn slow_line(&self) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::Config::builder().timeout_config(timeout_config(&self.timeouts, self.timeouts.attempt))
    }
}

/// The file being sent, hashed on the way.
struct Source<'a> {
    path: &'a Path,
    file: tokio::fs::File,
    hash: Sha256Stream,
    left: u64,
    sha256: &'a Sha256,
}

impl Source<'_> {
    /// Up to [`PART`] bytes; empty at the announced end.
    async fn next_part(&mut self) -> Result<Bytes, ObjectError> {
        let mut bytes = vec![0; self.left.min(PART) as usize];
        self.file.read_exact(&mut bytes).await.map_err(|error| self.differs(&error.to_string()))?;
        self.left -= bytes.len() as u64;
        self.hash.update(&bytes);
        Ok(bytes.into())
    }

    /// Fails unless exactly the announced bytes were read.
    async fn finish(mut self) -> Result<(), ObjectError> {
        let more = self.file.read(&mut [0]).await.map_err(|error| self.differs(&error.to_string()))?;
        if self.left > 0 || more > 0 {
            return Err(self.differs("its size is not the announced one"));
        }
        if std::mem::take(&mut self.hash).finish() != *self.sha256 {
            return Err(self.differs("it is not the file that was hashed"));
        }
        Ok(())
    }

    fn differs(&self, reason: &str) -> ObjectError {
        ObjectError::Source { path: self.path.to_path_buf(), reason: reason.to_owned() }
    }
}

/// Parts of an upload that is given up cost money until they are aborted. Also when the caller goes away.
struct Abort {
    client: Client,
    bucket: String,
    name: String,
    upload_id: Option<String>,
}

impl Abort {
    fn disarm(mut self) {
        self.upload_id = None;
    }

    async fn run(mut self) {
        if let Some(upload_id) = self.upload_id.take() {
            abort(self.client.clone(), self.bucket.clone(), self.name.clone(), upload_id).await;
        }
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        if let (Some(upload_id), Ok(runtime)) = (self.upload_id.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(abort(self.client.clone(), self.bucket.clone(), self.name.clone(), upload_id));
        }
    }
}

async fn abort(client: Client, bucket: String, name: String, upload_id: String) {
    let request = client.abort_multipart_upload().bucket(&bucket).key(&name).upload_id(upload_id);
    if let Err(error) = request.send().await {
        let reason = aws_sdk_s3::error::DisplayErrorContext(&error).to_string();
        tracing::warn!(object = %name, %reason, "Parts of an upload given up could not be removed; a bucket lifecycle rule may");
    }
}
