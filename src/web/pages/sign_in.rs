//! Signing in, and choosing one's own password the first time.

use askama::Template;

use super::shell::{Problem, Shell};

/// `GET /sign-in`; the form posts `name`, `password`, `next`, `csrf` to the same address.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// The frame; nobody is signed in yet.
    pub shell: Shell,
    /// The name as typed before, after a failure.
    pub name: String,
    /// Where to go afterwards; a local path.
    pub next: String,
    /// Why it did not work.
    pub problem: Option<Problem>,
}

/// `GET /password`; the form posts `current`, `new`, `again`, `csrf` to the same address.
#[derive(Debug, Clone, Template)]
#[template(path = "password.html")]
pub struct PasswordPage {
    /// The frame.
    pub shell: Shell,
    /// The one-time password was just used: nothing else is offered until it is changed.
    pub first: bool,
    /// The least characters of a password.
    pub min_chars: u32,
    /// Why it did not work.
    pub problem: Option<Problem>,
}
