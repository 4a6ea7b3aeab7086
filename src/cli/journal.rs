//! `vouch journal verify | checkpoint`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{Global, setup};
use crate::{
    domain::journal::Checkpoint,
    sealer::{self, Sealer},
    store::{
        journal::{self, CheckpointFinding},
        organisation,
    },
};

/// Entries in memory at once while verifying.
const PAGE: i64 = 5_000;

/// Arguments of `vouch journal`.
#[derive(Debug, Args)]
pub struct JournalArguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Recomputes the chain and names the first broken entry.
    Verify {
        /// Also check this exported checkpoint.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Seals the tail and prints the latest checkpoint, to be kept off this host.
    Checkpoint,
}

/// Exits with 1 when something is broken.
pub async fn run(global: Global, arguments: JournalArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    let app = setup::open_app(&config).await?;
    let sealer = Sealer::load(&config.data_dir, &app.random)?;
    match arguments.act {
        Act::Checkpoint => {
            sealer::seal_once(&app, &sealer).await?;
            let mut tx = app.db.read().await?;
            let organisation = organisation::find(&mut tx).await?.context("there is no organisation yet")?;
            let checkpoint = journal::latest_checkpoint(&mut tx, &organisation.id)
                .await?
                .context("nothing is sealed yet: try again in a minute")?;
            println!("{}", serde_json::to_string_pretty(&checkpoint)?);
            Ok(ExitCode::SUCCESS)
        }
        Act::Verify { checkpoint } => {
            let trusted = [sealer.public_key()];
            let found = journal::verify(&app.db, PAGE, &trusted).await?;
            println!("{} entries are sealed and sound up to number {}", found.sealed, found.head.seq);
            println!("{} entries wait to be sealed", found.tail);
            let mut is_sound = true;
            if let Some(broken) = &found.first_broken {
                is_sound = false;
                let place = broken.seq.map_or_else(|| "in the unsealed tail".to_owned(), |seq| format!("number {seq}"));
                println!("BROKEN at {place}: {} ({})", broken.what, broken.id.as_deref().unwrap_or("no entry"));
            }
            if let Some(path) = checkpoint {
                let text =
                    std::fs::read_to_string(&path).with_context(|| format!("`{}` cannot be read", path.display()))?;
                let exported: Checkpoint =
                    serde_json::from_str(&text).with_context(|| format!("`{}` is no checkpoint", path.display()))?;
                let mut tx = app.db.read().await?;
                let organisation = organisation::find(&mut tx).await?.context("there is no organisation yet")?;
                let finding = journal::check_checkpoint(&mut tx, &organisation.id, &exported, &trusted).await?;
                is_sound &= finding == CheckpointFinding::Sound;
                println!("checkpoint at number {}: {}", exported.seq, told(&finding));
            }
            Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn told(finding: &CheckpointFinding) -> String {
    match finding {
        CheckpointFinding::Sound => "sound: nothing up to it was changed since it was exported".to_owned(),
        CheckpointFinding::BadSignature => "the file was changed: its signature does not fit".to_owned(),
        CheckpointFinding::UnknownKey => "signed with a key that is not this installation's".to_owned(),
        CheckpointFinding::OtherOrganisation => "about another organisation's journal".to_owned(),
        CheckpointFinding::UnknownVersion(version) => format!("of version {version}, which this program does not know"),
        CheckpointFinding::TailCut { last } => format!("BROKEN: the journal ends at {last}, before what it covers"),
        CheckpointFinding::Restamped => "BROKEN: the chain up to it was written anew".to_owned(),
    }
}
