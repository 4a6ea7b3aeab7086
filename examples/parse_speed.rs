//! What reading costs, on one core: documents a second through the worker's role `parse`, one format a line, each document
//! in a child of its own; and the share of a photo's processor time that goes into looking for codes.
//!
//! `cargo run --release --example parse_speed -- target/release/vouch [FILE or DIR…]`: without files, documents the project
//! makes itself, and the photos in `fixtures/receipts`. Each directory named is a source of photos with a line of its own.
//! The promises: 50 a second of XML, OFD, HTML and text PDF; codes 10 %.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use bytes::Bytes;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};
use vouch::{
    domain::{
        capture::Limits,
        media::{MediaType, SNIFF_BYTES},
    },
    reader::{PoolSettings, ReadRequest, ReaderPool, Role, child::ChildSettings, see::codes},
};
use vouch_fixtures::pdf::{Pdf, PdfPage};

/// Each format is read for so long by the clock.
const SPELL: Duration = Duration::from_secs(8);
/// Lines of a written invoice.
const LINES: usize = 30;
/// Photos read of a source that holds more: each takes seconds.
const MAX_PHOTOS: usize = 6;

/// A document and its name.
type Document = (String, MediaType, Bytes);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let program = PathBuf::from(arguments.next().context("usage: parse_speed <vouch> [file or directory…]")?);
    // Children start in a directory of their own.
    let program = program.canonicalize().with_context(|| format!("no program at `{}`", program.display()))?;
    let named: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let documents = if named.is_empty() { own()? } else { read_all(&named)? };
    // Each directory is a source of its own: what its photos show decides what looking for codes costs.
    let sources: Vec<PathBuf> = if named.is_empty() { vec![own_photos()] } else { named };
    let mut by_format: BTreeMap<&'static str, Vec<Document>> = BTreeMap::new();
    for document in documents {
        by_format.entry(document.1.as_str()).or_default().push(document);
    }
    for (format, documents) in &by_format {
        if Role::for_media(documents[0].1) == Role::Parse {
            parse(&program, format, documents).await?;
        }
    }
    for source in sources {
        let all: Vec<Document> =
            read_all(std::slice::from_ref(&source))?.into_iter().filter(|d| d.1.is_picture()).collect();
        // Spread over the source: neighbours are often of one shop or one day.
        let step = all.len().div_ceil(MAX_PHOTOS).max(1);
        let photos: Vec<Document> = all.into_iter().step_by(step).collect();
        if !photos.is_empty() {
            search(&program, &source, &photos).await?;
        }
    }
    Ok(())
}

fn pool(program: &Path, role: Role) -> ReaderPool {
    let mut settings = PoolSettings::new(program.to_owned(), ChildSettings::default(), 1);
    (settings.idle_parse, settings.idle_see) = if role == Role::Parse { (1, 0) } else { (0, 0) };
    ReaderPool::start(settings)
}

/// Prints documents a second of one format.
async fn parse(program: &Path, format: &str, documents: &[Document]) -> anyhow::Result<()> {
    let pool = pool(program, Role::Parse);
    let (started, before) = (Instant::now(), processor_seconds()?);
    let (mut read, mut refused) = (0_u32, 0_u32);
    while started.elapsed() < SPELL {
        for (_, media_type, bytes) in documents {
            match pool.read(ReadRequest::new(*media_type, Limits::default(), bytes.clone())).await {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
    }
    let (clock, used) = (started.elapsed().as_secs_f64(), processor_seconds()? - before);
    // What is refused is soon done with and says nothing of speed.
    anyhow::ensure!(read > 0, "{format}: not one of {} files was read", documents.len());
    println!(
        "{format}: {:.0} a second of one core, {:.0} by the clock (n = {read}, {} files, {refused} refused)",
        f64::from(read) / used,
        f64::from(read) / clock,
        documents.len()
    );
    Ok(())
}

/// Prints what looking for codes takes of reading photos.
async fn search(program: &Path, source: &Path, photos: &[Document]) -> anyhow::Result<()> {
    let pool = pool(program, Role::See);
    let (mut whole, mut looking, mut found) = (0.0, 0.0, 0);
    for (name, media_type, bytes) in photos {
        let before = processor_seconds()?;
        pool.read(ReadRequest::new(*media_type, Limits::default(), bytes.clone()))
            .await
            .with_context(|| name.clone())?;
        whole += processor_seconds()? - before;
        let picture = image::load_from_memory(bytes).with_context(|| name.clone())?.into_rgb8();
        let before = processor_seconds()?;
        found += codes::find(&picture).len();
        looking += processor_seconds()? - before;
    }
    println!(
        "codes in {}: {:.1} % of the processor time of a photo, {looking:.2} s of {whole:.2} s (n = {} photos, {found} codes)",
        source.display(),
        100.0 * looking / whole,
        photos.len()
    );
    Ok(())
}

/// User and system time of this process and of the children it has waited for.
fn processor_seconds() -> anyhow::Result<f64> {
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let mut sum = 0.0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        sum += seconds(usage.user_time()) + seconds(usage.system_time());
    }
    Ok(sum)
}

fn read_all(named: &[PathBuf]) -> anyhow::Result<Vec<Document>> {
    let mut paths = Vec::new();
    for path in named {
        files(path, &mut paths);
    }
    let mut documents = Vec::new();
    for path in paths {
        let bytes: Bytes = std::fs::read(&path).with_context(|| path.display().to_string())?.into();
        // What is of no type that is read is left out: a directory holds labels as well.
        if let Some(media_type) = MediaType::sniff(&bytes[..bytes.len().min(SNIFF_BYTES)]) {
            documents.push((path.display().to_string(), media_type, bytes));
        }
    }
    Ok(documents)
}

/// Files below a path, in order.
fn files(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_file() {
        out.push(path.to_owned());
    }
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for entry in &entries {
        files(entry, out);
    }
}

/// Documents of each format that the project makes itself.
fn own() -> anyhow::Result<Vec<Document>> {
    let fixtures = fixtures();
    let mut documents: Vec<Document> =
        read_all(&[fixtures.join("einvoices")])?.into_iter().filter(|(name, ..)| !name.contains("/ofd/")).collect();
    let folder = fixtures.join("einvoices/ofd");
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut parts = Vec::new();
    files(&folder, &mut parts);
    for path in parts {
        let name = path.strip_prefix(&folder)?.to_str().context("a name in UTF-8")?.to_owned();
        writer.start_file(name, zip::write::SimpleFileOptions::default())?;
        writer.write_all(&std::fs::read(&path)?)?;
    }
    documents.push(("ofd".to_owned(), MediaType::Ofd, writer.finish()?.into_inner().into()));
    documents.push(("pdf".to_owned(), MediaType::Pdf, invoice().into()));
    documents.push(("html".to_owned(), MediaType::Html, page().into()));
    Ok(documents)
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The photos that the project makes itself.
fn own_photos() -> PathBuf {
    fixtures().join("receipts")
}

fn lines() -> impl Iterator<Item = (String, String)> {
    (0..LINES).map(|line| (format!("{line:02} Lunch menu with a drink and coffee"), format!("{}.50", 3 + line)))
}

fn invoice() -> Vec<u8> {
    let title = PdfPage::a4().text(60.0, 80.0, 20.0, "Riverside Catering Ltd");
    let page = title.text(60.0, 110.0, 10.0, "Invoice 000123    Date 2024-05-17");
    let page = lines().enumerate().fold(page, |page, (line, (name, amount))| {
        let top = 150.0 + 18.0 * line as f32;
        page.text(60.0, top, 10.0, &name).text(480.0, top, 10.0, &amount)
    });
    Pdf::new().page(page.text(60.0, 740.0, 12.0, "Total EUR").text(480.0, 740.0, 12.0, "540.00")).bytes()
}

fn page() -> Vec<u8> {
    let rows = lines()
        .fold(String::new(), |rows, (name, amount)| rows + &format!("<tr><td>{name}</td><td>{amount}</td></tr>"));
    let head = "<html><body><h1>Riverside Catering Ltd</h1><p>Invoice 000123, 2024-05-17</p>";
    format!("{head}<table>{rows}<tr><td>Total EUR</td><td>540.00</td></tr></table></body></html>").into_bytes()
}
