//! Fields (what the paper says, proposed by a reading) and decisions (what people said), kept apart.

use super::{Column, Json, StoreError, Tx, on, record};
use crate::domain::{
    field::{Alternative, Evidence, Field, FieldKey},
    ids::{DecisionId, PersonId, ReadingId, ReceiptId},
    page::Quad,
    time::Timestamp,
};

record! {
    /// A proposed field as stored.
    pub struct FieldRow {
        /// The field.
        pub key: FieldKey,
        /// Canonical text.
        pub value: String,
        /// Probability that it is right, 0 to 1.
        pub p: f64,
        /// 0-based page of the evidence.
        pub page: Option<i64>,
        /// Box of the evidence in page pixels; the column is `box`.
        pub quad: Option<Json<Quad>>,
        /// The text as read.
        pub evidence_text: Option<String>,
        /// The finder that won.
        pub source: String,
        /// Reason codes.
        pub reasons: Json<Vec<String>>,
        /// What else it could be.
        pub alternatives: Json<Vec<Alternative>>,
    }
}

record! {
    /// A person's decision about a field; the one with the highest revision counts.
    pub struct DecisionRow {
        /// Id.
        pub id: DecisionId,
        /// The receipt.
        pub receipt_id: ReceiptId,
        /// The draft's revision it made.
        pub revision: i64,
        /// The field.
        pub key: FieldKey,
        /// Canonical text; `None` clears the field.
        pub value: Option<String>,
        /// Who.
        pub decided_by: PersonId,
        /// When.
        pub decided_at: Timestamp,
        /// `singly` or `bulk`.
        pub manner: String,
        /// The reading whose proposal was replaced.
        pub reading_id: Option<ReadingId>,
        /// What had been proposed.
        pub proposed_value: Option<String>,
        /// With which probability.
        pub proposed_p: Option<f64>,
    }
}

/// Inserts what a reading proposes for a receipt.
pub async fn insert(tx: &mut Tx, receipt: &ReceiptId, reading: &ReadingId, field: &Field) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO field (receipt_id, reading_id, key, value, p, page, box, evidence_text, source,
            reasons, alternatives)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let evidence = field.evidence.as_ref();
    on!(tx, |c| sqlx::query(SQL)
        .bind(receipt.as_str())
        .bind(reading.as_str())
        .bind(field.key.as_str())
        .bind(field.value.to_string())
        .bind(f64::from(field.p))
        .bind(evidence.map(|e| i64::from(e.page)))
        .bind(evidence.and_then(|e| e.quad.as_ref()).map(Json::text))
        .bind(evidence.map(|e| e.text.as_str()))
        .bind(&field.source)
        .bind(Json::text(&field.reasons))
        .bind(Json::text(&field.alternatives))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("fields::insert", e))
}

/// What the reading proposed for the receipt.
pub async fn list(tx: &mut Tx, receipt: &ReceiptId, reading: &ReadingId) -> Result<Vec<FieldRow>, StoreError> {
    const SQL: &str = "SELECT key, value, p, page, box AS quad, evidence_text, source, reasons, alternatives
        FROM field WHERE receipt_id = $1 AND reading_id = $2 ORDER BY key";
    on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).bind(reading.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("fields::list", e))
}

/// Adds a decision; earlier ones stay.
pub async fn decide(tx: &mut Tx, row: &DecisionRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO decision (id, receipt_id, revision, key, value, decided_by, decided_at, manner,
            reading_id, proposed_value, proposed_p)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.id.as_str())
        .bind(row.receipt_id.as_str())
        .bind(row.revision)
        .bind(row.key.as_str())
        .bind(&row.value)
        .bind(row.decided_by.as_str())
        .bind(row.decided_at.as_micros())
        .bind(&row.manner)
        .bind(row.reading_id.as_ref().map(ReadingId::as_str))
        .bind(&row.proposed_value)
        .bind(row.proposed_p)
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("fields::decide", e))
}

/// All decisions about the receipt, oldest first.
pub async fn decisions(tx: &mut Tx, receipt: &ReceiptId) -> Result<Vec<DecisionRow>, StoreError> {
    const SQL: &str = "SELECT * FROM decision WHERE receipt_id = $1 ORDER BY revision, id";
    on!(tx, |c| sqlx::query_as(SQL).bind(receipt.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("fields::decisions", e))
}

impl FieldRow {
    /// The evidence as a domain value.
    pub fn evidence(&self) -> Option<Evidence> {
        let page = u32::from_raw(self.page?).ok()?;
        Some(Evidence {
            page,
            quad: self.quad.as_ref().map(|q| q.0),
            text: self.evidence_text.clone().unwrap_or_default(),
        })
    }
}
