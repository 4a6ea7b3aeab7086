//! `vouch train extraction`: the ranker of total, date and merchant with its calibrations, and its card.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::{
    app::SystemClock,
    cli::{
        Global,
        eval::{self, CorpusArguments, Measured, card, folds::Apart, held_out, report},
        setup,
    },
    domain::time::Clock as _,
    extract::learn::{self, Settings},
};

/// Arguments of `vouch train extraction`.
#[derive(Debug, Args)]
pub struct ExtractionArguments {
    #[command(flatten)]
    corpus: CorpusArguments,
    /// Where to write the model; its card is written beside it.
    #[arg(long, default_value = "models/extract/model.json")]
    out: PathBuf,
    /// Also learn from what reviewers of the configured database confirmed (fields only).
    #[arg(long)]
    confirmed: bool,
}

/// Trains, writes model and card, prints what was measured on receipts and merchants held out.
pub async fn run(global: &Global, arguments: &ExtractionArguments) -> anyhow::Result<()> {
    let config = setup::load_config(global)?;
    let context = eval::bare_context(&config);
    let (mut documents, engine) = eval::read_corpus(&config, &arguments.corpus, true).await?;
    if arguments.confirmed {
        let app = setup::open_app(&config).await?;
        documents.extend(super::confirmed::documents(&app).await?);
    }
    let course = held_out::prepare(&documents, &context);
    let settings = Settings::default();
    let validate = |apart| {
        let folds = held_out::deal(&documents, apart);
        let validated = held_out::cross_validate(&course, &folds, &settings);
        let models = held_out::models(&validated, &folds);
        let measured = Measured::new(&documents, &context, |at| models[at]);
        (validated, measured)
    };
    let (_, receipts) = validate(Apart::Receipts);
    let (validated, merchants) = validate(Apart::Merchants);
    // Calibrated on merchants nobody knew: most merchants of a new organisation are.
    let model = learn::finish(&course.examples, &validated, &settings);
    let on = config.today(SystemClock.now()).to_string();
    let card = card::card(&on, &engine, &documents, &course, &model, &receipts, &merchants);
    let (out, card_path) = (&arguments.out, arguments.out.with_file_name("CARD.md"));
    write(out, &model.to_json()?)?;
    write(&card_path, card.as_bytes())?;
    println!("wrote `{}` and `{}`; merchants held out:", out.display(), card_path.display());
    print!("{}", report::table(&merchants.reports));
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("`{}` could not be written", path.display()))
}
