//! How many uploads a second are acknowledged, durable, and how long each waits; beside what the disk can do at best,
//! measured in the same directory in the same run. `make bench` calls it:
//!
//!   cargo run --release --example ack_rate -- [DIR] [UPLOADS] [BYTES]
//!
//! SQLite and the local object directory, without HTTP and without reading: the door itself (`capture::accept`).

mod bench;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::task::JoinSet;
use vouch::{
    capture::{self, Handover},
    domain::{capture::Channel, person::Actor, visit::VisitChoice},
};

/// Clients at the same time.
const CLIENTS: &[usize] = &[1, 8, 32];

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
        let floor = bench::floor(&base, uploads, *clients, |number| document(number, bytes))?;
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
fn document(number: usize, bytes: usize) -> Vec<u8> {
    let mut document = b"\xFF\xD8\xFF\xE0".to_vec();
    document.extend(number.to_le_bytes());
    document.extend(b"clients and numbers make every document another one");
    document.resize(bytes.max(64), 0x55);
    document
}

/// How long each upload waited, and all of them together.
fn door(base: &Path, uploads: usize, bytes: usize, clients: usize) -> anyhow::Result<(Vec<Duration>, Duration)> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let dir = tempfile::tempdir_in(base)?;
        let (app, actor) = bench::instance(dir.path()).await?;
        let waits = Arc::new(Mutex::new(Vec::with_capacity(uploads)));
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for client in 0..clients {
            let (app, actor, waits) = (app.clone(), actor.clone(), Arc::clone(&waits));
            tasks.spawn(async move {
                for number in (client..uploads).step_by(clients) {
                    let body =
                        futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(document(number, bytes)))]);
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
