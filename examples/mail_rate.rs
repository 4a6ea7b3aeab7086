//! How many messages a second are accepted over SMTP, durable; beside what the disk can do at best, measured in the same
//! directory in the same run. `make bench` calls it:
//!
//!   cargo run --release --example mail_rate -- [DIR] [MESSAGES] [BYTES]
//!
//! The listener over loopback, SQLite and the local object directory, without reading and without DNS: whoever asks it
//! about senders waits for answers that are not ours. The clients run in the same process and take their share of its cores.
//! Exits with 1 below the goal.

mod bench;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use vouch::{
    capture::mail::{
        MailSettings, PostOffice, addresses,
        authenticate::Authenticator,
        links::LinkPolicy,
        listener::{self, ListenerSettings},
        rates::Rates,
        session::Dialect,
    },
    domain::mail::SenderPolicy,
};

/// Connections at the same time.
const CONNECTIONS: &[usize] = &[1, 4, 16];
/// The goal: this many messages of 50 kB a second, or [`GOAL_SHARE`] of the floor, from some number of connections.
const GOAL_RATE: f64 = 200.0;
const GOAL_SHARE: f64 = 0.6;

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let messages: usize = arguments.next().map_or(Ok(2_000), |text| text.parse())?;
    let bytes: usize = arguments.next().map_or(Ok(50_000), |text| text.parse())?;
    println!("{messages} messages of {bytes} bytes over SMTP in `{}`", base.display());
    println!("{:>11}  {:>10}  {:>14}  {:>6}", "connections", "messages/s", "floor messages/s", "share");
    let mut is_reached = false;
    for connections in CONNECTIONS {
        let floor = bench::floor(&base, messages, *connections, |number| message(number, bytes))?;
        let rate = messages as f64 / mail(&base, messages, bytes, *connections)?.as_secs_f64();
        let share = rate / floor;
        println!("{connections:>11}  {rate:>10.0}  {floor:>16.0}  {:>5.0}%", 100.0 * share);
        is_reached |= rate >= GOAL_RATE || share >= GOAL_SHARE;
    }
    if is_reached {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("below {GOAL_RATE} messages a second and below {:.0} % of the floor", 100.0 * GOAL_SHARE);
    Ok(ExitCode::FAILURE)
}

/// A message nobody has sent before.
fn message(number: usize, bytes: usize) -> Vec<u8> {
    let mut message = format!("From: a@sender.example\r\nSubject: Receipt {number}\r\n\r\n").into_bytes();
    // Lines of 78 octets, as programs that send mail write them.
    while message.len() + 78 <= bytes {
        message.extend([b'x'; 76]);
        message.extend(b"\r\n");
    }
    message
}

/// How long all messages took.
fn mail(base: &Path, messages: usize, bytes: usize, connections: usize) -> anyhow::Result<Duration> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let dir = tempfile::tempdir_in(base)?;
        let (app, actor) = bench::instance(dir.path()).await?;
        let own = addresses::of_person(&app, &actor).await?;
        let to = own.first().map(|address| format!("{}@in.example", address.local_part));
        let to = to.ok_or_else(|| anyhow::anyhow!("everybody has an address"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let at = listener.local_addr()?;
        let stop = CancellationToken::new();
        let settings = MailSettings {
            domains: vec!["in.example".to_owned()],
            host_name: "mx.in.example".to_owned(),
            policy: SenderPolicy::Proved,
            links: LinkPolicy::default(),
        };
        let office =
            PostOffice { app: app.clone(), settings: Arc::new(settings), authenticator: Authenticator::without_dns() };
        let desk = ListenerSettings {
            dialect: Dialect::Smtp,
            max_connections: connections,
            max_per_address: connections,
            greeting_pause: listener::GREETING_PAUSE,
            silence: Duration::from_secs(60),
            tls: None,
            rates: Rates::per_hour(0),
        };
        let listening = tokio::spawn(listener::listen(listener, office, desk, stop.clone()));
        let started = Instant::now();
        let mut clients = JoinSet::new();
        for client in 0..connections {
            let to = to.clone();
            let numbers = (client..messages).step_by(connections);
            clients.spawn(async move { send(at, &to, numbers, bytes).await });
        }
        while let Some(sent) = clients.join_next().await {
            sent??;
        }
        let elapsed = started.elapsed();
        stop.cancel();
        listening.await?;
        app.db.close().await;
        Ok(elapsed)
    })
}

/// Sends the messages with these numbers over one connection, each when the one before was accepted.
async fn send(at: SocketAddr, to: &str, numbers: impl Iterator<Item = usize>, bytes: usize) -> anyhow::Result<()> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut replies = BufReader::new(read).lines();
    expect(&mut replies, "220").await?;
    write.write_all(b"EHLO sender.example\r\n").await?;
    expect(&mut replies, "250").await?;
    for number in numbers {
        let commands = format!("MAIL FROM:<a@sender.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        write.write_all(commands.as_bytes()).await?;
        expect(&mut replies, "250").await?;
        expect(&mut replies, "250").await?;
        expect(&mut replies, "354").await?;
        let mut content = message(number, bytes);
        content.extend(b".\r\n");
        write.write_all(&content).await?;
        expect(&mut replies, "250").await?;
    }
    write.write_all(b"QUIT\r\n").await?;
    expect(&mut replies, "221").await
}

/// Waits for the last line of a reply and asks for its code.
async fn expect(replies: &mut Lines<BufReader<OwnedReadHalf>>, code: &str) -> anyhow::Result<()> {
    // Ends: with the reply, or the connection.
    while let Some(line) = replies.next_line().await? {
        anyhow::ensure!(line.starts_with(code), "expected `{code}`, not `{line}`");
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
    anyhow::bail!("the server went away instead of `{code}`")
}
