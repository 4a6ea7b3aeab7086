//! A mailbox of a real server: every message exactly once, through restarts, changed UIDs and other readers.

use std::time::Instant;

use vouch::{
    capture::mail::imap,
    domain::{
        capture::CaptureState,
        mail::{Doubt, Way},
    },
    store::{captures, documents, mail_accounts},
};

use super::{dovecot::Dovecot, world::World};
use crate::support::office;

fn message(n: usize) -> String {
    format!(
        "From: shop@shop.example\nTo: somebody@else.example\nSubject: Receipt {n}\nMessage-ID: <same@shop.example>\n\nTotal {n}.00\n"
    )
}

async fn documents(world: &World) -> i64 {
    let mut tx = world.test.app.db.read().await.unwrap();
    documents::count(&mut tx).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_taken_once_marked_afterwards_and_wait_for_the_owner_of_the_box() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let post = office(&world.test);
    let account = server.account(Some("anna"));
    server.deliver("1", &message(1));
    server.deliver("2", &message(2));
    let taken = imap::look_once(&post, &account).await.unwrap_or_else(|error| panic!("{error}: {}", server.log()));
    assert_eq!(taken, 2);
    assert_eq!(server.flagged('S'), 2, "marked as read once it is safe");
    assert_eq!(imap::look_once(&post, &account).await.unwrap(), 0);
    server.deliver("3", &message(3));
    // Somebody reads one before we look: its UID tells that it is new.
    server.deliver_read("4", &message(4));
    assert_eq!(imap::look_once(&post, &account).await.unwrap(), 2);
    let waiting = world.waiting().await;
    assert_eq!(waiting.len(), 4);
    assert_eq!((waiting[0].way, waiting[0].doubt), (Way::Imap, Some(Doubt::Unchecked)));
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_uidvalidity_and_reused_uids_bring_nothing_twice_and_lose_nothing() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let post = office(&world.test);
    let account = server.account(Some("anna"));
    for n in 1..=5 {
        server.deliver(&n.to_string(), &message(n));
    }
    assert_eq!(imap::look_once(&post, &account).await.unwrap(), 5);
    // Restored from a backup: other UIDVALIDITY, UIDs from 1, and a message that came meanwhile and was read elsewhere.
    server.forget_uids(77);
    server.deliver_read("6", &message(6));
    imap::look_once(&post, &account).await.unwrap();
    assert_eq!(world.waiting().await.len(), 6);
    // A server that reuses UIDs under the same UIDVALIDITY.
    server.forget_uids(77);
    server.deliver("7", &message(7));
    imap::look_once(&post, &account).await.unwrap();
    imap::look_once(&post, &account).await.unwrap();
    assert_eq!(world.waiting().await.len(), 7);
    assert_eq!(documents(&world).await, 7);
    let mut tx = world.test.app.db.read().await.unwrap();
    let state = mail_accounts::find(&mut tx, "test").await.unwrap().unwrap();
    assert_eq!(state.uid_validity, Some(77));
    drop(tx);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_put_into_a_folder_is_read_without_asking_and_moved() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let mut account = server.account(Some("anna"));
    account.is_handed_in = true;
    account.move_to = Some("Done".to_owned());
    server.deliver("1", &message(1));
    server.deliver("2", "From: a@b.example\nAuto-Submitted: auto-replied\nSubject: moved here on purpose\n\nx\n");
    assert_eq!(imap::look_once(&office(&world.test), &account).await.unwrap(), 2);
    assert_eq!(server.count_in("Done"), 2);
    assert!(world.waiting().await.is_empty());
    let mut tx = world.test.app.db.read().await.unwrap();
    let here = captures::list_without_receipts(&mut tx, Some(&world.anna.id), &[CaptureState::Received], None, 10);
    assert_eq!(here.await.unwrap().len(), 2);
    drop(tx);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_shared_box_the_secret_address_says_whose_it_is_and_the_rest_is_left_alone() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let account = server.account(None);
    let secret = world.address.split('@').next().unwrap();
    server.deliver("1", &message(1).replace("somebody@else.example", &format!("receipts+{secret}@corp.example")));
    server.deliver("2", &message(2));
    assert_eq!(imap::look_once(&office(&world.test), &account).await.unwrap(), 1);
    assert_eq!(server.flagged('S'), 1);
    assert_eq!(world.waiting().await.len(), 1);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_the_box_is_said_after_sign_in() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    imap::look_once(&office(&world.test), &server.account(Some("anna"))).await.unwrap();
    // The server writes its log on its own time.
    let until = Instant::now() + std::time::Duration::from_secs(30);
    let said = loop {
        let log = server.log();
        if let Some(line) = log.lines().find(|line| line.contains("ID sent")) {
            break line.to_owned();
        }
        assert!(Instant::now() < until, "{log}");
        tokio::task::yield_now().await;
    };
    // Its sign-in process would have written `imap-login` and no user: providers ask who it is of those signed in.
    assert!(said.contains("imap(anna)") && said.contains("name=Vouch"), "{said}");
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_object_storage_is_away_the_box_stays_as_it_is() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let post = office(&world.test);
    let account = server.account(Some("anna"));
    server.deliver("1", &message(1));
    let objects = world.test.data_dir.path().join("objects");
    let aside = world.test.data_dir.path().join("aside");
    std::fs::rename(&objects, &aside).unwrap();
    std::fs::write(&objects, b"not a directory").unwrap();
    let mut moving = account.clone();
    moving.move_to = Some("Done".to_owned());
    for account in [&account, &moving] {
        let error = imap::look_once(&post, account).await.unwrap_err();
        assert!(matches!(error, imap::ImapError::NotKept(_)), "{error}");
        assert_eq!((server.flagged('S'), server.count_in("Done")), (0, 0), "neither marked nor moved");
    }
    std::fs::remove_file(&objects).unwrap();
    std::fs::rename(&aside, &objects).unwrap();
    assert_eq!(imap::look_once(&post, &account).await.unwrap(), 1);
    assert_eq!((server.flagged('S'), world.waiting().await.len()), (1, 1));
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_silent_server_are_errors_people_can_read() {
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let mut account = server.account(Some("anna"));
    account.password = "wrong".to_owned();
    let error = imap::look_once(&office(&world.test), &account).await.unwrap_err().to_string();
    assert!(error.starts_with("the mail server refused: LOGIN"), "{error}");
    account.port = 1;
    let error = imap::look_once(&office(&world.test), &account).await.unwrap_err().to_string();
    assert!(error.starts_with("the connection to the mail server failed"), "{error}");
    world.fresh.remove().await;
}

/// `VOUCH_TEST_BIG=1`: 50,000 files are too many for every run.
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_box_of_fifty_thousand_messages_is_looked_into_within_a_second() {
    if std::env::var_os("VOUCH_TEST_BIG").is_none() {
        eprintln!("skipped: VOUCH_TEST_BIG is not set");
        return;
    }
    let Some(server) = Dovecot::start() else { return };
    let world = World::new().await;
    let post = office(&world.test);
    let account = server.account(Some("anna"));
    for n in 0..50_000 {
        server.deliver_read(&n.to_string(), &message(n));
    }
    server.deliver("last", &message(50_000));
    assert_eq!(imap::look_once(&post, &account).await.unwrap(), 1);
    let mut slowest = std::time::Duration::ZERO;
    for _ in 0..5 {
        let started = Instant::now();
        assert_eq!(imap::look_once(&post, &account).await.unwrap(), 0);
        slowest = slowest.max(started.elapsed());
    }
    println!("slowest of 5 polls of an unchanged box of 50,001 messages, sign-in included: {slowest:?}");
    assert!(slowest.as_secs_f64() <= 1.0, "{slowest:?}");
    world.fresh.remove().await;
}
