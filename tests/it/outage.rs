//! The real binary while what it stands on is away: nothing is acknowledged that is not kept, everything else goes on, and it
//! recovers by itself.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    s3_server::S3Server,
    support::{Api, PATIENCE, Server, fixture},
};

fn variable(key: &str, value: &str) -> (String, String) {
    (format!("VOUCH_{key}"), value.to_owned())
}

/// A receipt of its own.
fn picture(number: u8) -> Vec<u8> {
    // Bytes after the end of a JPEG are ignored by everybody who reads it.
    [fixture("000-till-slip-en"), vec![number]].concat()
}

async fn ready(server: &Server) -> u16 {
    reqwest::get(format!("{}/readyz", server.address)).await.expect("an answer").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_object_storage_is_away_uploads_are_refused_to_be_sent_again_and_jobs_wait() {
    let s3 = S3Server::start().await;
    let mut env = s3.environment();
    // A job that counted its attempts against the outage would be dead at once.
    env.extend([variable("WORKERS__MAX_ATTEMPTS", "1"), variable("OBJECTS__S3__CONNECT_TIMEOUT_MS", "500")]);
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &env, &["--no-workers"]);
    let token = server.token("rep", "rep");
    let api = Api::new(&server, &token);
    let (status, body) = api.upload(picture(0)).await;
    assert_eq!(status, 201, "{body}");
    let waiting = body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned();
    server.stop();

    s3.go_away(true);
    let server = Server::start(dir.path(), &env, &[]);
    let api = Api::new(&server, &token);
    let url = format!("{}/api/v1/receipts?no_visit=true", server.address);
    let answer = api.client.post(url).bearer_auth(&token).body(picture(1)).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"), "the sender is told to come back");
    let body: Value = answer.json().await.expect("JSON");
    let code = if body["code"].is_string() { &body["code"] } else { &body["results"][0]["error"]["code"] };
    assert_eq!(*code, "object_storage_unavailable", "{body}");
    assert_eq!(ready(&server).await, 503, "load balancers are told");
    let listed = api.get("/captures").await;
    assert_eq!(listed["captures"].as_array().map(Vec::len), Some(1), "what does not need storage goes on: {listed}");
    // The worker has tried at least once and given the job back.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = reqwest::get(format!("{}/metrics", server.address)).await.expect("it").text().await.expect("it");
        if metrics.contains("outcome=\"objects_unavailable\"") {
            break;
        }
        assert!(Instant::now() < deadline, "the worker did not try: {metrics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    s3.go_away(false);
    assert_eq!(api.settled(&waiting).await["state"], "read", "the job was tried again and not counted as failed");
    let (status, body) = api.upload(picture(1)).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(ready(&server).await, 200);
    let (ok, text) = server.run(&["scrub"]);
    assert!(ok && text.contains("2 documents are sound"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_disks_reserve_uploads_are_refused_and_people_work_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(dir.path(), &[], &[]);
    let (rep, reviewer) = (server.token("rep", "rep"), server.token("reviewer", "reviewer"));
    let api = Api::new(&server, &rep);
    let (status, body) = api.upload(picture(0)).await;
    assert_eq!(status, 201, "{body}");
    let settled = api.settled(body["results"][0]["capture"]["id"].as_str().expect("a capture")).await;
    let id = settled["receipts"][0]["id"].as_str().expect("a receipt").to_owned();
    server.stop();

    // A petabyte is kept free: the disk is full as far as uploads go.
    let env = [variable("CAPTURE__RESERVE_MB", "1000000000")];
    let server = Server::start(dir.path(), &env, &[]);
    let api = Api::new(&server, &rep);
    let (status, body) = api.upload(picture(1)).await;
    assert_eq!((status, &body["code"]), (507, &json!("disk_full")), "{body}");
    assert_eq!(std::fs::read_dir(dir.path().join("spool")).expect("the spool").count(), 0);
    let draft = api.get(&format!("/drafts/{id}")).await;
    let values = json!({ "revision": draft["revision"], "fields": {
        "merchant": "Corner Shop", "issued_on": "2026-11-20", "total": "12.34", "currency": "GBP", "category": "office",
    }});
    let reviewer = Api::new(&server, &reviewer);
    let editor = if draft["state"] == "submitted" { &reviewer } else { &api };
    let (status, mut draft) = editor.send(Method::PATCH, &format!("/drafts/{id}"), &values).await;
    assert_eq!(status, 200, "{draft}");
    if draft["state"] == "draft" {
        let revision = json!({ "revision": draft["revision"] });
        (_, draft) = api.send(Method::POST, &format!("/drafts/{id}/submit"), &revision).await;
    }
    let revision = json!({ "revision": draft["revision"] });
    let (status, body) = reviewer.send(Method::POST, &format!("/drafts/{id}/confirm"), &revision).await;
    assert_eq!(status, 200, "{body}");
    server.stop();

    let server = Server::start(dir.path(), &[], &["--no-workers"]);
    let (status, body) = Api::new(&server, &rep).upload(picture(1)).await;
    assert_eq!(status, 201, "there is room again: {body}");
}
