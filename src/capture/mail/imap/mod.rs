//! Mailboxes elsewhere: looked into, their messages taken to the door, then marked as read or moved. Exactly once, through
//! crashes, changed UIDVALIDITY and servers that reuse UIDs: what a message is, its content says; UIDs only save work.

mod connect;
mod round;

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

pub use connect::Transport;

use self::round::{Memory, Round};
use super::PostOffice;
use crate::store::{Dialect, StoreError, lease, mail_accounts};

/// How long a poller may be silent before another process takes the mailbox over.
const LEASE: Duration = Duration::from_secs(60);
/// Beats before the lease runs out.
const BEATS: u32 = 3;
/// How long to wait after a poll failed, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How long `IDLE` lasts before it is renewed: routers forget silent connections (RFC 2177 allows 29 minutes).
const IDLE_TIME: Duration = Duration::from_secs(240);

/// A mailbox to look into.
#[derive(Clone)]
pub struct Account {
    /// What it is called here.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub transport: Transport,
    /// Who signs in.
    pub user: String,
    /// Their password.
    pub password: String,
    /// The folder.
    pub mailbox: String,
    /// User name of the person whose mail it is, unless a secret address says otherwise.
    pub owner: Option<String>,
    /// Whether its owner puts messages there to hand them in.
    pub is_handed_in: bool,
    /// Folder to move messages to once they are safe; otherwise they are marked as read.
    pub move_to: Option<String>,
    /// PEM file with an authority to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// Time between two looks when the server does not announce new mail.
    pub every: Duration,
}

/// Why a mailbox could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// The server could not be reached, or the connection broke.
    #[error("the connection to the mail server failed: {0}")]
    Connection(String),
    /// It did not answer in time.
    #[error("the mail server did not answer in time ({0})")]
    Silent(&'static str),
    /// It said no.
    #[error("the mail server refused: {0}")]
    Refused(String),
    /// A file of the configuration.
    #[error("`{0}` cannot be used: {1}")]
    File(PathBuf, String),
    /// There is no such person.
    #[error("there is no active user `{0}`: set `owner` of the mailbox to a user name")]
    NoOwner(String),
    /// The door did not take a message; it stays where it is.
    #[error("a message could not be kept and stays in the mailbox: {0}")]
    NotKept(String),
    /// Database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Looks into the mailbox until `stop` is cancelled. One process at a time does.
pub async fn watch(office: PostOffice, account: Account, stop: CancellationToken) {
    let app = office.app.clone();
    // The embedded database serves one machine: its next process need not wait for the lease of a killed one.
    let holder = match app.db.dialect() {
        Dialect::Sqlite => "embedded".to_owned(),
        Dialect::Postgres => format!("{}-{}", std::process::id(), hex::encode(app.random.bytes::<4>())),
    };
    let name = format!("imap:{}", account.name);
    let account = Arc::new(account);
    let mut memory = Memory::default();
    let mut pause = FIRST_PAUSE;
    while !stop.is_cancelled() {
        let wait = match hold(&office, &name, &holder).await {
            Ok(true) => {
                let result = tokio::select! {
                    result = look(&office, &account, &mut memory, &stop) => result,
                    () = keep(&office, &name, &holder) => Ok(()),
                    () = stop.cancelled() => break,
                };
                match result {
                    Ok(()) => {
                        pause = FIRST_PAUSE;
                        account.every
                    }
                    Err(error) => {
                        note(&office, &account, Some(&error.to_string())).await;
                        tracing::warn!("Mailbox `{}` could not be looked into: {error}", account.name);
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        pause.min(account.every.max(FIRST_PAUSE))
                    }
                }
            }
            Ok(false) => LEASE / BEATS,
            Err(error) => {
                tracing::warn!("Mailbox `{}`: the lease could not be asked for: {error}", account.name);
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => {}
        }
    }
    if let Ok(mut tx) = app.db.write().await
        && lease::release(&mut tx, &name, &holder).await.is_ok()
    {
        let _ = tx.commit().await;
    }
}

/// Looks once, for tests and for servers without `IDLE`: how many messages were taken.
pub async fn look_once(office: &PostOffice, account: &Account) -> Result<usize, ImapError> {
    let mut memory = Memory::default();
    let mut round = Round::open(office, account).await?;
    let taken = round.take_new(&mut memory).await?;
    round.close().await;
    Ok(taken)
}

/// Looks, and goes on looking over the same connection while the server announces new mail.
async fn look(
    office: &PostOffice,
    account: &Account,
    memory: &mut Memory,
    stop: &CancellationToken,
) -> Result<(), ImapError> {
    let mut round = Round::open(office, account).await?;
    while !stop.is_cancelled() {
        round.take_new(memory).await?;
        note(office, account, None).await;
        match round.idle(IDLE_TIME).await? {
            Some(again) => round = again,
            None => return Ok(()),
        }
    }
    round.close().await;
    Ok(())
}

async fn hold(office: &PostOffice, name: &str, holder: &str) -> Result<bool, StoreError> {
    let mut tx = office.app.db.write().await?;
    let is_ours = lease::acquire(&mut tx, name, holder, LEASE, office.app.clock.as_ref()).await?;
    tx.commit().await?;
    Ok(is_ours)
}

/// Returns when the lease is lost; until then extends it.
async fn keep(office: &PostOffice, name: &str, holder: &str) {
    loop {
        tokio::time::sleep(LEASE / BEATS).await;
        match hold(office, name, holder).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!("The lease of a mailbox could not be extended: {error}"),
        }
    }
}

/// Stores how the last look ended, for the admin page.
async fn note(office: &PostOffice, account: &Account, error: Option<&str>) {
    let noted = async {
        let mut tx = office.app.db.write().await?;
        mail_accounts::set_outcome(&mut tx, &account.name, &account.mailbox, error, office.app.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!("How mailbox `{}` fares could not be stored: {error}", account.name);
    }
}
