//! `vouch visits import FILE`: customers and visits from CSV.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{Global, setup};
use crate::{
    people::UserName,
    store::people,
    visits::{self, RowOutcome},
};

/// Arguments of `vouch visits`.
#[derive(Debug, Args)]
pub struct VisitsArguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Imports a CSV file; rows with a known `external_id` are updated.
    Import {
        /// Columns: external_id, customer, purpose, starts_at; customer_type, ends_at, place, attendees, owner.
        file: PathBuf,
        /// Who imports it, an admin when rows name other owners; rows without owner are theirs.
        #[arg(long = "as", value_name = "USER")]
        user: String,
    },
}

/// Exits with 1 when a row was refused.
pub async fn run(global: Global, arguments: VisitsArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    setup::start_logging(&config);
    let app = setup::open_app(&config).await?;
    let Act::Import { file, user } = arguments.act;
    let bytes = tokio::fs::read(&file).await.with_context(|| format!("`{}` cannot be read", file.display()))?;
    let name: UserName = user.parse()?;
    let missing = || format!("there is no active user `{user}`: see `vouch user list`");
    let mut tx = app.db.read().await?;
    let person = people::find_by_user_name(&mut tx, name.as_str()).await?.with_context(missing)?;
    let actor = people::find_actor(&mut tx, &person.id).await?.with_context(missing)?;
    drop(tx);
    let rows = visits::import_csv(&app, &actor, &bytes).await?;
    let (mut created, mut updated, mut unchanged, mut refused) = (0, 0, 0, 0);
    for row in &rows {
        match &row.outcome {
            RowOutcome::Created(_) => created += 1,
            RowOutcome::Updated(_) => updated += 1,
            RowOutcome::Unchanged(_) => unchanged += 1,
            RowOutcome::Refused(problem) => {
                refused += 1;
                eprintln!("line {}: {problem}", row.line);
            }
        }
    }
    println!("{created} created, {updated} updated, {unchanged} as they were, {refused} refused");
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
