//! A person's own API tokens.

use askama::Template;

use super::shell::{Problem, Shell};
use crate::domain::{ids::TokenId, time::Timestamp};

/// `GET /account/tokens`. Creating posts `name`, `days`, `csrf` to the same address; revoking posts to
/// `/account/tokens/{id}/revoke`.
#[derive(Debug, Clone, Template)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// The frame.
    pub shell: Shell,
    /// Tokens, newest first.
    pub tokens: Vec<TokenRow>,
    /// The token just made, shown this once.
    pub issued: Option<String>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// A token in the list.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// The token.
    pub id: TokenId,
    /// What its owner called it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}
