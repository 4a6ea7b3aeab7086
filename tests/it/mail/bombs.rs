//! Mails made to be expensive, through the real reader: each is read, or refused for what it is, in bounded time, and
//! without its child being killed for time or memory.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::support::VOUCH;

/// The slowest takes a few seconds alone; the rest is for machines that do other things as well.
const MOST: Duration = Duration::from_secs(60);
/// Memory of a child (`reader.memory_mb`): half of the default, so that what grows with a mail is noticed.
const MEMORY_MB: u32 = 512;
/// Drawing a page costs the same whatever is on it, and many pages in an unoptimised build long.
const MAX_PAGES: u32 = 3;
const MB: usize = 1024 * 1024;

const HEAD: &str = "From: a@b.example\r\nSubject: bomb\r\n";

fn html(body: &str) -> Vec<u8> {
    format!("{HEAD}Content-Type: text/html; charset=utf-8\r\n\r\n{body}").into_bytes()
}

fn plain(body: &str) -> Vec<u8> {
    format!("{HEAD}\r\n{body}").into_bytes()
}

/// Many of something that has to differ from one to the next.
fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = write!(text, "{}", one(n));
        text
    })
}

/// A message inside a message, `depth` times, each packed as base64.
fn packed(depth: usize) -> Vec<u8> {
    (0..depth).fold(b"Subject: x\r\n\r\ninside".to_vec(), |inside, _| {
        let encoded = BASE64_STANDARD.encode(inside);
        let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|c| std::str::from_utf8(c).unwrap()).collect();
        let head = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        format!("{HEAD}{head}{}", lines.join("\r\n")).into_bytes()
    })
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let attributes = many(600_000, |n| format!("a{n} "));
    let multipart = format!("{HEAD}Content-Type: multipart/mixed; boundary=x\r\n\r\n");
    let part = format!("--x\r\nContent-Type: text/html\r\n\r\n{}\r\n", "<p>x</p>".repeat(40_000));
    vec![
        ("tags without an end", html(&"<".repeat(4 * MB))),
        ("named tags without an end", html(&"<a".repeat(2 * MB))),
        ("attributes", html(&format!("<p {attributes}>x"))),
        ("attributes after a quoted end", html(&format!("<p y='>' {attributes}>x"))),
        ("open tags", html(&"<b>".repeat(4_900))),
        ("misnested formatting", html(&format!("{}{}", "<b><i><u><s></p>".repeat(1_000), "<p>".repeat(100_000)))),
        ("tables in tables", html(&"<table><tr><td>".repeat(600))),
        ("a row of 50,000 cells", html(&format!("<table><tr>{}", "<td>x</td>".repeat(50_000)))),
        ("cells over a million columns", html(&format!("<table>{}", "<tr><td colspan=1000000>x<td>y".repeat(20_000)))),
        (
            "things in things of many names",
            html(&"<div itemscope itemprop='a b c d e f g h' itemtype='http://schema.org/Order'>".repeat(40)),
        ),
        ("brackets of JSON", html(&format!("<script type='application/ld+json'>{}", "[".repeat(200_000)))),
        ("pictures in the text", html(&"<img src='data:image/png;base64,iVBORw0KGgo1'>".repeat(60_000))),
        ("labels on one line", plain(&format!("----- F ----- {}", "From:".repeat(3 * MB)))),
        ("labels on many lines", plain(&format!("----- F ----- {}\r\n", "A:".repeat(3_000)).repeat(3_000))),
        ("headers of forwards", plain(&"From: a\r\nDate: b\r\n To: \r\n".repeat(300_000))),
        ("quotation marks", plain(&format!("{}\r\n", ">".repeat(100_000)).repeat(200))),
        ("six million lines", plain(&"x\r\n".repeat(6_000_000))),
        ("one line of 20 MB", plain(&"x".repeat(20 * MB))),
        ("dates and amounts", plain(&"2026-11-20 12.00 ".repeat(MB))),
        ("addresses", plain(&"https://x.example/receipt ".repeat(700_000))),
        ("60 texts", format!("{multipart}{}", part.repeat(60)).into_bytes()),
        ("490 parts", format!("{multipart}{}", "--x\r\n\r\nx\r\n".repeat(490)).into_bytes()),
        (
            "messages in messages",
            format!("{HEAD}{}", "Content-Type: message/rfc822\r\n\r\n".repeat(5_000)).into_bytes(),
        ),
        ("packed messages in messages", packed(12)),
        (
            "parameters",
            format!("{HEAD}Content-Type: text/plain; {}\r\n\r\nx", many(9_000, |n| format!("n*{n}*=utf-8''x; ")))
                .into_bytes(),
        ),
        ("comments", format!("From: {}\r\nSubject: x\r\n\r\nx", "(".repeat(100_000)).into_bytes()),
        (
            "shifts of ISO-2022-JP",
            [
                HEAD.as_bytes(),
                b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n",
                &b"\x1b$B\x1b(B".repeat(3 * MB),
            ]
            .concat(),
        ),
    ]
}

/// What `vouch read` says of the mail, and how long it took, its start included.
fn read(dir: &Path, name: &str, mail: &[u8]) -> (String, Duration) {
    let path = dir.join("bomb.eml");
    std::fs::write(&path, mail).unwrap();
    let started = Instant::now();
    let output = Command::new(VOUCH)
        .args(["read", "--data-dir"])
        .arg(dir)
        .arg(&path)
        .env("VOUCH_READER__MEMORY_MB", MEMORY_MB.to_string())
        .env("VOUCH_CAPTURE__MAX_PAGES", MAX_PAGES.to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (said, started.elapsed())
}

#[test]
fn mail_bombs_cost_bounded_time_and_memory_and_a_reason_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let (mut slowest, mut refused) = ((Duration::ZERO, ""), 0);
    let bombs = bombs();
    for (name, mail) in &bombs {
        let (said, took) = read(dir.path(), name, mail);
        // Read, or refused for what it is; not by a limit of the operating system that ended the child.
        let is_refused = ["mime_limits", "pages_exceeded"].iter().any(|reason| said.contains(reason));
        let is_read = said.lines().next().is_some_and(|line| line.contains("bomb.eml  "));
        assert!(is_refused || is_read, "{name}: {}", &said[..said.floor_char_boundary(400)]);
        assert!(took < MOST, "{name} took {took:?}");
        println!("{name}: {took:.1?}{}", if is_refused { ", refused" } else { "" });
        refused += usize::from(is_refused);
        if took > slowest.0 {
            slowest = (took, name);
        }
    }
    println!("{} bombs, {refused} of them refused; the slowest took {:?}: {}", bombs.len(), slowest.0, slowest.1);
}
