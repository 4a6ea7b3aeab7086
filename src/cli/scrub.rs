//! `vouch scrub`: re-hashes every stored document and reports; `--collect` deletes objects nobody refers to.

use std::{collections::HashSet, process::ExitCode};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Global, setup};
use crate::{
    app::App,
    domain::ids::DocumentId,
    objects::{self, KeyKind, ObjectKey, Verdict},
    store::documents,
};

/// Documents loaded at a time.
const PAGE: i64 = 200;

/// Arguments of `vouch scrub`.
#[derive(Debug, Args)]
pub struct ScrubArguments {
    /// One JSON object per finding, and one about collecting.
    #[arg(long)]
    json: bool,
    /// Also delete objects older than a day that nobody refers to.
    #[arg(long)]
    collect: bool,
    /// Only say what `--collect` would delete.
    #[arg(long, requires = "collect")]
    dry_run: bool,
}

/// Exits with 1 when a document is damaged or missing.
pub async fn run(global: Global, arguments: ScrubArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    let app = setup::open_app(&config).await?;
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {pos} documents, {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    let (mut sound, mut findings) = (0_u64, 0_u64);
    let mut after: Option<DocumentId> = None;
    // Ends: every page starts after the last document of the one before.
    loop {
        let mut tx = app.db.read().await?;
        let page = documents::list_after(&mut tx, after.as_ref(), PAGE).await?;
        drop(tx);
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        for document in &page {
            let verdict = match document.object_key.parse::<ObjectKey>() {
                Ok(key) => objects::verify(&app.objects, &key, &document.sha256).await?,
                Err(_) => Verdict::Missing,
            };
            let what = match verdict {
                Verdict::Sound => {
                    sound += 1;
                    bar.inc(1);
                    continue;
                }
                Verdict::Damaged { .. } => "damaged",
                Verdict::Missing => "missing",
            };
            findings += 1;
            if arguments.json {
                println!("{}", json!({ "document": document.id, "object": document.object_key, "finding": what }));
            } else {
                println!("document {}: object `{}` is {what}", document.id, document.object_key);
            }
        }
    }
    bar.finish_and_clear();
    if !arguments.json {
        println!("{sound} documents are sound, {findings} are not");
    }
    if arguments.collect {
        let deleted = collect(&app, arguments.dry_run).await?;
        let word = if arguments.dry_run { "would be collected" } else { "collected" };
        if arguments.json {
            println!("{}", json!({ "collected": deleted, "dry_run": arguments.dry_run }));
        } else {
            println!("{deleted} objects nobody refers to {word}");
        }
    }
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Deletes objects older than a day that nobody refers to; how many.
pub async fn collect(app: &App, dry_run: bool) -> anyhow::Result<u64> {
    let mut deleted = 0;
    for kind in KeyKind::ALL {
        let referenced = |keys: Vec<ObjectKey>| async {
            let mut tx = app.db.read().await?;
            let mut found = HashSet::new();
            for key in keys {
                if documents::is_referenced(&mut tx, key.as_str()).await? {
                    found.insert(key);
                }
            }
            Ok::<_, crate::store::StoreError>(found)
        };
        deleted += objects::collect(&app.objects, kind, app.now(), dry_run, referenced).await?.deleted;
    }
    Ok(deleted)
}
