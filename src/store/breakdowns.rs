//! Lines and rates that a reading proposes for a receipt; immutable like its fields.

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    breakdown::{Breakdown, LineItem, TaxLine},
    ids::{ReadingId, ReceiptId},
};

record! {
    /// Lines and rates as stored.
    pub struct BreakdownRow {
        /// Lines in the order of the paper.
        pub items: Json<Vec<LineItem>>,
        /// Rates in the order of the paper.
        pub taxes: Json<Vec<TaxLine>>,
    }
}

/// Inserts what a reading proposes for a receipt.
pub async fn insert(
    tx: &mut Tx,
    receipt: &ReceiptId,
    reading: &ReadingId,
    breakdown: &Breakdown,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO breakdown (receipt_id, reading_id, items, taxes) VALUES ($1, $2, $3, $4)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(receipt.as_str())
        .bind(reading.as_str())
        .bind(Json::text(&breakdown.items))
        .bind(Json::text(&breakdown.taxes))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("breakdowns::insert", e))
}

/// What the reading proposed for the receipt; empty when it found no lines.
pub async fn find(tx: &mut Tx, receipt: &ReceiptId, reading: &ReadingId) -> Result<Breakdown, StoreError> {
    const SQL: &str = "SELECT items, taxes FROM breakdown WHERE receipt_id = $1 AND reading_id = $2";
    let row: Option<BreakdownRow> =
        on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).bind(reading.as_str()).fetch_optional(c).await)
            .map_err(|e| StoreError::from_sqlx("breakdowns::find", e))?;
    Ok(row.map(|row| Breakdown { items: row.items.0, taxes: row.taxes.0 }).unwrap_or_default())
}
