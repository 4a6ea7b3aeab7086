//! The list of categories. A code stays for ever, because models, memory and expenses refer to it; names, order and
//! whether it is offered may change.

use std::collections::BTreeSet;

use serde_json::json;

use super::{OrganisationError, line, note, own_id, require_admin};
use crate::{
    app::App,
    domain::{category::OTHER, ids::CategoryId, person::Actor},
    store::{
        Tx,
        categories::{self, Category},
    },
};

/// Most characters of a code.
const MAX_CODE_CHARS: usize = 40;
/// Most characters of a name.
const MAX_NAME_CHARS: usize = 80;

/// A category to be added at the end of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCategory {
    /// Lower-case letters, digits and `_`, beginning with a letter; at most 40.
    pub code: String,
    /// English name, 1 to 80 characters.
    pub name_en: String,
    /// Chinese name, 1 to 80 characters.
    pub name_zh: String,
}

/// What to change about a category; `None` leaves it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryChange {
    /// English name.
    pub name_en: Option<String>,
    /// Chinese name.
    pub name_zh: Option<String>,
    /// Whether it is offered for new drafts.
    pub is_active: Option<bool>,
    /// Place in the list, 0 first; past the end is the end.
    pub position: Option<usize>,
}

/// Adds a category behind the others.
pub async fn add_category(app: &App, actor: &Actor, new: NewCategory) -> Result<Category, OrganisationError> {
    require_admin(actor)?;
    let code = new.code.trim();
    let is_code = code.starts_with(|c: char| c.is_ascii_lowercase())
        && code.len() <= MAX_CODE_CHARS
        && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_code {
        let rule = "1 to 40 lower-case letters, digits or _, beginning with a letter";
        return Err(OrganisationError::Invalid { what: "a category code", rule });
    }
    let (name_en, name_zh) = (name(&new.name_en)?, name(&new.name_zh)?);
    let mut tx = app.db.write().await?;
    if categories::find_by_code(&mut tx, code).await?.is_some() {
        return Err(OrganisationError::CodeTaken(code.to_owned()));
    }
    let last = categories::list(&mut tx, false).await?.iter().map(|category| category.position).max();
    let category = Category {
        id: app.id::<CategoryId>(),
        code: code.to_owned(),
        name_en,
        name_zh,
        position: last.map_or(0, |last| last + 1),
        is_active: true,
        created_at: app.now(),
    };
    categories::put(&mut tx, &category).await?;
    let body = json!({"code": category.code, "name_en": category.name_en, "name_zh": category.name_zh});
    note(app, &mut tx, actor, "category.added", ("category", category.id.as_str()), body).await?;
    tx.commit().await?;
    Ok(category)
}

/// Renames, moves, offers or no longer offers a category.
pub async fn change_category(
    app: &App,
    actor: &Actor,
    code: &str,
    change: CategoryChange,
) -> Result<Category, OrganisationError> {
    require_admin(actor)?;
    let mut tx = app.db.write().await?;
    let before = found(&mut tx, code).await?;
    let after = Category {
        name_en: change.name_en.as_deref().map_or_else(|| Ok(before.name_en.clone()), name)?,
        name_zh: change.name_zh.as_deref().map_or_else(|| Ok(before.name_zh.clone()), name)?,
        is_active: change.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    if after.code == OTHER && !after.is_active {
        // Drafts nothing else fits fall back to it.
        return Err(OrganisationError::Invalid { what: "the category `other`", rule: "offered always" });
    }
    categories::put(&mut tx, &after).await?;
    if let Some(position) = change.position {
        let all = categories::list(&mut tx, false).await?;
        let mut codes: Vec<String> = all.into_iter().map(|c| c.code).filter(|other| other != code).collect();
        codes.insert(position.min(codes.len()), code.to_owned());
        categories::reorder(&mut tx, &codes).await?;
    }
    let after = found(&mut tx, code).await?;
    if after != before {
        let body = json!({"before": content(&before), "after": content(&after)});
        note(app, &mut tx, actor, "category.changed", ("category", after.id.as_str()), body).await?;
        tx.commit().await?;
    }
    Ok(after)
}

/// Puts the named categories first, in this order; the others keep theirs behind them. The whole list in its new order.
pub async fn reorder_categories(
    app: &App,
    actor: &Actor,
    codes: &[String],
) -> Result<Vec<Category>, OrganisationError> {
    require_admin(actor)?;
    let mut tx = app.db.write().await?;
    let all = categories::list(&mut tx, false).await?;
    let mut seen = BTreeSet::new();
    for code in codes {
        if !all.iter().any(|category| category.code == *code) {
            return Err(OrganisationError::NoSuchCategory(code.clone()));
        }
        if !seen.insert(code) {
            return Err(OrganisationError::NamedTwice(code.clone()));
        }
    }
    categories::reorder(&mut tx, codes).await?;
    let organisation = own_id(&mut tx).await?;
    let body = json!({ "first": codes });
    note(app, &mut tx, actor, "categories.reordered", ("organisation", &organisation), body).await?;
    let list = categories::list(&mut tx, false).await?;
    tx.commit().await?;
    Ok(list)
}

async fn found(tx: &mut Tx, code: &str) -> Result<Category, OrganisationError> {
    let category = categories::find_by_code(tx, code).await?;
    category.ok_or_else(|| OrganisationError::NoSuchCategory(code.chars().take(MAX_CODE_CHARS).collect()))
}

fn name(text: &str) -> Result<String, OrganisationError> {
    line("a category's name", text, MAX_NAME_CHARS, "1 to 80 characters on one line")
}

fn content(category: &Category) -> serde_json::Value {
    json!({"name_en": category.name_en, "name_zh": category.name_zh, "is_active": category.is_active,
        "position": category.position})
}
