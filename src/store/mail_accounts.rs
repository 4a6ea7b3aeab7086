//! How far each polled mailbox was read, and how its last poll ended.

use super::{StoreError, Tx, on, record};
use crate::domain::time::Timestamp;

record! {
    /// A polled mailbox.
    pub struct MailAccount {
        /// Its name in the configuration.
        pub name: String,
        /// The mailbox there.
        pub mailbox: String,
        /// UIDVALIDITY of what was read; with another one UIDs mean other messages.
        pub uid_validity: Option<i64>,
        /// Every UID below was dealt with.
        pub uid_next: Option<i64>,
        /// Messages taken so far.
        pub taken: i64,
        /// When it was last polled without an error.
        pub polled_at: Option<Timestamp>,
        /// What went wrong last, if the last poll did.
        pub error: Option<String>,
        /// When.
        pub error_at: Option<Timestamp>,
    }
}

/// The account of this name.
pub async fn find(tx: &mut Tx, name: &str) -> Result<Option<MailAccount>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_account WHERE name = $1";
    on!(tx, |c| sqlx::query_as(SQL).bind(name).fetch_optional(c).await)
        .map_err(|e| StoreError::from_sqlx("mail_accounts::find", e))
}

/// All accounts by name.
pub async fn list(tx: &mut Tx) -> Result<Vec<MailAccount>, StoreError> {
    const SQL: &str = "SELECT * FROM mail_account ORDER BY name";
    on!(tx, |c| sqlx::query_as(SQL).fetch_all(c).await).map_err(|e| StoreError::from_sqlx("mail_accounts::list", e))
}

/// Stores how far the mailbox was read.
pub async fn set_progress(
    tx: &mut Tx,
    name: &str,
    mailbox: &str,
    uid_validity: i64,
    uid_next: i64,
    newly_taken: i64,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mail_account (name, mailbox, uid_validity, uid_next, taken, polled_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET mailbox = excluded.mailbox, uid_validity = excluded.uid_validity,
            uid_next = excluded.uid_next, taken = mail_account.taken + excluded.taken,
            polled_at = excluded.polled_at";
    on!(tx, |c| sqlx::query(SQL)
        .bind(name)
        .bind(mailbox)
        .bind(uid_validity)
        .bind(uid_next)
        .bind(newly_taken)
        .bind(at.as_micros())
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("mail_accounts::set_progress", e))
}

/// Stores how the last poll ended: an error, or none.
pub async fn set_outcome(
    tx: &mut Tx,
    name: &str,
    mailbox: &str,
    error: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mail_account (name, mailbox, taken, polled_at, error, error_at)
        VALUES ($1, $2, 0, $3, $4, $5)
        ON CONFLICT (name) DO UPDATE SET polled_at = COALESCE(excluded.polled_at, mail_account.polled_at),
            error = excluded.error, error_at = excluded.error_at";
    on!(tx, |c| sqlx::query(SQL)
        .bind(name)
        .bind(mailbox)
        .bind(error.is_none().then(|| at.as_micros()))
        .bind(error)
        .bind(error.map(|_| at.as_micros()))
        .execute(c)
        .await
        .map(drop))
    .map_err(|e| StoreError::from_sqlx("mail_accounts::set_outcome", e))
}
