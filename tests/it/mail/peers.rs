//! Senders that other people wrote: lettre, Python's smtplib, swaks and Postfix's smtp-source.

use std::{net::SocketAddr, path::PathBuf, process::Command, sync::Arc};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::client::{Tls, TlsParameters},
};
use vouch::capture::mail::session::Dialect;

use super::world::{World, address_of};
use crate::support::{office, rep};

/// Python packages that were only unpacked.
const PYTHON_PEERS: &str = "target/peers/python";

/// Where a program of a peer is, or a word about its absence.
fn program(name: &str) -> Option<PathBuf> {
    let places = std::env::var_os("PATH").unwrap_or_default();
    let extra = [PathBuf::from("/usr/sbin"), PathBuf::from("target/peers/usr/sbin")];
    let found = std::env::split_paths(&places).chain(extra).map(|dir| dir.join(name)).find(|path| path.is_file());
    if found.is_none() {
        let is_required = std::env::var("VOUCH_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1");
        assert!(!is_required, "`{name}` is not installed, and all peers are required");
        eprintln!("skipped: `{name}` is not installed; scripts/install-deps.sh test installs it");
    }
    found
}

/// Runs a peer to its end, off the runtime's threads; its output when it failed.
async fn run(mut command: Command) -> Result<String, String> {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("the peer starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(text) } else { Err(text) }
}

/// A certificate for `localhost` as PEM, and the server's settings with it.
fn tls() -> (String, Arc<rustls::ServerConfig>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (made.cert.pem(), Arc::new(server))
}

#[tokio::test(flavor = "multi_thread")]
async fn lettre_delivers_over_starttls_and_bytes_arrive_as_sent() {
    let world = World::new().await;
    let (pem, server) = tls();
    let running = world.listen_with(office(&world.test), Dialect::Smtp, Some(server)).await;
    let certificate = lettre::transport::smtp::client::Certificate::from_pem(pem.as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".to_owned()).add_root_certificate(certificate).build().unwrap();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost")
        .port(running.at.port())
        .tls(Tls::Required(parameters))
        .build();
    let message = Message::builder()
        .from("Zhang <zhang@corp.example>".parse().unwrap())
        .to(world.address.parse().unwrap())
        .subject("发票")
        .body(".leading dot\r\n合计 12.00\r\n".to_owned())
        .unwrap();
    transport.send(message.clone()).await.unwrap();
    let waiting = world.waiting().await;
    assert!(waiting[0].is_encrypted);
    assert_eq!(waiting[0].subject.as_deref(), Some("发票"));
    let mut sent = message.formatted();
    // RFC 5321, section 4.1.1.4: the line end before the closing dot belongs to the message.
    if !sent.ends_with(b"\r\n") {
        sent.extend_from_slice(b"\r\n");
    }
    assert_eq!(world.bytes(&waiting[0]).await, sent);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_smtplib_delivers_hundreds_of_messages_over_smtp_and_lmtp_octet_for_octet() {
    let Some(python) = program("python3") else { return };
    let world = World::new().await;
    let ben = rep(&world.test, "ben").await.actor().unwrap();
    let other = address_of(&world.test, &ben).await;
    let script = r#"
import smtplib, sys
protocol, port, count, *to = sys.argv[1:]
# smtplib hears one answer only, where LMTP gives one for each recipient.
to = to[:1] if protocol == "lmtp" else to
client = (smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP)("127.0.0.1", int(port))
client.ehlo_or_helo_if_needed() if protocol == "smtp" else None
for n in range(int(count)):
    refused = client.sendmail("shop@shop.example", to, (f"From: shop@shop.example\r\nSubject: {protocol} {n}\r\n\r\n" + f"..line {n}\r\n.\r\n" * 20).encode(), ["body=8bitmime"])
    assert not refused, refused
client.quit()
"#;
    for (dialect, word, count) in [(Dialect::Smtp, "smtp", 300), (Dialect::Lmtp, "lmtp", 200)] {
        let running = world.listen(dialect).await;
        let mut command = Command::new(&python);
        command.args(["-c", script, word, &running.at.port().to_string(), &count.to_string(), &world.address, &other]);
        run(command).await.unwrap();
    }
    let waiting = world.waiting().await;
    assert_eq!(waiting.len(), 500);
    let one = waiting.iter().find(|message| message.subject.as_deref() == Some("smtp 7")).unwrap();
    let expected = format!("From: shop@shop.example\r\nSubject: smtp 7\r\n\r\n{}", "..line 7\r\n.\r\n".repeat(20));
    assert_eq!(String::from_utf8(world.bytes(one).await).unwrap(), expected);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_made_with_aiosmtpd_passes_everything_on_and_hears_who_is_nobody_here() {
    let Some(python) = program("python3") else { return };
    let mut has_aiosmtpd = Command::new(&python);
    has_aiosmtpd.args(["-c", "import aiosmtpd.controller"]).env("PYTHONPATH", PYTHON_PEERS);
    if run(has_aiosmtpd).await.is_err() {
        let is_required = std::env::var("VOUCH_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1");
        assert!(!is_required, "aiosmtpd is not installed, and all peers are required");
        eprintln!("skipped: aiosmtpd is not installed; scripts/install-deps.sh test installs it");
        return;
    }
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let script = r#"
import smtplib, socket, sys
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Proxy
port, count, known = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
refused = []
class Relay(Proxy):
    def _deliver(self, *message):
        refused.append(super()._deliver(*message))
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    at = free.getsockname()[1]
relay = Controller(Relay("127.0.0.1", port), hostname="127.0.0.1", port=at)
relay.start()
client = smtplib.SMTP("127.0.0.1", at)
for n in range(count):
    client.sendmail("shop@shop.example", [known], f"From: shop@shop.example\r\nSubject: relayed {n}\r\n\r\n..line\r\nTotal {n}.00\r\n")
assert not any(refused), refused
client.sendmail("shop@shop.example", ["r-bbbbbbbbbbbbbbbb@in.example"], "Subject: nobody\r\n\r\nx\r\n")
assert [code for code, _ in refused[-1].values()] == [550], refused[-1]
relay.stop()
"#;
    let mut command = Command::new(&python);
    command.env("PYTHONPATH", PYTHON_PEERS);
    command.args(["-c", script, &running.at.port().to_string(), "200", &world.address]);
    run(command).await.unwrap();
    let waiting = world.waiting().await;
    assert_eq!(waiting.len(), 200);
    let one = waiting.iter().find(|message| message.subject.as_deref() == Some("relayed 7")).unwrap();
    let text = String::from_utf8(world.bytes(one).await).unwrap();
    assert!(text.ends_with("..line\r\nTotal 7.00\r\n"), "{text}");
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn swaks_delivers_pipelined_and_by_lmtp_and_hears_no_to_wrong_addresses() {
    let Some(swaks) = program("swaks") else { return };
    let world = World::new().await;
    let smtp = world.listen(Dialect::Smtp).await;
    let lmtp = world.listen(Dialect::Lmtp).await;
    let command = |at: SocketAddr, to: &str, more: &[&str]| {
        let mut command = Command::new(&swaks);
        command.args(["--server", &at.to_string(), "--to", to, "--from", "a@b.example"]).args(more);
        command
    };
    for (at, more) in [
        (smtp.at, &["--pipeline", "--header", "Subject: piped"][..]),
        (smtp.at, &["--header", "Subject: plain"]),
        (lmtp.at, &["--protocol", "LMTP", "--header", "Subject: local"]),
    ] {
        run(command(at, &world.address, more)).await.unwrap();
    }
    let wrong = run(command(smtp.at, "r-bbbbbbbbbbbbbbbb@in.example", &[])).await.unwrap_err();
    assert!(wrong.contains("550 5.1.1"), "{wrong}");
    let relay = run(command(smtp.at, "victim@elsewhere.example", &[])).await.unwrap_err();
    assert!(relay.contains("550 5.7.1"), "{relay}");
    let mut subjects: Vec<String> = world.waiting().await.into_iter().filter_map(|m| m.subject).collect();
    subjects.sort();
    assert_eq!(subjects, ["local", "piped", "plain"]);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postfix_smtp_source_delivers_over_many_connections_at_once() {
    let Some(source) = program("smtp-source") else { return };
    let world = World::new().await;
    for (dialect, flag) in [(Dialect::Smtp, None), (Dialect::Lmtp, Some("-L"))] {
        let running = world.listen(dialect).await;
        let mut command = Command::new(&source);
        // Its libraries lie beside it when the package was only unpacked.
        let lib = source.parent().and_then(|dir| dir.parent()).map(|usr| usr.join("lib/postfix"));
        command.env("LD_LIBRARY_PATH", lib.unwrap_or_default());
        command.args(flag).args([
            "-c",
            "-s",
            "10",
            "-m",
            "200",
            "-l",
            "5000",
            "-f",
            "a@b.example",
            "-t",
            &world.address,
        ]);
        command.args(["-M", "mx.example", &format!("inet:127.0.0.1:{}", running.at.port())]);
        run(command).await.unwrap();
    }
    // All its messages of one run differ in their Message-ID only.
    assert!(world.waiting().await.len() > 1);
    world.fresh.remove().await;
}
