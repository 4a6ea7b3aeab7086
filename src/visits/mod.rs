//! Customers and the visits to them: what people enter, and what they import from a CRM's or spreadsheet's CSV.

mod import;
mod list;
mod moment;

pub use import::{ImportError, MAX_IMPORT_BYTES, MAX_IMPORT_ROWS, RowOutcome, RowProblem, RowResult, import_csv};
pub use list::{ListedVisits, MAX_PAGE, VisitQuery, find_visit, list_visits};

use serde_json::json;

use crate::{
    app::App,
    domain::{
        ids::{CustomerId, PersonId, VisitId},
        journal::Manner,
        person::{Actor, Role},
        time::Timestamp,
        visit::{CustomerType, VisitPurpose},
    },
    extract::fold::fold_name,
    store::{
        Json, StoreError, Tx,
        customers::{self, Customer},
        people,
        visits::{self, Visit},
    },
};

/// Most characters of names, places and external ids.
const MAX_TEXT_CHARS: usize = 200;
/// Most characters of a note.
const MAX_NOTE_CHARS: usize = 2000;
/// Most attendees of a visit.
const MAX_ATTENDEES: usize = 50;

/// Why a customer or visit was not stored.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A text outside its rules.
    #[error("{what} must be {rule}")]
    Invalid {
        /// What.
        what: &'static str,
        /// What would be accepted.
        rule: &'static str,
    },
    /// A visit cannot end before it begins.
    #[error("the visit ends before it begins")]
    EndsFirst,
    /// No such customer.
    #[error("there is no customer `{0}`")]
    NoSuchCustomer(CustomerId),
    /// No such visit, or it is somebody else's.
    #[error("there is no visit `{0}`")]
    NoSuchVisit(VisitId),
    /// No such person, or disabled.
    #[error("there is no active person `{0}`")]
    NoSuchOwner(PersonId),
    /// Somebody was faster.
    #[error("the customer has changed meanwhile: it is at revision {} now; load it again", .0.revision)]
    CustomerChanged(Box<Customer>),
    /// Somebody was faster.
    #[error("the visit has changed meanwhile: it is at revision {} now; load it again", .0.revision)]
    VisitChanged(Box<Visit>),
    /// The actor's roles do not allow it.
    #[error("reps enter their own visits; admins those of others; auditors only look")]
    NotAllowed,
}

/// A customer as entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerInput {
    /// 1 to 200 characters.
    pub name: String,
    /// What it is to the organisation.
    pub customer_type: CustomerType,
    /// Its id in the CRM; decides which customer is meant. Ignored when changing one by id.
    pub external_id: Option<String>,
}

/// A visit as entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitInput {
    /// An existing customer.
    pub customer_id: CustomerId,
    /// Who made it; `None` for the actor (new) or whoever it is (changed).
    pub owner_id: Option<PersonId>,
    /// Why.
    pub purpose: VisitPurpose,
    /// When it began.
    pub starts_at: Timestamp,
    /// When it ended, not before it began.
    pub ends_at: Option<Timestamp>,
    /// Where.
    pub place: Option<String>,
    /// Who else was there, at most 50.
    pub attendees: Vec<String>,
    /// Anything else, at most 2,000 characters.
    pub note: Option<String>,
    /// Its id elsewhere. A new visit with a known one changes that visit; ignored when changing one by id.
    pub external_id: Option<String>,
}

/// Creates a customer, or changes the one with the same external id.
pub async fn create_customer(app: &App, actor: &Actor, input: CustomerInput) -> Result<Customer, VisitError> {
    require_writer(actor)?;
    let mut tx = app.db.write().await?;
    let customer = put_customer(app, &mut tx, actor, Manner::Singly, input).await?;
    tx.commit().await?;
    Ok(customer)
}

/// Changes name and type of a customer that is still at `revision`.
pub async fn update_customer(
    app: &App,
    actor: &Actor,
    id: &CustomerId,
    revision: i64,
    input: CustomerInput,
) -> Result<Customer, VisitError> {
    require_writer(actor)?;
    let mut tx = app.db.write().await?;
    let before = customers::find(&mut tx, id).await?.ok_or_else(|| VisitError::NoSuchCustomer(id.clone()))?;
    if before.revision != revision {
        return Err(VisitError::CustomerChanged(Box::new(before)));
    }
    let customer = change_customer(app, &mut tx, actor, Manner::Singly, before, input).await?;
    tx.commit().await?;
    Ok(customer)
}

/// Creates a visit, or changes the actor's one with the same external id.
pub async fn create_visit(app: &App, actor: &Actor, input: VisitInput) -> Result<Visit, VisitError> {
    require_writer(actor)?;
    let mut tx = app.db.write().await?;
    let (visit, _) = put_visit(app, &mut tx, actor, Manner::Singly, input).await?;
    tx.commit().await?;
    Ok(visit)
}

/// Changes a visit of the actor, or as an admin anybody's, that is still at `revision`.
pub async fn update_visit(
    app: &App,
    actor: &Actor,
    id: &VisitId,
    revision: i64,
    input: VisitInput,
) -> Result<Visit, VisitError> {
    require_writer(actor)?;
    let mut tx = app.db.write().await?;
    let before = visits::find(&mut tx, id).await?.filter(|visit| may_touch(actor, &visit.owner_id));
    let before = before.ok_or_else(|| VisitError::NoSuchVisit(id.clone()))?;
    if before.revision != revision {
        return Err(VisitError::VisitChanged(Box::new(before)));
    }
    let (visit, _) = change_visit(app, &mut tx, actor, Manner::Singly, before, input).await?;
    tx.commit().await?;
    Ok(visit)
}

/// What storing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Created,
    Updated,
    Unchanged,
}

async fn put_customer(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    manner: Manner,
    input: CustomerInput,
) -> Result<Customer, VisitError> {
    let external_id = optional("an external id", input.external_id.as_deref(), MAX_TEXT_CHARS)?;
    if let Some(external_id) = &external_id
        && let Some(before) = customers::find_by_external_id(tx, external_id).await?
    {
        return change_customer(app, tx, actor, manner, before, input).await;
    }
    let name = required("a customer's name", &input.name)?;
    let now = app.now();
    let mut customer = Customer {
        id: app.id::<CustomerId>(),
        name_key: fold_name(&name),
        name,
        customer_type: input.customer_type,
        external_id,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    customer.id = customers::upsert(tx, &customer).await?;
    let body = json!({"name": customer.name, "customer_type": customer.customer_type,
        "external_id": customer.external_id});
    note(app, tx, actor, manner, "customer.created", ("customer", customer.id.as_str()), body).await?;
    Ok(customer)
}

async fn change_customer(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    manner: Manner,
    before: Customer,
    input: CustomerInput,
) -> Result<Customer, VisitError> {
    let name = required("a customer's name", &input.name)?;
    if name == before.name && input.customer_type == before.customer_type {
        return Ok(before);
    }
    let after = Customer {
        name_key: fold_name(&name),
        name,
        customer_type: input.customer_type,
        updated_at: app.now(),
        ..before.clone()
    };
    if !customers::update(tx, &after).await? {
        // Changed between this transaction's read and its write: possible on PostgreSQL only.
        let now = customers::find(tx, &after.id).await?.ok_or_else(|| VisitError::NoSuchCustomer(after.id.clone()))?;
        return Err(VisitError::CustomerChanged(Box::new(now)));
    }
    let after = Customer { revision: before.revision + 1, ..after };
    let body = json!({
        "before": {"name": before.name, "customer_type": before.customer_type},
        "after": {"name": after.name, "customer_type": after.customer_type},
    });
    note(app, tx, actor, manner, "customer.updated", ("customer", after.id.as_str()), body).await?;
    Ok(after)
}

async fn put_visit(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    manner: Manner,
    input: VisitInput,
) -> Result<(Visit, Change), VisitError> {
    let external_id = optional("an external id", input.external_id.as_deref(), MAX_TEXT_CHARS)?;
    if let Some(external_id) = &external_id
        && let Some(before) = visits::find_by_external_id(tx, external_id).await?
    {
        if !may_touch(actor, &before.owner_id) {
            return Err(VisitError::NotAllowed);
        }
        return change_visit(app, tx, actor, manner, before, input).await;
    }
    let now = app.now();
    let blank = Visit {
        id: app.id::<VisitId>(),
        customer_id: input.customer_id.clone(),
        customer_name: String::new(),
        customer_type: CustomerType::Potential,
        owner_id: actor.id.clone(),
        purpose: input.purpose,
        starts_at: input.starts_at,
        ends_at: None,
        place: None,
        attendees: Json(vec![]),
        note: None,
        external_id,
        revision: 1,
        created_at: now,
        updated_at: now,
    };
    let mut visit = checked(tx, actor, blank, input, now).await?;
    visit.id = visits::upsert(tx, &visit).await?;
    note(app, tx, actor, manner, "visit.created", ("visit", visit.id.as_str()), content(&visit)).await?;
    Ok((visit, Change::Created))
}

async fn change_visit(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    manner: Manner,
    before: Visit,
    input: VisitInput,
) -> Result<(Visit, Change), VisitError> {
    let after = checked(tx, actor, before.clone(), input, app.now()).await?;
    let (was, is) = (content(&before), content(&after));
    if was == is {
        return Ok((before, Change::Unchanged));
    }
    if !visits::update(tx, &after).await? {
        // Changed between this transaction's read and its write: possible on PostgreSQL only.
        let now = visits::find(tx, &after.id).await?.ok_or_else(|| VisitError::NoSuchVisit(after.id.clone()))?;
        return Err(VisitError::VisitChanged(Box::new(now)));
    }
    let after = Visit { revision: before.revision + 1, ..after };
    let body = json!({"before": was, "after": is});
    note(app, tx, actor, manner, "visit.updated", ("visit", after.id.as_str()), body).await?;
    Ok((after, Change::Updated))
}

/// The visit with the input in it, after every rule.
async fn checked(
    tx: &mut Tx,
    actor: &Actor,
    visit: Visit,
    input: VisitInput,
    now: Timestamp,
) -> Result<Visit, VisitError> {
    let owner_id = input.owner_id.unwrap_or_else(|| visit.owner_id.clone());
    if !may_touch(actor, &owner_id) {
        return Err(VisitError::NotAllowed);
    }
    let owner = people::find(tx, &owner_id).await?;
    if owner.is_none_or(|owner| owner.disabled_at.is_some()) {
        return Err(VisitError::NoSuchOwner(owner_id));
    }
    let customer = customers::find(tx, &input.customer_id).await?;
    let customer = customer.ok_or_else(|| VisitError::NoSuchCustomer(input.customer_id.clone()))?;
    if input.ends_at.is_some_and(|end| end < input.starts_at) {
        return Err(VisitError::EndsFirst);
    }
    if input.attendees.len() > MAX_ATTENDEES {
        return Err(VisitError::Invalid { what: "attendees", rule: "at most 50" });
    }
    let attendees: Vec<String> =
        input.attendees.iter().map(|name| required("an attendee's name", name)).collect::<Result<_, _>>()?;
    Ok(Visit {
        customer_id: customer.id,
        customer_name: customer.name,
        customer_type: customer.customer_type,
        owner_id,
        purpose: input.purpose,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        place: optional("a place", input.place.as_deref(), MAX_TEXT_CHARS)?,
        attendees: Json(attendees),
        note: optional("a note", input.note.as_deref(), MAX_NOTE_CHARS)?,
        updated_at: now,
        ..visit
    })
}

fn content(visit: &Visit) -> serde_json::Value {
    json!({
        "customer": visit.customer_id, "owner": visit.owner_id, "purpose": visit.purpose,
        "starts_at": visit.starts_at, "ends_at": visit.ends_at, "place": visit.place,
        "attendees": visit.attendees.0, "note": visit.note, "external_id": visit.external_id,
    })
}

async fn note(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    manner: Manner,
    kind: &str,
    subject: (&'static str, &str),
    body: serde_json::Value,
) -> Result<(), StoreError> {
    app.record(tx, &app.entry(Some(&actor.id), manner, kind, subject, body)).await
}

fn require_writer(actor: &Actor) -> Result<(), VisitError> {
    let may = actor.is(Role::Rep) || actor.is(Role::Reviewer) || actor.is(Role::Admin);
    may.then_some(()).ok_or(VisitError::NotAllowed)
}

fn may_touch(actor: &Actor, owner: &PersonId) -> bool {
    actor.id == *owner || actor.is(Role::Admin)
}

fn required(what: &'static str, text: &str) -> Result<String, VisitError> {
    let text = text.trim();
    // A name of punctuation only would fold to nothing and be found by every search.
    if text.chars().count() > MAX_TEXT_CHARS || text.contains(char::is_control) || fold_name(text).is_empty() {
        return Err(VisitError::Invalid {
            what,
            rule: "1 to 200 characters on one line, letters or digits among them",
        });
    }
    Ok(text.to_owned())
}

fn optional(what: &'static str, text: Option<&str>, most: usize) -> Result<Option<String>, VisitError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > most || text.contains('\0') {
        return Err(VisitError::Invalid { what, rule: "shorter: at most 200 characters, 2,000 for a note" });
    }
    Ok(Some(text.to_owned()))
}
