//! Pages of admins. Each checks the role before it loads anything; what changes something checks it again in its use case.

pub mod categories;
pub mod failed;
pub mod mail;
pub mod people;
pub mod status;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    domain::person::{Actor, Role},
    web::{problem::ApiError, state::AppState},
};

/// All of them.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/admin/people", get(people::page).post(people::add))
        .route("/admin/people/{id}", post(people::change))
        .route("/admin/categories", get(categories::page).post(categories::add))
        .route("/admin/categories/{id}", post(categories::change))
        .route("/admin/failed", get(failed::page))
        .route("/admin/jobs/{id}/retry", post(failed::retry_job))
        .route("/admin/mail", get(mail::page))
        .route("/admin/status", get(status::page))
}

fn require_admin(actor: &Actor) -> Result<(), ApiError> {
    if actor.is(Role::Admin) { Ok(()) } else { Err(ApiError::forbidden("only an admin may see this page")) }
}
