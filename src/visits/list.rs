//! Which visits one sees: one's own; admins, auditors and reviewers of the whole organisation everybody's.

use crate::{
    app::App,
    domain::{
        ids::{CustomerId, PersonId, VisitId},
        person::{Actor, Role},
        time::Timestamp,
    },
    extract::fold::fold_name,
    store::{
        StoreError,
        visits::{self, Visit, VisitFilter},
    },
};

/// Most visits of a page.
pub const MAX_PAGE: u32 = 200;

/// What to look for; what is empty does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisitQuery {
    /// Only this person's; whoever sees only their own visits finds nothing under another's id.
    pub owner: Option<PersonId>,
    /// Only visits to this customer.
    pub customer: Option<CustomerId>,
    /// Part of the customer's name.
    pub text: String,
    /// Begun at or after.
    pub from: Option<Timestamp>,
    /// Begun before.
    pub until: Option<Timestamp>,
}

/// A page of visits.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedVisits {
    /// The latest first.
    pub visits: Vec<Visit>,
    /// Continue after this one; `None` on the last page.
    pub next: Option<(Timestamp, VisitId)>,
}

/// The visits the actor sees, the latest first; at most [`MAX_PAGE`] of `limit`.
pub async fn list_visits(
    app: &App,
    actor: &Actor,
    query: &VisitQuery,
    after: Option<(Timestamp, &VisitId)>,
    limit: u32,
) -> Result<ListedVisits, StoreError> {
    let limit = limit.clamp(1, MAX_PAGE) as usize;
    let owner = match &query.owner {
        asked if sees_all(actor) => asked.as_ref(),
        Some(other) if *other != actor.id => return Ok(ListedVisits { visits: Vec::new(), next: None }),
        _ => Some(&actor.id),
    };
    let part = fold_name(&query.text);
    let filter = VisitFilter {
        owner,
        customer: query.customer.as_ref(),
        customer_part: &part,
        from: query.from,
        until: query.until,
    };
    let mut tx = app.db.read().await?;
    // One more than the page tells whether there is another.
    let mut found = visits::search(&mut tx, filter, after, limit as i64 + 1).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|visit| (visit.starts_at, visit.id.clone()));
    Ok(ListedVisits { visits: found, next })
}

/// The visit, if the actor sees it.
pub async fn find_visit(app: &App, actor: &Actor, id: &VisitId) -> Result<Option<Visit>, StoreError> {
    let visit = visits::find(&mut app.db.read().await?, id).await?;
    Ok(visit.filter(|visit| visit.owner_id == actor.id || sees_all(actor)))
}

fn sees_all(actor: &Actor) -> bool {
    let reviews_all = actor.is(Role::Reviewer) && actor.units.is_empty();
    actor.is(Role::Admin) || actor.is(Role::Auditor) || reviews_all
}
