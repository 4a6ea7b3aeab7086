//! Whose mail is read without asking: real signatures, a real DNS server, and forgeries.

use std::sync::Arc;

use base64::Engine as _;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, AuthenticationResults,
    arc::ArcSealer,
    common::{crypto::Ed25519Key, headers::HeaderWriter as _},
    dkim::DkimSigner,
};
use vouch::{
    capture::mail::{
        MailSettings, PostOffice,
        authenticate::{Authenticator, Route},
        headers::Head,
        links::LinkPolicy,
        quarantine, recheck,
        session::Dialect,
        webhook::Posted,
    },
    domain::{
        capture::CaptureState,
        mail::{Check, Doubt, SenderPolicy, Way},
    },
    review,
    store::{captures, mail_addresses},
};

use super::{
    dns::{self, Dns, Zone},
    world::{World, talk},
};

/// A shop that signs its mail, and its records.
struct Shop {
    key: Vec<u8>,
    zone: Zone,
}

impl Shop {
    fn new() -> Self {
        let key = Ed25519Key::generate_pkcs8().unwrap();
        let public = Ed25519Key::from_pkcs8_der(&key).unwrap().public_key();
        let public = base64::engine::general_purpose::STANDARD.encode(public);
        let mut zone = Zone::default();
        for (name, text) in [
            ("s1._domainkey.shop.example", format!("v=DKIM1; k=ed25519; p={public}")),
            ("_dmarc.shop.example", "v=DMARC1; p=reject".to_owned()),
            ("shop.example", "v=spf1 ip4:203.0.113.5 -all".to_owned()),
            ("s1._domainkey.small.example", format!("v=DKIM1; k=ed25519; p={public}")),
            ("_dmarc.lax.example", "v=DMARC1; p=none".to_owned()),
        ] {
            zone.txt.insert(name.to_owned(), text);
        }
        zone.broken.push("silent.example".to_owned());
        Self { key, zone }
    }

    fn sign(&self, domain: &str, message: &str) -> String {
        let key = Ed25519Key::from_pkcs8_der(&self.key).unwrap();
        let signer = DkimSigner::from_key(key).domain(domain).selector("s1").headers(["From", "Subject"]);
        signer.sign(message.as_bytes()).unwrap().to_header() + message
    }

    /// What a server of `domain` makes of a message it passes on: it says what it saw, and seals that (RFC 8617).
    fn seal(&self, domain: &str, message: &str) -> String {
        let key = Ed25519Key::from_pkcs8_der(&self.key).unwrap();
        let sealer = ArcSealer::from_key(key).domain(domain).selector("s1").headers(["From", "Subject"]);
        let parsed = AuthenticatedMessage::parse(message.as_bytes()).unwrap();
        let seen = AuthenticationResults::new(domain);
        sealer.seal(&parsed, &seen, &ArcOutput::default()).unwrap().to_header() + message
    }
}

fn message(from: &str, subject: &str) -> String {
    format!("From: {from}\r\nTo: x@in.example\r\nSubject: {subject}\r\n\r\nTotal 12.00\r\n")
}

fn office(world: &World, dns: &Dns, policy: SenderPolicy) -> PostOffice {
    let settings = MailSettings {
        domains: vec!["in.example".to_owned()],
        host_name: "mx.in.example".to_owned(),
        policy,
        links: LinkPolicy::default(),
    };
    PostOffice {
        app: world.test.app.clone(),
        settings: Arc::new(settings),
        authenticator: Authenticator::with_dns(dns.at).unwrap(),
    }
}

/// Hands the message in and says what became of it: `None` when it is read.
async fn doubt(world: &World, office: &PostOffice, raw: &str) -> Option<Doubt> {
    let posted = Posted {
        way: Way::Postmark,
        recipients: vec![world.address.clone()],
        sender: Some("bounces@elsewhere.example".to_owned()),
        raw: raw.as_bytes().to_vec(),
    };
    let before = world.waiting().await.len();
    office.take_posted(&posted).await.unwrap();
    let waiting = world.waiting().await;
    if waiting.len() > before { waiting[0].doubt } else { None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proved_sender_is_read_and_everything_doubtful_waits() {
    let world = World::new().await;
    let shop = Shop::new();
    let dns =
        dns::serve(Zone { txt: shop.zone.txt.clone(), a: shop.zone.a.clone(), broken: shop.zone.broken.clone() }).await;
    let post = office(&world, &dns, SenderPolicy::Proved);
    let good = shop.sign("shop.example", &message("Shop <receipts@shop.example>", "signed"));
    assert_eq!(doubt(&world, &post, &good).await, None);
    for (name, raw, expected) in [
        ("no signature, policy reject", message("ceo@shop.example", "forged"), Doubt::Forged),
        ("altered after signing", good.replace("12.00", "99.00"), Doubt::Forged),
        ("signed by somebody else", shop.sign("small.example", &message("ceo@shop.example", "other")), Doubt::Forged),
        ("two authors", good.replace("From: Shop", "From: ceo@shop.example\r\nFrom: Shop"), Doubt::Unauthenticated),
        ("no policy, no proof", message("a@nowhere.example", "plain"), Doubt::Unauthenticated),
        ("policy none, no proof", message("a@lax.example", "lax"), Doubt::Unauthenticated),
        ("no policy, proof, unknown", shop.sign("small.example", &message("a@small.example", "new")), Doubt::Unknown),
        ("DNS is silent", message("a@silent.example", "silent"), Doubt::Unchecked),
    ] {
        assert_eq!(doubt(&world, &post, &raw).await, Some(expected), "{name}");
    }
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_message_is_read_and_its_proved_sender_known_from_then_on() {
    let world = World::new().await;
    let shop = Shop::new();
    let dns = dns::serve(Zone { txt: shop.zone.txt.clone(), ..Zone::default() }).await;
    let post = office(&world, &dns, SenderPolicy::Known);
    let app = &world.test.app;
    let first = shop.sign("small.example", &message("a@small.example", "first"));
    assert_eq!(doubt(&world, &post, &first).await, Some(Doubt::Unknown));
    let waiting = world.waiting().await.remove(0);
    let accepted = quarantine::accept(app, &world.anna, &waiting.id, true).await.unwrap();
    let seen = review::capture(app, &world.anna, &accepted.capture_id).await.unwrap();
    assert_eq!((seen.capture.state, seen.capture.reason), (CaptureState::Received, None));
    assert!(quarantine::accept(app, &world.anna, &waiting.id, false).await.is_err(), "one decision is enough");
    let second = shop.sign("small.example", &message("a@small.example", "second"));
    assert_eq!(doubt(&world, &post, &second).await, None);
    // The name alone opens nothing.
    assert_eq!(doubt(&world, &post, &message("a@small.example", "third")).await, Some(Doubt::Unauthenticated));
    // A domain that proves itself is still nobody the owner knows.
    let stranger = shop.sign("shop.example", &message("b@shop.example", "stranger"));
    assert_eq!(doubt(&world, &post, &stranger).await, Some(Doubt::Unknown));
    let rejected = world.waiting().await.into_iter().find(|m| m.doubt == Some(Doubt::Unknown)).unwrap();
    quarantine::reject(app, &world.anna, &rejected.id).await.unwrap();
    let kept = quarantine::list(app, &world.anna, true).await.unwrap();
    assert_eq!(kept.len(), 1, "rejected mail is kept");
    let mut tx = app.db.read().await.unwrap();
    assert_eq!(captures::find(&mut tx, &rejected.capture_id).await.unwrap().unwrap().state, CaptureState::Quarantined);
    assert_eq!(mail_addresses::senders(&mut tx, &world.anna.id, 10).await.unwrap(), ["a@small.example"]);
    drop(tx);
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spf_proves_a_server_of_the_domain_and_no_other() {
    let shop = Shop::new();
    let dns = dns::serve(shop.zone).await;
    let authenticator = Authenticator::with_dns(dns.at).unwrap();
    let raw: Arc<[u8]> = message("receipts@shop.example", "x").into_bytes().into();
    let head = Head::split(&raw).unwrap();
    for (ip, sender, spf, dmarc) in [
        ("203.0.113.5", "bounce@shop.example", Check::Pass, Check::Pass),
        ("203.0.113.6", "bounce@shop.example", Check::Fail, Check::Fail),
        // The server may send for the envelope's domain, which says nothing about the one in `From`.
        ("203.0.113.5", "bounce@other.example", Check::None, Check::Fail),
    ] {
        let route = Route { ip: Some(ip.parse().unwrap()), hello: "mx".to_owned(), sender: Some(sender.to_owned()) };
        let evidence = authenticator.check(raw.clone(), &head, route).await;
        assert_eq!((evidence.spf, evidence.dmarc), (spf, dmarc), "{ip} {sender}: {evidence:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seal_of_a_forwarder_is_evidence_that_opens_nothing_and_a_broken_one_is_known() {
    let world = World::new().await;
    let shop = Shop::new();
    let dns = dns::serve(Zone { txt: shop.zone.txt.clone(), ..Zone::default() }).await;
    let post = office(&world, &dns, SenderPolicy::Proved);
    // The forwarder changed the text, which breaks the shop's own signature, and sealed what it sent on.
    let signed = shop.sign("shop.example", &message("Shop <receipts@shop.example>", "sealed"));
    let sealed = shop.seal("small.example", &signed.replace("Total", "[list] Total"));
    let other = shop.seal("nobody.example", &signed);
    for (name, raw, arc, dkim) in [
        ("not sealed", signed.clone(), Check::None, Check::Pass),
        ("sealed", sealed.clone(), Check::Pass, Check::Fail),
        ("changed after the seal", sealed.replace("12.00", "99.00"), Check::Fail, Check::Fail),
        ("one of its three headers is gone", sealed.replacen("ARC-Seal", "X-Seal", 1), Check::Fail, Check::Fail),
        ("sealed by a domain without a key", other, Check::Broken, Check::Pass),
    ] {
        let raw: Arc<[u8]> = raw.into_bytes().into();
        let head = Head::split(&raw).unwrap();
        let evidence = post.authenticator.check(raw.clone(), &head, Route::default()).await;
        assert_eq!((evidence.arc, evidence.dkim), (arc, dkim), "{name}: {evidence:?}");
    }
    // Anybody may seal: the shop's own policy decides.
    assert_eq!(doubt(&world, &post, &sealed).await, Some(Doubt::Forged));
    assert_eq!(world.waiting().await[0].evidence.0.arc, Check::Pass, "and the owner sees it");
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_address_is_refused_and_mail_to_a_visit_brings_the_visit() {
    let world = World::new().await;
    let app = &world.test.app;
    let running = world.listen(Dialect::Smtp).await;
    let old = vouch::capture::mail::addresses::of_person(app, &world.anna).await.unwrap().remove(0);
    let new = vouch::capture::mail::addresses::rotate(app, &world.anna, &old.id).await.unwrap();
    let wire = |to: &str| format!("EHLO mx\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{to}@in.example>\r\nQUIT\r\n");
    let replies = talk(running.at, &[wire(&old.local_part).as_bytes()]).await.concat();
    assert!(replies.contains("550 5.1.1"), "{replies}");
    let replies = talk(running.at, &[wire(&new.local_part).as_bytes()]).await.concat();
    assert!(replies.contains("250 2.1.5"), "{replies}");

    let customer = vouch::visits::CustomerInput {
        name: "Customer".to_owned(),
        customer_type: vouch::domain::visit::CustomerType::Existing,
        external_id: None,
    };
    let customer = vouch::visits::create_customer(app, &world.anna, customer).await.unwrap();
    let visit = vouch::visits::VisitInput {
        customer_id: customer.id,
        owner_id: None,
        purpose: vouch::domain::visit::VisitPurpose::Sales,
        starts_at: crate::support::NOW,
        ends_at: None,
        place: None,
        attendees: Vec::new(),
        note: None,
        external_id: None,
    };
    let visit = vouch::visits::create_visit(app, &world.anna, visit).await.unwrap();
    let address = vouch::capture::mail::addresses::of_visit(app, &world.anna, &visit.id).await.unwrap();
    let wire = format!(
        "EHLO mx\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{}@in.example>\r\nDATA\r\n{}.\r\nQUIT\r\n",
        address.local_part,
        message("a@b.example", "lunch")
    );
    talk(running.at, &[wire.as_bytes()]).await;
    let waiting = world.waiting().await.remove(0);
    assert_eq!(world.capture(&waiting.capture_id).await.0.visit_id, Some(visit.id));
    world.fresh.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_came_while_dns_was_down_is_checked_again_and_read_or_known_to_be_forged() {
    let world = World::new().await;
    let app = &world.test.app;
    let shop = Shop::new();
    let good = shop.sign("shop.example", &message("Shop <receipts@shop.example>", "signed"));
    let down = crate::support::office(&world.test);
    assert_eq!(doubt(&world, &down, &good).await, Some(Doubt::Unchecked));
    assert_eq!(doubt(&world, &down, &message("ceo@shop.example", "forged")).await, Some(Doubt::Unchecked));
    assert_eq!(doubt(&world, &down, &message("a@silent.example", "silent")).await, Some(Doubt::Unchecked));
    let rejected = message("ceo@shop.example", "rejected by hand");
    assert_eq!(doubt(&world, &down, &rejected).await, Some(Doubt::Unchecked));
    let by_hand = world.waiting().await.into_iter().find(|m| m.subject.as_deref() == Some("rejected by hand")).unwrap();
    quarantine::reject(app, &world.anna, &by_hand.id).await.unwrap();

    let dns =
        dns::serve(Zone { txt: shop.zone.txt.clone(), a: shop.zone.a.clone(), broken: shop.zone.broken.clone() }).await;
    let up = office(&world, &dns, SenderPolicy::Proved);
    let mut after = None;
    assert_eq!(recheck::round(&up, &mut after).await.unwrap(), 2);
    assert_eq!(recheck::round(&up, &mut after).await.unwrap(), 0, "what is settled stays settled");
    let waiting = world.waiting().await;
    let doubts: Vec<_> = waiting.iter().map(|m| (m.subject.as_deref().unwrap(), m.doubt.unwrap())).collect();
    assert_eq!(doubts, [("silent", Doubt::Unchecked), ("forged", Doubt::Forged)]);
    let mut tx = app.db.read().await.unwrap();
    let read = captures::list_without_receipts(&mut tx, Some(&world.anna.id), &[CaptureState::Received], None, 10);
    let read = read.await.unwrap();
    assert_eq!((read.len(), read[0].reason), (1, None));
    let job = vouch::store::jobs::find_by_subject(&mut tx, vouch::queue::READ, read[0].id.as_str()).await.unwrap();
    assert!(job.is_some(), "it is going to be read");
    drop(tx);
    world.fresh.remove().await;
}
