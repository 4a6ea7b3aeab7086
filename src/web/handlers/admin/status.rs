//! The state of the house: the checks of `vouch doctor` that need no configuration file, and counts.

use axum::{extract::State, response::Response};

use super::require_admin;
use crate::{
    domain::{capture::CaptureState, draft::DraftState},
    health::{self, Finding, Found},
    store::{captures, documents, jobs, people, receipts},
    web::{
        handlers::frame::Frame,
        pages::status::{Check, StatusPage},
        problem::ApiError,
        state::AppState,
    },
};

/// `GET /admin/status`.
pub async fn page(State(state): State<AppState>, frame: Frame) -> Response {
    match fill(&state, &frame).await {
        Ok(page) => frame.render(&page),
        Err(error) => frame.fail(error).await,
    }
}

async fn fill(state: &AppState, frame: &Frame) -> Result<StatusPage, ApiError> {
    require_admin(frame.actor())?;
    let mut findings = vec![https(state)];
    findings.extend(health::of_instance(&state.app).await);
    findings.extend(health::mail(&state.app, &state.web.mail_doors).await);
    findings.push(health::disk(&state.app.spool));
    // Without workers in this process, others read; the queue tells whether they do.
    if let Some(pool) = &state.pool {
        findings.push(health::engine(pool).await);
    }
    Ok(StatusPage {
        shell: frame.shell.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        checks: findings.iter().map(|finding| Check::of(frame.shell.lang, finding)).collect(),
        // A database that is away shows in its check; the counts are then simply not there.
        counts: counts(state).await.unwrap_or_default(),
    })
}

fn https(state: &AppState) -> Finding {
    let web = &state.web;
    health::https(match &web.local_ca {
        _ if !web.is_secure => None,
        Some(_) => Some(Found::with("https_own", [web.external_url.clone()])),
        None => Some(Found::with("https", [web.external_url.clone()])),
    })
}

async fn counts(state: &AppState) -> Result<Vec<(String, u64)>, ApiError> {
    let mut tx = state.app.db.read().await?;
    let jobs = jobs::count_by_state(&mut tx).await?;
    let captures = captures::count_by_state(&mut tx).await?;
    let drafts = receipts::count_by_state(&mut tx).await?;
    let of = |counts: &[(String, i64)], word: &str| counts.iter().find(|(state, _)| state == word).map_or(0, |c| c.1);
    let failed = captures.iter().find(|(state, _)| *state == CaptureState::Failed).map_or(0, |c| c.1);
    let counts = [
        ("waiting", of(&jobs, "ready")),
        ("reading", of(&jobs, "running")),
        ("submitted", of(&drafts, DraftState::Submitted.as_str())),
        ("failed", failed),
        ("people", people::count(&mut tx).await?),
        ("documents", documents::count(&mut tx).await?),
    ];
    Ok(counts.into_iter().map(|(code, count)| (code.to_owned(), count.unsigned_abs())).collect())
}
