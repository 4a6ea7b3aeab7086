//! Proves the journal, page by page in bounded memory, or names the first entry that is not as it was sealed.

use std::{collections::BTreeSet, fmt};

use ed25519_dalek::VerifyingKey;

use super::{
    Raw,
    checkpoint::{self, Head, is_signed},
};
use crate::{
    domain::{
        journal::{Checkpoint, body_hash, genesis},
        sha256::Sha256,
    },
    store::{Db, StoreError, Tx, on, organisation},
};

/// What the journal looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Sealed entries proven: all, or those before [`Verification::first_broken`].
    pub sealed: i64,
    /// The end of what is proven.
    pub head: Head,
    /// Of those, how many have had their body erased.
    pub erased: i64,
    /// Entries written but not sealed yet; their bodies fit their hashes, their order is not proven.
    pub tail: i64,
    /// Stored checkpoints that fit.
    pub checkpoints: i64,
    /// Public keys of checkpoints that are not among the trusted ones, hexadecimal.
    pub unknown_keys: BTreeSet<String>,
    /// The first thing that is wrong.
    pub first_broken: Option<Broken>,
}

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The number it has or should have; `None` in the unsealed tail.
    pub seq: Option<i64>,
    /// The entry found there.
    pub id: Option<String>,
    /// What is wrong.
    pub what: Fault,
}

/// What can be wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No entry has this number.
    Missing,
    /// An entry has a number no entry was given.
    Inserted,
    /// Header, number or hash were changed, or an entry before it was removed, added or moved.
    Changed,
    /// The body is not the one that was written.
    BodyChanged,
    /// A column holds something that does not belong there.
    Undecodable,
    /// An entry of the tail has a hash: its number was taken away.
    Unsealed,
    /// The journal ends before what a checkpoint covers.
    TailCut,
    /// A stored checkpoint has another hash: the chain was written anew.
    Restamped,
    /// A stored checkpoint's signature does not fit.
    BadCheckpoint,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the entry is missing",
            Self::Inserted => "the entry was inserted",
            Self::Changed => "the entry was changed or moved",
            Self::BodyChanged => "the body was changed",
            Self::Undecodable => "a column holds something that does not belong there",
            Self::Unsealed => "the number of a sealed entry was taken away",
            Self::TailCut => "the end of the journal was cut off",
            Self::Restamped => "the chain was written anew after a checkpoint",
            Self::BadCheckpoint => "the checkpoint's signature does not fit",
        })
    }
}

/// Recomputes every hash of the journal. `page_size` entries are in memory at once; each page is its own short read.
/// `trusted` are the keys of this installation; with none, unknown keys are not looked for.
pub async fn verify(db: &Db, page_size: i64, trusted: &[VerifyingKey]) -> Result<Verification, StoreError> {
    let page_size = page_size.max(1);
    let mut tx = db.read().await?;
    let organisation = organisation::find(&mut tx).await?.map(|o| o.id.to_string()).unwrap_or_default();
    // Read before the entries: whatever these cover was sealed before, so an entry not found later is gone.
    let last_checkpoint = last_checkpoint(&mut tx).await?;
    drop(tx);
    let mut walk = Walk {
        found: Verification {
            sealed: 0,
            head: Head { seq: 0, hash: genesis() },
            erased: 0,
            tail: 0,
            checkpoints: 0,
            unknown_keys: BTreeSet::new(),
            first_broken: None,
        },
        trusted: trusted.iter().map(|key| hex::encode(key.as_bytes())).collect(),
    };
    walk.sealed(db, page_size, &organisation, last_checkpoint).await?;
    walk.tail(db, page_size).await?;
    Ok(walk.found)
}

struct Walk {
    found: Verification,
    trusted: BTreeSet<String>,
}

impl Walk {
    async fn sealed(
        &mut self,
        db: &Db,
        page_size: i64,
        organisation: &str,
        last_checkpoint: i64,
    ) -> Result<(), StoreError> {
        let (mut after, mut covered) = (i64::MIN, i64::MIN);
        let mut careful = 0;
        loop {
            let size = if careful > 0 { 1 } else { page_size };
            let mut tx = db.read().await?;
            let page = match sealed_page(&mut tx, after, size).await {
                Ok(page) => page,
                // One entry of this page cannot be decoded: look at them singly to name it.
                Err(error) if is_undecodable(&error) && careful == 0 => {
                    careful = page_size;
                    continue;
                }
                Err(error) if is_undecodable(&error) => {
                    self.broken(Some(self.found.head.seq + 1), None, Fault::Undecodable);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            careful -= i64::from(careful > 0);
            let Some(last) = page.last().and_then(|entry| entry.seq) else { break };
            let until = last.min(last_checkpoint);
            // At most one checkpoint per entry, so never more than a page of them, unless somebody added some.
            let mut checkpoints = checkpoint::list(&mut tx, covered, until, page_size).await?.into_iter().peekable();
            drop(tx);
            for entry in &page {
                if !self.entry(entry) {
                    return Ok(());
                }
                while let Some(stored) = checkpoints.next_if(|stored| Some(stored.seq) <= entry.seq) {
                    covered = stored.seq;
                    if !self.checkpoint(&stored.of(organisation)) {
                        return Ok(());
                    }
                }
            }
            after = last;
        }
        let mut tx = db.read().await?;
        for stored in checkpoint::list(&mut tx, covered.max(self.found.head.seq), last_checkpoint, 1).await? {
            let checkpoint = stored.of(organisation);
            let (seq, what) = if is_signed(&checkpoint) {
                (self.found.head.seq + 1, Fault::TailCut)
            } else {
                (checkpoint.seq, Fault::BadCheckpoint)
            };
            self.broken(Some(seq), None, what);
        }
        Ok(())
    }

    /// Proves one entry; `false` when it is broken.
    fn entry(&mut self, entry: &Raw) -> bool {
        let (seq, expected) = (entry.seq.unwrap_or(i64::MIN), self.found.head.seq + 1);
        if seq > expected {
            return self.broken(Some(expected), None, Fault::Missing);
        }
        let id = Some(entry.id.clone());
        if seq < expected {
            return self.broken(Some(seq), id, Fault::Inserted);
        }
        // `None` and empty hash alike; empty is never written.
        let hash = entry.hash_after(self.found.head.hash, seq);
        if entry.actor_id.as_deref() == Some("") || entry.hash.as_deref() != Some(hash.to_string().as_str()) {
            return self.broken(Some(seq), id, Fault::Changed);
        }
        match body(entry) {
            Body::Sound => {}
            Body::Erased => self.found.erased += 1,
            Body::Changed => return self.broken(Some(seq), id, Fault::BodyChanged),
        }
        self.found.head = Head { seq, hash };
        self.found.sealed += 1;
        true
    }

    /// Compares a stored checkpoint with the entry just proven; `false` when they do not fit.
    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> bool {
        if checkpoint.seq != self.found.head.seq || !is_signed(checkpoint) {
            return self.broken(Some(checkpoint.seq), None, Fault::BadCheckpoint);
        }
        if checkpoint.hash != self.found.head.hash {
            return self.broken(Some(checkpoint.seq), None, Fault::Restamped);
        }
        if !self.trusted.is_empty() && !self.trusted.contains(&checkpoint.public_key) {
            self.found.unknown_keys.insert(checkpoint.public_key.clone());
        }
        self.found.checkpoints += 1;
        true
    }

    async fn tail(&mut self, db: &Db, page_size: i64) -> Result<(), StoreError> {
        let mut after = String::new();
        loop {
            let mut tx = db.read().await?;
            let page = match tail_page(&mut tx, &after, page_size).await {
                Ok(page) => page,
                Err(error) if is_undecodable(&error) => {
                    self.broken(None, None, Fault::Undecodable);
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for entry in &page {
                self.found.tail += 1;
                if entry.hash.is_some() {
                    self.broken(None, Some(entry.id.clone()), Fault::Unsealed);
                } else if matches!(body(entry), Body::Changed) {
                    self.broken(None, Some(entry.id.clone()), Fault::BodyChanged);
                }
            }
        }
    }

    /// Notes the first thing that is wrong; always `false`.
    fn broken(&mut self, seq: Option<i64>, id: Option<String>, what: Fault) -> bool {
        self.found.first_broken.get_or_insert(Broken { seq, id, what });
        false
    }
}

enum Body {
    Sound,
    Erased,
    Changed,
}

fn body(entry: &Raw) -> Body {
    let (text, salt) = match (&entry.body, &entry.salt) {
        (None, None) => {
            let is_digest = entry.body_hash.parse::<Sha256>().is_ok_and(|hash| hash.to_string() == entry.body_hash);
            return if is_digest { Body::Erased } else { Body::Changed };
        }
        (Some(text), Some(salt)) => (text, salt),
        (Some(_), None) | (None, Some(_)) => return Body::Changed,
    };
    match hex::decode(salt) {
        // Compared as written: the same salt in capitals is a change, too.
        Ok(bytes) if hex::encode(&bytes) == *salt && body_hash(&bytes, text).to_string() == entry.body_hash => {
            Body::Sound
        }
        Ok(_) | Err(_) => Body::Changed,
    }
}

async fn sealed_page(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Raw>, StoreError> {
    const SQL: &str =
        "SELECT id, at, actor_id, manner, kind, subject_type, subject_id, body, salt, body_hash, seq, hash
        FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::verify", e))
}

async fn tail_page(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Raw>, StoreError> {
    const SQL: &str =
        "SELECT id, at, actor_id, manner, kind, subject_type, subject_id, body, salt, body_hash, seq, hash
        FROM journal WHERE seq IS NULL AND id > $1 ORDER BY id LIMIT $2";
    on!(tx, |c| sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::verify", e))
}

/// Number of the last entry covered by any stored checkpoint; 0 when there is none.
async fn last_checkpoint(tx: &mut Tx) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT COALESCE(MAX(seq), 0) FROM checkpoint";
    on!(tx, |c| sqlx::query_scalar(SQL).fetch_one(c).await).map_err(|e| StoreError::from_sqlx("journal::verify", e))
}

/// Whether the rows came but one did not decode: SQLite lets any column hold any type.
fn is_undecodable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unexpected { source: sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_), .. })
}
