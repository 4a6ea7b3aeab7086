//! `/api/v1/people`, for admins.

pub mod create;
pub mod edit;
pub mod list;
pub mod reset;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        person::{Language, Role},
        time::Timestamp,
    },
    people::Created,
    store::people::Person,
};

/// A person with an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonBody {
    /// Person id.
    pub id: String,
    /// What they sign in with.
    pub user_name: String,
    /// What others see.
    pub display_name: String,
    /// Where forwarded mail may come from.
    pub email: Option<String>,
    /// `rep`, `reviewer`, `admin`, `auditor`.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// Ids of their units.
    pub units: Vec<String>,
    /// `en` or `zh`.
    #[schema(value_type = String)]
    pub language: Language,
    /// Since when they may not act, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub disabled_at: Option<Timestamp>,
    /// Whether they have a one-time password still.
    pub must_change_password: bool,
    /// Send it with a change.
    pub revision: i64,
}

impl From<Person> for PersonBody {
    fn from(person: Person) -> Self {
        Self {
            id: person.id.to_string(),
            user_name: person.user_name,
            display_name: person.display_name,
            email: person.email,
            roles: person.roles.into_iter().collect(),
            units: person.units.iter().map(ToString::to_string).collect(),
            language: person.language,
            disabled_at: person.disabled_at,
            must_change_password: person.must_change_password,
            revision: person.revision,
        }
    }
}

/// A person and the one-time password they sign in with next; it is in this answer only.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedPasswordBody {
    /// The person.
    pub person: PersonBody,
    /// To be changed at the first sign-in.
    pub one_time_password: String,
}

impl From<Created> for IssuedPasswordBody {
    fn from(created: Created) -> Self {
        Self {
            person: PersonBody::from(created.person),
            one_time_password: created.one_time_password.reveal().to_owned(),
        }
    }
}
