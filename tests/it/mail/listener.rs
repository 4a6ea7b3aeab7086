//! What the listener takes, keeps and refuses.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use vouch::{
    capture::mail::session::Dialect,
    domain::{
        capture::{CaptureState, Channel, Reason},
        mail::{Check, Doubt, Way},
        media::MediaType,
    },
};

use super::world::{World, talk};
use crate::support::journal_kinds;

const MESSAGE: &str = "From: Shop <receipts@shop.example>\r\nSubject: Your receipt\r\nMessage-ID: <1@shop.example>\r\nX-First: 1\r\n\r\n..Total 12.00\r\n";

fn envelope(to: &str) -> String {
    format!("MAIL FROM:<receipts@shop.example>\r\nRCPT TO:<{to}>\r\n")
}

#[tokio::test]
async fn an_acknowledged_message_is_stored_octet_for_octet_and_waits_while_its_sender_is_unchecked() {
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let opening = format!("EHLO mx.shop.example\r\n{}DATA\r\n", envelope(&world.address));
    let replies = talk(running.at, &[opening.as_bytes(), &[], &[], &[]]).await;
    assert!(replies.iter().any(|reply| reply.starts_with("354")), "{replies:?}");
    assert!(world.waiting().await.is_empty(), "a message that broke off leaves nothing");

    let wire = format!("{opening}{MESSAGE}.\r\nQUIT\r\n");
    let replies = talk(running.at, &[wire.as_bytes()]).await;
    assert!(replies.concat().contains("250 2.6.0"), "{replies:?}");

    let waiting = world.waiting().await;
    let message = &waiting[0];
    assert_eq!(String::from_utf8(world.bytes(message).await).unwrap(), MESSAGE.replace("\r\n..", "\r\n."));
    assert_eq!((message.way, message.doubt), (Way::Smtp, Some(Doubt::Unchecked)));
    assert_eq!(message.header_from.as_deref(), Some("receipts@shop.example"));
    assert_eq!(message.subject.as_deref(), Some("Your receipt"));
    assert_eq!(message.hello.as_deref(), Some("mx.shop.example"));
    assert_eq!(message.evidence.0.dmarc, Check::Unavailable);
    let (capture, documents) = world.capture(&message.capture_id).await;
    assert_eq!((capture.state, capture.reason), (CaptureState::Quarantined, Some(Reason::SenderDoubted)));
    assert_eq!((capture.channel, documents[0].media_type), (Channel::Mail, MediaType::Mail));
    assert_eq!(journal_kinds(&world.test.app.db).await, ["capture.received"]);
    world.fresh.remove().await;
}

#[tokio::test]
async fn the_same_message_again_is_acknowledged_and_kept_once_whatever_way_it_took() {
    let world = World::new().await;
    let smtp = world.listen(Dialect::Smtp).await;
    let lmtp = world.listen(Dialect::Lmtp).await;
    let body = MESSAGE.replace("..", "");
    for (at, hello, trace) in [
        (smtp.at, "EHLO a\r\n", ""),
        (smtp.at, "EHLO a\r\n", ""),
        (smtp.at, "EHLO b\r\n", "Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\r\n"),
        (
            lmtp.at,
            "LHLO c\r\n",
            "Delivered-To: somebody\r\nReceived: from b by c;\r\n\tMon, 23 Nov 2026 10:00:01 +0000\r\n",
        ),
    ] {
        let wire = format!("{hello}{}DATA\r\n{trace}{body}.\r\nQUIT\r\n", envelope(&world.address));
        let replies = talk(at, &[wire.as_bytes()]).await;
        assert!(replies.concat().contains("250 2.6.0"), "{replies:?}");
    }
    assert_eq!(world.waiting().await.len(), 1);
    // Two different messages under one Message-ID are two messages: the sender chooses it.
    let other = format!("EHLO a\r\n{}DATA\r\n{body}more\r\n.\r\nQUIT\r\n", envelope(&world.address));
    talk(smtp.at, &[other.as_bytes()]).await;
    assert_eq!(world.waiting().await.len(), 2);
    world.fresh.remove().await;
}

#[tokio::test]
async fn lmtp_answers_for_every_recipient_and_wrong_addresses_are_refused() {
    let world = World::new().await;
    let running = world.listen(Dialect::Lmtp).await;
    let wire = format!(
        "LHLO mx\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{0}>\r\nRCPT TO:<r-bbbbbbbbbbbbbbbb@in.example>\r\nRCPT TO:<x@elsewhere.example>\r\nRCPT TO:<{0}>\r\nDATA\r\n{MESSAGE}.\r\nQUIT\r\n",
        world.address
    );
    let replies = talk(running.at, &[wire.as_bytes()]).await.concat();
    assert!(replies.contains("550 5.1.1") && replies.contains("550 5.7.1"), "{replies}");
    assert_eq!(replies.matches("250 2.6.0").count(), 2, "{replies}");
    assert_eq!(world.waiting().await.len(), 1);
    world.fresh.remove().await;
}

#[tokio::test]
async fn a_client_that_speaks_before_the_greeting_is_sent_away() {
    let world = World::new().await;
    let running = world.listen_patiently().await;
    let mut stream = TcpStream::connect(running.at).await.unwrap();
    stream.write_all(b"EHLO eager\r\n").await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("554 5.5.1") && said.lines().count() == 1, "{said}");
    world.fresh.remove().await;
}

#[tokio::test]
async fn what_nobody_wrote_is_kept_and_stays_quiet_and_circling_mail_is_refused() {
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let bounce = format!(
        "EHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<{}>\r\nDATA\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\n\r\nx\r\n.\r\nQUIT\r\n",
        world.address
    );
    talk(running.at, &[bounce.as_bytes()]).await;
    let own =
        format!("EHLO mx\r\n{}DATA\r\nFrom: {1}\r\n\r\nx\r\n.\r\nQUIT\r\n", envelope(&world.address), world.address);
    talk(running.at, &[own.as_bytes()]).await;
    let hops = "Received: from a by b; Mon, 23 Nov 2026 10:00:00 +0000\r\n".repeat(50);
    let circle = format!("EHLO mx\r\n{}DATA\r\n{hops}{MESSAGE}.\r\nQUIT\r\n", envelope(&world.address));
    let replies = talk(running.at, &[circle.as_bytes()]).await.concat();
    assert!(replies.contains("554 5.4.6"), "{replies}");
    let doubts: Vec<Option<Doubt>> = world.waiting().await.iter().map(|message| message.doubt).collect();
    assert_eq!(doubts, [Some(Doubt::Own), Some(Doubt::Bounce)]);
    let mut tx = world.test.app.db.read().await.unwrap();
    assert_eq!(vouch::store::mail_messages::count_waiting(&mut tx, &world.anna.id).await.unwrap(), 0);
    drop(tx);
    world.fresh.remove().await;
}

#[tokio::test]
async fn while_object_storage_is_away_the_sender_keeps_the_message() {
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let objects = world.test.data_dir.path().join("objects");
    let aside = world.test.data_dir.path().join("aside");
    std::fs::rename(&objects, &aside).unwrap();
    std::fs::write(&objects, b"not a directory").unwrap();
    let wire = format!("EHLO mx\r\n{}DATA\r\n{MESSAGE}.\r\nQUIT\r\n", envelope(&world.address));
    let replies = talk(running.at, &[wire.as_bytes()]).await.concat();
    assert!(replies.contains("451 4.3.0") && !replies.contains("250 2.6.0"), "{replies}");
    assert!(world.waiting().await.is_empty());
    std::fs::remove_file(&objects).unwrap();
    std::fs::rename(&aside, &objects).unwrap();
    let replies = talk(running.at, &[wire.as_bytes()]).await.concat();
    assert!(replies.contains("250 2.6.0"), "{replies}");
    assert_eq!(world.waiting().await.len(), 1);
    world.fresh.remove().await;
}

#[tokio::test]
async fn more_connections_than_allowed_are_told_to_come_later() {
    let world = World::new().await;
    let running = world.listen(Dialect::Smtp).await;
    let mut held = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(running.at).await.unwrap();
        let mut octet = [0; 4];
        stream.read_exact(&mut octet).await.unwrap();
        assert_eq!(&octet, b"220 ");
        held.push(stream);
    }
    let mut said = String::new();
    TcpStream::connect(running.at).await.unwrap().read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("421 4.7.0"), "{said}");
    world.fresh.remove().await;
}

#[tokio::test]
async fn a_sender_and_an_address_with_their_share_of_mail_are_told_to_come_later() {
    let mut world = World::new().await;
    world.per_hour = 2;
    let running = world.listen(Dialect::Smtp).await;
    let wire = |n: usize| format!("EHLO mx\r\n{}DATA\r\n{MESSAGE}{n}\r\n.\r\nQUIT\r\n", envelope(&world.address));
    for n in 0..2 {
        assert!(talk(running.at, &[wire(n).as_bytes()]).await.concat().contains("250 2.6.0"));
    }
    let replies = talk(running.at, &[wire(3).as_bytes()]).await.concat();
    assert!(replies.contains("450 4.7.1") && !replies.contains("250 2.6.0"), "{replies}");
    assert_eq!(world.waiting().await.len(), 2);
    world.fresh.remove().await;
}
