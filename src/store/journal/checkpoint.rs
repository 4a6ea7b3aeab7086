//! Signed statements about the chain, kept here and off the host.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::digest;
use crate::{
    domain::{
        ids::OrganisationId,
        journal::{Checkpoint, genesis},
        sha256::Sha256,
        time::Timestamp,
    },
    store::{StoreError, Tx, on, record},
};

/// Version of the checkpoint format.
const VERSION: u32 = 1;

/// The end of the sealed chain; number 0 and the genesis hash before the first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of the last sealed entry.
    pub seq: i64,
    /// Its hash.
    pub hash: Sha256,
}

/// What an exported checkpoint says about the journal as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckpointFinding {
    /// The entry it covers has the same hash: with a sound chain, nothing up to it has changed.
    Sound,
    /// Its signature does not fit its text: the file was changed.
    BadSignature,
    /// Signed with a key that is not among the trusted ones.
    UnknownKey,
    /// It is about another organisation's journal.
    OtherOrganisation,
    /// A format this program does not know.
    UnknownVersion(u32),
    /// The journal ends before the entry it covers: the tail was cut off.
    TailCut {
        /// Number of the last entry there is.
        last: i64,
    },
    /// The entry it covers has another hash: the chain up to it was written anew.
    Restamped,
}

record! {
    /// A stored checkpoint, unparsed.
    pub struct Stored {
        /// Number of the last entry covered.
        pub seq: i64,
        /// Hash of that entry.
        pub hash: String,
        /// When it was signed.
        pub at: Timestamp,
        /// Hexadecimal.
        pub public_key: String,
        /// Hexadecimal.
        pub signature: String,
    }
}

impl Stored {
    /// The checkpoint as signed; a hash that is none gives one whose signature does not fit.
    pub(super) fn of(self, organisation: &str) -> Checkpoint {
        Checkpoint {
            version: VERSION,
            organisation: organisation.to_owned(),
            seq: self.seq,
            hash: digest(&self.hash),
            at: self.at,
            public_key: self.public_key,
            signature: self.signature,
        }
    }
}

/// The end of the sealed chain.
pub async fn head(tx: &mut Tx) -> Result<Head, StoreError> {
    const SQL: &str = "SELECT seq, hash FROM journal WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1";
    let last: Option<(i64, Option<String>)> = on!(tx, |c| sqlx::query_as(SQL).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::head", e))?;
    Ok(last
        .map_or(Head { seq: 0, hash: genesis() }, |(seq, hash)| Head { seq, hash: digest(&hash.unwrap_or_default()) }))
}

/// Signs the end of the sealed chain and keeps the checkpoint. `None` when it is covered already or empty.
pub async fn create_checkpoint(
    tx: &mut Tx,
    organisation: &OrganisationId,
    key: &SigningKey,
    at: Timestamp,
) -> Result<Option<Checkpoint>, StoreError> {
    const SQL: &str = "INSERT INTO checkpoint (seq, hash, at, public_key, signature) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (seq) DO NOTHING";
    let Head { seq, hash } = head(tx).await?;
    if seq == 0 {
        return Ok(None);
    }
    let mut checkpoint = Checkpoint {
        version: VERSION,
        organisation: organisation.to_string(),
        seq,
        hash,
        at,
        public_key: hex::encode(key.verifying_key().as_bytes()),
        signature: String::new(),
    };
    checkpoint.signature = hex::encode(key.sign(&checkpoint.message()).to_bytes());
    let is_new = on!(tx, |c| sqlx::query(SQL)
        .bind(seq)
        .bind(hash.to_string())
        .bind(at.as_micros())
        .bind(&checkpoint.public_key)
        .bind(&checkpoint.signature)
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("journal::create_checkpoint", e))?;
    Ok(is_new.then_some(checkpoint))
}

/// The checkpoint that covers most, as kept off the host.
pub async fn latest_checkpoint(tx: &mut Tx, organisation: &OrganisationId) -> Result<Option<Checkpoint>, StoreError> {
    const SQL: &str = "SELECT seq, hash, at, public_key, signature FROM checkpoint ORDER BY seq DESC LIMIT 1";
    let stored: Option<Stored> = on!(tx, |c| sqlx::query_as(SQL).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::latest_checkpoint", e))?;
    Ok(stored.map(|stored| stored.of(organisation.as_str())))
}

/// A page of stored checkpoints with numbers above `after` up to `until`.
pub(super) async fn list(tx: &mut Tx, after: i64, until: i64, limit: i64) -> Result<Vec<Stored>, StoreError> {
    const SQL: &str = "SELECT seq, hash, at, public_key, signature FROM checkpoint
        WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";
    on!(tx, |c| sqlx::query_as(SQL).bind(after).bind(until).bind(limit).fetch_all(c).await)
        .map_err(|e| StoreError::from_sqlx("journal::list_checkpoints", e))
}

/// Checks an exported checkpoint against the journal. Together with a sound [`super::verify`] it proves that nothing
/// up to it was changed, removed, added, reordered or written anew since it was exported.
///
/// `trusted` are the keys checkpoints may be signed with; with none, any key will do and only its signature is checked.
pub async fn check_checkpoint(
    tx: &mut Tx,
    organisation: &OrganisationId,
    exported: &Checkpoint,
    trusted: &[VerifyingKey],
) -> Result<CheckpointFinding, StoreError> {
    const SQL: &str = "SELECT hash FROM journal WHERE seq = $1";
    if exported.version != VERSION {
        return Ok(CheckpointFinding::UnknownVersion(exported.version));
    }
    if !is_signed(exported) {
        return Ok(CheckpointFinding::BadSignature);
    }
    if !trusted.is_empty() && !trusted.iter().any(|key| hex::encode(key.as_bytes()) == exported.public_key) {
        return Ok(CheckpointFinding::UnknownKey);
    }
    if exported.organisation != organisation.as_str() {
        return Ok(CheckpointFinding::OtherOrganisation);
    }
    let covered: Option<Option<String>> =
        on!(tx, |c| sqlx::query_scalar(SQL).bind(exported.seq).fetch_optional(c).await)
            .map_err(|e| StoreError::from_sqlx("journal::check_checkpoint", e))?;
    Ok(match covered {
        Some(Some(hash)) if hash == exported.hash.to_string() => CheckpointFinding::Sound,
        Some(_) => CheckpointFinding::Restamped,
        None => CheckpointFinding::TailCut { last: head(tx).await?.seq },
    })
}

/// Whether the signature of a checkpoint fits its text and its own public key.
pub fn is_signed(checkpoint: &Checkpoint) -> bool {
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    let is_hex = hex::decode_to_slice(&checkpoint.public_key, &mut key).is_ok()
        && hex::decode_to_slice(&checkpoint.signature, &mut signature).is_ok();
    is_hex
        && VerifyingKey::from_bytes(&key)
            .is_ok_and(|key| key.verify_strict(&checkpoint.message(), &Signature::from_bytes(&signature)).is_ok())
}
