//! `vouch eval`: how much of a labelled corpus is read right, source by source.
//!
//! With the model that comes with the program, or (`--held-out`) with models that were not trained on the receipt they
//! read: only those figures say something about other receipts.

pub mod cached;
pub mod calibration;
pub mod card;
pub mod corpus;
pub mod document;
pub mod failures;
pub mod fields;
pub mod folds;
pub mod held_out;
pub mod items;
pub mod labels;
pub mod measured;
pub mod pages;
pub mod record;
#[cfg(test)]
mod regression;
pub mod report;
pub mod score;
pub mod sources;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;

pub use self::measured::Measured;
use self::{corpus::Readers, document::Document, folds::Apart, record::Measurement, sources::Source};
use super::{Global, read, setup};
use crate::{
    app::SystemClock,
    config::Config,
    domain::time::{CivilDate, Clock as _},
    extract::{Context, Extraction, learn::Settings, model::Model},
    reader::Role,
};

/// Arguments of `vouch eval`.
#[derive(Debug, Args)]
pub struct EvalArguments {
    #[command(flatten)]
    corpus: CorpusArguments,
    /// One JSON object per source.
    #[arg(long)]
    json: bool,
    /// Train on the other receipts (or merchants) of these folders and read each receipt with a model that does not
    /// know it, instead of with the model that comes with the program.
    #[arg(long, value_name = "WHAT")]
    held_out: Option<HeldOut>,
    /// Another model than the one that comes with the program, as `vouch train extraction` writes it.
    #[arg(long, value_name = "FILE", conflicts_with = "held_out")]
    model: Option<PathBuf>,
    /// Measure both ways of holding out and write the page `docs/accuracy.md`, its curve beside it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["held_out", "model"])]
    record: Option<PathBuf>,
    /// Write what came out wrong, one JSON object per field of a recognised picture: to look at, one by one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["record", "fields"])]
    failures: Option<PathBuf>,
    /// Measure the other fields and the lines instead, on perfect transcripts: nothing is recognised.
    #[arg(long)]
    fields: bool,
    /// With `--fields`: on pages recognised before, `DIR/<source>/<file>.json`, instead of transcripts.
    #[arg(long, value_name = "DIR", requires = "fields")]
    fields_pages: Option<PathBuf>,
}

/// What is held out.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum HeldOut {
    /// The receipt.
    Receipts,
    /// The receipt and all others of its merchant.
    Merchants,
}

/// Which documents, and how they are read.
#[derive(Debug, Clone, Args)]
pub struct CorpusArguments {
    /// Directories with a `labels.jsonl`.
    #[arg(required = true)]
    pub dirs: Vec<PathBuf>,
    /// At most this many receipts of a source, spread evenly.
    #[arg(long, value_name = "N")]
    pub most: Option<usize>,
    /// Keep what was recognised in this directory, and do not recognise again what is there.
    #[arg(long, value_name = "DIR")]
    pub pages_cache: Option<PathBuf>,
}

/// Reads every labelled file and prints a table, one row per source.
pub async fn run(global: Global, arguments: EvalArguments) -> anyhow::Result<ExitCode> {
    if arguments.fields {
        return measure_fields(&arguments);
    }
    let config = setup::load_config(&global)?;
    let context = bare_context(&config);
    let learns = arguments.held_out.is_some() || arguments.record.is_some();
    let (documents, engine) = read_corpus(&config, &arguments.corpus, learns).await?;
    let measure_apart = |apart| {
        let folds = held_out::deal(&documents, apart);
        let validated =
            held_out::cross_validate(&held_out::prepare(&documents, &context), &folds, &Settings::default());
        let models = held_out::models(&validated, &folds);
        Measured::new(&documents, &context, |at| models[at])
    };
    let measured = match (&arguments.record, arguments.held_out) {
        (Some(path), _) => {
            let (receipts, merchants) = (measure_apart(Apart::Receipts), measure_apart(Apart::Merchants));
            let on = config.today(SystemClock.now()).to_string();
            let dirs = arguments.corpus.dirs.iter().map(|d| sources::name_of(d)).collect();
            record::write(
                path,
                &Measurement {
                    on,
                    engine,
                    most: arguments.corpus.most,
                    dirs,
                    receipts: &receipts,
                    merchants: &merchants,
                },
            )
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
            receipts
        }
        (None, Some(HeldOut::Receipts)) => measure_apart(Apart::Receipts),
        (None, Some(HeldOut::Merchants)) => measure_apart(Apart::Merchants),
        (None, None) => {
            let model = arguments.model.as_deref().map(load_model).transpose()?;
            let ranker = model.as_ref().unwrap_or_else(|| Model::embedded());
            Measured::new(&documents, &context, |_| ranker)
        }
    };
    if let Some(path) = &arguments.failures {
        let lines = measured.failures.iter().map(serde_json::to_string).collect::<serde_json::Result<Vec<_>>>()?;
        std::fs::write(path, lines.join("\n") + "\n")
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    if arguments.json {
        for report in &measured.reports {
            println!("{}", serde_json::to_string(report)?);
        }
    } else {
        print!("{}", report::table(&measured.reports));
        print!("\n{}", calibration::table(&measured.calibrations));
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the corpus; gives the engine's name as well. With `transcripts`, typed texts are documents too.
pub async fn read_corpus(
    config: &Config,
    arguments: &CorpusArguments,
    transcripts: bool,
) -> anyhow::Result<(Vec<Document>, String)> {
    let children = config.reader_children(setup::processors());
    let pool = setup::start_pool(config, children)?;
    let cache = arguments.pages_cache.as_deref();
    let readers = Readers { pool: &pool, limits: config.capture.limits(), parallel: children, cache };
    let mut documents = Vec::new();
    for dir in &arguments.dirs {
        let mut source = Source::open(dir)?;
        if let Some(most) = arguments.most {
            source.thin(most);
        }
        let bar = read::progress(source.with_file().count());
        let complain = |text: &str| bar.suspend(|| eprintln!("{text}"));
        documents.extend(corpus::read_pictures(&source, &readers, || bar.inc(1), complain).await);
        bar.finish_and_clear();
        if transcripts {
            documents.extend(document::read_transcripts(&source)?);
        }
    }
    let engine = match document::engines(&documents) {
        Some(engines) => engines,
        None => pool.check(Role::See).await?.engine,
    };
    Ok((documents, engine))
}

/// Reads a model file.
pub fn load_model(path: &Path) -> anyhow::Result<Model> {
    let named = || format!("model `{}`", path.display());
    Model::from_json(&std::fs::read(path).with_context(named)?).with_context(named)
}

/// What is known when measuring: the configured languages, a fixed day, no confirmed merchants.
pub fn bare_context(config: &Config) -> Context {
    read::bare_knowledge(config, eval_today()).context
}

/// Prints a table of the other fields per source.
fn measure_fields(arguments: &EvalArguments) -> anyhow::Result<ExitCode> {
    let context =
        Context { today: eval_today(), home_currency: None, locales: Vec::new(), known_merchants: Vec::new() };
    for dir in &arguments.corpus.dirs {
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
