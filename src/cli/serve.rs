//! `vouch serve`: pages, API and workers in one process tree.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum_server::{Handle, tls_rustls::RustlsConfig};
use clap::Args;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::{Global, setup};
use crate::{
    app::App,
    capture::folder::{self, FolderSettings},
    config::{Config, TlsMode},
    domain::{person::Language, time::Timestamp},
    people::{self, OrganisationDefaults},
    web::{
        self,
        state::{AppState, LocalCa, WebSettings},
        tls::{self, Machine, Tls},
    },
};

/// How long requests in hand may take after a stop was asked for.
const GRACE: Duration = Duration::from_secs(20);

/// Arguments of `vouch serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Hand in files that appear in this folder.
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    /// Whose files directly in the watched folder are; files in a subfolder belong to the user it is named after.
    #[arg(long, value_name = "USER", requires = "watch")]
    watch_owner: Option<String>,
    /// Only serve; `vouch worker` reads elsewhere.
    #[arg(long)]
    no_workers: bool,
}

/// Runs until asked to stop.
pub async fn run(global: Global, arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config_listening(&global, arguments.listen)?;
    setup::start_logging(&config);
    let metrics = PrometheusBuilder::new().install_recorder().context("metrics cannot be recorded")?;
    let app = setup::open_app(&config).await?;
    greet(&app, &config).await?;

    super::worker::release_the_dead(&app, &config).await;
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let pool = if arguments.no_workers {
        None
    } else {
        let count = config.worker_count(setup::processors());
        let pool = setup::start_pool(&config, count)?;
        super::worker::spawn_workers(&app, &config, &pool, count, &stop, &mut tasks);
        Some(pool)
    };
    super::worker::spawn_upkeep(&app, &config, &stop, &mut tasks)?;
    if let Some(dir) = arguments.watch {
        let settings = FolderSettings { dir, owner: arguments.watch_owner };
        tasks.spawn(folder::watch(app.clone(), settings, stop.clone()));
    }

    let listener = std::net::TcpListener::bind(config.server.listen)
        .with_context(|| format!("cannot listen on {}: choose another address with --listen", config.server.listen))?;
    listener.set_nonblocking(true)?;
    let local = listener.local_addr()?;
    let tls = tls::prepare(&config, &Machine::look()?, app.now()).await?;
    let address = external_address(&config, local);
    let office = super::mail::office(&app, &config)?;
    super::mail::start(&office, &config, tls.server_config(), &stop, &mut tasks).await?;
    let state =
        AppState { app: app.clone(), pool, web: Arc::new(web_settings(&config, &tls, &address)?), office, metrics };
    tasks.spawn(refresh_certificate(tls.clone(), app.clone(), stop.clone()));
    announce(&config, &address, local, &tls)?;

    let handle = Handle::new();
    tokio::spawn(stop_on_signal(handle.clone(), stop.clone()));
    let service = web::router(state).into_make_service_with_connect_info::<SocketAddr>();
    match tls.server_config() {
        Some(server) => {
            let tls = RustlsConfig::from_config(server);
            axum_server::from_tcp_rustls(listener, tls)?.handle(handle).serve(service).await?;
        }
        None => axum_server::from_tcp(listener)?.handle(handle).serve(service).await?,
    }
    stop.cancel();
    // Workers finish the job in hand; whoever waits longer than the grace is cut off, and the lease brings the job back.
    let _ = tokio::time::timeout(GRACE, async { while tasks.join_next().await.is_some() {} }).await;
    app.db.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Creates the organisation and the first account on the first run, and says so once.
async fn greet(app: &App, config: &Config) -> anyhow::Result<()> {
    let organisation = &config.organisation;
    let defaults = OrganisationDefaults {
        name: organisation.name.clone(),
        time_zone: organisation.time_zone.clone(),
        home_currency: organisation.home_currency,
        languages: organisation.locales.clone(),
        page_language: organisation.language.parse().unwrap_or(Language::En),
    };
    if let Some(first) = people::first_run(app, &defaults).await? {
        println!("This is the first run. Sign in with this account and choose a password:");
        println!("  user name: {}", first.user_name);
        println!("  one-time password: {}", first.one_time_password.reveal());
        println!("It is not shown again; `vouch user reset {}` makes a new one.", first.user_name);
    }
    Ok(())
}

/// The address people use: as configured, or this machine's.
fn external_address(config: &Config, local: SocketAddr) -> String {
    if let Some(url) = &config.server.external_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if config.server.tls.mode == TlsMode::Off { "http" } else { "https" };
    let host = if local.ip().is_unspecified() { "localhost".to_owned() } else { host_of(local) };
    format!("{scheme}://{host}:{}", local.port())
}

fn host_of(local: SocketAddr) -> String {
    match local {
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    }
}

fn web_settings(config: &Config, tls: &Tls, address: &str) -> anyhow::Result<WebSettings> {
    Ok(WebSettings {
        external_url: address.to_owned(),
        is_secure: address.starts_with("https://"),
        trusted_proxies: config.server.trusted_proxies.clone(),
        local_ca: tls.authority().map(|ca| LocalCa {
            pem: ca.pem.clone(),
            der: ca.der.clone(),
            fingerprint: ca.fingerprint.clone(),
        }),
        time_zone: config.organisation.time_zone.clone(),
        hooks: super::mail::hook_keys(config)?,
        mail_doors: super::mail::doors(config),
    })
}

/// Says where we are. Scripts read the line `listening on`; it is the last of the first-run message.
fn announce(config: &Config, address: &str, local: SocketAddr, tls: &Tls) -> anyhow::Result<()> {
    let own = if local.ip().is_unspecified() {
        let scheme = if tls.server_config().is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", local.port())
    } else {
        external_address(config, local)
    };
    let others: Vec<String> = tls
        .names()
        .iter()
        .filter(|_| local.ip().is_unspecified())
        .map(|name| format!("https://{}:{}", host_in_url(name), local.port()))
        .collect();
    for other in &others {
        println!("  also reachable as {other}");
    }
    if let Some(ca) = tls.authority() {
        // A phone's own `localhost` is the phone.
        let is_for_phones = |url: &&String| !["//localhost", "//127.", "//["].iter().any(|here| url.contains(here));
        let phones = others.iter().find(is_for_phones).map_or(address, String::as_str);
        println!("HTTPS uses this installation's own authority, fingerprint {}", ca.fingerprint);
        println!("  phones need it once for the camera and offline capture: open {phones}/https");
    }
    if config.server.tls.mode == TlsMode::Off && !address.starts_with("https://") {
        println!("warning: plain HTTP: phones allow neither camera pages nor offline capture; see docs/https.md");
    }
    std::fs::write(config.data_dir.join("address"), format!("{own}\n"))?;
    println!(
        "Next: open the address below, sign in, add people under People, and photograph a receipt on the capture page."
    );
    println!("listening on {own}");
    Ok(())
}

/// A name of this machine as it stands in an address: IPv6 in brackets.
fn host_in_url(name: &str) -> String {
    if name.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{name}]") } else { name.to_owned() }
}

async fn refresh_certificate(tls: Tls, app: App, stop: CancellationToken) {
    const EVERY: Duration = Duration::from_secs(3600);
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        let now: Timestamp = app.now();
        let refreshed = match Machine::look() {
            Ok(machine) => tls.refresh(&machine, now).await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match refreshed {
            Ok(true) => tracing::info!("Renewed the certificate"),
            Ok(false) => {}
            Err(error) => tracing::warn!("The certificate was not renewed: {error}"),
        }
    }
}

async fn stop_on_signal(handle: Handle<SocketAddr>, stop: CancellationToken) {
    wait_for_stop().await;
    tracing::info!("Stopping: finishing what is in hand");
    stop.cancel();
    handle.graceful_shutdown(Some(GRACE));
}

/// Returns on SIGINT or SIGTERM.
pub async fn wait_for_stop() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
