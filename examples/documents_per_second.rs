//! How many documents a second the `parse` role reads, through real child processes, one after the other.
//!
//! `cargo run --release --example documents_per_second -- <vouch binary> <rounds> <document>...`
//! Run it with `taskset -c 0` to measure one core.

use std::{path::PathBuf, time::Instant};

use bytes::Bytes;
use vouch::{
    domain::{
        capture::Limits,
        media::{MediaType, SNIFF_BYTES},
    },
    reader::{PoolSettings, ReadRequest, ReaderPool, Role, child::ChildSettings},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(program), Some(rounds)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: documents_per_second <vouch binary> <rounds> <document>...");
    };
    let rounds: usize = rounds.parse()?;
    let mut documents = Vec::new();
    for file in arguments {
        let bytes: Bytes = std::fs::read(&file)?.into();
        let media_type = MediaType::sniff(&bytes[..bytes.len().min(SNIFF_BYTES)]);
        documents.push((file, media_type.ok_or_else(|| anyhow::anyhow!("of no type that is read"))?, bytes));
    }
    let mut settings = PoolSettings::new(PathBuf::from(program), ChildSettings::default(), 1);
    (settings.idle_see, settings.idle_parse) = (0, 2);
    let pool = ReaderPool::start(settings);
    pool.check(Role::Parse).await?;
    for (file, media_type, bytes) in &documents {
        let started = Instant::now();
        let mut pages = 0;
        for _ in 0..rounds {
            pages +=
                pool.read(ReadRequest::new(*media_type, Limits::default(), Bytes::clone(bytes))).await?.pages.len();
        }
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{:8.1} documents/s  {:>6} bytes  {} pages  {file}",
            rounds as f64 / seconds,
            bytes.len(),
            pages / rounds.max(1)
        );
    }
    Ok(())
}
