//! Checks of what the service stands on, for `vouch doctor` and the status page: each says what it found and what to do.

use std::{path::Path, time::Duration};

use serde::Serialize;

use crate::{
    app::App,
    domain::{mail::Way, time::Timestamp},
    objects::ObjectKey,
    reader::{ReaderPool, Role, ocr::EngineKind},
    store::{Dialect, StoreError, jobs, mail_accounts, organisation},
};

/// Free space below which the disk check complains: a day of uploads of a busy team.
const LOW_DISK_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Before this instant (2026-01-01) a clock is certainly wrong: the program is younger.
const EARLIEST_NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// Difference between this machine's and the database's clock that breaks nothing but is worth a look.
const CLOCK_DRIFT: Duration = Duration::from_secs(5);

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Fine.
    Good,
    /// Works, but look at it.
    Warning,
    /// Does not work.
    Bad,
}

/// One check.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub health: Health,
    /// What was found.
    pub detail: String,
    /// What to do, unless all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, health: Health::Good, detail: detail.into(), hint: None }
    }

    /// Works, but look at it.
    pub fn warning(check: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, health: Health::Warning, detail: detail.into(), hint: Some(hint.into()) }
    }

    /// Does not work.
    pub fn bad(check: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, health: Health::Bad, detail: detail.into(), hint: Some(hint.into()) }
    }
}

/// HTTPS, by whatever gives it; `None` when pages come over plain HTTP.
pub fn https(by: Option<String>) -> Finding {
    match by {
        Some(by) => Finding::good("https", by),
        None => Finding::warning(
            "https",
            "off: phones allow neither offline capture nor camera pages over plain HTTP",
            "set server.tls.mode to local-ca or files, or server.external_url to the proxy's https address",
        ),
    }
}

/// What every running instance stands on, in the order people read it.
pub async fn of_instance(app: &App) -> Vec<Finding> {
    vec![database(app).await, clock(app).await, object_store(app).await, queue(app).await]
}

/// The database answers and is set up.
pub async fn database(app: &App) -> Finding {
    let kind = match app.db.dialect() {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    };
    let looked = async {
        let mut tx = app.db.read().await?;
        organisation::find(&mut tx).await
    };
    match looked.await {
        Ok(Some(organisation)) => Finding::good("database", format!("{kind}, organisation `{}`", organisation.name)),
        Ok(None) => Finding::warning("database", format!("{kind}, empty"), "start `vouch serve` once to set it up"),
        Err(error) => Finding::bad("database", error.to_string(), "see the message; `vouch doctor` again afterwards"),
    }
}

/// The clock is possible and agrees with the database's.
pub async fn clock(app: &App) -> Finding {
    let now = app.now();
    if now < EARLIEST_NOW {
        return Finding::bad("clock", format!("it is {now} here, which cannot be"), "set the clock or start NTP");
    }
    let theirs = async {
        let mut tx = app.db.read().await?;
        tx.lease_now(app.clock.as_ref()).await
    };
    match theirs.await {
        Ok(theirs) if theirs.plus(CLOCK_DRIFT) < now || now.plus(CLOCK_DRIFT) < theirs => Finding::warning(
            "clock",
            format!("{now} here, {theirs} at the database"),
            "leases follow the database, dates follow this machine: let NTP set both",
        ),
        Ok(_) => Finding::good("clock", now.to_string()),
        Err(error) => Finding::warning("clock", error.to_string(), "repair the database first"),
    }
}

/// The object store takes, gives back and deletes.
pub async fn object_store(app: &App) -> Finding {
    let probe = ObjectKey::probe(app.now(), &mut app.random.clone());
    match app.objects.check(&probe).await {
        Ok(()) => Finding::good("objects", format!("{}: written, read back and deleted", app.objects.place())),
        Err(error) => Finding::bad("objects", error.to_string(), "check the objects section of the configuration"),
    }
}

/// The queue moves.
pub async fn queue(app: &App) -> Finding {
    let counted = async {
        let mut tx = app.db.read().await?;
        Ok::<_, StoreError>((jobs::count_by_state(&mut tx).await?, jobs::oldest_ready(&mut tx).await?))
    };
    match counted.await {
        Ok((counts, oldest)) => {
            let of = |state: &str| counts.iter().find(|(s, _)| s == state).map_or(0, |(_, n)| *n);
            let detail = format!("{} waiting, {} running, {} failed", of("ready"), of("running"), of("dead"));
            match oldest {
                Some(at) if at.plus(Duration::from_secs(600)) < app.now() => Finding::warning(
                    "queue",
                    format!("{detail}; the oldest has waited since {at}"),
                    "start `vouch serve` or more `vouch worker`",
                ),
                _ if of("dead") > 0 => Finding::warning("queue", detail, "see the page of failed captures"),
                _ => Finding::good("queue", detail),
            }
        }
        Err(error) => Finding::bad("queue", error.to_string(), "repair the database first"),
    }
}

/// Mail comes in: which ways are open, and how polled mailboxes fare. `None` when mail is off.
pub async fn mail(app: &App, doors: &[(Way, String)]) -> Option<Finding> {
    if doors.is_empty() {
        return None;
    }
    let open: Vec<String> = doors.iter().map(|(way, at)| format!("{way} {at}")).collect();
    let open = open.join(", ");
    let looked = async {
        let mut tx = app.db.read().await?;
        mail_accounts::list(&mut tx).await
    };
    Some(match looked.await {
        Err(error) => Finding::bad("mail", error.to_string(), "repair the database first"),
        Ok(accounts) => match accounts.into_iter().find_map(|account| Some((account.name, account.error?))) {
            Some((name, error)) => Finding::warning(
                "mail",
                format!("{open}; mailbox `{name}`: {error}"),
                "correct mail.imap.accounts, or the mailbox's password",
            ),
            None => Finding::good("mail", open),
        },
    })
}

/// There is room below `data_dir`.
pub fn disk(data_dir: &Path) -> Finding {
    match nix::sys::statvfs::statvfs(data_dir) {
        Err(error) => Finding::bad("disk", format!("`{}`: {error}", data_dir.display()), "make the data directory"),
        Ok(stat) => {
            let free = stat.blocks_available() * stat.fragment_size();
            let detail = format!("{} MB free for `{}`", free / 1_000_000, data_dir.display());
            if free < LOW_DISK_BYTES {
                Finding::warning("disk", detail, "free some space: uploads are refused when it is full")
            } else {
                Finding::good("disk", detail)
            }
        }
    }
}

/// A reader child starts, with which engine and in which sandbox.
pub async fn engine(pool: &ReaderPool) -> Finding {
    match pool.check(Role::See).await {
        Ok(hello) if hello.engine.starts_with(EngineKind::Tesseract.as_str()) => Finding::warning(
            "engine",
            hello.engine,
            "scripts/fetch-weights.sh installs PP-OCR, which reads far more receipts right",
        ),
        Ok(hello) if !hello.posture.landlock_full => Finding::warning(
            "engine",
            format!("{}, sandbox: limits and seccomp, Landlock ABI {}", hello.engine, hello.posture.landlock_abi),
            "a newer kernel (6.12) also closes what older Landlock leaves open",
        ),
        Ok(hello) => Finding::good("engine", format!("{}, sandbox: limits, seccomp, Landlock", hello.engine)),
        Err(failure) => Finding::bad(
            "engine",
            failure.to_string(),
            "install tesseract-ocr and its languages (scripts/install-deps.sh run), or the weights",
        ),
    }
}
