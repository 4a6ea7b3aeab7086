//! The state of the house, for admins: what `vouch doctor` says.

use askama::Template;

use super::shell::{Shell, Tone};
use crate::{
    domain::person::Language,
    health::{Finding, Health},
    web::i18n,
};

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

impl Check {
    /// The finding in the words of `lang`.
    pub fn of(lang: Language, finding: &Finding) -> Self {
        Self {
            code: finding.check.to_owned(),
            tone: match finding.health {
                Health::Good => Tone::Good,
                Health::Warning => Tone::Info,
                Health::Bad => Tone::Bad,
            },
            found: i18n::found(lang, &finding.found),
            hint: finding.hint.map(|hint| i18n::hint(lang, hint)),
        }
    }
}
