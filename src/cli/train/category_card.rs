//! The figures of the category model's card, as the command measures them.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Known, evaluate_category};
use crate::{
    classify::{Input, Memory, Model, classify, features::hash, score::Confusion},
    cli::eval::score::wilson,
    domain::category::DEFAULTS,
    extract::fold::fold_name,
};

/// Labelled receipts: source, file, code.
pub const RECEIPTS: &str = include_str!("../../../models/category/eval-labels.csv");
/// Names of merchants written from general knowledge, apart from the lexicon: language, name, code.
const NAMES: &str = include_str!("../../../models/category/name-labels.csv");
const BEGIN: &str = "<!-- figures: written by `vouch train category`, do not edit -->";
const END: &str = "<!-- end of figures -->";

#[derive(Deserialize)]
struct Named {
    language: String,
    name: String,
    code: String,
}

/// `486 (86.0 %, 83.0–88.7)`: right, share, 95 % Wilson interval.
fn share(confusion: &Confusion) -> String {
    let (n, right) = confusion.totals();
    let (low, high) = wilson(right as usize, n as usize);
    format!(
        "{right} of {n} ({:.1} %, 95 % interval {:.1}–{:.1})",
        confusion.accuracy() * 100.0,
        low * 100.0,
        high * 100.0
    )
}

/// Names of brands that were held out.
pub fn held_out(confusion: &Confusion) -> String {
    format!(
        "Brand names not trained on, by the name alone (a fifth of the names, split by name): {} right; most names say nothing of what they sell.\n",
        share(confusion)
    )
}

/// The lists of names, by the name alone.
pub fn names(model: &Model) -> Result<String> {
    let codes: Vec<&str> = DEFAULTS.iter().map(|c| c.code).collect();
    let mut out =
        String::from("\nMerchants' names written from general knowledge (`name-labels.csv`), by the name alone:\n\n");
    for language in ["zh", "de"] {
        let mut confusion = Confusion::new();
        for row in csv::Reader::from_reader(NAMES.as_bytes()).deserialize::<Named>() {
            let row = row.context("name labels: expected language,name,code")?;
            if row.language == language {
                let input = Input { merchant: Some(row.name), ..Input::default() };
                let got = classify(&input, &Memory::new(), model, &codes);
                confusion.add(&row.code, &got.code, got.p);
            }
        }
        let _ = writeln!(
            out,
            "- {language}: {} right, expected calibration error {:.3}",
            share(&confusion),
            confusion.calibration_error()
        );
        for (code, (n, right)) in confusion.by_truth().into_iter().filter(|(_, (n, right))| right < n) {
            let _ = writeln!(out, "  - {code}: {right} of {n}");
        }
    }
    Ok(out)
}

/// The labelled receipts of `corpus`, with more and less known, and as really read where `pages` has them.
pub fn receipts(corpus: &Path, pages: Option<&Path>, model: &Model) -> Result<String> {
    let mut out = String::from(
        "\nReal receipts labelled by merchant kind (`eval-labels.csv`):\n\n| known | right | expected calibration error |\n|---|---|---|\n",
    );
    let mut details = String::new();
    for (known, words) in [
        (Known::Everything, "everything, perfect transcripts"),
        (Known::MerchantOnly, "the merchant's name only"),
        (Known::NoMerchant, "everything but the merchant"),
        (Known::Recognised, "what was really read of the picture"),
    ] {
        let mut all = Confusion::new();
        let mut halves = [(0_u32, 0_u32); 2];
        let sources = evaluate_category(corpus, RECEIPTS, model, known, pages, |file, input, code, got| {
            // The half by merchant whose mistakes may be looked at, and the other.
            let half = (hash(b'D', &[&fold_name(input.merchant.as_deref().unwrap_or(file))]) % 2) as usize;
            halves[half].0 += 1;
            halves[half].1 += u32::from(got.code == code);
        })?;
        for confusion in sources.values() {
            all.merge(confusion);
        }
        if all.totals().0 == 0 {
            continue;
        }
        let _ = writeln!(out, "| {words} | {} | {:.3} |", share(&all), all.calibration_error());
        if matches!(known, Known::Everything | Known::Recognised) {
            let _ = writeln!(
                details,
                "\n**{words}**, by source: {}.",
                sources
                    .iter()
                    .map(|(s, c)| format!("{s} {} of {}", c.totals().1, c.totals().0))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            let [(seen_n, seen), (unseen_n, unseen)] = halves;
            let _ = writeln!(
                details,
                "By merchant: {seen} of {seen_n} in the half whose mistakes were looked at, {unseen} of {unseen_n} in the other.\n\n{all}"
            );
        }
    }
    out.push_str(&details);
    Ok(out)
}

/// Replaces the figures of the card.
pub fn write(card: &Path, figures: &str) -> Result<()> {
    let text = fs::read_to_string(card).with_context(|| format!("card `{}` could not be read", card.display()))?;
    let (Some(from), Some(to)) = (text.find(BEGIN), text.find(END)) else {
        bail!("card `{}` has no `{BEGIN}` and `{END}`", card.display());
    };
    let new = format!("{}\n\n{}\n{}", &text[..from + BEGIN.len()], figures.trim(), &text[to..]);
    fs::write(card, new).with_context(|| format!("card `{}` could not be written", card.display()))
}
