//! What a receipt is beside others: the same invoice, the next number, the red one, another paper of the same expense. Pure.

use super::subject::Subject;
use crate::{
    domain::{
        finding::{Finding, FindingKind as K, InvoiceFacts},
        ids::ReceiptId,
        receipt::EvidenceKind as E,
        time::CivilDate,
    },
    store::findings::Peer,
};

/// Days between a slip and the receipt it pays.
const SLIP_DAYS: i64 = 3;
/// Days after the trip until its invoice is asked for.
pub const INVOICE_DAYS: i64 = 90;
/// Days between a folio, which may bear the day of arrival, and the invoice of the house.
const STAY_DAYS: i64 = 31;
/// Letters with which two names of one house begin, a Chinese character counting two: `广州示例酒店` and
/// `广州示例酒店管理有限公司` share twelve, `Hotel …` is none yet.
const SAME_HOUSE_LETTERS: usize = 10;
/// Numbers that follow each other within so many days are looked at.
const ROW_DAYS: i64 = 365;
/// Findings of one kind.
const MAX_OF_KIND: usize = 5;

/// The other receipts a subject is compared with, each list found by what it has in common.
#[derive(Debug, Default)]
pub struct Others {
    /// Same invoice number.
    pub same_number: Vec<Peer>,
    /// Neighbouring numbers of the same seller.
    pub next_numbers: Vec<Peer>,
    /// Invoices that cancel this one.
    pub cancelling: Vec<Peer>,
    /// The invoice this one cancels.
    pub cancelled: Vec<Peer>,
    /// Same amount, not far in time.
    pub same_amount: Vec<Peer>,
    /// Toll lists this one is a bill of, or bills of this toll list.
    pub tolls: Vec<Peer>,
    /// Receipts a reviewer said are no papers of this one's expense.
    pub kept_apart: Vec<ReceiptId>,
}

/// Every check that needs other receipts.
pub fn check(subject: &Subject, others: &Others) -> Vec<Finding> {
    let mut out = Vec::new();
    let duplicates: Vec<&Peer> = others.same_number.iter().filter(|peer| is_same_invoice(subject, peer)).collect();
    for peer in duplicates.iter().take(MAX_OF_KIND) {
        out.push(
            Finding::new(K::DuplicateInvoice)
                .about(&peer.receipt_id)
                .with("same_owner", peer.owner_id == subject.owner),
        );
    }
    red(subject, others, &mut out);
    numbers_in_a_row(subject, &others.next_numbers, &mut out);
    let is_duplicate = |peer: &Peer| duplicates.iter().any(|d| d.receipt_id == peer.receipt_id);
    let rest: Vec<&Peer> = others.same_amount.iter().filter(|peer| !is_duplicate(peer)).collect();
    let is_linked = same_amount(subject, &rest, &others.kept_apart, &mut out) | tolls(subject, others, &mut out);
    if !is_linked && matches!(subject.kind, Some(E::TripSheet | E::CardSlip | E::PaymentScreenshot)) {
        out.push(Finding::new(K::SupportingAlone).with("kind", subject.kind.map_or("", E::as_str)));
    }
    out
}

fn facts(peer: &Peer) -> InvoiceFacts {
    peer.facts.as_ref().map(|facts| facts.0.clone()).unwrap_or_default()
}

/// Twenty digits are unique in China. Eight are unique beside a code; elsewhere a number is unique beside its seller, or
/// when amount and day agree as well.
pub fn is_same_invoice(subject: &Subject, peer: &Peer) -> bool {
    let number = subject.number_key();
    if number.is_none() || number != peer.number_key {
        return false;
    }
    let is_digital = number.as_deref().is_some_and(|n| n.len() == 20 && n.bytes().all(|b| b.is_ascii_digit()));
    if is_digital {
        return true;
    }
    let same_amount = subject.total_minor.is_some() && subject.total_minor == peer.total_minor;
    let same_day = subject.issued_on.is_some() && subject.issued_on == peer.issued_on;
    let same_seller = subject.seller_key().is_some() && subject.seller_key() == peer.seller_key;
    match (&subject.facts.invoice_code, &facts(peer).invoice_code) {
        (Some(own), Some(other)) => own == other,
        // A photo may not show its code.
        _ => (same_seller && (same_day || same_amount)) || (same_amount && same_day),
    }
}

fn red(subject: &Subject, others: &Others, out: &mut Vec<Finding>) {
    for peer in others.cancelling.iter().take(MAX_OF_KIND) {
        out.push(Finding::new(K::CancelledByRed).about(&peer.receipt_id));
    }
    if !subject.facts.is_red {
        return;
    }
    if let Some(peer) = others.cancelled.first() {
        out.push(Finding::new(K::RedPaired).about(&peer.receipt_id));
        return;
    }
    let mut finding = Finding::new(K::RedUnpaired);
    if let Some(original) = &subject.facts.original_number {
        finding = finding.with("original", original.as_str());
    }
    out.push(finding);
}

fn numbers_in_a_row(subject: &Subject, peers: &[Peer], out: &mut Vec<Finding>) {
    let near = |peer: &&Peer| days_between(subject.issued_on, peer.issued_on).is_none_or(|days| days <= ROW_DAYS);
    for peer in peers.iter().filter(near).take(MAX_OF_KIND) {
        let number = peer.number_key.as_deref().unwrap_or("");
        let finding = Finding::new(K::ConsecutiveNumbers).about(&peer.receipt_id);
        out.push(finding.with("number", number).with("same_owner", peer.owner_id == subject.owner));
    }
}

/// The two numbers before and after, with as many digits; empty for what is no number.
pub fn neighbours(number_key: &str) -> Vec<String> {
    let width = number_key.len();
    if !(6..=20).contains(&width) || !number_key.bytes().all(|b| b.is_ascii_digit()) {
        return Vec::new();
    }
    let Ok(number) = number_key.parse::<u128>() else { return Vec::new() };
    [number.checked_sub(2), number.checked_sub(1), number.checked_add(1), number.checked_add(2)]
        .into_iter()
        .flatten()
        .map(|n| format!("{n:0width$}"))
        .filter(|n| n.len() == width)
        .collect()
}

/// Papers over one amount: a pair that belongs together is proposed, one that is twice the same is suspected. A pair that
/// was kept apart is named, so that whoever did it can take it back, and proposed no more. Says whether one is proposed.
fn same_amount(subject: &Subject, peers: &[&Peer], kept_apart: &[ReceiptId], out: &mut Vec<Finding>) -> bool {
    let mut linked = false;
    for peer in peers.iter().take(MAX_OF_KIND) {
        if peer.owner_id == subject.owner
            && let Some((supporting, reason)) = link(subject, peer)
        {
            let id = if supporting { &subject.id } else { &peer.receipt_id };
            linked |= propose(peer, (reason, id), kept_apart, out);
        } else if is_twice(subject, peer) {
            let finding = Finding::new(K::PossibleDuplicate).about(&peer.receipt_id);
            out.push(finding.with("same_owner", peer.owner_id == subject.owner));
        }
    }
    linked
}

/// A toll list and each bill it adds up. Says whether one is proposed.
fn tolls(subject: &Subject, others: &Others, out: &mut Vec<Finding>) -> bool {
    let mut linked = false;
    for peer in &others.tolls {
        let is_proposed = out.iter().any(|finding| finding.other.as_ref() == Some(&peer.receipt_id));
        let list = if subject.kind == Some(E::TripSheet) { &subject.id } else { &peer.receipt_id };
        linked |= !is_proposed && propose(peer, ("toll_list_and_bill", list), &others.kept_apart, out);
    }
    linked
}

/// Proposes that the two are papers of one expense, for a reason and with the supporting one named; a pair that was kept
/// apart is only named. Says which.
fn propose(
    peer: &Peer,
    (reason, supporting): (&str, &ReceiptId),
    kept_apart: &[ReceiptId],
    out: &mut Vec<Finding>,
) -> bool {
    if kept_apart.contains(&peer.receipt_id) {
        out.push(Finding::new(K::KeptApart).about(&peer.receipt_id));
        return false;
    }
    let finding = Finding::new(K::SameExpense).about(&peer.receipt_id);
    out.push(finding.with("reason", reason).with("supporting", supporting.as_str()));
    true
}

/// Same merchant, day and amount, and neither number says otherwise.
fn is_twice(subject: &Subject, peer: &Peer) -> bool {
    let same_merchant =
        subject.merchant_key.as_ref().is_some_and(|key| !key.is_empty()) && subject.merchant_key == peer.merchant_key;
    let same_day = subject.issued_on.is_some() && subject.issued_on == peer.issued_on;
    let numbers_differ = matches!((&subject.number_key(), &peer.number_key), (Some(a), Some(b)) if a != b);
    same_merchant && same_day && !numbers_differ && subject.kind == peer.evidence_kind
}

/// Whether the two are papers of one expense: whether the subject is the supporting one, and why.
pub fn link(subject: &Subject, peer: &Peer) -> Option<(bool, &'static str)> {
    let days = days_between(subject.issued_on, peer.issued_on)?;
    let (own, other) = (rank(subject.kind), rank(peer.evidence_kind));
    if own == other {
        return None;
    }
    let subject_supports = own < other;
    let (low, high) =
        if subject_supports { (subject.kind, peer.evidence_kind) } else { (peer.evidence_kind, subject.kind) };
    let same_merchant = subject.merchant_key.is_some() && subject.merchant_key == peer.merchant_key;
    let reason = match (low, high) {
        (Some(E::TripSheet), Some(E::SpecialFapiao | E::OrdinaryFapiao | E::Invoice)) if days <= INVOICE_DAYS => {
            "trip_sheet_and_invoice"
        }
        (Some(E::TripSheet), Some(E::TillSlip | E::ForeignReceipt | E::Other)) if days <= SLIP_DAYS => {
            "trip_sheet_and_invoice"
        }
        (Some(E::TripSheet), _) => return None,
        (Some(E::CardSlip | E::PaymentScreenshot), _)
            if days <= SLIP_DAYS || (same_merchant && days <= INVOICE_DAYS) =>
        {
            "payment_and_receipt"
        }
        (
            Some(E::TillSlip | E::Other | E::TaxiSlip | E::Invoice | E::ForeignReceipt),
            Some(E::SpecialFapiao | E::OrdinaryFapiao),
        ) if (same_merchant && days <= INVOICE_DAYS)
            || (same_house(subject, peer) && days <= STAY_DAYS)
            || days == 0 =>
        {
            "slip_and_invoice"
        }
        // A confirmation by mail, or the slip of the till, beside the invoice that follows.
        (None | Some(E::TillSlip | E::TaxiSlip | E::Other | E::ForeignReceipt), Some(E::Invoice))
            if same_merchant && days <= SLIP_DAYS =>
        {
            "slip_and_invoice"
        }
        _ => return None,
    };
    Some((subject_supports, reason))
}

/// Whether both names begin alike: a hotel calls itself otherwise on its folio than on its invoice.
fn same_house(subject: &Subject, peer: &Peer) -> bool {
    let (Some(one), Some(other)) = (&subject.merchant_key, &peer.merchant_key) else { return false };
    let shared = one.chars().zip(other.chars()).take_while(|(a, b)| a == b);
    shared.map(|(c, _)| if c.is_ascii() { 1 } else { 2 }).sum::<usize>() >= SAME_HOUSE_LETTERS
}

/// The paper that leads an expense has the highest rank; equal ranks do not support each other.
const fn rank(kind: Option<E>) -> u8 {
    match kind {
        Some(E::CardSlip | E::PaymentScreenshot) => 0,
        Some(E::TripSheet) => 1,
        Some(E::TillSlip | E::TaxiSlip | E::Other | E::ForeignReceipt) | None => 2,
        Some(E::Invoice) => 3,
        Some(E::SpecialFapiao | E::OrdinaryFapiao | E::RailTicket | E::AirTicket) => 4,
    }
}

/// Days from one to the other, whichever is first.
pub fn days_between(a: Option<CivilDate>, b: Option<CivilDate>) -> Option<i64> {
    let span = a?.until(b?).ok()?;
    Some(i64::from(span.get_days()).abs())
}
