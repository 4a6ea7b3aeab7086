//! `vouch ingest FILE…`: mails handed in by a script on this machine, through the real binary.

use mail_builder::MessageBuilder;
use serde_json::json;

use crate::support::{Api, Server};

/// The ids of the captures a run named, in its order.
fn named(said: &str) -> Vec<String> {
    said.lines().filter_map(|line| Some(line.split_once(", capture ")?.1.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_ingested_once_a_broken_one_is_kept_with_its_reason_and_what_is_no_receipt_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let mail = MessageBuilder::new()
        .from(("Harbour Cafe", "receipts@cafe.example"))
        .subject("Your receipt")
        .text_body("HARBOUR CAFE\nDate: 20 November 2026\nCoffee  4.50\nTotal  EUR 4.50\n");
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = file("mail.eml", &mail.write_to_vec().unwrap());
    let bomb = format!("Subject: bomb\r\n{}", "Content-Type: message/rfc822\r\n\r\n".repeat(5_000));
    let broken = file("broken.eml", bomb.as_bytes());
    let (ok, said) = server.run(&["ingest", "--owner", "rep", &good, &broken]);
    assert!(ok && said.matches("created, capture").count() == 2, "{said}");

    let captures = named(&said);
    let (read, failed) = (api.settled(&captures[0]).await, api.settled(&captures[1]).await);
    assert_eq!((&read["state"], &read["receipts"][0]["total"]), (&json!("read"), &json!("4.50")), "{read}");
    assert_eq!((&failed["state"], &failed["reason"]), (&json!("failed"), &json!("mime_limits")), "kept, with why");

    // The same files again are the captures that are there, and a copy under another name is as well.
    let copy = file("copy.eml", &std::fs::read(&good).unwrap());
    let (ok, said) = server.run(&["ingest", "--owner", "rep", &good, &broken, &copy]);
    assert!(ok && said.matches("already here, capture").count() == 3, "{said}");
    assert_eq!(named(&said), [captures[0].as_str(), &captures[1], &captures[0]], "nothing was doubled");
    let drafts = api.get("/drafts").await;
    assert_eq!(drafts["receipts"].as_array().unwrap().len(), 1, "{drafts}");

    // One refused file costs itself and the exit code; the others are taken.
    let tool = file("tool.exe", b"MZ\x90\x00\x03\x00\x00\x00\x04");
    let other = file("other.eml", b"From: a@b.example\r\nSubject: x\r\n\r\nTotal EUR 7.00\r\n");
    let (ok, said) =
        server.run(&["ingest", "--owner", "rep", &tool, &dir.path().join("gone.eml").to_string_lossy(), &other]);
    assert!(!ok && said.matches("created, capture").count() == 1, "{said}");
    assert!(said.contains("tool.exe: ") && said.contains("gone.eml: "), "each refusal names its file: {said}");
    let (ok, said) = server.run(&["ingest", "--owner", "nobody", &good]);
    assert!(!ok && said.contains("there is no active user `nobody`"), "{said}");
}
