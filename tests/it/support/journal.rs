//! Looking into the journal.

use vouch::store::{Db, journal};

/// The kinds of all entries, in the order they were written.
pub async fn journal_kinds(db: &Db) -> Vec<String> {
    let mut tx = db.read().await.expect("a transaction");
    let entries = journal::list(&mut tx, None, 10_000).await.expect("the journal");
    entries.into_iter().map(|entry| entry.kind).collect()
}
