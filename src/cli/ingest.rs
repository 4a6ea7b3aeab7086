//! `vouch ingest FILE…`: the same door, for scripts on this machine.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;

use super::{Global, setup};
use crate::{
    capture::{Outcome, folder},
    domain::capture::Channel,
};

/// Arguments of `vouch ingest`.
#[derive(Debug, Args)]
pub struct IngestArguments {
    /// User whose receipts these are.
    #[arg(long, value_name = "USER")]
    owner: String,
    /// Files to hand in.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Hands the files in; exits with 1 when one was refused.
pub async fn run(global: Global, arguments: IngestArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    setup::start_logging(&config);
    let app = setup::open_app(&config).await?;
    let actor = folder::find_actor(&app, &arguments.owner)
        .await?
        .with_context(|| format!("there is no active user `{}`: see `vouch user list`", arguments.owner))?;
    let mut refused = 0;
    for path in &arguments.files {
        let handover = folder::plain_handover(&actor, Channel::Cli, path);
        match folder::accept_file(&app, &actor, &handover, path).await {
            Ok(accepted) => {
                let word = match accepted.outcome {
                    Outcome::Created => "created",
                    Outcome::AlreadyHere => "already here",
                };
                println!("{}: {word}, capture {}", path.display(), accepted.capture.id);
            }
            Err(error) => {
                refused += 1;
                eprintln!("{}: {error}", path.display());
            }
        }
    }
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
