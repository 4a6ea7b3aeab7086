//! `vouch eval`: how much of a labelled corpus is read right, source by source.
//!
//! The reading itself is an argument: the command hands in the reader pool, tests hand in cached pages.

pub mod cached;
pub mod fields;
pub mod items;
pub mod labels;
pub mod record;
pub mod report;
pub mod score;
pub mod sources;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;

use self::{
    record::Measurement,
    sources::{Source, evaluate},
};
use super::{Global, read, setup};
use crate::{
    app::SystemClock,
    domain::time::{CivilDate, Clock as _},
    extract::{Context, Extraction},
    reader::Role,
};

/// Arguments of `vouch eval`.
#[derive(Debug, Args)]
pub struct EvalArguments {
    /// Directories with a `labels.jsonl`.
    #[arg(required = true)]
    dirs: Vec<PathBuf>,
    /// One JSON object per source.
    #[arg(long)]
    json: bool,
    /// At most this many receipts of a source, spread evenly.
    #[arg(long, value_name = "N")]
    most: Option<usize>,
    /// Also write the page `docs/accuracy.md`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Measure the other fields and the lines instead, on perfect transcripts: nothing is recognised.
    #[arg(long)]
    fields: bool,
    /// With `--fields`: on pages recognised before, `DIR/<source>/<file>.json`, instead of transcripts.
    #[arg(long, value_name = "DIR", requires = "fields")]
    fields_pages: Option<PathBuf>,
}

/// Reads every labelled file and prints a table, one row per source.
pub async fn run(global: Global, arguments: EvalArguments) -> anyhow::Result<ExitCode> {
    if arguments.fields {
        return measure_fields(&arguments);
    }
    let config = setup::load_config(&global)?;
    let knowledge = read::bare_knowledge(&config, eval_today());
    let children = config.reader_children(setup::processors());
    let pool = setup::start_pool(&config, children)?;
    let limits = config.capture.limits();
    let mut reports = Vec::new();
    for dir in &arguments.dirs {
        let mut source = Source::open(dir)?;
        if let Some(most) = arguments.most {
            source.thin(most);
        }
        let bar = read::progress(source.with_file().count());
        let read_one = |path: PathBuf| {
            let (pool, knowledge, limits, bar) = (&pool, &knowledge, &limits, &bar);
            async move {
                let done = read::read_file(pool, knowledge, limits, &path).await;
                let seconds = done.ms as f32 / 1000.0;
                match done.result {
                    Ok((_, receipts)) => receipts
                        .into_iter()
                        .map(|receipt| ReceiptRead { extraction: receipt.extraction, seconds })
                        .collect(),
                    Err(failure) => {
                        bar.suspend(|| eprintln!("{}: {failure}", path.display()));
                        Vec::new()
                    }
                }
            }
        };
        reports.extend(evaluate(&source, children, read_one, |_| bar.inc(1)).await);
        bar.finish_and_clear();
    }
    if let Some(path) = &arguments.record {
        let engine = pool.check(Role::See).await?.engine;
        let on = config.today(SystemClock.now()).to_string();
        let page = record::page(&Measurement { on, engine, most: arguments.most, reports: &reports });
        std::fs::write(path, page).with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    if arguments.json {
        for report in &reports {
            println!("{}", serde_json::to_string(report)?);
        }
    } else {
        print!("{}", report::table(&reports));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a table of the other fields per source.
fn measure_fields(arguments: &EvalArguments) -> anyhow::Result<ExitCode> {
    let context =
        Context { today: eval_today(), home_currency: None, locales: Vec::new(), known_merchants: Vec::new() };
    for dir in &arguments.dirs {
        let source = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let page_of = |label: &labels::Label| match &arguments.fields_pages {
            Some(pages) => fields::recognised(&pages.join(&source), label),
            None => fields::transcript(dir, label),
        };
        let scores = fields::evaluate(dir, &context, page_of, |_, _, _| {})?;
        println!("**{source}**\n\n{}", scores.table());
    }
    Ok(ExitCode::SUCCESS)
}

/// What was read of one receipt of a file.
#[derive(Debug, Clone, Default)]
pub struct ReceiptRead {
    /// The fields and candidates.
    pub extraction: Extraction,
    /// Wall-clock seconds the whole file took, shared by its receipts.
    pub seconds: f32,
}

/// The day receipts are handed in when measuring: fixed, so that a measurement can be repeated.
pub const fn eval_today() -> CivilDate {
    jiff::civil::date(2026, 11, 30)
}
