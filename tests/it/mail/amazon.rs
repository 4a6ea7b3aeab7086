//! Amazon SES through SNS: signatures, replays, and mail in a bucket of a real S3-speaking server.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use serde_json::{Value, json};
use vouch::{
    capture::mail::webhook::{Certificates, Keys, certificate_of},
    objects::ForeignBuckets,
};

use super::world::World;
use crate::{
    s3_server::{BUCKET, S3Server},
    support::{Answer, Caller, NOW, Site, site_with_keys},
};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:receipts";
const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123.pem";

/// A key as Amazon has one, made by openssl for this test.
struct Signer {
    dir: tempfile::TempDir,
}

impl Signer {
    /// `None`, and a word, when openssl is not installed.
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sns.amazonaws.com"])
            .args(["-keyout".as_ref(), dir.path().join("key").as_os_str()])
            .args(["-out".as_ref(), dir.path().join("certificate").as_os_str()])
            .stderr(Stdio::null())
            .status();
        if made.is_ok_and(|status| status.success()) {
            return Some(Self { dir });
        }
        let is_required = std::env::var("VOUCH_TEST_REQUIRE_ALL").is_ok_and(|v| v == "1");
        assert!(!is_required, "openssl is not installed, and all peers are required");
        eprintln!("skipped: openssl is not installed; scripts/install-deps.sh test installs it");
        None
    }

    fn certificates(&self) -> Certificates {
        let pem = std::fs::read(self.dir.path().join("certificate")).unwrap();
        let certificates = Certificates::default();
        certificates.keep(CERTIFICATE, &certificate_of(&pem).unwrap());
        certificates
    }

    fn sign(&self, text: &str) -> String {
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(self.dir.path().join("key"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        base64::engine::general_purpose::STANDARD.encode(openssl.wait_with_output().unwrap().stdout)
    }

    /// A notification as "Verifying the signatures of Amazon SNS messages" describes it, `age` seconds old.
    fn notification(&self, message: &Value, age: i64) -> Value {
        let timestamp = NOW.to_jiff() - jiff::SignedDuration::from_secs(age);
        let timestamp = timestamp.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
        let message = message.to_string();
        let text = format!(
            "Message\n{message}\nMessageId\n165545c9\nSubject\nAmazon SES Email Receipt Notification\nTimestamp\n{timestamp}\nTopicArn\n{TOPIC}\nType\nNotification\n"
        );
        json!({
            "Type": "Notification", "MessageId": "165545c9", "TopicArn": TOPIC,
            "Subject": "Amazon SES Email Receipt Notification", "Message": message, "Timestamp": timestamp,
            "SignatureVersion": "2", "Signature": self.sign(&text), "SigningCertURL": CERTIFICATE,
        })
    }
}

fn received(to: &str, action: Value, content: Option<&str>) -> Value {
    let mut message = json!({
        "notificationType": "Received", "mail": { "source": "shop@shop.example" },
        "receipt": { "recipients": [to], "action": action },
    });
    if let Some(content) = content {
        message["content"] = content.into();
    }
    message
}

fn in_bucket(to: &str, bucket: &str, name: &str) -> Value {
    received(to, json!({ "type": "S3", "topicArn": TOPIC, "bucketName": bucket, "objectKey": name }), None)
}

async fn post(site: &Site, body: &Value) -> Answer {
    let body = body.to_string().into_bytes();
    site.send(&Caller::Nobody, Method::POST, "/hooks/mail/ses", "text/plain; charset=UTF-8", body).await
}

fn keys(signer: &Signer, buckets: Option<ForeignBuckets>) -> Keys {
    Keys {
        ses_topics: vec![TOPIC.to_owned()],
        ses_buckets: buckets,
        certificates: signer.certificates(),
        ..Keys::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_notification_is_taken_once_and_what_was_touched_or_is_old_is_refused() {
    let Some(signer) = Signer::new() else { return };
    let world = World::new().await;
    let site = site_with_keys(&world.test, keys(&signer, None));
    let mail = "From: shop@shop.example\r\nSubject: by SES\r\n\r\nTotal 1.00\r\n";
    let message = received(&world.address, json!({ "type": "SNS", "encoding": "UTF-8" }), Some(mail));
    let good = signer.notification(&message, 10);
    for _ in 0..2 {
        let answer = post(&site, &good).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    }
    assert_eq!(world.waiting().await.len(), 1, "the second is the first again");
    assert_eq!(world.bytes(&world.waiting().await[0]).await, mail.as_bytes());
    let with = |key: &str, value: &str| {
        let mut changed = good.clone();
        changed[key] = value.into();
        changed
    };
    let other_mail = message.to_string().replace("1.00", "9.00");
    for (name, body, expected) in [
        ("another message", with("Message", &other_mail), StatusCode::UNAUTHORIZED),
        ("another time", with("Timestamp", "2026-11-23T00:00:00.000Z"), StatusCode::UNAUTHORIZED),
        ("another topic", with("TopicArn", "arn:aws:sns:eu-west-1:6:other"), StatusCode::UNAUTHORIZED),
        ("another kind", with("Type", "UnsubscribeConfirmation"), StatusCode::UNPROCESSABLE_ENTITY),
        ("SHA-1", with("SignatureVersion", "1"), StatusCode::UNPROCESSABLE_ENTITY),
        ("certificate of a stranger", with("SigningCertURL", "https://evil.example/x.pem"), StatusCode::UNAUTHORIZED),
        ("no signature", with("Signature", ""), StatusCode::UNAUTHORIZED),
        ("two days old", signer.notification(&message, 2 * 24 * 3600), StatusCode::UNAUTHORIZED),
        ("from the future", signer.notification(&message, -301), StatusCode::UNAUTHORIZED),
    ] {
        let answer = post(&site, &body).await;
        assert_eq!(answer.status, expected, "{name}: {}", answer.text());
    }
    assert_eq!(world.waiting().await.len(), 1);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_in_a_bucket_is_fetched_when_the_bucket_is_ours_and_asked_for_again_until_it_is_there() {
    let Some(signer) = Signer::new() else { return };
    let world = World::new().await;
    let server = S3Server::start().await;
    let buckets = ForeignBuckets::new(&server.settings(), &[BUCKET.to_owned()]).unwrap();
    let site = site_with_keys(&world.test, keys(&signer, Some(buckets)));
    let mail = format!("From: shop@shop.example\r\nSubject: by SES\r\n\r\n{}", "Total 1.00\r\n".repeat(40_000));
    server.put("d6iitobk75ur44p8", mail.as_bytes());
    std::fs::File::create(Path::new(server.root()).join(BUCKET).join("huge"))
        .unwrap()
        .set_len(world.test.app.limits.max_bytes + 1)
        .unwrap();
    for (name, place, expected) in [
        (
            "elsewhere",
            in_bucket(&world.address, "somebody-elses", "d6iitobk75ur44p8"),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("not there yet", in_bucket(&world.address, BUCKET, "later"), StatusCode::SERVICE_UNAVAILABLE),
        ("too large", in_bucket(&world.address, BUCKET, "huge"), StatusCode::PAYLOAD_TOO_LARGE),
        ("there", in_bucket(&world.address, BUCKET, "d6iitobk75ur44p8"), StatusCode::NO_CONTENT),
    ] {
        let answer = post(&site, &signer.notification(&place, 0)).await;
        assert_eq!(answer.status, expected, "{name}: {}", answer.text());
    }
    assert!(server.log().iter().all(|line| !line.contains("somebody-elses")), "{:?}", server.log());
    let waiting = world.waiting().await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(world.bytes(&waiting[0]).await, mail.as_bytes());
    server.go_away(true);
    let answer = post(&site, &signer.notification(&in_bucket(&world.address, BUCKET, "other"), 0)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    world.fresh.remove().await;
}
