//! What admins set about the organisation: its categories, legal entities and units.
//!
//! Every change is one transaction with its journal entry.

mod categories;
mod entities;
mod units;

pub use categories::{CategoryChange, NewCategory, add_category, change_category, reorder_categories};
pub use entities::{EntityInput, add_entity, change_entity};
pub use units::{UnitInput, add_unit, change_unit};

use crate::{
    app::App,
    domain::{
        ids::{LegalEntityId, UnitId},
        journal::Manner,
        person::{Actor, Role},
    },
    store::{StoreError, Tx, organisation},
};

/// Most characters of a registered name or a unit's.
const MAX_NAME_CHARS: usize = 200;

/// Why a setting was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OrganisationError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor's roles do not allow it.
    #[error("only an admin may do this")]
    NotAllowed,
    /// A text outside its rules.
    #[error("{what} must be {rule}")]
    Invalid {
        /// What.
        what: &'static str,
        /// What would be accepted.
        rule: &'static str,
    },
    /// Codes are unique and for ever.
    #[error("the category code `{0}` is taken: choose another one")]
    CodeTaken(String),
    /// No such category.
    #[error("there is no category `{0}`")]
    NoSuchCategory(String),
    /// A code is named twice in a new order.
    #[error("the category `{0}` is named twice")]
    NamedTwice(String),
    /// No such legal entity.
    #[error("there is no legal entity `{0}`")]
    NoSuchEntity(LegalEntityId),
    /// No such unit.
    #[error("there is no unit `{0}`")]
    NoSuchUnit(UnitId),
    /// A unit cannot be above itself.
    #[error("a unit cannot be placed under itself or a unit below it")]
    Circle,
}

fn require_admin(actor: &Actor) -> Result<(), OrganisationError> {
    if actor.is(Role::Admin) { Ok(()) } else { Err(OrganisationError::NotAllowed) }
}

/// Trimmed text of 1 to `most` characters on one line.
fn line(what: &'static str, text: &str, most: usize, rule: &'static str) -> Result<String, OrganisationError> {
    let text = text.trim();
    if !(1..=most).contains(&text.chars().count()) || text.contains(char::is_control) {
        return Err(OrganisationError::Invalid { what, rule });
    }
    Ok(text.to_owned())
}

async fn note(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    kind: &str,
    subject: (&'static str, &str),
    body: serde_json::Value,
) -> Result<(), StoreError> {
    app.record(tx, &app.entry(Some(&actor.id), Manner::Singly, kind, subject, body)).await
}

/// The organisation's id for journal entries about the whole of it; empty before the first run.
async fn own_id(tx: &mut Tx) -> Result<String, StoreError> {
    Ok(organisation::find(tx).await?.map(|organisation| organisation.id.to_string()).unwrap_or_default())
}
