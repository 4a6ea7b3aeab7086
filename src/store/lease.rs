//! Leases of things only one process does at a time.

use std::time::Duration;

use super::{StoreError, Tx, on};
use crate::domain::time::Clock;

/// Takes or renews the lease `name` for `holder`. `false` while somebody else holds it.
///
/// Until the transaction ends, everybody else who asks for the same name waits (PostgreSQL locks the row; SQLite
/// has one writer), so work in the same transaction is never done twice even when the lease runs out meanwhile.
pub async fn acquire(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    time: Duration,
    clock: &dyn Clock,
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE lease.until <= $4 OR lease.holder = excluded.holder";
    let now = tx.lease_now(clock).await?;
    on!(tx, |c| sqlx::query(SQL)
        .bind(name)
        .bind(holder)
        .bind(now.plus(time).as_micros())
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("lease::acquire", e))
}

/// Moves the end of a lease that `holder` still has. `false` when it ran out or went to somebody else.
pub async fn renew(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    time: Duration,
    clock: &dyn Clock,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE lease SET until = $3 WHERE name = $1 AND holder = $2 AND until > $4";
    let now = tx.lease_now(clock).await?;
    on!(tx, |c| sqlx::query(SQL)
        .bind(name)
        .bind(holder)
        .bind(now.plus(time).as_micros())
        .bind(now.as_micros())
        .execute(c)
        .await
        .map(|done| done.rows_affected() > 0))
    .map_err(|e| StoreError::from_sqlx("lease::renew", e))
}

/// Gives a lease back, so the next one need not wait for its end. `false` when `holder` did not have it.
pub async fn release(tx: &mut Tx, name: &str, holder: &str) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM lease WHERE name = $1 AND holder = $2";
    on!(tx, |c| sqlx::query(SQL).bind(name).bind(holder).execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(|e| StoreError::from_sqlx("lease::release", e))
}

/// Makes transactions that name the same thing follow one another until they end, e.g. two that each count
/// admins before removing one. On PostgreSQL the row is the lock; SQLite's one writer needs none.
pub async fn queue_up(tx: &mut Tx, name: &str) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO lease (name, holder, until) VALUES ($1, '', 0)
        ON CONFLICT (name) DO UPDATE SET until = excluded.until";
    on!(tx, |c| sqlx::query(SQL).bind(name).execute(c).await.map(drop))
        .map_err(|e| StoreError::from_sqlx("lease::queue_up", e))
}
