//! Visits out of a CSV file. Each row has its own result; importing the same file again changes nothing.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{Change, CustomerInput, VisitError, VisitInput, moment, put_customer, put_visit, require_writer};
use crate::{
    app::App,
    domain::{
        field::UnknownWord,
        ids::{PersonId, VisitId},
        journal::Manner,
        person::Actor,
        time::Timestamp,
        visit::{CustomerType, VisitPurpose},
    },
    extract::fold::fold_name,
    people::UserName,
    store::{StoreError, Tx, customers, organisation, people, visits},
};

/// Most bytes of a file.
pub const MAX_IMPORT_BYTES: usize = 8 * 1024 * 1024;
/// Most rows of a file.
pub const MAX_IMPORT_ROWS: usize = 10_000;
/// Rows per transaction: a few tens of milliseconds of SQLite's one writer.
const CHUNK: usize = 100;

const REQUIRED: &[&str] = &["external_id", "customer", "purpose", "starts_at"];
const OPTIONAL: &[&str] = &["customer_type", "ends_at", "place", "attendees", "owner"];

/// Why no row was looked at.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The database. Rows before the failure are stored; importing the file again goes on.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor's roles do not allow it.
    #[error("auditors only look")]
    NotAllowed,
    /// Too big.
    #[error("the file has more than {} MiB: split it", MAX_IMPORT_BYTES / 1024 / 1024)]
    TooLarge,
    /// Too many rows.
    #[error("the file has more than {MAX_IMPORT_ROWS} rows: split it")]
    TooManyRows,
    /// Another encoding.
    #[error("the file is not UTF-8: save it as `CSV UTF-8`")]
    NotUtf8,
    /// A needed column is not there.
    #[error("the column `{0}` is missing; needed are external_id, customer, purpose, starts_at")]
    MissingColumn(&'static str),
    /// A column with a name that means nothing here, or one that is there twice.
    #[error(
        "the column `{0}` is unknown or there twice; besides the needed ones there are customer_type, ends_at, place, attendees, owner"
    )]
    UnknownColumn(String),
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowResult {
    /// Line of the file it begins on, the header being 1.
    pub line: u64,
    /// The row's external id, when it has one.
    pub external_id: Option<String>,
    /// The outcome.
    pub outcome: RowOutcome,
}

/// Created, changed, as it was, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// A new visit.
    Created(VisitId),
    /// A visit known by its external id was changed.
    Updated(VisitId),
    /// A visit known by its external id was as the row says.
    Unchanged(VisitId),
    /// Nothing was stored of this row.
    Refused(RowProblem),
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// Quotes or the number of columns are wrong.
    #[error("the row cannot be read as CSV: {0}")]
    Malformed(String),
    /// A needed cell is empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// Customer type or purpose outside the list.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// Not an instant.
    #[error("`{text}` in `{column}` is not a date and time: write `2026-11-23 09:30`")]
    Moment {
        /// The column.
        column: &'static str,
        /// The cell, cut to 40 characters.
        text: String,
    },
    /// Nobody with this user name, or disabled.
    #[error("there is no active person with user name `{0}`")]
    NoSuchOwner(String),
    /// A customer not known yet needs a type.
    #[error("the customer is new: say in `customer_type` whether it is new, existing or potential")]
    CustomerTypeNeeded,
    /// What the rules of visits say.
    #[error("{0}")]
    Refused(String),
}

/// One row, parsed before any transaction.
struct Row {
    customer: String,
    customer_type: Option<CustomerType>,
    owner: Option<String>,
    external_id: String,
    purpose: VisitPurpose,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    place: Option<String>,
    attendees: Vec<String>,
}

/// Imports visits. The file is right about every column but the note: an empty cell empties the value. Columns, in any order: `external_id, customer, purpose, starts_at` and optionally `customer_type,
/// ends_at, place, attendees, owner` (a user name; the actor when empty). Attendees are separated by `;` or `、`.
/// Comma, semicolon and tab files are understood; times without offset are the organisation's.
/// Customers are found by name and created when a type is given.
pub async fn import_csv(app: &App, actor: &Actor, bytes: &[u8]) -> Result<Vec<RowResult>, ImportError> {
    require_writer(actor).map_err(|_| ImportError::NotAllowed)?;
    let zone = organisation::find(&mut app.db.read().await?).await?.map(|o| o.time_zone);
    let zone = zone.and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC);
    let rows = parse(bytes, &zone)?;
    let mut results = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut tx = app.db.write().await?;
        let mut chunk = Vec::with_capacity(CHUNK);
        for (line, external_id, row) in rows.by_ref().take(CHUNK) {
            let outcome = match row {
                Ok(row) => store(app, &mut tx, actor, row).await?,
                Err(problem) => RowOutcome::Refused(problem),
            };
            chunk.push(RowResult { line, external_id, outcome });
        }
        tx.commit().await?;
        results.append(&mut chunk);
    }
    Ok(results)
}

/// Stores one row; only the database's failure is an error. Everything is checked before the first write of a row,
/// except what [`put_visit`] itself refuses: then at most a new customer stays behind, which is true all the same.
async fn store(app: &App, tx: &mut Tx, actor: &Actor, row: Row) -> Result<RowOutcome, StoreError> {
    let owner_id = match &row.owner {
        None => None,
        Some(name) => match owner(tx, name).await? {
            Some(id) => Some(id),
            None => return Ok(RowOutcome::Refused(RowProblem::NoSuchOwner(name.clone()))),
        },
    };
    if owner_id.as_ref().is_some_and(|owner| !super::may_touch(actor, owner)) {
        return Ok(RowOutcome::Refused(RowProblem::Refused(VisitError::NotAllowed.to_string())));
    }
    let known = customers::find_by_name_key(tx, &fold_name(&row.customer)).await?;
    let customer = match (known, row.customer_type) {
        (Some(known), None) => Ok(known),
        (Some(known), Some(kind)) if known.customer_type == kind => Ok(known),
        (Some(known), Some(customer_type)) => {
            let input = CustomerInput { name: known.name.clone(), customer_type, external_id: None };
            super::change_customer(app, tx, actor, Manner::Bulk, known, input).await
        }
        (None, None) => return Ok(RowOutcome::Refused(RowProblem::CustomerTypeNeeded)),
        (None, Some(customer_type)) => {
            let input = CustomerInput { name: row.customer, customer_type, external_id: None };
            put_customer(app, tx, actor, Manner::Bulk, input).await
        }
    };
    let customer = match refusal(customer)? {
        Ok(customer) => customer,
        Err(problem) => return Ok(RowOutcome::Refused(problem)),
    };
    // A note is written by people only: the file has no column for it and must not wipe it.
    let note = visits::find_by_external_id(tx, &row.external_id).await?.and_then(|visit| visit.note);
    let input = VisitInput {
        customer_id: customer.id,
        owner_id,
        purpose: row.purpose,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        place: row.place,
        attendees: row.attendees,
        note,
        external_id: Some(row.external_id),
    };
    Ok(match refusal(put_visit(app, tx, actor, Manner::Bulk, input).await)? {
        Ok((visit, Change::Created)) => RowOutcome::Created(visit.id),
        Ok((visit, Change::Updated)) => RowOutcome::Updated(visit.id),
        Ok((visit, Change::Unchanged)) => RowOutcome::Unchanged(visit.id),
        Err(problem) => RowOutcome::Refused(problem),
    })
}

/// Tells the database's failure from what concerns this row only.
fn refusal<T>(outcome: Result<T, VisitError>) -> Result<Result<T, RowProblem>, StoreError> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(VisitError::Store(error)) => Err(error),
        Err(error) => Ok(Err(RowProblem::Refused(error.to_string()))),
    }
}

async fn owner(tx: &mut Tx, name: &str) -> Result<Option<PersonId>, StoreError> {
    let Ok(name) = name.parse::<UserName>() else { return Ok(None) };
    let person = people::find_by_user_name(tx, name.as_str()).await?;
    Ok(person.filter(|person| person.disabled_at.is_none()).map(|person| person.id))
}

/// A row of the file: the line it begins on, its external id, and what it says.
type Parsed = (u64, Option<String>, Result<Row, RowProblem>);

fn parse(bytes: &[u8], zone: &TimeZone) -> Result<Vec<Parsed>, ImportError> {
    if bytes.len() > MAX_IMPORT_BYTES {
        return Err(ImportError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::NotUtf8)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter(text)).trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = columns(reader.headers().map_err(|_| ImportError::NotUtf8)?)?;
    let mut rows = Vec::new();
    let mut last_line = 1;
    for record in reader.records() {
        if rows.len() == MAX_IMPORT_ROWS {
            return Err(ImportError::TooManyRows);
        }
        match record {
            Err(error) => {
                let line = error.position().map_or(last_line + 1, csv::Position::line);
                last_line = line;
                rows.push((line, None, Err(RowProblem::Malformed(error.to_string()))));
            }
            Ok(record) => {
                let line = record.position().map_or(last_line + 1, csv::Position::line);
                last_line = line;
                let cell = |name: &'static str| {
                    columns.get(name).and_then(|&at| record.get(at)).filter(|text| !text.is_empty())
                };
                rows.push((line, cell("external_id").map(str::to_owned), row(cell, zone)));
            }
        }
    }
    Ok(rows)
}

fn row<'a>(cell: impl Fn(&'static str) -> Option<&'a str>, zone: &TimeZone) -> Result<Row, RowProblem> {
    let required = |name| cell(name).ok_or(RowProblem::Empty(name));
    let moment = |column, text: &str| {
        moment::parse(text, zone).ok_or_else(|| RowProblem::Moment { column, text: text.chars().take(40).collect() })
    };
    let attendees = cell("attendees").unwrap_or_default().split([';', '；', '、']);
    Ok(Row {
        customer: required("customer")?.to_owned(),
        customer_type: cell("customer_type").map(|text| text.to_lowercase().parse()).transpose()?,
        owner: cell("owner").map(str::to_owned),
        external_id: required("external_id")?.to_owned(),
        purpose: required("purpose")?.to_lowercase().parse()?,
        starts_at: moment("starts_at", required("starts_at")?)?,
        ends_at: cell("ends_at").map(|text| moment("ends_at", text)).transpose()?,
        place: cell("place").map(str::to_owned),
        attendees: attendees.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
    })
}

/// The one of comma, semicolon and tab that the header has most of; spreadsheets of different countries differ.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |delimiter: u8| header.matches(char::from(delimiter)).count();
    [b';', b'\t'].into_iter().fold(b',', |best, other| if count(other) > count(best) { other } else { best })
}

fn columns(header: &csv::StringRecord) -> Result<BTreeMap<&'static str, usize>, ImportError> {
    let mut columns = BTreeMap::new();
    for (at, name) in header.iter().enumerate() {
        let folded = name.to_lowercase();
        let known = REQUIRED.iter().chain(OPTIONAL).find(|known| **known == folded);
        if known.is_none_or(|known| columns.insert(*known, at).is_some()) {
            return Err(ImportError::UnknownColumn(name.chars().take(40).collect()));
        }
    }
    match REQUIRED.iter().find(|name| !columns.contains_key(*name)) {
        Some(missing) => Err(ImportError::MissingColumn(missing)),
        None => Ok(columns),
    }
}
