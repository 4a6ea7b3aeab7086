//! Puts right what died: jobs whose worker is gone.

use std::time::Duration;

use super::outcome;
use crate::{
    app::App,
    domain::capture::Reason,
    store::{StoreError, jobs, parts},
};

/// A password somebody typed is forgotten after this, whatever became of the job that wanted it.
const PASSWORD_LIFE: Duration = Duration::from_secs(3600);

/// Takes jobs with expired leases back; those without attempts left become visible failures. Returns how many failed.
pub async fn sweep(app: &App) -> Result<usize, StoreError> {
    let mut tx = app.db.write().await?;
    let now = tx.lease_now(app.clock.as_ref()).await?;
    let dead = jobs::reclaim_expired(&mut tx, now).await?;
    for job in &dead {
        let Ok(capture) = job.subject_id.parse() else { continue };
        let detail = "the reader died on it every time it was tried";
        outcome::mark_failed(app, &mut tx, &capture, Reason::AttemptsExhausted, detail).await?;
    }
    parts::forget_old_passwords(&mut tx, app.now().minus(PASSWORD_LIFE)).await?;
    tx.commit().await?;
    Ok(dead.len())
}
