//! How many text documents a second one core takes apart in the role `parse`, each in a child of its own.
//!
//! `cargo run --release --example document_rate -- target/release/vouch [DOCUMENT…]`: without documents, invoices of one page
//! that the fixture generator writes. Prints documents a second by processor time (children and this process) and by the clock.

use std::time::Instant;

use anyhow::Context as _;
use nix::sys::resource::{UsageWho, getrusage};
use vouch::{
    domain::{capture::Limits, media::MediaType},
    reader::{PoolSettings, ReadRequest, ReaderPool, child::ChildSettings},
};
use vouch_fixtures::pdf::{Pdf, PdfPage};

/// Documents read when none are named.
const DOCUMENTS: usize = 200;
/// Lines of a written invoice.
const LINES: usize = 30;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().context("usage: document_rate <vouch> [document…]")?;
    let named: Vec<_> = arguments.collect();
    let documents: Vec<Vec<u8>> = if named.is_empty() {
        (0..DOCUMENTS).map(invoice).collect()
    } else {
        named.iter().map(std::fs::read).collect::<Result<_, _>>().context("a document cannot be read")?
    };
    let mut settings = PoolSettings::new(program.into(), ChildSettings::default(), 1);
    settings.idle_see = 0;
    settings.idle_parse = 1;
    let pool = ReaderPool::start(settings);
    let (started, before) = (Instant::now(), processor_seconds()?);
    let (mut pages, mut handed_over) = (0, 0);
    let count = documents.len();
    for document in documents {
        let media_type = MediaType::sniff(&document).context("a document of unknown type")?;
        let reading = pool.read(ReadRequest::new(media_type, Limits::default(), document.into())).await?;
        pages += reading.pages.len();
        handed_over += usize::from(reading.engine != "none");
    }
    let (clock, used) = (started.elapsed().as_secs_f64(), processor_seconds()? - before);
    println!(
        "{count} documents, {pages} pages, {handed_over} needed recognition: {:.1} a second of one core, {:.1} by the clock",
        count as f64 / used,
        count as f64 / clock
    );
    Ok(())
}

/// User and system time of this process and of the children it has waited for.
fn processor_seconds() -> anyhow::Result<f64> {
    let mut seconds = 0.0;
    for who in [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN] {
        let usage = getrusage(who)?;
        for time in [usage.user_time(), usage.system_time()] {
            seconds += time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        }
    }
    Ok(seconds)
}

fn invoice(number: usize) -> Vec<u8> {
    let mut page = PdfPage::a4().text(60.0, 80.0, 20.0, "Riverside Catering Ltd").text(
        60.0,
        110.0,
        10.0,
        &format!("Invoice {number:06}    Date 2024-05-17"),
    );
    for line in 0..LINES {
        let top = 150.0 + 18.0 * line as f32;
        page = page.text(60.0, top, 10.0, &format!("{line:02} Lunch menu with a drink and coffee"));
        page = page.text(480.0, top, 10.0, &format!("{}.50", 3 + line));
    }
    let page = page.text(60.0, 740.0, 12.0, "Total EUR").text(480.0, 740.0, 12.0, "540.00");
    Pdf::new().page(page).info("InvoiceNumber", &format!("{number:020}")).bytes()
}
