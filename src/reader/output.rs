//! What both roles share: where frames go, and why a reading ends early.

use super::{
    ocr::OcrError,
    protocol::{Failed, Kind, clean},
};
use crate::domain::capture::Reason;

/// Where a child's frames go.
pub trait Output {
    /// Sends one frame; an error means the parent is gone.
    fn send(&mut self, kind: Kind, header: &impl serde::Serialize, body: &[u8]) -> std::io::Result<()>;
}

/// Why a reading ended early.
#[derive(Debug)]
pub enum Stopped {
    /// A typed failure of this document.
    Failed(Failed),
    /// The parent is gone.
    Pipe(std::io::Error),
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        Self::Pipe(error)
    }
}

/// A typed failure of this document; the detail is for people and holds no receipt text.
pub(super) fn failed(reason: Reason, detail: impl Into<String>) -> Stopped {
    Stopped::Failed(Failed { reason, detail: detail.into() })
}

impl From<OcrError> for Stopped {
    fn from(error: OcrError) -> Self {
        let reason = match &error {
            OcrError::Unavailable { .. } | OcrError::Failed { .. } => Reason::RecognitionFailed,
            OcrError::Deadline { .. } => Reason::ReaderTimeout,
            OcrError::Memory { .. } => Reason::ReaderMemory,
        };
        failed(reason, clean(&error.to_string()))
    }
}
