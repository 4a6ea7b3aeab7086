//! Corrections: a person says what a field is. What was proposed stays beside it.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    ReviewError, access,
    current::{current_values, draft_fields},
};
use crate::{
    app::App,
    domain::{
        draft::Event,
        field::{FieldKey, FieldValue},
        ids::{DecisionId, ReceiptId},
        journal::Manner,
        money::Money,
        person::{Actor, Role},
        visit::VisitChoice,
    },
    findings,
    store::{
        Tx, categories, fields,
        fields::DecisionRow,
        receipts::{self, ReceiptRow},
        visits,
    },
};

/// What a person wants changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    /// New canonical values; `None` clears a field.
    pub fields: BTreeMap<FieldKey, Option<String>>,
    /// Which visit it is for, when that changes.
    pub visit: Option<VisitChoice>,
}

/// The most receipts one bulk act names.
pub const MAX_BULK: usize = 500;

/// Changes fields or the visit of a draft at `revision`. Returns the receipt afterwards.
pub async fn edit(
    app: &App,
    actor: &Actor,
    id: &ReceiptId,
    revision: i64,
    change: &Edit,
) -> Result<ReceiptRow, ReviewError> {
    let mut tx = app.db.write().await?;
    let receipt = edit_in(app, &mut tx, actor, id, Some(revision), change, Manner::Singly).await?;
    tx.commit().await?;
    Ok(receipt)
}

/// Names the same visit (or none) for many drafts; all or nothing. Returns how many changed.
pub async fn set_visit_of_many(
    app: &App,
    actor: &Actor,
    ids: &[ReceiptId],
    visit: &VisitChoice,
) -> Result<usize, ReviewError> {
    if ids.len() > MAX_BULK {
        return Err(ReviewError::Forbidden("at most 500 receipts can be changed at once"));
    }
    let change = Edit { fields: BTreeMap::new(), visit: Some(visit.clone()) };
    let mut tx = app.db.write().await?;
    for id in ids {
        edit_in(app, &mut tx, actor, id, None, &change, Manner::Bulk).await?;
    }
    tx.commit().await?;
    Ok(ids.len())
}

async fn edit_in(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    id: &ReceiptId,
    revision: Option<i64>,
    change: &Edit,
    manner: Manner,
) -> Result<ReceiptRow, ReviewError> {
    let now = app.now();
    let row = load(tx, actor, id, revision).await?;
    access::may_edit(actor, &row).map_err(ReviewError::Forbidden)?;
    let draft = row.draft().apply(Event::Edited { by: actor.id.clone(), at: now })?;

    let mut proposed = Vec::new();
    if let Some(reading) = &row.reading_id {
        proposed = fields::list(tx, id, reading).await?;
    }
    let mut before = draft_fields(proposed, fields::decisions(tx, id).await?);
    let mut journalled = serde_json::Map::new();
    for (key, value) in &change.fields {
        let value = match value {
            Some(text) => Some(FieldValue::parse(*key, text)?.to_string()),
            None => None,
        };
        if *key == FieldKey::Category
            && let Some(code) = &value
            && categories::find_by_code(tx, code).await?.is_none_or(|category| !category.is_active)
        {
            return Err(ReviewError::UnknownCategory(code.clone()));
        }
        let field = before.get(key);
        let old = field.and_then(|f| f.value().map(str::to_owned));
        let proposal = field.and_then(|f| f.proposed.as_ref());
        let decision = DecisionRow {
            id: app.id::<DecisionId>(),
            receipt_id: id.clone(),
            revision: draft.revision,
            key: *key,
            value: value.clone(),
            decided_by: actor.id.clone(),
            decided_at: now,
            manner: manner.as_str().to_owned(),
            reading_id: row.reading_id.clone(),
            proposed_value: proposal.map(|p| p.value.clone()),
            proposed_p: proposal.map(|p| p.p),
        };
        fields::decide(tx, &decision).await?;
        journalled.insert(
            key.to_string(),
            json!({ "from": old, "to": value, "proposed": proposal.map(|p| &p.value), "p": proposal.map(|p| p.p) }),
        );
        before.entry(*key).or_insert(super::DraftField { proposed: None, decided: None }).decided = Some(decision);
    }
    let current = current_values(&before);
    // Refuse 12.345 EUR now, when the person who typed it is looking, rather than at confirmation.
    if let (Some(total), Some(currency)) = (&current.total, current.currency) {
        Money::parse(total, currency)?;
    }
    if let Some(visit) = &change.visit {
        check_visit(tx, actor, &row, visit).await?;
        receipts::set_visit(tx, id, visit).await?;
        journalled.insert("visit".to_owned(), visit_json(visit));
    }
    if !receipts::update(tx, &draft, row.revision, now).await? {
        return Err(conflict(tx, id).await?);
    }
    receipts::set_current(tx, id, &current).await?;
    if !change.fields.is_empty() {
        findings::refresh(app, tx, id).await?;
    }
    let entry = app.entry(
        Some(&actor.id),
        manner,
        "draft.edited",
        ("receipt", id.as_str()),
        json!({ "revision": draft.revision, "changes": journalled }),
    );
    app.record(tx, &entry).await?;
    receipts::find(tx, id).await?.ok_or_else(|| ReviewError::NoSuchDraft(id.clone()))
}

/// A visit can be named by who made it, and by reviewers and admins.
async fn check_visit(tx: &mut Tx, actor: &Actor, row: &ReceiptRow, visit: &VisitChoice) -> Result<(), ReviewError> {
    let VisitChoice::Visit(visit_id) = visit else { return Ok(()) };
    let unknown = || ReviewError::UnknownVisit(visit_id.clone());
    let found = visits::find(tx, visit_id).await?.ok_or_else(unknown)?;
    let may_name = found.owner_id == row.owner_id || actor.is(Role::Reviewer) || actor.is(Role::Admin);
    if may_name { Ok(()) } else { Err(unknown()) }
}

pub(super) fn visit_json(visit: &VisitChoice) -> serde_json::Value {
    match visit {
        VisitChoice::Undecided => serde_json::Value::Null,
        VisitChoice::NoVisit => json!("none"),
        VisitChoice::Visit(id) => json!(id.as_str()),
    }
}

/// Loads a draft the actor sees, at the revision they saw.
pub(super) async fn load(
    tx: &mut Tx,
    actor: &Actor,
    id: &ReceiptId,
    revision: Option<i64>,
) -> Result<ReceiptRow, ReviewError> {
    let no_such = || ReviewError::NoSuchDraft(id.clone());
    let row = receipts::find(tx, id).await?.ok_or_else(no_such)?;
    if !access::may_see(tx, actor, &row).await? {
        return Err(no_such());
    }
    match revision {
        Some(seen) if seen != row.revision => Err(ReviewError::Conflict { state: row.state, revision: row.revision }),
        _ => Ok(row),
    }
}

/// The conflict to report when an update matched no row.
pub(super) async fn conflict(tx: &mut Tx, id: &ReceiptId) -> Result<ReviewError, ReviewError> {
    let row = receipts::find(tx, id).await?.ok_or_else(|| ReviewError::NoSuchDraft(id.clone()))?;
    Ok(ReviewError::Conflict { state: row.state, revision: row.revision })
}
