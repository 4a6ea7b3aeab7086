//! Journal entries and the arithmetic of their chain.
//!
//! An entry commits with the change it records. It carries a salted hash of its body, so the body can be
//! erased (retention, privacy) while the chain still proves that nothing else changed. A sealer later gives
//! entries consecutive numbers and chains them in batches; checkpoints over batches are signed.

use serde::{Deserialize, Serialize};

use super::{
    ids::{JournalId, PersonId},
    sha256::{Sha256, Sha256Stream},
    time::Timestamp,
};

/// How an act came about; training and audits treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// A person looked at this one thing.
    Singly,
    /// A person acted on many at once.
    Bulk,
    /// The system by itself.
    System,
}

impl Manner {
    /// The word in columns and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Singly => "singly",
            Self::Bulk => "bulk",
            Self::System => "system",
        }
    }
}

/// An entry to be appended.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id; orders unsealed entries.
    pub id: JournalId,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it; `None` for the system.
    pub actor: Option<PersonId>,
    /// How.
    pub manner: Manner,
    /// What happened, e.g. `draft.confirmed`: subject and past participle.
    pub kind: String,
    /// What kind of thing it is about, e.g. `receipt`.
    pub subject_type: &'static str,
    /// Which one.
    pub subject_id: String,
    /// Everything else; erasable.
    pub body: serde_json::Value,
}

/// The header of an entry as hashed into the chain: all that is not erasable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Entry id.
    pub id: &'a str,
    /// Microseconds UTC.
    pub at: i64,
    /// Actor's person id or empty.
    pub actor: &'a str,
    /// Manner word.
    pub manner: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Subject type.
    pub subject_type: &'a str,
    /// Subject id.
    pub subject_id: &'a str,
    /// Salted hash of the body.
    pub body_hash: Sha256,
}

/// Hash of a body under its 16-byte salt, which goes when the body is erased.
pub fn body_hash(salt: &[u8], body: &str) -> Sha256 {
    let mut hash = Sha256Stream::default();
    hash.update(b"vouch.journal.body.1\0");
    feed(&mut hash, salt);
    feed(&mut hash, body.as_bytes());
    hash.finish()
}

/// Hash of an entry at its place in the chain: number, header, and the hash of the entry before.
pub fn entry_hash(previous: Sha256, seq: i64, header: &Header<'_>) -> Sha256 {
    let mut hash = Sha256Stream::default();
    hash.update(b"vouch.journal.entry.1\0");
    hash.update(previous.as_bytes());
    hash.update(&seq.to_be_bytes());
    hash.update(&header.at.to_be_bytes());
    for text in [header.id, header.actor, header.manner, header.kind, header.subject_type, header.subject_id] {
        feed(&mut hash, text.as_bytes());
    }
    hash.update(header.body_hash.as_bytes());
    hash.finish()
}

/// What comes before the first entry.
pub fn genesis() -> Sha256 {
    Sha256::of(b"vouch.journal.genesis.1")
}

/// Length-prefixed, so no two different sequences feed the same bytes.
fn feed(hash: &mut Sha256Stream, bytes: &[u8]) {
    hash.update(&(bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// A signed statement that the chain up to `seq` has this hash; to be kept off the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Format version, 1.
    pub version: u32,
    /// Organisation id.
    pub organisation: String,
    /// Number of the last entry covered.
    pub seq: i64,
    /// Hash of that entry.
    pub hash: Sha256,
    /// When it was signed.
    pub at: Timestamp,
    /// Ed25519 public key, hexadecimal.
    pub public_key: String,
    /// Ed25519 signature over [`Checkpoint::message`], hexadecimal.
    pub signature: String,
}

impl Checkpoint {
    /// The bytes that are signed.
    pub fn message(&self) -> Vec<u8> {
        format!("vouch.checkpoint.1\n{}\n{}\n{}\n{}\n", self.organisation, self.seq, self.hash, self.at.as_micros())
            .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(kind: &str) -> Header<'_> {
        Header {
            id: "a",
            at: 1,
            actor: "",
            manner: "system",
            kind,
            subject_type: "receipt",
            subject_id: "r",
            body_hash: body_hash(b"salt", "{}"),
        }
    }

    #[test]
    fn any_change_of_place_header_or_body_changes_the_hash() {
        let base = entry_hash(genesis(), 1, &header("draft.confirmed"));
        assert_ne!(base, entry_hash(genesis(), 2, &header("draft.confirmed")));
        assert_ne!(base, entry_hash(base, 1, &header("draft.confirmed")));
        assert_ne!(base, entry_hash(genesis(), 1, &header("draft.rejected")));
        assert_ne!(body_hash(b"salt", "{}"), body_hash(b"pepper", "{}"));
        assert_ne!(body_hash(b"ab", "c"), body_hash(b"a", "bc"));
    }
}
