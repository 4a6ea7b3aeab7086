//! What can go wrong with the database, sorted by what the caller can do.

/// A store function failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is away, busy or full. Nothing was written; the same call may work later.
    #[error("the database is not available ({during}): {source}")]
    Unavailable {
        /// What was tried.
        during: &'static str,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A row breaks a rule of the schema or does not decode: a bug or a damaged file.
    #[error("the database refused or returned something unexpected ({during}): {source}")]
    Unexpected {
        /// What was tried.
        during: &'static str,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// A migration failed or the database is newer than this program.
    #[error("the database cannot be brought to this version: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Sorts a driver error.
    pub(crate) fn from_sqlx(during: &'static str, source: sqlx::Error) -> Self {
        let is_away = match &source {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => true,
            sqlx::Error::Database(e) => e.code().is_some_and(|code| is_transient_code(&code)),
            _ => false,
        };
        if is_away { Self::Unavailable { during, source } } else { Self::Unexpected { during, source } }
    }

    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// SQLite: BUSY 5, LOCKED 6, IOERR 10, FULL 13, CANTOPEN 14 and their extended codes (low byte).
/// PostgreSQL: classes 08 connection, 40 rollback, 53 resources, 57 operator intervention.
fn is_transient_code(code: &str) -> bool {
    if code.len() == 5 {
        return ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xFF, 5 | 6 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_restarting_server_are_worth_another_try_a_broken_rule_is_not() {
        for code in ["5", "13", "266", "57P01", "40001", "08006", "53300"] {
            assert!(is_transient_code(code), "{code}");
        }
        for code in ["19", "2067", "23505", "42601"] {
            assert!(!is_transient_code(code), "{code}");
        }
    }
}
