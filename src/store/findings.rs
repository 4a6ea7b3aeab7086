//! Findings, the comparable side of invoices, and what the tax bureau said of them.

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    draft::DraftState,
    finding::{Finding, FindingKind, InvoiceFacts, VerificationOutcome},
    ids::{PersonId, ReceiptId, VerificationId},
    money::Currency,
    receipt::EvidenceKind,
    time::{CivilDate, Timestamp},
};

record! {
    /// The comparable side of a receipt's invoice.
    pub struct InvoiceRow {
        /// The receipt.
        pub receipt_id: ReceiptId,
        /// The invoice number without spaces and signs.
        pub number_key: Option<String>,
        /// The seller's tax number, else their folded name.
        pub seller_key: Option<String>,
        /// The number of the invoice it cancels.
        pub original_key: Option<String>,
        /// What else it says.
        pub facts: Json<InvoiceFacts>,
    }
}

record! {
    /// Another receipt a check compares with.
    pub struct Peer {
        /// The receipt.
        pub receipt_id: ReceiptId,
        /// Whose it is.
        pub owner_id: PersonId,
        /// Its state.
        pub state: DraftState,
        /// Its invoice number in comparable form.
        pub number_key: Option<String>,
        /// Its seller.
        pub seller_key: Option<String>,
        /// What else its invoice says.
        pub facts: Option<Json<InvoiceFacts>>,
        /// Current kind of evidence.
        pub evidence_kind: Option<EvidenceKind>,
        /// Current merchant, folded.
        pub merchant_key: Option<String>,
        /// Current date.
        pub issued_on: Option<CivilDate>,
        /// Current total in minor units.
        pub total_minor: Option<i64>,
        /// Current currency.
        pub currency: Option<Currency>,
    }
}

record! {
    /// A stored finding.
    pub struct FindingRow {
        /// The receipt.
        pub receipt_id: ReceiptId,
        /// Its place, most important first.
        pub ordinal: i64,
        /// What was noticed.
        pub kind: FindingKind,
        /// The other receipt.
        pub other_receipt_id: Option<ReceiptId>,
        /// What the sentence names.
        pub detail: Json<serde_json::Map<String, serde_json::Value>>,
        /// When it was found.
        pub created_at: Timestamp,
    }
}

record! {
    /// What the tax bureau said.
    pub struct VerificationRow {
        /// Id.
        pub id: VerificationId,
        /// The invoice's number in comparable form.
        pub number_key: String,
        /// Its code, when it has one.
        pub invoice_code: Option<String>,
        /// What was said.
        pub outcome: VerificationOutcome,
        /// On which day.
        pub checked_on: CivilDate,
        /// `by_hand`, `batch`, or the provider's name.
        pub source: String,
        /// What the person noted.
        pub note: Option<String>,
        /// Who recorded it.
        pub recorded_by: Option<PersonId>,
        /// When.
        pub recorded_at: Timestamp,
    }
}

/// Receipts compared with one: those that may still be paid. `$1` is the one.
macro_rules! peers {
    ($rest:literal) => {
        concat!(
            "SELECT receipt.id AS receipt_id, owner_id, state, number_key, seller_key, facts, evidence_kind,
                merchant_key, issued_on, total_minor, currency
            FROM receipt LEFT JOIN invoice ON invoice.receipt_id = receipt.id
            WHERE receipt.id <> $1 AND state NOT IN ('merged', 'withdrawn', 'rejected') AND ",
            $rest
        )
    };
}

/// Peers one check looks at.
const MAX_PEERS: i64 = 50;
/// Receipts of one owner beside a toll list: a traveller's of half a year.
const MAX_OF_OWNER: i64 = 500;
/// Receipts kept apart from one; a person decided each.
const MAX_KEPT_APART: i64 = 1_000;

/// Stores or replaces the comparable side of a receipt's invoice.
pub async fn put_invoice(tx: &mut Tx, row: &InvoiceRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO invoice (receipt_id, number_key, seller_key, original_key, facts)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (receipt_id) DO UPDATE SET number_key = excluded.number_key, seller_key = excluded.seller_key,
            original_key = excluded.original_key, facts = excluded.facts";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.receipt_id.as_str())
        .bind(&row.number_key)
        .bind(&row.seller_key)
        .bind(&row.original_key)
        .bind(Json::text(&row.facts.0))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("findings::put_invoice", e))
}

/// The comparable side of a receipt's invoice.
pub async fn find_invoice(tx: &mut Tx, receipt: &ReceiptId) -> Result<Option<InvoiceRow>, StoreError> {
    const SQL: &str = "SELECT * FROM invoice WHERE receipt_id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("findings::find_invoice", e))
}

/// Other receipts with one of these invoice numbers; of this seller only, when one is named.
pub async fn list_by_numbers(
    tx: &mut Tx,
    but: &ReceiptId,
    numbers: &[String],
    seller: Option<&str>,
) -> Result<Vec<Peer>, StoreError> {
    const SQL: &str = peers!(
        "number_key IN ($2, $3, $4, $5) AND (CAST($6 AS TEXT) IS NULL OR seller_key = $6)
            ORDER BY receipt.created_at, receipt.id LIMIT $7"
    );
    // Four numbers at most: the two neighbours on either side. No number is empty, so spare places match nothing.
    let number = |at: usize| numbers.get(at).cloned().unwrap_or_default();
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(but.as_str())
        .bind(number(0))
        .bind(number(1))
        .bind(number(2))
        .bind(number(3))
        .bind(seller)
        .bind(MAX_PEERS)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("findings::list_by_numbers", e))
}

/// Other receipts whose invoice cancels the one with this number.
pub async fn list_by_original(tx: &mut Tx, but: &ReceiptId, number: &str) -> Result<Vec<Peer>, StoreError> {
    const SQL: &str = peers!("original_key = $2 ORDER BY receipt.created_at, receipt.id LIMIT $3");
    on!(tx, |c| sqlx::query_as(SQL).bind(but.as_str()).bind(number).bind(MAX_PEERS).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("findings::list_by_original", e))
}

/// Other receipts over the same amount within some days; of anyone.
pub async fn list_by_amount(
    tx: &mut Tx,
    but: &ReceiptId,
    total_minor: i64,
    currency: Currency,
    (from, to): (CivilDate, CivilDate),
) -> Result<Vec<Peer>, StoreError> {
    const SQL: &str = peers!(
        "total_minor = $2 AND currency = $3 AND issued_on >= $4 AND issued_on <= $5
            ORDER BY receipt.created_at, receipt.id LIMIT $6"
    );
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(but.as_str())
        .bind(total_minor)
        .bind(currency.code())
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(MAX_PEERS)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("findings::list_by_amount", e))
}

/// Other receipts of one owner of some kinds, four at most, within some days; those handed in last first.
pub async fn list_of_kinds(
    tx: &mut Tx,
    but: &ReceiptId,
    owner: &PersonId,
    kinds: &[EvidenceKind],
    (from, to): (CivilDate, CivilDate),
) -> Result<Vec<Peer>, StoreError> {
    const SQL: &str = peers!(
        "owner_id = $2 AND evidence_kind IN ($3, $4, $5, $6) AND issued_on >= $7 AND issued_on <= $8
            ORDER BY receipt.created_at DESC, receipt.id DESC LIMIT $9"
    );
    // No kind is empty, so spare places match nothing.
    let kind = |at: usize| kinds.get(at).map_or("", |kind| kind.as_str());
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(but.as_str())
        .bind(owner.as_str())
        .bind(kind(0))
        .bind(kind(1))
        .bind(kind(2))
        .bind(kind(3))
        .bind(from.to_string())
        .bind(to.to_string())
        .bind(MAX_OF_OWNER)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("findings::list_of_kinds", e))
}

/// Replaces the findings of a receipt.
pub async fn replace(tx: &mut Tx, receipt: &ReceiptId, findings: &[Finding], now: Timestamp) -> Result<(), StoreError> {
    const DELETE: &str = "DELETE FROM finding WHERE receipt_id = $1";
    const INSERT: &str =
        "INSERT INTO finding (receipt_id, ordinal, kind, severity, other_receipt_id, detail, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let error = |e| StoreError::from_sqlx("findings::replace", e);
    on!(tx, |c| sqlx::query(DELETE).bind(receipt.as_str()).execute(c).await.map(drop)).map_err(error)?;
    for (ordinal, finding) in findings.iter().enumerate() {
        on!(tx, |c| sqlx::query(INSERT)
            .bind(receipt.as_str())
            .bind(ordinal as i64)
            .bind(finding.kind.as_str())
            .bind(finding.kind.severity().as_str())
            .bind(finding.other.as_ref().map(ReceiptId::as_str))
            .bind(Json::text(&finding.detail))
            .bind(now.as_micros())
            .execute(c)
            .await
            .map(drop))
        .map_err(error)?;
    }
    Ok(())
}

/// The findings of a receipt, most important first.
pub async fn list(tx: &mut Tx, receipt: &ReceiptId) -> Result<Vec<FindingRow>, StoreError> {
    const SQL: &str = "SELECT receipt_id, ordinal, kind, other_receipt_id, detail, created_at
        FROM finding WHERE receipt_id = $1 ORDER BY ordinal";
    on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("findings::list", e))
}

/// Receipts whose findings name this one.
pub async fn list_naming(tx: &mut Tx, receipt: &ReceiptId) -> Result<Vec<ReceiptId>, StoreError> {
    const SQL: &str =
        "SELECT DISTINCT receipt_id FROM finding WHERE other_receipt_id = $1 ORDER BY receipt_id LIMIT $2";
    let ids = on!(tx, |c| sqlx::query_scalar(SQL).bind(receipt.as_str()).bind(MAX_PEERS).fetch_all(c).await);
    parsed(ids, "findings::list_naming")
}

/// Keeps two receipts that were proposed as one expense apart. Says whether they were not apart already.
pub async fn keep_apart(
    tx: &mut Tx,
    one: &ReceiptId,
    other: &ReceiptId,
    by: &PersonId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO kept_apart (first_receipt_id, second_receipt_id, decided_by, decided_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (first_receipt_id, second_receipt_id) DO NOTHING";
    let (first, second) = in_order(one, other);
    on!(tx, |c| sqlx::query(SQL)
        .bind(first)
        .bind(second)
        .bind(by.as_str())
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("findings::keep_apart", e))
}

/// Lets two receipts be proposed as one expense again. Says whether they were kept apart.
pub async fn propose_again(tx: &mut Tx, one: &ReceiptId, other: &ReceiptId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM kept_apart WHERE first_receipt_id = $1 AND second_receipt_id = $2";
    let (first, second) = in_order(one, other);
    on!(tx, |c| sqlx::query(SQL).bind(first).bind(second).execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(|e| StoreError::from_sqlx("findings::propose_again", e))
}

/// Receipts that are kept apart from this one, in the order of their ids.
pub async fn list_kept_apart(tx: &mut Tx, receipt: &ReceiptId) -> Result<Vec<ReceiptId>, StoreError> {
    const SQL: &str = "SELECT second_receipt_id AS other FROM kept_apart WHERE first_receipt_id = $1
        UNION SELECT first_receipt_id AS other FROM kept_apart WHERE second_receipt_id = $1
        ORDER BY other LIMIT $2";
    let ids = on!(tx, |c| sqlx::query_scalar(SQL).bind(receipt.as_str()).bind(MAX_KEPT_APART).fetch_all(c).await);
    parsed(ids, "findings::list_kept_apart")
}

fn in_order<'a>(one: &'a ReceiptId, other: &'a ReceiptId) -> (&'a str, &'a str) {
    let (one, other) = (one.as_str(), other.as_str());
    if one <= other { (one, other) } else { (other, one) }
}

/// Receipts with this invoice number.
pub async fn list_receipts_by_number(tx: &mut Tx, number_key: &str) -> Result<Vec<ReceiptId>, StoreError> {
    const SQL: &str = "SELECT receipt_id FROM invoice WHERE number_key = $1 ORDER BY receipt_id LIMIT $2";
    let ids = on!(tx, |c| sqlx::query_scalar(SQL).bind(number_key).bind(MAX_PEERS).fetch_all(c).await);
    parsed(ids, "findings::list_receipts_by_number")
}

fn parsed(ids: Result<Vec<String>, sqlx::Error>, during: &'static str) -> Result<Vec<ReceiptId>, StoreError> {
    ids.and_then(|ids| {
        ids.iter().map(|id| id.parse().map_err(|e| sqlx::Error::Decode(Box::new(e)))).collect::<Result<_, _>>()
    })
    .map_err(|e| StoreError::from_sqlx(during, e))
}

/// Records what the tax bureau said.
pub async fn add_verification(tx: &mut Tx, row: &VerificationRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO verification (id, number_key, invoice_code, outcome, checked_on, source, note,
            recorded_by, recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.id.as_str())
        .bind(&row.number_key)
        .bind(&row.invoice_code)
        .bind(row.outcome.as_str())
        .bind(row.checked_on.to_string())
        .bind(&row.source)
        .bind(&row.note)
        .bind(row.recorded_by.as_ref().map(PersonId::as_str))
        .bind(row.recorded_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("findings::add_verification", e))
}

/// What the tax bureau said last of the invoice with this number, and this code when both name one.
pub async fn last_verification(
    tx: &mut Tx,
    number_key: &str,
    invoice_code: Option<&str>,
) -> Result<Option<VerificationRow>, StoreError> {
    const SQL: &str = "SELECT * FROM verification WHERE number_key = $1
        AND (CAST($2 AS TEXT) IS NULL OR invoice_code IS NULL OR invoice_code = $2)
        ORDER BY recorded_at DESC, id DESC LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(number_key).bind(invoice_code).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("findings::last_verification", e))
}
