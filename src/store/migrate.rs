//! Brings a database to this program's version. Migrations are files, one folder per database, compared by a test.

use std::borrow::Cow;

use sqlx::{
    AssertSqlSafe, SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

use super::{Db, Dialect, StoreError};

/// Version, name and text of each migration, in order.
type Files = &'static [(i64, &'static str, &'static str)];

const SQLITE: Files = &[
    (1, "house", include_str!("../../migrations/sqlite/0001_house.sql")),
    (2, "findings", include_str!("../../migrations/sqlite/0002_findings.sql")),
    (3, "mail", include_str!("../../migrations/sqlite/0003_mail.sql")),
    (4, "revisions and thumbnails", include_str!("../../migrations/sqlite/0004_revisions_and_thumbnails.sql")),
    (5, "breakdown", include_str!("../../migrations/sqlite/0005_breakdown.sql")),
    (6, "parts", include_str!("../../migrations/sqlite/0006_parts.sql")),
    (7, "kept apart", include_str!("../../migrations/sqlite/0007_kept_apart.sql")),
];
const POSTGRES: Files = &[
    (1, "house", include_str!("../../migrations/postgres/0001_house.sql")),
    (2, "findings", include_str!("../../migrations/postgres/0002_findings.sql")),
    (3, "mail", include_str!("../../migrations/postgres/0003_mail.sql")),
    (4, "revisions and thumbnails", include_str!("../../migrations/postgres/0004_revisions_and_thumbnails.sql")),
    (5, "breakdown", include_str!("../../migrations/postgres/0005_breakdown.sql")),
    (6, "parts", include_str!("../../migrations/postgres/0006_parts.sql")),
    (7, "kept apart", include_str!("../../migrations/postgres/0007_kept_apart.sql")),
];

/// The migration files of a database.
pub fn files(dialect: Dialect) -> Files {
    match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    }
}

/// Runs what has not run yet; safe to call from several processes at once.
pub async fn run(db: &Db) -> Result<(), StoreError> {
    let migrations = files(db.dialect())
        .iter()
        .map(|(version, name, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                AssertSqlSafe(*sql).into_sql_str(),
                // Each migration is one transaction: a kill in the middle leaves the version before.
                false,
            )
        })
        .collect();
    let migrator = Migrator::with_migrations(migrations);
    match db {
        Db::Sqlite { writer, .. } => writer.migrate(&migrator).await,
        Db::Postgres(pool) => migrator.run(pool).await,
    }
    .map_err(StoreError::Migration)
}
