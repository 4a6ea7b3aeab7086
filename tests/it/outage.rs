//! The real binary while what it stands on is away: nothing is acknowledged that is not kept, everything else goes on, and it
//! recovers by itself.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    s3_server::S3Server,
    support::{Api, PATIENCE, Server, fixture, variable},
};

/// A receipt of its own.
fn picture(number: u8) -> Vec<u8> {
    // Bytes after the end of a JPEG are ignored by everybody who reads it.
    [fixture("000-till-slip-en"), vec![number]].concat()
}

async fn ready(server: &Server) -> u16 {
    reqwest::get(format!("{}/readyz", server.address)).await.expect("an answer").status().as_u16()
}

/// Waits until a worker has found object storage away and given its job back.
async fn a_worker_gave_back(server: &Server) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = reqwest::get(format!("{}/metrics", server.address)).await.expect("it").text().await.expect("it");
        if metrics.contains("outcome=\"objects_unavailable\"") {
            return;
        }
        assert!(Instant::now() < deadline, "no worker tried: {metrics}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
    a_worker_gave_back(&server).await;
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

/// A file system of its own with a last byte, gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    const BYTES: u64 = 40 << 20;

    /// Held back for what reading needs once there is room again.
    const BALLAST: usize = 20 << 20;

    /// `None`, with a message, where the tests may not mount.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        let size = format!("size={}", Self::BYTES);
        let status = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "vouch-test"])
            .arg(dir.path())
            .stderr(std::process::Stdio::null())
            .status();
        if status.is_ok_and(|status| status.success()) {
            std::fs::write(dir.path().join("ballast"), vec![7; Self::BALLAST]).expect("the ballast fits");
            return Some(Self(dir));
        }
        eprintln!("skipped: mounting a small tmpfs needs root");
        None
    }

    /// Takes everything that is left, to the last byte.
    fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.0.path().join("filler")).expect("a file");
        for size in [1 << 16, 1 << 8, 1] {
            // More than the disk has: the end is its error.
            for _ in 0..Self::BYTES {
                if file.write_all(&vec![7; size]).is_err() {
                    break;
                }
            }
        }
    }

    fn make_room(&self) {
        for name in ["filler", "ballast"] {
            std::fs::remove_file(self.0.path().join(name)).expect("it goes");
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_byte_left_nothing_is_acknowledged_or_broken_and_work_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else { return };
    let data_dir = disk.0.path().join("data");
    // One attempt, and no lease that runs out: a job that is not given back is never read.
    let env = [
        variable("CAPTURE__RESERVE_MB", "0"),
        variable("WORKERS__MAX_ATTEMPTS", "1"),
        variable("WORKERS__LEASE_SECONDS", "600"),
    ];
    let server = Server::start(&data_dir, &env, &[]);
    let token = server.token("rep", "rep");
    let api = Api::new(&server, &token);
    let (status, body) = api.upload(picture(0)).await;
    assert_eq!(status, 201, "{body}");
    let mut acknowledged = vec![body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned()];
    api.settled(&acknowledged[0]).await;

    // The disk fills up while people upload: with two megabytes each first, then with what little fits, then to the byte.
    let mut number = 0;
    let mut refusals = 0;
    for padding in [2 << 20, 256 << 10, 0] {
        for _ in 0..SmallDisk::BYTES >> 18 {
            number += 1;
            let (status, body) = api.upload([picture(number), vec![number; padding]].concat()).await;
            if status == 201 {
                acknowledged.push(body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned());
                continue;
            }
            let code = if body["code"].is_string() { &body["code"] } else { &body["results"][0]["error"]["code"] };
            assert!(matches!(status, 503 | 507), "{status} {body}");
            assert!(code.is_string(), "a refusal has its code: {body}");
            refusals += 1;
            break;
        }
        if padding == 256 << 10 {
            // Previews need more than is left, the database less.
            a_worker_gave_back(&server).await;
            disk.fill();
        }
    }
    assert!(refusals >= 2, "the disk was full: {refusals} refusals of {number} uploads");
    for capture in &acknowledged {
        // What is there is shown while nothing can be written.
        api.get(&format!("/captures/{capture}")).await;
    }

    disk.make_room();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, body) = api.upload(picture(255)).await;
        if status == 201 {
            acknowledged.push(body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned());
            break;
        }
        assert!(Instant::now() < deadline, "uploads go on when there is room: {status} {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for capture in &acknowledged {
        // A full disk is no fault of the receipt: the only attempt was given back.
        assert_eq!(api.settled(capture).await["state"], "read", "{capture}");
    }
    server.stop();
    let server = Server::start(&data_dir, &env, &["--no-workers"]);
    let (ok, text) = server.run(&["scrub"]);
    assert!(ok && text.contains(&format!("{} documents are sound", acknowledged.len())), "{text}");
    let (ok, text) = server.run(&["journal", "verify"]);
    assert!(ok, "{text}");
}
