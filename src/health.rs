//! Checks of what the service stands on, for `vouch doctor` and the status page: each says what it found and what to do.
//!
//! Findings carry codes; the words, in every language, are in the catalogue of the pages (`health.{code}`,
//! `health_hint.{code}`).

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

/// What was found, before it is put into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The sentence: `health.{code}` of the catalogue.
    pub code: &'static str,
    /// What goes into its places `{0}`, `{1}` …: names, addresses, numbers, or a component's own message.
    pub with: Vec<String>,
}

impl Found {
    /// A sentence without places.
    pub const fn plain(code: &'static str) -> Self {
        Self { code, with: Vec::new() }
    }

    /// A sentence with its places filled.
    pub fn with<const N: usize>(code: &'static str, with: [String; N]) -> Self {
        Self { code, with: with.into() }
    }

    /// A component's own message, which says what failed and on what.
    pub fn error(error: impl std::fmt::Display) -> Self {
        // `{:#}` gives the causes of an error that has some.
        Self::with("error", [format!("{error:#}")])
    }
}

/// What to do: `health_hint.{code}` of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint(pub &'static str);

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked: `check.{code}` of the catalogue.
    pub check: &'static str,
    /// How it ended.
    pub health: Health,
    /// What was found.
    pub found: Found,
    /// What to do, unless all is well.
    pub hint: Option<Hint>,
}

impl Finding {
    /// All is well.
    pub const fn good(check: &'static str, found: Found) -> Self {
        Self { check, health: Health::Good, found, hint: None }
    }

    /// Works, but look at it.
    pub const fn warning(check: &'static str, found: Found, hint: Hint) -> Self {
        Self { check, health: Health::Warning, found, hint: Some(hint) }
    }

    /// Does not work.
    pub const fn bad(check: &'static str, found: Found, hint: Hint) -> Self {
        Self { check, health: Health::Bad, found, hint: Some(hint) }
    }
}

/// HTTPS, by whatever gives it; `None` when pages come over plain HTTP.
pub fn https(by: Option<Found>) -> Finding {
    match by {
        Some(by) => Finding::good("https", by),
        None => Finding::warning("https", Found::plain("https_off"), Hint("https_off")),
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
        Ok(Some(organisation)) => {
            Finding::good("database", Found::with("database", [kind.to_owned(), organisation.name]))
        }
        Ok(None) => Finding::warning("database", Found::with("database_empty", [kind.to_owned()]), Hint("serve_once")),
        Err(error) => Finding::bad("database", Found::error(error), Hint("doctor_again")),
    }
}

/// The clock is possible and agrees with the database's.
pub async fn clock(app: &App) -> Finding {
    let now = app.now();
    if now < EARLIEST_NOW {
        return Finding::bad("clock", Found::with("clock_impossible", [now.to_string()]), Hint("set_clock"));
    }
    let theirs = async {
        let mut tx = app.db.read().await?;
        tx.lease_now(app.clock.as_ref()).await
    };
    match theirs.await {
        Ok(theirs) if theirs.plus(CLOCK_DRIFT) < now || now.plus(CLOCK_DRIFT) < theirs => Finding::warning(
            "clock",
            Found::with("clocks_apart", [now.to_string(), theirs.to_string()]),
            Hint("set_both_clocks"),
        ),
        Ok(_) => {
            // Nobody reads microseconds off a status page.
            let second = Timestamp::from_micros(now.as_micros() / 1_000_000 * 1_000_000);
            Finding::good("clock", Found::with("clock", [second.to_string()]))
        }
        Err(error) => Finding::warning("clock", Found::error(error), Hint("database_first")),
    }
}

/// The object store takes, gives back and deletes.
pub async fn object_store(app: &App) -> Finding {
    let probe = ObjectKey::probe(app.now(), &mut app.random.clone());
    match app.objects.check(&probe).await {
        Ok(()) => Finding::good("objects", Found::with("objects", [app.objects.place().clone()])),
        Err(error) => Finding::bad("objects", Found::error(error), Hint("objects_section")),
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
            let [waiting, running, failed] = ["ready", "running", "dead"].map(|state| of(state).to_string());
            match oldest {
                Some(at) if at.plus(Duration::from_secs(600)) < app.now() => Finding::warning(
                    "queue",
                    Found::with("queue_stands", [waiting, running, failed, at.to_string()]),
                    Hint("more_workers"),
                ),
                _ => {
                    let found = Found::with("queue", [waiting, running, failed]);
                    if of("dead") > 0 {
                        Finding::warning("queue", found, Hint("look_at_failed"))
                    } else {
                        Finding::good("queue", found)
                    }
                }
            }
        }
        Err(error) => Finding::bad("queue", Found::error(error), Hint("database_first")),
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
        Err(error) => Finding::bad("mail", Found::error(error), Hint("database_first")),
        Ok(accounts) => match accounts.into_iter().find_map(|account| Some((account.name, account.error?))) {
            Some((name, error)) => {
                Finding::warning("mail", Found::with("mailbox_fails", [open, name, error]), Hint("mailbox"))
            }
            None => Finding::good("mail", Found::with("mail", [open])),
        },
    })
}

/// There is room below `data_dir`.
pub fn disk(data_dir: &Path) -> Finding {
    match nix::sys::statvfs::statvfs(data_dir) {
        Err(error) => {
            Finding::bad("disk", Found::error(format_args!("`{}`: {error}", data_dir.display())), Hint("make_data_dir"))
        }
        Ok(stat) => {
            let free = stat.blocks_available() * stat.fragment_size();
            let found = Found::with("disk", [(free / 1_000_000).to_string(), data_dir.display().to_string()]);
            if free < LOW_DISK_BYTES {
                Finding::warning("disk", found, Hint("free_space"))
            } else {
                Finding::good("disk", found)
            }
        }
    }
}

/// A reader child starts, with which engine and in which sandbox.
pub async fn engine(pool: &ReaderPool) -> Finding {
    match pool.check(Role::See).await {
        Ok(hello) if hello.engine.starts_with(EngineKind::Tesseract.as_str()) => {
            Finding::warning("engine", Found::with("engine_only", [hello.engine]), Hint("fetch_weights"))
        }
        Ok(hello) if !hello.posture.landlock_full => Finding::warning(
            "engine",
            Found::with("engine_older_kernel", [hello.engine, hello.posture.landlock_abi.to_string()]),
            Hint("newer_kernel"),
        ),
        Ok(hello) => Finding::good("engine", Found::with("engine", [hello.engine])),
        Err(failure) => Finding::bad("engine", Found::error(failure), Hint("install_engine")),
    }
}
