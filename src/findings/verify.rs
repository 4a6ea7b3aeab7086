//! 查验: what the tax bureau says of an invoice. Recorded by hand, imported in a batch, or asked of a provider.
//!
//! Vouch never calls an invoice genuine because it reads well: only an answer recorded here does.

use serde_json::json;

use super::{refresh, subject::number_key};
use crate::{
    app::App,
    domain::{
        field::{FieldKey, UnknownWord},
        finding::VerificationOutcome,
        ids::{PersonId, VerificationId},
        journal::Manner,
        money::Currency,
        person::{Actor, Role},
        time::CivilDate,
    },
    store::{
        StoreError, Tx, fields,
        findings::{self, VerificationRow},
        people,
        receipts::ReceiptRow,
    },
};

/// Lines of one imported batch.
pub const MAX_BATCH: usize = 5_000;
/// Bytes of one batch: as many lines of about two hundred characters.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// Characters of a note.
const MAX_NOTE_CHARS: usize = 500;
/// Receipts with one invoice number that are refreshed.
const MAX_SAME: usize = 50;

/// Why an answer was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Only reviewers and admins record answers.
    #[error("only reviewers and admins record what the tax bureau said")]
    Forbidden,
    /// Nobody says of their own invoice that it is genuine, while somebody else could.
    #[error("this is your own invoice: leave it to another reviewer")]
    Own,
    /// The draft has no number to ask about.
    #[error("the draft has no invoice number: enter it first")]
    NoNumber,
    /// The batch is too long.
    #[error("a batch holds at most {MAX_BATCH} lines")]
    TooMany,
    /// A line of the batch is not understood.
    #[error("line {line} of the batch: {what}")]
    Line {
        /// 1-based.
        line: usize,
        /// Why.
        what: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a provider is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// Number in comparable form.
    pub number: String,
    /// Code of an older invoice.
    pub code: Option<String>,
    /// Date of issue.
    pub issued_on: Option<CivilDate>,
    /// Total, as decimal text.
    pub total: Option<String>,
    /// Net, as decimal text: older special invoices are asked for with it.
    pub net: Option<String>,
    /// Currency.
    pub currency: Option<Currency>,
}

/// What a provider answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What the bureau says.
    pub outcome: VerificationOutcome,
    /// What else it says, for people.
    pub note: Option<String>,
}

/// Why a provider had no answer: the invoice stays unverified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the verification service gave no answer: {0}")]
pub struct ProviderError(pub String);

/// A service that asks the tax bureau. Vouch ships none; an organisation that has a contract with one implements this.
pub trait Provider: Send + Sync {
    /// Its name, as it stands beside the answer.
    fn name(&self) -> &'static str;
    /// Asks about one invoice. Called outside of any transaction.
    fn ask(&self, invoice: &Invoice) -> impl Future<Output = Result<Verdict, ProviderError>> + Send;
}

/// Whether somebody may record what the tax bureau said at all: reviewers and admins.
pub fn may_record(actor: &Actor) -> bool {
    actor.is(Role::Reviewer) || actor.is(Role::Admin)
}

fn allow(actor: &Actor) -> Result<(), RecordError> {
    if may_record(actor) { Ok(()) } else { Err(RecordError::Forbidden) }
}

/// Whether `actor` may record by hand what the bureau said about the invoice of this owner: as with confirming, their own
/// is left to another reviewer, when there is one of the `active_reviewers`.
pub fn may_record_of(actor: &Actor, owner: &PersonId, active_reviewers: i64) -> bool {
    may_record(actor) && (*owner != actor.id || active_reviewers <= 1)
}

/// Records what a person read on the bureau's page about a draft's invoice.
pub async fn record_by_hand(
    app: &App,
    actor: &Actor,
    receipt: &ReceiptRow,
    outcome: VerificationOutcome,
    checked_on: Option<CivilDate>,
    note: Option<String>,
) -> Result<(), RecordError> {
    allow(actor)?;
    let mut tx = app.db.write().await?;
    let reviewers = people::count_active(&mut tx, Role::Reviewer).await?;
    if !may_record_of(actor, &receipt.owner_id, reviewers) {
        return Err(RecordError::Own);
    }
    let invoice = invoice_of(&mut tx, receipt).await?.ok_or(RecordError::NoNumber)?;
    let answer = Answer { outcome, checked_on, source: "by_hand", note };
    record(app, &mut tx, Some(&actor.id), &invoice.number, invoice.code, answer).await?;
    tx.commit().await?;
    Ok(())
}

/// Asks a provider about a draft's invoice and records the answer. `None` when the draft has no number.
pub async fn ask(
    app: &App,
    provider: &impl Provider,
    receipt: &ReceiptRow,
) -> Result<Option<Result<VerificationOutcome, ProviderError>>, StoreError> {
    let mut tx = app.db.read().await?;
    let Some(invoice) = invoice_of(&mut tx, receipt).await? else { return Ok(None) };
    drop(tx);
    let verdict = match provider.ask(&invoice).await {
        Ok(verdict) => verdict,
        Err(error) => return Ok(Some(Err(error))),
    };
    let mut tx = app.db.write().await?;
    let answer = Answer { outcome: verdict.outcome, checked_on: None, source: provider.name(), note: verdict.note };
    record(app, &mut tx, None, &invoice.number, invoice.code, answer).await?;
    tx.commit().await?;
    Ok(Some(Ok(verdict.outcome)))
}

/// Imports a batch: lines of `number,code,outcome,checked_on`, code and day may be empty, a heading is skipped.
/// All or nothing. Returns how many answers were recorded.
pub async fn import(app: &App, actor: &Actor, text: &str) -> Result<usize, RecordError> {
    allow(actor)?;
    let mut lines = Vec::new();
    for (index, line) in text.trim_start_matches('\u{FEFF}').lines().enumerate() {
        let is_heading = index == 0 && !line.chars().any(|c| c.is_ascii_digit());
        if line.trim().is_empty() || is_heading {
            continue;
        }
        if lines.len() >= MAX_BATCH {
            return Err(RecordError::TooMany);
        }
        lines.push(parse_line(line).map_err(|what| RecordError::Line { line: index + 1, what })?);
    }
    let mut tx = app.db.write().await?;
    for (number, code, outcome, checked_on) in &lines {
        let answer = Answer { outcome: *outcome, checked_on: *checked_on, source: "batch", note: None };
        record(app, &mut tx, Some(&actor.id), number, code.clone(), answer).await?;
    }
    tx.commit().await?;
    Ok(lines.len())
}

type Line = (String, Option<String>, VerificationOutcome, Option<CivilDate>);

fn parse_line(line: &str) -> Result<Line, String> {
    let mut cells = line.split([',', '\t', ';']).map(|cell| cell.trim().trim_matches('"'));
    let number = number_key(cells.next().unwrap_or(""));
    if number.len() < 6 {
        return Err("the invoice number is missing".to_owned());
    }
    let code = cells.next().map(number_key).filter(|code| !code.is_empty());
    let outcome = cells.next().unwrap_or("").parse().map_err(|error: UnknownWord| error.to_string())?;
    let checked_on = match cells.next().filter(|day| !day.is_empty()) {
        Some(day) => Some(day.parse().map_err(|_| "write the day as YYYY-MM-DD".to_owned())?),
        None => None,
    };
    Ok((number, code, outcome, checked_on))
}

/// An answer on its way into the database.
struct Answer {
    outcome: VerificationOutcome,
    checked_on: Option<CivilDate>,
    source: &'static str,
    note: Option<String>,
}

async fn record(
    app: &App,
    tx: &mut Tx,
    by: Option<&PersonId>,
    number: &str,
    code: Option<String>,
    answer: Answer,
) -> Result<(), StoreError> {
    let now = app.now();
    let row = VerificationRow {
        id: app.id::<VerificationId>(),
        number_key: number.to_owned(),
        invoice_code: code,
        outcome: answer.outcome,
        checked_on: answer.checked_on.unwrap_or_else(|| now.date_in("UTC")),
        source: answer.source.to_owned(),
        note: answer.note.map(|note| note.chars().take(MAX_NOTE_CHARS).collect()),
        recorded_by: by.cloned(),
        recorded_at: now,
    };
    findings::add_verification(tx, &row).await?;
    let manner = if by.is_some() { Manner::Singly } else { Manner::System };
    let body = json!({ "number": number, "outcome": row.outcome, "source": row.source });
    let entry = app.entry(by, manner, "invoice.verified", ("verification", row.id.as_str()), body);
    app.record(tx, &entry).await?;
    for receipt in findings::list_receipts_by_number(tx, number).await?.iter().take(MAX_SAME) {
        refresh::refresh(app, tx, receipt).await?;
    }
    Ok(())
}

/// What a draft's invoice is asked about with.
async fn invoice_of(tx: &mut Tx, receipt: &ReceiptRow) -> Result<Option<Invoice>, StoreError> {
    let row = findings::find_invoice(tx, &receipt.id).await?;
    let stored = row.as_ref().and_then(|row| row.number_key.clone());
    let number = stored.or_else(|| receipt.invoice_number.as_deref().map(number_key)).filter(|n| !n.is_empty());
    let Some(number) = number else { return Ok(None) };
    let net = match &receipt.reading_id {
        Some(reading) => fields::list(tx, &receipt.id, reading).await?.into_iter().find(|f| f.key == FieldKey::Net),
        None => None,
    };
    Ok(Some(Invoice {
        number,
        code: row.and_then(|row| row.facts.0.invoice_code),
        issued_on: receipt.issued_on,
        total: receipt.total.clone(),
        net: net.map(|field| field.value),
        currency: receipt.currency,
    }))
}
