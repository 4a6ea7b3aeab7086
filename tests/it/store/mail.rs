//! Secret addresses, messages, webhook tokens, mailboxes.

use std::time::Duration;

use vouch::{
    capture::mail::webhook::Posted,
    domain::{
        ids::MailAddressId,
        mail::{Check, Decision, Doubt, Evidence, Way},
        sha256::Sha256,
    },
    store::{
        mail_accounts,
        mail_addresses::{self, MailAddress},
        mail_messages::{self, MailMessage},
    },
};

use crate::support::{NOW, TestApp, app, office, on_both, rep};

const HOUR: Duration = Duration::from_hours(1);

fn address(world: &TestApp, person: &vouch::domain::ids::PersonId, local_part: &str) -> MailAddress {
    MailAddress {
        id: world.app.id::<MailAddressId>(),
        person_id: person.clone(),
        visit_id: None,
        local_part: local_part.to_owned(),
        created_at: NOW,
        retired_at: None,
    }
}

#[tokio::test]
async fn a_secret_address_takes_mail_until_it_is_retired_and_senders_are_known_when_accepted() {
    on_both(async |db| {
        let world = app(&db).await;
        let (mei, tom) = (rep(&world, "mei").await, rep(&world, "tom").await);
        let mut tx = db.write().await.unwrap();
        let mine = address(&world, &mei.id, "r-aaaaaaaaaaaaaaaa");
        mail_addresses::create(&mut tx, &mine).await.unwrap();
        assert_eq!(mail_addresses::find_active(&mut tx, &mine.local_part).await.unwrap().as_ref(), Some(&mine));
        assert_eq!(mail_addresses::find_active(&mut tx, "r-aaaaaaaaaaaaaaab").await.unwrap(), None);
        assert_eq!(mail_addresses::find_for(&mut tx, &mei.id, None).await.unwrap().as_ref(), Some(&mine));
        assert_eq!(mail_addresses::find_for(&mut tx, &tom.id, None).await.unwrap(), None);
        assert_eq!(mail_addresses::list(&mut tx, &mei.id, 10).await.unwrap(), std::slice::from_ref(&mine));
        assert!(!mail_addresses::retire(&mut tx, &tom.id, &mine.id, NOW).await.unwrap(), "it is not Tom's");
        assert!(mail_addresses::retire(&mut tx, &mei.id, &mine.id, NOW).await.unwrap());
        assert!(!mail_addresses::retire(&mut tx, &mei.id, &mine.id, NOW).await.unwrap(), "once");
        assert_eq!(mail_addresses::find_active(&mut tx, &mine.local_part).await.unwrap(), None);
        assert!(mail_addresses::list(&mut tx, &mei.id, 10).await.unwrap().is_empty());
        let retired = mail_addresses::find(&mut tx, &mine.id).await.unwrap().unwrap();
        assert_eq!(retired.retired_at, Some(NOW));

        assert!(!mail_addresses::knows_sender(&mut tx, &mei.id, "shop@shop.example").await.unwrap());
        for _ in 0..2 {
            mail_addresses::add_sender(&mut tx, &mei.id, "shop@shop.example", &mei.id, NOW).await.unwrap();
        }
        assert!(mail_addresses::knows_sender(&mut tx, &mei.id, "shop@shop.example").await.unwrap());
        assert!(!mail_addresses::knows_sender(&mut tx, &tom.id, "shop@shop.example").await.unwrap());
        assert_eq!(mail_addresses::senders(&mut tx, &mei.id, 10).await.unwrap(), ["shop@shop.example"]);
        assert!(mail_addresses::remove_sender(&mut tx, &mei.id, "shop@shop.example").await.unwrap());
        assert!(!mail_addresses::remove_sender(&mut tx, &mei.id, "shop@shop.example").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_message_waits_is_checked_once_and_decided_once() {
    on_both(async |db| {
        let world = app(&db).await;
        let mei = rep(&world, "mei").await;
        let secret = address(&world, &mei.id, "r-aaaaaaaaaaaaaaaa");
        let mut tx = db.write().await.unwrap();
        mail_addresses::create(&mut tx, &secret).await.unwrap();
        tx.commit().await.unwrap();
        for n in [1, 2, 3, 3] {
            let posted = Posted {
                way: Way::Postmark,
                recipients: vec!["r-aaaaaaaaaaaaaaaa@in.example".to_owned()],
                sender: Some("bounce@shop.example".to_owned()),
                raw: format!("From: shop@shop.example\r\nSubject: {n}\r\n\r\nTotal {n}.00\r\n").into_bytes(),
            };
            office(&world).take_posted(&posted).await.unwrap();
        }
        let mut tx = db.write().await.unwrap();
        let waiting = mail_messages::list_doubted(&mut tx, &mei.id, None, 10).await.unwrap();
        assert_eq!(waiting.len(), 3, "the same content is one message");
        assert_eq!(mail_messages::count_waiting(&mut tx, &mei.id).await.unwrap(), 3);
        let one = waiting.last().unwrap();
        assert_eq!((one.subject.as_deref(), one.doubt), (Some("1"), Some(Doubt::Unchecked)));
        assert!(!mail_messages::insert(&mut tx, one).await.unwrap(), "it is there");
        let found = [
            mail_messages::find(&mut tx, &one.id).await.unwrap(),
            mail_messages::find_by_capture(&mut tx, &one.capture_id).await.unwrap(),
            mail_messages::find_by_content(&mut tx, &mei.id, &one.content_hash).await.unwrap(),
        ];
        assert!(found.iter().all(|found| found.as_ref() == Some(one)));
        let other = Sha256::of(b"other");
        assert_eq!(mail_messages::find_by_content(&mut tx, &mei.id, &other).await.unwrap(), None);

        let ids = |messages: &[MailMessage]| messages.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        let unchecked = mail_messages::list_unchecked(&mut tx, NOW, None, 2).await.unwrap();
        assert_eq!(unchecked.len(), 2);
        let rest = mail_messages::list_unchecked(&mut tx, NOW, Some(&unchecked[1].id), 2).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert!(!ids(&unchecked).contains(&rest[0].id));
        assert!(mail_messages::list_unchecked(&mut tx, NOW.plus(HOUR), None, 9).await.unwrap().is_empty());
        let evidence = Evidence { dmarc: Check::Fail, dmarc_is_enforced: true, ..Evidence::default() };
        let doubt = Some(Doubt::Forged);
        assert!(mail_messages::set_checked(&mut tx, &one.id, &evidence, doubt).await.unwrap());
        assert!(!mail_messages::set_checked(&mut tx, &one.id, &evidence, None).await.unwrap(), "once");
        let checked = mail_messages::find(&mut tx, &one.id).await.unwrap().unwrap();
        assert_eq!((checked.doubt, checked.evidence.0), (doubt, evidence));

        let decide = Decision::Rejected;
        assert!(mail_messages::decide(&mut tx, &one.id, decide, &mei.id, NOW).await.unwrap());
        assert!(!mail_messages::decide(&mut tx, &one.id, decide, &mei.id, NOW).await.unwrap());
        assert_eq!(mail_messages::list_doubted(&mut tx, &mei.id, Some(decide), 10).await.unwrap().len(), 1);
        let decide = Decision::Accepted;
        assert!(mail_messages::decide(&mut tx, &one.id, decide, &mei.id, NOW).await.unwrap(), "second thoughts");
        assert!(!mail_messages::decide(&mut tx, &one.id, Decision::Rejected, &mei.id, NOW).await.unwrap());
        assert_eq!(mail_messages::count_waiting(&mut tx, &mei.id).await.unwrap(), 2);
        let by_way = mail_messages::count_by_way(&mut tx, NOW).await.unwrap();
        assert_eq!(by_way, [("postmark".to_owned(), 3, 3, NOW.as_micros())]);
    })
    .await;
}

#[tokio::test]
async fn webhook_tokens_are_noted_once_and_forgotten_in_time_and_mailboxes_keep_their_progress() {
    on_both(async |db| {
        let mut tx = db.write().await.unwrap();
        assert!(mail_messages::note_nonce(&mut tx, "mailgun", "t", NOW).await.unwrap());
        assert!(!mail_messages::note_nonce(&mut tx, "mailgun", "t", NOW).await.unwrap());
        assert!(mail_messages::note_nonce(&mut tx, "other", "t", NOW).await.unwrap());
        mail_messages::purge_nonces(&mut tx, NOW).await.unwrap();
        assert!(mail_messages::knows_nonce(&mut tx, "mailgun", "t").await.unwrap());
        mail_messages::purge_nonces(&mut tx, NOW.plus(HOUR)).await.unwrap();
        assert!(!mail_messages::knows_nonce(&mut tx, "mailgun", "t").await.unwrap());

        assert_eq!(mail_accounts::find(&mut tx, "box").await.unwrap(), None);
        for taken in [2, 3] {
            mail_accounts::set_progress(&mut tx, "box", "INBOX", 7, 10 + taken, taken, NOW).await.unwrap();
        }
        mail_accounts::set_outcome(&mut tx, "box", "INBOX", Some("refused"), NOW.plus(HOUR)).await.unwrap();
        let found = mail_accounts::find(&mut tx, "box").await.unwrap().unwrap();
        assert_eq!((found.uid_validity, found.uid_next, found.taken), (Some(7), Some(13), 5));
        assert_eq!((found.error.as_deref(), found.error_at), (Some("refused"), Some(NOW.plus(HOUR))));
        assert_eq!(found.polled_at, Some(NOW), "a failed look is none");
        mail_accounts::set_outcome(&mut tx, "box", "INBOX", None, NOW.plus(2 * HOUR)).await.unwrap();
        let found = mail_accounts::find(&mut tx, "box").await.unwrap().unwrap();
        assert_eq!((found.error, found.polled_at), (None, Some(NOW.plus(2 * HOUR))));
        assert_eq!(mail_accounts::list(&mut tx).await.unwrap().len(), 1);
    })
    .await;
}
