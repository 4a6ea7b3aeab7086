//! Readings: what the reader returned for a document, immutable, with the previews it drew.

use super::{Json, StoreError, Tx, on, record};
use crate::domain::{
    ids::{CaptureId, DocumentId, ReadingId},
    page::{Code, Page},
    time::Timestamp,
};

record! {
    /// One run of the reader.
    pub struct ReadingRow {
        /// Id.
        pub id: ReadingId,
        /// The capture read.
        pub capture_id: CaptureId,
        /// The document read.
        pub document_id: DocumentId,
        /// Engine name and version.
        pub engine: String,
        /// Versions of extractor and models, as JSON.
        pub versions: Json<serde_json::Value>,
        /// Recognised pages.
        pub pages: Json<Vec<Page>>,
        /// Codes found.
        pub codes: Json<Vec<Code>>,
        /// Structured values, as JSON.
        pub structured: Json<serde_json::Value>,
        /// Warnings, stable codes.
        pub warnings: Json<Vec<String>>,
        /// How long it took.
        pub duration_ms: i64,
        /// When.
        pub created_at: Timestamp,
    }
}

record! {
    /// A preview picture of one page: our own pixels, no metadata.
    pub struct PreviewRow {
        /// The reading that drew it.
        pub reading_id: ReadingId,
        /// 0-based page.
        pub page: i64,
        /// The document shown.
        pub document_id: DocumentId,
        /// Width of the preview in pixels.
        pub width: i64,
        /// Height of the preview in pixels.
        pub height: i64,
        /// Width of the page in full-resolution pixels: what boxes are measured in.
        pub page_width: i64,
        /// Height of the page in full-resolution pixels.
        pub page_height: i64,
        /// Where the JPEG is.
        pub object_key: String,
        /// Where the small JPEG for lists is.
        pub thumbnail_key: Option<String>,
    }
}

/// Inserts a reading.
pub async fn insert(tx: &mut Tx, row: &ReadingRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO reading (id, capture_id, document_id, engine, versions, pages, codes, structured,
            warnings, duration_ms, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.id.as_str())
        .bind(row.capture_id.as_str())
        .bind(row.document_id.as_str())
        .bind(&row.engine)
        .bind(Json::text(&row.versions.0))
        .bind(Json::text(&row.pages.0))
        .bind(Json::text(&row.codes.0))
        .bind(Json::text(&row.structured.0))
        .bind(Json::text(&row.warnings.0))
        .bind(row.duration_ms)
        .bind(row.created_at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("readings::insert", e))
}

/// A reading by id.
pub async fn find(tx: &mut Tx, id: &ReadingId) -> Result<Option<ReadingRow>, StoreError> {
    const SQL: &str = "SELECT * FROM reading WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("readings::find", e))
}

/// The latest reading of one document of a capture.
pub async fn find_latest(
    tx: &mut Tx,
    capture: &CaptureId,
    document: &DocumentId,
) -> Result<Option<ReadingRow>, StoreError> {
    const SQL: &str = "SELECT * FROM reading WHERE capture_id = $1 AND document_id = $2
        ORDER BY created_at DESC, id DESC LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(capture.as_str()).bind(document.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("readings::find_latest", e))
}

/// What the latest reading of each document of a capture says in data, as JSON, oldest first; without the pages.
pub async fn said(tx: &mut Tx, capture: &CaptureId) -> Result<Vec<serde_json::Value>, StoreError> {
    const SQL: &str = "SELECT structured FROM reading WHERE capture_id = $1 AND NOT EXISTS (
            SELECT 1 FROM reading later WHERE later.capture_id = reading.capture_id
            AND later.document_id = reading.document_id AND (later.created_at > reading.created_at
                OR later.created_at = reading.created_at AND later.id > reading.id))
        ORDER BY created_at, id";
    let texts: Vec<String> = on!(tx, |c| sqlx::query_scalar(SQL).bind(capture.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("readings::said", e))?;
    let said = texts.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>();
    said.map_err(|e| StoreError::from_sqlx("readings::said", sqlx::Error::Decode(Box::new(e))))
}

/// What the reader noticed in a reading, stable codes; without its pages, for lists.
pub async fn warnings(tx: &mut Tx, id: &ReadingId) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "SELECT warnings FROM reading WHERE id = $1";
    let text: Option<String> = on!(tx, |c| sqlx::query_scalar(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("readings::warnings", e))?;
    let codes = text.map(|text| serde_json::from_str(&text)).transpose();
    codes
        .map(Option::unwrap_or_default)
        .map_err(|e| StoreError::from_sqlx("readings::warnings", sqlx::Error::Decode(Box::new(e))))
}

/// Inserts a preview.
pub async fn insert_preview(tx: &mut Tx, row: &PreviewRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO preview (reading_id, page, document_id, width, height, page_width, page_height,
            object_key, thumbnail_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    on!(tx, |c| sqlx::query(SQL)
        .bind(row.reading_id.as_str())
        .bind(row.page)
        .bind(row.document_id.as_str())
        .bind(row.width)
        .bind(row.height)
        .bind(row.page_width)
        .bind(row.page_height)
        .bind(&row.object_key)
        .bind(row.thumbnail_key.as_deref())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("readings::insert_preview", e))
}

/// The previews of a reading, in page order.
pub async fn previews(tx: &mut Tx, reading: &ReadingId) -> Result<Vec<PreviewRow>, StoreError> {
    const SQL: &str = "SELECT * FROM preview WHERE reading_id = $1 ORDER BY page";
    on!(tx, |c| sqlx::query_as(SQL).bind(reading.as_str()).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("readings::previews", e))
}
