//! One behaviour, two stores: a local directory, and a bucket of a real S3-speaking server.

#![expect(clippy::unwrap_used, reason = "a failed step ends the test")]

use std::{collections::HashSet, convert::Infallible, time::Duration};

use bytes::Bytes;
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use vouch::{
    domain::{ids::DocumentId, sha256::Sha256, time::Timestamp},
    objects::{
        Collected, GRACE, KeyKind, ListCursor, ObjectError, ObjectKey, ObjectSettings, ObjectStore, S3Settings,
        S3Timeouts, Verdict, collect, verify,
    },
};

use crate::s3_server::{Fault, S3Server};

const MIB: usize = 1024 * 1024;

/// Long before the files are written, so only the store's clock decides what is young.
const LONG_AGO: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn bytes(seed: u64, length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes.into()
}

fn key_for(content: &[u8], seed: u64) -> ObjectKey {
    ObjectKey::document(&Sha256::of(content), LONG_AGO, &mut StdRng::seed_from_u64(seed))
}

async fn local(dir: &TempDir) -> ObjectStore {
    ObjectStore::open(&ObjectSettings::Local { dir: dir.path().join("a/b/objects") }, LONG_AGO).await.unwrap()
}

async fn s3(settings: S3Settings) -> ObjectStore {
    ObjectStore::open(&ObjectSettings::S3(settings.into()), LONG_AGO).await.unwrap()
}

/// Timeouts for tests that make the server hang.
fn impatient(server: &S3Server) -> S3Settings {
    let timeouts = S3Timeouts {
        connect: Duration::from_secs(1),
        read: Duration::from_millis(400),
        attempt: Duration::from_millis(800),
        operation: Duration::from_secs(2),
    };
    S3Settings { timeouts, ..server.settings() }
}

async fn put_file(store: &ObjectStore, key: &ObjectKey, content: &[u8]) -> Result<(), ObjectError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    store.put_file(key, file.path(), content.len() as u64, &Sha256::of(content)).await
}

async fn list_all(store: &ObjectStore, kind: KeyKind, limit: usize) -> Vec<ObjectKey> {
    let (mut keys, mut cursor) = (Vec::new(), None::<ListCursor>);
    loop {
        let page = store.list(kind, cursor.as_ref(), limit).await.unwrap();
        assert!(page.objects.len() <= limit);
        keys.extend(page.objects.into_iter().map(|object| object.key));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return keys,
        }
    }
}

async fn objects_come_back_as_they_went_in(store: ObjectStore) {
    for (seed, length) in [(1, 0), (2, 1), (3, 300_000), (4, 8 * MIB), (5, 18 * MIB + 3)] {
        let content = bytes(seed, length);
        let (key, sha256) = (key_for(&content, seed), Sha256::of(&content));
        put_file(&store, &key, &content).await.unwrap();
        let info = store.head(&key).await.unwrap().unwrap();
        assert_eq!((info.size, &info.key), (length as u64, &key));
        assert!(info.modified_at > LONG_AGO);
        assert_eq!(store.get_verified(&key, length as u64, &sha256).await.unwrap(), content);
        assert_eq!(verify(&store, &key, &sha256).await.unwrap(), Verdict::Sound);
        let found = sha256;
        assert_eq!(verify(&store, &key, &Sha256::of(b"other")).await.unwrap(), Verdict::Damaged { found });
        let mut streamed = Vec::new();
        store.get(&key).await.unwrap().read_to_end(&mut streamed).await.unwrap();
        assert_eq!(streamed, content);
    }
}

async fn nothing_is_ever_overwritten(store: ObjectStore) {
    for length in [1000, 9 * MIB] {
        let first = bytes(1, length);
        let key = key_for(&first, 1);
        put_file(&store, &key, &first).await.unwrap();
        put_file(&store, &key, &first).await.expect("the same bytes again are no harm");
        let error = put_file(&store, &key, &bytes(2, length)).await.unwrap_err();
        assert!(matches!(error, ObjectError::AlreadyExists { .. }), "{error}");
        let error = store.put_bytes(&key, bytes(3, 10)).await.unwrap_err();
        assert!(matches!(error, ObjectError::AlreadyExists { .. }), "{error}");
        assert_eq!(verify(&store, &key, &Sha256::of(&first)).await.unwrap(), Verdict::Sound);
        store.delete(&key).await.unwrap();
    }
}

async fn absent_oversized_and_wrong_objects_are_told_apart(store: ObjectStore) {
    let content = bytes(1, 5000);
    let (key, sha256) = (key_for(&content, 1), Sha256::of(&content));
    assert!(matches!(store.get_bytes(&key, 10).await.unwrap_err(), ObjectError::Missing { .. }));
    assert_eq!(verify(&store, &key, &sha256).await.unwrap(), Verdict::Missing);
    assert_eq!(store.head(&key).await.unwrap(), None);
    store.delete(&key).await.expect("deleting what is not there is no error");

    // A file that changed after it was hashed, in length or content, small or in parts.
    for length in [5000, 9 * MIB] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes(7, length)).unwrap();
        for size in [length as u64, length as u64 - 1, length as u64 + 1] {
            let error = store.put_file(&key, file.path(), size, &sha256).await.unwrap_err();
            assert!(matches!(error, ObjectError::Source { .. }), "{error}");
            assert_eq!(store.head(&key).await.unwrap(), None);
        }
    }
    let error = store.put_file(&key, "/nonexistent/file".as_ref(), 1, &sha256).await.unwrap_err();
    assert!(matches!(error, ObjectError::Source { .. }), "{error}");

    store.put_bytes(&key, content.clone()).await.unwrap();
    assert!(matches!(store.get_bytes(&key, 4999).await.unwrap_err(), ObjectError::TooLarge { size: 5000, .. }));
    let error = store.get_verified(&key, 5000, &Sha256::of(b"x")).await.unwrap_err();
    assert!(matches!(error, ObjectError::Damaged { found, .. } if found == sha256), "{error}");
    store.delete(&key).await.unwrap();
    assert_eq!(store.head(&key).await.unwrap(), None);
}

async fn listing_pages_through_every_key_once_in_order(store: ObjectStore) {
    let mut rng = StdRng::seed_from_u64(9);
    let mut expected = Vec::new();
    for number in 0..23_u64 {
        // Some share a digest, and so a directory.
        let key = ObjectKey::document(&Sha256::of(&[(number % 9) as u8]), LONG_AGO, &mut rng);
        store.put_bytes(&key, Bytes::from_static(b"x")).await.unwrap();
        expected.push(key);
    }
    expected.sort();
    let mut previews = Vec::new();
    let document = DocumentId::new(LONG_AGO, &mut rng);
    for number in [0, 2, 10] {
        let key = ObjectKey::document_preview(&document, number, LONG_AGO, &mut rng);
        store.put_bytes(&key, Bytes::from_static(b"p")).await.unwrap();
        previews.push(key);
    }
    previews.sort();
    for limit in [1, 5, 22, 23, 24, 1000] {
        assert_eq!(list_all(&store, KeyKind::Document, limit).await, expected, "limit {limit}");
    }
    assert_eq!(list_all(&store, KeyKind::Preview, 2).await, previews);
    assert_eq!(list_all(&store, KeyKind::Probe, 2).await, []);
    let page = store.list(KeyKind::Document, Some(&(&expected[4]).into()), 3).await.unwrap();
    assert_eq!(page.objects.into_iter().map(|object| object.key).collect::<Vec<_>>(), expected[5..8]);
}

async fn the_check_works_and_leaves_nothing_behind(store: ObjectStore) {
    store.check(&ObjectKey::probe(LONG_AGO, &mut StdRng::seed_from_u64(1))).await.unwrap();
    assert_eq!(list_all(&store, KeyKind::Probe, 10).await, []);
}

async fn only_unreferenced_objects_older_than_a_day_are_collected(store: ObjectStore) {
    let (kept, orphan) = (key_for(b"kept", 1), key_for(b"orphan", 2));
    store.put_bytes(&kept, Bytes::from_static(b"kept")).await.unwrap();
    store.put_bytes(&orphan, Bytes::from_static(b"orphan")).await.unwrap();
    let written = store.head(&orphan).await.unwrap().unwrap().modified_at;
    let referenced = |keys: Vec<ObjectKey>| {
        let kept = kept.clone();
        async move { Ok::<_, Infallible>(keys.into_iter().filter(|key| *key == kept).collect::<HashSet<_>>()) }
    };

    let young = collect(&store, KeyKind::Document, written.plus(GRACE), false, referenced).await.unwrap();
    assert_eq!(young.deleted, 0, "{young:?}");
    let later = written.plus(GRACE * 2);
    let expected = Collected { seen: 2, young: 0, referenced: 1, deleted: 1, deleted_bytes: 6 };
    assert_eq!(collect(&store, KeyKind::Document, later, true, referenced).await.unwrap(), expected);
    assert!(store.head(&orphan).await.unwrap().is_some(), "a dry run deletes nothing");
    assert_eq!(collect(&store, KeyKind::Document, later, false, referenced).await.unwrap(), expected);
    assert_eq!(list_all(&store, KeyKind::Document, 10).await, std::slice::from_ref(&kept));

    // A key stamped by a clock that runs ahead is young however old the file is.
    let ahead = ObjectKey::document(&Sha256::of(b"a"), later, &mut StdRng::seed_from_u64(3));
    store.put_bytes(&ahead, Bytes::from_static(b"a")).await.unwrap();
    let collected = collect(&store, KeyKind::Document, later, false, referenced).await.unwrap();
    assert_eq!((collected.young, collected.deleted), (1, 0));

    let lookup_failed = async |_: Vec<ObjectKey>| Err::<HashSet<_>, _>("the database is away");
    collect(&store, KeyKind::Document, later, false, lookup_failed).await.unwrap_err();
    assert!(store.head(&kept).await.unwrap().is_some(), "a failed lookup deletes nothing");
}

macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod on_a_local_directory {
            $(#[tokio::test]
            async fn $name() {
                let dir = tempfile::tempdir().unwrap();
                let store = super::local(&dir).await;
                // Spawned, so the futures are known to be `Send`.
                tokio::spawn(super::$name(store)).await.unwrap();
            })+
        }
        mod on_s3 {
            $(#[tokio::test]
            async fn $name() {
                let server = super::S3Server::start().await;
                let store = super::s3(server.settings()).await;
                tokio::spawn(super::$name(store)).await.unwrap();
                assert!(server.left_over_parts().is_empty());
            })+
        }
    };
}

on_both_stores! {
    objects_come_back_as_they_went_in,
    nothing_is_ever_overwritten,
    absent_oversized_and_wrong_objects_are_told_apart,
    listing_pages_through_every_key_once_in_order,
    the_check_works_and_leaves_nothing_behind,
    only_unreferenced_objects_older_than_a_day_are_collected,
}

mod local_only {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn objects_fan_out_by_hash_and_only_their_owner_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let store = local(&dir).await;
        let key = key_for(b"x", 1);
        store.put_bytes(&key, Bytes::from_static(b"x")).await.unwrap();
        let sha256 = Sha256::of(b"x").to_string();
        let root = dir.path().join("a/b/objects");
        let leaf = root.join("documents").join(&sha256[..2]).join(&sha256[2..4]).join(&sha256);
        let file = std::fs::read_dir(&leaf).unwrap().next().unwrap().unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(root.join("documents").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(root.join("tmp")).unwrap().count(), 0, "no temporary file is left");

        std::fs::write(file.path(), b"y").unwrap();
        let verdict = verify(&store, &key, &Sha256::of(b"x")).await.unwrap();
        assert_eq!(verdict, Verdict::Damaged { found: Sha256::of(b"y") });
        std::fs::remove_file(file.path()).unwrap();
        assert_eq!(verify(&store, &key, &Sha256::of(b"x")).await.unwrap(), Verdict::Missing);
    }

    #[tokio::test]
    async fn of_racing_writers_with_different_bytes_one_wins() {
        let dir = tempfile::tempdir().unwrap();
        let store = local(&dir).await;
        let key = key_for(b"x", 1);
        let writers: Vec<_> = (0..16_u8)
            .map(|n| {
                let (store, key) = (store.clone(), key.clone());
                tokio::spawn(async move { store.put_bytes(&key, vec![n; 10_000].into()).await })
            })
            .collect();
        let mut winners = 0;
        for writer in writers {
            winners += usize::from(writer.await.unwrap().is_ok());
        }
        assert_eq!(winners, 1);
    }

    #[tokio::test]
    async fn foreign_files_are_not_objects_and_stale_temporary_files_go() {
        let dir = tempfile::tempdir().unwrap();
        let store = local(&dir).await;
        let root = dir.path().join("a/b/objects");
        std::fs::create_dir_all(root.join("documents/ab/cd/not-a-hash")).unwrap();
        std::fs::write(root.join("documents/ab/cd/not-a-hash/x"), b"").unwrap();
        std::fs::write(root.join("documents/.DS_Store"), b"").unwrap();
        assert_eq!(list_all(&store, KeyKind::Document, 10).await, []);

        let temporary = root.join("tmp/.tmpDead");
        std::fs::write(&temporary, b"half").unwrap();
        let reopen = async |now| ObjectStore::open(&ObjectSettings::Local { dir: root.clone() }, now).await.unwrap();
        reopen(LONG_AGO).await;
        assert!(temporary.exists(), "it may belong to a writer at work");
        // The year 2100.
        reopen(Timestamp::from_micros(4_102_444_800_000_000)).await;
        assert!(!temporary.exists());
    }

    #[tokio::test]
    async fn a_directory_that_is_a_file_is_refused_with_a_hint() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let settings = ObjectSettings::Local { dir: file.path().join("objects") };
        let error = ObjectStore::open(&settings, LONG_AGO).await.unwrap_err();
        assert!(matches!(error, ObjectError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("hint: "));
    }
}

mod s3_only {
    use super::*;

    #[tokio::test]
    async fn wrong_configuration_is_refused_with_what_to_do() {
        let server = S3Server::start().await;
        let probe = ObjectKey::probe(LONG_AGO, &mut StdRng::seed_from_u64(1));
        let good = server.settings();
        let mut wrong_secret = good.clone();
        wrong_secret.credentials.secret_access_key = "guessed".into();
        let mut wrong_key = good.clone();
        wrong_key.credentials.access_key_id = "AKIANOBODY".into();
        let missing_bucket = S3Settings { bucket: "elsewhere".into(), ..good.clone() };
        for (settings, hint) in [(wrong_secret, "secret"), (wrong_key, "access key"), (missing_bucket, "bucket")] {
            let error = s3(settings).await.check(&probe).await.unwrap_err();
            assert!(matches!(error, ObjectError::Refused { .. }), "{error}");
            assert!(error.to_string().contains("hint: ") && error.to_string().contains(hint), "{error}");
            assert!(!error.to_string().contains("guessed"));
        }
        for broken in [
            S3Settings { endpoint: Some("localhost:9000".into()), ..good.clone() },
            S3Settings { prefix: "../other/".into(), ..good.clone() },
            S3Settings { prefix: "vouch".into(), ..good.clone() },
            S3Settings { bucket: "a/b".into(), ..good },
        ] {
            let error = ObjectStore::open(&ObjectSettings::S3(broken.into()), LONG_AGO).await.unwrap_err();
            assert!(matches!(error, ObjectError::Refused { .. }), "{error}");
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_unavailable_and_names_the_endpoint_setting() {
        let server = S3Server::start().await;
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let settings = S3Settings { endpoint: Some(format!("http://{unused}")), ..server.settings() };
        let error = s3(settings).await.put_bytes(&key_for(b"x", 1), Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(error, ObjectError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("objects.s3.endpoint"), "{error}");
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        server.inject("PUT", Fault::Answer(503, "SlowDown"));
        server.inject("GET", Fault::Answer(500, "InternalError"));
        store.put_bytes(&key_for(b"x", 1), Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(server.log().iter().filter(|line| line.starts_with("PUT")).count(), 2);
    }

    #[tokio::test]
    async fn a_server_busy_for_good_is_unavailable_and_nothing_is_stored() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        for _ in 0..3 {
            server.inject("PUT", Fault::Answer(503, "SlowDown"));
        }
        let key = key_for(b"x", 1);
        let error = store.put_bytes(&key, Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(error, ObjectError::Unavailable { .. }) && error.is_worth_retrying(), "{error}");
        assert_eq!(store.head(&key).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_lost_answer_does_no_harm() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        let content = bytes(1, 9 * MIB);
        for content in [content.slice(..1000), content] {
            let key = key_for(&content, 1);
            // The object is there already when the request is repeated.
            server.inject("PUT", Fault::LoseAnswer);
            put_file(&store, &key, &content).await.unwrap();
            assert_eq!(verify(&store, &key, &Sha256::of(&content)).await.unwrap(), Verdict::Sound);
        }
        assert_eq!(list_all(&store, KeyKind::Document, 10).await.len(), 2);
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_given_up_in_time() {
        let server = S3Server::start().await;
        let store = s3(impatient(&server)).await;
        let key = key_for(b"x", 1);
        for _ in 0..3 {
            server.inject("PUT", Fault::Stall);
        }
        let error = store.put_bytes(&key, Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(error, ObjectError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("slow or stuck"), "{error}");
    }

    #[tokio::test]
    async fn a_body_that_is_cut_off_stalls_or_is_altered_never_passes_for_the_object() {
        let server = S3Server::start().await;
        let content = bytes(1, 300_000);
        let (key, sha256) = (key_for(&content, 1), Sha256::of(&content));
        put_file(&s3(server.settings()).await, &key, &content).await.unwrap();
        let store = s3(impatient(&server)).await;
        for fault in [Fault::TruncateBody, Fault::StallBody] {
            server.inject("GET", fault);
            let error = store.get_verified(&key, MIB as u64, &sha256).await.map(|_| fault).unwrap_err();
            assert!(matches!(error, ObjectError::Unavailable { .. }), "{fault:?}: {error}");
        }
        server.inject("GET", Fault::AlterBody);
        let error = store.get_verified(&key, MIB as u64, &sha256).await.unwrap_err();
        assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
        assert_eq!(store.get_verified(&key, MIB as u64, &sha256).await.unwrap(), content);
    }

    #[tokio::test]
    async fn a_server_that_says_200_and_keeps_something_else_is_caught() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        let key = key_for(b"bytes", 1);
        server.inject("PUT", Fault::AlterStored);
        let error = store.put_bytes(&key, Bytes::from_static(b"bytes")).await.unwrap_err();
        assert!(matches!(error, ObjectError::Damaged { .. }) && error.is_worth_retrying(), "{error}");
        assert_eq!(store.head(&key).await.unwrap(), None, "the wrong bytes are removed again");

        server.inject("PUT", Fault::LoseStored);
        let error = store.put_bytes(&key, Bytes::from_static(b"bytes")).await.unwrap_err();
        assert!(matches!(error, ObjectError::Unavailable { .. }), "{error}");

        // Only the way back was bad: read once more, kept.
        server.inject("GET", Fault::AlterBody);
        store.put_bytes(&key, Bytes::from_static(b"bytes")).await.unwrap();
    }

    #[tokio::test]
    async fn an_upload_given_up_leaves_no_parts() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        let content = bytes(1, 18 * MIB);
        for _ in 0..3 {
            server.inject("partNumber=2", Fault::Answer(500, "InternalError"));
        }
        let error = put_file(&store, &key_for(&content, 1), &content).await.unwrap_err();
        assert!(matches!(error, ObjectError::Unavailable { .. }), "{error}");
        assert!(server.log().iter().any(|line| line.starts_with("PUT") && line.contains("partNumber=1")));
        assert!(server.log().iter().any(|line| line.starts_with("DELETE") && line.contains("uploadId=")));
        assert_eq!(server.left_over_parts(), [""; 0]);
        assert_eq!(list_all(&store, KeyKind::Document, 10).await, []);
    }

    #[tokio::test]
    async fn a_server_without_conditional_writes_is_used_without_them() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        server.inject("PUT", Fault::Answer(501, "NotImplemented"));
        store.put_bytes(&key_for(b"x", 1), Bytes::from_static(b"x")).await.unwrap();
        store.put_bytes(&key_for(b"x", 2), Bytes::from_static(b"x")).await.unwrap();
        let puts: Vec<_> = server.log().into_iter().filter(|line| line.starts_with("PUT")).collect();
        assert_eq!(puts.iter().map(|line| line.contains(" * ")).collect::<Vec<_>>(), [true, false, false]);
    }

    #[tokio::test]
    async fn the_sha_256_of_every_body_is_signed() {
        let server = S3Server::start().await;
        let store = s3(server.settings()).await;
        let content = bytes(1, 10 * MIB);
        put_file(&store, &key_for(&content, 1), &content).await.unwrap();
        store.put_bytes(&key_for(b"x", 2), Bytes::from_static(b"x")).await.unwrap();
        let bodies = [&content[..8 * MIB], &content[8 * MIB..], b"x"];
        let log = server.log();
        for body in bodies {
            let digest = Sha256::of(body).to_string();
            assert!(log.iter().any(|line| line.starts_with("PUT") && line.ends_with(&digest)), "{log:#?}");
        }
    }
}
