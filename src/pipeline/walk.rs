//! The documents of a capture, read one after the other: what was handed in, and what was found inside it.
//!
//! A mail brings attachments, a ZIP entries, a PDF attachments of its own. Each is told by content, limited, hashed and
//! read like anything handed in by itself; one that fails costs itself a reason and the others nothing. No database here
//! but for one question: whether the owner filed the same bytes before. `vouch read` walks the same way and never asks.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;

use crate::{
    app::App,
    domain::{
        capture::{Limits, Reason, Relation},
        ids::{CaptureId, PersonId},
        media::{MediaType, SNIFF_BYTES},
        sha256::Sha256,
    },
    imaging::header,
    reader::{ReadFailure, ReadRequest, ReaderPool, Reading, pool::Part, protocol::Password},
    store::{StoreError, documents, parts},
};

/// How deep documents are looked for inside documents: mail → ZIP → PDF → its XML is 3.
pub const MAX_DEPTH: u32 = 3;
/// Documents of one capture; a month of forwarded receipts in one ZIP has fewer.
pub const MAX_DOCUMENTS: usize = 200;
/// Bytes of all documents found inside others, kept in memory until the capture is stored.
pub const MAX_FOUND_BYTES: u64 = 192 * 1024 * 1024;
/// A part that killed its reader is tried once more at once; the job's own attempts are for what was handed in.
const ATTEMPTS_PER_PART: u32 = 2;

/// A document to read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its name for people.
    pub name: Option<String>,
    /// Told from the content.
    pub media_type: MediaType,
    /// Digest of the bytes.
    pub sha256: Sha256,
}

/// What became of a document.
#[derive(Debug)]
pub enum Ending {
    /// It was read.
    Read(Reading),
    /// It was not, and why.
    Failed(ReadFailure),
    /// The owner filed the same bytes in this capture before: nothing is drafted twice.
    FiledElsewhere(CaptureId),
}

/// A document of the capture, after its turn.
#[derive(Debug)]
pub struct Node {
    /// The document.
    pub source: Source,
    /// The document it was found in, by its place in [`Tree::nodes`]; a parent always comes before its children.
    pub parent: Option<usize>,
    /// What it is to that document.
    pub relation: Option<Relation>,
    /// Documents around it.
    pub depth: u32,
    /// What became of it.
    pub ending: Ending,
    /// How long reading took, in milliseconds.
    pub duration_ms: i64,
}

impl Node {
    /// What was read, when it was.
    pub fn reading(&self) -> Option<&Reading> {
        match &self.ending {
            Ending::Read(reading) => Some(reading),
            Ending::Failed(_) | Ending::FiledElsewhere(_) => None,
        }
    }

    /// Why it was not read, when it failed.
    pub fn failure(&self) -> Option<&ReadFailure> {
        match &self.ending {
            Ending::Failed(failure) => Some(failure),
            Ending::Read(_) | Ending::FiledElsewhere(_) => None,
        }
    }
}

/// A part that never became a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPart {
    /// The document it was found in.
    pub parent: usize,
    /// Its name for people.
    pub name: String,
    /// Why.
    pub failure: ReadFailure,
}

/// All documents of a capture.
#[derive(Debug, Default)]
pub struct Tree {
    /// In the order they were found: first what was handed in, then what was inside, level by level.
    pub nodes: Vec<Node>,
    /// Parts that are no documents.
    pub refused: Vec<RefusedPart>,
}

impl Tree {
    /// Whether `inner` was found inside `outer`, at any depth, or is it.
    pub fn is_within(&self, inner: usize, outer: usize) -> bool {
        let mut at = Some(inner);
        // Ends: parents come before their children.
        while let Some(node) = at {
            if node == outer {
                return true;
            }
            at = self.nodes.get(node).and_then(|n| n.parent);
        }
        false
    }
}

/// What the walk may ask about documents filed before.
#[derive(Clone, Copy)]
pub enum Filed<'a> {
    /// There is no database: nothing was.
    Nothing,
    /// Documents of the capture's owner.
    By {
        /// The instance.
        app: &'a App,
        /// Whose.
        owner: &'a PersonId,
        /// This capture, which does not count.
        capture: &'a CaptureId,
    },
}

impl Filed<'_> {
    async fn before(self, sha256: &Sha256) -> Result<Option<CaptureId>, StoreError> {
        match self {
            Self::Nothing => Ok(None),
            Self::By { app, owner, capture } => {
                let mut tx = app.db.read().await?;
                match documents::find_by_hash(&mut tx, owner, sha256).await? {
                    Some(document) => parts::filed_elsewhere(&mut tx, &document.id, capture).await,
                    None => Ok(None),
                }
            }
        }
    }
}

/// A document waiting for its turn.
struct Waiting {
    source: Source,
    parent: Option<usize>,
    relation: Option<Relation>,
    depth: u32,
}

/// Reads `roots` and everything inside them.
pub async fn walk(
    pool: &ReaderPool,
    limits: &Limits,
    roots: Vec<Source>,
    passwords: &[(Sha256, Password)],
    filed: Filed<'_>,
) -> Result<Tree, StoreError> {
    let mut tree = Tree::default();
    let mut seen: HashSet<Sha256> = roots.iter().map(|root| root.sha256).collect();
    let mut found_bytes = 0;
    let mut waiting: VecDeque<Waiting> =
        roots.into_iter().map(|source| Waiting { source, parent: None, relation: None, depth: 0 }).collect();
    // Ends: every turn takes one away, and at most MAX_DOCUMENTS are ever put in.
    while let Some(next) = waiting.pop_front() {
        let index = tree.nodes.len();
        let started = tokio::time::Instant::now();
        let before = if next.parent.is_some() { filed.before(&next.source.sha256).await? } else { None };
        let mut ending = if let Some(capture) = before {
            Ending::FiledElsewhere(capture)
        } else {
            let password = passwords.iter().find(|(digest, _)| *digest == next.source.sha256);
            read_one(pool, limits, &next, password.map(|(_, password)| password)).await
        };
        if let Ending::Read(reading) = &mut ending {
            for part in std::mem::take(&mut reading.parts) {
                let room = tree.nodes.len() + 1 + waiting.len() < MAX_DOCUMENTS;
                let checked = check(&part, limits, &next, room).and_then(|source| {
                    if seen.contains(&source.sha256) {
                        return Ok(None);
                    }
                    found_bytes += source.bytes.len() as u64;
                    if found_bytes > MAX_FOUND_BYTES {
                        return Err(over("more bytes inside it than one capture may bring"));
                    }
                    Ok(Some(source))
                });
                match checked {
                    Ok(Some(source)) => {
                        seen.insert(source.sha256);
                        let relation = Some(part.relation);
                        waiting.push_back(Waiting { source, parent: Some(index), relation, depth: next.depth + 1 });
                    }
                    // The same bytes twice in one capture are one document.
                    Ok(None) => {}
                    Err(failure) => tree.refused.push(RefusedPart { parent: index, name: part.name, failure }),
                }
            }
        }
        let Waiting { source, parent, relation, depth } = next;
        let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        tree.nodes.push(Node { source, parent, relation, depth, ending, duration_ms });
    }
    Ok(tree)
}

async fn read_one(pool: &ReaderPool, limits: &Limits, next: &Waiting, password: Option<&Password>) -> Ending {
    let attempts = if next.parent.is_some() { ATTEMPTS_PER_PART } else { 1 };
    let mut last = None;
    for _ in 0..attempts {
        let mut request = ReadRequest::new(next.source.media_type, *limits, Bytes::clone(&next.source.bytes));
        request.password = password.cloned();
        match pool.read(request).await {
            Ok(reading) => return Ending::Read(reading),
            Err(failure) => {
                let again = failure.reason.is_worth_retrying();
                last = Some(failure);
                if !again {
                    break;
                }
            }
        }
    }
    Ending::Failed(last.unwrap_or_else(|| ReadFailure::new(Reason::ReaderCrashed, "the reader was never asked")))
}

fn over(what: &str) -> ReadFailure {
    ReadFailure::new(Reason::ArchiveLimits, what)
}

/// What the door checks of an upload, checked of a part.
fn check(part: &Part, limits: &Limits, parent: &Waiting, has_room: bool) -> Result<Source, ReadFailure> {
    if part.bytes.is_empty() {
        return Err(ReadFailure::new(Reason::Empty, "the part has no bytes"));
    }
    if parent.depth >= MAX_DEPTH {
        return Err(over("documents are nested deeper than is looked"));
    }
    if !has_room {
        return Err(over("more documents than one capture may bring"));
    }
    let head = &part.bytes[..part.bytes.len().min(SNIFF_BYTES)];
    let media_type = told(head, &part.declared_type)
        .ok_or_else(|| ReadFailure::new(Reason::UnsupportedType, "the part is of no type that is read"))?;
    if media_type == MediaType::Zip && parent.source.media_type == MediaType::Zip {
        return Err(over("an archive inside an archive is not opened"));
    }
    if let Some(header) = header::probe_bytes(&part.bytes, media_type) {
        header.check(limits).map_err(|reason| {
            ReadFailure::new(reason, format!("{} x {} pixels, {} pages", header.width, header.height, header.pages))
        })?;
    }
    let name = Some(part.name.trim().to_owned()).filter(|name| !name.is_empty());
    Ok(Source { bytes: Bytes::clone(&part.bytes), name, media_type, sha256: Sha256::of(&part.bytes) })
}

/// The content decides; only among kinds of text, which have no signature, does the declaration count.
fn told(head: &[u8], declared_type: &str) -> Option<MediaType> {
    let told = MediaType::sniff(head)?;
    let declared = declared_type.split(';').next().unwrap_or_default().trim();
    Some(match told {
        MediaType::Text if declared.eq_ignore_ascii_case("text/html") => MediaType::Html,
        MediaType::Mail if declared.eq_ignore_ascii_case("text/plain") => MediaType::Text,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_and_the_declaration_only_among_texts() {
        for (head, declared, expected) in [
            (&b"%PDF-1.7"[..], "text/html", Some(MediaType::Pdf)),
            (b"Total 12.00", "text/html; charset=utf-8", Some(MediaType::Html)),
            (b"Total 12.00", "application/pdf", Some(MediaType::Text)),
            (b"Date: 2026-01-02\nTotal 3.00", "text/plain", Some(MediaType::Text)),
            (b"\x7fELF\x02\x01\x01\0", "image/png", None),
        ] {
            assert_eq!(told(head, declared), expected, "{declared}");
        }
    }

    #[test]
    fn a_part_is_refused_like_an_upload_and_an_archive_in_an_archive_is_not_opened() {
        let source =
            |media_type| Source { bytes: Bytes::from_static(b"x"), name: None, media_type, sha256: Sha256::of(b"x") };
        let parent = |media_type, depth| Waiting { source: source(media_type), parent: None, relation: None, depth };
        let part = |bytes: &'static [u8]| Part {
            name: "a".into(),
            declared_type: String::new(),
            relation: Relation::Entry,
            bytes: Bytes::from_static(bytes),
        };
        let limits = Limits::default();
        let reason = |part: &Part, parent: &Waiting, room| check(part, &limits, parent, room).err().map(|f| f.reason);
        let mail = parent(MediaType::Mail, 0);
        assert_eq!(reason(&part(b"%PDF-1.4"), &mail, true), None);
        assert_eq!(reason(&part(b""), &mail, true), Some(Reason::Empty));
        assert_eq!(reason(&part(b"\x7fELF\0"), &mail, true), Some(Reason::UnsupportedType));
        assert_eq!(reason(&part(b"%PDF-1.4"), &mail, false), Some(Reason::ArchiveLimits));
        assert_eq!(reason(&part(b"%PDF-1.4"), &parent(MediaType::Mail, MAX_DEPTH), true), Some(Reason::ArchiveLimits));
        assert_eq!(reason(&part(b"PK\x03\x04 a"), &mail, true), None);
        assert_eq!(reason(&part(b"PK\x03\x04 a"), &parent(MediaType::Zip, 0), true), Some(Reason::ArchiveLimits));
    }
}
