//! Documents a second through the reader's role `parse`, one at a time: the promise is fifty of XML, OFD, HTML and text
//! PDF on one core.
//!
//! `taskset -c 0 cargo run --release --example parse_speed -- target/release/vouch fixtures/einvoices DIR…`

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use bytes::Bytes;
use vouch::{
    domain::{
        capture::Limits,
        media::{MediaType, SNIFF_BYTES},
    },
    reader::{PoolSettings, ReadRequest, ReaderPool, Role, child::ChildSettings},
};

/// Each type is read for so long.
const SPELL: Duration = Duration::from_secs(10);

/// Files below a path.
fn files(path: &Path, out: &mut Vec<PathBuf>) {
    if path.is_file() {
        out.push(path.to_owned());
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        files(&entry.path(), out);
    }
}

#[tokio::main]
async fn main() -> Result<(), String> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("name the vouch binary, then files or directories")?;
    let mut paths = Vec::new();
    for argument in arguments {
        files(Path::new(&argument), &mut paths);
    }
    let mut documents: BTreeMap<&'static str, Vec<(MediaType, Bytes)>> = BTreeMap::new();
    for path in paths {
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let head = bytes.get(..bytes.len().min(SNIFF_BYTES)).unwrap_or_default();
        match MediaType::sniff(head) {
            Some(kind) if Role::for_media(kind) == Role::Parse => {
                documents.entry(kind.as_str()).or_default().push((kind, bytes.into()));
            }
            Some(_) | None => {}
        }
    }
    let mut settings = PoolSettings::new(program.into(), ChildSettings::default(), 1);
    settings.idle_parse = 1;
    let pool = ReaderPool::start(settings);
    for (kind, documents) in documents {
        let started = Instant::now();
        let (mut read, mut refused) = (0_u32, 0_u32);
        while started.elapsed() < SPELL {
            for (kind, bytes) in &documents {
                match pool.read(ReadRequest::new(*kind, Limits::default(), bytes.clone())).await {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
        }
        let each = f64::from(read + refused) / started.elapsed().as_secs_f64();
        println!("{kind}: {each:.0} a second ({} files, {read} read, {refused} refused)", documents.len());
    }
    Ok(())
}
