//! What failed, and trying it again.

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::require_admin;
use crate::{
    domain::{
        capture::CaptureState,
        ids::{CaptureId, JobId},
    },
    review,
    store::{
        captures,
        jobs::{self, JobRow},
    },
    web::{
        api::cursor,
        handlers::{
            frame::{Frame, PageForm},
            names,
        },
        pages::failed::{DeadJob, FailedCapture, FailedPage},
        problem::ApiError,
        state::AppState,
    },
};

/// Captures, and jobs, on a page.
const LIMIT: usize = 50;
/// Captures somebody must look at.
const STUCK: &[CaptureState] = &[CaptureState::Failed, CaptureState::Quarantined, CaptureState::PasswordNeeded];

/// The page's address: at most one of both; the first page, without either, shows both lists.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Only captures, after this cursor.
    captures: Option<String>,
    /// Only jobs, after this cursor.
    jobs: Option<String>,
}

/// `GET /admin/failed?captures=&jobs=`.
pub async fn page(State(state): State<AppState>, frame: Frame, Query(address): Query<Address>) -> Response {
    match fill(&state, &frame, &address).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame, address: &Address) -> Result<FailedPage, ApiError> {
    require_admin(frame.actor())?;
    let mut page = FailedPage {
        shell: frame.shell.clone(),
        captures: Vec::new(),
        more_captures: None,
        jobs: Vec::new(),
        more_jobs: None,
    };
    if address.jobs.is_none() {
        fill_captures(state, frame, address.captures.as_deref(), &mut page).await?;
    }
    if address.captures.is_none() {
        fill_jobs(state, address.jobs.as_deref(), &mut page).await?;
    }
    Ok(page)
}

async fn fill_captures(
    state: &AppState,
    frame: &Frame,
    after: Option<&str>,
    page: &mut FailedPage,
) -> Result<(), ApiError> {
    let after = after.map(cursor::decode::<CaptureId>).transpose()?;
    let after = after.as_ref().map(|(at, id)| (*at, id));
    let listed = review::captures_without_receipts(&state.app, frame.actor(), STUCK, after, LIMIT).await?;
    let mut tx = state.app.db.read().await?;
    let owners = names::of_people(&mut tx, listed.captures.iter().map(|row| &row.owner_id)).await?;
    for row in listed.captures {
        let document = captures::documents(&mut tx, &row.id).await?.into_iter().next();
        let file_name = match document {
            Some(document) => captures::file_name(&mut tx, &row.id, &document.id).await?,
            None => None,
        };
        page.captures.push(FailedCapture {
            owner: owners.get(&row.owner_id).cloned().unwrap_or_default(),
            id: row.id,
            state: row.state,
            reason: row.reason,
            file_name,
            captured_at: row.created_at,
        });
    }
    page.more_captures = listed.next.as_ref().map(|last| format!("/admin/failed?captures={}", cursor::encode(last)));
    Ok(())
}

async fn fill_jobs(state: &AppState, after: Option<&str>, page: &mut FailedPage) -> Result<(), ApiError> {
    let after = after.map(cursor::decode::<JobId>).transpose()?;
    let after = after.as_ref().map(|(at, id)| (*at, id));
    let mut tx = state.app.db.read().await?;
    // One more than the page tells whether there is another.
    let mut dead = jobs::list_dead(&mut tx, after, LIMIT as i64 + 1).await?;
    let has_more = dead.len() > LIMIT;
    dead.truncate(LIMIT);
    let died_at = |job: &JobRow| job.finished_at.unwrap_or(job.created_at);
    let last = dead.last().filter(|_| has_more).map(|job| (died_at(job), job.id.clone()));
    page.more_jobs = last.as_ref().map(|last| format!("/admin/failed?jobs={}", cursor::encode(last)));
    page.jobs = dead
        .into_iter()
        .map(|job| DeadJob {
            died_at: died_at(&job),
            error: job.last_error.or(job.last_reason).unwrap_or_default(),
            id: job.id,
            kind: job.kind,
            attempts: job.attempts,
        })
        .collect();
    Ok(())
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
