//! The job table: leases with fencing tokens, and an order that is fair between owners.
//!
//! Fairness is start-time fair queueing decided when a job is enqueued: a job's `fair_order` is one more than the
//! larger of its owner's last and the smallest one still waiting. 500 uploads of one rep get 500 consecutive numbers; another
//! rep's single upload gets the next one after the job now being served, so it waits for at most one of the 500.

use std::time::Duration;

use super::{Dialect, StoreError, Tx, on, record};
use crate::domain::{
    field::text_enum,
    ids::{JobId, PersonId},
    time::Timestamp,
};

text_enum! {
    /// Where a job stands.
    JobState {
        /// Waiting until `run_at`.
        Ready = "ready",
        /// Leased by a worker.
        Running = "running",
        /// Done.
        Done = "done",
        /// Given up; people see it and may retry.
        Dead = "dead",
    }
}

impl super::Column for JobState {
    type Raw = String;
    fn from_raw(raw: String) -> Result<Self, super::column::DecodeError> {
        Ok(raw.parse()?)
    }
}

record! {
    /// A job as stored.
    pub struct JobRow {
        /// Id.
        pub id: JobId,
        /// What to do, e.g. `read`.
        pub kind: String,
        /// What about, as JSON.
        pub payload: String,
        /// The capture or other thing it is about.
        pub subject_id: String,
        /// Whose work it is.
        pub owner_id: Option<PersonId>,
        /// State.
        pub state: JobState,
        /// Place in the queue.
        pub fair_order: i64,
        /// Not before.
        pub run_at: Timestamp,
        /// Claims so far, crashed ones included.
        pub attempts: i64,
        /// Claims allowed.
        pub max_attempts: i64,
        /// Fencing token: counts claims; whoever finishes must still hold the current one.
        pub fence: i64,
        /// Until when the holder's lease lasts.
        pub lease_until: Option<Timestamp>,
        /// Who holds it.
        pub lease_holder: Option<String>,
        /// Why the last attempt failed, stable code.
        pub last_reason: Option<String>,
        /// More about it.
        pub last_error: Option<String>,
        /// When it was enqueued.
        pub created_at: Timestamp,
        /// When it was done or given up.
        pub finished_at: Option<Timestamp>,
    }
}

/// A job to enqueue.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    /// Id.
    pub id: JobId,
    /// What to do.
    pub kind: &'a str,
    /// What about, as JSON.
    pub payload: String,
    /// The thing it is about.
    pub subject_id: &'a str,
    /// Whose work it is; decides fairness.
    pub owner: Option<&'a PersonId>,
    /// Claims allowed.
    pub max_attempts: i64,
}

/// A lease on a job: what a worker must show to finish it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token at claim.
    pub fence: i64,
}

/// Enqueues a job in the transaction of the data it belongs to.
pub async fn enqueue(tx: &mut Tx, job: &NewJob<'_>, now: Timestamp) -> Result<(), StoreError> {
    const INSERT: &str =
        "INSERT INTO job (id, kind, payload, subject_id, owner_id, state, fair_order, run_at, attempts,
            max_attempts, fence, created_at)
        VALUES ($1, $2, $3, $4, $5, 'ready', $6, $7, 0, $8, 0, $7)";
    let fair_order = next_order(tx, job.owner, now).await?;
    on!(tx, |c| sqlx::query(INSERT)
        .bind(job.id.as_str())
        .bind(job.kind)
        .bind(&job.payload)
        .bind(job.subject_id)
        .bind(job.owner.map(PersonId::as_str))
        .bind(fair_order)
        .bind(now.as_micros())
        .bind(job.max_attempts)
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("jobs::enqueue", e))
}

/// The next place in the queue for `owner`.
async fn next_order(tx: &mut Tx, owner: Option<&PersonId>, now: Timestamp) -> Result<i64, StoreError> {
    // Where service is now: just before the first job that could run, or after everything given out when none waits.
    const FIRST_WAITING: &str =
        "SELECT fair_order FROM job WHERE state = 'ready' AND run_at <= $1 ORDER BY fair_order LIMIT 1";
    const LAST_GIVEN: &str = "SELECT last_order FROM job_owner ORDER BY last_order DESC LIMIT 1";
    const TAKE: &str = "INSERT INTO job_owner (owner_id, last_order) VALUES ($1, $2 + 1)
        ON CONFLICT (owner_id) DO UPDATE SET last_order =
            CASE WHEN job_owner.last_order > $2 THEN job_owner.last_order ELSE $2 END + 1
        RETURNING last_order";
    let error = |e| StoreError::from_sqlx("jobs::next_order", e);
    let waiting: Option<i64> =
        on!(tx, |c| sqlx::query_scalar(FIRST_WAITING).bind(now.as_micros()).fetch_optional(c).await).map_err(error)?;
    let served = match waiting {
        Some(first) => first - 1,
        None => {
            on!(tx, |c| sqlx::query_scalar::<_, i64>(LAST_GIVEN).fetch_optional(c).await).map_err(error)?.unwrap_or(0)
        }
    };
    // Jobs nobody owns share one place.
    let owner = owner.map_or("", PersonId::as_str);
    on!(tx, |c| sqlx::query_scalar(TAKE).bind(owner).bind(served).fetch_one(c).await).map_err(error)
}

/// Claims the next job of one of `kinds` (comma-separated) for `holder`, counting the attempt now: a worker that dies has used it up.
pub async fn claim(
    tx: &mut Tx,
    kinds: &str,
    holder: &str,
    lease: Duration,
    now: Timestamp,
) -> Result<Option<JobRow>, StoreError> {
    // PostgreSQL has many claimers at once: each skips rows another is just taking. SQLite has one writer.
    const SQLITE: &str =
        "UPDATE job SET state = 'running', attempts = attempts + 1, fence = fence + 1, lease_until = $3,
            lease_holder = $4
        WHERE id = (SELECT id FROM job WHERE state = 'ready' AND run_at <= $1
            AND ',' || $2 || ',' LIKE '%,' || kind || ',%' ORDER BY fair_order, id LIMIT 1)
        RETURNING *";
    const POSTGRES: &str = "UPDATE job SET state = 'running', attempts = attempts + 1, fence = fence + 1,
            lease_until = $3, lease_holder = $4
        WHERE id = (SELECT id FROM job WHERE state = 'ready' AND run_at <= $1
            AND ',' || $2 || ',' LIKE '%,' || kind || ',%' ORDER BY fair_order, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *";
    let sql = match tx.dialect() {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    };
    on!(tx, |c| sqlx::query_as(sql)
        .bind(now.as_micros())
        .bind(kinds)
        .bind(now.plus(lease).as_micros())
        .bind(holder)
        .fetch_optional(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("jobs::claim", e))
}

/// Extends the lease. `false` means it was lost: stop working, nothing will be accepted.
pub async fn heartbeat(tx: &mut Tx, held: &Lease, lease: Duration, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE job SET lease_until = $3 WHERE id = $1 AND fence = $2 AND state = 'running'";
    on!(tx, |c| sqlx::query(SQL)
        .bind(held.job.as_str())
        .bind(held.fence)
        .bind(now.plus(lease).as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("jobs::heartbeat", e))
}

/// Marks the job done, in the transaction that stores its result. `false` means the lease was lost: roll back.
pub async fn finish(tx: &mut Tx, held: &Lease, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE job SET state = 'done', finished_at = $3, lease_until = NULL, lease_holder = NULL
        WHERE id = $1 AND fence = $2 AND state = 'running'";
    on!(tx, |c| sqlx::query(SQL)
        .bind(held.job.as_str())
        .bind(held.fence)
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("jobs::finish", e))
}

/// Puts the job back until `run_at`. `false` means the lease was lost.
pub async fn retry_at(
    tx: &mut Tx,
    held: &Lease,
    run_at: Timestamp,
    reason: &str,
    error: &str,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE job SET state = 'ready', run_at = $3, lease_until = NULL, lease_holder = NULL,
            last_reason = $4, last_error = $5
        WHERE id = $1 AND fence = $2 AND state = 'running'";
    on!(tx, |c| sqlx::query(SQL)
        .bind(held.job.as_str())
        .bind(held.fence)
        .bind(run_at.as_micros())
        .bind(reason)
        .bind(error)
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("jobs::retry_at", e))
}

/// Puts the job back as if it had not been claimed: the cause was ours (database or storage away), not the document's.
pub async fn release(tx: &mut Tx, held: &Lease, run_at: Timestamp, error: &str) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE job SET state = 'ready', run_at = $3, attempts = attempts - 1, lease_until = NULL,
            lease_holder = NULL, last_error = $4
        WHERE id = $1 AND fence = $2 AND state = 'running'";
    on!(tx, |c| sqlx::query(SQL)
        .bind(held.job.as_str())
        .bind(held.fence)
        .bind(run_at.as_micros())
        .bind(error)
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("jobs::release", e))
}

/// Gives the job up. `false` means the lease was lost.
pub async fn bury(tx: &mut Tx, held: &Lease, reason: &str, error: &str, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE job SET state = 'dead', finished_at = $3, lease_until = NULL, lease_holder = NULL,
            last_reason = $4, last_error = $5
        WHERE id = $1 AND fence = $2 AND state = 'running'";
    on!(tx, |c| sqlx::query(SQL)
        .bind(held.job.as_str())
        .bind(held.fence)
        .bind(now.as_micros())
        .bind(reason)
        .bind(error)
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("jobs::bury", e))
}

/// Ends the leases of a worker process that died; its holders are called `{process}-…`. How many.
pub async fn end_leases_of(tx: &mut Tx, process: &str, now: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE job SET lease_until = $2 WHERE state = 'running' AND lease_holder LIKE $1 || '-%'";
    // A moment ago: expired for whoever looks next.
    let over = now.minus(Duration::from_secs(1));
    on!(tx, |c| sqlx::query(SQL).bind(process).bind(over.as_micros()).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("jobs::end_leases_of", e))
}

/// Takes jobs whose lease ran out back into the queue; those without attempts left are dead. Returns the dead ones.
pub async fn reclaim_expired(tx: &mut Tx, now: Timestamp) -> Result<Vec<JobRow>, StoreError> {
    const AGAIN: &str = "UPDATE job SET state = 'ready', run_at = $1, lease_until = NULL, lease_holder = NULL
        WHERE state = 'running' AND lease_until < $1 AND attempts < max_attempts";
    const DEAD: &str = "UPDATE job SET state = 'dead', finished_at = $1, lease_until = NULL, lease_holder = NULL,
            last_reason = COALESCE(last_reason, 'attempts_exhausted')
        WHERE state = 'running' AND lease_until < $1 AND attempts >= max_attempts RETURNING *";
    let error = |e| StoreError::from_sqlx("jobs::reclaim_expired", e);
    on!(tx, |c| sqlx::query(AGAIN).bind(now.as_micros()).execute(c).await.map(drop)).map_err(error)?;
    on!(tx, |c| sqlx::query_as(DEAD).bind(now.as_micros()).fetch_all(c).await).map_err(error)
}

/// Gives a dead job fresh attempts. `false` means it was not dead.
pub async fn revive(tx: &mut Tx, id: &JobId, now: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str =
        "UPDATE job SET state = 'ready', run_at = $2, attempts = 0, finished_at = NULL, last_reason = NULL,
            last_error = NULL
        WHERE id = $1 AND state = 'dead'";
    on!(tx, |c| sqlx::query(SQL)
        .bind(id.as_str())
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() == 1))
    .map_err(|e| StoreError::from_sqlx("jobs::revive", e))
}

/// The job with this id.
pub async fn find(tx: &mut Tx, id: &JobId) -> Result<Option<JobRow>, StoreError> {
    const SQL: &str = "SELECT * FROM job WHERE id = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(id.as_str()).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("jobs::find", e))
}

/// The latest job of a kind about a thing.
pub async fn find_by_subject(tx: &mut Tx, kind: &str, subject_id: &str) -> Result<Option<JobRow>, StoreError> {
    const SQL: &str = "SELECT * FROM job WHERE subject_id = $2 AND kind = $1 ORDER BY created_at DESC, id DESC LIMIT 1";
    on!(tx, |c| sqlx::query_as(SQL).bind(kind).bind(subject_id).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("jobs::find_by_subject", e))
}

/// A page of dead letters, newest first, after the one given.
pub async fn list_dead(tx: &mut Tx, after: Option<(Timestamp, &JobId)>, limit: i64) -> Result<Vec<JobRow>, StoreError> {
    const SQL: &str = "SELECT * FROM job WHERE state = 'dead'
        AND (CAST($1 AS BIGINT) IS NULL OR finished_at < $1 OR (finished_at = $1 AND id < $2))
        ORDER BY finished_at DESC, id DESC LIMIT $3";
    on!(tx, |c| sqlx::query_as(SQL)
        .bind(after.map(|(at, _)| at.as_micros()))
        .bind(after.map(|(_, id)| id.as_str()))
        .bind(limit)
        .fetch_all(c)
        .await)
    .map_err(|e| StoreError::from_sqlx("jobs::list_dead", e))
}

/// How many jobs wait, run, are done and are dead.
pub async fn count_by_state(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    const SQL: &str = "SELECT state, CAST(COUNT(*) AS BIGINT) FROM job GROUP BY state ORDER BY state";
    on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await).map_err(|e| StoreError::from_sqlx("jobs::count_by_state", e))
}

/// When the oldest waiting job was enqueued.
pub async fn oldest_ready(tx: &mut Tx) -> Result<Option<Timestamp>, StoreError> {
    const SQL: &str = "SELECT CAST(MIN(created_at) AS BIGINT) FROM job WHERE state = 'ready'";
    on!(tx, |c| sqlx::query_scalar::<_, Option<i64>>(SQL).fetch_one(c).await)
        .map(|micros| micros.map(Timestamp::from_micros))
        .map_err(|e| StoreError::from_sqlx("jobs::oldest_ready", e))
}

/// Forgets done jobs that finished before `before`; dead ones stay until someone decides.
pub async fn forget_done(tx: &mut Tx, before: Timestamp) -> Result<u64, StoreError> {
    const SQL: &str = "DELETE FROM job WHERE state = 'done' AND finished_at < $1";
    on!(tx, |c| sqlx::query(SQL).bind(before.as_micros()).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("jobs::forget_done", e))
}
