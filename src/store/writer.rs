//! The one writer of SQLite. Transactions that wait for each other share a commit: what costs time is the sync of the
//! log, and one sync makes all of them durable (docs/adr/0007).
//!
//! ```text
//! BEGIN IMMEDIATE · SAVEPOINT shared
//!   SAVEPOINT one · first transaction · RELEASE one      its caller waits
//!   SAVEPOINT one · second transaction · RELEASE one     its caller waits
//! RELEASE shared · COMMIT                                both are told
//! ```
//!
//! The first to finish orders the commit and goes on waiting. Its order queues behind the writers already waiting for
//! their turn, so these join, and whoever comes later does not delay it. Nobody is told `Ok` before the commit; when
//! it fails, everybody in it is told so. A transaction that is dropped takes back only its own part.
//!
//! SQLite undoes the whole transaction by itself on some errors (a full disk, for one). Then the savepoint `shared` is
//! gone, its release fails, and everybody is told that nothing was stored, even those whose part had gone well.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use sqlx::{
    Connection as _, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::SqliteConnectOptions,
};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::{StoreError, WRITE_WAIT};

/// The writer. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Writer(Arc<Mutex<Turn>>);

/// What the one whose turn it is has in hand.
#[derive(Debug)]
struct Turn {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    state: State,
    /// Whether a savepoint `one` may be left behind by a transaction that was dropped.
    is_littered: bool,
    /// Those whose part is done and who wait for the commit.
    waiting: Vec<oneshot::Sender<Result<(), Lost>>>,
}

/// How far the shared transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is none.
    Idle,
    /// It was being begun; whether it was is not known when that failed or its caller went away.
    Beginning,
    /// Parts may be done in it.
    Open,
}

/// Why a shared commit failed, for everybody in it.
#[derive(Debug, Clone)]
struct Lost(String);

/// A transaction of its own as far as its user can see; undone when dropped without [`Part::commit`].
#[derive(Debug)]
pub struct Part(Option<OwnedMutexGuard<Turn>>);

impl Writer {
    /// Opens the connection that writes.
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let connection = SqliteConnection::connect_with(options).await.map_err(|e| StoreError::from_sqlx("open", e))?;
        let turn = Turn { connection: Some(connection), state: State::Idle, is_littered: false, waiting: Vec::new() };
        Ok(Self(Arc::new(Mutex::new(turn))))
    }

    /// Waits for a turn and begins.
    pub(super) async fn begin(&self) -> Result<Part, StoreError> {
        let turn = tokio::time::timeout(WRITE_WAIT, Arc::clone(&self.0).lock_owned()).await;
        let turn = turn.map_err(|_| StoreError::from_sqlx("begin", sqlx::Error::PoolTimedOut))?;
        // A part from here on, so that what was begun is ended when this fails or its caller goes away.
        let mut part = Part(Some(turn));
        part.turn().begin().await.map_err(|e| StoreError::from_sqlx("begin", e))?;
        Ok(part)
    }

    /// Runs migrations, each of which is a transaction by itself.
    pub(super) async fn migrate(&self, migrator: &Migrator) -> Result<(), MigrateError> {
        let mut turn = self.0.lock().await;
        turn.settle().await;
        migrator.run(turn.connection()?).await
    }

    /// Commits what is waiting and closes the connection, which writes the log back.
    pub(super) async fn close(&self) {
        let mut turn = self.0.lock().await;
        turn.settle().await;
        if let Some(connection) = turn.connection.take() {
            // Whoever closes has nothing left to do about a failure.
            let _ = connection.close().await;
        }
    }
}

impl Turn {
    fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(self.connection()?).await.map(drop)
    }

    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        self.tidy().await;
        match self.state {
            State::Idle => {}
            State::Beginning => self.settle().await,
            // SQLite may have undone everything while the part before failed: then nobody may join.
            State::Open => match self.run("RELEASE shared").await {
                Ok(()) => self.run("SAVEPOINT shared").await?,
                Err(error) => self.end(Err(error)).await,
            },
        }
        if self.state == State::Idle {
            self.state = State::Beginning;
            self.run("BEGIN IMMEDIATE").await?;
            self.run("SAVEPOINT shared").await?;
            self.state = State::Open;
        }
        self.is_littered = true;
        self.run("SAVEPOINT one").await
    }

    /// Takes back what a dropped transaction did.
    async fn tidy(&mut self) {
        if self.is_littered {
            // Fails when the savepoint was never made, or SQLite has undone everything: `settle` finds out which.
            let _ = self.run("ROLLBACK TO one").await;
            let _ = self.run("RELEASE one").await;
            self.is_littered = false;
        }
    }

    /// Commits, and tells everybody who waits how it went. Nothing to do when somebody else has done it.
    async fn settle(&mut self) {
        self.tidy().await;
        let outcome = match self.state {
            State::Idle => return,
            State::Beginning => Err(sqlx::Error::BeginFailed),
            State::Open => match self.run("RELEASE shared").await {
                Ok(()) => self.run("COMMIT").await,
                Err(error) => Err(error),
            },
        };
        self.end(outcome).await;
    }

    async fn end(&mut self, outcome: Result<(), sqlx::Error>) {
        if outcome.is_err() {
            // Fails when SQLite has done so itself.
            let _ = self.run("ROLLBACK").await;
        }
        self.state = State::Idle;
        let outcome = outcome.map_err(|error| Lost(error.to_string()));
        for waiting in self.waiting.drain(..) {
            // Whoever has gone away does not want to know.
            let _ = waiting.send(outcome.clone());
        }
    }
}

impl Part {
    fn turn(&mut self) -> &mut Turn {
        self.0.as_mut().expect("the turn is given away only at the end")
    }

    /// Makes everything done in this transaction durable, together with what others did meanwhile.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.turn().run("RELEASE one").await.map_err(|e| StoreError::from_sqlx("commit", e))?;
        self.turn().is_littered = false;
        self.wait().await
    }

    /// Undoes everything done in this transaction. Returns when what it may have seen of others is durable.
    pub(super) async fn rollback(mut self) -> Result<(), StoreError> {
        self.turn().tidy().await;
        self.wait().await
    }

    /// Gives the turn away, orders the commit unless somebody has, and waits for it.
    async fn wait(mut self) -> Result<(), StoreError> {
        let (sender, outcome) = oneshot::channel();
        if let Some(mut turn) = self.0.take() {
            let is_first = turn.waiting.is_empty();
            turn.waiting.push(sender);
            if is_first {
                order_commit(turn);
            }
        }
        match outcome.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Lost(why))) => Err(StoreError::from_sqlx("commit", sqlx::Error::Io(std::io::Error::other(why)))),
            // The runtime is ending.
            Err(_) => Err(StoreError::from_sqlx("commit", sqlx::Error::WorkerCrashed)),
        }
    }
}

/// Gives the turn away to whoever is next, and has a commit done after those who are waiting for theirs now.
fn order_commit(turn: OwnedMutexGuard<Turn>) {
    let writer = Arc::clone(OwnedMutexGuard::mutex(&turn));
    // Without a runtime nobody can wait for a commit either: the process is ending, and nothing was promised.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        // A task of its own, so that it goes on when the caller is cancelled. It asks for its turn once this one is given away.
        runtime.spawn(async move { writer.lock().await.settle().await });
    }
}

/// Dropped without a commit: the part is undone, and what others did in the same transaction is committed, so that
/// neither they nor other processes wait.
impl Drop for Part {
    fn drop(&mut self) {
        if let Some(turn) = self.0.take() {
            order_commit(turn);
        }
    }
}

impl Deref for Part {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.0.as_ref().and_then(|turn| turn.connection.as_ref()).expect("a part has begun on it")
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.turn().connection.as_mut().expect("a part has begun on it")
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    async fn writer(dir: &std::path::Path, pages: &'static str) -> (Writer, SqliteConnectOptions) {
        let options = SqliteConnectOptions::from_str(&format!("sqlite:{}", dir.join("t.db").display()))
            .unwrap()
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .pragma("wal_autocheckpoint", "0")
            .pragma("max_page_count", pages);
        let writer = Writer::open(&options).await.unwrap();
        let mut part = writer.begin().await.unwrap();
        sqlx::query("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)").execute(&mut *part).await.unwrap();
        part.commit().await.unwrap();
        (writer, options)
    }

    async fn insert(part: &mut Part, n: i64, bytes: usize) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO t (n, b) VALUES ($1, zeroblob($2))")
            .bind(n)
            .bind(bytes as i64)
            .execute(&mut **part)
            .await
            .map(drop)
    }

    async fn numbers(options: &SqliteConnectOptions) -> Vec<i64> {
        let mut other = SqliteConnection::connect_with(options).await.unwrap();
        sqlx::query_scalar("SELECT n FROM t ORDER BY n").fetch_all(&mut other).await.unwrap()
    }

    /// Commits in the log: frames that state the size of the database after them (file format, section 4.1).
    fn commits(dir: &std::path::Path) -> usize {
        let log = std::fs::read(dir.join("t.db-wal")).unwrap();
        let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
        log[32..].chunks_exact(24 + page).filter(|frame| frame[4..8] != [0; 4]).count()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn transactions_that_wait_for_each_other_share_a_commit_and_each_is_durable_when_told() {
        let dir = tempfile::tempdir().unwrap();
        let (writer, options) = writer(dir.path(), "1000000").await;
        let before = commits(dir.path());
        // Holds the turn until all others wait for it.
        let mut first = writer.begin().await.unwrap();
        insert(&mut first, 0, 10).await.unwrap();
        let tasks: Vec<_> = (1..=40)
            .map(|n| {
                let (writer, options) = (writer.clone(), options.clone());
                tokio::spawn(async move {
                    let mut part = writer.begin().await.unwrap();
                    insert(&mut part, n, 10).await.unwrap();
                    part.commit().await.unwrap();
                    assert!(numbers(&options).await.contains(&n), "told before it was there");
                })
            })
            .collect();
        tokio::task::yield_now().await;
        first.commit().await.unwrap();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(numbers(&options).await, (0..=40).collect::<Vec<_>>());
        let commits = commits(dir.path()) - before;
        assert!(commits < 30, "{commits} commits for 41 transactions");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_transaction_that_is_dropped_fails_or_is_undone_takes_back_only_its_own_part() {
        let dir = tempfile::tempdir().unwrap();
        let (writer, options) = writer(dir.path(), "1000000").await;
        let mut tasks = Vec::new();
        for n in 0..40_i64 {
            let writer = writer.clone();
            tasks.push(tokio::spawn(async move {
                let mut part = writer.begin().await.unwrap();
                insert(&mut part, n, 10).await.unwrap();
                match n % 4 {
                    0 => part.commit().await.unwrap(),
                    1 => drop(part),
                    2 => part.rollback().await.unwrap(),
                    _ => assert!(insert(&mut part, n, 10).await.is_err(), "the number is taken"),
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let mut part = writer.begin().await.unwrap();
        insert(&mut part, 1000, 10).await.unwrap();
        part.commit().await.unwrap();
        let expected: Vec<i64> = (0..40).step_by(4).chain([1000]).collect();
        assert_eq!(numbers(&options).await, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn after_a_dropped_transaction_another_process_can_write_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (writer, options) = writer(dir.path(), "1000000").await;
        let mut part = writer.begin().await.unwrap();
        insert(&mut part, 1, 10).await.unwrap();
        drop(part);
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("INSERT INTO t (n) VALUES (2)").execute(&mut other).await.unwrap();
        assert_eq!(numbers(&options).await, [2]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn when_the_disk_is_full_whoever_was_told_ok_is_there_and_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        // 60 pages of 4 kB, and parts of up to 100 kB: some fit, some do not.
        let (writer, options) = writer(dir.path(), "60").await;
        let mut tasks = Vec::new();
        for n in 0..60_i64 {
            let writer = writer.clone();
            tasks.push(tokio::spawn(async move {
                let mut part = writer.begin().await.ok()?;
                insert(&mut part, n, if n % 3 == 0 { 100_000 } else { 500 }).await.ok()?;
                part.commit().await.ok().map(|()| n)
            }));
        }
        let mut told = Vec::new();
        for task in tasks {
            told.extend(task.await.unwrap());
        }
        told.sort_unstable();
        assert!(!told.is_empty() && told.len() < 60, "{} of 60", told.len());
        assert_eq!(numbers(&options).await, told);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn callers_who_go_away_while_they_wait_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let (writer, options) = writer(dir.path(), "1000000").await;
        for n in 0..30_i64 {
            let writer = writer.clone();
            let task = tokio::spawn(async move {
                let mut part = writer.begin().await.unwrap();
                insert(&mut part, n, 10).await.unwrap();
                part.commit().await.unwrap();
            });
            for _ in 0..n {
                tokio::task::yield_now().await;
            }
            task.abort();
            // Stored or not, but ended.
            let _ = task.await;
        }
        let mut part = writer.begin().await.unwrap();
        insert(&mut part, 1000, 10).await.unwrap();
        part.commit().await.unwrap();
        assert_eq!(numbers(&options).await.last(), Some(&1000));
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("INSERT INTO t (n) VALUES (2000)").execute(&mut other).await.unwrap();
    }
}
