//! Names of stored objects. Only Vouch makes them, and parsing accepts nothing else, so a key read back
//! from a database or a bucket can never climb out of its directory.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::{
    ids::{DocumentId, ReadingId, uuid_v7},
    sha256::Sha256,
    time::Timestamp,
};

/// The name of one stored object: `documents/<sha256>/<uuidv7>`, `previews/<id>/<n>-<uuidv7>.jpg`
/// or `probes/<uuidv7>`.
///
/// The UUIDv7 makes every key unique, so nothing is ever overwritten and a failed write is repeated
/// under a new key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey(String);

/// The families of keys; each is a prefix of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Bytes that came in.
    Document,
    /// A picture made from a document, to show.
    Preview,
    /// Written, read and deleted by [`super::ObjectStore::check`].
    Probe,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Document, Self::Preview, Self::Probe];

    /// The first segment of the keys of this kind.
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Document => "documents",
            Self::Preview => "previews",
            Self::Probe => "probes",
        }
    }
}

/// The text is not a key that Vouch makes. Holds the text, cut to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an object key: expected `documents/<sha256>/<uuidv7>`, `previews/<id>/<n>-<uuidv7>.jpg` or `probes/<uuidv7>`"
)]
pub struct KeyError(String);

impl ObjectKey {
    /// A new key for a document with this digest.
    pub fn document(sha256: &Sha256, now: Timestamp, rng: &mut impl rand::RngCore) -> Self {
        Self(format!("documents/{sha256}/{}", uuid_v7(now, rng)))
    }

    /// A new key for preview `number` (0-based page) of a document.
    pub fn document_preview(id: &DocumentId, number: u32, now: Timestamp, rng: &mut impl rand::RngCore) -> Self {
        Self(format!("previews/{id}/{number}-{}.jpg", uuid_v7(now, rng)))
    }

    /// A new key for preview `number` (0-based page) of a reading.
    pub fn reading_preview(id: &ReadingId, number: u32, now: Timestamp, rng: &mut impl rand::RngCore) -> Self {
        Self(format!("previews/{id}/{number}-{}.jpg", uuid_v7(now, rng)))
    }

    /// A new key under the prefix reserved for trying the store out.
    pub fn probe(now: Timestamp, rng: &mut impl rand::RngCore) -> Self {
        Self(format!("probes/{}", uuid_v7(now, rng)))
    }

    /// The key as stored and sent: ASCII, `/` between segments, at most 138 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which family the key belongs to.
    pub fn kind(&self) -> KeyKind {
        match self.0.as_bytes().first() {
            Some(b'd') => KeyKind::Document,
            _ if self.0.starts_with("previews/") => KeyKind::Preview,
            _ => KeyKind::Probe,
        }
    }

    /// The digest in the key of a document; `None` for other kinds.
    pub fn sha256(&self) -> Option<Sha256> {
        let (sha256, _) = self.0.strip_prefix("documents/")?.split_once('/')?;
        sha256.parse().ok()
    }

    /// When the key was made, to the millisecond, from its UUIDv7.
    pub fn made_at(&self) -> Timestamp {
        let last = self.0.rsplit('/').next().unwrap_or_default().trim_end_matches(".jpg");
        let id = last.get(last.len().saturating_sub(UUID_CHARS)..).unwrap_or_default();
        let hex: String = id.chars().filter(|c| *c != '-').take(12).collect();
        Timestamp::from_micros(i64::from_str_radix(&hex, 16).unwrap_or(0).saturating_mul(1000))
    }

    /// Segments of the path under the root of a local store. Two levels of fan-out in front of the part that
    /// many keys share a directory with; they are its own first characters, so walking in name order is walking
    /// in key order.
    pub(super) fn disk_segments(&self) -> Vec<&str> {
        let mut parts = self.0.split('/');
        let (kind, rest) = (parts.next().unwrap_or_default(), parts.collect::<Vec<_>>());
        let mut segments = vec![kind];
        if let [owner, ..] = rest.as_slice()
            && let Some((first, second)) = fan_out(kind, owner)
        {
            segments.extend([first, second]);
        }
        segments.extend(rest);
        segments
    }

    /// The key of a path under the root of a local store, when it is one.
    pub(super) fn from_disk_segments(segments: &[String]) -> Option<Self> {
        let key = match segments {
            [kind, _, _, owner, name] => format!("{kind}/{owner}/{name}"),
            [kind, name] => format!("{kind}/{name}"),
            _ => return None,
        };
        let key: Self = key.parse().ok()?;
        key.disk_segments().iter().eq(segments.iter()).then_some(key)
    }
}

/// A hash spreads by its first two bytes; a UUIDv7 by its first 32 bits, which is a directory for 49 days
/// and in it one for each 65 seconds.
fn fan_out<'a>(kind: &str, owner: &'a str) -> Option<(&'a str, &'a str)> {
    let width = match kind {
        "documents" => 2,
        "previews" => 4,
        _ => return None,
    };
    Some((owner.get(..width)?, owner.get(width..2 * width)?))
}

const UUID_CHARS: usize = 36;

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_uuid(text: &str) -> bool {
    text.len() == UUID_CHARS
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn is_uuid_v7(text: &str) -> bool {
    is_uuid(text) && text.as_bytes()[14] == b'7'
}

fn is_preview_name(text: &str) -> bool {
    let Some((number, id)) = text.strip_suffix(".jpg").and_then(|stem| stem.split_once('-')) else { return false };
    number.parse::<u32>().is_ok_and(|n| n.to_string() == number) && is_uuid_v7(id)
}

impl FromStr for ObjectKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut segments = text.split('/');
        let sound = match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("documents"), Some(sha256), Some(id), None) => sha256.len() == 64 && is_hex(sha256) && is_uuid_v7(id),
            (Some("previews"), Some(owner), Some(name), None) => is_uuid(owner) && is_preview_name(name),
            (Some("probes"), Some(id), None, None) => is_uuid_v7(id),
            _ => false,
        };
        if sound { Ok(Self(text.to_owned())) } else { Err(KeyError(text.chars().take(120).collect())) }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = KeyError;
    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> String {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;

    use super::*;

    fn keys() -> Vec<ObjectKey> {
        let mut rng = rand::rngs::StdRng::seed_from_u64(7);
        let now = Timestamp::from_micros(1_795_000_000_123_456);
        vec![
            ObjectKey::document(&Sha256::of(b"a"), now, &mut rng),
            ObjectKey::document_preview(&DocumentId::new(now, &mut rng), 0, now, &mut rng),
            ObjectKey::reading_preview(&ReadingId::new(now, &mut rng), 12, now, &mut rng),
            ObjectKey::probe(now, &mut rng),
        ]
    }

    #[test]
    fn keys_we_make_survive_text_and_disk_and_say_when_they_were_made() {
        for key in keys() {
            assert_eq!(key.as_str().parse(), Ok(key.clone()));
            let segments: Vec<String> = key.disk_segments().into_iter().map(str::to_owned).collect();
            assert_eq!(ObjectKey::from_disk_segments(&segments), Some(key.clone()));
            assert_eq!(key.made_at(), Timestamp::from_micros(1_795_000_000_123_000), "{key}");
            assert!(key.as_str().starts_with(key.kind().directory()));
        }
        assert_eq!(keys()[0].sha256(), Some(Sha256::of(b"a")));
        assert_eq!(keys()[1].sha256(), None);
    }

    #[test]
    fn nothing_that_could_leave_the_directory_is_a_key() {
        let sha = Sha256::of(b"a").to_string();
        let id = "0192f0c1-7d3a-7c44-9a51-6f1e2b3c4d5e";
        for hostile in [
            String::new(),
            "documents".into(),
            format!("documents/{sha}"),
            format!("documents/{sha}/.."),
            format!("documents/../{id}"),
            format!("documents/{sha}/{id}/x"),
            format!("/documents/{sha}/{id}"),
            format!("documents//{sha}/{id}"),
            format!("documents/{sha}/{id}\0"),
            format!("documents/{sha}/{}", id.to_uppercase()),
            format!("documents/{sha}/{}", id.replace("-7c", "-4c")),
            format!("documents/{sha}/{id}\n"),
            format!("previews/{id}/01-{id}.jpg"),
            format!("previews/{id}/+1-{id}.jpg"),
            format!("previews/{id}/1-{id}.png"),
            format!("previews/../1-{id}.jpg"),
            format!("elsewhere/{sha}/{id}"),
            "../../etc/passwd".into(),
        ] {
            assert!(hostile.parse::<ObjectKey>().is_err(), "{hostile:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_has_only_plain_segments(text in "(documents|previews|probes|\\.\\.)/[0-9a-f./-]{0,110}") {
            if let Ok(key) = text.parse::<ObjectKey>() {
                for segment in key.disk_segments() {
                    prop_assert!(!segment.is_empty() && segment != "." && segment != ".." && !segment.contains('\\'));
                }
            }
        }
    }
}
