//! One look into a mailbox: which messages are new, each taken to the door, and marked only when it is safe.

use std::{collections::BTreeSet, time::Duration};

use async_imap::{Session, error::Error, extensions::idle::IdleResponse, types::Mailbox};
use futures_util::TryStreamExt as _;
use tokio::time::timeout;

use super::{
    super::{Origin, PostOffice, deliver::Recipient, headers::Head},
    Account, ImapError,
    connect::{Capped, connect},
};
use crate::{
    capture::Spooler,
    domain::{mail::Way, time::Timestamp},
    kill_points,
    store::{mail_accounts, people},
};

/// How long a command may take.
const COMMAND_TIME: Duration = Duration::from_secs(60);
/// How long fetching one message may take.
const FETCH_TIME: Duration = Duration::from_secs(300);
/// What a server may send for one command besides a message: 50,000 UIDs are 350 kB.
const SMALL_ANSWER: u64 = 8 * 1024 * 1024;
/// Messages of one round; more wait for the next, which follows at once.
const MAX_PER_ROUND: usize = 500;
/// UIDs remembered as looked at and left alone.
const MAX_REMEMBERED: usize = 100_000;
/// With changed UIDs, how far before the last look messages are looked at again. Their content tells the known ones.
const LOOK_BACK: Duration = Duration::from_secs(3 * 24 * 3600);

/// What is remembered between looks of one process.
#[derive(Debug, Default)]
pub(super) struct Memory {
    uid_validity: u32,
    /// Messages looked at that are nobody's here, or too large: they stay as they are.
    left_alone: BTreeSet<u32>,
    /// HIGHESTMODSEQ and UIDNEXT of a box in which nothing was left to do.
    settled: Option<(u64, u32)>,
}

/// A mailbox opened.
pub(super) struct Round<'a> {
    office: &'a PostOffice,
    account: &'a Account,
    session: Session<Capped>,
    has_idle: bool,
    has_move: bool,
    has_condstore: bool,
}

/// Bounds a command in time.
async fn within<T>(
    time: Duration,
    what: &'static str,
    command: impl Future<Output = Result<T, Error>>,
) -> Result<T, ImapError> {
    match timeout(time, command).await {
        Err(_) => Err(ImapError::Silent(what)),
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error @ (Error::No(_) | Error::Bad(_)))) => Err(ImapError::Refused(format!("{what}: {error}"))),
        Ok(Err(error)) => Err(ImapError::Connection(format!("{what}: {error}"))),
    }
}

impl<'a> Round<'a> {
    /// Connects and signs in.
    pub(super) async fn open(office: &'a PostOffice, account: &'a Account) -> Result<Self, ImapError> {
        let client = connect(account, SMALL_ANSWER).await?;
        let login = client.login(&account.user, &account.password);
        let mut session = within(COMMAND_TIME, "LOGIN", async { login.await.map_err(|(error, _)| error) }).await?;
        let has = within(COMMAND_TIME, "CAPABILITY", session.capabilities()).await?;
        // RFC 2971. Some providers (126, 163, qq) refuse SELECT to programs that do not say who they are.
        if has.has_str("ID") {
            let id = [("name", Some("Vouch")), ("version", Some(env!("CARGO_PKG_VERSION"))), ("vendor", Some("Vouch"))];
            within(COMMAND_TIME, "ID", session.id(id)).await?;
        }
        Ok(Self {
            office,
            account,
            session,
            has_idle: has.has_str("IDLE"),
            has_move: has.has_str("MOVE"),
            has_condstore: has.has_str("CONDSTORE"),
        })
    }

    /// Signs out, as far as the server lets us.
    pub(super) async fn close(mut self) {
        let _ = within(Duration::from_secs(5), "LOGOUT", self.session.logout()).await;
    }

    /// Waits for the server to announce something, at most for `time`. `None` without `IDLE`.
    pub(super) async fn idle(mut self, time: Duration) -> Result<Option<Self>, ImapError> {
        if !self.has_idle {
            self.close().await;
            return Ok(None);
        }
        self.session.get_mut().allow(SMALL_ANSWER);
        let mut idle = self.session.idle();
        within(COMMAND_TIME, "IDLE", idle.init()).await?;
        let (waiting, _stop) = idle.wait_with_timeout(time.min(self.account.every.max(Duration::from_secs(60))));
        // The server's own silence is what is waited for; a little longer, and the connection is dead.
        match within(time + COMMAND_TIME, "IDLE", waiting).await? {
            IdleResponse::NewData(_) | IdleResponse::Timeout => {}
            IdleResponse::ManualInterrupt => {
                return Err(ImapError::Connection("it was closed while waiting for mail".to_owned()));
            }
        }
        self.session = within(COMMAND_TIME, "DONE", idle.done()).await?;
        Ok(Some(self))
    }

    /// Takes every new message. How many were taken.
    pub(super) async fn take_new(&mut self, memory: &mut Memory) -> Result<usize, ImapError> {
        let mut taken = 0;
        // Ends: each round that was full took messages, and a box holds finitely many.
        loop {
            let (here, is_full) = self.take_some(memory).await?;
            taken += here;
            if !is_full {
                return Ok(taken);
            }
        }
    }

    async fn take_some(&mut self, memory: &mut Memory) -> Result<(usize, bool), ImapError> {
        let mailbox = self.select().await?;
        let refused = |what: &str| ImapError::Refused(format!("the server gives no {what} for the mailbox"));
        let uid_validity = mailbox.uid_validity.ok_or_else(|| refused("UIDVALIDITY"))?;
        let uid_next = mailbox.uid_next.ok_or_else(|| refused("UIDNEXT"))?;
        if memory.uid_validity != uid_validity {
            *memory = Memory { uid_validity, ..Memory::default() };
        }
        let state = mailbox.highest_modseq.map(|modseq| (modseq, uid_next));
        if state.is_some() && state == memory.settled {
            return Ok((0, false));
        }
        let known = {
            let mut tx = self.office.app.db.read().await?;
            mail_accounts::find(&mut tx, &self.account.name).await?
        };
        let known = known.filter(|known| known.mailbox == self.account.mailbox);
        let read_to = known.as_ref().and_then(|known| Some((known.uid_validity?, known.uid_next?)));
        let mut uids = self.search("UNSEEN").await?;
        match read_to {
            Some((validity, next)) if validity == i64::from(uid_validity) && next <= i64::from(uid_next) => {
                // Somebody may have read a message before we did. The range always gives the last message, too.
                let newer = self.search(&format!("UID {next}:*")).await?;
                uids.extend(newer.into_iter().filter(|uid| i64::from(*uid) >= next));
            }
            // The box was made anew, or its UIDs run backwards: they say nothing about what we have.
            Some(_) => {
                let polled_at = known.and_then(|known| known.polled_at).unwrap_or_else(|| self.office.app.now());
                uids.extend(self.search(&format!("SINCE {}", imap_date(polled_at.minus(LOOK_BACK)))).await?);
            }
            // The first look: only what nobody has read. A box of years is not taken in by surprise.
            None => {}
        }
        uids.retain(|uid| !memory.left_alone.contains(uid));
        let is_full = uids.len() > MAX_PER_ROUND;
        let mut taken = 0;
        let mut dealt_with = uid_next;
        for (place, uid) in uids.into_iter().enumerate() {
            if place == MAX_PER_ROUND {
                dealt_with = uid;
                break;
            }
            match self.take(uid).await? {
                Taken::Kept => taken += 1,
                Taken::Gone => {}
                Taken::LeftAlone => {
                    if memory.left_alone.len() < MAX_REMEMBERED {
                        memory.left_alone.insert(uid);
                    }
                }
            }
        }
        let mut tx = self.office.app.db.write().await?;
        let (validity, next) = (i64::from(uid_validity), i64::from(dealt_with.min(uid_next)));
        let now = self.office.app.now();
        let Account { name, mailbox, .. } = self.account;
        mail_accounts::set_progress(&mut tx, name, mailbox, validity, next, taken, now).await?;
        tx.commit().await?;
        // Our own marks move HIGHESTMODSEQ: a box is settled when there was nothing to mark.
        memory.settled = if taken == 0 && !is_full { state } else { None };
        Ok((usize::try_from(taken).unwrap_or(0), is_full))
    }

    async fn select(&mut self) -> Result<Mailbox, ImapError> {
        self.session.get_mut().allow(SMALL_ANSWER);
        let name = &self.account.mailbox;
        if self.has_condstore {
            within(COMMAND_TIME, "SELECT", self.session.select_condstore(name)).await
        } else {
            within(COMMAND_TIME, "SELECT", self.session.select(name)).await
        }
    }

    async fn search(&mut self, query: &str) -> Result<BTreeSet<u32>, ImapError> {
        self.session.get_mut().allow(SMALL_ANSWER);
        let found = within(COMMAND_TIME, "SEARCH", self.session.uid_search(query)).await?;
        Ok(found.into_iter().collect())
    }

    /// Takes one message, and marks or moves it once it is safe.
    async fn take(&mut self, uid: u32) -> Result<Taken, ImapError> {
        let max_bytes = self.office.app.limits.max_bytes;
        let Some(size) = self.size_of(uid).await? else { return Ok(Taken::Gone) };
        if size > max_bytes {
            tracing::warn!("Mailbox `{}`: message {uid} is larger than {max_bytes} bytes and stays", self.account.name);
            return Ok(Taken::LeftAlone);
        }
        let Some(raw) = self.fetch(uid, size).await? else { return Ok(Taken::Gone) };
        kill_points::reached("i01");
        let recipients = self.recipients(&raw).await?;
        if recipients.is_empty() {
            return Ok(Taken::LeftAlone);
        }
        let not_kept = |error: crate::capture::CaptureError| ImapError::NotKept(error.to_string());
        let app = &self.office.app;
        let mut spooler = Spooler::begin(&app.spool, &app.limits).await.map_err(not_kept)?;
        spooler.push(&raw).await.map_err(not_kept)?;
        drop(raw);
        let spooled = spooler.finish_mail().await.map_err(not_kept)?;
        let origin = Origin {
            way: Way::Imap,
            ip: None,
            peer: Some(self.account.name.clone()),
            hello: None,
            sender: None,
            is_encrypted: self.account.transport != super::Transport::Plain,
            is_handed_in: self.account.is_handed_in,
        };
        for delivered in self.office.deliver(&spooled, &origin, &recipients).await {
            delivered.map_err(not_kept)?;
        }
        kill_points::reached("i03");
        self.mark(uid).await?;
        kill_points::reached("i04");
        Ok(Taken::Kept)
    }

    async fn size_of(&mut self, uid: u32) -> Result<Option<u64>, ImapError> {
        self.session.get_mut().allow(SMALL_ANSWER);
        let found = within(COMMAND_TIME, "FETCH", async {
            let answers: Vec<_> =
                self.session.uid_fetch(uid.to_string(), "(UID RFC822.SIZE)").await?.try_collect().await?;
            Ok(answers.iter().find(|answer| answer.uid == Some(uid)).and_then(|answer| answer.size))
        });
        Ok(found.await?.map(u64::from))
    }

    async fn fetch(&mut self, uid: u32, size: u64) -> Result<Option<Vec<u8>>, ImapError> {
        // Some servers count line ends of one octet: a little more may come than was announced.
        self.session.get_mut().allow(size + size / 8 + SMALL_ANSWER);
        within(FETCH_TIME, "FETCH", async {
            let answers: Vec<_> =
                self.session.uid_fetch(uid.to_string(), "(UID BODY.PEEK[])").await?.try_collect().await?;
            let message = answers.iter().find(|answer| answer.uid == Some(uid));
            Ok(message.and_then(|answer| answer.body()).map(<[u8]>::to_vec))
        })
        .await
    }

    /// Whose the message is: of the people whose secret address it names, else of the mailbox's owner.
    async fn recipients(&self, raw: &[u8]) -> Result<Vec<Recipient>, ImapError> {
        let mut recipients: Vec<Recipient> = Vec::new();
        let named = Head::split(raw).map(|head| head.recipients()).unwrap_or_default();
        for address in named.iter().take(100) {
            if let Some(found) = self.office.find(address).await?
                && recipients.iter().all(|known| known.person != found.person_id)
            {
                recipients.push(found.into());
            }
        }
        if recipients.is_empty()
            && let Some(owner) = &self.account.owner
        {
            let mut tx = self.office.app.db.read().await?;
            let person = people::find_by_user_name(&mut tx, owner).await?;
            let person = person.filter(|person| person.actor().is_some());
            let person = person.ok_or_else(|| ImapError::NoOwner(owner.clone()))?;
            recipients.push(Recipient { person: person.id, address: None });
        }
        Ok(recipients)
    }

    async fn mark(&mut self, uid: u32) -> Result<(), ImapError> {
        self.session.get_mut().allow(SMALL_ANSWER);
        let uid = uid.to_string();
        let Some(folder) = &self.account.move_to else { return self.flag(&uid, "\\Seen").await };
        if self.has_move {
            return within(COMMAND_TIME, "MOVE", self.session.uid_mv(&uid, folder)).await;
        }
        within(COMMAND_TIME, "COPY", self.session.uid_copy(&uid, folder)).await?;
        self.flag(&uid, "\\Seen \\Deleted").await?;
        // Without UIDPLUS messages that others marked as deleted would go too; then ours stays marked.
        let expunged = within(COMMAND_TIME, "EXPUNGE", async {
            self.session.uid_expunge(&uid).await?.try_collect::<Vec<_>>().await.map(drop)
        });
        match expunged.await {
            Ok(()) | Err(ImapError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn flag(&mut self, uid: &str, flags: &str) -> Result<(), ImapError> {
        let query = format!("+FLAGS.SILENT ({flags})");
        within(COMMAND_TIME, "STORE", async {
            self.session.uid_store(uid, query).await?.try_collect::<Vec<_>>().await.map(drop)
        })
        .await
    }
}

/// What became of a message in the box.
enum Taken {
    /// Safe, and marked.
    Kept,
    /// Not there any more.
    Gone,
    /// Not for us, or too large: untouched.
    LeftAlone,
}

/// `SINCE` takes dates such as `23-Nov-2026`.
fn imap_date(at: Timestamp) -> String {
    at.to_jiff().strftime("%d-%b-%Y").to_string()
}
