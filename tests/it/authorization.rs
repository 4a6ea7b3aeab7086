//! Who may call what: every operation of the OpenAPI document with every identity, each on things of its own.
//!
//! An operation without a row in the table fails the test, and so does a row without an operation.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use vouch::{
    capture::{
        self, Handover,
        mail::{addresses, quarantine, webhook::Posted},
    },
    domain::{
        capture::{CaptureState, Channel, Reason},
        ids::{
            CaptureId, CustomerId, LegalEntityId, MailAddressId, MailMessageId, PersonId, ReadingId, ReceiptId,
            TokenId, UnitId, VisitId,
        },
        mail::Way,
        person::{Actor, Role},
        visit::{CustomerType, VisitChoice, VisitPurpose},
    },
    organisation::{self, EntityInput, UnitInput},
    people::{self, PersonChange},
    review,
    store::{
        Json, captures, categories, documents,
        readings::{self, PreviewRow, ReadingRow},
        receipts,
    },
    visits::{self, CustomerInput, VisitInput},
};

use crate::support::{Answer, Caller, NOW, Site, TestApp, actor, app, fresh_sqlite, office, person, rep, site};

/// What a path's `{id}` stands for. Things belong to the owner; the organisation's belong to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Thing {
    None,
    Capture,
    Draft,
    Visit,
    Token,
    Customer,
    Person,
    Unit,
    Entity,
    Address,
    Message,
}

/// The status each gets: the owner of the thing (a rep), another rep, a reviewer of the whole organisation, an auditor,
/// an admin.
type Statuses = [u16; 5];

const IDENTITIES: [&str; 5] = ["owner", "stranger", "reviewer", "auditor", "admin"];
const STRANGER: usize = 1;

const ALL: Statuses = [200; 5];
const SEEN: Statuses = [200, 404, 200, 200, 200];
const ADMINS: Statuses = [403, 403, 403, 403, 200];
const ADMINS_CREATE: Statuses = [403, 403, 403, 403, 201];
const WRITERS: Statuses = [200, 200, 200, 403, 200];
const WRITERS_CREATE: Statuses = [201, 201, 201, 403, 201];

const TABLE: &[(&str, &str, Thing, Statuses)] = &[
    ("post", "/api/v1/receipts", Thing::None, [201; 5]),
    ("get", "/api/v1/captures", Thing::None, ALL),
    ("get", "/api/v1/captures/{id}", Thing::Capture, SEEN),
    ("get", "/api/v1/captures/{id}/original", Thing::Capture, SEEN),
    ("post", "/api/v1/captures/{id}/retry", Thing::Capture, [202, 404, 202, 403, 202]),
    ("post", "/api/v1/captures/{id}/fill-by-hand", Thing::Capture, [201, 404, 201, 403, 201]),
    // The capture waits for no password: 403 says that the role would do, where it would.
    ("post", "/api/v1/captures/{id}/password", Thing::Capture, [403, 404, 403, 403, 403]),
    ("get", "/api/v1/drafts", Thing::None, ALL),
    ("get", "/api/v1/drafts/{id}", Thing::Draft, SEEN),
    ("get", "/api/v1/drafts/{id}/history", Thing::Draft, SEEN),
    ("get", "/api/v1/drafts/{id}/findings", Thing::Draft, SEEN),
    // The draft has no invoice number yet: 422 says that the role would do.
    ("post", "/api/v1/drafts/{id}/verification", Thing::Draft, [403, 404, 422, 403, 422]),
    ("post", "/api/v1/verifications/import", Thing::None, [403, 403, 200, 403, 200]),
    ("get", "/api/v1/drafts/{id}/original", Thing::Draft, SEEN),
    ("get", "/api/v1/drafts/{id}/documents/{number}/original", Thing::Draft, SEEN),
    ("get", "/api/v1/drafts/{id}/pages/{page}/preview", Thing::Draft, SEEN),
    ("get", "/api/v1/drafts/{id}/thumbnail", Thing::Draft, SEEN),
    // Admins see everything, but reviewing is for reviewers.
    ("patch", "/api/v1/drafts/{id}", Thing::Draft, [200, 404, 200, 403, 403]),
    ("post", "/api/v1/drafts/visit", Thing::Draft, [200, 404, 200, 403, 403]),
    ("post", "/api/v1/drafts/{id}/submit", Thing::Draft, [422, 404, 422, 403, 403]),
    ("post", "/api/v1/drafts/{id}/withdraw", Thing::Draft, [200, 404, 403, 403, 403]),
    // The draft is not submitted yet: 409 says that the role would do.
    ("post", "/api/v1/drafts/{id}/confirm", Thing::Draft, [403, 404, 409, 403, 403]),
    ("post", "/api/v1/drafts/{id}/return", Thing::Draft, [403, 404, 409, 403, 403]),
    ("post", "/api/v1/drafts/{id}/reject", Thing::Draft, [403, 404, 409, 403, 403]),
    ("post", "/api/v1/drafts/{id}/reopen", Thing::Draft, [403, 404, 409, 403, 403]),
    ("post", "/api/v1/drafts/{id}/merge", Thing::Draft, [422, 404, 422, 403, 403]),
    // Nothing is proposed: 409 says that the role would do. Reps do not say it about themselves.
    ("post", "/api/v1/drafts/{id}/keep-apart", Thing::Draft, [403, 404, 409, 403, 403]),
    ("post", "/api/v1/drafts/{id}/propose-again", Thing::Draft, [403, 404, 409, 403, 403]),
    ("get", "/api/v1/me", Thing::None, ALL),
    ("get", "/api/v1/tokens", Thing::None, ALL),
    ("post", "/api/v1/tokens", Thing::None, [201; 5]),
    ("delete", "/api/v1/tokens/{id}", Thing::Token, [204, 404, 404, 404, 204]),
    ("get", "/api/v1/visits", Thing::None, ALL),
    ("post", "/api/v1/visits", Thing::Customer, WRITERS_CREATE),
    ("patch", "/api/v1/visits/{id}", Thing::Visit, [200, 404, 404, 403, 200]),
    ("post", "/api/v1/visits/import", Thing::None, WRITERS),
    ("get", "/api/v1/customers", Thing::None, ALL),
    ("post", "/api/v1/customers", Thing::None, WRITERS_CREATE),
    ("patch", "/api/v1/customers/{id}", Thing::Customer, WRITERS),
    ("get", "/api/v1/categories", Thing::None, ALL),
    ("post", "/api/v1/categories", Thing::None, ADMINS_CREATE),
    ("put", "/api/v1/categories", Thing::None, ADMINS),
    ("put", "/api/v1/categories/{code}", Thing::None, ADMINS),
    ("get", "/api/v1/people", Thing::None, ADMINS),
    ("post", "/api/v1/people", Thing::None, ADMINS_CREATE),
    ("patch", "/api/v1/people/{id}", Thing::Person, ADMINS),
    ("post", "/api/v1/people/{id}/reset", Thing::Person, ADMINS),
    ("get", "/api/v1/units", Thing::None, ADMINS),
    ("post", "/api/v1/units", Thing::None, ADMINS_CREATE),
    ("put", "/api/v1/units/{id}", Thing::Unit, ADMINS),
    ("get", "/api/v1/legal-entities", Thing::None, ADMINS),
    ("post", "/api/v1/legal-entities", Thing::None, ADMINS_CREATE),
    ("put", "/api/v1/legal-entities/{id}", Thing::Entity, ADMINS),
    ("get", "/api/v1/mail/addresses", Thing::None, ALL),
    // A visit's address is its owner's.
    ("post", "/api/v1/mail/addresses", Thing::Visit, [201, 404, 404, 404, 404]),
    ("post", "/api/v1/mail/addresses/{id}/rotate", Thing::Address, [200, 404, 404, 404, 404]),
    ("get", "/api/v1/mail/messages", Thing::None, ALL),
    // Whether a stranger's mail is read is for whom it was sent to; admins may help.
    ("get", "/api/v1/mail/messages/{id}", Thing::Message, [200, 404, 404, 404, 200]),
    ("post", "/api/v1/mail/messages/{id}/accept", Thing::Message, [200, 404, 404, 404, 200]),
    ("post", "/api/v1/mail/messages/{id}/reject", Thing::Message, [200, 404, 404, 404, 200]),
    // The message has no such link; who may see it is told so, with the same status.
    ("post", "/api/v1/mail/messages/{id}/links", Thing::Message, [404; 5]),
];

struct World {
    test: TestApp,
    site: Site,
    owner: Actor,
    admin: Actor,
    callers: Vec<Caller>,
}

impl World {
    async fn new(test: TestApp) -> Self {
        let mut tx = test.app.db.write().await.unwrap();
        categories::seed_defaults(&mut tx, || test.app.id(), NOW).await.unwrap();
        tx.commit().await.unwrap();
        let owner = actor(&test, "owner", &[Role::Rep]).await;
        let stranger = actor(&test, "stranger", &[Role::Rep]).await;
        let reviewer = actor(&test, "reviewer", &[Role::Reviewer]).await;
        let auditor = actor(&test, "auditor", &[Role::Auditor]).await;
        let admin = actor(&test, "admin", &[Role::Admin]).await;
        let mut callers = Vec::new();
        for who in [&owner, &stranger, &reviewer, &auditor, &admin] {
            callers.push(Caller::token(&test, who).await);
        }
        let site = site(&test);
        Self { test, site, owner, admin, callers }
    }

    /// A failed capture of the owner.
    async fn capture(&self) -> CaptureId {
        let app = &self.test.app;
        let body = futures_util::stream::iter([Ok::<_, std::io::Error>(picture(&app.id::<CaptureId>().to_string()))]);
        let spooled = capture::spool(&app.spool, &app.limits, body).await.unwrap();
        let handover = Handover {
            owner: self.owner.id.clone(),
            channel: Channel::Api,
            client_id: None,
            captured_at: None,
            place: None,
            note: None,
            visit: VisitChoice::Undecided,
            file_name: None,
        };
        let accepted = capture::accept(app, &self.owner, &handover, &spooled).await.unwrap();
        let mut tx = app.db.write().await.unwrap();
        let why = Some((Reason::Undecodable, "broken"));
        captures::set_state(&mut tx, &accepted.capture.id, CaptureState::Failed, why, NOW).await.unwrap();
        tx.commit().await.unwrap();
        accepted.capture.id
    }

    /// A draft of the owner with a preview.
    async fn draft(&self) -> ReceiptId {
        let app = &self.test.app;
        let capture = self.capture().await;
        let receipt = review::fill_by_hand(app, &self.owner, &capture).await.unwrap().id;
        let mut tx = app.db.write().await.unwrap();
        let document = captures::documents(&mut tx, &capture).await.unwrap().remove(0);
        let reading = ReadingRow {
            id: app.id::<ReadingId>(),
            capture_id: capture,
            document_id: document.id.clone(),
            engine: "none".to_owned(),
            versions: Json(json!({})),
            pages: Json(Vec::new()),
            codes: Json(Vec::new()),
            structured: Json(json!({})),
            warnings: Json(Vec::new()),
            duration_ms: 1,
            created_at: NOW,
        };
        readings::insert(&mut tx, &reading).await.unwrap();
        // The original serves as the picture: what it shows is not what is looked at here.
        let object_key = documents::find(&mut tx, &document.id).await.unwrap().unwrap().object_key;
        let preview = PreviewRow {
            reading_id: reading.id.clone(),
            page: 0,
            document_id: document.id,
            width: 1,
            height: 1,
            page_width: 1,
            page_height: 1,
            object_key,
            thumbnail_key: None,
        };
        readings::insert_preview(&mut tx, &preview).await.unwrap();
        receipts::set_reading(&mut tx, &receipt, &reading.id, 0.5).await.unwrap();
        for part in receipts::parts(&mut tx, &receipt).await.unwrap() {
            let part = receipts::PartRow { reading_id: Some(reading.id.clone()), ..part };
            receipts::add_part(&mut tx, &part).await.unwrap();
        }
        tx.commit().await.unwrap();
        receipt
    }

    /// A message to the owner that waits.
    async fn message(&self) -> MailMessageId {
        let app = &self.test.app;
        let address = addresses::of_person(app, &self.owner).await.unwrap().remove(0);
        let raw = format!("From: a@b.example\r\nSubject: {}\r\n\r\nx\r\n", app.id::<CaptureId>());
        let posted =
            Posted { way: Way::Postmark, recipients: vec![address.local_part], sender: None, raw: raw.into_bytes() };
        office(&self.test).take_posted(&posted).await.unwrap();
        let waiting = quarantine::list(app, &self.owner, false).await.unwrap();
        waiting[0].id.clone()
    }

    async fn customer(&self) -> CustomerId {
        let input =
            CustomerInput { name: "Customer".to_owned(), customer_type: CustomerType::Existing, external_id: None };
        visits::create_customer(&self.test.app, &self.owner, input).await.unwrap().id
    }

    async fn visit(&self) -> VisitId {
        let input = VisitInput {
            customer_id: self.customer().await,
            owner_id: None,
            purpose: VisitPurpose::Sales,
            starts_at: NOW,
            ends_at: None,
            place: None,
            attendees: Vec::new(),
            note: None,
            external_id: None,
        };
        visits::create_visit(&self.test.app, &self.owner, input).await.unwrap().id
    }

    /// A fresh thing, so that no request finds what an earlier one left.
    async fn make(&self, thing: Thing) -> String {
        let app = &self.test.app;
        match thing {
            Thing::None => String::new(),
            Thing::Capture => self.capture().await.to_string(),
            Thing::Draft => self.draft().await.to_string(),
            Thing::Visit => self.visit().await.to_string(),
            Thing::Customer => self.customer().await.to_string(),
            Thing::Token => {
                people::create_token(app, None, &self.owner.id, "other", None).await.unwrap().token.id.to_string()
            }
            Thing::Address => {
                let found = addresses::of_person(app, &self.owner).await.unwrap();
                found[0].id.to_string()
            }
            Thing::Message => self.message().await.to_string(),
            Thing::Person => rep(&self.test, &format!("p{}", app.id::<PersonId>())).await.id.to_string(),
            Thing::Unit => {
                let input = UnitInput { name: "Unit".to_owned(), parent_id: None, legal_entity_id: None };
                organisation::add_unit(app, &self.admin, input).await.unwrap().id.to_string()
            }
            Thing::Entity => {
                let name = "Entity".to_owned();
                let input = EntityInput { name, tax_id: None, country: None, home_currency: None };
                organisation::add_entity(app, &self.admin, input).await.unwrap().id.to_string()
            }
        }
    }

    /// An id of the right kind that names nothing.
    fn random(&self, thing: Thing) -> String {
        let app = &self.test.app;
        match thing {
            Thing::None => String::new(),
            Thing::Capture => app.id::<CaptureId>().to_string(),
            Thing::Draft => app.id::<ReceiptId>().to_string(),
            Thing::Visit => app.id::<VisitId>().to_string(),
            Thing::Token => app.id::<TokenId>().to_string(),
            Thing::Customer => app.id::<CustomerId>().to_string(),
            Thing::Person => app.id::<PersonId>().to_string(),
            Thing::Unit => app.id::<UnitId>().to_string(),
            Thing::Entity => app.id::<LegalEntityId>().to_string(),
            Thing::Address => app.id::<MailAddressId>().to_string(),
            Thing::Message => app.id::<MailMessageId>().to_string(),
        }
    }

    async fn call(&self, caller: &Caller, method: &str, path: &str, id: &str) -> Answer {
        let (kind, body) = self.body(method, path, id);
        let path = path.replace("{id}", id).replace("{page}", "0").replace("{number}", "0").replace("{code}", "taxi");
        let method: Method = method.to_uppercase().parse().unwrap();
        self.site.send(caller, method, &path, kind, body).await
    }

    /// A body that would be accepted.
    fn body(&self, method: &str, path: &str, id: &str) -> (&'static str, Vec<u8>) {
        let new = self.test.app.id::<CaptureId>().to_string();
        let value: Value = match (method, path.trim_start_matches("/api/v1/")) {
            ("post", "receipts") => return ("image/jpeg", picture(&new).to_vec()),
            ("post", "visits/import") => {
                let row = format!(
                    "external_id,customer,purpose,starts_at,customer_type\n{new},Importer,sales,2026-11-20,new\n"
                );
                return ("text/csv", row.into_bytes());
            }
            ("patch", "drafts/{id}") => json!({"revision": 1, "fields": {"merchant": "Somewhere"}}),
            ("post", "drafts/visit") => json!({"ids": [id], "no_visit": true}),
            ("post", "drafts/{id}/return" | "drafts/{id}/reject") => json!({"revision": 1, "reason": "blurred"}),
            ("post", "drafts/{id}/merge") => json!({"revision": 1, "into": id}),
            ("post", "drafts/{id}/keep-apart" | "drafts/{id}/propose-again") => json!({"other": id}),
            ("post", "drafts/{id}/verification") => json!({"outcome": "genuine"}),
            ("post", "verifications/import") => return ("text/csv", b"26440000000000000017,,genuine,\n".to_vec()),
            ("post", path) if path.starts_with("drafts/{id}/") => json!({"revision": 1}),
            ("post", "mail/messages/{id}/links") => json!({"link": "https://inv.example.org/"}),
            ("post", "mail/addresses") => json!({"visit_id": id}),
            ("post", "mail/messages/{id}/accept") => json!({"remember_sender": true}),
            ("post", "captures/{id}/password") => json!({"password": "secret"}),
            ("post", "tokens") => json!({"name": "script"}),
            ("post", "visits") => json!({"customer_id": id, "purpose": "sales", "starts_at": "2026-11-20T09:00:00Z"}),
            ("patch", "visits/{id}") => json!({"revision": 1, "place": "Bern"}),
            ("post", "customers") => json!({"name": "New", "customer_type": "new"}),
            ("patch", "customers/{id}") => json!({"revision": 1, "name": "Renamed"}),
            ("post", "categories") => json!({"code": "samples", "name_en": "Samples", "name_zh": "样品"}),
            ("put", "categories") => json!({"codes": ["taxi", "meals"]}),
            ("put", "categories/{code}") => json!({"name_en": "Taxi", "name_zh": "出租车", "active": true}),
            ("post", "people") => json!({"user_name": format!("n{new}"), "display_name": "New", "roles": ["rep"]}),
            ("patch", "people/{id}") => json!({"revision": 1, "display_name": "Renamed", "roles": ["rep", "reviewer"]}),
            ("post", "units") | ("put", "units/{id}") => json!({"name": "East"}),
            ("post", "legal-entities") | ("put", "legal-entities/{id}") => json!({"name": "East Ltd"}),
            _ => return ("", Vec::new()),
        };
        ("application/json", value.to_string().into_bytes())
    }
}

/// A JPEG as far as the door looks: magic and something of its own.
fn picture(own: &str) -> bytes::Bytes {
    [b"\xFF\xD8\xFF\xE0".as_slice(), own.as_bytes()].concat().into()
}

fn operations() -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(&vouch::web::openapi_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    paths.iter().flat_map(|(path, item)| methods(item).into_iter().map(|m| (m, path.clone()))).collect()
}

#[test]
fn every_operation_has_its_row_and_every_row_its_operation() {
    let rows: BTreeSet<_> = TABLE.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    let operations = operations();
    let missing: Vec<_> = operations.difference(&rows).collect();
    let stale: Vec<_> = rows.difference(&operations).collect();
    assert!(missing.is_empty(), "say in TABLE who may call {missing:?}");
    assert!(stale.is_empty(), "no such operation: {stale:?}");
    assert_eq!(rows.len(), TABLE.len(), "a row is there twice");
}

#[test]
fn operation_ids_are_unique() {
    let document: Value = serde_json::from_str(&vouch::web::openapi_json().unwrap()).unwrap();
    let mut seen = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id.to_owned()), "`{id}` is there twice");
        }
    }
}

#[tokio::test]
async fn whoever_is_not_signed_in_gets_401_everywhere() {
    let fresh = fresh_sqlite().await;
    let world = World::new(app(&fresh.db).await).await;
    let stale = Caller::Token(format!("vch_{}", "x".repeat(43)));
    for (method, path, thing, _) in TABLE {
        for caller in [&Caller::Nobody, &stale] {
            let answer = world.call(caller, method, path, &world.random(*thing)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {}", answer.text());
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
            assert_eq!(answer.json()["code"], "unauthorized", "{method} {path}");
        }
    }
    fresh.remove().await;
}

#[tokio::test]
async fn everybody_may_do_what_the_table_says_and_a_stranger_cannot_tell_whether_a_thing_is_there() {
    let fresh = fresh_sqlite().await;
    let world = World::new(app(&fresh.db).await).await;
    let mut wrong = Vec::new();
    for (method, path, thing, expected) in TABLE {
        for (at, caller) in world.callers.iter().enumerate() {
            let id = world.make(*thing).await;
            let answer = world.call(caller, method, path, &id).await;
            if answer.status.as_u16() != expected[at] {
                let text: String = answer.text().chars().take(200).collect();
                wrong.push(format!("{method} {path} as {}: {} {text}", IDENTITIES[at], answer.status.as_u16()));
            }
            if answer.status.is_client_error() {
                assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
            }
            if at == STRANGER && answer.status == StatusCode::NOT_FOUND {
                let nothing = world.call(caller, method, path, &world.random(*thing)).await;
                assert_eq!(nothing.status, StatusCode::NOT_FOUND, "{method} {path}");
                assert_eq!(answer.text(), nothing.text(), "{method} {path} tells that the thing is there");
            }
        }
    }
    assert!(wrong.is_empty(), "unexpected:\n{}", wrong.join("\n"));
    fresh.remove().await;
}

#[tokio::test]
async fn a_reviewer_of_a_unit_sees_the_units_below_it_and_no_others() {
    let fresh = fresh_sqlite().await;
    let world = World::new(app(&fresh.db).await).await;
    let app = &world.test.app;
    let unit = async |name: &str, parent: Option<&UnitId>| {
        let input = UnitInput { name: name.to_owned(), parent_id: parent.cloned(), legal_entity_id: None };
        organisation::add_unit(app, &world.admin, input).await.unwrap().id
    };
    let above = unit("above", None).await;
    let below = unit("below", Some(&above)).await;
    let beside = unit("beside", None).await;
    let units = PersonChange { units: Some(BTreeSet::from([below])), ..PersonChange::default() };
    people::change(app, Some(&world.admin), &world.owner.id, None, units).await.unwrap();
    let draft = world.draft().await.to_string();
    for (name, unit, expected) in [("near", above, 200), ("far", beside, 404)] {
        let row = vouch::store::people::Person {
            units: BTreeSet::from([unit]),
            ..person(&world.test, name, &[Role::Reviewer])
        };
        let mut tx = app.db.write().await.unwrap();
        vouch::store::people::create(&mut tx, &row, "!").await.unwrap();
        tx.commit().await.unwrap();
        let who = row.actor().unwrap();
        for caller in [Caller::token(&world.test, &who).await, Caller::session(&world.test, &who).await] {
            let answer = world.call(&caller, "get", "/api/v1/drafts/{id}", &draft).await;
            assert_eq!(answer.status.as_u16(), expected, "{name}");
        }
    }
    fresh.remove().await;
}

#[tokio::test]
async fn a_session_cookie_alone_changes_nothing() {
    let fresh = fresh_sqlite().await;
    let world = World::new(app(&fresh.db).await).await;
    let caller = Caller::session(&world.test, &world.owner).await;
    for (method, path, thing, _) in TABLE.iter().filter(|(method, ..)| *method != "get") {
        let answer = world.call(&caller, method, path, &world.random(*thing)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(answer.json()["code"], "csrf", "{method} {path}");
    }
    fresh.remove().await;
}
