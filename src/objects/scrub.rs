//! Checking that objects are what they were, and clearing away those nobody refers to.

use std::{collections::HashSet, time::Duration};

use super::{KeyKind, ListCursor, ObjectError, ObjectInfo, ObjectKey, ObjectStore, hash_body};
use crate::domain::{sha256::Sha256, time::Timestamp};

/// An object without a row may belong to a transaction under way; a day later it belongs to nobody.
pub const GRACE: Duration = Duration::from_hours(24);

/// Objects looked up in the database at once.
const BATCH: usize = 500;

/// What re-hashing an object showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The bytes are the ones that were stored.
    Sound,
    /// Other bytes.
    Damaged {
        /// Their digest.
        found: Sha256,
    },
    /// No object.
    Missing,
}

/// Reads the whole object and compares its digest. An error says nothing about the object: the store is away.
pub async fn verify(store: &ObjectStore, key: &ObjectKey, sha256: &Sha256) -> Result<Verdict, ObjectError> {
    let body = match store.get(key).await {
        Ok(body) => body,
        Err(ObjectError::Missing { .. }) => return Ok(Verdict::Missing),
        Err(error) => return Err(error),
    };
    let (found, _) = hash_body(key, body).await?;
    Ok(if found == *sha256 { Verdict::Sound } else { Verdict::Damaged { found } })
}

/// What a collection found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Objects listed.
    pub seen: u64,
    /// Younger than [`GRACE`]; left alone without asking.
    pub young: u64,
    /// Referenced by the database.
    pub referenced: u64,
    /// Deleted (or, in a dry run, to be deleted).
    pub deleted: u64,
    /// Their bytes.
    pub deleted_bytes: u64,
}

/// Collecting stopped; what was deleted before stays deleted, and it can simply be run again.
#[derive(Debug, thiserror::Error)]
pub enum CollectError<E> {
    /// Listing or deleting failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The question which objects are referenced failed.
    #[error("cannot tell which objects are still referenced: {0}")]
    Lookup(E),
}

/// Deletes objects of `kind` that are older than a day and that nothing refers to. `referenced` is asked with
/// batches of at most 500 keys and returns those the database knows; probes need no answer but an empty one.
/// With `dry_run` nothing is deleted.
pub async fn collect<E, F>(
    store: &ObjectStore,
    kind: KeyKind,
    now: Timestamp,
    dry_run: bool,
    mut referenced: impl FnMut(Vec<ObjectKey>) -> F,
) -> Result<Collected, CollectError<E>>
where
    F: Future<Output = Result<HashSet<ObjectKey>, E>>,
{
    let mut collected = Collected::default();
    let mut cursor: Option<ListCursor> = None;
    // Ends: each page starts after the last name of the one before.
    loop {
        let page = store.list(kind, cursor.as_ref(), BATCH).await?;
        collected.seen += page.objects.len() as u64;
        let old: Vec<ObjectInfo> = page.objects.into_iter().filter(|object| is_old(object, now)).collect();
        let keys: Vec<ObjectKey> = old.iter().map(|object| object.key.clone()).collect();
        let known =
            if keys.is_empty() { HashSet::new() } else { referenced(keys).await.map_err(CollectError::Lookup)? };
        for object in &old {
            if known.contains(&object.key) {
                collected.referenced += 1;
                continue;
            }
            if !dry_run {
                store.delete(&object.key).await?;
            }
            collected.deleted += 1;
            collected.deleted_bytes += object.size;
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    collected.young = collected.seen - collected.referenced - collected.deleted;
    Ok(collected)
}

/// By the store's clock and by ours, which stamped the key; the younger counts, so one wrong clock does no harm.
fn is_old(object: &ObjectInfo, now: Timestamp) -> bool {
    object.modified_at.max(object.key.made_at()) < now.minus(GRACE)
}
