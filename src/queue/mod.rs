//! The queue as use cases see it: enqueue with the data, claim with a lease, give back or give up. Its SQL is in `store::jobs`.

pub mod presence;

use std::time::Duration;

use crate::{
    app::App,
    domain::{
        ids::{CaptureId, JobId, PersonId},
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        captures::CaptureRow,
        jobs::{self, JobRow, JobState, Lease, NewJob},
    },
};

pub use crate::app::QueueSettings as Settings;

/// The job kind that reads a capture.
pub const READ: &str = "read";

/// Wait before attempt n + 1 after attempt n failed.
pub fn back_off(attempts: i64) -> Duration {
    match attempts {
        ..=1 => Duration::from_secs(5),
        2 => Duration::from_secs(30),
        _ => Duration::from_secs(300),
    }
}

/// A claimed job and the lease to show when finishing it.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The job.
    pub job: JobRow,
    /// The lease.
    pub lease: Lease,
}

/// Enqueues the reading of a capture, in the transaction that stores the capture.
pub async fn enqueue_read(
    app: &App,
    tx: &mut Tx,
    capture: &CaptureId,
    owner: &PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let job = NewJob {
        id: app.id::<JobId>(),
        kind: READ,
        payload: "{}".to_owned(),
        subject_id: capture.as_str(),
        owner: Some(owner),
        max_attempts: app.queue.max_attempts,
    };
    jobs::enqueue(tx, &job, now).await
}

/// Revives the dead job of a capture, or enqueues a new one.
pub async fn read_again(app: &App, tx: &mut Tx, capture: &CaptureRow, now: Timestamp) -> Result<(), StoreError> {
    if let Some(job) = jobs::find_by_subject(tx, READ, capture.id.as_str()).await? {
        match job.state {
            JobState::Ready | JobState::Running => return Ok(()),
            JobState::Dead => {
                jobs::revive(tx, &job.id, now).await?;
                return Ok(());
            }
            JobState::Done => {}
        }
    }
    enqueue_read(app, tx, &capture.id, &capture.owner_id, now).await
}

/// Claims the next job in fair order for `holder`; commits the claim at once.
pub async fn claim(app: &App, holder: &str) -> Result<Option<Claimed>, StoreError> {
    let mut tx = app.db.write().await?;
    let now = tx.lease_now(app.clock.as_ref()).await?;
    let job = jobs::claim(&mut tx, READ, holder, app.queue.lease, now).await?;
    tx.commit().await?;
    Ok(job.map(|job| Claimed { lease: Lease { job: job.id.clone(), fence: job.fence }, job }))
}

/// Extends the lease; `false` means it was lost.
pub async fn heartbeat(app: &App, lease: &Lease) -> Result<bool, StoreError> {
    let mut tx = app.db.write().await?;
    let now = tx.lease_now(app.clock.as_ref()).await?;
    let is_held = jobs::heartbeat(&mut tx, lease, app.queue.lease, now).await?;
    tx.commit().await?;
    Ok(is_held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_with_every_attempt() {
        assert!(back_off(1) < back_off(2) && back_off(2) < back_off(3));
        let settings = Settings::default();
        assert!(settings.heartbeat() * 3 <= settings.lease);
    }
}
