//! An acknowledgement comes after the disk has everything: seen in the system calls of the real server.
//!
//! `kill -9` cannot show this, because what a killed process wrote is still in the page cache. The order of `fsync`,
//! `link`, `fdatasync` and the answer can. And the test is tested: under `libeatmydata`, which turns syncs into
//! nothing, and on traces put in the wrong order, it must fail.

mod trace;

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;
use vouch::store::{Db, captures};

use self::trace::{Call, Upload, check, parse};
use crate::support::{Api, PATIENCE, Server, VOUCH, command, fixture};

/// Enough of a log page to find the capture in it.
const STRING_LIMIT: &str = "9000";
const CALLS: &str = "trace=fsync,fdatasync,link,linkat,write,writev,pwrite64,sendto,sendmsg";
/// Uploads of one trace, some of them at the same time.
const ROUNDS: usize = 3;
const AT_ONCE: usize = 4;

struct Traced {
    calls: Vec<Call>,
    uploads: Vec<Upload>,
    root: String,
    wal: String,
}

/// Whether a program of the tests may be missing here.
fn may_skip(what: &str) -> bool {
    let is_required = std::env::var("VOUCH_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1");
    assert!(!is_required, "{what} is not here, and this test is required: scripts/install-deps.sh test");
    eprintln!("skipped: {what} is not here");
    true
}

fn strace() -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join("strace")).find(|p| p.is_file());
    if found.is_none() {
        may_skip("strace");
    }
    found
}

/// Uploads to a traced server, and what it did.
async fn traced(strace: &Path, preload: Option<&Path>) -> Traced {
    let dir = tempfile::tempdir().expect("a directory");
    // Paths in the trace are resolved ones.
    let data_dir = dir.path().canonicalize().expect("a path");
    let server = Server::start(&data_dir, &[], &["--no-workers"]);
    let token = server.token("rep", "rep");
    server.stop();

    let output = data_dir.join("trace");
    let plain = command(&data_dir, &[]);
    let mut traced = Command::new(strace);
    // -D: the server is our child, strace its tracer beside it.
    traced.args(["-D", "-f", "-y", "--seccomp-bpf", "-s", STRING_LIMIT, "-e", CALLS, "-o"]).arg(&output);
    if let Some(library) = preload {
        traced.arg("-E").arg(format!("LD_PRELOAD={}", library.display()));
    }
    traced.arg(VOUCH).envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let server = Server::start_as(traced, &data_dir, &[], &["--no-workers"]);
    let mut captures = Vec::new();
    for round in 0..ROUNDS {
        let uploads = (0..AT_ONCE).map(|number| {
            let api = Api::new(&server, &token);
            async move {
                let mut picture = fixture("000-till-slip-en");
                picture.extend(format!("{round}/{number}").bytes());
                api.upload(picture).await
            }
        });
        for (status, body) in futures_util::future::join_all(uploads).await {
            assert_eq!(status, 201, "{body}");
            captures.push(capture_of(&body));
        }
    }
    server.stop();
    let text = whole_trace(&output);

    let db = Db::connect(&format!("sqlite:{}", data_dir.join("vouch.db").display()), 1).await.expect("the database");
    let root = data_dir.join("objects").display().to_string();
    let mut uploads = Vec::new();
    let mut tx = db.read().await.expect("a transaction");
    for capture in captures {
        let id = capture.parse().expect("an id");
        let document = captures::documents(&mut tx, &id).await.expect("documents").remove(0);
        let name = document.object_key.rsplit('/').next().expect("a name").to_owned();
        uploads.push(Upload { capture, object: find(Path::new(&root), &name).display().to_string() });
    }
    Traced { calls: parse(&text), uploads, root, wal: data_dir.join("vouch.db-wal").display().to_string() }
}

fn capture_of(body: &Value) -> String {
    body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned()
}

/// The tracer writes on for a moment after the server has ended.
fn whole_trace(path: &Path) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(path).expect("a trace");
        if text.trim_end().ends_with("+++ exited with 0 +++") {
            return text;
        }
        assert!(Instant::now() < deadline, "the trace does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn find(directory: &Path, name: &str) -> PathBuf {
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() == name {
                return entry.path();
            }
        }
    }
    panic!("no object is called `{name}`");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledgement_comes_after_the_disk_has_object_and_transaction() {
    let Some(strace) = strace() else { return };
    let traced = traced(&strace, None).await;
    assert_eq!(traced.uploads.len(), ROUNDS * AT_ONCE);
    for upload in &traced.uploads {
        if let Err(reason) = check(&traced.calls, upload, &traced.root, &traced.wal) {
            panic!("capture {}: {reason}", upload.capture);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_syncs_the_order_test_fails() {
    let Some(strace) = strace() else { return };
    let place = |dir: &str| PathBuf::from(dir).join("libeatmydata.so");
    let arch = std::env::consts::ARCH;
    let found = [format!("/usr/lib/{arch}-linux-gnu"), "/usr/lib".to_owned(), "/usr/lib64".to_owned()]
        .iter()
        .map(|dir| place(dir))
        .find(|path| path.is_file());
    let Some(library) = found else {
        may_skip("libeatmydata");
        return;
    };
    let traced = traced(&strace, Some(&library)).await;
    for upload in &traced.uploads {
        let reason = check(&traced.calls, upload, &traced.root, &traced.wal).expect_err("eaten syncs are noticed");
        assert!(reason.contains("not synced"), "{reason}");
    }
}

/// A right order, and every way to get it wrong.
#[test]
fn a_trace_in_the_wrong_order_is_found() {
    const RIGHT: &[&str] = &[
        r#"7 write(9</s/spool/upload-1>, "\377\330", 2) = 2"#,
        r"7 fsync(12</s/objects/tmp/.tmp1>) = 0",
        r#"7 linkat(AT_FDCWD</>, "/s/objects/tmp/.tmp1", AT_FDCWD</>, "/s/objects/documents/ab/key", 0) = 0"#,
        r"7 fsync(12</s/objects/documents/ab> <unfinished ...>",
        r"8 fdatasync(5</s/vouch.db-wal>) = 0",
        r"7 <... fsync resumed>) = 0",
        r"7 fsync(12</s/objects/documents>) = 0",
        r"7 fsync(12</s/objects>) = 0",
        r#"7 pwrite64(5</s/vouch.db-wal>, "\0\0cap_1\0", 4096, 32) = 4096"#,
        r"7 fdatasync(5</s/vouch.db-wal>) = 0",
        r#"7 sendto(8<socket:[1]>, "HTTP/1.1 201 Created\r\n\r\n{\"id\":\"cap_1\"}", 90, MSG_NOSIGNAL, NULL, 0) = 90"#,
        r"7 +++ exited with 0 +++",
    ];
    let upload = Upload { capture: "cap_1".to_owned(), object: "/s/objects/documents/ab/key".to_owned() };
    let verdict = |lines: &[&str]| check(&parse(&lines.join("\n")), &upload, "/s/objects", "/s/vouch.db-wal");
    assert_eq!(verdict(RIGHT), Ok(()));
    let answer = RIGHT.len() - 2;
    for (moved, message) in [
        (1, "was not synced before it got its name"),
        (2, "had no name before"),
        (5, "directory `/s/objects/documents/ab`"),
        (6, "directory `/s/objects/documents`"),
        (7, "directory `/s/objects`"),
        (8, "not in the log"),
        (9, "log was not synced"),
    ] {
        let mut lines = RIGHT.to_vec();
        let line = lines.remove(moved);
        // After the answer: too late.
        lines.insert(answer, line);
        let reason = verdict(&lines).expect_err(line);
        assert!(reason.contains(message), "{line} moved: {reason}");
        let mut lines = RIGHT.to_vec();
        let failed = lines[moved].replace(") = 0", ") = -1 EIO (Input/output error)");
        lines[moved] = &failed;
        assert_eq!(verdict(&lines).is_err(), failed.contains("EIO"), "a failed call is none: {failed}");
    }
}
