//! What commands share: configuration, logging, the application and the reader pool built from it.

use std::{net::SocketAddr, process::ExitCode, sync::Arc, thread::available_parallelism};

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::Global;
use crate::{
    app::{App, Random, SystemClock},
    config::{self, Config, Engine, LogFormat, Sources},
    domain::time::Clock as _,
    objects::ObjectStore,
    queue,
    reader::{
        PoolSettings, ReaderPool,
        child::ChildSettings,
        ocr::{EngineKind, EngineSettings, paddle},
        process::Patience,
        sandbox::Ceilings,
    },
    store::Db,
};

/// Stack of runtime threads. Nothing hostile is parsed here, but JSON of many pages is.
const STACK_BYTES: usize = 4 * 1024 * 1024;

/// Runs a command on a multi-thread runtime.
pub fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .context("the runtime cannot start")?
        .block_on(command)
}

/// Configuration from file, environment and the flags of every command, for commands that listen nowhere.
pub fn load_config(global: &Global) -> anyhow::Result<Config> {
    Ok(config::load_to_listen_nowhere(&sources(global))?)
}

/// Configuration of the server, with another address to listen on where given, so that it is judged together with the rest.
pub fn load_config_listening(global: &Global, listen: Option<SocketAddr>) -> anyhow::Result<Config> {
    Ok(config::load(&sources(global).flag("server.listen", "--listen", listen))?)
}

fn sources(global: &Global) -> Sources {
    let data_dir = global.data_dir.as_ref().map(|dir| dir.display());
    Sources::from_environment(global.config.clone()).flag("data_dir", "--data-dir", data_dir)
}

/// Logs to standard error, so that standard output stays for results.
pub fn start_logging(config: &Config) {
    let mut filter = EnvFilter::try_new(&config.log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // It writes whole commands and answers, passwords and mail among them.
    if let Ok(quiet) = "async_imap=info".parse() {
        filter = filter.add_directive(quiet);
    }
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // A second call (tests) keeps the first.
    let _ = match config.log.format {
        LogFormat::Text => registry.with(layer.with_target(false)).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
}

/// Opens database and object storage as configured.
pub async fn open_app(config: &Config) -> anyhow::Result<App> {
    let data_dir = &config.data_dir;
    std::fs::create_dir_all(data_dir)
        .with_context(|| format!("the data directory `{}` cannot be made", data_dir.display()))?;
    let spool = data_dir.join("spool");
    std::fs::create_dir_all(&spool)
        .with_context(|| format!("the spool directory `{}` cannot be made", spool.display()))?;
    let url = config.database_url();
    let db = Db::open(url.reveal(), config.database.max_connections)
        .await
        .context("hint: `vouch doctor` checks the database")?;
    let clock = Arc::new(SystemClock);
    let objects = ObjectStore::open(&config.object_settings()?, clock.now()).await?;
    Ok(App {
        db,
        objects,
        clock,
        random: Random::from_system(),
        queue: queue::Settings { lease: config.lease(), max_attempts: i64::from(config.workers.max_attempts) },
        limits: config.capture.limits(),
        spool: spool.into(),
        wake: Arc::default(),
    })
}

/// Processors this process may use.
pub fn processors() -> usize {
    available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The engine to use: as configured; `auto` takes PP-OCR when its weights are installed, else Tesseract.
pub fn engine_settings(config: &Config) -> EngineSettings {
    let weights = &config.reader.weights_dir;
    let kind = match config.reader.engine {
        Engine::Tesseract => EngineKind::Tesseract,
        Engine::Paddle => EngineKind::Paddle,
        Engine::Auto if paddle::Weights::find(weights).is_ok() => EngineKind::Paddle,
        Engine::Auto => EngineKind::Tesseract,
    };
    EngineSettings {
        kind,
        languages: config.reader.languages.clone(),
        max_side: config.reader.max_side,
        // Children run with an empty environment and may have another working directory.
        models: Some(std::path::absolute(weights).unwrap_or_else(|_| weights.clone())),
        // Three quarters of what the watchdog allows: a slow NAS gets its time, and the engine still says itself why
        // it gave up.
        page_deadline_ms: config.reader.timeout_seconds.saturating_mul(750),
    }
}

/// Starts a pool of reader children of this binary.
pub fn start_pool(config: &Config, max_running: usize) -> anyhow::Result<ReaderPool> {
    let program = std::env::current_exe().context("the path of this program is unknown")?;
    let timeout = std::time::Duration::from_secs(config.reader.timeout_seconds.into());
    let child = ChildSettings {
        engine: engine_settings(config),
        ceilings: Ceilings {
            memory_bytes: u64::from(config.reader.memory_mb) * 1024 * 1024,
            cpu_seconds: timeout.as_secs(),
        },
    };
    let settings = PoolSettings {
        patience: Patience { read: timeout, ..Patience::default() },
        ..PoolSettings::new(program, child, max_running)
    };
    Ok(ReaderPool::start(settings))
}
