//! `vouch doctor`: checks what the service stands on and says what to do.

use std::process::ExitCode;

use clap::Args;

use super::{Global, setup};
use crate::{
    config::{Config, TlsMode},
    health::{self, Finding, Health},
};

/// Arguments of `vouch doctor`.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Findings as JSON.
    #[arg(long)]
    json: bool,
    /// Skip the engine, which takes a second to load.
    #[arg(long)]
    quick: bool,
}

/// Exits with 1 when something does not work.
pub async fn run(global: Global, arguments: DoctorArguments) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    match setup::load_config_listening(&global, None) {
        Err(error) => findings.push(Finding::bad("configuration", format!("{error:#}"), "correct the named keys")),
        Ok(config) => {
            findings.push(Finding::good("configuration", "every key is known and valid"));
            examine(&config, arguments.quick, &mut findings).await;
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            let mark = match finding.health {
                Health::Good => "ok     ",
                Health::Warning => "warning",
                Health::Bad => "BAD    ",
            };
            println!("{mark} {}: {}", finding.check, finding.detail);
            if let Some(hint) = &finding.hint {
                println!("        hint: {hint}");
            }
        }
    }
    let is_bad = findings.iter().any(|f| f.health == Health::Bad);
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(config: &Config, quick: bool, findings: &mut Vec<Finding>) {
    findings.push(https(config));
    match setup::open_app(config).await {
        Err(error) => findings.push(Finding::bad(
            "database",
            format!("{error:#}"),
            "check database.url, that the server runs and that the data directory can be written",
        )),
        Ok(app) => {
            findings.extend(health::of_instance(&app).await);
            findings.extend(health::mail(&app, &super::mail::doors(config)).await);
        }
    }
    findings.push(health::disk(&config.data_dir));
    if !quick {
        findings.push(match setup::start_pool(config, 1) {
            Ok(pool) => health::engine(&pool).await,
            Err(error) => Finding::bad("engine", format!("{error:#}"), "run `vouch` from where it is installed"),
        });
    }
}

fn https(config: &Config) -> Finding {
    let external = config.server.external_url.as_deref().unwrap_or_default();
    health::https(match config.server.tls.mode {
        TlsMode::Files => Some("certificate files".to_owned()),
        TlsMode::LocalCa => Some("own authority; phones install it once, see /https".to_owned()),
        TlsMode::Off if external.starts_with("https://") => Some(format!("by the proxy at {external}")),
        TlsMode::Off => None,
    })
}
