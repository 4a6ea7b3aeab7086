//! Providers' webhooks through the whole site.

use axum::http::{Method, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;

use super::world::World;
use crate::support::{Answer, Caller, NOW, Site, site};

const FORM: &str = "application/x-www-form-urlencoded";

fn mailgun(world: &World, token: &str, age_seconds: i64, key: &str, body: &str) -> Vec<u8> {
    let timestamp = (NOW.as_micros() / 1_000_000 - age_seconds).to_string();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{timestamp}{token}").as_bytes());
    form_urlencoded::Serializer::new(String::new())
        .append_pair("recipient", &world.address)
        .append_pair("sender", "shop@shop.example")
        .append_pair("timestamp", &timestamp)
        .append_pair("token", token)
        .append_pair("signature", &hex::encode(mac.finalize().into_bytes()))
        .append_pair("body-mime", body)
        .finish()
        .into_bytes()
}

async fn post(site: &Site, path: &str, kind: &str, body: Vec<u8>) -> Answer {
    site.send(&Caller::Nobody, Method::POST, &format!("/hooks/mail/{path}"), kind, body).await
}

#[tokio::test]
async fn mailgun_is_taken_once_in_time_and_a_replay_with_other_content_is_refused() {
    let world = World::new().await;
    let site = site(&world.test);
    let mail = "From: shop@shop.example\r\nSubject: by Mailgun\r\n\r\nTotal 1.00\r\n";
    let good = mailgun(&world, "t1", 10, "mailgun-key", mail);
    assert_eq!(post(&site, "mailgun/mime", FORM, good.clone()).await.status, StatusCode::NO_CONTENT);
    // Our answer was lost: the same delivery again is acknowledged and changes nothing.
    assert_eq!(post(&site, "mailgun/mime", FORM, good).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.waiting().await.len(), 1);
    for (name, body) in [
        ("other content under the same token", mailgun(&world, "t1", 10, "mailgun-key", &mail.replace('1', "2"))),
        ("too old", mailgun(&world, "t2", 301, "mailgun-key", mail)),
        ("from the future", mailgun(&world, "t3", -301, "mailgun-key", mail)),
        ("another key", mailgun(&world, "t4", 10, "other", mail)),
        ("no signature", b"recipient=x&body-mime=y".to_vec()),
    ] {
        let answer = post(&site, "mailgun/mime", FORM, body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {}", answer.text());
    }
    assert_eq!(world.waiting().await.len(), 1);
    world.fresh.remove().await;
}

#[tokio::test]
async fn postmark_sendgrid_and_ses_answer_as_configured() {
    let world = World::new().await;
    let site = site(&world.test);
    let body = json!({
        "RawEmail": "From: a@b.example\r\nSubject: by Postmark\r\n\r\nx\r\n",
        "OriginalRecipient": world.address,
        "MailboxHash": "",
    });
    // Without the password of the URL nothing is believed.
    let answer = post(&site, "postmark", "application/json", body.to_string().into_bytes()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    for off in ["sendgrid", "ses"] {
        let sns = json!({
            "Type": "Notification", "MessageId": "1", "TopicArn": "arn:other", "Message": "{}",
            "Timestamp": "2026-11-23T10:00:00Z", "SignatureVersion": "2", "Signature": "",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        });
        let answer = post(&site, off, "application/json", sns.to_string().into_bytes()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{off}: {}", answer.text());
    }
    assert!(world.waiting().await.is_empty());
    world.fresh.remove().await;
}

#[tokio::test]
async fn mail_to_nobody_is_refused_for_good_and_storage_trouble_asks_to_come_again() {
    let world = World::new().await;
    let site = site(&world.test);
    let mail = "From: a@b.example\r\n\r\nx\r\n";
    let mut body = mailgun(&world, "t1", 0, "mailgun-key", mail);
    let secret = world.address.split('@').next().unwrap();
    body = String::from_utf8(body).unwrap().replace(secret, "r-bbbbbbbbbbbbbbbb").into_bytes();
    assert_eq!(post(&site, "mailgun/mime", FORM, body).await.status, StatusCode::NOT_ACCEPTABLE);
    let objects = world.test.data_dir.path().join("objects");
    let aside = world.test.data_dir.path().join("aside");
    std::fs::rename(&objects, &aside).unwrap();
    std::fs::write(&objects, b"not a directory").unwrap();
    let body = mailgun(&world, "t2", 0, "mailgun-key", mail);
    let answer = post(&site, "mailgun/mime", FORM, body.clone()).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    std::fs::remove_file(&objects).unwrap();
    std::fs::rename(&aside, &objects).unwrap();
    assert_eq!(post(&site, "mailgun/mime", FORM, body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.waiting().await.len(), 1);
    world.fresh.remove().await;
}
