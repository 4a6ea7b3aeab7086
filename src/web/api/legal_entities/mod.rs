//! `/api/v1/legal-entities`, for admins.

pub mod create;
pub mod list;
pub mod put;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{domain::money::Currency, organisation::EntityInput, store::organisation::LegalEntity};

/// A legal entity of the organisation.
#[derive(Debug, Serialize, ToSchema)]
pub struct LegalEntityBody {
    /// Entity id.
    pub id: String,
    /// Registered name.
    pub name: String,
    /// Tax number.
    pub tax_id: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// ISO 4217, when it differs from the organisation's.
    pub home_currency: Option<String>,
}

impl From<LegalEntity> for LegalEntityBody {
    fn from(entity: LegalEntity) -> Self {
        Self {
            id: entity.id.to_string(),
            name: entity.name,
            tax_id: entity.tax_id,
            country: entity.country,
            home_currency: entity.home_currency.map(|currency| currency.to_string()),
        }
    }
}

/// A legal entity as entered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalEntityInputBody {
    /// 1 to 200 characters.
    pub name: String,
    /// At most 40 characters.
    #[serde(default)]
    pub tax_id: Option<String>,
    /// ISO 3166 alpha-2.
    #[serde(default)]
    pub country: Option<String>,
    /// ISO 4217.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub home_currency: Option<Currency>,
}

impl From<LegalEntityInputBody> for EntityInput {
    fn from(body: LegalEntityInputBody) -> Self {
        Self { name: body.name, tax_id: body.tax_id, country: body.country, home_currency: body.home_currency }
    }
}
