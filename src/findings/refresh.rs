//! Replaces findings in the transaction that changed a receipt.

use std::collections::BTreeSet;

use super::{
    against::{self, INVOICE_DAYS, Others, neighbours},
    alone,
    subject::{Subject, number_key},
};
use crate::{
    app::App,
    domain::{
        draft::DraftState,
        finding::{Finding, InvoiceFacts, Severity},
        ids::ReceiptId,
        time::CapturedAt,
    },
    store::{
        Json, StoreError, Tx, captures, fields,
        findings::{self, InvoiceRow},
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

/// Checks a receipt again, and those its old and new findings name: a duplicate is a finding on both.
pub async fn refresh(app: &App, tx: &mut Tx, id: &ReceiptId) -> Result<Touched, StoreError> {
    let mut others: BTreeSet<ReceiptId> = findings::list_naming(tx, id).await?.into_iter().collect();
    let named = |found: &[Finding]| -> Vec<ReceiptId> { found.iter().filter_map(|f| f.other.clone()).collect() };
    others.extend(findings::list(tx, id).await?.into_iter().filter_map(|row| row.other_receipt_id));
    others.extend(named(&refresh_one(app, tx, id).await?));
    others.remove(id);
    let mut touched = 1;
    for other in others.into_iter().take(MAX_OTHERS) {
        refresh_one(app, tx, &other).await?;
        touched += 1;
    }
    Ok(touched)
}

async fn refresh_one(app: &App, tx: &mut Tx, id: &ReceiptId) -> Result<Vec<Finding>, StoreError> {
    let Some(row) = receipts::find(tx, id).await? else { return Ok(Vec::new()) };
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
    let found = match row.state {
        // What is no longer anybody's expense needs no checks.
        DraftState::Merged | DraftState::Withdrawn | DraftState::Rejected => Vec::new(),
        DraftState::Draft | DraftState::Submitted | DraftState::Confirmed | DraftState::Returned => {
            check(tx, &subject, &invoice).await?
        }
    };
    findings::replace(tx, id, &found, app.now()).await?;
    Ok(found)
}

async fn check(tx: &mut Tx, subject: &Subject, invoice: &InvoiceRow) -> Result<Vec<Finding>, StoreError> {
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
        let span = jiff::Span::new().days(INVOICE_DAYS);
        let (from, to) = (day.saturating_sub(span), day.saturating_add(span));
        others.same_amount = findings::list_by_amount(tx, id, total, currency, from, to).await?;
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
    Ok(found)
}
