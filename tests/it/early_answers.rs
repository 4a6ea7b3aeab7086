//! Answers that come before the request was sent whole: they arrive, say what they are, and break nothing after them.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{Api, Server, fixture, variable};

/// What a sender of `body` reads that starts reading only when everything is sent, as browsers do.
async fn sent_whole_then_read(server: &Server, head: &str, body: &[u8]) -> (u16, String, Value) {
    let authority = server.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority).await.expect("a connection");
    let head = format!(
        "POST /api/v1/receipts?file_name=receipt.jpg HTTP/1.1\r\nHost: {authority}\r\n{head}Content-Length: {}\r\n\r\n",
        body.len(),
    );
    stream.write_all(head.as_bytes()).await.expect("the head goes out");
    for part in body.chunks(64 << 10) {
        stream.write_all(part).await.expect("nobody hangs up on the body");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the answer, then the end");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_is_refused_early_still_reads_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let env = [variable("CAPTURE__MAX_BYTES", "2000000"), variable("CAPTURE__MAX_FILES", "4")];
    let server = Server::start(dir.path(), &env, &["--no-workers"]);
    let token = format!("Authorization: Bearer {}\r\n", server.token("rep", "rep"));
    for (what, head, bytes, status, code) in [
        ("nobody signed in", "", 3 << 20, 401, "unauthorized"),
        ("longer than a file may be", &*token, 3 << 20, 413, "document_too_large"),
        ("longer than any request may be", &*token, 12 << 20, 413, "too_large"),
    ] {
        let (answered, answer, problem) = sent_whole_then_read(&server, head, &vec![0xff; bytes]).await;
        assert_eq!((answered, &problem["code"]), (status, &Value::from(code)), "{what}: {answer} {problem}");
        assert!(answer.contains("connection: close"), "{what}: {answer}");
        assert!(answer.contains("application/problem+json"), "{what}: {answer}");
    }
    // A sender that asks first is told no, and is not waited for.
    let authority = server.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(authority).await.expect("a connection");
    let head = format!(
        "POST /api/v1/receipts HTTP/1.1\r\nHost: {authority}\r\nExpect: 100-continue\r\nContent-Length: 3000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("the head goes out");
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer));
    read.await.expect("it ends at once").expect("the answer, then the end");
    assert!(answer.starts_with("HTTP/1.1 401"), "no `100 Continue` before it: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_keeps_its_connection_is_never_cut_off_after_a_refusal() {
    let dir = tempfile::tempdir().expect("a directory");
    let env = [variable("CAPTURE__RESERVE_MB", "1000000000")];
    let server = Server::start(dir.path(), &env, &["--no-workers"]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let file = [fixture("000-till-slip-en"), vec![0; 1 << 20]].concat();
    for _ in 0..40 {
        let (status, body) = api.upload(file.clone()).await;
        assert_eq!((status, &body["code"]), (507, &Value::from("disk_full")), "{body}");
        api.get("/captures").await;
    }
}
