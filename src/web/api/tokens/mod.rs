//! `/api/v1/tokens`: one's own.

pub mod create;
pub mod list;
pub mod revoke;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{domain::time::Timestamp, store::tokens::Token};

/// A token, without its text.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenBody {
    /// Token id.
    pub id: String,
    /// What its owner called it.
    pub name: String,
    /// RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it stops working by itself, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>)]
    pub last_used_at: Option<Timestamp>,
    /// Since when it is refused.
    #[schema(value_type = Option<String>)]
    pub revoked_at: Option<Timestamp>,
}

impl From<Token> for TokenBody {
    fn from(token: Token) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}
