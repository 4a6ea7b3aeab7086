//! Configuration: one TOML file, then the environment, then flags.
//!
//! ```no_run
//! # fn main() -> Result<(), vouch::config::ConfigError> {
//! let config = vouch::config::load(&vouch::config::Sources::from_environment(None))?;
//! println!("{}", config.server.listen);
//! # Ok(())
//! # }
//! ```

mod check;
mod derive;
mod example;
mod mail;
mod network;
mod secret;
mod section;
mod sections;
mod sources;

use std::fmt;

pub use self::{
    example::example,
    mail::{Imap, ImapAccount, ImapTls, Links, Lmtp, Mail, Smtp, Webhooks},
    network::{Network, NetworkError},
    secret::Secret,
    sections::{
        Capture, Config, Database, Engine, Log, LogFormat, Objects, ObjectsStore, Organisation, Reader, S3, Server,
        Tls, TlsMode, Workers,
    },
    sources::Sources,
};

/// Reads, merges and checks the configuration, and reads secrets from their files. All problems found at the same
/// step are reported together.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let (config, mut problems) = load_unchecked(sources)?;
    check::check_server(&config, &mut problems);
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
}

/// As [`load`], for commands that listen nowhere: how the server would be reached is not judged.
pub fn load_to_listen_nowhere(sources: &Sources) -> Result<Config, ConfigError> {
    let (config, problems) = load_unchecked(sources)?;
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
}

/// The configuration with what is wrong anywhere but in `server`.
fn load_unchecked(sources: &Sources) -> Result<(Config, Vec<Problem>), ConfigError> {
    let mut config = sources::merge(sources)?;
    let mut problems = Vec::new();
    check::read_secrets(&mut config, sources, &mut problems);
    check::check(&config, &mut problems);
    Ok((config, problems))
}

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which key, dotted; empty when the file as a whole is meant.
    pub key: String,
    /// Where it was set, such as a file or a variable; empty for a default or a combination.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Problem {
    fn new(key: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { key: key.to_owned(), place: String::new(), message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("configuration")?;
        if !self.key.is_empty() {
            write!(f, " `{}`", self.key)?;
        }
        if !self.place.is_empty() {
            write!(f, " in {}", self.place)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
