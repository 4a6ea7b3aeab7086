//! A fresh database of each kind per test.

use std::{env, panic::AssertUnwindSafe, sync::atomic::AtomicU32, sync::atomic::Ordering};

use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use vouch::store::Db;

/// Names a PostgreSQL server on which tests may create and drop databases, e.g. `postgres://postgres@127.0.0.1:5432`.
const SERVER: &str = "VOUCH_TEST_POSTGRES_URL";
/// Small: many tests run at once against one server.
const CONNECTIONS: u32 = 4;

/// A database that is removed by [`Fresh::remove`].
pub struct Fresh {
    /// The migrated database.
    pub db: Db,
    place: Place,
}

enum Place {
    Sqlite(tempfile::TempDir),
    Postgres { server: String, name: String },
}

impl Fresh {
    /// What [`Db::open`] was given, for a second process or pool.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Sqlite(dir) => sqlite_url(dir),
            Place::Postgres { server, name } => database_url(server, name),
        }
    }

    /// Closes and removes the database.
    pub async fn remove(self) {
        self.db.close().await;
        if let Place::Postgres { server, name } = self.place {
            let mut admin = PgConnection::connect(&server).await.expect("the PostgreSQL server");
            // FORCE: a test that failed may have left connections behind.
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.expect("dropping the test database");
        }
    }
}

/// Runs the same body on SQLite and on PostgreSQL, each a fresh database.
///
/// Without a server in `VOUCH_TEST_POSTGRES_URL` the second half is skipped and says so,
/// unless `VOUCH_TEST_REQUIRE_ALL=1` or `CI=true` forbid that.
pub async fn on_both(body: impl AsyncFn(Db)) {
    run(fresh_sqlite().await, &body).await;
    if let Some(fresh) = fresh_postgres().await {
        run(fresh, &body).await;
    }
}

async fn run(fresh: Fresh, body: &impl AsyncFn(Db)) {
    let kind = fresh.db.dialect();
    let outcome = AssertUnwindSafe(body(fresh.db.clone())).catch_unwind().await;
    fresh.remove().await;
    if let Err(panic) = outcome {
        eprintln!("the failure above happened on {kind:?}");
        std::panic::resume_unwind(panic);
    }
}

/// A fresh SQLite file.
pub async fn fresh_sqlite() -> Fresh {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let db = Db::open(&sqlite_url(&dir), CONNECTIONS).await.expect("a fresh SQLite database");
    Fresh { db, place: Place::Sqlite(dir) }
}

/// A fresh PostgreSQL database; `None` when there is no server and that is allowed.
pub async fn fresh_postgres() -> Option<Fresh> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let Ok(server) = env::var(SERVER) else {
        let is_required =
            env::var("VOUCH_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1") || env::var("CI").is_ok_and(|v| v == "true");
        assert!(!is_required, "{SERVER} is not set, and tests on PostgreSQL are required");
        eprintln!("skipped on PostgreSQL: {SERVER} is not set");
        return None;
    };
    // nextest runs each test in a process of its own; the number tells apart databases of one process.
    let nonce: u32 = rand::random();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("vouch_test_{}_{count}_{nonce:08x}", std::process::id());
    let mut admin = PgConnection::connect(&server).await.expect("the PostgreSQL server of VOUCH_TEST_POSTGRES_URL");
    let sql = format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut admin).await.expect("creating a test database");
    let db = Db::open(&database_url(&server, &name), CONNECTIONS).await.expect("a fresh PostgreSQL database");
    Some(Fresh { db, place: Place::Postgres { server, name } })
}

fn sqlite_url(dir: &tempfile::TempDir) -> String {
    format!("sqlite:{}", dir.path().join("vouch.db").display())
}

/// The server's URL with another database, its parameters kept.
fn database_url(server: &str, name: &str) -> String {
    let (base, parameters) = server.split_once('?').map_or((server, String::new()), |(b, p)| (b, format!("?{p}")));
    let (scheme, rest) = base.split_once("://").expect("a URL such as postgres://postgres@127.0.0.1:5432");
    let authority = rest.split('/').next().unwrap_or(rest);
    format!("{scheme}://{authority}/{name}{parameters}")
}
