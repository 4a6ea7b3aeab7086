//! `/healthz` (alive), `/readyz` (able to take and keep receipts), `/metrics`.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::state::AppState;
use crate::{
    objects::ObjectKey,
    store::{StoreError, captures, jobs, organisation, receipts},
};

/// Routes that need no sign-in and show nobody's data.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// 200 when database and object storage answer, 503 otherwise; load balancers and scripts wait for it.
async fn ready(State(state): State<AppState>) -> Response {
    let database = async {
        let mut tx = state.app.db.read().await?;
        organisation::find(&mut tx).await
    }
    .await
    .is_ok();
    let probe = ObjectKey::probe(state.app.now(), &mut state.app.random.clone());
    let objects = state.app.objects.head(&probe).await.is_ok();
    let status = if database && objects { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "database": database, "objects": objects }))).into_response()
}

/// Prometheus text. Gauges are looked up when asked.
async fn metrics(State(state): State<AppState>) -> Response {
    if let Err(error) = gauges(&state).await {
        tracing::warn!("Gauges could not be looked up: {error}");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render()).into_response()
}

async fn gauges(state: &AppState) -> Result<(), StoreError> {
    let mut tx = state.app.db.read().await?;
    for (job_state, count) in jobs::count_by_state(&mut tx).await? {
        metrics::gauge!("vouch_jobs", "state" => job_state).set(count as f64);
    }
    for (capture_state, count) in captures::count_by_state(&mut tx).await? {
        metrics::gauge!("vouch_captures", "state" => capture_state.as_str()).set(count as f64);
    }
    for (receipt_state, count) in receipts::count_by_state(&mut tx).await? {
        metrics::gauge!("vouch_receipts", "state" => receipt_state).set(count as f64);
    }
    let now = state.app.now().as_micros();
    let waited = jobs::oldest_ready(&mut tx).await?.map_or(0, |at| now.saturating_sub(at.as_micros()));
    metrics::gauge!("vouch_oldest_job_seconds").set(waited.max(0) as f64 / 1e6);
    Ok(())
}
