//! Commands of the `vouch` binary: one file per command.

pub mod config;
pub mod doctor;
pub mod eval;
pub mod ingest;
pub mod journal;
pub mod mail;
pub mod openapi;
pub mod read;
pub mod read_output;
pub mod reader;
pub mod scrub;
pub mod serve;
pub mod setup;
pub mod train;
pub mod user;
pub mod visits;
pub mod worker;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "vouch", version, about = "Receipts in, expense drafts a person vouches for")]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Configuration file; `vouch config example` prints one.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the embedded database, objects and keys are.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves pages and API, and reads what comes in.
    Serve(serve::ServeArguments),
    /// Reads what comes in, beside a server on another machine: same PostgreSQL, same S3.
    Worker,
    /// Reads receipts without server or database and prints what they say.
    Read(read::ReadArguments),
    /// Measures how much of labelled receipts is read right.
    Eval(eval::EvalArguments),
    /// Hands files in for a user, through the same door as uploads.
    Ingest(ingest::IngestArguments),
    /// Adds, lists, resets and disables users.
    User(user::UserArguments),
    /// Imports customers and visits.
    Visits(visits::VisitsArguments),
    /// Proves that the journal was not altered.
    Journal(journal::JournalArguments),
    /// Re-hashes stored documents, and collects objects nobody refers to.
    Scrub(scrub::ScrubArguments),
    /// Checks configuration, database, storage, engine, disk and clock, and says what to do.
    Doctor(doctor::DoctorArguments),
    /// Prints the configuration.
    Config(config::ConfigArguments),
    /// Trains models from labelled data.
    Train(train::TrainArguments),
    /// Prints the OpenAPI document.
    Openapi,
    /// Reads one document in a sandbox, for the service itself.
    #[command(hide = true)]
    Reader(reader::ReaderArguments),
}

/// Runs the command given on the command line.
pub fn main() -> ExitCode {
    let Arguments { global, command } = Arguments::parse();
    let result = match command {
        // A child: no logging, no configuration, no runtime.
        Command::Reader(arguments) => return reader::run(arguments),
        Command::Serve(arguments) => setup::block_on(serve::run(global, arguments)),
        Command::Worker => setup::block_on(worker::run(global)),
        Command::Read(arguments) => setup::block_on(read::run(global, arguments)),
        Command::Eval(arguments) => setup::block_on(eval::run(global, arguments)),
        Command::Ingest(arguments) => setup::block_on(ingest::run(global, arguments)),
        Command::User(arguments) => setup::block_on(user::run(global, arguments)),
        Command::Visits(arguments) => setup::block_on(visits::run(global, arguments)),
        Command::Journal(arguments) => setup::block_on(journal::run(global, arguments)),
        Command::Scrub(arguments) => setup::block_on(scrub::run(global, arguments)),
        Command::Doctor(arguments) => setup::block_on(doctor::run(global, arguments)),
        Command::Config(arguments) => config::run(&global, &arguments),
        Command::Train(arguments) => setup::block_on(train::run(global, arguments)),
        Command::Openapi => openapi::run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
