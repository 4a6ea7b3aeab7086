//! Names beside ids: people, visits, categories, as pages show them.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use crate::{
    domain::{
        ids::{PersonId, VisitId},
        person::Language,
        time::{CivilDate, Timestamp},
        visit::VisitChoice,
    },
    store::{
        StoreError, Tx, categories, people,
        visits::{self, Visit, VisitFilter},
    },
    web::pages::shell::{Choice, VisitOption, VisitView},
};

/// Visits offered in a select: two months of three a day; what is typed finds one among them.
const MAX_VISITS: i64 = 200;
/// A visit this near to a receipt's day is offered first: one pays for the journey the day before, the hotel after.
const NEAR: Duration = Duration::from_hours(3 * 24);
/// Most of those.
const MAX_NEAR: i64 = 10;
/// People offered in a filter.
const MAX_PEOPLE: i64 = 2_000;

/// Display names of `ids`.
pub async fn of_people<'a>(
    tx: &mut Tx,
    ids: impl Iterator<Item = &'a PersonId>,
) -> Result<HashMap<PersonId, String>, StoreError> {
    let wanted: BTreeSet<PersonId> = ids.cloned().collect();
    let mut names = HashMap::new();
    for id in wanted {
        if let Some(person) = people::find(tx, &id).await? {
            names.insert(id, person.display_name);
        }
    }
    Ok(names)
}

/// Everybody, as choices of a filter.
pub async fn people_choices(tx: &mut Tx) -> Result<Vec<Choice>, StoreError> {
    let all = people::list(tx, None, MAX_PEOPLE).await?;
    Ok(all.into_iter().map(|p| Choice { value: p.id.to_string(), label: p.display_name }).collect())
}

/// Active categories in the language, as choices.
pub async fn category_choices(tx: &mut Tx, language: Language) -> Result<Vec<Choice>, StoreError> {
    let all = categories::list(tx, true).await?;
    Ok(all
        .into_iter()
        .map(|category| Choice {
            value: category.code,
            label: match language {
                Language::En => category.name_en,
                Language::Zh => category.name_zh,
            },
        })
        .collect())
}

/// A person's recent visits.
pub async fn visit_options(tx: &mut Tx, owner: &PersonId, zone: &str) -> Result<Vec<VisitOption>, StoreError> {
    let recent = visits::list_recent(tx, owner, MAX_VISITS).await?;
    Ok(recent.iter().map(|visit| option(visit, zone)).collect())
}

/// A person's visits for a receipt of `day`: those around that day first, the nearest at the top, then the recent ones.
pub async fn visit_options_about(
    tx: &mut Tx,
    owner: &PersonId,
    day: Option<CivilDate>,
    zone: &str,
) -> Result<Vec<VisitOption>, StoreError> {
    let noon = day.and_then(|day| format!("{day}T12:00:00Z").parse::<jiff::Timestamp>().ok()).map(Timestamp::from);
    let mut near = Vec::new();
    if let Some(noon) = noon {
        let (from, until) = (Some(noon.minus(NEAR)), Some(noon.plus(NEAR)));
        let filter = VisitFilter { owner: Some(owner), customer: None, customer_part: "", from, until };
        near = visits::search(tx, filter, None, MAX_NEAR).await?;
        near.sort_by_key(|visit| visit.starts_at.as_micros().abs_diff(noon.as_micros()));
    }
    let mut options: Vec<VisitOption> = near.iter().map(|visit| option(visit, zone)).collect();
    let others =
        visit_options(tx, owner, zone).await?.into_iter().filter(|recent| near.iter().all(|v| v.id != recent.id));
    options.extend(others);
    Ok(options)
}

/// A visit as an option.
pub fn option(visit: &Visit, zone: &str) -> VisitOption {
    VisitOption {
        id: visit.id.clone(),
        customer: visit.customer_name.clone(),
        on: Some(visit.starts_at.date_in(zone)),
        purpose: Some(visit.purpose),
    }
}

/// What a receipt is for, with the visit's name.
pub async fn visit_view(
    tx: &mut Tx,
    choice: &VisitChoice,
    zone: &str,
    known: &mut HashMap<VisitId, VisitOption>,
) -> Result<VisitView, StoreError> {
    let id = match choice {
        VisitChoice::Undecided => return Ok(VisitView::Undecided),
        VisitChoice::NoVisit => return Ok(VisitView::NoVisit),
        VisitChoice::Visit(id) => id,
    };
    if let Some(option) = known.get(id) {
        return Ok(VisitView::Visit(option.clone()));
    }
    let Some(visit) = visits::find(tx, id).await? else { return Ok(VisitView::Undecided) };
    let option = option(&visit, zone);
    known.insert(id.clone(), option.clone());
    Ok(VisitView::Visit(option))
}

/// The visit a select's value means: empty, `none` or an id. `None` when it is none of these.
pub fn parse_visit(value: &str) -> Option<VisitChoice> {
    match value {
        "" => Some(VisitChoice::Undecided),
        "none" => Some(VisitChoice::NoVisit),
        id => id.parse().ok().map(VisitChoice::Visit),
    }
}
