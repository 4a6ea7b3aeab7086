//! The real binary killed with SIGKILL at every named place (`vouch::kill_points::ALL`), started again, and looked at
//! from outside. What a client was told is kept in a ledger; the promises are checked against it:
//!
//! | | promise |
//! |---|---|
//! | I1 | everything acknowledged is stored, and its bytes are the ones that were sent |
//! | I2 | every object is referred to once, or is an orphan that collection removes and nothing else |
//! | I3 | every capture has exactly one live job, or has ended |
//! | I4 | a capture has each receipt once |
//! | I5 | the journal verifies and tells of every capture |
//! | I6 | no row without bytes; nothing half-written is left in the spool once the janitor has been |
//! | I7 | when the killing stops, everything is read without a person |
//! | I8 | a confirmation happened wholly, with its journal entry, or not at all |

mod inspect;

use std::{os::unix::process::ExitStatusExt as _, path::Path, time::Duration};

use serde_json::{Value, json};
use vouch::{domain::sha256::Sha256, kill_points, objects::ObjectSettings};

use self::inspect::Inspection;
use crate::{
    s3_server::{Fault, S3Server},
    support::{Api, Server, command, fresh_postgres},
};

type Environment = Vec<(String, String)>;

/// What clients sent and what they were told.
#[derive(Default)]
pub struct Ledger {
    sent: Vec<Vec<u8>>,
    /// Digest and capture of what was acknowledged.
    acknowledged: Vec<(Sha256, String)>,
    kills: usize,
}

impl Ledger {
    /// A picture nobody has sent before, and quick to read.
    fn next_picture(&mut self) -> Vec<u8> {
        let picture = picture(u32::try_from(self.sent.len()).expect("a small number"));
        self.sent.push(picture.clone());
        picture
    }

    fn note(&mut self, picture: &[u8], answer: Option<(u16, Value)>) {
        let Some((status, body)) = answer else { return };
        assert!(matches!(status, 200 | 201), "{status}: {body}");
        let capture = body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned();
        self.acknowledged.push((Sha256::of(picture), capture));
    }
}

/// A valid PNG whose noise does not compress, so that an upload arrives in more than one piece.
fn picture(seed: u32) -> Vec<u8> {
    use rand::{Rng as _, SeedableRng as _};
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed.into());
    // A white page: nothing to recognise. The noise is in the margin.
    let image =
        image::RgbImage::from_fn(
            300,
            420,
            |_, y| if y < 120 { image::Rgb(rng.random()) } else { image::Rgb([255; 3]) },
        );
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

struct World {
    dir: tempfile::TempDir,
    env: Environment,
    objects: ObjectSettings,
    ledger: Ledger,
    rep: String,
    reviewer: String,
}

impl World {
    /// On the embedded default, but for what `env` says.
    fn new(mut env: Environment, objects: Option<ObjectSettings>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let objects = objects.unwrap_or_else(|| local_objects(dir.path()));
        // On SQLite nobody waits for the end of a lease: the next start sees that the worker is dead.
        let is_postgres = env.iter().any(|(key, _)| key == "VOUCH_DATABASE__URL");
        let lease = if is_postgres { "10" } else { "3600" };
        for (key, value) in [
            ("WORKERS__COUNT", "1"),
            ("WORKERS__MAX_ATTEMPTS", "20"),
            ("WORKERS__LEASE_SECONDS", lease),
            ("LOG__LEVEL", "error"),
        ] {
            env.push((format!("VOUCH_{key}"), value.to_owned()));
        }
        let server = Server::start(dir.path(), &env, &["--no-workers"]);
        let (rep, reviewer) = (server.token("rep", "rep"), server.token("reviewer", "reviewer"));
        server.stop();
        Self { dir, env, objects, ledger: Ledger::default(), rep, reviewer }
    }

    fn start(&self, arguments: &[&str]) -> Server {
        Server::start(self.dir.path(), &self.env, arguments)
    }

    /// A server that dies at `point`; `None` when it has reached it before it listened.
    fn try_start_with(&self, point: &str, arguments: &[&str]) -> Option<Server> {
        let mut env = self.env.clone();
        env.push(("FAILPOINTS".to_owned(), format!("{point}=return")));
        let started = Server::try_start(command(self.dir.path(), &env), self.dir.path(), &env, arguments);
        started.map_err(|status| assert_eq!(status.signal(), Some(9), "{status}")).ok()
    }

    fn start_with(&self, point: &str, arguments: &[&str]) -> Server {
        self.try_start_with(point, arguments).expect("it listens first")
    }

    /// Uploads one picture to a server that dies at `point` of the upload or of its reading.
    async fn die_at(&mut self, point: &'static str, arguments: &[&str]) {
        assert!(kill_points::ALL.iter().any(|(known, _)| *known == point), "`{point}` is no kill point");
        self.ledger.kills += 1;
        let picture = self.ledger.next_picture();
        // A worker may find a job that an earlier server left, and die before anybody is listened to.
        let Some(server) = self.try_start_with(point, arguments) else { return };
        let answer = Api::new(&server, &self.rep).try_upload(picture.clone()).await;
        self.ledger.note(&picture, answer);
        assert_killed(point, server);
    }

    /// No person does anything but send again what was not acknowledged; then everything must be right.
    async fn recovers(&mut self) {
        // Before anything is repaired: rows are whole, or not there.
        self.inspect().await.check_rows(&self.ledger).await;
        let server = self.start(&[]);
        let api = Api::new(&server, &self.rep);
        for picture in self.ledger.sent.clone() {
            let answer = api.upload(picture.clone()).await;
            let digest = Sha256::of(&picture);
            if let Some((_, capture)) = self.ledger.acknowledged.iter().find(|(sha256, _)| *sha256 == digest) {
                assert_eq!(answer.0, 200, "what was acknowledged is already here");
                assert_eq!(answer.1["results"][0]["capture"]["id"], capture.as_str());
            } else {
                self.ledger.note(&picture, Some(answer));
            }
        }
        for (_, capture) in &self.ledger.acknowledged {
            let settled = api.settled(capture).await;
            assert_eq!(settled["state"], "read", "{settled}");
            assert_eq!(settled["receipts"].as_array().map(Vec::len), Some(1), "one receipt: {settled}");
        }
        for arguments in [&["journal", "verify"][..], &["scrub"]] {
            let (ok, text) = server.run(arguments);
            assert!(ok && !text.contains("BROKEN"), "{arguments:?}: {text}");
        }
        server.stop();
        let inspection = self.inspect().await;
        inspection.check_rows(&self.ledger).await;
        inspection.check_settled(&self.ledger).await;
    }

    async fn inspect(&self) -> Inspection {
        Inspection::of(self.dir.path(), &self.env, &self.objects).await
    }
}

fn local_objects(dir: &Path) -> ObjectSettings {
    ObjectSettings::Local { dir: dir.join("objects") }
}

fn assert_killed(point: &str, server: Server) {
    let status = server.wait_for_end();
    assert_eq!(status.signal(), Some(9), "the server was to die at {point}: {status}");
}

/// Places that an upload passes, on the embedded default.
const DOOR: &[&str] =
    &["u01", "u02", "u03", "u04", "u05", "u06", "o05", "u07", "u08", "u09", "a01", "u10", "u11", "u12", "u13"];
/// Places that reading passes.
const WORKER: &[&str] = &["w01", "w02", "w03", "w04", "w05", "w06", "w07"];
/// On PostgreSQL: around every transaction, where the two databases differ.
const POSTGRES: &[&str] = &["u08", "a01", "u10", "u11", "w01", "w06", "w07"];
/// Inside the S3 client.
const S3: &[&str] = &["o01", "o04", "o05"];
/// In tests of their own.
const SINGLE: &[&str] = &["o07", "o08", "c01", "a02"];

#[test]
fn every_kill_point_is_in_a_test() {
    let tested: Vec<&str> = [DOOR, WORKER, S3, SINGLE].concat();
    let missing: Vec<_> = kill_points::ALL.iter().filter(|(name, _)| !tested.contains(name)).collect();
    assert!(missing.is_empty(), "no test kills the server at {missing:?}");
    const { assert!(kill_points::ARE_THERE, "the tests run a build without kill points") };
}

#[test]
fn a_release_build_has_no_kill_points() {
    // `fail` without its feature compiles every point to nothing. Cargo resolves a build without tests that way.
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--package", "vouch", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p} [{f}]"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let fail: Vec<&str> = text.lines().filter(|line| line.starts_with("fail v")).collect();
    assert!(!fail.is_empty(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(fail.iter().all(|line| !line.contains("failpoints")), "{fail:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_in_an_upload_nothing_acknowledged_is_lost() {
    let mut world = World::new(Vec::new(), None);
    for point in DOOR {
        world.die_at(point, &["--no-workers"]).await;
    }
    world.recovers().await;
    world.inspect().await.check_leftovers(&world.env, &world.ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_in_reading_every_draft_appears_once() {
    let mut world = World::new(Vec::new(), None);
    for point in WORKER {
        world.die_at(point, &[]).await;
    }
    world.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgresql() {
    let Some(fresh) = fresh_postgres().await else { return };
    let mut world = World::new(vec![("VOUCH_DATABASE__URL".to_owned(), fresh.url())], None);
    for point in POSTGRES {
        let arguments: &[&str] = if point.starts_with('w') { &[] } else { &["--no-workers"] };
        world.die_at(point, arguments).await;
    }
    world.recovers().await;
    fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_in_writing_to_s3_nothing_acknowledged_is_lost() {
    let s3 = S3Server::start().await;
    let mut world = World::new(s3.environment(), Some(ObjectSettings::S3(Box::new(s3.settings()))));
    for point in S3 {
        world.die_at(point, &["--no-workers"]).await;
    }
    // o02: the request is on its way; o03: the server has done it and its answer is lost.
    for (point, fault, sign) in [("o02", Fault::Stall, "PUT "), ("o03", Fault::HoldAnswer, "held PUT ")] {
        let server = world.start(&["--no-workers"]);
        let api = Api::new(&server, &world.rep);
        let picture = world.ledger.next_picture();
        let seen = s3.log().len();
        s3.inject("PUT /", fault);
        let upload = tokio::spawn(async move { api.try_upload(picture).await });
        let deadline = std::time::Instant::now() + crate::support::PATIENCE;
        while !s3.log()[seen..].iter().any(|line| line.starts_with(sign)) {
            assert!(std::time::Instant::now() < deadline, "{point} was not reached");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(server);
        world.ledger.kills += 1;
        assert_eq!(upload.await.expect("no panic"), None, "{point}: nothing was acknowledged");
    }
    // More than 8 MiB go in parts. Bytes after the end of a PNG are ignored by everybody who reads it.
    for point in ["o07", "o08"] {
        let server = world.start_with(point, &["--no-workers"]);
        let api = Api::new(&server, &world.rep);
        let mut picture = world.ledger.next_picture();
        picture.resize(9 * 1024 * 1024, 0);
        *world.ledger.sent.last_mut().expect("just sent") = picture.clone();
        if point == "o08" {
            s3.inject("partNumber=2", Fault::Answer(403, "AccessDenied"));
        }
        assert_eq!(api.try_upload(picture).await, None, "{point}: nothing was acknowledged");
        assert_killed(point, server);
        world.ledger.kills += 1;
    }
    world.recovers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_a_confirmation_it_happened_wholly_or_not_at_all() {
    let mut world = World::new(Vec::new(), None);
    let server = world.start(&[]);
    let api = Api::new(&server, &world.rep);
    let picture = world.ledger.next_picture();
    let (_, body) = api.upload(picture.clone()).await;
    let capture = body["results"][0]["capture"]["id"].as_str().expect("a capture").to_owned();
    let settled = api.settled(&capture).await;
    let id = settled["receipts"][0]["id"].as_str().expect("a receipt").to_owned();
    let draft = api.get(&format!("/drafts/{id}")).await;
    let values = json!({ "revision": draft["revision"], "fields": {
        "merchant": "Corner Shop", "issued_on": "2026-11-20", "total": "12.34", "currency": "GBP", "category": "office",
    }});
    let (status, draft) = api.send(reqwest::Method::PATCH, &format!("/drafts/{id}"), &values).await;
    assert_eq!(status, 200, "{draft}");
    let revision = json!({ "revision": draft["revision"] });
    let (status, draft) = api.send(reqwest::Method::POST, &format!("/drafts/{id}/submit"), &revision).await;
    assert_eq!(status, 200, "{draft}");
    let revision = json!({ "revision": draft["revision"] });
    server.stop();

    let server = world.start_with("c01", &["--no-workers"]);
    let reviewer = Api::new(&server, &world.reviewer);
    let url = format!("{}/api/v1/drafts/{id}/confirm", server.address);
    let answer = reviewer.client.post(url).bearer_auth(&reviewer.token).json(&revision).send().await;
    assert!(answer.is_err(), "nothing was answered");
    assert_killed("c01", server);

    let before = world.inspect().await;
    assert_eq!((before.count("SELECT COUNT(*) FROM expense").await, before.confirmations().await), (0, 0));
    let server = world.start(&["--no-workers"]);
    let reviewer = Api::new(&server, &world.reviewer);
    let (status, body) = reviewer.send(reqwest::Method::POST, &format!("/drafts/{id}/confirm"), &revision).await;
    assert_eq!(status, 200, "the revision the reviewer saw is still the current one: {body}");
    let (ok, text) = server.run(&["journal", "verify"]);
    assert!(ok, "{text}");
    let after = world.inspect().await;
    assert_eq!((after.count("SELECT COUNT(*) FROM expense").await, after.confirmations().await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_signs_its_first_checkpoint_it_starts_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let env = [("FAILPOINTS".to_owned(), "a02=return".to_owned())];
    // The first run appends its first entries, which the sealer finds at once.
    let status = crate::support::command(dir.path(), &env)
        .args(["serve", "--listen", "127.0.0.1:0", "--no-workers"])
        .stdout(std::process::Stdio::null())
        .status()
        .expect("the binary runs");
    assert_eq!(status.signal(), Some(9), "{status}");
    let server = Server::start(dir.path(), &[], &["--no-workers"]);
    let (ok, text) = server.run(&["journal", "verify"]);
    assert!(ok && !text.contains("BROKEN"), "{text}");
    server.stop();
    let inspection = Inspection::of(dir.path(), &[], &local_objects(dir.path())).await;
    assert_eq!(inspection.count("SELECT COUNT(*) FROM checkpoint").await, 1, "signed once, after all");
}

fn files_below(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found
}
