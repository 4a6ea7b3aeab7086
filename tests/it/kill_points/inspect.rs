//! What an auditor sees who has only the database and the object store.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use vouch::{
    app::SystemClock,
    domain::{
        journal::Manner,
        sha256::Sha256,
        time::{Clock as _, Timestamp},
    },
    objects::{KeyKind, ObjectKey, ObjectSettings, ObjectStore},
    store::{
        Db, Tx,
        documents::{self, DocumentRow},
        journal,
    },
};

use super::{Ledger, files_below};
use crate::support::{NOW, Server};

/// The largest picture these tests send.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

pub struct Inspection {
    db: Db,
    objects: ObjectStore,
    dir: std::path::PathBuf,
}

/// More than a day before now.
fn long_ago() -> Timestamp {
    SystemClock.now().minus(Duration::from_secs(2 * 24 * 3600))
}

impl Inspection {
    pub async fn of(dir: &Path, env: &[(String, String)], objects: &ObjectSettings) -> Self {
        let url = env.iter().find(|(key, _)| key == "VOUCH_DATABASE__URL").map(|(_, url)| url.clone());
        let url = url.unwrap_or_else(|| format!("sqlite:{}", dir.join("vouch.db").display()));
        let db = Db::connect(&url, 2).await.expect("the database opens after the kill");
        let objects = ObjectStore::open(objects, NOW).await.expect("the object store opens");
        Self { db, objects, dir: dir.to_owned() }
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        match &mut self.db.read().await.expect("a transaction") {
            Tx::Sqlite(tx) => sqlx::query_scalar(sql).fetch_one(&mut **tx).await,
            Tx::Postgres(tx) => sqlx::query_scalar(sql).fetch_one(&mut **tx).await,
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Journal entries of confirmations.
    pub async fn confirmations(&self) -> i64 {
        let mut tx = self.db.read().await.expect("a transaction");
        let entries = journal::list(&mut tx, None, 10_000).await.expect("the journal");
        let confirmed = entries.iter().filter(|e| e.kind == "draft.confirmed" && e.manner == Manner::Singly.as_str());
        i64::try_from(confirmed.count()).expect("a small number")
    }

    async fn documents(&self) -> Vec<DocumentRow> {
        let mut tx = self.db.read().await.expect("a transaction");
        documents::list_after(&mut tx, None, 1000).await.expect("the documents")
    }

    /// Whatever happened: rows are whole, point at their bytes, and the journal tells of them.
    pub async fn check_rows(&self, ledger: &Ledger) {
        let documents = self.documents().await;
        let mut found = BTreeMap::new();
        for document in &documents {
            let key: ObjectKey = document.object_key.parse().expect("a key of ours");
            let bytes = self.objects.get_verified(&key, MAX_BYTES, &document.sha256).await;
            found.insert(document.sha256, bytes.unwrap_or_else(|error| panic!("I6, a row without its bytes: {error}")));
        }
        for (digest, capture) in &ledger.acknowledged {
            let bytes = found.get(digest).unwrap_or_else(|| panic!("I1: acknowledged capture `{capture}` is lost"));
            assert!(ledger.sent.iter().any(|sent| sent[..] == bytes[..]), "I1: other bytes than those sent");
        }
        let total = i64::try_from(documents.len()).expect("a small number");
        for (promise, sql, expected) in [
            ("I1 one capture per document", "SELECT COUNT(*) FROM capture_document", total),
            ("I1 one capture per document", "SELECT COUNT(*) FROM capture", total),
            (
                "I3 every capture has exactly one job",
                "SELECT COUNT(*) FROM capture WHERE 1 = (SELECT COUNT(*) FROM job WHERE subject_id = capture.id)",
                total,
            ),
            ("I3 no job about nothing", "SELECT COUNT(*) FROM job", total),
            (
                "I3 a capture that is not read has a live job",
                "SELECT COUNT(*) FROM capture JOIN job ON job.subject_id = capture.id
                    WHERE capture.state NOT IN ('read', 'failed') AND job.state NOT IN ('ready', 'running')",
                0,
            ),
            (
                "I4 each receipt once",
                "SELECT COUNT(*) FROM (SELECT capture_id FROM receipt GROUP BY capture_id, ordinal HAVING COUNT(*) > 1) AS t",
                0,
            ),
            (
                "I5 the journal tells of every capture",
                "SELECT COUNT(*) FROM journal WHERE kind = 'capture.received'
                    AND subject_id IN (SELECT id FROM capture)",
                total,
            ),
            ("I5 and of nothing else", "SELECT COUNT(*) FROM journal WHERE kind = 'capture.received'", total),
            (
                "I4 every draft was filled once",
                "SELECT COUNT(*) FROM receipt WHERE 1 <> (SELECT COUNT(*) FROM journal
                    WHERE kind = 'draft.filled' AND subject_id = receipt.id)",
                0,
            ),
        ] {
            assert_eq!(self.count(sql).await, expected, "{promise}: {sql}");
        }
    }

    /// After recovery: everything that was ever sent is here once, and read.
    pub async fn check_settled(&self, ledger: &Ledger) {
        let sent = i64::try_from(ledger.sent.len()).expect("a small number");
        for (promise, sql, expected) in [
            ("I1 everything sent is here once", "SELECT COUNT(*) FROM document", sent),
            ("I7 the queue is empty", "SELECT COUNT(*) FROM job WHERE state <> 'done'", 0),
            ("I4 a receipt each", "SELECT COUNT(*) FROM receipt", sent),
            ("I4 a reading each", "SELECT COUNT(*) FROM reading", sent),
        ] {
            assert_eq!(self.count(sql).await, expected, "{promise}: {sql}");
        }
    }

    async fn keys(&self, kind: KeyKind) -> Vec<String> {
        let page = self.objects.list(kind, None, 1000).await.expect("a listing");
        page.objects.into_iter().map(|info| info.key.to_string()).collect()
    }

    /// Gives every object (and the row that refers to it) the key it would have had two days ago; those referred to.
    async fn make_older(&self, keys: &[String], referenced: &[String]) -> Vec<String> {
        let mut older = Vec::new();
        let root = self.dir.join("objects");
        for key in keys {
            let (place, name) = key.rsplit_once('/').expect("a key has segments");
            let made = format!("{:012x}", long_ago().as_micros() / 1000);
            // The instant of a UUIDv7 is its first 48 bits: `tttttttt-tttt-7…`.
            let aged = format!("{}-{}{}", &made[..8], &made[8..], &name[13..]);
            let from = files_below(&root).into_iter().find(|file| file.ends_with(name)).expect("the object's file");
            std::fs::rename(&from, from.with_file_name(&aged)).expect("renaming");
            if referenced.contains(key) {
                let aged = format!("{place}/{aged}");
                let mut tx = self.db.write().await.expect("a transaction");
                let Tx::Sqlite(sqlite) = &mut tx else { panic!("only on SQLite") };
                let sql = "UPDATE document SET object_key = $2 WHERE object_key = $1";
                let done = sqlx::query(sql).bind(key).bind(&aged).execute(&mut **sqlite).await.expect("an update");
                assert_eq!(done.rows_affected(), 1);
                tx.commit().await.expect("a commit");
                older.push(aged);
            }
        }
        older
    }

    /// Orphans are kept for a day; then collection takes them and nothing else. Half-written files go, too.
    pub async fn check_leftovers(&self, env: &[(String, String)], ledger: &Ledger) {
        let referenced: Vec<String> = self.documents().await.into_iter().map(|d| d.object_key).collect();
        let before = self.keys(KeyKind::Document).await;
        let orphans = before.iter().filter(|key| !referenced.contains(key)).count();
        assert!(orphans > 0 && orphans <= ledger.kills, "I2: {orphans} orphans after {} kills", ledger.kills);
        let spool = self.dir.join("spool");
        assert!(!files_below(&spool).is_empty(), "kills leave half-written files");

        let server = Server::start(&self.dir, env, &["--no-workers"]);
        let (ok, text) = server.run(&["scrub", "--collect"]);
        assert!(ok && text.contains("0 objects nobody refers to collected"), "not before a day is over: {text}");
        server.stop();

        // The day is over.
        let referenced = self.make_older(&before, &referenced).await;
        for file in [files_below(&spool), files_below(&self.dir.join("objects"))].concat() {
            let file = std::fs::File::options().write(true).open(file).expect("a file");
            file.set_modified(UNIX_EPOCH + Duration::from_micros(long_ago().as_micros().unsigned_abs()))
                .expect("a time");
        }
        let server = Server::start(&self.dir, env, &["--no-workers"]);
        let (ok, text) = server.run(&["scrub", "--collect"]);
        assert!(ok && text.contains(&format!("{orphans} objects nobody refers to collected")), "{text}");
        let deadline = std::time::Instant::now() + crate::support::PATIENCE;
        while !files_below(&spool).is_empty() {
            assert!(std::time::Instant::now() < deadline, "I6: half-written files are still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.stop();
        let mut after = self.keys(KeyKind::Document).await;
        let mut referenced = referenced;
        after.sort();
        referenced.sort();
        assert_eq!(after, referenced, "I2: collection took the orphans and nothing else");
        assert_eq!(files_below(&self.dir.join("objects/tmp")), Vec::<std::path::PathBuf>::new());
        let digests: Vec<Sha256> = self.documents().await.iter().map(|d| d.sha256).collect();
        assert_eq!(digests.len(), ledger.sent.len());
    }
}
