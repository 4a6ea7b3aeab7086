//! Where the bytes live: a local directory or an S3 bucket behind one handle.
//!
//! Rules both back ends keep:
//! - keys are made by us ([`ObjectKey`]), unique, never reused; nothing is ever overwritten;
//! - when `put_*` returns, the bytes are durable (local: fsync of file and directories; S3: the answer 200)
//!   and known to be the right ones: the local store hashes what it writes, and S3 gets the signed SHA-256 of
//!   every request body and is then **read back and hashed**, because servers were seen that answer 200 and keep
//!   something else (facts/reliability.md §F). A receipt is some 300 kB; reading it once more is cheap;
//! - repeating a `put_*` of the same bytes under the same key succeeds, so a lost answer does no harm.

mod body;
mod error;
mod key;
mod local;
mod s3;
mod scrub;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;

pub use self::{
    body::ObjectBody,
    error::ObjectError,
    key::{KeyError, KeyKind, ObjectKey},
    s3::{ForeignBuckets, ForeignObject, S3Credentials, S3Settings, S3Timeouts},
    scrub::{CollectError, Collected, GRACE, Verdict, collect, verify},
};
use self::{local::LocalStore, s3::S3Store};
use crate::domain::{
    sha256::{Sha256, Sha256Stream},
    time::Timestamp,
};

/// Most objects one [`ObjectStore::list`] returns; S3's own limit.
pub const MAX_PAGE: usize = 1000;

/// Where objects are kept, as configured.
#[derive(Debug, Clone)]
pub enum ObjectSettings {
    /// A directory on this machine; made when it does not exist.
    Local {
        /// The directory.
        dir: PathBuf,
    },
    /// A bucket of an S3-speaking server.
    S3(Box<S3Settings>),
}

/// A handle to the object store; cloning is cheap and shares connections.
#[derive(Debug, Clone)]
pub enum ObjectStore {
    /// A directory on this machine.
    Local(LocalStore),
    /// A bucket.
    S3(S3Store),
}

/// What is known about an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key.
    pub key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// When the store last wrote it, by the store's clock.
    pub modified_at: Timestamp,
}

/// One page of a listing, in key order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectPage {
    /// At most the number asked for; names that are not ours are left out.
    pub objects: Vec<ObjectInfo>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<ListCursor>,
}

/// A place in a listing: just after this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCursor(String);

impl From<&ObjectKey> for ListCursor {
    fn from(key: &ObjectKey) -> Self {
        Self(key.as_str().to_owned())
    }
}

impl ObjectStore {
    /// Opens the store. Local: makes the directory and removes temporary files older than a day before `now`.
    /// S3: only builds the client; [`ObjectStore::check`] tells whether the bucket answers.
    pub async fn open(settings: &ObjectSettings, now: Timestamp) -> Result<Self, ObjectError> {
        match settings {
            ObjectSettings::Local { dir } => Ok(Self::Local(LocalStore::open(dir, now).await?)),
            ObjectSettings::S3(settings) => Ok(Self::S3(S3Store::new(settings)?)),
        }
    }

    /// Stores the file at `path`, which must have `size` bytes with digest `sha256`. Never overwrites: other
    /// bytes under the key are [`ObjectError::AlreadyExists`], the same bytes are success.
    pub async fn put_file(&self, key: &ObjectKey, path: &Path, size: u64, sha256: &Sha256) -> Result<(), ObjectError> {
        match self {
            Self::Local(store) => store.put_file(key, path, size, sha256).await,
            Self::S3(store) => store.put_file(key, path, size, sha256).await,
        }
    }

    /// Stores bytes held in memory: previews and other small derived objects. Same promises as `put_file`.
    pub async fn put_bytes(&self, key: &ObjectKey, bytes: Bytes) -> Result<(), ObjectError> {
        match self {
            Self::Local(store) => store.put_bytes(key, bytes).await,
            Self::S3(store) => store.put_bytes(key, bytes).await,
        }
    }

    /// Opens the object for reading. The body is not verified against a digest; see
    /// [`ObjectStore::get_verified`] and [`verify`].
    pub async fn get(&self, key: &ObjectKey) -> Result<ObjectBody, ObjectError> {
        match self {
            Self::Local(store) => store.get(key).await,
            Self::S3(store) => store.get(key).await,
        }
    }

    /// The whole object in memory, refused with [`ObjectError::TooLarge`] above `max` bytes.
    pub async fn get_bytes(&self, key: &ObjectKey, max: u64) -> Result<Bytes, ObjectError> {
        let body = self.get(key).await?;
        let size = body.size();
        if size > max {
            return Err(ObjectError::TooLarge { key: key.clone(), size, max });
        }
        // The body ends at its announced size or is an error, so `max` bounds the memory.
        let mut bytes = Vec::with_capacity(size as usize);
        let mut body = body.take(max.saturating_add(1));
        body.read_to_end(&mut bytes).await.map_err(|error| ObjectError::reading(key, &error))?;
        Ok(bytes.into())
    }

    /// As [`ObjectStore::get_bytes`], and [`ObjectError::Damaged`] unless the bytes have this digest.
    pub async fn get_verified(&self, key: &ObjectKey, max: u64, sha256: &Sha256) -> Result<Bytes, ObjectError> {
        let bytes = self.get_bytes(key, max).await?;
        let found = Sha256::of(&bytes);
        if found == *sha256 {
            Ok(bytes)
        } else {
            Err(ObjectError::Damaged { key: key.clone(), expected: *sha256, found })
        }
    }

    /// Size and time of the object, `None` when there is none.
    pub async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, ObjectError> {
        match self {
            Self::Local(store) => store.head(key).await,
            Self::S3(store) => store.head(key).await,
        }
    }

    /// Deletes the object; one that is not there is no error.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectError> {
        match self {
            Self::Local(store) => store.delete(key).await,
            Self::S3(store) => store.delete(key).await,
        }
    }

    /// A page of objects of one kind in key order, after `after`, at most `limit` (1 to [`MAX_PAGE`]).
    pub async fn list(
        &self,
        kind: KeyKind,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<ObjectPage, ObjectError> {
        let limit = limit.clamp(1, MAX_PAGE);
        match self {
            Self::Local(store) => store.list(kind, after, limit).await,
            Self::S3(store) => store.list(kind, after, limit).await,
        }
    }

    /// Tries the store out with a small object: write, look, read back, list, delete. For `vouch doctor`
    /// and `/readyz`. `probe` is a fresh [`ObjectKey::probe`].
    pub async fn check(&self, probe: &ObjectKey) -> Result<(), ObjectError> {
        if let Self::S3(store) = self {
            store.check_bucket().await?;
        }
        let content = Bytes::from(format!("written by vouch to see whether the store works: {probe}\n"));
        let sha256 = Sha256::of(&content);
        self.put_bytes(probe, content).await?;
        let used = async {
            self.head(probe).await?.ok_or_else(|| ObjectError::Missing { key: probe.clone() })?;
            self.get_verified(probe, 4096, &sha256).await?;
            self.list(KeyKind::Probe, None, 1).await
        }
        .await;
        // Clean up even when reading failed; the first failure is the one worth telling.
        let deleted = self.delete(probe).await;
        used?;
        deleted
    }

    /// Where the objects are, for people: the directory or `s3://bucket/prefix`.
    pub fn place(&self) -> String {
        match self {
            Self::Local(store) => store.root().display().to_string(),
            Self::S3(store) => store.place(),
        }
    }
}

/// Hashes a body to its end; the digest and the number of bytes.
async fn hash_body(key: &ObjectKey, mut body: ObjectBody) -> Result<(Sha256, u64), ObjectError> {
    let mut hash = Sha256Stream::default();
    let mut size = 0_u64;
    let mut buffer = vec![0; 64 * 1024];
    // Ends: a body yields at most its announced size, then end of file.
    loop {
        let count = body.read(&mut buffer).await.map_err(|error| ObjectError::reading(key, &error))?;
        if count == 0 {
            return Ok((hash.finish(), size));
        }
        hash.update(&buffer[..count]);
        size += count as u64;
    }
}
