//! Both databases hold the same tables.

use sqlx::Row;
use vouch::store::Db;

use crate::support::{fresh_postgres, fresh_sqlite};

#[tokio::test]
async fn both_migrations_make_the_same_tables_columns_indexes_and_references() {
    let sqlite = fresh_sqlite().await;
    let Some(postgres) = fresh_postgres().await else { return };
    let (of_sqlite, of_postgres) = (describe(&sqlite.db).await, describe(&postgres.db).await);
    sqlite.remove().await;
    postgres.remove().await;
    assert!(of_sqlite.len() > 300, "the description is not empty: {}", of_sqlite.len());
    similar(&of_sqlite, &of_postgres);
}

#[tokio::test]
async fn a_second_process_opens_a_database_in_use_and_finds_it_migrated() {
    let mut all = vec![fresh_sqlite().await];
    all.extend(fresh_postgres().await);
    for fresh in all {
        let before = describe(&fresh.db).await;
        let url = fresh.url();
        let (one, two) = tokio::join!(Db::open(&url, 2), Db::open(&url, 2));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(describe(&one).await, before);
        one.close().await;
        two.close().await;
        fresh.remove().await;
    }
}

/// Only the lines that differ, so the failure is readable.
fn similar(sqlite: &[String], postgres: &[String]) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    assert_eq!(
        (only(sqlite, postgres), only(postgres, sqlite)),
        (vec![], vec![]),
        "lines only in SQLite, lines only in PostgreSQL"
    );
}

/// One line per column, index column, and reference; sorted.
async fn describe(db: &Db) -> Vec<String> {
    const SQLITE: &[&str] = &[
        "SELECT 'column ' || m.name || '.' || c.name || ' ' || lower(c.type) || CASE WHEN c.\"notnull\" = 1 THEN ' not null'
            ELSE '' END || CASE WHEN c.pk > 0 THEN ' key ' || c.pk ELSE '' END || coalesce(' default ' || c.dflt_value, '')
        FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
            AND m.name NOT LIKE '_sqlx%'",
        "SELECT 'index ' || i.name || ' on ' || m.name || CASE WHEN i.\"unique\" = 1 THEN ' unique ' ELSE ' ' END || c.seqno
            || ' ' || c.name || CASE WHEN i.partial = 1 THEN ' partial' ELSE '' END
        FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) c
        WHERE m.type = 'table' AND i.origin = 'c'",
        "SELECT 'reference ' || m.name || '.' || f.\"from\" || ' -> ' || f.\"table\" || '.' || f.\"to\"
        FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
    ];
    const POSTGRES: &[&str] = &[
        "SELECT 'column ' || c.table_name || '.' || c.column_name || ' ' || c.data_type
            || CASE WHEN c.is_nullable = 'NO' THEN ' not null' ELSE '' END
            || coalesce((SELECT ' key ' || k.ordinal_position FROM information_schema.key_column_usage k
                JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name)
                WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name
                    AND k.column_name = c.column_name), '') || coalesce(' default ' || c.column_default, '')
        FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name NOT LIKE '\\_sqlx%'",
        "SELECT 'index ' || n.relname || ' on ' || t.relname || CASE WHEN i.indisunique THEN ' unique ' ELSE ' ' END
            || (k.place - 1) || ' ' || a.attname || CASE WHEN i.indpred IS NULL THEN '' ELSE ' partial' END
        FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = 'public'
        CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum
        WHERE NOT i.indisprimary",
        "SELECT 'reference ' || t.relname || '.' || a.attname || ' -> ' || o.relname || '.' || b.attname
        FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class o ON o.oid = f.confrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.conkey[1]
        JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = f.confkey[1]
        WHERE f.contype = 'f'",
    ];
    let mut lines = Vec::new();
    match db {
        Db::Sqlite { readers, .. } => {
            for sql in SQLITE {
                let rows = sqlx::query(*sql).fetch_all(readers).await.expect("describing SQLite");
                lines.extend(rows.iter().map(|row| row.get::<String, _>(0)));
            }
        }
        Db::Postgres(pool) => {
            for sql in POSTGRES {
                let rows = sqlx::query(*sql).fetch_all(pool).await.expect("describing PostgreSQL");
                lines.extend(rows.iter().map(|row| row.get::<String, _>(0)));
            }
        }
    }
    lines.sort();
    lines
}
