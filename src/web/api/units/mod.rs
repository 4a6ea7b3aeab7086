//! `/api/v1/units`, for admins.

pub mod create;
pub mod list;
pub mod put;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::ids::{LegalEntityId, UnitId},
    organisation::UnitInput,
    store::organisation::Unit,
};

/// A unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitBody {
    /// Unit id.
    pub id: String,
    /// Name.
    pub name: String,
    /// The unit above.
    pub parent_id: Option<String>,
    /// The entity that pays for it.
    pub legal_entity_id: Option<String>,
}

impl From<Unit> for UnitBody {
    fn from(unit: Unit) -> Self {
        Self {
            id: unit.id.to_string(),
            name: unit.name,
            parent_id: unit.parent_id.map(|id| id.to_string()),
            legal_entity_id: unit.legal_entity_id.map(|id| id.to_string()),
        }
    }
}

/// A unit as entered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitInputBody {
    /// 1 to 200 characters.
    pub name: String,
    /// The unit above.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub parent_id: Option<UnitId>,
    /// The entity that pays for it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub legal_entity_id: Option<LegalEntityId>,
}

impl From<UnitInputBody> for UnitInput {
    fn from(body: UnitInputBody) -> Self {
        Self { name: body.name, parent_id: body.parent_id, legal_entity_id: body.legal_entity_id }
    }
}
