//! `vouch worker`: more readers beside a server, and what every server does besides: sweeping, sealing, tidying.

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Global, setup};
use crate::{
    app::App,
    capture,
    config::Config,
    people, pipeline,
    queue::presence::{self, Presence},
    reader::ReaderPool,
    sealer::{self, Sealer},
    store::{Dialect, idempotency, jobs},
};

/// How often expired leases are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How often the journal is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(2);
/// How often old rows are tidied away.
const TIDY_EVERY: Duration = Duration::from_secs(3600);
/// How often objects nobody refers to are collected.
const COLLECT_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How long answers under an Idempotency-Key and done jobs are kept.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// Works until asked to stop.
pub async fn run(global: Global) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    setup::start_logging(&config);
    let app = setup::open_app(&config).await?;
    if app.db.dialect() == Dialect::Sqlite {
        tracing::info!("The embedded database serves one machine: this worker must run on it, beside `vouch serve`");
    }
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let count = config.worker_count(setup::processors());
    let pool = setup::start_pool(&config, count)?;
    release_the_dead(&app, &config).await;
    spawn_workers(&app, &config, &pool, count, &stop, &mut tasks);
    tasks.spawn(sweep(app.clone(), stop.clone()));
    println!("working with {count} readers on {}", app.objects.place());
    super::serve::wait_for_stop().await;
    stop.cancel();
    while tasks.join_next().await.is_some() {}
    app.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Gives the jobs of workers of this machine that died to others at once.
pub async fn release_the_dead(app: &App, config: &Config) {
    match presence::release_the_dead(app, &config.data_dir).await {
        Ok(0) => {}
        Ok(released) => tracing::info!("{released} jobs of workers that died are read again"),
        Err(error) => tracing::warn!("Jobs of workers that died wait for the end of their leases: {error}"),
    }
}

/// Starts `count` workers over one pool.
pub fn spawn_workers(
    app: &App,
    config: &Config,
    pool: &ReaderPool,
    count: usize,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) {
    let process = format!("{}-{}", std::process::id(), hex::encode(app.random.bytes::<4>()));
    // Without it the jobs of this process come back when their leases run out, should it die.
    let alive = Arc::new(
        Presence::show(&config.data_dir, &process)
            .inspect_err(|error| tracing::warn!("Other processes cannot see whether this one is alive: {error}"))
            .ok(),
    );
    for number in 0..count {
        let holder = format!("{process}-{number}");
        let (working, alive) = (pipeline::work(app.clone(), pool.clone(), holder, stop.clone()), Arc::clone(&alive));
        tasks.spawn(async move {
            working.await;
            drop(alive);
        });
    }
}

/// Starts what a server does besides serving.
pub fn spawn_upkeep(
    app: &App,
    config: &Config,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let sealer = Sealer::load(&config.data_dir, &app.random)?;
    tasks.spawn(sweep(app.clone(), stop.clone()));
    tasks.spawn(seal(app.clone(), sealer, stop.clone()));
    tasks.spawn(tidy(app.clone(), stop.clone()));
    tasks.spawn(collect(app.clone(), stop.clone()));
    Ok(())
}

/// Waits; `false` when it is time to stop.
async fn pause(every: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = tokio::time::sleep(every) => true,
        () = stop.cancelled() => false,
    }
}

async fn sweep(app: App, stop: CancellationToken) {
    loop {
        let mut every = SWEEP_EVERY;
        match pipeline::sweep(&app).await {
            Ok(0) => {}
            Ok(failed) => tracing::warn!("{failed} captures failed: their readers died every time"),
            Err(error) => {
                tracing::warn!("Expired leases could not be looked for: {error}");
                // While nothing can be stored, living workers can neither keep nor give back their leases: they first.
                every = app.queue.lease;
            }
        }
        if !pause(every, &stop).await {
            return;
        }
    }
}

async fn seal(app: App, sealer: Sealer, stop: CancellationToken) {
    loop {
        if let Err(error) = sealer::seal_once(&app, &sealer).await {
            tracing::warn!("The journal could not be sealed: {error}");
        }
        if !pause(SEAL_EVERY, &stop).await {
            // Once more, so that a clean stop leaves no tail.
            if let Err(error) = sealer::seal_once(&app, &sealer).await {
                tracing::warn!("The journal's tail stays unsealed until the next start: {error}");
            }
            return;
        }
    }
}

async fn tidy(app: App, stop: CancellationToken) {
    loop {
        if let Err(error) = tidy_once(&app).await {
            tracing::warn!("Old rows could not be tidied away: {error}");
        }
        if !pause(TIDY_EVERY, &stop).await {
            return;
        }
    }
}

async fn tidy_once(app: &App) -> anyhow::Result<()> {
    people::tidy(app).await?;
    let (dir, now) = (app.spool.clone(), app.now());
    let swept = tokio::task::spawn_blocking(move || capture::sweep(&dir, now)).await??;
    if swept > 0 {
        tracing::info!("Removed {swept} files of uploads that never ended");
    }
    let mut tx = app.db.write().await?;
    let before = app.now().minus(KEEP);
    idempotency::purge(&mut tx, before).await?;
    jobs::forget_done(&mut tx, before).await?;
    tx.commit().await?;
    Ok(())
}

async fn collect(app: App, stop: CancellationToken) {
    while pause(COLLECT_EVERY, &stop).await {
        match super::scrub::collect(&app, false).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!("Collected {deleted} objects nobody referred to"),
            Err(error) => tracing::warn!("Unreferenced objects could not be collected: {error}"),
        }
    }
}
