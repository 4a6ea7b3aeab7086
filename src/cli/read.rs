//! `vouch read FILE… --json`: what receipts say, without server or database.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};

use serde_json::{Value, json};

use super::{
    Global,
    read_output::{DocumentOutput, PageSize, ReadOutput},
    setup,
};
use crate::{
    config::Config,
    domain::{
        capture::{Limits, Reason},
        media::{MediaType, SNIFF_BYTES},
        receipt::PartRole,
        sha256::Sha256,
        time::{CivilDate, Clock as _},
    },
    imaging::header,
    pipeline::{
        Group, Knowledge, Member, Understood, receipts,
        walk::{Filed, Node, Source, Tree, walk},
    },
    reader::{ReadFailure, ReadRequest, ReaderPool, Reading},
};

/// Arguments of `vouch read`.
#[derive(Debug, Args)]
pub struct ReadArguments {
    /// Receipts: pictures, PDF, OFD, XML, HTML, text, mails, ZIPs of them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// One JSON object a line per receipt.
    #[arg(long)]
    json: bool,
    /// The day to read dates against, YYYY-MM-DD; today unless given.
    #[arg(long, value_name = "DATE")]
    today: Option<CivilDate>,
}

/// A file read: its receipts, or why not.
pub struct FileRead {
    /// Its documents (itself, and what was inside it) and the receipts understood from them.
    pub result: Result<(Tree, Vec<Understood>), ReadFailure>,
    /// Wall-clock milliseconds.
    pub ms: u64,
}

/// Reads the files, several at a time, printing in order. Exits with 1 when one could not be read.
pub async fn run(global: Global, arguments: ReadArguments) -> anyhow::Result<ExitCode> {
    let config = setup::load_config(&global)?;
    let today = arguments.today.unwrap_or_else(|| config.today(crate::app::SystemClock.now()));
    let knowledge = bare_knowledge(&config, today);
    let pool = setup::start_pool(&config, config.reader_children(setup::processors()))?;
    let bar = progress(arguments.files.len());
    let mut failed = 0;
    let mut reads = stream::iter(&arguments.files)
        .map(|path| {
            let (pool, knowledge, config) = (&pool, &knowledge, &config);
            async move { (path, read_file(pool, knowledge, &config.capture.limits(), path).await) }
        })
        .buffered(config.reader_children(setup::processors()));
    while let Some((path, read)) = reads.next().await {
        bar.inc(1);
        let file = path.display().to_string();
        match &read.result {
            Ok((tree, receipts)) => {
                for line in outputs(&file, tree, receipts, read.ms) {
                    bar.suspend(|| {
                        if arguments.json {
                            println!("{line}");
                        } else {
                            println!("{}", plain(&line));
                        }
                    });
                }
            }
            Err(failure) => {
                failed += 1;
                bar.suspend(|| {
                    if arguments.json {
                        println!(
                            "{}",
                            json!({ "file": file, "error": failure.reason, "detail": failure.detail, "ms": read.ms })
                        );
                    }
                    eprintln!("{file}: {failure}");
                });
            }
        }
    }
    bar.finish_and_clear();
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One JSON object per receipt of the file.
fn outputs(file: &str, tree: &Tree, receipts: &[Understood], ms: u64) -> Vec<Value> {
    let output = |(receipt, understood): (usize, &Understood)| {
        let group = &understood.group;
        let region = group.members.first().filter(|_| group.is_region_of_many).map(|member| member.quad);
        let documents: Vec<DocumentOutput> = documents(tree, group);
        let readings = || documents.iter().filter_map(|document| tree.nodes[document.node].reading());
        let engine = readings().next().map(|reading| reading.engine.clone()).unwrap_or_default();
        let mut warnings: Vec<String> = readings().flat_map(|r| r.warnings.iter().map(|w| w.code.clone())).collect();
        warnings.dedup();
        let pages = pages(tree, group, &documents);
        let (extraction, engine) = (&understood.extraction, &engine);
        let warnings = &warnings;
        ReadOutput { file, receipt, region, extraction, engine, pages: &pages, documents: &documents, ms, warnings }
            .to_json()
    };
    receipts.iter().enumerate().map(output).collect()
}

/// The documents of a receipt, the leading one first.
fn documents(tree: &Tree, group: &Group) -> Vec<DocumentOutput> {
    let mut documents: Vec<DocumentOutput> = Vec::new();
    for member in &group.members {
        let Some(node) = tree.nodes.get(member.document) else { continue };
        if documents.iter().any(|known| known.node == member.document) {
            continue;
        }
        let (media_type, role) = (node.source.media_type, member.role);
        documents.push(DocumentOutput { node: member.document, name: node.source.name.clone(), media_type, role });
    }
    documents.sort_by_key(|document| document.role != PartRole::Leading);
    documents
}

/// The sizes of the pages a field's `page` counts: of the one document, or of the receipt's documents one after the other.
fn pages(tree: &Tree, group: &Group, documents: &[DocumentOutput]) -> Vec<PageSize> {
    let reading = |node: usize| tree.nodes.get(node).and_then(Node::reading);
    if let [only] = documents {
        return reading(only.node).map(|r| r.pages.iter().map(PageSize::from).collect()).unwrap_or_default();
    }
    let size = |member: &Member| {
        let page = reading(member.document)?.pages.iter().find(|page| page.index == member.page);
        Some(page.map_or(PageSize { width: 0, height: 0 }, PageSize::from))
    };
    group.members.iter().filter_map(size).collect()
}

/// A line for people: what, when, how much, where.
fn plain(line: &Value) -> String {
    let value = |key: &str| line[key]["value"].as_str().unwrap_or("-").to_owned();
    let file = line["file"].as_str().unwrap_or_default();
    format!(
        "{file}  {}  {} {}  {}  [{}]",
        value("date"),
        value("currency"),
        value("total"),
        value("merchant"),
        value("category")
    )
}

/// What is known without an organisation: the configured defaults.
pub fn bare_knowledge(config: &Config, today: CivilDate) -> Knowledge {
    let organisation = &config.organisation;
    // The configured home currency is a guess nobody made for these files: not even evidence.
    Knowledge::bare(today, organisation.locales.clone(), None)
}

/// A bar on a terminal, nothing elsewhere.
pub fn progress(files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(files as u64).with_style(style)
}

/// Reads one file through the same checks and children as the service.
pub async fn read_file(pool: &ReaderPool, knowledge: &Knowledge, limits: &Limits, path: &Path) -> FileRead {
    let started = Instant::now();
    let result = read_tree(pool, limits, path).await.map(|tree| {
        let receipts = receipts(knowledge, &tree);
        (tree, receipts)
    });
    FileRead { result, ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// What a child returns for the file itself, without the documents inside it; for measuring.
pub async fn read_document(pool: &ReaderPool, limits: &Limits, path: &Path) -> Result<Reading, ReadFailure> {
    let (media_type, bytes) = admit(limits, path).await?;
    pool.read(ReadRequest::new(media_type, *limits, bytes)).await
}

async fn read_tree(pool: &ReaderPool, limits: &Limits, path: &Path) -> Result<Tree, ReadFailure> {
    let (media_type, bytes) = admit(limits, path).await?;
    let source = Source { sha256: Sha256::of(&bytes), bytes, name: None, media_type };
    let tree = walk(pool, limits, vec![source], &[], Filed::Nothing)
        .await
        .map_err(|error| ReadFailure::new(Reason::ReaderCrashed, error.to_string()))?;
    match tree.nodes.first().and_then(Node::failure) {
        Some(failure) => Err(failure.clone()),
        None => Ok(tree),
    }
}

/// The checks of the door: size, type, pixels.
async fn admit(limits: &Limits, path: &Path) -> Result<(MediaType, Bytes), ReadFailure> {
    let bytes: Bytes =
        load(path, limits).await.map_err(|(reason, error)| ReadFailure::new(reason, format!("{error:#}")))?;
    let media_type = MediaType::sniff(&bytes[..bytes.len().min(SNIFF_BYTES)])
        .ok_or_else(|| ReadFailure::new(Reason::UnsupportedType, "of no type that is read, by its content"))?;
    if let Some(header) = header::probe_bytes(&bytes, media_type) {
        header.check(limits).map_err(|reason| {
            ReadFailure::new(reason, format!("{} x {} pixels, {} pages", header.width, header.height, header.pages))
        })?;
    }
    Ok((media_type, bytes))
}

async fn load(path: &Path, limits: &Limits) -> Result<Bytes, (Reason, anyhow::Error)> {
    let open = async {
        let size = tokio::fs::metadata(path).await?.len();
        if size > limits.max_bytes {
            return Ok(None);
        }
        Ok::<_, std::io::Error>(Some(tokio::fs::read(path).await?))
    };
    match open.await.context("the file cannot be read") {
        Ok(Some(bytes)) if bytes.is_empty() => Err((Reason::Empty, anyhow::anyhow!("the file is empty"))),
        Ok(Some(bytes)) => Ok(bytes.into()),
        Ok(None) => Err((Reason::TooLarge, anyhow::anyhow!("the file is larger than {} bytes", limits.max_bytes))),
        Err(error) => Err((Reason::ObjectMissing, error)),
    }
}
