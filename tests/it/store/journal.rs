//! The journal: whatever is appended and sealed verifies, and whatever is done to it afterwards is named.

use std::{sync::Arc, time::Duration};

use ed25519_dalek::SigningKey;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use serde_json::json;
use vouch::{
    app::Random,
    domain::{
        ids::{JournalId, OrganisationId},
        journal::{Checkpoint, Entry, Manner},
        time::{FixedClock, Timestamp},
    },
    sealer::{Sealer, seal_once},
    store::{
        Db, Json, Tx,
        journal::{self, Broken, CheckpointFinding, Fault, SealLease, Verification},
        organisation::{self, Organisation},
    },
};

use crate::support::{Fresh, NOW, app, fresh_postgres, fresh_sqlite, on_both, rep};

const MINUTE: Duration = Duration::from_mins(1);
/// Small, so that every test crosses pages.
const PAGE: i64 = 3;

/// A journal with an organisation, its key and a source of ids.
struct Ledger {
    db: Db,
    random: Random,
    key: SigningKey,
    organisation: OrganisationId,
    clock: Arc<FixedClock>,
}

impl Ledger {
    async fn new(db: &Db, seed: u64) -> Self {
        let random = Random::from_seed(seed);
        let organisation = Organisation {
            id: random.id(NOW),
            name: "Example".to_owned(),
            time_zone: "UTC".to_owned(),
            home_currency: "EUR".parse().unwrap(),
            languages: Json(vec![]),
            submits_automatically: true,
            created_at: NOW,
        };
        let mut tx = db.write().await.unwrap();
        organisation::create(&mut tx, &organisation).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            db: db.clone(),
            key: SigningKey::from_bytes(&random.bytes()),
            random,
            organisation: organisation.id,
            clock: Arc::new(FixedClock::new(NOW)),
        }
    }

    /// Appends `count` entries in one transaction.
    async fn append(&self, count: usize) {
        let mut tx = self.db.write().await.unwrap();
        for n in 0..count {
            let entry = Entry {
                id: self.random.id::<JournalId>(NOW),
                at: NOW,
                actor: (n % 2 == 1).then(|| self.random.id(NOW)),
                manner: Manner::Singly,
                kind: "draft.confirmed".to_owned(),
                subject_type: "receipt",
                subject_id: format!("subject-{}", n % 2),
                body: json!({"n": n, "merchant": "上海"}),
            };
            journal::append(&mut tx, &entry, self.random.bytes()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    async fn seal(&self, limit: i64) -> Option<u64> {
        let mut tx = self.db.write().await.unwrap();
        let lease = SealLease { holder: "me", time: MINUTE, clock: &*self.clock };
        let sealed = journal::seal(&mut tx, limit, lease).await.unwrap();
        tx.commit().await.unwrap();
        sealed
    }

    async fn checkpoint(&self) -> Option<Checkpoint> {
        let mut tx = self.db.write().await.unwrap();
        let made = journal::create_checkpoint(&mut tx, &self.organisation, &self.key, NOW).await.unwrap();
        tx.commit().await.unwrap();
        made
    }

    async fn verify(&self) -> Verification {
        journal::verify(&self.db, PAGE, &[self.key.verifying_key()]).await.unwrap()
    }

    async fn check(&self, exported: &Checkpoint) -> CheckpointFinding {
        let mut tx = self.db.read().await.unwrap();
        let trusted = [self.key.verifying_key()];
        journal::check_checkpoint(&mut tx, &self.organisation, exported, &trusted).await.unwrap()
    }

    /// Does to the database what somebody with its password can do.
    async fn tamper(&self, sql: &str) -> u64 {
        let mut tx = self.db.write().await.unwrap();
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let changed = match &mut tx {
            Tx::Sqlite(tx) => sqlx::query(sql).execute(&mut **tx).await.unwrap().rows_affected(),
            Tx::Postgres(tx) => sqlx::query(sql).execute(&mut **tx).await.unwrap().rows_affected(),
        };
        tx.commit().await.unwrap();
        changed
    }
}

fn broken(verification: &Verification) -> (Option<i64>, Fault) {
    let Broken { seq, what, .. } = verification.first_broken.clone().expect("something broken");
    (seq, what)
}

#[tokio::test]
async fn entries_are_sealed_in_order_in_batches_and_the_tail_is_reported() {
    on_both(async |db| {
        let ledger = Ledger::new(&db, 1).await;
        assert_eq!(ledger.seal(10).await, Some(0));
        ledger.append(7).await;
        assert_eq!(ledger.seal(4).await, Some(4));
        let found = ledger.verify().await;
        assert_eq!((found.sealed, found.tail, found.first_broken), (4, 3, None));
        assert_eq!(ledger.seal(4).await, Some(3));
        ledger.append(1).await;
        let mut tx = db.read().await.unwrap();
        let all = journal::list(&mut tx, None, 100).await.unwrap();
        assert_eq!(all.iter().map(|e| e.seq).collect::<Vec<_>>(), [(1..=7).map(Some).collect(), vec![None]].concat());
        assert_eq!(journal::list(&mut tx, Some(&all[5].id), 100).await.unwrap(), all[6..]);
        let history = journal::list_for_subject(&mut tx, "subject-1", 100).await.unwrap();
        assert_eq!(history.len(), 3);
        assert_eq!(history[0].body.as_ref().unwrap().0["merchant"], "上海");
        assert!(history.iter().all(|entry| entry.actor_id.is_some()));
        assert!(journal::has_tail(&mut tx).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn only_one_process_seals_and_appending_never_waits_for_it() {
    on_both(async |db| {
        let ledger = Ledger::new(&db, 2).await;
        ledger.append(3).await;
        assert_eq!(ledger.seal(10).await, Some(3));
        ledger.append(2).await;
        let other = SealLease { holder: "other", time: MINUTE, clock: &*ledger.clock };
        let mut tx = db.write().await.unwrap();
        assert_eq!(journal::seal(&mut tx, 10, other).await.unwrap(), None, "held by `me`");
        drop(tx);
        assert_eq!(ledger.seal(10).await, Some(2));
        if matches!(db, Db::Postgres(_)) {
            let mut sealing = db.write().await.unwrap();
            let lease = SealLease { holder: "me", time: MINUTE, clock: &*ledger.clock };
            journal::seal(&mut sealing, 10, lease).await.unwrap();
            // Would wait for ever if the sealer locked what appending touches.
            tokio::time::timeout(MINUTE, ledger.append(1)).await.expect("appending does not wait");
            sealing.commit().await.unwrap();
        }
        assert_eq!(ledger.verify().await.first_broken, None);
    })
    .await;
}

#[tokio::test]
async fn two_processes_sealing_at_once_number_every_entry_once() {
    on_both(async |db| {
        let (one, two) = (app(&db).await, app(&db).await);
        vouch::people::first_run(&one.app, &crate::people::defaults()).await.unwrap();
        let ledger = Ledger { organisation: one.app.id(), ..ledger_over(&db) };
        ledger.append(40).await;
        let (a, b) = (
            Sealer::load(one.data_dir.path(), &one.app.random).unwrap(),
            Sealer::load(two.data_dir.path(), &two.app.random).unwrap(),
        );
        let (left, right) = tokio::join!(seal_once(&one.app, &a), seal_once(&two.app, &b));
        let sealed = left.unwrap().entries + right.unwrap().entries;
        let found = journal::verify(&db, PAGE, &[a.public_key(), b.public_key()]).await.unwrap();
        assert_eq!((sealed, found.sealed, found.tail), (42, 42, 0));
        assert_eq!((found.first_broken, found.unknown_keys.len()), (None, 0));
        assert!(found.checkpoints >= 1);
    })
    .await;
}

/// A ledger over a database that has its organisation already.
fn ledger_over(db: &Db) -> Ledger {
    let random = Random::from_seed(9);
    Ledger {
        db: db.clone(),
        key: SigningKey::from_bytes(&random.bytes()),
        organisation: random.id(NOW),
        random,
        clock: Arc::new(FixedClock::new(NOW)),
    }
}

#[tokio::test]
async fn checkpoints_are_signed_after_a_minute_or_a_thousand_entries_and_not_without_need() {
    on_both(async |db| {
        let world = app(&db).await;
        let sealer = Sealer::load(world.data_dir.path(), &world.app.random).unwrap();
        rep(&world, "mei").await;
        assert_eq!(seal_once(&world.app, &sealer).await.unwrap().checkpoint, None, "nothing to sign");
        vouch::people::first_run(&world.app, &crate::people::defaults()).await.unwrap();
        let first = seal_once(&world.app, &sealer).await.unwrap();
        assert_eq!((first.entries, first.checkpoint.map(|c| c.seq)), (2, Some(2)));
        let ledger = ledger_over(&db);
        ledger.append(10).await;
        let soon = seal_once(&world.app, &sealer).await.unwrap();
        assert_eq!((soon.entries, soon.checkpoint), (10, None));
        world.clock.advance(MINUTE);
        let later = seal_once(&world.app, &sealer).await.unwrap();
        assert_eq!((later.entries, later.checkpoint.as_ref().map(|c| c.seq)), (0, Some(12)));
        world.clock.advance(MINUTE);
        assert_eq!(seal_once(&world.app, &sealer).await.unwrap().checkpoint, None, "nothing new");
        ledger.append(1000).await;
        let many = seal_once(&world.app, &sealer).await.unwrap();
        assert_eq!((many.entries, many.checkpoint.map(|c| c.seq)), (1000, Some(1012)));

        let mut tx = db.read().await.unwrap();
        let organisation = organisation::find(&mut tx).await.unwrap().unwrap().id;
        let latest = journal::latest_checkpoint(&mut tx, &organisation).await.unwrap().unwrap();
        let exported: Checkpoint = serde_json::from_str(&serde_json::to_string(&latest).unwrap()).unwrap();
        let trusted = [sealer.public_key()];
        let finding = journal::check_checkpoint(&mut tx, &organisation, &exported, &trusted).await.unwrap();
        assert_eq!(finding, CheckpointFinding::Sound);
        let found = journal::verify(&db, 100, &trusted).await.unwrap();
        assert_eq!((found.sealed, found.checkpoints, found.first_broken), (1012, 3, None));
    })
    .await;
}

#[tokio::test]
async fn erased_bodies_are_counted_and_the_chain_stays_provable() {
    on_both(async |db| {
        let ledger = Ledger::new(&db, 3).await;
        ledger.append(6).await;
        ledger.seal(10).await;
        let mut tx = db.write().await.unwrap();
        assert_eq!(journal::erase_bodies(&mut tx, "subject-0").await.unwrap(), 3);
        assert_eq!(journal::erase_bodies(&mut tx, "subject-0").await.unwrap(), 0);
        assert_eq!(journal::list_for_subject(&mut tx, "subject-0", 9).await.unwrap()[0].body, None);
        tx.commit().await.unwrap();
        let found = ledger.verify().await;
        assert_eq!((found.sealed, found.erased, found.first_broken), (6, 3, None));
    })
    .await;
}

#[tokio::test]
async fn an_exported_checkpoint_catches_a_cut_tail_and_a_chain_written_anew() {
    on_both(async |db| {
        let ledger = Ledger::new(&db, 4).await;
        ledger.append(6).await;
        ledger.seal(10).await;
        let exported = ledger.checkpoint().await.unwrap();
        assert_eq!(ledger.checkpoint().await, None, "covered already");
        ledger.append(2).await;
        ledger.seal(10).await;
        assert_eq!(ledger.check(&exported).await, CheckpointFinding::Sound);

        // The tail below the checkpoint is cut: the stored checkpoint says so, and without it the exported one.
        ledger.tamper("DELETE FROM journal WHERE seq >= 6").await;
        assert_eq!(broken(&ledger.verify().await), (Some(6), Fault::TailCut));
        ledger.tamper("DELETE FROM checkpoint").await;
        assert_eq!(ledger.verify().await.first_broken, None, "the journal alone cannot know");
        assert_eq!(ledger.check(&exported).await, CheckpointFinding::TailCut { last: 5 });

        // The chain is written anew over a changed entry, with every hash right.
        ledger.tamper("UPDATE journal SET kind = 'draft.rejected' WHERE seq = 2").await;
        ledger.tamper("UPDATE journal SET seq = NULL, hash = NULL").await;
        ledger.append(4).await;
        ledger.seal(20).await;
        assert_eq!(ledger.verify().await.first_broken, None, "the journal alone cannot know");
        assert_eq!(ledger.check(&exported).await, CheckpointFinding::Restamped);

        // Whoever writes anew signs anew, but not with this key.
        let thief = SigningKey::from_bytes(&[7; 32]);
        let mut tx = db.write().await.unwrap();
        let forged = journal::create_checkpoint(&mut tx, &ledger.organisation, &thief, NOW).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ledger.check(&forged).await, CheckpointFinding::UnknownKey);
        assert_eq!(ledger.verify().await.unknown_keys.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_exported_checkpoint_that_was_changed_or_is_of_elsewhere_is_told_apart() {
    let fresh = fresh_sqlite().await;
    let ledger = Ledger::new(&fresh.db, 5).await;
    ledger.append(2).await;
    ledger.seal(10).await;
    let sound = ledger.checkpoint().await.unwrap();
    let changed = [
        Checkpoint { seq: 1, ..sound.clone() },
        Checkpoint { hash: vouch::domain::journal::genesis(), ..sound.clone() },
        Checkpoint { at: Timestamp::from_micros(0), ..sound.clone() },
        Checkpoint { organisation: "other".to_owned(), ..sound.clone() },
        Checkpoint { signature: "00".repeat(64), ..sound.clone() },
        Checkpoint { public_key: "zz".to_owned(), ..sound.clone() },
    ];
    for exported in changed {
        assert_eq!(ledger.check(&exported).await, CheckpointFinding::BadSignature, "{exported:?}");
    }
    let version = Checkpoint { version: 2, ..sound.clone() };
    assert_eq!(ledger.check(&version).await, CheckpointFinding::UnknownVersion(2));
    let mut tx = fresh.db.read().await.unwrap();
    let other: OrganisationId = ledger.random.id(NOW);
    let finding = journal::check_checkpoint(&mut tx, &other, &sound, &[]).await.unwrap();
    assert_eq!(finding, CheckpointFinding::OtherOrganisation);
    drop(tx);
    fresh.remove().await;
}

#[tokio::test]
async fn a_stored_checkpoint_that_was_changed_is_named() {
    on_both(async |db| {
        let ledger = Ledger::new(&db, 6).await;
        ledger.append(4).await;
        ledger.seal(4).await;
        ledger.checkpoint().await.unwrap();
        ledger.tamper("UPDATE checkpoint SET at = at + 1").await;
        assert_eq!(broken(&ledger.verify().await), (Some(4), Fault::BadCheckpoint));
    })
    .await;
}

#[tokio::test]
async fn the_unsealed_tail_is_looked_at_too() {
    on_both(async |db| {
        let ledger = Ledger::new(&db, 7).await;
        ledger.append(5).await;
        ledger.tamper("UPDATE journal SET body = '{}' WHERE subject_id = 'subject-1'").await;
        assert_eq!(broken(&ledger.verify().await), (None, Fault::BodyChanged));
        assert_eq!(ledger.seal(10).await, Some(5), "a broken body does not stop the sealer");
        assert_eq!(broken(&ledger.verify().await), (Some(2), Fault::BodyChanged));
    })
    .await;
}

#[tokio::test]
async fn values_of_another_type_in_sqlite_are_named_instead_of_stopping_the_check() {
    let fresh = fresh_sqlite().await;
    let ledger = Ledger::new(&fresh.db, 8).await;
    ledger.append(8).await;
    ledger.seal(10).await;
    ledger.tamper("UPDATE journal SET at = 'yesterday' WHERE seq = 5").await;
    assert_eq!(broken(&ledger.verify().await), (Some(5), Fault::Undecodable));
    fresh.remove().await;
}

/// One thing somebody with the database's password does to sealed entry `at` of `last`.
#[derive(Debug, Clone)]
enum Mutation {
    Set(&'static str, &'static str),
    Delete,
    Swap(i64),
    SwapWithHash(i64),
    Insert,
    InsertAtStart,
    Unseal,
}

/// Every column that is hashed or part of the chain, with a value no entry has.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "'00000000-0000-7000-8000-000000000000'"),
    ("at", "at + 1"),
    ("actor_id", "CASE WHEN actor_id IS NULL THEN '' ELSE NULL END"),
    ("actor_id", "'somebody else'"),
    ("manner", "'bulk'"),
    ("kind", "'draft.rejected'"),
    ("subject_type", "'expense'"),
    ("subject_id", "subject_id || '1'"),
    ("body", "body || ' '"),
    ("body", "NULL"),
    ("salt", "upper('a' || salt)"),
    ("salt", "NULL"),
    ("body_hash", "upper(body_hash)"),
    ("body_hash", "hash"),
    ("hash", "upper(hash)"),
    ("hash", "NULL"),
    ("seq", "seq + 1000"),
    ("seq", "-seq"),
];

fn mutations() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        10 => (0..COLUMNS.len()).prop_map(|n| Mutation::Set(COLUMNS[n].0, COLUMNS[n].1)),
        2 => Just(Mutation::Delete),
        2 => (1..20_i64).prop_map(Mutation::Swap),
        2 => (1..20_i64).prop_map(Mutation::SwapWithHash),
        1 => Just(Mutation::Insert),
        1 => Just(Mutation::InsertAtStart),
        1 => Just(Mutation::Unseal),
    ]
}

impl Ledger {
    /// Applies a mutation to entry `at` of `last`; the first number at which it can be seen.
    async fn mutate(&self, mutation: &Mutation, at: i64, last: i64) -> i64 {
        const COPY: &str = "actor_id, manner, kind, subject_type, subject_id, body, salt, body_hash";
        match *mutation {
            Mutation::Set(column, value) => {
                assert_eq!(self.tamper(&format!("UPDATE journal SET {column} = {value} WHERE seq = {at}")).await, 1);
                at
            }
            Mutation::Delete => {
                assert_eq!(self.tamper(&format!("DELETE FROM journal WHERE seq = {at}")).await, 1);
                at
            }
            Mutation::Unseal => {
                assert_eq!(self.tamper(&format!("UPDATE journal SET seq = NULL WHERE seq = {at}")).await, 1);
                at
            }
            Mutation::Swap(distance) | Mutation::SwapWithHash(distance) => {
                // `last` is at least 2, so another one is always found.
                let other = (at - 1 + 1 + (distance - 1) % (last - 1)) % last + 1;
                self.tamper(&format!("UPDATE journal SET seq = -1 WHERE seq = {at}")).await;
                self.tamper(&format!("UPDATE journal SET seq = {at} WHERE seq = {other}")).await;
                self.tamper(&format!("UPDATE journal SET seq = {other} WHERE seq = -1")).await;
                if matches!(mutation, Mutation::SwapWithHash(_)) {
                    let hash = |of| format!("(SELECT o.hash FROM journal o WHERE o.seq = {of})");
                    let (a, b) = (hash(at), hash(other));
                    self.tamper(&format!(
                        "UPDATE journal SET hash = CASE WHEN seq = {at} THEN {b} ELSE {a} END WHERE seq IN ({at}, {other})"
                    ))
                    .await;
                }
                at.min(other)
            }
            Mutation::Insert => {
                // Room is made from the end, so no number is there twice at any time.
                for seq in (at..=last).rev() {
                    self.tamper(&format!("UPDATE journal SET seq = seq + 1 WHERE seq = {seq}")).await;
                }
                let sql = format!(
                    "INSERT INTO journal (id, at, {COPY}, seq, hash) SELECT 'inserted', at, {COPY}, {at}, hash
                    FROM journal WHERE seq = {}",
                    at + 1
                );
                assert_eq!(self.tamper(&sql).await, 1);
                at
            }
            Mutation::InsertAtStart => {
                let sql = format!(
                    "INSERT INTO journal (id, at, {COPY}, seq, hash) SELECT 'inserted', at, {COPY}, 0, hash
                    FROM journal WHERE seq = 1"
                );
                assert_eq!(self.tamper(&sql).await, 1);
                0
            }
        }
    }
}

/// Appends and seals in any rhythm verify; then any one mutation is named at or before its place.
async fn any_rhythm_verifies_and_any_mutation_is_named(fresh: &Fresh, cases: u32) {
    let mut runner = TestRunner::deterministic();
    let strategy =
        (prop::collection::vec((1..6_usize, 0..6_i64), 1..6), mutations(), any::<prop::sample::Index>(), any::<u64>());
    for _ in 0..cases {
        let (rhythm, mutation, place, seed) = strategy.new_tree(&mut runner).unwrap().current();
        let ledger = ledger_over_existing(fresh, seed).await;
        for table in ["journal", "checkpoint", "lease"] {
            ledger.tamper(&format!("DELETE FROM {table}")).await;
        }
        ledger.append(2).await;
        for (count, limit) in rhythm {
            ledger.append(count).await;
            ledger.seal(limit).await;
            ledger.checkpoint().await;
        }
        ledger.seal(1000).await;
        ledger.checkpoint().await;
        let sound = ledger.verify().await;
        assert_eq!((sound.first_broken.clone(), sound.tail), (None, 0), "{mutation:?}");
        assert!(sound.checkpoints >= 1 && sound.unknown_keys.is_empty());
        let at = 1 + place.index(sound.sealed as usize) as i64;
        let seen = ledger.mutate(&mutation, at, sound.sealed).await;
        let found = ledger.verify().await;
        let Some(broken) = found.first_broken else { panic!("{mutation:?} at {at} of {} was not seen", sound.sealed) };
        assert!(broken.seq.is_some_and(|seq| seq <= seen), "{mutation:?} at {at} was named as {broken:?}");
        assert!(found.sealed < seen.max(1), "{mutation:?} at {at}: {} proven", found.sealed);
    }
}

async fn ledger_over_existing(fresh: &Fresh, seed: u64) -> Ledger {
    let mut tx = fresh.db.read().await.unwrap();
    let organisation = organisation::find(&mut tx).await.unwrap();
    drop(tx);
    match organisation {
        None => Ledger::new(&fresh.db, seed).await,
        Some(organisation) => {
            let random = Random::from_seed(seed);
            Ledger { organisation: organisation.id, random, ..ledger_over(&fresh.db) }
        }
    }
}

#[tokio::test]
async fn on_sqlite_any_rhythm_verifies_and_any_mutation_is_named() {
    let fresh = fresh_sqlite().await;
    any_rhythm_verifies_and_any_mutation_is_named(&fresh, 100).await;
    fresh.remove().await;
}

#[tokio::test]
async fn on_postgres_any_rhythm_verifies_and_any_mutation_is_named() {
    let Some(fresh) = fresh_postgres().await else { return };
    any_rhythm_verifies_and_any_mutation_is_named(&fresh, 60).await;
    fresh.remove().await;
}
