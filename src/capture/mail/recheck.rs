//! Messages whose sender could not be checked because DNS gave no answer: they wait, and are checked again by themselves.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{PostOffice, authenticate::Route, deliver, headers::Head};
use crate::{
    domain::{
        capture::CaptureState,
        ids::MailMessageId,
        journal::Manner,
        mail::{Doubt, Way, judge},
        time::Timestamp,
    },
    objects::ObjectError,
    queue,
    store::{
        StoreError, captures, mail_addresses,
        mail_messages::{self, MailMessage},
    },
};

/// Time between two rounds: most outages of DNS are shorter than people wait for a receipt.
pub const EVERY: Duration = Duration::from_secs(600);
/// How long a message is checked again. SPF and DKIM records may have changed by then: RFC 6376, section 6, wants signatures
/// checked soon, and senders keep old keys for a few days.
const MAX_AGE: Duration = Duration::from_secs(2 * 24 * 3600);
/// Messages of one round.
const MAX_PER_ROUND: usize = 200;

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
pub enum RecheckError {
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The message could not be read again.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// Until when a message is checked again by itself; `None` for one whose sender was checked or decided about, and where
/// nobody asks DNS.
pub fn until(office: &PostOffice, message: &MailMessage) -> Option<Timestamp> {
    let is_unchecked = message.doubt == Some(Doubt::Unchecked) && message.decision.is_none();
    (is_unchecked && office.authenticator.asks_dns()).then(|| message.received_at.plus(MAX_AGE))
}

/// Checks again from time to time until `stop` is cancelled.
pub async fn watch(office: PostOffice, stop: CancellationToken) {
    if !office.authenticator.asks_dns() {
        return;
    }
    let mut after = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        match round(&office, &mut after).await {
            Ok(0) => {}
            Ok(settled) => tracing::info!("Checked the senders of {settled} waiting messages"),
            Err(error) => tracing::warn!("The senders of waiting messages could not be checked again: {error}"),
        }
    }
}

/// Checks messages again, from the one behind `after` on, which moves on so that those that cannot be checked do not keep
/// the others waiting. How many are no longer unchecked.
///
/// # Errors
/// [`RecheckError`] when database or object storage is away; what was settled before stays settled.
pub async fn round(office: &PostOffice, after: &mut Option<MailMessageId>) -> Result<usize, RecheckError> {
    let since = office.app.now().minus(MAX_AGE);
    let limit = i64::try_from(MAX_PER_ROUND).unwrap_or(i64::MAX);
    let messages = {
        let mut tx = office.app.db.read().await?;
        mail_messages::list_unchecked(&mut tx, since, after.as_ref(), limit).await?
    };
    *after = messages.last().filter(|_| messages.len() == MAX_PER_ROUND).map(|last| last.id.clone());
    let mut settled = 0;
    for message in &messages {
        settled += usize::from(check(office, message).await?);
    }
    Ok(settled)
}

/// Checks one message; whether something was found out.
async fn check(office: &PostOffice, message: &MailMessage) -> Result<bool, RecheckError> {
    let app = &office.app;
    let document = {
        let mut tx = app.db.read().await?;
        captures::documents(&mut tx, &message.capture_id).await?.into_iter().next()
    };
    let Some(document) = document else { return Ok(false) };
    let Ok(key) = document.object_key.parse() else { return Ok(false) };
    let _room = office.authenticator.room_for(u64::try_from(document.size).unwrap_or(0)).await;
    let raw: Arc<[u8]> = match app.objects.get_verified(&key, app.limits.max_bytes, &document.sha256).await {
        Ok(raw) => raw.as_ref().into(),
        Err(error @ (ObjectError::Unavailable { .. } | ObjectError::Refused { .. })) => return Err(error.into()),
        // Damaged or gone: a scrub tells about it, and the others go on.
        Err(_) => return Ok(false),
    };
    let Ok(head) = Head::split(&raw) else { return Ok(false) };
    let is_strangers = message.way == Way::Smtp;
    let route = Route {
        ip: message.peer.as_deref().filter(|_| is_strangers).and_then(|peer| peer.parse().ok()),
        hello: message.hello.clone().unwrap_or_default(),
        sender: message.envelope_sender.clone(),
    };
    let route = Route { ip: route.ip.filter(|ip: &std::net::IpAddr| !ip.is_loopback()), ..route };
    let evidence = office.authenticator.check(raw.clone(), &head, route).await;

    let mut tx = app.db.write().await?;
    let is_known = match &message.header_from {
        Some(from) => mail_addresses::knows_sender(&mut tx, &message.owner_id, from).await?,
        None => false,
    };
    let doubt = judge(&evidence, is_known, office.settings.policy);
    if doubt == Some(Doubt::Unchecked) || !mail_messages::set_checked(&mut tx, &message.id, &evidence, doubt).await? {
        return Ok(false);
    }
    let now = app.now();
    match doubt {
        None => {
            captures::set_state(&mut tx, &message.capture_id, CaptureState::Received, None, now).await?;
            queue::enqueue_read(app, &mut tx, &message.capture_id, &message.owner_id, now).await?;
        }
        Some(doubt) => {
            let reason = Some((deliver::reason(doubt), doubt.as_str()));
            captures::set_state(&mut tx, &message.capture_id, CaptureState::Quarantined, reason, now).await?;
        }
    }
    let body = json!({ "message": message.id, "doubt": doubt });
    let subject = ("capture", message.capture_id.as_str());
    let entry = app.entry(None, Manner::System, "mail.checked", subject, body);
    app.record(&mut tx, &entry).await?;
    tx.commit().await?;
    app.wake.notify_one();
    Ok(true)
}
