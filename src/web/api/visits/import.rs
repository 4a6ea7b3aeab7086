//! `POST /api/v1/visits/import`.

use axum::{
    Json,
    extract::{Request, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    visits::{self, ImportError, MAX_IMPORT_BYTES, RowOutcome, RowResult},
    web::{
        auth::Signed,
        problem::{ApiError, Problem},
        state::AppState,
    },
};

/// What became of each row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportBody {
    /// Rows in the order of the file.
    pub rows: Vec<ImportedRowBody>,
}

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedRowBody {
    /// Line of the file the row begins on, the header being 1.
    pub line: u64,
    /// The row's external id.
    pub external_id: Option<String>,
    /// `created`, `updated`, `unchanged` or `refused`.
    pub outcome: &'static str,
    /// The visit, unless refused.
    pub visit_id: Option<String>,
    /// Why it was refused.
    pub problem: Option<String>,
}

impl From<RowResult> for ImportedRowBody {
    fn from(row: RowResult) -> Self {
        let (outcome, visit_id, problem) = match row.outcome {
            RowOutcome::Created(id) => ("created", Some(id.to_string()), None),
            RowOutcome::Updated(id) => ("updated", Some(id.to_string()), None),
            RowOutcome::Unchanged(id) => ("unchanged", Some(id.to_string()), None),
            RowOutcome::Refused(problem) => ("refused", None, Some(problem.to_string())),
        };
        Self { line: row.line, external_id: row.external_id, outcome, visit_id, problem }
    }
}

/// Imports customers and visits: the body is the CSV file. Each row has its own result; importing it again changes nothing.
#[utoipa::path(post, path = "/api/v1/visits/import", operation_id = "import_visits", tag = "visits",
    request_body(content_type = "text/csv", content = String),
    responses((status = 200, body = ImportBody), (status = 403, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
pub async fn import(
    State(state): State<AppState>,
    signed: Signed,
    request: Request,
) -> Result<Json<ImportBody>, ApiError> {
    let bytes = axum::body::to_bytes(request.into_body(), MAX_IMPORT_BYTES).await;
    let bytes = bytes.map_err(|_| ImportError::TooLarge)?;
    let rows = visits::import_csv(&state.app, &signed.actor, &bytes).await?;
    Ok(Json(ImportBody { rows: rows.into_iter().map(ImportedRowBody::from).collect() }))
}
