//! Who sees and changes what. The rules are here once; lists put them into the query, single drafts check them after loading.

use crate::{
    domain::{
        draft::DraftState,
        ids::PersonId,
        person::{Actor, Role},
    },
    store::{
        StoreError, Tx, people,
        receipts::{Filter, ReceiptRow},
    },
};

/// Whether the actor sees the receipt.
pub async fn may_see(tx: &mut Tx, actor: &Actor, row: &ReceiptRow) -> Result<bool, StoreError> {
    may_see_of(tx, actor, &row.owner_id).await
}

/// Whether the actor sees what is `owner`'s: owners their own; reviewers what is of their units; admins and auditors all.
pub async fn may_see_of(tx: &mut Tx, actor: &Actor, owner: &PersonId) -> Result<bool, StoreError> {
    if *owner == actor.id || actor.is(Role::Admin) || actor.is(Role::Auditor) {
        return Ok(true);
    }
    if !actor.is(Role::Reviewer) {
        return Ok(false);
    }
    if actor.units.is_empty() {
        return Ok(true);
    }
    let owner = people::find(tx, owner).await?;
    Ok(owner.is_some_and(|owner| owner.units.iter().any(|unit| actor.units.contains(unit))))
}

/// A filter narrowed to what the actor sees.
pub fn visible_filter(actor: &Actor, mut filter: Filter) -> Filter {
    if !actor.sees_others() {
        filter.owner = Some(actor.id.clone());
    } else if !actor.is(Role::Admin) && !actor.is(Role::Auditor) && !actor.units.is_empty() {
        filter.units = Some(actor.units.iter().cloned().collect());
    }
    filter
}

/// Whether the actor may change fields now: the owner while it is with them, a reviewer while it is in the queue.
pub fn may_edit(actor: &Actor, row: &ReceiptRow) -> Result<(), &'static str> {
    let is_own = row.owner_id == actor.id;
    match row.state {
        DraftState::Draft | DraftState::Returned if is_own || actor.is(Role::Reviewer) => Ok(()),
        DraftState::Submitted if actor.is(Role::Reviewer) => Ok(()),
        DraftState::Submitted if is_own => Err("the draft is with the reviewers: withdraw it to change it"),
        DraftState::Draft | DraftState::Returned | DraftState::Submitted => {
            Err("only its owner or a reviewer may change this draft")
        }
        // The machine names the state in its own refusal.
        DraftState::Confirmed | DraftState::Rejected | DraftState::Withdrawn | DraftState::Merged => Ok(()),
    }
}
