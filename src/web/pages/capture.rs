//! The capture page: photograph or choose files, see what was read.

use askama::Template;

use super::shell::{Choice, Shell, VisitOption};

/// `GET /capture`. Without scripts the form posts `files`, `note`, `visit`, `on_behalf_of`, `csrf` to `/capture`;
/// with scripts every file goes to `POST /api/v1/receipts` by itself.
#[derive(Debug, Clone, Template)]
#[template(path = "capture.html")]
pub struct CapturePage {
    /// The frame.
    pub shell: Shell,
    /// The person's recent visits, newest first.
    pub visits: Vec<VisitOption>,
    /// The chosen visit: empty, `none` or an id.
    pub visit: String,
    /// Categories (value: code, label: name in the page's language), to name what was read.
    pub categories: Vec<Choice>,
    /// People the viewer may hand in for; empty for most.
    pub on_behalf_of: Vec<Choice>,
    /// Whether the page came over HTTPS (or from this machine): without it phones refuse offline capture.
    pub secure: bool,
    /// Limit of one file in megabytes.
    pub max_megabytes: u64,
    /// Limit of one request in files; scripts send one file per request.
    pub max_files: u32,
}
