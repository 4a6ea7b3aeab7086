//! What failed, and trying it again.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};

use super::require_admin;
use crate::{
    domain::{
        capture::{CaptureState, Reason},
        ids::JobId,
    },
    review,
    store::{captures, jobs},
    web::{
        handlers::{
            frame::{Frame, PageForm},
            names,
        },
        pages::failed::{DeadJob, FailedCapture, FailedPage},
        problem::ApiError,
        state::AppState,
    },
};

/// Captures of each state, and jobs, on the page: the newest; the others come up when these are dealt with.
const LIMIT: i64 = 200;

/// `GET /admin/failed`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    match fill(&state, &frame).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame) -> Result<FailedPage, ApiError> {
    require_admin(frame.actor())?;
    let mut stuck = Vec::new();
    for wanted in [CaptureState::Failed, CaptureState::Quarantined, CaptureState::PasswordNeeded] {
        stuck.extend(review::captures_without_receipts(&state.app, frame.actor(), Some(wanted), LIMIT).await?);
    }
    // Mail that waits for its owner is on their page of mail.
    stuck.retain(|capture| !matches!(capture.reason, Some(Reason::SenderDoubted | Reason::AutomaticMail)));
    stuck.sort_by_key(|capture| std::cmp::Reverse(capture.created_at));
    let mut tx = state.app.db.read().await?;
    let owners = names::of_people(&mut tx, stuck.iter().map(|row| &row.owner_id)).await?;
    let mut rows = Vec::new();
    for row in stuck {
        let document = captures::documents(&mut tx, &row.id).await?.into_iter().next();
        let file_name = match document {
            Some(document) => captures::file_name(&mut tx, &row.id, &document.id).await?,
            None => None,
        };
        rows.push(FailedCapture {
            owner: owners.get(&row.owner_id).cloned().unwrap_or_default(),
            id: row.id,
            state: row.state,
            reason: row.reason,
            file_name,
            captured_at: row.created_at,
        });
    }
    let dead = jobs::list_dead(&mut tx, LIMIT).await?.into_iter().map(|job| DeadJob {
        error: job.last_error.or(job.last_reason).unwrap_or_default(),
        died_at: job.finished_at.unwrap_or(job.created_at),
        id: job.id,
        kind: job.kind,
        attempts: job.attempts,
    });
    Ok(FailedPage { shell: frame.shell.clone(), captures: rows, jobs: dead.collect(), more: None })
}

/// `POST /admin/jobs/{id}/retry`.
pub async fn retry_job(State(state): State<AppState>, Path(id): Path<JobId>, form: PageForm) -> Response {
    match review::retry_job(&state.app, form.frame.actor(), &id).await {
        Ok(()) => {
            state.app.wake.notify_one();
            Redirect::to("/admin/failed").into_response()
        }
        Err(error) => form.frame.fail(error).await,
    }
}
