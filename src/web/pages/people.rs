//! People, for admins.

use std::collections::BTreeSet;

use askama::Template;

use super::shell::{Choice, Problem, Shell};
use crate::domain::{
    ids::PersonId,
    person::{Language, Role},
    time::Timestamp,
};

/// `GET /admin/people`. Adding posts `name`, `display_name`, `role` (repeated), `unit` (repeated), `language`, `csrf` to the same address; changing posts the same and
/// `action` (`save`, `disable`, `enable`, `reset`) to `/admin/people/{id}`.
#[derive(Debug, Clone, Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    /// The frame.
    pub shell: Shell,
    /// Everyone, by name.
    pub people: Vec<PersonRow>,
    /// Units to choose from (value: id).
    pub units: Vec<Choice>,
    /// A one-time password just made, shown this once: sign-in name and password.
    pub issued: Option<(String, String)>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// A person in the list.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// The person.
    pub id: PersonId,
    /// What they sign in with.
    pub name: String,
    /// What others see.
    pub display_name: String,
    /// Their roles.
    pub roles: BTreeSet<Role>,
    /// Ids of their units.
    pub units: BTreeSet<String>,
    /// Their language, if they set one.
    pub language: Option<Language>,
    /// Since when they cannot sign in.
    pub disabled_at: Option<Timestamp>,
    /// What a change is made from.
    pub revision: i64,
    /// When they last signed in.
    pub seen_at: Option<Timestamp>,
}

impl PeoplePage {
    /// Roles one can have.
    pub fn roles(&self) -> &'static [Role] {
        Role::ALL
    }
}

impl PersonRow {
    /// Whether the person has `role`.
    pub fn has(&self, role: &Role) -> bool {
        self.roles.contains(role)
    }

    /// Whether the person chose the language with this code.
    pub fn speaks(&self, code: &str) -> bool {
        self.language.is_some_and(|lang| lang.as_str() == code)
    }

    /// Whether the person is in the unit with this id.
    pub fn is_in(&self, unit: &str) -> bool {
        self.units.contains(unit)
    }
}
