//! The only room with SQL. One text and one body per function, run on SQLite or PostgreSQL through [`Tx`].
//!
//! A store function takes `&mut Tx`, so callers decide what commits together. `Db::write` opens the one
//! transaction of a use case; nothing slow may happen until its `commit`.

pub mod breakdowns;
pub mod captures;
pub mod categories;
mod column;
pub mod customers;
pub mod documents;
mod error;
pub mod expenses;
pub mod fields;
pub mod findings;
pub mod idempotency;
pub mod jobs;
pub mod journal;
pub mod learning;
pub mod lease;
pub mod mail_accounts;
pub mod mail_addresses;
pub mod mail_messages;
pub mod memory;
pub mod migrate;
pub mod organisation;
pub mod parts;
pub mod people;
pub mod readings;
pub mod receipts;
pub mod sessions;
pub mod sign_in;
pub mod tokens;
pub mod visits;
pub mod writer;

use std::{
    ops::{Deref, DerefMut},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    Postgres, Sqlite, SqliteConnection, Transaction,
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous},
};

pub(crate) use column::Column;
pub use column::Json;
pub use error::StoreError;
use writer::{Part, Writer};

use crate::domain::time::{Clock, Timestamp};

/// How long a writer waits for its turn before the caller is told to try again.
const WRITE_WAIT: Duration = Duration::from_secs(15);
/// Readers of the embedded database; more than the cores of a NAS, fewer than its file handles.
const SQLITE_READERS: u32 = 8;

/// A database: the embedded SQLite or a PostgreSQL server.
#[derive(Debug, Clone)]
pub enum Db {
    /// One file, one writer, many readers.
    Sqlite {
        /// The one connection that writes.
        writer: Writer,
        /// Connections that only read.
        readers: SqlitePool,
    },
    /// A server shared by several machines.
    Postgres(PgPool),
}

/// A transaction; rolled back when dropped without [`Tx::commit`].
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(SqliteTx),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

/// A transaction on SQLite; derefs to its connection.
#[derive(Debug)]
pub enum SqliteTx {
    /// One that writes.
    Write(Part),
    /// One that only reads.
    Read(Transaction<'static, Sqlite>),
}

impl Deref for SqliteTx {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Write(part) => part,
            Self::Read(transaction) => transaction,
        }
    }
}

impl DerefMut for SqliteTx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Write(part) => part,
            Self::Read(transaction) => transaction,
        }
    }
}

/// Which SQL is spoken, for the few places where both need different words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 14 or newer.
    Postgres,
}

/// Runs the body with `$c` as the connection of either database: one SQL text, one body.
macro_rules! on {
    ($tx:expr, |$c:ident| $body:expr) => {
        match $tx {
            $crate::store::Tx::Sqlite(transaction) => {
                let $c = &mut **transaction;
                $body
            }
            $crate::store::Tx::Postgres(transaction) => {
                let $c = &mut **transaction;
                $body
            }
        }
    };
}
pub(crate) use on;

/// Declares a row type that both databases decode by column name through [`Column`].
macro_rules! record {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$fdoc:meta])* pub $field:ident: $ty:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),+ }
        $crate::store::record!(@row $name, sqlx::sqlite::SqliteRow, $($field: $ty),+);
        $crate::store::record!(@row $name, sqlx::postgres::PgRow, $($field: $ty),+);
    };
    (@row $name:ident, $row:ty, $($field:ident: $ty:ty),+) => {
        impl<'r> sqlx::FromRow<'r, $row> for $name {
            fn from_row(row: &'r $row) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($field: {
                        let raw = sqlx::Row::try_get(row, stringify!($field))?;
                        <$ty as $crate::store::Column>::from_raw(raw).map_err(|source| sqlx::Error::ColumnDecode {
                            index: concat!(stringify!($name), ".", stringify!($field)).to_owned(),
                            source,
                        })?
                    }),+
                })
            }
        }
    };
}
pub(crate) use record;

/// A LIKE pattern (with `ESCAPE '!'`) that finds `part` anywhere, its own wildcards taken literally.
pub(crate) fn containing(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for c in part.chars() {
        if matches!(c, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

impl Db {
    /// Opens the database at `url`: `sqlite:PATH` (created when missing) or `postgres://…`, and runs the migrations.
    pub async fn open(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let db = Self::connect(url, max_connections).await?;
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Connects without migrating; for tools that only look.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url).map_err(|e| StoreError::from_sqlx("open", e))?;
            let pool = PgPoolOptions::new()
                .max_connections(max_connections)
                .acquire_timeout(WRITE_WAIT)
                .connect_with(options)
                .await
                .map_err(|e| StoreError::from_sqlx("open", e))?;
            return Ok(Self::Postgres(pool));
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|e| StoreError::from_sqlx("open", e))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What is deleted is overwritten: passwords of documents, sign-in sessions, what was erased.
            .pragma("secure_delete", "on")
            // FULL: an acknowledgement survives power loss; NORMAL would lose committed transactions.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WRITE_WAIT);
        let writer = Writer::open(&options).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(WRITE_WAIT)
            .connect_lazy_with(options.pragma("query_only", "1"));
        Ok(Self::Sqlite { writer, readers })
    }

    /// Which SQL this database speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Opens the write transaction of a use case. On SQLite it holds the one writer from the start, so it never fails half-way with
    /// `busy`, and shares its commit with those that wait for the writer meanwhile ([`writer`]).
    pub async fn write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Tx::Sqlite(SqliteTx::Write(writer.begin().await?))),
            Self::Postgres(pool) => pool.begin().await.map(Tx::Postgres).map_err(|e| StoreError::from_sqlx("begin", e)),
        }
    }

    /// Opens a transaction that only reads; drop it when done.
    pub async fn read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => {
                let begun = readers.begin().await.map_err(|e| StoreError::from_sqlx("begin", e))?;
                Ok(Tx::Sqlite(SqliteTx::Read(begun)))
            }
            Self::Postgres(pool) => pool
                .begin_with("BEGIN TRANSACTION READ ONLY")
                .await
                .map(Tx::Postgres)
                .map_err(|e| StoreError::from_sqlx("begin", e)),
        }
    }

    /// Closes all connections; SQLite checkpoints its log.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes everything done in this transaction durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(SqliteTx::Write(part)) => return part.commit().await,
            Self::Sqlite(SqliteTx::Read(tx)) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
        .map_err(|e| StoreError::from_sqlx("commit", e))
    }

    /// Undoes everything done in this transaction.
    pub async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(SqliteTx::Write(part)) => return part.rollback().await,
            Self::Sqlite(SqliteTx::Read(tx)) => tx.rollback().await,
            Self::Postgres(tx) => tx.rollback().await,
        }
        .map_err(|e| StoreError::from_sqlx("rollback", e))
    }

    /// Which SQL this transaction speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The instant leases are measured with: the server's clock on PostgreSQL, where machines share work and
    /// their own clocks may differ; this machine's on SQLite.
    pub async fn lease_now(&mut self, clock: &dyn Clock) -> Result<Timestamp, StoreError> {
        match self {
            Self::Sqlite(_) => Ok(clock.now()),
            Self::Postgres(tx) => {
                let micros: i64 =
                    sqlx::query_scalar("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)")
                        .fetch_one(&mut **tx)
                        .await
                        .map_err(|e| StoreError::from_sqlx("lease_now", e))?;
                Ok(Timestamp::from_micros(micros))
            }
        }
    }
}
