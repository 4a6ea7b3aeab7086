//! The one door: bytes come in, are kept, and are acknowledged only when they are durable.
//!
//! Order matters and is the promise: the object is stored and verified, then ONE transaction writes document,
//! capture, job and journal entry, then the caller acknowledges. Whatever fails before that leaves the sender with
//! their bytes and nothing here but, at worst, an object nobody refers to, which is collected after a day.

pub mod folder;
pub mod mail;
mod spool;

pub use spool::{Spooled, Spooler, spool, sweep};

use serde_json::json;

use self::mail::Letter;
use crate::{
    app::App,
    domain::{
        capture::{CaptureState, Channel, Reason},
        ids::{CaptureId, DocumentId, PersonId},
        journal::Manner,
        person::{Actor, Role},
        time::CapturedAt,
        visit::VisitChoice,
    },
    kill_points,
    objects::{ObjectError, ObjectKey},
    queue,
    store::{
        StoreError, Tx,
        captures::{self, CaptureRow},
        documents::{self, DocumentRow},
        mail_messages, people,
        receipts::{self, ReceiptRow},
        visits,
    },
};

/// The longest client id, note, place or file name kept, in characters.
pub const MAX_NOTE_CHARS: usize = 2_000;
const MAX_CLIENT_ID_CHARS: usize = 200;
const MAX_FILE_NAME_CHARS: usize = 255;

/// What the sender says about what they hand in.
#[derive(Debug, Clone)]
pub struct Handover {
    /// Whose receipts it brings.
    pub owner: PersonId,
    /// How it comes in.
    pub channel: Channel,
    /// The sender's own id for this act; the same one again returns the earlier capture.
    pub client_id: Option<String>,
    /// When the picture was taken.
    pub captured_at: Option<CapturedAt>,
    /// Where.
    pub place: Option<String>,
    /// A note for the reviewer.
    pub note: Option<String>,
    /// The visit it was for.
    pub visit: VisitChoice,
    /// The file's name, for people.
    pub file_name: Option<String>,
}

/// Whether something new came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new capture.
    Created,
    /// The owner handed in the same bytes, or the same client id, before.
    AlreadyHere,
}

/// What the door says when the bytes are safe.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// New or earlier.
    pub outcome: Outcome,
    /// The capture.
    pub capture: CaptureRow,
    /// Its document.
    pub document: DocumentId,
    /// Its receipts so far; withdrawn or rejected ones can be reopened.
    pub receipts: Vec<ReceiptRow>,
}

/// Why the door did not take something.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The document itself is refused; sending it again changes nothing.
    #[error("{detail}")]
    Refused {
        /// Stable code.
        reason: Reason,
        /// What is wrong, and what would be accepted.
        detail: String,
    },
    /// The sender went away in the middle. Nothing was kept.
    #[error("the upload broke off: {0}")]
    Interrupted(String),
    /// Not theirs to hand in for.
    #[error("you cannot hand in receipts on behalf of `{0}`")]
    NotOnBehalf(PersonId),
    /// The visit does not exist or is somebody else's.
    #[error("there is no visit `{0}` of this person")]
    UnknownVisit(crate::domain::ids::VisitId),
    /// A text is too long.
    #[error("`{field}` is longer than {max} characters")]
    TooLong {
        /// Which one.
        field: &'static str,
        /// The limit.
        max: usize,
    },
    /// The disk is almost full.
    #[error("only {} MB are free and {} MB are kept for what is here already: nothing was taken; make room on the disk of the data directory", .free / 1_000_000, .reserve / 1_000_000)]
    DiskFull {
        /// Bytes free.
        free: u64,
        /// Bytes uploads must leave.
        reserve: u64,
    },
    /// The temporary file could not be written.
    #[error("the upload could not be spooled: {0}")]
    Spool(#[source] std::io::Error),
    /// Object storage.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CaptureError {
    pub(crate) fn refused(reason: Reason, detail: impl Into<String>) -> Self {
        Self::Refused { reason, detail: detail.into() }
    }

    /// Whether the sender should keep the bytes and try again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Interrupted(_) | Self::DiskFull { .. } | Self::Spool(_) => true,
            Self::Objects(_) => true,
            Self::Store(error) => error.is_transient(),
            Self::Refused { .. } | Self::NotOnBehalf(_) | Self::UnknownVisit(_) | Self::TooLong { .. } => false,
        }
    }
}

/// Takes a spooled document in for `handover.owner`. When this returns `Ok`, it is durable.
pub async fn accept(
    app: &App,
    actor: &Actor,
    handover: &Handover,
    spooled: &Spooled,
) -> Result<Accepted, CaptureError> {
    take_in(app, actor, handover, spooled, None).await
}

/// The door for documents and for messages, whose `letter` says whether they are read or wait for their owner.
async fn take_in(
    app: &App,
    actor: &Actor,
    handover: &Handover,
    spooled: &Spooled,
    letter: Option<&Letter>,
) -> Result<Accepted, CaptureError> {
    check_texts(handover)?;
    let mut tx = app.db.read().await?;
    check_owner(&mut tx, actor, &handover.owner).await?;
    check_visit(&mut tx, actor, handover).await?;
    // A look before the expensive part; the transaction below looks again.
    if let Some(earlier) = find_earlier(&mut tx, handover, spooled, letter).await? {
        return Ok(earlier);
    }
    drop(tx);

    let now = app.now();
    let key = ObjectKey::document(&spooled.sha256, now, &mut app.random.clone());
    app.objects.put_file(&key, spooled.path(), spooled.size, &spooled.sha256).await?;
    kill_points::reached("o05");

    let mut tx = app.db.write().await?;
    kill_points::reached("u07");
    let document = DocumentRow {
        id: app.id::<DocumentId>(),
        owner_id: handover.owner.clone(),
        sha256: spooled.sha256,
        size: i64::try_from(spooled.size).unwrap_or(i64::MAX),
        media_type: spooled.media_type,
        object_key: key.to_string(),
        created_at: now,
        erased_at: None,
    };
    let mut capture = capture_row(app, actor, handover, now);
    if let Some(doubt) = letter.and_then(|letter| letter.doubt) {
        capture.state = CaptureState::Quarantined;
        capture.reason = Some(mail::reason(doubt));
    }
    let is_new = documents::insert(&mut tx, &document).await?
        && captures::insert(&mut tx, &capture).await?
        && keep_letter(app, &mut tx, &capture, letter).await?;
    if !is_new {
        // Somebody was faster with the same bytes or client id. Undo, answer with theirs, drop our object:
        // its key is ours alone, so nothing can refer to it.
        tx.rollback().await?;
        if let Err(error) = app.objects.delete(&key).await {
            tracing::warn!(object.key = %key, "Left an unreferenced object for collection: {error}");
        }
        let mut tx = app.db.read().await?;
        return find_earlier(&mut tx, handover, spooled, letter).await?.ok_or_else(|| {
            CaptureError::Interrupted("the same document was being handed in elsewhere; try again".to_owned())
        });
    }
    kill_points::reached("u08");
    captures::add_document(&mut tx, &capture.id, &document.id, 0, handover.file_name.as_deref()).await?;
    if capture.state == CaptureState::Received {
        queue::enqueue_read(app, &mut tx, &capture.id, &capture.owner_id, now).await?;
    }
    kill_points::reached("u09");
    let body = json!({
        "document": document.id,
        "sha256": document.sha256,
        "size": document.size,
        "media_type": document.media_type,
        "channel": handover.channel,
        "owner": handover.owner,
        "doubt": letter.and_then(|letter| letter.doubt),
    });
    // A message came by itself: whoever sent it has not signed in.
    let (by, manner) = if letter.is_some() { (None, Manner::System) } else { (Some(&actor.id), Manner::Singly) };
    let entry = app.entry(by, manner, "capture.received", ("capture", capture.id.as_str()), body);
    app.record(&mut tx, &entry).await?;
    kill_points::reached("u10");
    tx.commit().await?;
    kill_points::reached("u11");
    app.wake.notify_one();
    metrics::counter!("vouch_captures_total", "channel" => handover.channel.as_str()).increment(1);
    tracing::info!(capture.id = %capture.id, size = document.size, "Received capture `{}`", capture.id);
    Ok(Accepted { outcome: Outcome::Created, capture, document: document.id, receipts: Vec::new() })
}

fn capture_row(app: &App, actor: &Actor, handover: &Handover, now: crate::domain::time::Timestamp) -> CaptureRow {
    let (visit_id, no_visit) = match &handover.visit {
        VisitChoice::Undecided => (None, false),
        VisitChoice::NoVisit => (None, true),
        VisitChoice::Visit(id) => (Some(id.clone()), false),
    };
    CaptureRow {
        id: app.id::<CaptureId>(),
        owner_id: handover.owner.clone(),
        captured_by: actor.id.clone(),
        channel: handover.channel,
        client_id: handover.client_id.clone(),
        captured_at: handover.captured_at.map(|c| c.at),
        captured_offset_minutes: handover.captured_at.map(|c| i64::from(c.offset_minutes)),
        place: handover.place.clone(),
        note: handover.note.clone(),
        visit_id,
        no_visit,
        state: CaptureState::Received,
        reason: None,
        reason_detail: None,
        created_at: now,
        updated_at: now,
    }
}

/// Stores what is known about a message beside its bytes. `false` when its owner has the same message.
async fn keep_letter(
    app: &App,
    tx: &mut Tx,
    capture: &CaptureRow,
    letter: Option<&Letter>,
) -> Result<bool, CaptureError> {
    let Some(letter) = letter else { return Ok(true) };
    if let Some(reason) = capture.reason {
        captures::set_state(tx, &capture.id, capture.state, Some((reason, "")), capture.created_at).await?;
    }
    Ok(mail_messages::insert(tx, &letter.row(app, capture)).await?)
}

/// The owner's earlier capture of the same client id, the same bytes or the same message.
async fn find_earlier(
    tx: &mut Tx,
    handover: &Handover,
    spooled: &Spooled,
    letter: Option<&Letter>,
) -> Result<Option<Accepted>, CaptureError> {
    let mut found = None;
    if let Some(client_id) = &handover.client_id
        && let Some(capture) = captures::find_by_client_id(tx, &handover.owner, client_id).await?
    {
        let documents = captures::documents(tx, &capture.id).await?;
        let Some(document) = documents.into_iter().find(|d| d.sha256 == spooled.sha256) else {
            return Err(CaptureError::refused(
                Reason::IdempotencyConflict,
                format!("client_id `{client_id}` was used before for another document: send a new id"),
            ));
        };
        found = Some((capture, document.id));
    }
    if found.is_none()
        && let Some(document) = documents::find_by_hash(tx, &handover.owner, &spooled.sha256).await?
        && let Some(capture) = captures::find_by_document(tx, &document.id).await?
    {
        found = Some((capture, document.id));
    }
    if found.is_none()
        && let Some(letter) = letter
        && let Some(message) = mail_messages::find_by_content(tx, &handover.owner, &letter.content_hash).await?
        && let Some(capture) = captures::find(tx, &message.capture_id).await?
        && let Some(document) = captures::documents(tx, &capture.id).await?.into_iter().next()
    {
        found = Some((capture, document.id));
    }
    let Some((capture, document)) = found else { return Ok(None) };
    let receipts = receipts::list_by_capture(tx, &capture.id).await?;
    Ok(Some(Accepted { outcome: Outcome::AlreadyHere, capture, document, receipts }))
}

/// Everybody hands in for themselves; reviewers and admins also for others.
async fn check_owner(tx: &mut Tx, actor: &Actor, owner: &PersonId) -> Result<(), CaptureError> {
    if actor.id == *owner {
        return Ok(());
    }
    let may = actor.is(Role::Reviewer) || actor.is(Role::Admin);
    match people::find(tx, owner).await? {
        Some(person) if may && person.disabled_at.is_none() => Ok(()),
        _ => Err(CaptureError::NotOnBehalf(owner.clone())),
    }
}

async fn check_visit(tx: &mut Tx, actor: &Actor, handover: &Handover) -> Result<(), CaptureError> {
    let VisitChoice::Visit(id) = &handover.visit else { return Ok(()) };
    let may_name_any = actor.is(Role::Reviewer) || actor.is(Role::Admin);
    match visits::find(tx, id).await? {
        Some(visit) if visit.owner_id == handover.owner || may_name_any => Ok(()),
        _ => Err(CaptureError::UnknownVisit(id.clone())),
    }
}

fn check_texts(handover: &Handover) -> Result<(), CaptureError> {
    let too_long = |text: &Option<String>, max: usize| text.as_ref().is_some_and(|t| t.chars().count() > max);
    for (field, text, max) in [
        ("client_id", &handover.client_id, MAX_CLIENT_ID_CHARS),
        ("note", &handover.note, MAX_NOTE_CHARS),
        ("place", &handover.place, MAX_NOTE_CHARS),
        ("file name", &handover.file_name, MAX_FILE_NAME_CHARS),
    ] {
        if too_long(text, max) {
            return Err(CaptureError::TooLong { field, max });
        }
    }
    Ok(())
}
