//! `vouch reader`: the hidden command behind every child of the reader pool.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::reader::{
    Role,
    child::{self, ChildSettings},
    ocr::{EngineKind, EngineSettings},
    probe::{self, Probe},
    sandbox::Ceilings,
};

/// Arguments of `vouch reader`; the pool writes them, nobody types them.
#[derive(Debug, Args)]
pub struct ReaderArguments {
    /// What the child is for.
    #[arg(long, default_value_t = Role::See)]
    role: Role,
    /// Recognition engine.
    #[arg(long, default_value_t = EngineKind::Tesseract)]
    engine: EngineKind,
    /// Languages, joined by `+`.
    #[arg(long, value_delimiter = '+', default_value = "eng")]
    languages: Vec<String>,
    /// Longest side in pixels given to the recogniser.
    #[arg(long, default_value_t = EngineSettings::default().max_side)]
    max_side: u32,
    /// Milliseconds for one page.
    #[arg(long, default_value_t = EngineSettings::default().page_deadline_ms)]
    page_deadline_ms: u32,
    /// Directory of weights.
    #[arg(long)]
    models: Option<PathBuf>,
    /// Address space in bytes.
    #[arg(long, default_value_t = Ceilings::default().memory_bytes)]
    memory_bytes: u64,
    /// Processor seconds.
    #[arg(long, default_value_t = Ceilings::default().cpu_seconds)]
    cpu_seconds: u64,
    /// Enter the sandbox, make this attempt to leave it and say what came of it.
    #[arg(long)]
    probe: Option<Probe>,
}

/// Runs one child.
pub fn run(arguments: ReaderArguments) -> ExitCode {
    let ReaderArguments {
        role,
        engine,
        languages,
        max_side,
        page_deadline_ms,
        models,
        memory_bytes,
        cpu_seconds,
        probe,
    } = arguments;
    let settings = ChildSettings {
        engine: EngineSettings { kind: engine, languages, max_side, page_deadline_ms, models },
        ceilings: Ceilings { memory_bytes, cpu_seconds },
    };
    match probe {
        Some(probe) => probe::run(probe, &settings),
        None => child::run(role, &settings),
    }
}
