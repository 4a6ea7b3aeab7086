//! How many messages a second are durable, beside what the disk allows. Runs with `VOUCH_TEST_BENCH=1` only.

use std::{
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use vouch::capture::mail::session::Dialect;

use super::world::World;

const CONNECTIONS: usize = 16;
const MESSAGES: usize = 2_000;
const BYTES: usize = 50_000;

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_fifty_kilobytes_a_second_beside_the_floor_of_the_disk() {
    if std::env::var_os("VOUCH_TEST_BENCH").is_none() {
        eprintln!("skipped: VOUCH_TEST_BENCH is not set");
        return;
    }
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let dir = world.test.data_dir.path().to_owned();
    let floor_before = tokio::task::spawn_blocking(move || floor(&dir)).await.unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (next, to, at) = (next.clone(), world.address.clone(), running.at);
        tasks.spawn(async move {
            let stream = TcpStream::connect(at).await.unwrap();
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            lines.next_line().await.unwrap();
            write.write_all(b"EHLO mx\r\n").await.unwrap();
            while lines.next_line().await.unwrap().unwrap().as_bytes()[3] == b'-' {}
            let filler = format!("{}\r\n", "x".repeat(76)).repeat(BYTES / 78);
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= MESSAGES {
                    return;
                }
                let wire = format!("MAIL FROM:<a@b.example>\r\nRCPT TO:<{to}>\r\nDATA\r\nFrom: a@b.example\r\nSubject: {n}\r\n\r\n{filler}.\r\n");
                write.write_all(wire.as_bytes()).await.unwrap();
                for _ in 0..3 {
                    lines.next_line().await.unwrap();
                }
                let kept = lines.next_line().await.unwrap().unwrap();
                assert!(kept.starts_with("250 2.6.0"), "{kept}");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let rate = MESSAGES as f64 / started.elapsed().as_secs_f64();
    let dir = world.test.data_dir.path().to_owned();
    let floor_after = tokio::task::spawn_blocking(move || floor(&dir)).await.unwrap();
    let floor = f64::midpoint(floor_before, floor_after);
    println!(
        "{MESSAGES} messages of 50 kB over {CONNECTIONS} connections: {rate:.0}/s durable; disk floor {floor:.0}/s \
         (before {floor_before:.0}, after {floor_after:.0}); {:.0} %",
        rate / floor * 100.0
    );
    assert!(rate >= 200.0 || rate >= 0.6 * floor, "{rate:.0}/s");
    world.fresh.remove().await;
}

/// What one message cannot do without: its bytes and their directory entry on disk, then a commit in a log, by as many
/// threads at once as there are connections; one log for all, one after another.
fn floor(dir: &Path) -> f64 {
    let log = std::sync::Mutex::new(std::fs::File::create(dir.join("floor-log")).unwrap());
    let bytes = vec![b'x'; BYTES];
    let count = AtomicUsize::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                while started.elapsed() < Duration::from_secs(4) {
                    let mut file = tempfile::NamedTempFile::new_in(dir).unwrap();
                    file.write_all(&bytes).unwrap();
                    file.as_file().sync_all().unwrap();
                    std::fs::File::open(dir).unwrap().sync_all().unwrap();
                    let mut log = log.lock().unwrap();
                    log.write_all(&bytes[..4096]).unwrap();
                    log.sync_data().unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    count.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}
