//! `vouch config example | show`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{Global, setup};

/// Arguments of `vouch config`.
#[derive(Debug, Args)]
pub struct ConfigArguments {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Prints a commented example with every key and its default.
    Example,
    /// Checks the configuration in force.
    Check,
}

/// Prints or checks.
pub fn run(global: &Global, arguments: &ConfigArguments) -> anyhow::Result<ExitCode> {
    match arguments.act {
        Act::Example => print!("{}", crate::config::example()),
        Act::Check => {
            setup::load_config_listening(global, None)?;
            println!("the configuration is valid");
        }
    }
    Ok(ExitCode::SUCCESS)
}
