//! `/api/v1/drafts`.

pub mod confirm;
pub mod decide;
pub mod edit;
pub mod findings;
pub mod get;
pub mod history;
pub mod list;
pub mod merge;
pub mod pairing;
pub mod verification;
pub mod visit;

use serde::Deserialize;
use utoipa::ToSchema;

/// The revision the caller saw; a change of anything else meanwhile is a conflict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AtRevision {
    /// Revision.
    pub revision: i64,
}
