//! Legal entities: whom supplier invoices are made out to.

use serde_json::json;

use super::{MAX_NAME_CHARS, OrganisationError, line, note, require_admin};
use crate::{
    app::App,
    domain::{ids::LegalEntityId, money::Currency, person::Actor},
    store::organisation::{self, LegalEntity},
};

/// Most characters of a tax number.
const MAX_TAX_ID_CHARS: usize = 40;

/// A legal entity as entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityInput {
    /// Registered name, 1 to 200 characters.
    pub name: String,
    /// Tax number, at most 40 characters.
    pub tax_id: Option<String>,
    /// ISO 3166 alpha-2.
    pub country: Option<String>,
    /// When it differs from the organisation's.
    pub home_currency: Option<Currency>,
}

/// Adds a legal entity.
pub async fn add_entity(app: &App, actor: &Actor, input: EntityInput) -> Result<LegalEntity, OrganisationError> {
    require_admin(actor)?;
    let blank = LegalEntity {
        id: app.id::<LegalEntityId>(),
        name: String::new(),
        tax_id: None,
        country: None,
        home_currency: None,
        created_at: app.now(),
    };
    let entity = checked(blank, input)?;
    let mut tx = app.db.write().await?;
    organisation::put_legal_entity(&mut tx, &entity).await?;
    let subject = ("legal_entity", entity.id.as_str());
    note(app, &mut tx, actor, "legal_entity.added", subject, content(&entity)).await?;
    tx.commit().await?;
    Ok(entity)
}

/// Changes everything about a legal entity but its id.
pub async fn change_entity(
    app: &App,
    actor: &Actor,
    id: &LegalEntityId,
    input: EntityInput,
) -> Result<LegalEntity, OrganisationError> {
    require_admin(actor)?;
    let mut tx = app.db.write().await?;
    let before = organisation::find_legal_entity(&mut tx, id).await?;
    let before = before.ok_or_else(|| OrganisationError::NoSuchEntity(id.clone()))?;
    let after = checked(before.clone(), input)?;
    if after != before {
        organisation::put_legal_entity(&mut tx, &after).await?;
        let body = json!({"before": content(&before), "after": content(&after)});
        note(app, &mut tx, actor, "legal_entity.changed", ("legal_entity", id.as_str()), body).await?;
        tx.commit().await?;
    }
    Ok(after)
}

fn checked(entity: LegalEntity, input: EntityInput) -> Result<LegalEntity, OrganisationError> {
    let country = input.country.map(|text| text.trim().to_uppercase()).filter(|text| !text.is_empty());
    if country.as_ref().is_some_and(|code| code.len() != 2 || !code.chars().all(|c| c.is_ascii_uppercase())) {
        return Err(OrganisationError::Invalid { what: "a country", rule: "two letters of ISO 3166 such as CH" });
    }
    let tax_id = input.tax_id.filter(|text| !text.trim().is_empty());
    let tax_rule = "1 to 40 characters on one line";
    Ok(LegalEntity {
        name: line("a legal entity's name", &input.name, MAX_NAME_CHARS, "1 to 200 characters on one line")?,
        tax_id: tax_id.map(|text| line("a tax number", &text, MAX_TAX_ID_CHARS, tax_rule)).transpose()?,
        country,
        home_currency: input.home_currency,
        ..entity
    })
}

fn content(entity: &LegalEntity) -> serde_json::Value {
    json!({"name": entity.name, "tax_id": entity.tax_id, "country": entity.country,
        "home_currency": entity.home_currency})
}
