//! `/api/v1`: one endpoint, one file.

pub mod bodies;
pub mod captures;
pub mod categories;
pub mod cursor;
pub mod customers;
pub mod drafts;
pub mod extract;
pub mod files;
pub mod legal_entities;
pub mod mail;
pub mod me;
pub mod password;
pub mod people;
pub mod receipts;
pub mod tokens;
pub mod trips;
pub mod units;
pub mod verifications;
pub mod visits;

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
        .routes(routes!(password::give))
        .routes(routes!(drafts::list::list))
        .routes(routes!(drafts::get::get, drafts::edit::edit))
        .routes(routes!(drafts::confirm::confirm))
        .routes(routes!(drafts::decide::submit))
        .routes(routes!(drafts::decide::withdraw))
        .routes(routes!(drafts::decide::return_))
        .routes(routes!(drafts::decide::reject))
        .routes(routes!(drafts::decide::reopen))
        .routes(routes!(drafts::merge::merge))
        .routes(routes!(drafts::pairing::keep_apart))
        .routes(routes!(drafts::pairing::propose_again))
        .routes(routes!(drafts::visit::set_visit))
        .routes(routes!(drafts::history::history))
        .routes(routes!(drafts::findings::findings))
        .routes(routes!(drafts::verification::verification))
        .routes(routes!(verifications::import))
        .routes(routes!(files::preview))
        .routes(routes!(files::thumbnail))
        .routes(routes!(files::original))
        .routes(routes!(files::document_original))
        .routes(routes!(me::me))
        .routes(routes!(tokens::list::list, tokens::create::create))
        .routes(routes!(tokens::revoke::revoke))
        .routes(routes!(visits::list::list, visits::create::create))
        .routes(routes!(visits::edit::edit))
        .routes(routes!(visits::import::import))
        .routes(routes!(customers::list::list, customers::create::create))
        .routes(routes!(customers::edit::edit))
        .routes(routes!(categories::list::list, categories::create::create, categories::reorder::reorder))
        .routes(routes!(categories::put::put))
        .routes(routes!(people::list::list, people::create::create))
        .routes(routes!(people::edit::edit))
        .routes(routes!(people::reset::reset))
        .routes(routes!(units::list::list, units::create::create))
        .routes(routes!(units::put::put))
        .routes(routes!(legal_entities::list::list, legal_entities::create::create))
        .routes(routes!(legal_entities::put::put))
        .routes(routes!(mail::addresses::list, mail::create_address::create))
        .routes(routes!(mail::rotate::rotate))
        .routes(routes!(mail::messages::list))
        .routes(routes!(mail::message::get))
        .routes(routes!(mail::accept::accept))
        .routes(routes!(mail::reject::reject))
        .routes(routes!(mail::follow::follow))
}
