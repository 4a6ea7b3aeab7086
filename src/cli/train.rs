//! `vouch train category --data DIR`, and the measurement of the category model on labelled receipts;
//! `vouch train extraction DIR…`.

mod confirmed;
pub mod extraction;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Global;
use crate::classify::train::{Settings, Trained, train};
use crate::classify::{Input, Memory, Model, classify, examples, score::Confusion};
use crate::domain::category::DEFAULTS;

/// Arguments of `vouch train`.
#[derive(Debug, clap::Args)]
pub struct TrainArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Trains the category model.
    Category {
        /// Directory with `nsi_brands.jsonl` and `mcc_codes.csv`.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Where to write the model.
        #[arg(long, default_value = "models/category/model.bin")]
        out: PathBuf,
    },
    /// Trains the ranker of total, date and merchant.
    Extraction(extraction::ExtractionArguments),
}

/// Trains and writes the model.
pub async fn run(global: Global, arguments: TrainArguments) -> Result<ExitCode> {
    match arguments.what {
        What::Category { data, out } => {
            let trained = train_category(&data, &out, &Settings::default())?;
            println!("wrote `{}`; on held-out brands:\n{}", out.display(), trained.held_out);
        }
        What::Extraction(arguments) => extraction::run(&global, &arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Trains the category model from `data` (`nsi_brands.jsonl`, `mcc_codes.csv`) and writes `out`.
/// Returns what was measured on held-out brands.
pub fn train_category(data: &Path, out: &Path, settings: &Settings) -> Result<Trained> {
    let read = |name: &str| {
        let path = data.join(name);
        fs::read_to_string(&path).with_context(|| format!("training data `{}` could not be read", path.display()))
    };
    let brands = examples::brands_from_nsi(&read("nsi_brands.jsonl")?)?;
    let mcc = examples::names_from_mcc(&read("mcc_codes.csv")?)?;
    let trained = train(&examples::build(&brands, &mcc, settings), &brands, settings);
    fs::write(out, trained.model.to_bytes())
        .with_context(|| format!("model `{}` could not be written", out.display()))?;
    Ok(trained)
}

#[derive(Deserialize)]
struct Label {
    source: String,
    file: String,
    code: String,
}

#[derive(Deserialize)]
struct Labelled {
    file: Option<String>,
    #[serde(rename = "box")]
    boxes: Option<String>,
    merchant: Option<String>,
    time: Option<String>,
    total: Option<String>,
    currency: Option<String>,
    #[serde(default)]
    items: Vec<String>,
}

#[derive(Deserialize)]
struct Boxed {
    text: String,
}

/// What is measured: the whole input, or the merchant's name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Merchant, lines, time, amount.
    Everything,
    /// The merchant's name only.
    MerchantOnly,
    /// Everything but the merchant's name (as when it is a logo).
    NoMerchant,
}

/// Judges the model on the receipts that `labels` (CSV: source, file, code) names under `corpus`, per source.
/// Texts come from the corpus's own labels and boxes, so this measures the category alone, not the reading.
pub fn evaluate_category(
    corpus: &Path,
    labels: &str,
    model: &Model,
    known: Known,
) -> Result<BTreeMap<String, Confusion>> {
    let codes: Vec<&str> = DEFAULTS.iter().map(|c| c.code).collect();
    let mut sources: BTreeMap<String, BTreeMap<String, Labelled>> = BTreeMap::new();
    let mut out: BTreeMap<String, Confusion> = BTreeMap::new();
    for label in csv::Reader::from_reader(labels.as_bytes()).deserialize() {
        let label: Label = label.context("eval labels: expected source,file,code")?;
        if !sources.contains_key(&label.source) {
            sources.insert(label.source.clone(), read_source(&corpus.join(&label.source))?);
        }
        let entry = sources[&label.source]
            .get(&label.file)
            .with_context(|| format!("`{}` of {} is not in its labels.jsonl", label.file, label.source))?;
        let mut input = input_of(&corpus.join(&label.source), entry)?;
        match known {
            Known::Everything => {}
            Known::MerchantOnly => input = Input { merchant: input.merchant, ..Input::default() },
            Known::NoMerchant => input.merchant = None,
        }
        let proposal = classify(&input, &Memory::new(), model, &codes);
        out.entry(label.source).or_default().add(&label.code, &proposal.code, proposal.p);
    }
    Ok(out)
}

fn read_source(dir: &Path) -> Result<BTreeMap<String, Labelled>> {
    let path = dir.join("labels.jsonl");
    let text = fs::read_to_string(&path).with_context(|| format!("`{}` could not be read", path.display()))?;
    let mut out = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Labelled = serde_json::from_str(line).with_context(|| format!("`{}`", path.display()))?;
        if let Some(name) = entry.boxes.clone().or_else(|| entry.file.clone()) {
            out.insert(name, entry);
        }
    }
    Ok(out)
}

fn input_of(dir: &Path, entry: &Labelled) -> Result<Input> {
    let mut lines = entry.items.clone();
    if let Some(boxes) = &entry.boxes {
        let text = fs::read(dir.join(boxes)).with_context(|| format!("boxes `{boxes}` could not be read"))?;
        // Eight coordinates, then the text, which may hold commas.
        lines.extend(
            String::from_utf8_lossy(&text).lines().filter_map(|line| line.splitn(9, ',').nth(8).map(str::to_owned)),
        );
    } else if let Some(stem) = entry.file.as_deref().and_then(|file| Path::new(file).file_stem()) {
        let path = dir.join("box").join(stem).with_extension("json");
        if let Ok(text) = fs::read_to_string(&path) {
            let words: Vec<Boxed> = serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))?;
            lines.extend(words.into_iter().map(|word| word.text));
        }
    }
    Ok(Input {
        merchant: entry.merchant.clone(),
        lines,
        time: entry.time.as_deref().and_then(|time| time.parse().ok()),
        amount: entry.total.as_deref().and_then(|total| total.parse().ok()),
        currency: entry.currency.as_deref().and_then(|code| code.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus() -> Option<std::path::PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
        path.join("category").is_dir().then_some(path)
    }

    #[test]
    fn labelled_receipts_keep_their_recorded_accuracy() {
        let Some(corpus) = corpus() else {
            eprintln!("skipped: ../shared/corpus is not there");
            return;
        };
        let labels = include_str!("../../models/category/eval-labels.csv");
        // A little under what models/category/CARD.md records.
        for (known, at_least) in [(Known::Everything, 0.84), (Known::MerchantOnly, 0.72), (Known::NoMerchant, 0.60)] {
            let mut all = Confusion::new();
            for (source, confusion) in evaluate_category(&corpus, labels, Model::embedded(), known).unwrap() {
                let (n, right) = confusion.totals();
                eprintln!("{known:?} {source}: {right} of {n}");
                all.merge(&confusion);
            }
            eprintln!("{known:?}\n{all}");
            assert!(all.accuracy() >= at_least, "{known:?}: {:.3} is below {at_least}", all.accuracy());
        }
    }
}
