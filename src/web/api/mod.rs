//! `/api/v1`: one endpoint, one file.

pub mod bodies;
pub mod captures;
pub mod drafts;
pub mod files;
pub mod me;
pub mod receipts;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::state::AppState;

/// All endpoints, with their description for the OpenAPI document.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(receipts::create))
        .routes(routes!(captures::get))
        .routes(routes!(captures::list))
        .routes(routes!(captures::retry))
        .routes(routes!(captures::fill_by_hand))
        .routes(routes!(captures::original))
        .routes(routes!(drafts::list::list))
        .routes(routes!(drafts::get::get, drafts::edit::edit))
        .routes(routes!(drafts::confirm::confirm))
        .routes(routes!(drafts::decide::submit))
        .routes(routes!(drafts::decide::withdraw))
        .routes(routes!(drafts::decide::return_))
        .routes(routes!(drafts::decide::reject))
        .routes(routes!(drafts::decide::reopen))
        .routes(routes!(drafts::merge::merge))
        .routes(routes!(drafts::visit::set_visit))
        .routes(routes!(drafts::history::history))
        .routes(routes!(files::preview))
        .routes(routes!(files::original))
        .routes(routes!(me::me))
}
