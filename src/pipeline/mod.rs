//! The worker: claim → read → extract → classify → draft. THE page to read to see how a receipt becomes a draft.
//!
//! A job may be run twice (a worker died, a lease ran out) and still has one effect: its result is stored in one transaction
//! that first finishes the job under its fencing token, and receipts are unique per capture and place.

mod alike;
mod found;
mod join;
mod outcome;
mod split;
mod sweep;
mod understand;
pub mod walk;

pub use join::receipts;
pub use split::{Group, Member, divide, receipts_of};
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
        sha256::Sha256,
    },
    kill_points,
    objects::{ObjectError, ObjectKey},
    queue::{self, Claimed},
    reader::{ReadFailure, ReaderPool, protocol::Password},
    store::{
        StoreError,
        captures::{self, CaptureRow},
        documents::DocumentRow,
        parts,
    },
};
use walk::{Filed, Source, Tree, walk};

/// How long an idle worker waits before it looks again, when nobody rings: work enqueued by another machine.
const IDLE_POLL: Duration = Duration::from_millis(500);
/// How long a worker waits when the database is away.
const TROUBLE_PAUSE: Duration = Duration::from_secs(2);

/// What of a document's turn is in object storage already, before the database hears of it.
struct Kept {
    /// The reading it will be stored under.
    reading: ReadingId,
    /// Where its pictures are, in the order of the reading's previews.
    pictures: Vec<PageKeys>,
    /// Where its bytes are, when it was found inside another document and is new.
    object: Option<ObjectKey>,
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
    /// Another capture filed the same document meanwhile: read again, and it is linked instead of drafted twice.
    #[error("another capture filed one of its documents at the same time")]
    Contended,
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
                run(&app, &pool, claimed, &stop).await;
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
async fn run(app: &App, pool: &ReaderPool, claimed: Claimed, stop: &CancellationToken) {
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
        Err(JobError::Contended) => "contended",
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
            // Ends: it is stored, somebody else has the job, or we are stopping and the lease runs out by itself. What
            // made storage fail often keeps this from being stored too (a full disk): given up here, the attempt would
            // count against the receipt, which has done nothing. (It still may, should the trouble outlast the lease and
            // another process look for expired leases first.)
            while let Err(store_error) = give_back(app, &claimed, &error).await {
                tracing::warn!(job.id = %job.id, "The failure could not be stored: {store_error}");
                if !store_error.is_transient() {
                    break;
                }
                tokio::select! {
                    () = tokio::time::sleep(TROUBLE_PAUSE) => {}
                    () = stop.cancelled() => break,
                }
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
    let Loaded { capture, roots, passwords } = load(app, &id).await?;
    let mut sources = Vec::with_capacity(roots.len());
    for root in &roots {
        sources.push(fetch(app, root).await?);
    }
    let filed = Filed::By { app, owner: &capture.owner_id, capture: &capture.id };
    let tree = walk(pool, &app.limits, sources, &passwords, filed).await?;
    if let Some(failure) = fault_of_all(&tree, roots.len()) {
        return Err(failure.clone().into());
    }
    let mut kept = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        kept.push(keep(app, &capture, node).await?);
    }
    let knowledge = Knowledge::load(app, &capture).await?;
    let understood = receipts(&knowledge, &tree);
    let count = understood.len();
    outcome::store(app, claimed, &outcome::Done { capture, roots, tree, kept, understood, knowledge }).await?;
    Ok(count)
}

/// What was handed in failed altogether. A missing password is no failure: the capture waits for it.
fn fault_of_all(tree: &Tree, roots: usize) -> Option<&ReadFailure> {
    let mut failures = tree.nodes.iter().take(roots).map(walk::Node::failure);
    let first = failures.next()??;
    let all_failed = failures.all(|failure| failure.is_some());
    (all_failed && first.reason != Reason::PasswordNeeded).then_some(first)
}

struct Loaded {
    capture: CaptureRow,
    /// What was handed in; what is inside is found again.
    roots: Vec<DocumentRow>,
    passwords: Vec<(Sha256, Password)>,
}

/// Loads the capture and says that it is being read.
async fn load(app: &App, id: &CaptureId) -> Result<Loaded, JobError> {
    let mut tx = app.db.write().await?;
    let capture = captures::find(&mut tx, id)
        .await?
        .ok_or_else(|| ReadFailure::new(Reason::AttemptsExhausted, "the capture does not exist"))?;
    let roots = captures::handed_in(&mut tx, id).await?;
    let passwords = parts::passwords(&mut tx, id).await?;
    captures::set_state(&mut tx, id, CaptureState::Reading, None, app.now()).await?;
    tx.commit().await?;
    let passwords = passwords.into_iter().map(|(digest, text)| (digest, Password::new(text))).collect();
    Ok(Loaded { capture, roots, passwords })
}

/// A document's bytes out of storage, verified.
async fn fetch(app: &App, document: &DocumentRow) -> Result<Source, JobError> {
    let key: ObjectKey = document
        .object_key
        .parse()
        .map_err(|_| ReadFailure::new(Reason::ObjectMissing, "the document's object key is not one of ours"))?;
    let bytes = app.objects.get_verified(&key, app.limits.max_bytes, &document.sha256).await?;
    kill_points::reached("w02");
    Ok(Source { bytes, name: None, media_type: document.media_type, sha256: document.sha256 })
}

/// Previews into storage, and the bytes of a document found inside another one.
async fn keep(app: &App, capture: &CaptureRow, node: &walk::Node) -> Result<Kept, JobError> {
    let reading = app.id::<ReadingId>();
    let mut pictures = Vec::new();
    for preview in node.reading().map(|reading| reading.previews.as_slice()).unwrap_or_default() {
        let key = || ObjectKey::reading_preview(&reading, preview.page, app.now(), &mut app.random.clone());
        let mut keys = PageKeys { preview: key(), thumbnail: None };
        app.objects.put_bytes(&keys.preview, Bytes::clone(&preview.jpeg)).await?;
        if let Some(jpeg) = &preview.thumbnail {
            let thumbnail = keys.thumbnail.insert(key());
            app.objects.put_bytes(thumbnail, Bytes::clone(jpeg)).await?;
        }
        pictures.push(keys);
    }
    let is_new = node.parent.is_some() && !found::is_kept(app, &capture.owner_id, &node.source.sha256).await?;
    let mut object = None;
    if is_new {
        let key = ObjectKey::document(&node.source.sha256, app.now(), &mut app.random.clone());
        app.objects.put_bytes(&key, Bytes::clone(&node.source.bytes)).await?;
        object = Some(key);
    }
    Ok(Kept { reading, pictures, object })
}

/// Stores why a job failed: another attempt later, or a visible failure.
async fn give_back(app: &App, claimed: &Claimed, error: &JobError) -> Result<(), StoreError> {
    match error {
        JobError::Read(failure) => outcome::fail(app, claimed, failure).await,
        JobError::Objects(error) => outcome::release(app, claimed, &error.to_string()).await,
        JobError::Store(error) => outcome::release(app, claimed, &error.to_string()).await,
        JobError::Contended => outcome::release(app, claimed, &error.to_string()).await,
        JobError::LeaseLost => Ok(()),
    }
}
