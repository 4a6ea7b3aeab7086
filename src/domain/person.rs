//! People, their roles, and what a role may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    field::text_enum,
    ids::{PersonId, UnitId},
};

text_enum! {
    /// What a person is to the organisation; a person has a set of them.
    Role {
        /// Hands in receipts and sees only their own.
        Rep = "rep",
        /// Confirms, corrects, returns or rejects the drafts of their units.
        Reviewer = "reviewer",
        /// Sets categories, policies and people.
        Admin = "admin",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
    }
}

text_enum! {
    /// Language of pages.
    Language {
        /// English.
        En = "en",
        /// Simplified Chinese.
        Zh = "zh",
    }
}

/// Who is acting, as every use case sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person.
    pub id: PersonId,
    /// Their roles; never empty.
    pub roles: BTreeSet<Role>,
    /// Units they belong to; reviewers see the receipts of people in the same unit or below. Empty means the whole organisation.
    pub units: BTreeSet<UnitId>,
}

impl Actor {
    /// Whether the actor has `role`.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the actor sees receipts of others at all.
    pub fn sees_others(&self) -> bool {
        self.is(Role::Reviewer) || self.is(Role::Admin) || self.is(Role::Auditor)
    }
}

/// Parses a comma-separated role set such as `rep,reviewer`.
pub fn parse_roles(text: &str) -> Result<BTreeSet<Role>, super::field::UnknownWord> {
    text.split(',').map(str::trim).filter(|r| !r.is_empty()).map(str::parse).collect()
}

/// Prints a role set as `rep,reviewer`, in a stable order.
pub fn format_roles(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_sets_survive_text_and_unknown_roles_are_named() {
        let roles = parse_roles("reviewer, rep").unwrap();
        assert_eq!(format_roles(&roles), "rep,reviewer");
        assert_eq!(parse_roles("boss").unwrap_err().to_string(), "`boss` is not one of rep, reviewer, admin, auditor");
    }
}
