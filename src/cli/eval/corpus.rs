//! Labelled pictures read: from the cache of readings, else by the reader's children.

use std::path::Path;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::{
    document::{Document, materials},
    pages::{self, CachedReading},
    sources::Source,
};
use crate::{
    cli::read,
    domain::capture::Limits,
    reader::{ReaderPool, child::NO_ENGINE},
};

/// How documents are read.
pub struct Readers<'a> {
    /// Children that recognise.
    pub pool: &'a ReaderPool,
    /// What they accept.
    pub limits: Limits,
    /// Files read at a time.
    pub parallel: usize,
    /// Where readings are kept.
    pub cache: Option<&'a Path>,
}

/// Reads every labelled picture of `source`, in the order of its labels. `progress` hears of each; what could not be
/// read is said through `complain` and counts as read without a result.
pub async fn read_pictures(
    source: &Source,
    readers: &Readers<'_>,
    progress: impl Fn(),
    complain: impl Fn(&str),
) -> Vec<Document> {
    let (progress, complain) = (&progress, &complain);
    stream::iter(source.with_file())
        .map(|label| async move {
            let file = label.file.as_deref().unwrap_or_default();
            let read = read_one(readers, source, file).await;
            progress();
            let reading = read.map_err(|error| complain(&format!("{}/{file}: {error:#}", source.name))).ok();
            let shown = source.labels.iter().filter(|l| label.multi.iter().any(|m| m == l.name())).cloned();
            Document {
                source: source.name.clone(),
                label: label.clone(),
                shown: shown.collect(),
                seconds: reading.as_ref().map_or(0.0, |r| r.seconds),
                engine: reading.as_ref().map(|r| r.engine.clone()).filter(|engine| engine != NO_ENGINE),
                receipts: reading.map(materials).unwrap_or_default(),
                is_transcript: false,
            }
        })
        .buffered(readers.parallel.max(1))
        .collect()
        .await
}

async fn read_one(readers: &Readers<'_>, source: &Source, file: &str) -> anyhow::Result<CachedReading> {
    let path = source.folder.join(file);
    let kept = readers.cache.and_then(|folder| pages::path_of(folder, &source.name, file));
    let sha256 = match &kept {
        Some(_) => hex::encode(Sha256::digest(tokio::fs::read(&path).await.context("it cannot be opened")?)),
        None => String::new(),
    };
    if let Some(kept) = &kept
        && let Some(reading) = pages::load(kept, Some(&sha256))?
    {
        return Ok(reading);
    }
    let started = std::time::Instant::now();
    let reading = read::read_document(readers.pool, &readers.limits, &path).await?;
    let reading = CachedReading {
        sha256,
        engine: reading.engine,
        seconds: started.elapsed().as_secs_f32(),
        pages: reading.pages,
        receipts: reading.receipts,
        codes: reading.codes,
        values: reading.values,
    };
    if let Some(kept) = &kept {
        pages::save(kept, &reading).with_context(|| format!("`{}` cannot be written", kept.display()))?;
    }
    Ok(reading)
}
