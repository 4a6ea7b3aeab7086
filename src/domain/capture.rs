//! The act of handing in, its states, and the limits of the door.

use serde::{Deserialize, Serialize};

use super::field::text_enum;

text_enum! {
    /// How something came in.
    Channel {
        /// The JSON API.
        Api = "api",
        /// The capture page.
        Page = "page",
        /// A watched folder.
        Folder = "folder",
        /// `vouch ingest`.
        Cli = "cli",
        /// Forwarded mail.
        Mail = "mail",
    }
}

text_enum! {
    /// `received → reading → read | password_needed | quarantined | failed`.
    CaptureState {
        /// Durable, waiting for a reader.
        Received = "received",
        /// A worker holds it.
        Reading = "reading",
        /// Its receipts exist.
        Read = "read",
        /// Encrypted; a person must type the password.
        PasswordNeeded = "password_needed",
        /// Kept, but nothing is made of it until a person says so.
        Quarantined = "quarantined",
        /// Could not be read; the reason says why and a retry is offered.
        Failed = "failed",
    }
}

text_enum! {
    /// What a document found inside another one is to it.
    Relation {
        /// Attached on purpose: to a mail, to a PDF.
        Attachment = "attachment",
        /// Shown inside the text of a mail: a receipt's picture, or a logo.
        Inline = "inline",
        /// A whole message inside a mail: forwarded as an attachment.
        Message = "message",
        /// A file of an archive.
        Entry = "entry",
    }
}

impl Relation {
    /// What a document is when nothing else was said.
    pub const fn usual() -> Self {
        Self::Attachment
    }
}

text_enum! {
    /// Why a capture could not be read, or a document not accepted. Stable codes for API and pages.
    Reason {
        /// No bytes.
        Empty = "empty_document",
        /// Over the byte limit.
        TooLarge = "document_too_large",
        /// Not a type Vouch reads.
        UnsupportedType = "unsupported_type",
        /// Pixel limits exceeded by the header.
        PixelsExceeded = "pixels_exceeded",
        /// More pages than allowed.
        PagesExceeded = "pages_exceeded",
        /// More files than allowed in one request.
        TooManyFiles = "too_many_files",
        /// The picture is broken.
        Undecodable = "undecodable",
        /// The reader crashed on it.
        ReaderCrashed = "reader_crashed",
        /// The reader took too long.
        ReaderTimeout = "reader_timeout",
        /// The reader ran out of its memory.
        ReaderMemory = "reader_memory",
        /// The reader broke the protocol (garbage or flood).
        ProtocolViolation = "protocol_violation",
        /// The recogniser reported an error; its text is not trusted.
        RecognitionFailed = "recognition_failed",
        /// The stored bytes do not match their hash.
        ObjectDamaged = "object_damaged",
        /// The stored bytes are gone.
        ObjectMissing = "object_missing",
        /// Attempts used up without a known cause.
        AttemptsExhausted = "attempts_exhausted",
        /// Encrypted; a person must type the password.
        PasswordNeeded = "password_needed",
        /// XML with a document type definition, which is never read.
        XmlDtdForbidden = "xml_dtd_forbidden",
        /// An archive with too many entries, too much inside, or entries that lie.
        ArchiveLimits = "archive_limits",
        /// A mail nested or fragmented beyond the limits.
        MimeLimits = "mime_limits",
        /// A message whose sender is not proved waits for its owner.
        SenderDoubted = "sender_doubted",
        /// A bounce, an automatic answer or the like: kept, and nothing made of it.
        AutomaticMail = "automatic_mail",
        /// All it brought was filed before; nothing was drafted twice.
        AlreadyFiled = "already_filed",
        /// Same client_id or Idempotency-Key, different bytes.
        IdempotencyConflict = "idempotency_conflict",
    }
}

impl Reason {
    /// Whether another attempt could end differently.
    pub const fn is_worth_retrying(self) -> bool {
        match self {
            Self::ReaderCrashed
            | Self::ReaderTimeout
            | Self::ReaderMemory
            | Self::ProtocolViolation
            | Self::RecognitionFailed
            | Self::ObjectMissing
            | Self::ObjectDamaged
            | Self::AttemptsExhausted => true,
            Self::Empty
            | Self::TooLarge
            | Self::UnsupportedType
            | Self::PixelsExceeded
            | Self::PagesExceeded
            | Self::TooManyFiles
            | Self::Undecodable
            | Self::PasswordNeeded
            | Self::XmlDtdForbidden
            | Self::ArchiveLimits
            | Self::MimeLimits
            | Self::SenderDoubted
            | Self::AutomaticMail
            | Self::AlreadyFiled
            | Self::IdempotencyConflict => false,
        }
    }
}

/// Limits of the door and the reader; the defaults are what the hostile corpus was walked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of one document.
    pub max_bytes: u64,
    /// Pixels (width × height) of one page.
    pub max_pixels: u64,
    /// Longest side of one page in pixels.
    pub max_side: u32,
    /// Pages of one document.
    pub max_pages: u32,
    /// Files of one request.
    pub max_files: u32,
    /// Bytes that uploads leave free on the disk: reading, reviewing and the database go on when it is almost full.
    pub reserve_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 32 * 1024 * 1024,
            max_pixels: 100_000_000,
            max_side: 16_384,
            max_pages: 50,
            max_files: 20,
            reserve_bytes: 1024 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_picture_is_not_tried_again_but_a_crash_is() {
        assert!(!Reason::Undecodable.is_worth_retrying());
        assert!(Reason::ReaderCrashed.is_worth_retrying());
    }
}
