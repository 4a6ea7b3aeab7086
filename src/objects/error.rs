//! What can go wrong with an object, sorted by what the caller should do about it.

use std::path::PathBuf;

use super::ObjectKey;
use crate::domain::sha256::Sha256;

/// Why an object could not be written, read or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The store is away, full or slow: nothing is known to be wrong with the object. The sender keeps its
    /// bytes and tries again (HTTP 503, SMTP 451).
    #[error("{operation}: object storage is unavailable: {reason}\nhint: {hint}")]
    Unavailable {
        /// What was tried, on which key or bucket.
        operation: String,
        /// What the file system or the server said.
        reason: String,
        /// What a person can do.
        hint: &'static str,
    },
    /// The store answers but does not let us in as configured. Waiting does not help; a person must act.
    /// The sender is still asked to try again.
    #[error("{operation}: object storage refused: {reason}\nhint: {hint}")]
    Refused {
        /// What was tried, on which key or bucket.
        operation: String,
        /// What the server said.
        reason: String,
        /// What a person can do.
        hint: &'static str,
    },
    /// There is no object under the key.
    #[error("object `{key}` is missing")]
    Missing {
        /// The key.
        key: ObjectKey,
    },
    /// The bytes under the key are not the bytes that were stored.
    #[error("object `{key}` is damaged: expected SHA-256 {expected}, found {found}")]
    Damaged {
        /// The key.
        key: ObjectKey,
        /// The digest it must have.
        expected: Sha256,
        /// The digest of the bytes found.
        found: Sha256,
    },
    /// Other bytes are already stored under the key; they were left alone.
    #[error("object `{key}` exists already with other bytes; it was not overwritten")]
    AlreadyExists {
        /// The key.
        key: ObjectKey,
    },
    /// The object is larger than the caller is ready to hold.
    #[error("object `{key}` has {size} bytes, over the limit of {max}")]
    TooLarge {
        /// The key.
        key: ObjectKey,
        /// Its size in bytes, as far as known.
        size: u64,
        /// The limit in bytes.
        max: u64,
    },
    /// The file handed in could not be read, or is not the one that was hashed.
    #[error("`{path}` cannot be stored: {reason}")]
    Source {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl ObjectError {
    /// Whether the sender should keep the bytes and come back, rather than be told they were refused.
    pub const fn is_worth_retrying(&self) -> bool {
        match self {
            // A damaged write is repeated under a new key.
            Self::Unavailable { .. } | Self::Refused { .. } | Self::Damaged { .. } | Self::AlreadyExists { .. } => true,
            Self::Missing { .. } | Self::TooLarge { .. } | Self::Source { .. } => false,
        }
    }
}
