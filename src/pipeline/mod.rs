//! The worker: claim → read → extract → classify → draft. THE page to read to see how a receipt becomes a draft.
//!
//! A job may be run twice (a worker died, a lease ran out) and still has one effect: its result is stored in one transaction
//! that first finishes the job under its fencing token, and receipts are unique per capture and place.

mod outcome;
mod split;
mod sweep;
mod understand;

pub use split::receipts_of;
pub use sweep::sweep;
pub use understand::{Knowledge, Understood, understand};

use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    domain::{
        capture::{CaptureState, Reason},
        ids::{CaptureId, ReadingId},
    },
    kill_points,
    objects::{ObjectError, ObjectKey},
    queue::{self, Claimed},
    reader::{ReadFailure, ReadRequest, ReaderPool, Reading},
    store::{
        StoreError,
        captures::{self, CaptureRow},
        documents::DocumentRow,
    },
};

/// How long an idle worker waits before it looks again, when nobody rings: work enqueued by another machine.
const IDLE_POLL: Duration = Duration::from_millis(500);
/// How long a worker waits when the database is away.
const TROUBLE_PAUSE: Duration = Duration::from_secs(2);

/// A document read, with the previews already in object storage.
struct ReadDocument {
    id: ReadingId,
    document: DocumentRow,
    reading: Reading,
    /// Beside `reading.previews`.
    pictures: Vec<PageKeys>,
    duration_ms: i64,
}

/// Where the pictures of a page are.
struct PageKeys {
    preview: ObjectKey,
    thumbnail: Option<ObjectKey>,
}

/// Why a job ended without a result.
#[derive(Debug, thiserror::Error)]
enum JobError {
    /// The document's fault, or the reader's on it: a reason people see.
    #[error(transparent)]
    Read(#[from] ReadFailure),
    /// Object storage is away: not the document's fault, the attempt does not count.
    #[error(transparent)]
    Objects(ObjectError),
    /// The database is away: neither.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lease was lost: someone else does it now.
    #[error("the lease was lost")]
    LeaseLost,
}

impl From<ObjectError> for JobError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Missing { .. } => Self::Read(ReadFailure::new(Reason::ObjectMissing, error.to_string())),
            ObjectError::Damaged { .. } | ObjectError::TooLarge { .. } => {
                Self::Read(ReadFailure::new(Reason::ObjectDamaged, error.to_string()))
            }
            ObjectError::Unavailable { .. }
            | ObjectError::Refused { .. }
            | ObjectError::AlreadyExists { .. }
            | ObjectError::Source { .. } => Self::Objects(error),
        }
    }
}

/// Works until `stop` is cancelled, finishing the job in hand.
pub async fn work(app: App, pool: ReaderPool, holder: String, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match queue::claim(&app, &holder).await {
            Ok(Some(claimed)) => {
                kill_points::reached("w01");
                run(&app, &pool, claimed).await;
            }
            Ok(None) => {
                tokio::select! {
                    () = app.wake.notified() => {}
                    () = tokio::time::sleep(IDLE_POLL) => {}
                    () = stop.cancelled() => {}
                }
            }
            Err(error) => {
                tracing::warn!("Cannot claim a job: {error}");
                tokio::select! {
                    () = tokio::time::sleep(TROUBLE_PAUSE) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
}

/// Runs one claimed job to its end: a stored result, a retry, or a visible failure.
async fn run(app: &App, pool: &ReaderPool, claimed: Claimed) {
    let started = tokio::time::Instant::now();
    let result = tokio::select! {
        result = read_capture(app, pool, &claimed) => result,
        () = keep_lease(app, &claimed) => Err(JobError::LeaseLost),
    };
    let label = match &result {
        Ok(_) => "read",
        Err(JobError::Read(failure)) => failure.reason.as_str(),
        Err(JobError::Objects(_)) => "objects_unavailable",
        Err(JobError::Store(_)) => "store_unavailable",
        Err(JobError::LeaseLost) => "lease_lost",
    };
    metrics::counter!("vouch_jobs_total", "outcome" => label).increment(1);
    metrics::histogram!("vouch_job_seconds").record(started.elapsed().as_secs_f64());
    let job = &claimed.job;
    match result {
        Ok(receipts) => tracing::info!(
            job.id = %job.id,
            duration_ms = started.elapsed().as_millis() as u64,
            "Read capture `{}`: {receipts} receipts",
            job.subject_id
        ),
        Err(JobError::LeaseLost) => {
            tracing::warn!(job.id = %job.id, "Lost the lease on capture `{}`; another worker has it", job.subject_id);
        }
        Err(error) => {
            tracing::warn!(job.id = %job.id, attempt = job.attempts, "Capture `{}` was not read: {error}", job.subject_id);
            if let Err(store_error) = give_back(app, &claimed, &error).await {
                // The lease runs out by itself and the job comes back.
                tracing::warn!(job.id = %job.id, "The failure could not be stored: {store_error}");
            }
        }
    }
}

/// Returns when the lease is lost; until then extends it.
async fn keep_lease(app: &App, claimed: &Claimed) {
    loop {
        tokio::time::sleep(app.queue.heartbeat()).await;
        match queue::heartbeat(app, &claimed.lease).await {
            Ok(true) => {}
            Ok(false) => return,
            // The database may be back before the lease runs out; storing the result decides.
            Err(error) => tracing::warn!(job.id = %claimed.job.id, "A heartbeat failed: {error}"),
        }
    }
}

/// The whole way of one capture. Returns how many receipts it has.
async fn read_capture(app: &App, pool: &ReaderPool, claimed: &Claimed) -> Result<usize, JobError> {
    let id: CaptureId =
        claimed.job.subject_id.parse().map_err(|error| {
            ReadFailure::new(Reason::AttemptsExhausted, format!("the job names no capture: {error}"))
        })?;
    let (capture, documents) = load(app, &id).await?;
    let mut read = Vec::with_capacity(documents.len());
    for document in documents {
        read.push(read_document(app, pool, document).await?);
    }
    let knowledge = Knowledge::load(app, &capture).await?;
    let understood: Vec<Understood> =
        read.iter().flat_map(|done| receipts_of(&done.reading)).map(|group| understand(&knowledge, &group)).collect();
    let count = understood.len();
    outcome::store(app, claimed, &capture, read, understood, &knowledge).await?;
    Ok(count)
}

/// Loads the capture and says that it is being read.
async fn load(app: &App, id: &CaptureId) -> Result<(CaptureRow, Vec<DocumentRow>), JobError> {
    let mut tx = app.db.write().await?;
    let capture = captures::find(&mut tx, id)
        .await?
        .ok_or_else(|| ReadFailure::new(Reason::AttemptsExhausted, "the capture does not exist"))?;
    let documents = captures::documents(&mut tx, id).await?;
    captures::set_state(&mut tx, id, CaptureState::Reading, None, app.now()).await?;
    tx.commit().await?;
    Ok((capture, documents))
}

/// Bytes out of storage, verified; through the sandboxed reader; previews into storage.
async fn read_document(app: &App, pool: &ReaderPool, document: DocumentRow) -> Result<ReadDocument, JobError> {
    let started = tokio::time::Instant::now();
    let key: ObjectKey = document
        .object_key
        .parse()
        .map_err(|_| ReadFailure::new(Reason::ObjectMissing, "the document's object key is not one of ours"))?;
    let bytes = app.objects.get_verified(&key, app.limits.max_bytes, &document.sha256).await?;
    kill_points::reached("w02");
    let reading = pool.read(ReadRequest::new(document.media_type, app.limits, bytes)).await?;
    let id = app.id::<ReadingId>();
    let mut pictures = Vec::with_capacity(reading.previews.len());
    for preview in &reading.previews {
        let mut stored = Vec::with_capacity(2);
        for jpeg in std::iter::once(&preview.jpeg).chain(&preview.thumbnail) {
            let key = ObjectKey::reading_preview(&id, preview.page, app.now(), &mut app.random.clone());
            app.objects.put_bytes(&key, Bytes::clone(jpeg)).await?;
            stored.push(key);
        }
        let mut stored = stored.into_iter();
        pictures.extend(stored.next().map(|preview| PageKeys { preview, thumbnail: stored.next() }));
    }
    let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    Ok(ReadDocument { id, document, reading, pictures, duration_ms })
}

/// Stores why a job failed: another attempt later, or a visible failure.
async fn give_back(app: &App, claimed: &Claimed, error: &JobError) -> Result<(), StoreError> {
    match error {
        JobError::Read(failure) => outcome::fail(app, claimed, failure).await,
        JobError::Objects(error) => outcome::release(app, claimed, &error.to_string()).await,
        JobError::Store(error) => outcome::release(app, claimed, &error.to_string()).await,
        JobError::LeaseLost => Ok(()),
    }
}
