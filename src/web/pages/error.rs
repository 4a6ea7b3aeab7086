//! Pages for what went wrong.

use askama::Template;

use super::shell::{Problem, Shell};

/// Any error answered with a page.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// HTTP status; 401, 403, 404, 409, 413, 429, 500 and 503 have words of their own.
    pub status: u16,
    /// What happened.
    pub problem: Problem,
    /// For someone who reads the logs.
    pub request_id: Option<String>,
}

impl ErrorPage {
    /// Key of the title: `error_page.{status}`, or of its class.
    pub fn title(&self) -> String {
        let code = match self.status {
            401 | 403 | 404 | 409 | 413 | 429 | 500 | 503 => self.status.to_string(),
            400..500 => "4xx".to_owned(),
            _ => "500".to_owned(),
        };
        self.shell.t(&format!("error_page.{code}"))
    }
}
