//! Killed at every step of a message's way: what was acknowledged is there, what was not comes again, nothing is there twice.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use serde_json::Value;

use super::dovecot::Dovecot;

const VOUCH: &str = env!("CARGO_BIN_EXE_vouch");
const PATIENCE: Duration = Duration::from_secs(180);

/// A running `vouch serve` that takes mail and reads nothing.
struct Server {
    child: Child,
    address: String,
    smtp: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data_dir: &Path, config: &str) -> Command {
    std::fs::create_dir_all(data_dir).unwrap();
    let file = data_dir.join("vouch.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(VOUCH);
    command
        .env("VOUCH_CONFIG", file)
        .env("VOUCH_DATA_DIR", data_dir)
        .env("VOUCH_SERVER__TLS__MODE", "off")
        .env("VOUCH_SERVER__LISTEN", "127.0.0.1:0")
        // Nobody answers there: senders stay unchecked, at once.
        .env("VOUCH_MAIL__RESOLVER", "127.0.0.1:1")
        .env("VOUCH_MAIL__DOMAINS", "in.example")
        .env("VOUCH_MAIL__SMTP__LISTEN", "127.0.0.1:0")
        .env("VOUCH_MAIL__WEBHOOKS__POSTMARK_CREDENTIALS", "postmark:0123456789abcdef");
    command
}

impl Server {
    /// Starts one that dies at the crash point, when one is named.
    fn start(data_dir: &Path, config: &str, crash_point: Option<&str>) -> Self {
        let mut command = command(data_dir, config);
        if let Some(point) = crash_point {
            command.env("FAILPOINTS", format!("{point}=return"));
        }
        let mut child =
            command.args(["serve", "--no-workers"]).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut smtp = String::new();
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(at) = line.trim().strip_prefix("mail by SMTP on ") {
                    at.clone_into(&mut smtp);
                } else if let Some(address) = line.strip_prefix("listening on ") {
                    let _ = sender.send((address.to_owned(), smtp.clone()));
                }
            }
        });
        // One that polls a mailbox may die before it listens.
        let (address, smtp) = match receiver.recv_timeout(PATIENCE) {
            Ok(found) => found,
            Err(error) => {
                assert!(crash_point.is_some(), "`listening on` within the limit: {error}");
                (String::new(), String::new())
            }
        };
        Self { child, address, smtp }
    }

    /// Waits for the end of a process that was to die.
    fn is_dead(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        let until = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.signal() == Some(9);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Sends the message as mail servers do; whether it was acknowledged.
    fn send(&self, to: &str, raw: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.smtp) else { return false };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = String::new();
        let mut hear = |stream: &mut TcpStream, until: &str| {
            let mut chunk = [0; 4096];
            // A reset connection loses no answer that was sent before.
            while !said.contains(until) {
                match stream.read(&mut chunk) {
                    Ok(read) if read > 0 => said.push_str(&String::from_utf8_lossy(&chunk[..read])),
                    Ok(_) | Err(_) => return false,
                }
            }
            true
        };
        let envelope = format!("EHLO mx\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        let is_acknowledged = hear(&mut stream, "220 ")
            && stream.write_all(envelope.as_bytes()).is_ok()
            && hear(&mut stream, "354 ")
            // A server that dies in the middle of the content may still have acknowledged nothing.
            && { let _ = stream.write_all(format!("{raw}\r\n.\r\n").as_bytes()); true }
            && hear(&mut stream, "250 2.6.0");
        // Goodbye comes after the answer: a server may die between the two.
        let _ = stream.write_all(b"QUIT\r\n");
        is_acknowledged
    }
}

/// A user with a token and a secret address.
async fn furnish(data_dir: &Path, config: &str) -> (String, String) {
    let run = |arguments: &[&str]| {
        let output = command(data_dir, config).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    run(&["user", "add", "anna", "--roles", "rep"]);
    let token = run(&["user", "token", "anna"]).lines().find(|line| line.starts_with("vch_")).unwrap().to_owned();
    let server = Server::start(data_dir, config, None);
    let addresses = get(&server, &token, "mail/addresses").await;
    (token, addresses["addresses"][0]["address"].as_str().unwrap().to_owned())
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

async fn get(server: &Server, token: &str, path: &str) -> Value {
    let url = format!("{}/api/v1/{path}", server.address);
    let answer = client().get(url).bearer_auth(token).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

/// Subjects of all messages, in order.
async fn subjects(server: &Server, token: &str) -> Vec<String> {
    let list = get(server, token, "mail/messages").await;
    let mut subjects: Vec<String> =
        list["messages"].as_array().unwrap().iter().map(|m| m["subject"].as_str().unwrap().to_owned()).collect();
    subjects.sort();
    subjects
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_killed_at_any_step_loses_nothing_acknowledged_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (token, address) = furnish(dir.path(), "").await;
    let points = ["m01", "m02", "m03", "o05", "u11", "m04", "m05"];
    for (n, point) in points.iter().enumerate() {
        // More than one read of a socket takes: content is still being received when the first of it is there.
        let filler = format!("{}\r\n", "-".repeat(70)).repeat(3_000);
        let raw = format!("From: a@b.example\r\nSubject: {n}\r\n\r\n{filler}Total {n}.00");
        let mut server = Server::start(dir.path(), "", Some(point));
        let is_acknowledged = server.send(&address, &raw);
        assert!(server.is_dead(), "{point} was not reached");
        assert_eq!(is_acknowledged, *point == "m05", "{point}");
        let server = Server::start(dir.path(), "", None);
        if !is_acknowledged {
            // The sender keeps it and comes again.
            assert!(server.send(&address, &raw), "{point}");
        }
        let expected: Vec<String> = (0..=n).map(|n| n.to_string()).collect();
        assert_eq!(subjects(&server, &token).await, expected, "after {point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_killed_at_any_step_is_sent_again_and_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let (token, address) = furnish(dir.path(), "").await;
    for (n, point) in ["h01", "o05", "u11", "h03"].iter().enumerate() {
        let body = serde_json::json!({
            "RawEmail": format!("From: a@b.example\r\nSubject: {n}\r\n\r\nTotal {n}.00\r\n"),
            "OriginalRecipient": address,
        });
        let post = async |server: &Server| {
            let url = format!("{}/hooks/mail/postmark", server.address);
            let request = client().post(url).basic_auth("postmark", Some("0123456789abcdef"));
            request.json(&body).send().await.is_ok_and(|answer| answer.status().is_success())
        };
        let mut server = Server::start(dir.path(), "", Some(point));
        assert!(!post(&server).await, "{point}");
        assert!(server.is_dead(), "{point} was not reached");
        let server = Server::start(dir.path(), "", None);
        assert!(post(&server).await, "{point}");
        let expected: Vec<String> = (0..=n).map(|n| n.to_string()).collect();
        assert_eq!(subjects(&server, &token).await, expected, "after {point}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_poll_killed_at_any_step_goes_on_and_keeps_every_message_once() {
    let Some(dovecot) = Dovecot::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let account = dovecot.account(None);
    let config = format!(
        "[mail.imap]\npoll_seconds = 1\naccounts = [{{ name = \"test\", host = \"127.0.0.1\", port = {}, tls = \"none\", user = \"anna\", password = {}, owner = \"anna\" }}]\n",
        account.port,
        toml_text(&account.password),
    );
    let (token, _) = furnish(dir.path(), &config).await;
    for (n, point) in ["i01", "o05", "u11", "i03", "i04"].iter().enumerate() {
        let raw = format!("From: a@b.example\nTo: x@y.example\nSubject: {n}\n\nTotal {n}.00\n");
        dovecot.deliver(&n.to_string(), &raw);
        let mut server = Server::start(dir.path(), &config, Some(point));
        assert!(server.is_dead(), "{point} was not reached");
        let server = Server::start(dir.path(), &config, None);
        let expected: Vec<String> = (0..=n).map(|n| n.to_string()).collect();
        let until = std::time::Instant::now() + PATIENCE;
        while subjects(&server, &token).await != expected || dovecot.flagged('S') <= n {
            assert!(std::time::Instant::now() < until, "after {point}: {:?}", subjects(&server, &token).await);
        }
    }
}

fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
