//! Units: whose receipts a reviewer sees.

use serde_json::json;

use super::{MAX_NAME_CHARS, OrganisationError, line, note, require_admin};
use crate::{
    app::App,
    domain::{
        ids::{LegalEntityId, UnitId},
        person::Actor,
    },
    store::{
        Tx,
        organisation::{self, Unit},
    },
};

/// A unit as entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitInput {
    /// 1 to 200 characters.
    pub name: String,
    /// The unit above.
    pub parent_id: Option<UnitId>,
    /// The entity that pays for it.
    pub legal_entity_id: Option<LegalEntityId>,
}

/// Adds a unit.
pub async fn add_unit(app: &App, actor: &Actor, input: UnitInput) -> Result<Unit, OrganisationError> {
    require_admin(actor)?;
    let blank = Unit {
        id: app.id::<UnitId>(),
        legal_entity_id: None,
        parent_id: None,
        name: String::new(),
        created_at: app.now(),
    };
    let mut tx = app.db.write().await?;
    let unit = checked(&mut tx, blank, input).await?;
    organisation::put_unit(&mut tx, &unit).await?;
    note(app, &mut tx, actor, "unit.added", ("unit", unit.id.as_str()), content(&unit)).await?;
    tx.commit().await?;
    Ok(unit)
}

/// Renames a unit or moves it; reviewers of the units above see it from their next request on.
pub async fn change_unit(app: &App, actor: &Actor, id: &UnitId, input: UnitInput) -> Result<Unit, OrganisationError> {
    require_admin(actor)?;
    let mut tx = app.db.write().await?;
    let before = organisation::find_unit(&mut tx, id).await?;
    let before = before.ok_or_else(|| OrganisationError::NoSuchUnit(id.clone()))?;
    let after = checked(&mut tx, before.clone(), input).await?;
    if after != before {
        organisation::put_unit(&mut tx, &after).await?;
        let body = json!({"before": content(&before), "after": content(&after)});
        note(app, &mut tx, actor, "unit.changed", ("unit", id.as_str()), body).await?;
        tx.commit().await?;
    }
    Ok(after)
}

async fn checked(tx: &mut Tx, unit: Unit, input: UnitInput) -> Result<Unit, OrganisationError> {
    if let Some(parent) = &input.parent_id {
        if organisation::find_unit(tx, parent).await?.is_none() {
            return Err(OrganisationError::NoSuchUnit(parent.clone()));
        }
        if organisation::units_below(tx, &unit.id).await?.contains(parent) {
            return Err(OrganisationError::Circle);
        }
    }
    if let Some(entity) = &input.legal_entity_id
        && organisation::find_legal_entity(tx, entity).await?.is_none()
    {
        return Err(OrganisationError::NoSuchEntity(entity.clone()));
    }
    Ok(Unit {
        name: line("a unit's name", &input.name, MAX_NAME_CHARS, "1 to 200 characters on one line")?,
        parent_id: input.parent_id,
        legal_entity_id: input.legal_entity_id,
        ..unit
    })
}

fn content(unit: &Unit) -> serde_json::Value {
    json!({"name": unit.name, "parent": unit.parent_id, "legal_entity": unit.legal_entity_id})
}
