//! The journal table: append in the transaction of the change, number and chain later, read back.
//!
//! Appending touches no other row, so no two changes wait for each other; the sealer gives the numbers.

mod checkpoint;
mod verify;

use std::time::Duration;

pub use checkpoint::{
    CheckpointFinding, Head, check_checkpoint, create_checkpoint, head, is_signed, latest_checkpoint,
};
pub use verify::{Broken, Fault, Verification, verify};

use super::{Json, StoreError, Tx, lease, on, record};
use crate::domain::{
    ids::{JournalId, PersonId},
    journal::{Entry, Header, body_hash, entry_hash},
    sha256::Sha256,
    time::{Clock, Timestamp},
};

/// The lease of the one process that seals.
const SEALING: &str = "journal.seal";

record! {
    /// An entry as people see it.
    pub struct Recorded {
        /// Its id.
        pub id: JournalId,
        /// When it happened.
        pub at: Timestamp,
        /// Who did it; `None` for the system.
        pub actor_id: Option<PersonId>,
        /// How, as [`crate::domain::journal::Manner`] prints it.
        pub manner: String,
        /// What happened.
        pub kind: String,
        /// What kind of thing it is about.
        pub subject_type: String,
        /// Which one.
        pub subject_id: String,
        /// Everything else; `None` when erased.
        pub body: Option<Json<serde_json::Value>>,
        /// Its number in the chain; `None` until sealed.
        pub seq: Option<i64>,
    }
}

record! {
    /// An entry as stored, every column unparsed: what is hashed is what is there.
    pub struct Raw {
        /// Entry id.
        pub id: String,
        /// Microseconds UTC.
        pub at: i64,
        /// Person id.
        pub actor_id: Option<String>,
        /// Manner word.
        pub manner: String,
        /// Kind.
        pub kind: String,
        /// Subject type.
        pub subject_type: String,
        /// Subject id.
        pub subject_id: String,
        /// JSON text, as hashed.
        pub body: Option<String>,
        /// 16 bytes in hexadecimal.
        pub salt: Option<String>,
        /// Salted hash of the body.
        pub body_hash: String,
        /// Number in the chain.
        pub seq: Option<i64>,
        /// Hash of the entry at its place.
        pub hash: Option<String>,
    }
}

impl Raw {
    /// The hash this entry has as number `seq` after `previous`.
    fn hash_after(&self, previous: Sha256, seq: i64) -> Sha256 {
        let header = Header {
            id: &self.id,
            at: self.at,
            actor: self.actor_id.as_deref().unwrap_or(""),
            manner: &self.manner,
            kind: &self.kind,
            subject_type: &self.subject_type,
            subject_id: &self.subject_id,
            body_hash: digest(&self.body_hash),
        };
        entry_hash(previous, seq, &header)
    }
}

/// The digest a column holds. Text that is none (somebody changed it) counts by its own hash, so it breaks the
/// chain there instead of stopping the sealer.
fn digest(text: &str) -> Sha256 {
    match text.parse::<Sha256>() {
        Ok(digest) if digest.to_string() == text => digest,
        Ok(_) | Err(_) => Sha256::of(text.as_bytes()),
    }
}

/// Appends an entry to the unsealed tail, in the transaction of the change it records. `salt` is 16 random bytes.
pub async fn append(tx: &mut Tx, entry: &Entry, salt: [u8; 16]) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO journal (id, at, actor_id, manner, kind, subject_type, subject_id, body, salt, body_hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let body = Json::text(&entry.body);
    let hash = body_hash(&salt, &body);
    on!(tx, |c| sqlx::query(SQL)
        .bind(entry.id.as_str())
        .bind(entry.at.as_micros())
        .bind(entry.actor.as_ref().map(PersonId::as_str))
        .bind(entry.manner.as_str())
        .bind(&entry.kind)
        .bind(entry.subject_type)
        .bind(&entry.subject_id)
        .bind(&body)
        .bind(hex::encode(salt))
        .bind(hash.to_string())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("journal::append", e))
}

macro_rules! select_recorded {
    ($rest:literal) => {
        concat!("SELECT id, at, actor_id, manner, kind, subject_type, subject_id, body, seq FROM journal ", $rest)
    };
}

/// A page of all entries in the order they were written, after the one given.
pub async fn list(tx: &mut Tx, after: Option<&JournalId>, limit: i64) -> Result<Vec<Recorded>, StoreError> {
    const SQL: &str = select_recorded!("WHERE CAST($1 AS TEXT) IS NULL OR id > $1 ORDER BY id LIMIT $2");
    on!(tx, |c| sqlx::query_as(SQL).bind(after.map(JournalId::as_str)).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::list", e))
}

/// The history of one thing, the oldest first.
pub async fn list_for_subject(tx: &mut Tx, subject_id: &str, limit: i64) -> Result<Vec<Recorded>, StoreError> {
    const SQL: &str = select_recorded!("WHERE subject_id = $1 ORDER BY id LIMIT $2");
    on!(tx, |c| sqlx::query_as(SQL).bind(subject_id).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::list_for_subject", e))
}

/// Erases the bodies of everything recorded about one thing; the chain stays provable. How many were erased.
/// Journal the erasure itself under another subject, in the same transaction.
pub async fn erase_bodies(tx: &mut Tx, subject_id: &str) -> Result<u64, StoreError> {
    const SQL: &str = "UPDATE journal SET body = NULL, salt = NULL WHERE subject_id = $1 AND body IS NOT NULL";
    on!(tx, |c| sqlx::query(SQL).bind(subject_id).execute(c).await.map(|done| done.rows_affected()))
        .map_err(|e| StoreError::from_sqlx("journal::erase_bodies", e))
}

/// Who seals, for how long, by which clock.
#[derive(Clone, Copy)]
pub struct SealLease<'a> {
    /// Unique per process.
    pub holder: &'a str,
    /// Longer than the pause between two calls, so the same process goes on.
    pub time: Duration,
    /// This machine's clock; PostgreSQL's own is used where there is one.
    pub clock: &'a dyn Clock,
}

/// Numbers up to `limit` unsealed entries in the order of their ids and chains their hashes. How many; `None` when
/// another process holds the lease. Commit soon: until then nobody else can seal, but everybody can append.
pub async fn seal(tx: &mut Tx, limit: i64, lease: SealLease<'_>) -> Result<Option<u64>, StoreError> {
    const NEXT: &str =
        "SELECT id, at, actor_id, manner, kind, subject_type, subject_id, body, salt, body_hash, seq, hash
        FROM journal WHERE seq IS NULL ORDER BY id LIMIT $1";
    const SEAL: &str = "UPDATE journal SET seq = $2, hash = $3 WHERE id = $1 AND seq IS NULL";
    if !lease::acquire(tx, SEALING, lease.holder, lease.time, lease.clock).await? {
        return Ok(None);
    }
    let Head { mut seq, mut hash } = head(tx).await?;
    let entries: Vec<Raw> = on!(tx, |c| sqlx::query_as(NEXT).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::seal", e))?;
    for entry in &entries {
        seq += 1;
        hash = entry.hash_after(hash, seq);
        on!(tx, |c| sqlx::query(SEAL).bind(&entry.id).bind(seq).bind(hash.to_string()).execute(c).await.map(drop))
            .map_err(|e| StoreError::from_sqlx("journal::seal", e))?;
    }
    Ok(Some(entries.len() as u64))
}

/// Whether any entry waits for the sealer.
pub async fn has_tail(tx: &mut Tx) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT id FROM journal WHERE seq IS NULL LIMIT 1";
    on!(tx, |c| sqlx::query_scalar::<_, String>(SQL).fetch_optional(c).await)
        .map(|found| found.is_some())
        .map_err(|e| StoreError::from_sqlx("journal::has_tail", e))
}
