//! Commands of the `vouch` binary: one file per command.

pub mod reader;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "vouch", version, about = "Receipts in, expense drafts a person vouches for")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads one document in a sandbox, for the service itself.
    #[command(hide = true)]
    Reader(reader::ReaderArguments),
}

/// Runs the command given on the command line.
pub fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Reader(arguments) => reader::run(arguments),
    }
}
pub mod eval;
pub mod train;
