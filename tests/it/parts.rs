//! Documents inside documents, through the real server: an archive of receipts, a part that cannot be read, a password.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::support::{Api, Server, fixture};

pub const TAXI: &str = "CITY CABS LTD\nDate: 20/11/2026   Time 09:14\nTrip to airport\nTOTAL   GBP 31.50\nThank you\n";
pub const CAFE: &str = "HARBOUR CAFE\nDate: 19/11/2026\nCoffee        4.50\nSandwich      8.30\nTOTAL EUR    12.80\n";

pub fn archive(files: &[(&str, &[u8])], password: Option<&[u8]>) -> Vec<u8> {
    use zip::unstable::write::FileOptionsExt as _;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let mut options = SimpleFileOptions::default();
        if let Some(password) = password {
            options = options.with_deprecated_encryption(password).unwrap();
        }
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Uploads and waits until it is read; the capture.
pub async fn hand_in(api: &Api, bytes: Vec<u8>) -> Value {
    let (status, body) = api.upload(bytes).await;
    assert!(status == 201 || status == 200, "{status}: {body}");
    let id = body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned();
    api.settled(&id).await
}

/// Document names with why they were not read, in order.
fn outcomes(capture: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    capture["documents"].as_array().unwrap().iter().map(|d| (text(&d["file_name"]), text(&d["reason"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_receipts_becomes_one_draft_each_and_a_broken_entry_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let picture = fixture("000-till-slip-en");
    let files: &[(&str, &[u8])] = &[
        ("trip/taxi.txt", TAXI.as_bytes()),
        ("trip/slip.jpg", &picture),
        ("trip/broken.jpg", b"\xFF\xD8\xFF\xE0 no picture"),
        ("trip/tool.exe", b"MZ\x90\x00\x03\x00\x00\x00\x04"),
    ];
    let capture = hand_in(&api, archive(files, None)).await;
    assert_eq!(capture["state"], "read", "{capture}");
    let receipts = capture["receipts"].as_array().unwrap();
    assert_eq!(receipts.len(), 2, "{capture}");
    assert!(receipts.iter().any(|r| r["total"] == "31.50" && r["currency"] == "GBP"), "{receipts:?}");
    let outcome = |name: &str, reason: &str| (name.to_owned(), reason.to_owned());
    assert_eq!(
        outcomes(&capture)[1..],
        [outcome("taxi.txt", ""), outcome("slip.jpg", ""), outcome("broken.jpg", "undecodable")]
    );
    assert_eq!(capture["refused"][0]["file_name"], "tool.exe");
    assert_eq!(capture["refused"][0]["reason"], "unsupported_type");

    // Each draft shows its own document and gives its own bytes.
    let taxi = receipts.iter().find(|r| r["total"] == "31.50").unwrap();
    let draft = api.get(&format!("/drafts/{}", taxi["id"].as_str().unwrap())).await;
    assert_eq!(draft["documents"][0]["file_name"], "taxi.txt");
    assert!(
        draft["pages"][0]["preview_url"].is_string() && draft["fields"]["total"]["proposed"]["box"].is_array(),
        "{draft}"
    );
    let original = format!("{}{}", api.address, draft["documents"][0]["original_url"].as_str().unwrap());
    let answer = api.client.get(original).bearer_auth(&api.token).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), TAXI.as_bytes());

    // The same picture by itself is the receipt that is there already; another archive with it drafts only what is new.
    let again = hand_in(&api, picture.clone()).await;
    assert_eq!(again["id"], capture["id"]);
    let second = hand_in(&api, archive(&[("slip.jpg", &picture), ("cafe.txt", CAFE.as_bytes())], None)).await;
    let receipts = second["receipts"].as_array().unwrap();
    assert_eq!((receipts.len(), &receipts[0]["total"]), (1, &json!("12.80")), "{second}");
    assert_eq!(second["documents"][1]["filed_capture_id"], capture["id"]);
    let third = hand_in(&api, archive(&[("only.jpg", &picture)], None)).await;
    assert_eq!(
        (&third["state"], &third["reason"], third["receipts"].as_array().unwrap().len()),
        (&json!("read"), &json!("already_filed"), 0)
    );
    let (ok, text) = server.run(&["journal", "verify"]);
    assert!(ok, "{text}");
    let (ok, text) = server.run(&["scrub"]);
    assert!(ok, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_archive_waits_for_its_password_which_is_nowhere_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let capture = hand_in(&api, archive(&[("taxi.txt", TAXI.as_bytes())], Some(b"open-sesame-417"))).await;
    assert_eq!(
        (&capture["state"], &capture["reason"]),
        (&json!("password_needed"), &json!("password_needed")),
        "{capture}"
    );
    let path = format!("/captures/{}/password", capture["id"].as_str().unwrap());
    let post = reqwest::Method::POST;
    let id = capture["id"].as_str().unwrap();

    let (status, body) = api.send(post.clone(), &path, &json!({ "password": "wrong-guess-992" })).await;
    assert_eq!(status, 202, "{body}");
    let still = api.settled(id).await;
    assert_eq!(still["state"], "password_needed", "{still}");
    assert!(still["detail"].as_str().unwrap().contains("does not open"), "{still}");

    let (status, _) = api.send(post.clone(), &path, &json!({ "password": "open-sesame-417" })).await;
    assert_eq!(status, 202);
    let read = api.settled(id).await;
    assert_eq!((&read["state"], &read["receipts"][0]["total"]), (&json!("read"), &json!("31.50")), "{read}");
    let (status, _) = api.send(post, &path, &json!({ "password": "open-sesame-417" })).await;
    assert_eq!(status, 403, "nothing waits any more");

    // Not in the database file, its log, or any journal body.
    server.stop();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for secret in [&b"open-sesame-417"[..], b"wrong-guess-992"] {
                assert!(!bytes.windows(secret.len()).any(|w| w == secret), "a password is left in {}", path.display());
            }
        }
    }
}
