//! `vouch doctor`: checks what the service stands on and says what to do.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{Global, setup};
use crate::{
    config::{Config, TlsMode},
    domain::person::Language,
    health::{self, Finding, Found, Health, Hint},
    web::i18n,
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

/// A finding in words, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Line {
    check: &'static str,
    health: Health,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Line {
    fn of(finding: &Finding) -> Self {
        Self {
            check: finding.check,
            health: finding.health,
            detail: i18n::found(Language::En, &finding.found),
            hint: finding.hint.map(|hint| i18n::hint(Language::En, hint)),
        }
    }
}

/// Exits with 1 when something does not work.
pub async fn run(global: Global, arguments: DoctorArguments) -> anyhow::Result<ExitCode> {
    let mut findings = Vec::new();
    match setup::load_config_listening(&global, None) {
        Err(error) => findings.push(Finding::bad("configuration", Found::error(error), Hint("correct_keys"))),
        Ok(config) => {
            findings.push(Finding::good("configuration", Found::plain("configuration")));
            examine(&config, arguments.quick, &mut findings).await;
        }
    }
    if arguments.json {
        let lines: Vec<Line> = findings.iter().map(Line::of).collect();
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        for finding in &findings {
            let mark = match finding.health {
                Health::Good => "ok     ",
                Health::Warning => "warning",
                Health::Bad => "BAD    ",
            };
            let line = Line::of(finding);
            println!("{mark} {}: {}", line.check, line.detail);
            if let Some(hint) = line.hint {
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
        Err(error) => findings.push(Finding::bad("database", Found::error(error), Hint("database_url"))),
        Ok(app) => {
            findings.extend(health::of_instance(&app).await);
            findings.extend(health::mail(&app, &super::mail::doors(config)).await);
        }
    }
    findings.push(health::disk(&config.data_dir));
    if !quick {
        findings.push(match setup::start_pool(config, 1) {
            Ok(pool) => health::engine(&pool).await,
            Err(error) => Finding::bad("engine", Found::error(error), Hint("run_installed")),
        });
    }
}

fn https(config: &Config) -> Finding {
    let external = config.server.external_url.as_deref().unwrap_or_default();
    health::https(match config.server.tls.mode {
        TlsMode::Files => Some(Found::plain("https_files")),
        TlsMode::LocalCa => Some(Found::plain("https_own_ca")),
        TlsMode::Off if external.starts_with("https://") => Some(Found::with("https_proxy", [external.to_owned()])),
        TlsMode::Off => None,
    })
}
