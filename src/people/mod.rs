//! Accounts: who may act, how they prove it, and what admins change about them.
//!
//! Every change is one transaction with its journal entry. `by` is the admin who acts, or `None` for the console
//! of the machine (`vouch user …`), which whoever runs the service may use.

mod accounts;
mod change;
mod first_run;
mod password;
mod sign_in;
mod tokens;
mod user_name;

use std::{fmt, time::Duration};

pub use accounts::{Created, NewPerson, create, reset_password, set_language};
pub use change::{PersonChange, change, disable, enable, set_roles};
pub use first_run::{FirstAccount, OrganisationDefaults, first_run};
pub use password::{MIN_PASSWORD_CHARS, PasswordError};
pub use sign_in::{
    Attempt, SESSION_ABSOLUTE, SESSION_IDLE, SessionUser, SignedIn, authenticate_session, change_password,
    is_csrf_token, sign_in, sign_out, tidy,
};
pub use tokens::{IssuedToken, authenticate_token, create_token, list_tokens, revoke_token};
pub use user_name::{UserName, UserNameError};

use crate::{
    domain::{
        ids::{PersonId, TokenId, UnitId},
        journal::Manner,
        person::{Actor, Role},
    },
    store::{StoreError, people::Person},
};

/// A text to be shown once and stored nowhere: a password, a cookie's secret, a token. Debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text, for the one place that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why something about people was not done.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not a user name.
    #[error(transparent)]
    UserName(#[from] UserNameError),
    /// Not a password to accept, or hashing failed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Two people cannot have one user name.
    #[error("user name `{0}` is taken: choose another one")]
    UserNameTaken(UserName),
    /// Display name, e-mail address or token name outside its rules.
    #[error("{what} must be {rule}")]
    Invalid {
        /// What.
        what: &'static str,
        /// What would be accepted.
        rule: &'static str,
    },
    /// An account without a role cannot do anything.
    #[error("a person needs at least one role: rep, reviewer, admin or auditor")]
    NoRole,
    /// No such person.
    #[error("there is no person `{0}`")]
    NoSuchPerson(PersonId),
    /// Somebody was faster.
    #[error("`{}` has been changed meanwhile: load the person again", .0.user_name)]
    Changed(Box<Person>),
    /// No such unit.
    #[error("there is no unit `{0}`")]
    NoSuchUnit(UnitId),
    /// No such token, or it is someone else's.
    #[error("there is no token `{0}`")]
    NoSuchToken(TokenId),
    /// Without an admin nobody could be made admin again from the pages.
    #[error("`{0}` is the last admin: make somebody else an admin first")]
    LastAdmin(String),
    /// The actor's roles do not allow it.
    #[error("only an admin may do this")]
    NotAllowed,
    /// Too many tokens.
    #[error("there are {0} tokens already: revoke one first")]
    TooManyTokens(i64),
    /// Wrong name or password, or disabled: which, is nobody's business.
    #[error("user name or password is wrong")]
    Refused,
    /// Too many attempts.
    #[error("too many attempts: try again in {} minutes", .retry_after.as_secs().div_ceil(60))]
    Throttled {
        /// When the next attempt may be made at the latest.
        retry_after: Duration,
    },
}

/// The console and admins may; everyone else may not.
fn require_admin(by: Option<&Actor>) -> Result<(), PeopleError> {
    match by {
        Some(actor) if !actor.is(Role::Admin) => Err(PeopleError::NotAllowed),
        Some(_) | None => Ok(()),
    }
}

/// How the journal calls an act of `by`.
fn manner(by: Option<&Actor>) -> Manner {
    if by.is_some() { Manner::Singly } else { Manner::System }
}
