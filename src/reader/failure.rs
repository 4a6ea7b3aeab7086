//! Why a reading failed, told from what a child said, how it ended and what it printed.

use std::{os::unix::process::ExitStatusExt as _, process::ExitStatus};

use nix::sys::signal::Signal;

use crate::domain::capture::Reason;

use super::protocol::clean;

/// A reading that failed, with the reason a person sees and a detail without receipt text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct ReadFailure {
    /// Stable code.
    pub reason: Reason,
    /// What happened, for people.
    pub detail: String,
}

/// Characters of a detail.
pub const MAX_DETAIL_CHARS: usize = 300;

impl ReadFailure {
    /// A failure; the detail is cleaned and cut.
    pub fn new(reason: Reason, detail: impl AsRef<str>) -> Self {
        Self { reason, detail: clean(detail.as_ref()).chars().take(MAX_DETAIL_CHARS).collect() }
    }
}

/// Lines Tesseract prints about pictures it nevertheless reads as well as it can. Everything else on stderr is an
/// error: an engine that complains is not believed.
const HARMLESS_LINES: &[&str] = &[
    "Warning: Invalid resolution",
    "Estimating resolution as",
    "Detected ",
    "Empty page!!",
    "Image too small to scale!!",
    "Line cannot be recognized!!",
];

/// The first line of stderr that is an error, if any.
pub fn first_complaint(stderr: &str) -> Option<&str> {
    stderr
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !HARMLESS_LINES.iter().any(|harmless| line.starts_with(harmless)))
}

/// What Rust's and C++'s allocators and Leptonica print when memory is gone.
const MEMORY_WORDS: &[&str] =
    &["memory allocation of", "bad_alloc", "Cannot allocate memory", "calloc fail", "malloc fail"];

/// Why a child ended without an end frame.
pub fn of_death(status: ExitStatus, stderr: &str) -> ReadFailure {
    if MEMORY_WORDS.iter().any(|word| stderr.contains(word)) {
        return ReadFailure::new(Reason::ReaderMemory, "the reader ran out of its memory");
    }
    let signal = status.signal().and_then(|number| Signal::try_from(number).ok());
    match signal {
        Some(Signal::SIGXCPU) => ReadFailure::new(Reason::ReaderTimeout, "the reader used up its processor time"),
        // Nobody but the kernel's memory killer or an operator sends this to a child that is not over its time.
        Some(Signal::SIGKILL) => ReadFailure::new(Reason::ReaderMemory, "the reader was killed from outside"),
        Some(Signal::SIGSYS) => {
            ReadFailure::new(Reason::ReaderCrashed, "the sandbox stopped the reader at a forbidden system call")
        }
        Some(signal) => ReadFailure::new(Reason::ReaderCrashed, format!("the reader died of {signal}")),
        None => ReadFailure::new(Reason::ReaderCrashed, format!("the reader ended early ({status})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_a_child_dies_decides_the_reason() {
        for (status, stderr, reason) in [
            (Signal::SIGSEGV as i32, "", Reason::ReaderCrashed),
            (Signal::SIGSYS as i32, "", Reason::ReaderCrashed),
            (Signal::SIGXCPU as i32, "", Reason::ReaderTimeout),
            (Signal::SIGKILL as i32, "", Reason::ReaderMemory),
            (Signal::SIGABRT as i32, "memory allocation of 99 bytes failed", Reason::ReaderMemory),
            (Signal::SIGABRT as i32, "terminate called after throwing 'std::bad_alloc'", Reason::ReaderMemory),
            (0, "", Reason::ReaderCrashed),
        ] {
            assert_eq!(of_death(ExitStatus::from_raw(status), stderr).reason, reason, "{status} {stderr}");
        }
    }

    #[test]
    fn unknown_lines_are_complaints_and_known_ones_are_not() {
        assert_eq!(first_complaint("Estimating resolution as 155\nDetected 12 diacritics\n\n"), None);
        assert_eq!(
            first_complaint("Estimating resolution as 155\nError in pixCreateNoInit: pix_malloc fail\n"),
            Some("Error in pixCreateNoInit: pix_malloc fail")
        );
    }
}
