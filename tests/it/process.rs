//! The real binary: upload → draft → correct → confirm → journal verifies → restart → still there; a killed reader or worker
//! loses nothing; SQLite with a local directory, and PostgreSQL with a real S3-speaking server.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    s3_server,
    support::{Api, PATIENCE, Server, fixture, fresh_postgres},
};

/// Upload, read, correct, confirm, verify, restart: on whatever `env` configures.
async fn lives_through_everything(env: &[(String, String)]) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), env, &[]);
    let rep = Api::new(&server, &server.token("rep", "rep"));
    let reviewer = Api::new(&server, &server.token("reviewer", "reviewer"));

    let (status, body) = rep.upload(fixture("000-till-slip-en")).await;
    assert_eq!(status, 201, "{body}");
    let capture = body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned();
    let (status, again) = rep.upload(fixture("000-till-slip-en")).await;
    assert_eq!((status, &again["results"][0]["outcome"]), (200, &json!("already_here")));
    assert_eq!(again["results"][0]["capture"]["id"], capture.as_str());

    let settled = rep.settled(&capture).await;
    assert_eq!(settled["state"], "read", "{settled}");
    let receipts = settled["receipts"].as_array().expect("receipts");
    assert_eq!(receipts.len(), 1);
    let id = receipts[0]["id"].as_str().expect("an id").to_owned();

    let draft = rep.get(&format!("/drafts/{id}")).await;
    let total = &draft["fields"]["total"]["proposed"];
    assert!(total["value"].is_string() && total["box"].is_array(), "the total shows where it came from: {draft}");
    let preview = draft["pages"][0]["preview_url"].as_str().expect("a preview");
    let picture = rep.client.get(format!("{}{preview}", rep.address)).bearer_auth(&rep.token).send().await.expect("it");
    assert_eq!(picture.headers()["content-type"], "image/jpeg");
    let original = format!("{}/api/v1/drafts/{id}/original", rep.address);
    let original = rep.client.get(original).bearer_auth(&rep.token).send().await.expect("an answer");
    assert!(original.headers()["content-disposition"].to_str().expect("text").starts_with("attachment"));
    assert_eq!(original.bytes().await.expect("bytes"), fixture("000-till-slip-en"));

    let fix = json!({ "revision": draft["revision"], "fields": {
        "merchant": "Corner Shop", "issued_on": "2026-11-20", "total": "12.34", "currency": "GBP", "category": "office",
    }});
    // A complete draft is with the reviewers already; an incomplete one is still the rep's.
    let editor = if draft["state"] == "submitted" { &reviewer } else { &rep };
    let (status, fixed) = editor.send(reqwest::Method::PATCH, &format!("/drafts/{id}"), &fix).await;
    assert_eq!(status, 200, "{fixed}");
    assert_eq!(fixed["fields"]["total"]["proposed"], *total, "what was proposed stays");
    let mut revision = fixed["revision"].clone();
    if fixed["state"] == "draft" {
        let (status, body) =
            rep.send(reqwest::Method::POST, &format!("/drafts/{id}/submit"), &json!({ "revision": revision })).await;
        assert_eq!(status, 200, "{body}");
        revision = body["revision"].clone();
    }
    let stale = json!({ "revision": 1 });
    let (status, body) = reviewer.send(reqwest::Method::POST, &format!("/drafts/{id}/confirm"), &stale).await;
    assert_eq!((status, &body["code"]), (409, &json!("conflict")));
    let now = json!({ "revision": revision });
    let (status, body) = reviewer.send(reqwest::Method::POST, &format!("/drafts/{id}/confirm"), &now).await;
    assert_eq!((status, &body["receipt"]["state"]), (200, &json!("confirmed")), "{body}");

    let env = server.env.clone();
    server.stop();
    let server = Server::start(dir.path(), &env, &[]);
    let rep = Api::new(&server, &rep.token);
    let draft = rep.get(&format!("/drafts/{id}")).await;
    assert_eq!((&draft["state"], &draft["total"]), (&json!("confirmed"), &json!("12.34")));
    let (ok, text) = server.run(&["journal", "verify"]);
    assert!(ok && !text.contains("BROKEN"), "{text}");
    let (ok, text) = server.run(&["scrub"]);
    assert!(ok, "{text}");
    let (ok, text) = server.run(&["doctor", "--quick"]);
    assert!(ok, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_becomes_a_confirmed_expense_and_survives_a_restart_on_the_embedded_default() {
    lives_through_everything(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgresql_and_s3() {
    let Some(fresh) = fresh_postgres().await else { return };
    let s3 = s3_server::S3Server::start().await;
    let mut env = s3.environment();
    env.push(("VOUCH_DATABASE__URL".to_owned(), fresh.url()));
    lives_through_everything(&env).await;
    fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_reading_makes_each_draft_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &["--no-workers"]);
    let token = server.token("rep", "rep");
    let api = Api::new(&server, &token);
    let mut captures = Vec::new();
    for name in ["000-till-slip-en", "008-einvoice-zh"] {
        let (status, body) = api.upload(fixture(name)).await;
        assert_eq!(status, 201, "{body}");
        captures.push(body["results"][0]["capture"]["id"].as_str().expect("an id").to_owned());
    }
    server.stop();

    // A worker claims and is killed with its children before it can finish.
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &token);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let states: Vec<Value> = {
            let mut states = Vec::new();
            for capture in &captures {
                states.push(api.get(&format!("/captures/{capture}")).await["state"].clone());
            }
            states
        };
        if states.iter().any(|state| state == "reading") || states.iter().all(|state| state == "read") {
            break;
        }
        assert!(Instant::now() < deadline, "{states:?}");
    }
    drop(server);

    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &token);
    for capture in &captures {
        let settled = api.settled(capture).await;
        assert_eq!(settled["state"], "read", "{settled}");
        assert_eq!(settled["receipts"].as_array().map(Vec::len), Some(1));
    }
    let listed = api.get("/drafts?scope=all").await;
    assert_eq!(listed["receipts"].as_array().map(Vec::len), Some(2));
    let (ok, text) = server.run(&["journal", "verify"]);
    assert!(ok, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_of_one_request_get_a_result_each_and_a_repeated_request_the_same_answer() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &["--no-workers"]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let form = || {
        let part = |bytes: Vec<u8>, name: &'static str| reqwest::multipart::Part::bytes(bytes).file_name(name);
        reqwest::multipart::Form::new()
            .part("files", part(fixture("000-till-slip-en"), "小票.jpg"))
            .part("files", part(b"<svg onload='alert(1)'/>".to_vec(), "letter.jpg"))
            .part("files", part(fixture("008-einvoice-zh"), "invoice.jpg"))
            .text("note", "lunch with the buyer")
            .text("captured_at", "2026-11-20T12:30:00+08:00")
            .text("client_id", "phone-7")
    };
    let send = async |form| {
        let url = format!("{}/api/v1/receipts", api.address);
        let request = api.client.post(url).bearer_auth(&api.token).header("Idempotency-Key", "k1").multipart(form);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    let (status, body) = send(form()).await;
    assert_eq!(status, 207, "{body}");
    let results = body["results"].as_array().expect("results");
    let told: Vec<(&Value, &Value, &Value)> =
        results.iter().map(|r| (&r["file"], &r["outcome"], &r["error"]["code"])).collect();
    let (created, none) = (json!("created"), Value::Null);
    assert_eq!(
        told,
        [
            (&json!("小票.jpg"), &created, &none),
            (&json!("letter.jpg"), &none, &json!("unsupported_type")),
            (&json!("invoice.jpg"), &created, &none),
        ]
    );
    assert_eq!(send(form()).await, (status, body), "the same request, the same answer");
    let other = reqwest::multipart::Form::new()
        .part("files", reqwest::multipart::Part::bytes(fixture("005-swiss-de")).file_name("a.jpg"));
    let (status, body) = send(other).await;
    assert_eq!((status, &body["code"]), (422, &json!("idempotency_conflict")));

    // A header that announces 30,000 x 30,000 pixels is refused before anything is decoded.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0\xb3\x33\x8c\x8a".to_vec();
    let (status, body) = api.upload(png).await;
    assert_eq!((status, &body["code"]), (422, &json!("pixels_exceeded")));
    let (status, body) = api.upload(vec![0xFF; 33 * 1024 * 1024]).await;
    assert_eq!((status, &body["code"]), (413, &json!("document_too_large")));
    assert_eq!(std::fs::read_dir(dir.path().join("spool")).expect("the spool").count(), 0, "nothing is left behind");
    let metrics =
        api.client.get(format!("{}/metrics", api.address)).send().await.expect("it").text().await.expect("it");
    assert!(metrics.contains("vouch_captures_total") && metrics.contains("vouch_jobs{state=\"ready\"} 2"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_a_watched_folder_belong_to_whom_it_names_and_refused_ones_say_why() {
    let dir = tempfile::tempdir().expect("a directory");
    let watched = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &["--no-workers", "--watch", watched.path().to_str().expect("text")]);
    let api = Api::new(&server, &server.token("li", "rep"));
    let folder = watched.path().join("li");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("receipt.jpg"), fixture("000-till-slip-en")).expect("a file");
    std::fs::write(folder.join("drawing.svg"), "<svg onload='alert(1)'/>").expect("a file");
    std::fs::write(watched.path().join("whose.jpg"), fixture("008-einvoice-zh")).expect("a file");
    let deadline = Instant::now() + PATIENCE;
    for moved in ["li/accepted/receipt.jpg", "li/refused/drawing.svg.reason.txt", "refused/whose.jpg.reason.txt"] {
        while !watched.path().join(moved).exists() {
            assert!(Instant::now() < deadline, "`{moved}` did not appear");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let listed = api.get("/captures").await;
    assert_eq!(listed["captures"].as_array().map(Vec::len), Some(1), "{listed}");
}

/// A sample over every kind of broken file: each gets a typed answer, and the service lives.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_cost_themselves_a_reason_and_nobody_else_anything() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/hostile");
    if !corpus.is_dir() {
        eprintln!("skipped: `{}` is not here", corpus.display());
        return;
    }
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![corpus];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files.sort();
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let (mut accepted, mut refused) = (Vec::new(), 0);
    /// Every n-th file unless `VOUCH_TEST_HOSTILE=all` asks for every one, which takes about ten minutes.
    const STEP: usize = 20;
    let step = if std::env::var("VOUCH_TEST_HOSTILE").is_ok_and(|v| v == "all") { 1 } else { STEP };
    for path in files.iter().step_by(step) {
        let (status, body) = api.upload(std::fs::read(path).expect("a file")).await;
        match status {
            201 | 200 => accepted.push(body["results"][0]["capture"]["id"].as_str().expect("an id").to_owned()),
            413 | 415 | 422 => {
                assert!(body["code"].is_string(), "{}: {body}", path.display());
                refused += 1;
            }
            other => panic!("{}: {other} {body}", path.display()),
        }
    }
    for capture in &accepted {
        let settled = api.settled(capture).await;
        assert!(settled["state"] == "read" || settled["reason"].is_string(), "{settled}");
    }
    eprintln!("{} hostile files read or failed with a reason, {refused} refused at the door", accepted.len());
    let (status, body) = api.upload(fixture("000-till-slip-en")).await;
    assert_eq!(status, 201, "the service lives: {body}");
}

/// The project's own OFD: its files zipped.
pub fn ofd() -> Vec<u8> {
    use std::io::Write as _;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/einvoices/ofd");
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in [
        "OFD.xml",
        "Doc_0/Document.xml",
        "Doc_0/Tpls/Tpl_0/Content.xml",
        "Doc_0/Pages/Page_0/Content.xml",
        "Doc_0/Tags/CustomTags.xml",
        "Doc_0/Tags/CustomTag.xml",
    ] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).expect("an entry");
        writer.write_all(&std::fs::read(folder.join(name)).expect("a file")).expect("written");
    }
    writer.finish().expect("a package").into_inner()
}

pub fn einvoice(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/einvoices").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Uploads a document and returns its one draft.
async fn drafted(api: &Api, bytes: Vec<u8>) -> Value {
    let (status, body) = api.upload(bytes).await;
    assert_eq!(status, 201, "{body}");
    let settled = api.settled(body["results"][0]["capture"]["id"].as_str().expect("a capture")).await;
    assert_eq!(settled["state"], "read", "{settled}");
    let receipts = settled["receipts"].as_array().expect("receipts");
    assert_eq!(receipts.len(), 1, "{settled}");
    api.get(&format!("/drafts/{}", receipts[0]["id"].as_str().expect("an id"))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_know_their_values_become_exact_drafts_with_boxes_and_previews() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &[]);
    let rep = Api::new(&server, &server.token("rep", "rep"));
    for (name, expected) in [
        ("digital-special.xml", ["广州示例酒店管理有限公司", "2026-03-05", "1200.00", "CNY", "26440000000000000017"]),
        ("rail.xml", ["中国铁路", "2026-03-09", "91.00", "CNY", "26319000000000000021"]),
        ("cii.xml", ["Gasthof Beispiel", "2026-02-14", "114.20", "EUR", "2026-0815"]),
        ("ubl.xml", ["Gasthof Beispiel", "2026-02-14", "114.20", "EUR", "2026-0815"]),
        ("ofd", ["北京示例餐饮有限公司", "2026-03-12", "100.00", "CNY", "26110000000000000031"]),
    ] {
        let draft = drafted(&rep, if name == "ofd" { ofd() } else { einvoice(name) }).await;
        for (key, value) in ["merchant", "issued_on", "total", "currency", "invoice_number"].iter().zip(expected) {
            let proposed = &draft["fields"][*key]["proposed"];
            assert_eq!(proposed["value"], value, "{name}: {key}: {draft}");
            assert!(proposed["p"].as_f64().expect("a probability") > 0.85, "{name}: {key}: {proposed}");
        }
        assert!(draft["fields"]["total"]["proposed"]["box"].is_array(), "{name}: the total shows where it is printed");
        let preview = draft["pages"][0]["preview_url"].as_str().expect("a preview");
        let picture =
            rep.client.get(format!("{}{preview}", rep.address)).bearer_auth(&rep.token).send().await.expect("it");
        assert_eq!(picture.headers()["content-type"], "image/jpeg", "{name}");
    }
    // The same invoice in two vocabularies is the same invoice, whoever hands it in.
    let other = Api::new(&server, &server.token("other", "rep"));
    let draft = drafted(&other, einvoice("ubl.xml")).await;
    let findings = other.get(&format!("/drafts/{}/findings", draft["id"].as_str().expect("an id"))).await;
    assert_eq!(findings[0]["kind"], "duplicate_invoice", "{findings}");
    assert_eq!(findings[0]["other_draft_id"], Value::Null, "whose it is stays between the reviewers");
}

#[tokio::test(flavor = "multi_thread")]
async fn xml_that_is_no_invoice_or_has_a_document_type_costs_its_capture_a_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &[]);
    let rep = Api::new(&server, &server.token("rep", "rep"));
    for (bytes, reason) in [
        (b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'b'>]><EInvoice>&a;</EInvoice>".to_vec(), "xml_dtd_forbidden"),
        (b"<?xml version='1.0'?><catalogue/>".to_vec(), "unsupported_type"),
    ] {
        let (_, body) = rep.upload(bytes).await;
        let settled = rep.settled(body["results"][0]["capture"]["id"].as_str().expect("a capture")).await;
        assert_eq!((&settled["state"], &settled["reason"]), (&json!("failed"), &json!(reason)), "{settled}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_pdf_becomes_a_draft_with_pages_previews_and_boxes() {
    use vouch_fixtures::pdf::{Pdf, PdfPage};
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &[]);
    let rep = Api::new(&server, &server.token("rep", "rep"));
    let first = PdfPage::a4()
        .text(72.0, 100.0, 18.0, "HARBOUR CAFE")
        .text(72.0, 140.0, 11.0, "Date: 2024-05-17")
        .text(72.0, 190.0, 11.0, "TOTAL EUR")
        .text(400.0, 190.0, 11.0, "12.80");
    let document = Pdf::new().page(first).page(PdfPage::a4().text(72.0, 100.0, 11.0, "Terms and conditions")).bytes();
    let (status, body) = rep.upload(document.clone()).await;
    assert_eq!(status, 201, "{body}");
    let settled = rep.settled(body["results"][0]["capture"]["id"].as_str().expect("a capture")).await;
    assert_eq!(settled["state"], "read", "{settled}");
    let draft = rep.get(&format!("/drafts/{}", settled["receipts"][0]["id"].as_str().expect("an id"))).await;
    assert_eq!(draft["fields"]["total"]["proposed"]["value"], "12.80", "{draft}");
    assert_eq!(draft["fields"]["issued_on"]["proposed"]["value"], "2024-05-17", "{draft}");
    let pages = draft["pages"].as_array().expect("pages");
    assert_eq!(pages.len(), 2, "{draft}");
    // The box is in the page's own pixels: 400 points from the left of a page of 595.
    let left = draft["fields"]["total"]["proposed"]["box"][0][0].as_f64().expect("a box");
    let share = left / pages[0]["width"].as_f64().expect("a width");
    assert!((share - 400.0 / 595.0).abs() < 0.01, "{share}");
    for page in pages {
        let url = format!("{}{}", rep.address, page["preview_url"].as_str().expect("a preview"));
        let picture = rep.client.get(url).bearer_auth(&rep.token).send().await.expect("an answer");
        assert_eq!(picture.headers()["content-type"], "image/jpeg");
        let bytes = picture.bytes().await.expect("bytes");
        assert!(bytes.starts_with(&[0xFF, 0xD8, 0xFF]));
    }
    let id = settled["receipts"][0]["id"].as_str().expect("an id");
    let original = format!("{}/api/v1/drafts/{id}/original", rep.address);
    let original = rep.client.get(original).bearer_auth(&rep.token).send().await.expect("an answer");
    assert!(original.headers()["content-disposition"].to_str().expect("text").starts_with("attachment"));
    assert_eq!(original.bytes().await.expect("bytes"), document);
    server.stop();
}
