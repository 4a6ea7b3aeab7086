//! What the benchmarks of the door share: an instance in a directory, and what the disk below it can do at best.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Instant,
};

use vouch::{
    app::{App, Random, SystemClock},
    domain::{
        capture::Limits,
        person::{Actor, Language, Role},
        time::Clock as _,
    },
    objects::{ObjectSettings, ObjectStore},
    people::{self, NewPerson},
    store::Db,
};

/// What a transaction of a document adds to a log: some pages.
const LOG_BYTES: usize = 16 * 1024;

/// Acknowledgements a second by `clients` threads when each of `documents` is a file, its sync, its name, the directories'
/// syncs, and a log record with its sync. `document` makes the bytes of the one with that number.
pub fn floor(
    base: &Path,
    documents: usize,
    clients: usize,
    document: impl Fn(usize) -> Vec<u8> + Sync,
) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir_in(base)?;
    let log = Mutex::new(std::fs::File::create(dir.path().join("log"))?);
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|client| {
                let (dir, log, document) = (dir.path(), &log, &document);
                scope.spawn(move || -> anyhow::Result<()> {
                    for number in (client..documents).step_by(clients) {
                        let temporary = dir.join(format!("tmp-{number}"));
                        let mut file = std::fs::File::create(&temporary)?;
                        file.write_all(&document(number))?;
                        file.sync_all()?;
                        let home = dir.join(format!("{:02x}", number % 256));
                        std::fs::create_dir_all(&home)?;
                        std::fs::rename(&temporary, home.join(number.to_string()))?;
                        std::fs::File::open(&home)?.sync_all()?;
                        std::fs::File::open(dir)?.sync_all()?;
                        let mut log = log.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?;
                        log.write_all(&[0x55; LOG_BYTES])?;
                        log.sync_data()?;
                    }
                    Ok(())
                })
            })
            .collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a client panicked"))?)
    })?;
    Ok(documents as f64 / started.elapsed().as_secs_f64())
}

/// SQLite and a local object directory in `dir`, with one rep. Nobody reads what comes in.
pub async fn instance(dir: &Path) -> anyhow::Result<(App, Actor)> {
    let spool = dir.join("spool");
    std::fs::create_dir_all(&spool)?;
    let clock = Arc::new(SystemClock);
    let app = App {
        db: Db::open(&format!("sqlite:{}", dir.join("vouch.db").display()), 4).await?,
        objects: ObjectStore::open(&ObjectSettings::Local { dir: dir.join("objects") }, clock.now()).await?,
        clock,
        random: Random::from_system(),
        queue: vouch::queue::Settings::default(),
        limits: Limits::default(),
        spool: spool.into(),
        wake: Arc::default(),
    };
    let new = NewPerson {
        user_name: "rep".parse()?,
        display_name: "Rep".to_owned(),
        email: None,
        roles: BTreeSet::from([Role::Rep]),
        units: BTreeSet::new(),
        language: Language::En,
    };
    let person = people::create(&app, None, new).await?.person;
    let actor = person.actor().ok_or_else(|| anyhow::anyhow!("a rep may act"))?;
    Ok((app, actor))
}
