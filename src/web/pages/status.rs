//! The state of the house, for admins: what `vouch doctor` says.

use askama::Template;

use super::shell::{Shell, Tone};

/// `GET /admin/status`.
#[derive(Debug, Clone, Template)]
#[template(path = "status.html")]
pub struct StatusPage {
    /// The frame.
    pub shell: Shell,
    /// Version of the binary.
    pub version: String,
    /// The checks, in the order `vouch doctor` makes them.
    pub checks: Vec<Check>,
    /// Counts worth seeing: `status.{code}` and the number.
    pub counts: Vec<(String, u64)>,
}

/// One check.
#[derive(Debug, Clone)]
pub struct Check {
    /// What was checked: `check.{code}`.
    pub code: String,
    /// How it went.
    pub tone: Tone,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}
