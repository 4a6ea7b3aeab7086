//! Pages and their forms through the whole site, on both databases.

use axum::http::{Method, StatusCode, header};
use vouch::{
    domain::{
        capture::{CaptureState, Channel, Reason},
        ids::OrganisationId,
        person::{Actor, Language, Role},
        visit::CustomerType,
    },
    people as accounts, queue,
    store::{
        Json,
        captures::{self, CaptureRow},
        categories, customers, jobs,
        organisation::{self, Organisation},
        people, tokens, visits,
    },
};

use crate::support::{Answer, Caller, NOW, Site, TestApp, actor, app, journal_kinds, on_both, site};

const FORM: &str = "application/x-www-form-urlencoded";

async fn furnish(world: &TestApp) {
    let mut tx = world.app.db.write().await.unwrap();
    let organisation = Organisation {
        id: world.app.id::<OrganisationId>(),
        name: "Example".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        home_currency: "CNY".parse().unwrap(),
        languages: Json(vec!["zh-CN".to_owned()]),
        submits_automatically: true,
        created_at: NOW,
    };
    organisation::create(&mut tx, &organisation).await.unwrap();
    categories::seed_defaults(&mut tx, || world.app.id(), NOW).await.unwrap();
    tx.commit().await.unwrap();
}

async fn open(site: &Site, caller: &Caller, path: &str) -> Answer {
    site.send(caller, Method::GET, path, "", Vec::new()).await
}

/// Posts a form with the session's form token.
async fn post(site: &Site, caller: &Caller, path: &str, fields: &[(&str, &str)]) -> Answer {
    let Caller::Session { csrf, .. } = caller else { panic!("forms are posted by people with a session") };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("csrf", csrf).extend_pairs(fields);
    site.send(caller, Method::POST, path, FORM, form.finish().into_bytes()).await
}

fn is_back_at(answer: &Answer, path: &str) -> bool {
    answer.status == StatusCode::SEE_OTHER && answer.headers[header::LOCATION] == path
}

/// The text of the first `<code>` after the element with this test id.
fn shown_once(page: &str, testid: &str) -> String {
    let after = page.split_once(&format!("data-testid=\"{testid}\"")).expect("what was issued").1;
    let code = after.split_once("<code>").unwrap().1.split_once("</code>").unwrap().0;
    code.to_owned()
}

async fn caller(world: &TestApp, name: &str, roles: &[Role]) -> (Actor, Caller) {
    let who = actor(world, name, roles).await;
    let caller = Caller::session(world, &who).await;
    (who, caller)
}

const ADMIN_PAGES: [&str; 4] = ["/admin/people", "/admin/categories", "/admin/failed", "/admin/status"];

#[tokio::test]
async fn pages_of_admins_open_for_admins_only_and_everybody_else_is_told() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (_, admin) = caller(&world, "admin", &[Role::Admin]).await;
        for path in ADMIN_PAGES.into_iter().chain(["/visits", "/account/tokens"]) {
            let page = open(&site, &admin, path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
            let nobody = open(&site, &Caller::Nobody, path).await;
            assert_eq!(nobody.status, StatusCode::SEE_OTHER, "{path}");
        }
        for roles in [&[Role::Rep], &[Role::Reviewer], &[Role::Auditor]] {
            let (_, other) = caller(&world, &format!("the.{}", roles[0]), roles).await;
            for path in ADMIN_PAGES {
                assert_eq!(open(&site, &other, path).await.status, StatusCode::FORBIDDEN, "{path} as {}", roles[0]);
            }
            for path in ["/visits", "/account/tokens"] {
                assert_eq!(open(&site, &other, path).await.status, StatusCode::OK, "{path} as {}", roles[0]);
            }
            let fields = [("code", "mine"), ("name_en", "Mine"), ("name_zh", "我的")];
            let answer = post(&site, &other, "/admin/categories", &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            let fields = [("name", "mine"), ("display_name", "Mine"), ("role", "admin")];
            assert_eq!(post(&site, &other, "/admin/people", &fields).await.status, StatusCode::FORBIDDEN);
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_check_found_and_what_to_do_is_in_the_language_of_the_page() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (who, admin) = caller(&world, "admin", &[Role::Admin]).await;
        for (language, words, others) in [
            (Language::En, ["written, read back and deleted", "0 waiting", "set server.tls.mode"], "写入"),
            (Language::Zh, ["写入、读回、删除均正常", "等待 0", "将 server.tls.mode 设为"], "written"),
        ] {
            accounts::set_language(&world.app, &who, language).await.unwrap();
            let text = open(&site, &admin, "/admin/status").await.text();
            for word in words {
                assert!(text.contains(word), "{language:?} {word}: {text}");
            }
            assert!(!text.contains(others), "{language:?}: {text}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_admin_adds_a_person_and_the_one_time_password_is_shown_once() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (_, admin) = caller(&world, "admin", &[Role::Admin]).await;
        let fields =
            [("name", "Mei"), ("display_name", "李梅"), ("role", "rep"), ("role", "reviewer"), ("language", "zh")];
        let page = post(&site, &admin, "/admin/people", &fields).await;
        assert_eq!(page.status, StatusCode::OK);
        let password = shown_once(&page.text(), "issued-password");
        assert!(password.chars().count() >= 12, "{password}");
        assert!(!open(&site, &admin, "/admin/people").await.text().contains(&password));

        let mei = people::find_by_user_name(&mut db.read().await.unwrap(), "mei").await.unwrap().unwrap();
        assert!(mei.must_change_password);
        let address = format!("/admin/people/{}", mei.id);
        let seen = mei.revision.to_string();
        let fields =
            [("action", "save"), ("revision", &seen), ("display_name", "李 梅"), ("role", "rep"), ("language", "")];
        assert!(is_back_at(&post(&site, &admin, &address, &fields).await, "/admin/people"));
        let mei = people::find(&mut db.read().await.unwrap(), &mei.id).await.unwrap().unwrap();
        assert_eq!((mei.display_name.as_str(), mei.roles.len(), mei.language.as_str()), ("李 梅", 1, "zh"));

        let reset = post(&site, &admin, &address, &[("action", "reset")]).await;
        assert_ne!(shown_once(&reset.text(), "issued-password"), password);
        assert!(is_back_at(&post(&site, &admin, &address, &[("action", "disable")]).await, "/admin/people"));
        assert!(people::find(&mut db.read().await.unwrap(), &mei.id).await.unwrap().unwrap().disabled_at.is_some());

        let taken =
            post(&site, &admin, "/admin/people", &[("name", "mei"), ("display_name", "x"), ("role", "rep")]).await;
        assert_eq!(taken.status, StatusCode::CONFLICT);
        let kinds = journal_kinds(&db).await;
        let expected = [
            "person.created",
            "person.roles_changed",
            "person.profile_changed",
            "person.password_reset",
            "person.disabled",
        ];
        assert_eq!(kinds, expected);
    })
    .await;
}

#[tokio::test]
async fn an_admin_adds_moves_and_switches_off_categories() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (_, admin) = caller(&world, "admin", &[Role::Admin]).await;
        let new = [("code", "samples"), ("name_en", "Samples"), ("name_zh", "样品")];
        assert!(is_back_at(&post(&site, &admin, "/admin/categories", &new).await, "/admin/categories"));
        assert_eq!(post(&site, &admin, "/admin/categories", &new).await.status, StatusCode::CONFLICT);
        let bad = [("code", "Bad Code"), ("name_en", "x"), ("name_zh", "x")];
        assert_eq!(post(&site, &admin, "/admin/categories", &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY);

        let samples = categories::find_by_code(&mut db.read().await.unwrap(), "samples").await.unwrap().unwrap();
        let address = format!("/admin/categories/{}", samples.id);
        let fields = [("name_en", "Gifts"), ("name_zh", "礼品"), ("position", "2")];
        assert!(is_back_at(&post(&site, &admin, &address, &fields).await, "/admin/categories"));
        let list = categories::list(&mut db.read().await.unwrap(), false).await.unwrap();
        assert_eq!(list.iter().map(|c| c.code.as_str()).take(3).collect::<Vec<_>>(), ["meals", "samples", "lodging"]);
        assert_eq!((list[1].name_en.as_str(), list[1].is_active), ("Gifts", false));

        let other = list.iter().find(|category| category.code == "other").unwrap();
        let off = [("name_en", "Other"), ("name_zh", "其他"), ("position", "16")];
        let refused = post(&site, &admin, &format!("/admin/categories/{}", other.id), &off).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "drafts fall back to `other`");
        assert_eq!(journal_kinds(&db).await, ["category.added", "category.changed"]);
    })
    .await;
}

#[tokio::test]
async fn a_rep_enters_a_customer_and_a_visit_and_imports_others() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (who, rep) = caller(&world, "rep", &[Role::Rep]).await;
        let fields = [("name", "Huawei"), ("type", "existing"), ("external_id", "")];
        assert!(is_back_at(&post(&site, &rep, "/customers", &fields).await, "/visits"));
        let customer = customers::search(&mut db.read().await.unwrap(), "", None, 9).await.unwrap().remove(0);
        let fields = [
            ("customer", customer.id.as_str()),
            ("on", "2026-11-20"),
            ("starts", "09:30"),
            ("ends", ""),
            ("purpose", "sales"),
            ("place", "Shenzhen"),
            ("attendees", "Wang, Li、Zhou"),
        ];
        assert!(is_back_at(&post(&site, &rep, "/visits", &fields).await, "/visits"));
        let visit = visits::list_recent(&mut db.read().await.unwrap(), &who.id, 9).await.unwrap().remove(0);
        assert_eq!(visit.starts_at.to_string(), "2026-11-20T01:30:00Z", "the organisation's clock");
        assert_eq!(visit.attendees.0, ["Wang", "Li", "Zhou"]);
        let page = open(&site, &rep, "/visits").await.text();
        assert!(page.contains("Huawei") && page.contains("Shenzhen"));
        let backwards = [&fields[..3], &[("ends", "08:00")], &fields[4..]].concat();
        assert_eq!(post(&site, &rep, "/visits", &backwards).await.status, StatusCode::UNPROCESSABLE_ENTITY);

        let Caller::Session { csrf, .. } = &rep else { unreachable!("a session") };
        let csv = "external_id,customer,purpose,starts_at,customer_type\nV1,Huawei,sales,2026-11-21 10:00,\nV2,Nobody,sales,never,new\n";
        let part = |name: &str, rest: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n");
        let form = |token: &str| {
            let file = part("file", "; filename=\"visits.csv\"\r\nContent-Type: text/csv");
            format!("{}\r\n{token}\r\n{file}\r\n{csv}\r\n--b--\r\n", part("csrf", "")).into_bytes()
        };
        let kind = "multipart/form-data; boundary=b";
        let forged = site.send(&rep, Method::POST, "/visits/import", kind, form("forged")).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN);
        let page = site.send(&rep, Method::POST, "/visits/import", kind, form(csrf)).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text();
        assert!(text.contains("1 new, 0 known already.") && text.contains("Line 3:"), "{text}");
        let (_, auditor) = caller(&world, "auditor", &[Role::Auditor]).await;
        let fields = [("name", "Other"), ("type", "new"), ("external_id", "")];
        assert_eq!(post(&site, &auditor, "/customers", &fields).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_shown_once_acts_and_stops_when_revoked() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (who, rep) = caller(&world, "rep", &[Role::Rep]).await;
        let page = post(&site, &rep, "/account/tokens", &[("name", "script"), ("days", "30")]).await;
        let token = shown_once(&page.text(), "issued-token");
        assert!(!open(&site, &rep, "/account/tokens").await.text().contains(&token));
        let script = Caller::Token(token);
        assert_eq!(open(&site, &script, "/api/v1/me").await.status, StatusCode::OK);
        let stored = tokens::list(&mut db.read().await.unwrap(), &who.id, 9).await.unwrap().remove(0);
        let (_, stranger) = caller(&world, "stranger", &[Role::Rep]).await;
        let address = format!("/account/tokens/{}/revoke", stored.id);
        assert_eq!(post(&site, &stranger, &address, &[]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(open(&site, &script, "/api/v1/me").await.status, StatusCode::OK);
        assert!(is_back_at(&post(&site, &rep, &address, &[]).await, "/account/tokens"));
        assert_eq!(open(&site, &script, "/api/v1/me").await.status, StatusCode::UNAUTHORIZED);
        let days = post(&site, &rep, "/account/tokens", &[("name", "x"), ("days", "0")]).await;
        assert_eq!(days.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

/// Every `pattern` of a list's pages, following the link that begins with `more`.
async fn walk(site: &Site, caller: &Caller, start: &str, pattern: &str, more: &str) -> Vec<Vec<String>> {
    let item = regex::Regex::new(pattern).unwrap();
    let link = regex::Regex::new(&format!("href=\"({}[^\"]+)\"", regex::escape(more))).unwrap();
    let (mut path, mut pages) = (start.to_owned(), Vec::new());
    loop {
        let page = open(site, caller, &path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
        let text = page.text();
        pages.push(item.captures_iter(&text).map(|found| found[1].to_owned()).collect());
        match link.captures(&text) {
            Some(found) => {
                let next = found[1].replace("&#38;", "&");
                next.trim_end_matches("#customers").clone_into(&mut path);
            }
            None => return pages,
        }
        assert!(pages.len() < 10, "the pages go on and on");
    }
}

#[tokio::test]
async fn long_lists_come_in_pages_without_gaps_or_repeats() {
    on_both(async |db| {
        let world = app(&db).await;
        furnish(&world).await;
        let site = site(&world);
        let (boss, admin) = caller(&world, "admin", &[Role::Admin]).await;
        let mut tx = db.write().await.unwrap();
        for n in 0..120_u64 {
            // Two share an instant: the id decides.
            let at = NOW.plus(std::time::Duration::from_secs(n / 2));
            let capture = CaptureRow {
                id: world.app.id(),
                owner_id: boss.id.clone(),
                captured_by: boss.id.clone(),
                channel: Channel::Api,
                client_id: None,
                captured_at: None,
                captured_offset_minutes: None,
                place: None,
                note: None,
                visit_id: None,
                no_visit: false,
                state: CaptureState::Received,
                reason: None,
                reason_detail: None,
                created_at: at,
                updated_at: at,
            };
            captures::insert(&mut tx, &capture).await.unwrap();
            let state = if n % 2 == 0 { CaptureState::Failed } else { CaptureState::PasswordNeeded };
            captures::set_state(&mut tx, &capture.id, state, Some((Reason::Undecodable, "cut")), at).await.unwrap();
            queue::enqueue_read(&world.app, &mut tx, &capture.id, &boss.id, at).await.unwrap();
            let claimed = jobs::claim(&mut tx, queue::READ, "w", std::time::Duration::from_secs(60), at).await.unwrap();
            let claimed = claimed.expect("the job just enqueued");
            let lease = jobs::Lease { job: claimed.id, fence: claimed.fence };
            assert!(jobs::bury(&mut tx, &lease, "undecodable", "cut", at).await.unwrap());
            let customer = customers::Customer {
                id: world.app.id(),
                name: format!("Customer {}", n / 2),
                name_key: format!("customer {}", n / 2),
                customer_type: CustomerType::New,
                external_id: None,
                revision: 1,
                created_at: at,
                updated_at: at,
            };
            customers::upsert(&mut tx, &customer).await.unwrap();
        }
        tx.commit().await.unwrap();
        for (start, pattern, more) in [
            ("/admin/failed", r#"action="/captures/([^/"]+)/retry""#, "/admin/failed?captures="),
            ("/admin/failed", r#"action="/admin/jobs/([^/"]+)/retry""#, "/admin/failed?jobs="),
            (
                "/visits?customers=customer",
                r#"data-testid="customer-row"><td><strong>([^<]+)<"#,
                "/visits?customers=customer",
            ),
        ] {
            let pages = walk(&site, &admin, start, pattern, more).await;
            let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
            assert_eq!(sizes, [50, 50, 20], "{more}");
            let mut all = pages.concat();
            all.sort();
            all.dedup();
            assert_eq!(all.len(), if start.starts_with("/visits") { 60 } else { 120 }, "{more}");
        }
    })
    .await;
}
