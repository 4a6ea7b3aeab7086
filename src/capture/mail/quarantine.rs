//! Messages that wait for their owner: kept, visible, and read with one click. Nothing is discarded.

use serde_json::json;

use crate::{
    app::App,
    domain::{
        capture::CaptureState,
        ids::{CaptureId, MailMessageId},
        journal::Manner,
        mail::Decision,
        person::{Actor, Role},
    },
    queue,
    store::{
        StoreError, Tx, captures, mail_addresses,
        mail_messages::{self, MailMessage},
    },
};

/// Messages shown in one list.
const MAX_LISTED: i64 = 200;

/// Messages read lately that are shown.
const MAX_LATELY: i64 = 20;

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// There is none, or it is not theirs to see.
    #[error("there is no message `{0}`")]
    NoSuchMessage(MailMessageId),
    /// It was believed or accepted before.
    #[error("message `{0}` does not wait for a decision")]
    NotWaiting(MailMessageId),
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits for the actor, newest first; with `rejected`, what they rejected.
pub async fn list(app: &App, actor: &Actor, rejected: bool) -> Result<Vec<MailMessage>, StoreError> {
    let mut tx = app.db.read().await?;
    let decision = rejected.then_some(Decision::Rejected);
    mail_messages::list_doubted(&mut tx, &actor.id, decision, MAX_LISTED).await
}

/// What was read of the actor's mail lately, newest first: a look back, not an archive.
pub async fn read_lately(app: &App, actor: &Actor) -> Result<Vec<MailMessage>, StoreError> {
    let mut tx = app.db.read().await?;
    mail_messages::list_believed(&mut tx, &actor.id, MAX_LATELY).await
}

/// How many messages wait for the actor.
pub async fn count(app: &App, actor: &Actor) -> Result<i64, StoreError> {
    let mut tx = app.db.read().await?;
    mail_messages::count_waiting(&mut tx, &actor.id).await
}

/// A message the actor may see.
pub async fn find(app: &App, actor: &Actor, id: &MailMessageId) -> Result<MailMessage, QuarantineError> {
    let mut tx = app.db.read().await?;
    load(&mut tx, actor, id).await
}

/// The message a capture came with, when the actor may see it.
pub async fn behind(app: &App, actor: &Actor, capture: &CaptureId) -> Result<Option<MailMessage>, StoreError> {
    let mut tx = app.db.read().await?;
    let message = mail_messages::find_by_capture(&mut tx, capture).await?;
    Ok(message.filter(|message| may_see(message, actor)))
}

/// Reads the message after all. With `remember_sender`, mail whose sender is proved to be the same is read without
/// asking from now on.
pub async fn accept(
    app: &App,
    actor: &Actor,
    id: &MailMessageId,
    remember_sender: bool,
) -> Result<MailMessage, QuarantineError> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let message = load(&mut tx, actor, id).await?;
    if !mail_messages::decide(&mut tx, id, Decision::Accepted, &actor.id, now).await? {
        return Err(QuarantineError::NotWaiting(id.clone()));
    }
    captures::set_state(&mut tx, &message.capture_id, CaptureState::Received, None, now).await?;
    queue::enqueue_read(app, &mut tx, &message.capture_id, &message.owner_id, now).await?;
    let remembered = message.header_from.as_deref().filter(|_| remember_sender);
    if let Some(sender) = remembered {
        mail_addresses::add_sender(&mut tx, &message.owner_id, sender, &actor.id, now).await?;
    }
    let body = json!({ "message": id, "doubt": message.doubt, "remembers_sender": remembered.is_some() });
    let subject = ("capture", message.capture_id.as_str());
    let entry = app.entry(Some(&actor.id), Manner::Singly, "mail.accepted", subject, body);
    app.record(&mut tx, &entry).await?;
    let message = load(&mut tx, actor, id).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(message)
}

/// Makes nothing of the message. It stays, and can be accepted later.
pub async fn reject(app: &App, actor: &Actor, id: &MailMessageId) -> Result<MailMessage, QuarantineError> {
    let mut tx = app.db.write().await?;
    let message = load(&mut tx, actor, id).await?;
    if !mail_messages::decide(&mut tx, id, Decision::Rejected, &actor.id, app.now()).await? {
        return Err(QuarantineError::NotWaiting(id.clone()));
    }
    let body = json!({ "message": id, "doubt": message.doubt });
    let subject = ("capture", message.capture_id.as_str());
    let entry = app.entry(Some(&actor.id), Manner::Singly, "mail.rejected", subject, body);
    app.record(&mut tx, &entry).await?;
    let message = load(&mut tx, actor, id).await?;
    tx.commit().await?;
    Ok(message)
}

/// Owners see their mail; admins may help them.
fn may_see(message: &MailMessage, actor: &Actor) -> bool {
    message.owner_id == actor.id || actor.is(Role::Admin)
}

async fn load(tx: &mut Tx, actor: &Actor, id: &MailMessageId) -> Result<MailMessage, QuarantineError> {
    let message = mail_messages::find(tx, id).await?;
    message.filter(|message| may_see(message, actor)).ok_or_else(|| QuarantineError::NoSuchMessage(id.clone()))
}
