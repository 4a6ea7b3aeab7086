//! How many uploads a second are acknowledged, durable, and how long each waits; beside what the disk can do at best,
//! measured in the same directory in the same run. `make bench` calls it:
//!
//!   cargo run --release --example ack_rate -- [DIR] [UPLOADS] [BYTES]
//!
//! SQLite and the local object directory, without HTTP and without reading: the door itself (`capture::accept`).

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::JoinSet;
use vouch::{
    app::{App, Random, SystemClock},
    capture::{self, Handover},
    domain::{
        capture::{Channel, Limits},
        person::{Actor, Language, Role},
        time::Clock as _,
        visit::VisitChoice,
    },
    objects::{ObjectSettings, ObjectStore},
    people::{self, NewPerson},
    store::Db,
};

/// Clients at the same time.
const CLIENTS: &[usize] = &[1, 8, 32];
/// What a transaction of an upload adds to a log: some pages.
const LOG_BYTES: usize = 16 * 1024;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let uploads: usize = arguments.next().map_or(Ok(600), |text| text.parse())?;
    let bytes: usize = arguments.next().map_or(Ok(300_000), |text| text.parse())?;
    println!("{uploads} uploads of {bytes} bytes in `{}`", base.display());
    println!(
        "{:>8}  {:>12}  {:>9}  {:>9}  {:>12}  {:>6}",
        "clients", "acks/s", "p50 ms", "p99 ms", "floor acks/s", "share"
    );
    for clients in CLIENTS {
        let floor = floor(&base, uploads, bytes, *clients)?;
        let mut waits = door(&base, uploads, bytes, *clients)?;
        let rate = uploads as f64 / waits.1.as_secs_f64();
        waits.0.sort_unstable();
        let at = |share: f64| waits.0[((uploads - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
        println!(
            "{clients:>8}  {rate:>12.0}  {:>9.1}  {:>9.1}  {floor:>12.0}  {:>5.0}%",
            at(0.5),
            at(0.99),
            100.0 * rate / floor
        );
    }
    Ok(())
}

/// A document nobody has sent before: a JPEG as far as the door looks.
fn document(number: usize, bytes: usize) -> Bytes {
    let mut document = b"\xFF\xD8\xFF\xE0".to_vec();
    document.extend(number.to_le_bytes());
    document.extend(b"clients and numbers make every document another one");
    document.resize(bytes.max(64), 0x55);
    document.into()
}

/// Acknowledgements a second when each upload is a file, its sync, its name, the directory's sync, and a log record with its sync.
fn floor(base: &Path, uploads: usize, bytes: usize, clients: usize) -> anyhow::Result<f64> {
    let dir = tempfile::tempdir_in(base)?;
    let log = Mutex::new(std::fs::File::create(dir.path().join("log"))?);
    let started = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..clients)
            .map(|client| {
                let (dir, log) = (dir.path(), &log);
                scope.spawn(move || -> anyhow::Result<()> {
                    for number in (client..uploads).step_by(clients) {
                        let temporary = dir.join(format!("tmp-{number}"));
                        let mut file = std::fs::File::create(&temporary)?;
                        file.write_all(&document(number, bytes))?;
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
    Ok(uploads as f64 / started.elapsed().as_secs_f64())
}

/// How long each upload waited, and all of them together.
fn door(base: &Path, uploads: usize, bytes: usize, clients: usize) -> anyhow::Result<(Vec<Duration>, Duration)> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let dir = tempfile::tempdir_in(base)?;
        let (app, actor) = instance(dir.path()).await?;
        let waits = Arc::new(Mutex::new(Vec::with_capacity(uploads)));
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for client in 0..clients {
            let (app, actor, waits) = (app.clone(), actor.clone(), Arc::clone(&waits));
            tasks.spawn(async move {
                for number in (client..uploads).step_by(clients) {
                    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(document(number, bytes))]);
                    let began = Instant::now();
                    let spooled = capture::spool(&app.spool, &app.limits, body).await?;
                    capture::accept(&app, &actor, &handover(&actor), &spooled).await?;
                    waits.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?.push(began.elapsed());
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let elapsed = started.elapsed();
        app.db.close().await;
        let waits = std::mem::take(&mut *waits.lock().map_err(|_| anyhow::anyhow!("a client panicked"))?);
        Ok((waits, elapsed))
    })
}

async fn instance(dir: &Path) -> anyhow::Result<(App, Actor)> {
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

fn handover(actor: &Actor) -> Handover {
    Handover {
        owner: actor.id.clone(),
        channel: Channel::Api,
        client_id: None,
        captured_at: None,
        place: None,
        note: None,
        visit: VisitChoice::NoVisit,
        file_name: None,
    }
}
