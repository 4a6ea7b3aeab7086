//! The page of one message: its own text and links, the receipts made of it, the trips it tells of.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use vouch::{
    capture::mail::{PostOffice, addresses, authenticate::Authenticator, webhook::Posted},
    domain::{
        capture::{CaptureState, Reason},
        ids::{CaptureId, DocumentId, ReadingId},
        mail::{Decision, Way},
        page::{Line, Page, Quad, TextSource, Word},
        person::{Actor, Language, Role},
        time::Timestamp,
    },
    people, review,
    store::{
        Json, captures,
        mail_messages::{self, MailMessage},
        readings::{self, ReadingRow},
    },
};

use crate::{
    review::{fill_in_and_submit, furnish},
    support::{Caller, NOW, Site, TestApp, actor, app, office, on_both, site, site_with_office},
};

/// A message to `who` that waits, and the document that it is.
async fn message(world: &TestApp, who: &Actor, subject: &str) -> (MailMessage, DocumentId) {
    let address = addresses::of_person(&world.app, who).await.unwrap().remove(0);
    let posted = Posted {
        way: Way::Postmark,
        recipients: vec![format!("{}@in.example", address.local_part)],
        sender: None,
        raw: format!("From: air@air.example\r\nSubject: {subject}\r\n\r\nsee there\r\n").into_bytes(),
    };
    office(world).take_posted(&posted).await.unwrap();
    let mut tx = world.app.db.read().await.unwrap();
    let waiting = mail_messages::list_doubted(&mut tx, &who.id, None, 10).await.unwrap();
    let subject = subject.lines().next();
    let message = waiting.into_iter().find(|message| message.subject.as_deref() == subject).unwrap();
    let document = captures::documents(&mut tx, &message.capture_id).await.unwrap().remove(0).id;
    (message, document)
}

/// Where no DNS server is: the port of the discard service.
const NO_DNS: &str = "127.0.0.1:9";

#[tokio::test]
async fn a_sender_dns_says_nothing_about_is_checked_again_by_itself_and_the_pages_say_until_when() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let (mail, _) = message(&world, &rep, "News of the week\r\nList-Id: <news.air.example>").await;
        let asking =
            PostOffice { authenticator: Authenticator::with_dns(NO_DNS.parse().unwrap()).unwrap(), ..office(&world) };
        let asking = site_with_office(&world, asking);
        let path = format!("/mail/{}", mail.id);
        let get = async |site: &Site, path: &str| {
            site.send(&Caller::session(&world, &rep).await, Method::GET, path, "", Vec::new()).await.text()
        };
        let lists = async |site: &Site| {
            let page = get(site, "/mail").await;
            ["mail-checking", "mail-waiting"].map(|list| {
                page.split_once(&format!("data-testid=\"{list}\""))
                    .and_then(|(_, rest)| rest.split_once("</ul>"))
                    .is_some_and(|(rows, _)| rows.contains(&path))
            })
        };
        // Two days from NOW, on the clock of Shanghai.
        let until = "2026-11-25 18:00";
        assert_eq!(lists(&asking).await, [true, false]);
        assert!(get(&asking, "/mail").await.contains(&format!("asked again until {until}")));
        let page = get(&asking, &path).await;
        assert!(page.contains("asks again every 10 minutes until 2026-11-25 18:00"), "{page}");
        // Whoever asks nobody promises nothing.
        let silent = site(&world);
        assert_eq!(lists(&silent).await, [false, true]);
        assert!(!get(&silent, &path).await.contains(until));

        world.clock.advance(std::time::Duration::from_hours(48));
        assert_eq!(lists(&asking).await, [false, true], "now its owner has to say");
        assert!(get(&asking, &path).await.contains("got no answer: now it is for you"));
    })
    .await;
}

/// A reading of a document of a capture: one line, and what it says in data.
async fn read(world: &TestApp, of: (&CaptureId, &DocumentId), at: Timestamp, text: &str, values: Value) {
    let quad = Quad::from_edges(1.0, 1.0, 90.0, 9.0);
    let word = Word { text: text.to_owned(), quad, score: 1.0, char_scores: Vec::new() };
    let lines = Line::from_words(vec![word]).into_iter().collect();
    let reading = ReadingRow {
        id: world.app.id::<ReadingId>(),
        capture_id: of.0.clone(),
        document_id: of.1.clone(),
        engine: "none".to_owned(),
        versions: Json(json!({})),
        pages: Json(vec![Page { index: 0, width: 100, height: 100, lines, source: TextSource::TextLayer }]),
        codes: Json(Vec::new()),
        structured: Json(values),
        warnings: Json(Vec::new()),
        duration_ms: 1,
        created_at: at,
    };
    let mut tx = world.app.db.write().await.unwrap();
    readings::insert(&mut tx, &reading).await.unwrap();
    tx.commit().await.unwrap();
}

/// A part of a page by its test id.
fn section<'a>(page: &'a str, id: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("data-testid=\"{id}\""))?;
    Some(rest.split_once("</section>").map_or(rest, |(inside, _)| inside))
}

#[tokio::test]
async fn a_mail_held_back_leads_from_the_receipts_to_its_page_and_an_automatic_answer_is_not_among_them() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let (mail, _) = message(&world, &rep, "Your booking").await;
        let (answer, _) = message(&world, &rep, "Away\r\nAuto-Submitted: auto-replied").await;
        let caller = Caller::session(&world, &rep).await;
        let page = site(&world).send(&caller, Method::GET, "/receipts", "", Vec::new()).await.text();
        assert!(page.contains(&format!("href=\"/mail/{}\"", mail.id)) && page.contains("Your booking.eml"), "{page}");
        assert!(!page.contains(answer.capture_id.as_str()) && !page.contains("Away"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_message_shows_its_own_text_and_links_its_receipts_and_every_trip_in_both_languages() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let rep = actor(&world, "rep", &[Role::Rep]).await;
        let reviewer = actor(&world, "reviewer", &[Role::Reviewer]).await;
        let (mail, own) = message(&world, &rep, "Your booking").await;
        // What is attached is a document of its own, and is read after the mail.
        let (_, attached) = message(&world, &rep, "stands for the attachment").await;
        let value = |source: &str, name: &str, text: &str| json!({ "source": source, "name": name, "text": text });
        let flight = |from: &str| {
            let start = value("json_ld", "departs_at", "2026-12-01T13:05:00+01:00");
            let link = value("mail", "link", "https://air.example/bill.pdf");
            json!([value("json_ld", "trip", "flight"), value("json_ld", "departure_place", from), start, link])
        };
        let train = json!([value("pass", "trip", "train"), value("pass", "departure_place", "Suzhou")]);
        read(&world, (&mail.capture_id, &own), NOW, "superseded", flight("nowhere")).await;
        let later = NOW.plus(std::time::Duration::from_secs(1));
        read(&world, (&mail.capture_id, &own), later, "see there", flight("Zurich")).await;
        read(&world, (&mail.capture_id, &attached), later, "bill", train).await;
        let mut tx = world.app.db.write().await.unwrap();
        let why = Some((Reason::Undecodable, "broken"));
        captures::set_state(&mut tx, &mail.capture_id, CaptureState::Failed, why, NOW).await.unwrap();
        mail_messages::decide(&mut tx, &mail.id, Decision::Accepted, &rep.id, NOW).await.unwrap();
        tx.commit().await.unwrap();

        let (site, caller) = (site(&world), Caller::session(&world, &rep).await);
        let get = async |caller: &Caller, path: &str| {
            let answer = site.send(caller, Method::GET, path, "", Vec::new()).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            answer.text()
        };
        let path = format!("/mail/{}", mail.id);
        let list = get(&caller, "/mail").await;
        let lately = list.split_once("data-testid=\"mail-lately\"").expect("what was accepted").1;
        let lately = lately.split_once("</ul>").unwrap().0;
        assert!(lately.contains(&path) && !lately.contains("attachment"), "only what was read: {lately}");
        let page = get(&caller, &path).await;
        assert!(section(&page, "mail-receipts").is_none());
        assert!(page.contains("data-testid=\"mail-state\"") && page.contains("data-state=\"failed\""), "{page}");

        let draft = review::fill_by_hand(&world.app, &rep, &mail.capture_id).await.unwrap();
        for (language, words, state) in
            [(Language::En, ["Trip", "Flight", "Train"], "Draft"), (Language::Zh, ["行程", "航班", "火车"], "草稿")]
        {
            people::set_language(&world.app, &rep, language).await.unwrap();
            let page = get(&caller, &path).await;
            let text = section(&page, "mail-text").unwrap();
            assert!(text.contains("see there") && !text.contains("bill") && !text.contains("superseded"), "{text}");
            assert!(page.contains("https://air.example/bill.pdf"), "the mail's own link");
            let trips = section(&page, "trips").unwrap();
            for word in words.into_iter().chain(["Zurich", "Suzhou"]) {
                assert!(trips.contains(word), "{word}: {trips}");
            }
            assert!(!trips.contains("nowhere"), "{trips}");
            let made = section(&page, "mail-receipts").unwrap();
            assert!(made.contains(&format!("href=\"/drafts/{}\"", draft.id)) && made.contains(state), "{made}");
        }

        // And back; whoever may not read the mail has no way to it.
        let link = format!("href=\"{path}\"");
        assert!(get(&caller, &format!("/drafts/{}", draft.id)).await.contains(&link));
        fill_in_and_submit(&world, &rep, &draft).await;
        let reviewers = Caller::session(&world, &reviewer).await;
        assert!(!get(&reviewers, &format!("/drafts/{}", draft.id)).await.contains(&link));
    })
    .await;
}
