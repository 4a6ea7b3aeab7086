//! Expenses: what was confirmed, with lines and evidence.

use super::{StoreError, Tx, on, record};
use crate::domain::{
    ids::{ExpenseId, ExpenseLineId, PersonId, ReceiptId, VisitId},
    money::Currency,
    receipt::PartRole,
    time::{CivilDate, Timestamp},
};

record! {
    /// An expense as stored.
    pub struct ExpenseRow {
        /// Id.
        pub id: ExpenseId,
        /// The leading receipt.
        pub receipt_id: ReceiptId,
        /// The receipt's revision that was confirmed.
        pub receipt_revision: i64,
        /// Whose expense it is.
        pub owner_id: PersonId,
        /// The visit it was for.
        pub visit_id: Option<VisitId>,
        /// Merchant.
        pub merchant: Option<String>,
        /// Date of issue.
        pub issued_on: Option<CivilDate>,
        /// Date of the expense when it differs.
        pub occurred_on: Option<CivilDate>,
        /// Currency on the paper.
        pub currency: Currency,
        /// Total on the paper, minor units.
        pub total_minor: i64,
        /// What the organisation pays, minor units of the same currency.
        pub approved_minor: i64,
        /// Home currency.
        pub home_currency: Option<Currency>,
        /// Approved amount in the home currency, once a rate is known.
        pub home_minor: Option<i64>,
        /// Units of home currency for one of the paper's, decimal text.
        pub rate: Option<String>,
        /// The day of the rate.
        pub rate_on: Option<CivilDate>,
        /// Where the rate came from; `same_currency` when none was needed.
        pub rate_source: Option<String>,
        /// Who vouched.
        pub confirmed_by: PersonId,
        /// When.
        pub confirmed_at: Timestamp,
        /// When reopening undid it.
        pub voided_at: Option<Timestamp>,
    }
}

record! {
    /// A line of an expense.
    pub struct ExpenseLineRow {
        /// Id.
        pub id: ExpenseLineId,
        /// The expense.
        pub expense_id: ExpenseId,
        /// 0-based place.
        pub ordinal: i64,
        /// Category code.
        pub category_code: String,
        /// Visit, when it differs by line.
        pub visit_id: Option<VisitId>,
        /// What was bought.
        pub description: Option<String>,
        /// Amount in minor units of the expense's currency.
        pub amount_minor: i64,
        /// Tax in it, minor units.
        pub tax_minor: Option<i64>,
    }
}

/// Inserts an expense with its lines and its leading evidence.
pub async fn insert(tx: &mut Tx, row: &ExpenseRow, lines: &[ExpenseLineRow]) -> Result<(), StoreError> {
    const EXPENSE: &str =
        "INSERT INTO expense (id, receipt_id, receipt_revision, owner_id, visit_id, merchant, issued_on,
            occurred_on, currency, total_minor, approved_minor, home_currency, home_minor, rate, rate_on, rate_source,
            confirmed_by, confirmed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    const LINE: &str = "INSERT INTO expense_line (id, expense_id, ordinal, category_code, visit_id, description,
            amount_minor, tax_minor)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    const EVIDENCE: &str = "INSERT INTO expense_evidence (expense_id, receipt_id, role, added_by, added_at)
        VALUES ($1, $2, $3, $4, $5)";
    let error = |e| StoreError::from_sqlx("expenses::insert", e);
    on!(tx, |c| sqlx::query(EXPENSE)
        .bind(row.id.as_str())
        .bind(row.receipt_id.as_str())
        .bind(row.receipt_revision)
        .bind(row.owner_id.as_str())
        .bind(row.visit_id.as_ref().map(VisitId::as_str))
        .bind(&row.merchant)
        .bind(row.issued_on.map(|d| d.to_string()))
        .bind(row.occurred_on.map(|d| d.to_string()))
        .bind(row.currency.code())
        .bind(row.total_minor)
        .bind(row.approved_minor)
        .bind(row.home_currency.map(Currency::code))
        .bind(row.home_minor)
        .bind(&row.rate)
        .bind(row.rate_on.map(|d| d.to_string()))
        .bind(&row.rate_source)
        .bind(row.confirmed_by.as_str())
        .bind(row.confirmed_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(error)?;
    for line in lines {
        on!(tx, |c| sqlx::query(LINE)
            .bind(line.id.as_str())
            .bind(line.expense_id.as_str())
            .bind(line.ordinal)
            .bind(&line.category_code)
            .bind(line.visit_id.as_ref().map(VisitId::as_str))
            .bind(&line.description)
            .bind(line.amount_minor)
            .bind(line.tax_minor)
            .execute(c)
            .await
            .map(drop))
        .map_err(error)?;
    }
    on!(tx, |c| sqlx::query(EVIDENCE)
        .bind(row.id.as_str())
        .bind(row.receipt_id.as_str())
        .bind(PartRole::Leading.as_str())
        .bind(row.confirmed_by.as_str())
        .bind(row.confirmed_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(error)
}

/// The live expense a receipt leads.
pub async fn find_by_receipt(tx: &mut Tx, receipt: &ReceiptId) -> Result<Option<ExpenseRow>, StoreError> {
    const SQL: &str = "SELECT * FROM expense WHERE receipt_id = $1 AND voided_at IS NULL ORDER BY id DESC LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("expenses::find_by_receipt", e))
}

/// The lines of an expense, in order.
pub async fn lines(tx: &mut Tx, expense: &ExpenseId) -> Result<Vec<ExpenseLineRow>, StoreError> {
    const SQL: &str = "SELECT * FROM expense_line WHERE expense_id = $1 ORDER BY ordinal";
    on!(tx, |c| sqlx::query_as(SQL).bind(expense.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("expenses::lines", e))
}

/// Voids the live expense of a receipt that is reopened, unless it already left in an export. `false` means it did, or there is none.
pub async fn void_by_receipt(tx: &mut Tx, receipt: &ReceiptId, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str =
        "UPDATE expense SET voided_at = $2 WHERE receipt_id = $1 AND voided_at IS NULL AND export_batch_id IS NULL";
    on!(tx, |c| sqlx::query(SQL)
        .bind(receipt.as_str())
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("expenses::void_by_receipt", e))
}
