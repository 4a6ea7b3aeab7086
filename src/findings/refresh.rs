//! Replaces findings in the transaction that changed a receipt.

use std::collections::BTreeSet;

use super::{
    against::{self, INVOICE_DAYS, Others, neighbours},
    alone,
    subject::{Subject, number_key},
    tolls::{self, TollList},
};
use crate::{
    app::App,
    domain::{
        draft::DraftState,
        finding::{Finding, InvoiceFacts, Severity},
        ids::ReceiptId,
        receipt::EvidenceKind,
        time::{CapturedAt, CivilDate},
    },
    store::{
        Json, StoreError, Tx, captures, fields,
        findings::{self, InvoiceRow, Peer},
        organisation, receipts,
    },
};

/// Legal entities a buyer is compared with.
const MAX_ENTITIES: i64 = 500;
/// Findings kept of one receipt.
const MAX_FINDINGS: usize = 40;
/// Other receipts refreshed because of one.
const MAX_OTHERS: usize = 60;

/// How many receipts got new findings.
pub type Touched = usize;

/// Keeps what a reading says of the invoice beyond its fields; call it before [`refresh`].
pub async fn set_facts(tx: &mut Tx, receipt: &ReceiptId, facts: &InvoiceFacts) -> Result<(), StoreError> {
    let original_key = facts.original_number.as_deref().map(number_key);
    let row = InvoiceRow {
        receipt_id: receipt.clone(),
        number_key: None,
        seller_key: None,
        original_key,
        facts: Json(facts.clone()),
    };
    findings::put_invoice(tx, &row).await
}

/// Checks a receipt again, and those its old and new findings name: a duplicate is a finding on both. A toll list that
/// one bill makes whole, or leaves in pieces, is a finding on its other bills as well.
pub async fn refresh(app: &App, tx: &mut Tx, id: &ReceiptId) -> Result<Touched, StoreError> {
    let mut first: BTreeSet<ReceiptId> = findings::list_naming(tx, id).await?.into_iter().collect();
    first.extend(named(tx, id).await?);
    let checked = refresh_one(app, tx, id).await?;
    first.extend(checked.named());
    first.extend(checked.lists);
    first.remove(id);
    let mut done = 1;
    let mut second = BTreeSet::new();
    for other in first.iter().take(MAX_OTHERS) {
        let before = named(tx, other).await?;
        let after = refresh_one(app, tx, other).await?.named();
        second.extend(before.symmetric_difference(&after).filter(|it| *it != id && !first.contains(*it)).cloned());
        done += 1;
    }
    for other in second.iter().take(MAX_OTHERS) {
        refresh_one(app, tx, other).await?;
        done += 1;
    }
    Ok(done)
}

/// Receipts that the stored findings of one name.
async fn named(tx: &mut Tx, id: &ReceiptId) -> Result<BTreeSet<ReceiptId>, StoreError> {
    Ok(findings::list(tx, id).await?.into_iter().filter_map(|row| row.other_receipt_id).collect())
}

/// What checking one receipt found.
#[derive(Debug, Default)]
struct Checked {
    findings: Vec<Finding>,
    /// Toll lists it may be a bill of: what they add up may be another choice of bills now.
    lists: Vec<ReceiptId>,
}

impl Checked {
    fn named(&self) -> BTreeSet<ReceiptId> {
        self.findings.iter().filter_map(|finding| finding.other.clone()).collect()
    }
}

async fn refresh_one(app: &App, tx: &mut Tx, id: &ReceiptId) -> Result<Checked, StoreError> {
    let Some(row) = receipts::find(tx, id).await? else { return Ok(Checked::default()) };
    let invoice = findings::find_invoice(tx, id).await?;
    let facts = invoice.map(|invoice| invoice.facts.0).unwrap_or_default();
    let proposed = match &row.reading_id {
        Some(reading) => fields::list(tx, id, reading).await?,
        None => Vec::new(),
    };
    let decided = fields::decisions(tx, id).await?;
    let zone = organisation::find(tx).await?.map_or_else(|| "UTC".to_owned(), |o| o.time_zone);
    let handed_in_on = match captures::find(tx, &row.capture_id).await? {
        Some(capture) => match (capture.captured_at, capture.captured_offset_minutes) {
            (Some(at), Some(offset)) => {
                CapturedAt { at, offset_minutes: i32::try_from(offset).unwrap_or(0) }.local_date()
            }
            _ => capture.created_at.date_in(&zone),
        },
        None => row.created_at.date_in(&zone),
    };
    let subject = Subject::new(&row, proposed, decided, facts, handed_in_on);
    let invoice = InvoiceRow {
        receipt_id: id.clone(),
        number_key: subject.number_key(),
        seller_key: subject.seller_key(),
        original_key: subject.facts.original_number.as_deref().map(number_key),
        facts: Json(subject.facts.clone()),
    };
    findings::put_invoice(tx, &invoice).await?;
    let checked = match row.state {
        // What is no longer anybody's expense needs no checks; a toll list may have one choice of bills less.
        DraftState::Merged | DraftState::Withdrawn | DraftState::Rejected => {
            let lists = toll_lists(tx, &subject, &mut Vec::new()).await?;
            Checked { findings: Vec::new(), lists }
        }
        DraftState::Draft | DraftState::Submitted | DraftState::Confirmed | DraftState::Returned => {
            check(tx, &subject, &invoice).await?
        }
    };
    findings::replace(tx, id, &checked.findings, app.now()).await?;
    Ok(checked)
}

async fn check(tx: &mut Tx, subject: &Subject, invoice: &InvoiceRow) -> Result<Checked, StoreError> {
    let entities = organisation::list_legal_entities(tx, MAX_ENTITIES).await?;
    let mut verified = None;
    let mut others = Others::default();
    let id = &subject.id;
    if let Some(number) = &invoice.number_key {
        let code = subject.facts.invoice_code.as_deref();
        verified = findings::last_verification(tx, number, code).await?;
        others.same_number = findings::list_by_numbers(tx, id, std::slice::from_ref(number), None).await?;
        others.cancelling = findings::list_by_original(tx, id, number).await?;
        let next = neighbours(number);
        if let Some(seller) = invoice.seller_key.as_deref().filter(|_| !next.is_empty()) {
            others.next_numbers = findings::list_by_numbers(tx, id, &next, Some(seller)).await?;
        }
    }
    if let Some(original) = &invoice.original_key {
        others.cancelled = findings::list_by_numbers(tx, id, std::slice::from_ref(original), None).await?;
    }
    if let (Some(total), Some(currency), Some(day)) = (subject.total_minor, subject.currency, subject.issued_on) {
        let days = around(day);
        others.same_amount = findings::list_by_amount(tx, id, total, currency, days).await?;
    }
    let lists = toll_lists(tx, subject, &mut others.tolls).await?;
    if !others.same_amount.is_empty() || !others.tolls.is_empty() {
        others.kept_apart = findings::list_kept_apart(tx, id).await?;
    }
    let mut found = alone::check(subject, &entities, verified.as_ref());
    found.extend(against::check(subject, &others));
    let weight = |finding: &Finding| match finding.kind.severity() {
        Severity::Error => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    };
    found.sort_by_key(weight);
    found.truncate(MAX_FINDINGS);
    Ok(Checked { findings: found, lists })
}

/// Puts the bills of a toll list, or the toll lists of a bill, into `tolls`. Returns the lists a bill was compared with.
async fn toll_lists(tx: &mut Tx, subject: &Subject, tolls: &mut Vec<Peer>) -> Result<Vec<ReceiptId>, StoreError> {
    let (Some(day), Some(kind)) = (subject.issued_on, subject.kind) else { return Ok(Vec::new()) };
    let (id, owner) = (&subject.id, &subject.owner);
    if kind == EvidenceKind::TripSheet && subject.facts.of_tolls {
        let Subject { total_minor, currency, issued_on, facts, .. } = subject;
        let list = TollList { total_minor: *total_minor, currency: *currency, issued_on: *issued_on, facts };
        let bills = findings::list_of_kinds(tx, id, owner, &tolls::BILLS, around(day)).await?;
        tolls.extend(list.bills(&bills).into_iter().cloned());
    }
    if !tolls::BILLS.contains(&kind) {
        return Ok(Vec::new());
    }
    let mut compared = Vec::new();
    let sheets =
        findings::list_of_kinds(tx, id, owner, std::slice::from_ref(&EvidenceKind::TripSheet), around(day)).await?;
    for sheet in sheets {
        let (Some(list), Some(day)) = (TollList::of(&sheet), sheet.issued_on) else { continue };
        let bills = findings::list_of_kinds(tx, &sheet.receipt_id, owner, &tolls::BILLS, around(day)).await?;
        let is_bill = list.bills(&bills).iter().any(|bill| bill.receipt_id == *id);
        compared.push(sheet.receipt_id.clone());
        if is_bill {
            tolls.push(sheet);
        }
        if compared.len() == tolls::MAX_LISTS {
            break;
        }
    }
    Ok(compared)
}

/// The days in which the papers of one expense are looked for.
fn around(day: CivilDate) -> (CivilDate, CivilDate) {
    let span = jiff::Span::new().days(INVOICE_DAYS);
    (day.saturating_sub(span), day.saturating_add(span))
}
