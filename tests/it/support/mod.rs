//! The world tests live in: databases of both kinds, an application over them, and people to act.

mod db;
mod journal;
mod mail;
mod people;
mod server;
mod site;

use std::sync::Arc;

use vouch::{
    app::{App, Random},
    domain::{
        capture::Limits,
        time::{FixedClock, Timestamp},
    },
    objects::{ObjectSettings, ObjectStore},
    store::Db,
};

pub use db::{Fresh, fresh_postgres, fresh_sqlite, on_both};
pub use journal::journal_kinds;
pub use mail::office;
pub use people::{actor, person, rep};
pub use server::{Api, PATIENCE, Server, VOUCH, command, fixture, variable};
pub use site::{Answer, Caller, Site, site, site_with_keys, site_with_office};

/// Monday, 23 November 2026, 10:00 UTC.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_428_000_000_000);

/// An application over a test database, with the hands of its clock.
pub struct TestApp {
    /// What use cases are handed.
    pub app: App,
    /// Its clock; stands still until moved.
    pub clock: Arc<FixedClock>,
    /// A data directory that goes with it.
    pub data_dir: tempfile::TempDir,
}

/// An application over `db` at [`NOW`]. The one place in the tests that puts an [`App`] together.
pub async fn app(db: &Db) -> TestApp {
    let data_dir = tempfile::tempdir().expect("a temporary directory");
    let spool = data_dir.path().join("spool");
    std::fs::create_dir_all(&spool).expect("the spool directory");
    let settings = ObjectSettings::Local { dir: data_dir.path().join("objects") };
    let objects = ObjectStore::open(&settings, NOW).await.expect("the object directory");
    let clock = Arc::new(FixedClock::new(NOW));
    let app = App {
        db: db.clone(),
        objects,
        clock: clock.clone(),
        random: Random::from_system(),
        limits: Limits::default(),
        spool: spool.into(),
        queue: vouch::queue::Settings::default(),
        wake: Arc::default(),
    };
    TestApp { app, clock, data_dir }
}
