//! Samples of the pages admins see, of visits and of tokens.

use super::{NOW, ago, choices, id, shell, visits};
use std::collections::BTreeSet;

use crate::{
    domain::{
        capture::{CaptureState, Reason},
        category,
        person::{Language, Role},
        visit::CustomerType,
    },
    health::{Finding, Found, Hint},
    web::pages::{
        categories::{CategoriesPage, CategoryRow},
        failed::{DeadJob, FailedCapture, FailedPage},
        people::{PeoplePage, PersonRow},
        status::{Check, StatusPage},
        tokens::{TokenRow, TokensPage},
        visits::{CustomerRow, ImportResult, VisitRow, VisitsPage},
    },
};

pub fn people(lang: Language) -> Vec<(&'static str, PeoplePage)> {
    let person = |n, name: &str, display: &str, roles: &[Role], disabled: bool| PersonRow {
        id: id(n),
        name: name.into(),
        display_name: display.into(),
        roles: roles.iter().copied().collect(),
        units: BTreeSet::from(["u1".to_owned()]),
        language: (n == 1).then_some(Language::Zh),
        disabled_at: disabled.then(|| ago(9_000)),
        revision: 1,
        seen_at: (!disabled).then(|| ago(42)),
    };
    vec![(
        "people",
        PeoplePage {
            shell: shell(lang, "/admin/people"),
            people: vec![
                person(1, "li.wei", "李薇", &[Role::Rep, Role::Reviewer, Role::Admin], false),
                person(2, "jonas", "Jonas Weber", &[Role::Rep], false),
                person(3, "old", "王强", &[Role::Auditor], true),
            ],
            units: choices(&[("u1", "华东 East"), ("u2", "DACH")]),
            issued: Some(("jonas".into(), "correct-horse-battery".into())),
            problem: None,
        },
    )]
}

pub fn categories(lang: Language) -> Vec<(&'static str, CategoriesPage)> {
    let rows = category::DEFAULTS.iter().zip(1_u32..).map(|(c, n)| CategoryRow {
        id: id(n),
        code: c.code.into(),
        name_en: c.name_en.into(),
        name_zh: c.name_zh.into(),
        position: i64::from(n),
        active: n != 7,
        receipts: u64::from(n) * 13,
    });
    vec![(
        "categories",
        CategoriesPage { shell: shell(lang, "/admin/categories"), categories: rows.collect(), problem: None },
    )]
}

pub fn visits_page(lang: Language) -> Vec<(&'static str, VisitsPage)> {
    let rows = visits().into_iter().zip([CustomerType::New, CustomerType::Existing, CustomerType::Potential]);
    let full = VisitsPage {
        shell: shell(lang, "/visits"),
        visits: rows
            .clone()
            .map(|(v, customer_type)| VisitRow {
                id: v.id,
                customer: v.customer,
                customer_type,
                on: v.on,
                purpose: v.purpose,
                place: Some("苏州 Suzhou".into()),
                person: "李薇".into(),
                receipts: 4,
            })
            .collect(),
        customers: rows
            .zip(1..)
            .map(|((v, customer_type), n)| CustomerRow {
                id: id(n),
                name: v.customer,
                customer_type,
                external_id: (n == 1).then(|| "CRM-1042".into()),
                visits: 3,
            })
            .collect(),
        customer_choices: choices(&[("c1", "Acme AG")]),
        customer_text: "a".into(),
        more_customers: Some("/visits?customers=a&customers_after=cus".into()),
        people: choices(&[("p1", "李薇")]),
        today: "2026-11-23".parse().unwrap(),
        imported: Some(ImportResult { created: 12, known: 3, refused: vec![(7, "`31.02.2026` is not a date".into())] }),
        more: None,
        problem: None,
    };
    let empty = VisitsPage {
        visits: vec![],
        customers: vec![],
        customer_choices: vec![],
        customer_text: String::new(),
        more_customers: None,
        imported: None,
        people: vec![],
        ..full.clone()
    };
    vec![("visits", full), ("visits_empty", empty)]
}

pub fn failed(lang: Language) -> Vec<(&'static str, FailedPage)> {
    let capture = FailedCapture {
        id: id(1),
        state: CaptureState::Failed,
        reason: Some(Reason::ReaderCrashed),
        owner: "王强".into(),
        file_name: Some("IMG_9.jpg".into()),
        captured_at: ago(300),
    };
    let job = DeadJob {
        id: id(2),
        kind: "read_capture".into(),
        attempts: 5,
        error: "reader of capture `0192..` timed out after 60 s".into(),
        died_at: ago(280),
    };
    let full = FailedPage {
        shell: shell(lang, "/admin/failed"),
        captures: vec![capture],
        more_captures: Some("/admin/failed?captures=MTpjYXA".into()),
        jobs: vec![job],
        more_jobs: Some("/admin/failed?jobs=MTpqb2I".into()),
    };
    let none = FailedPage { captures: vec![], more_captures: None, jobs: vec![], more_jobs: None, ..full.clone() };
    vec![("failed", full), ("failed_none", none)]
}

pub fn status(lang: Language) -> Vec<(&'static str, StatusPage)> {
    let check = |finding: &Finding| Check::of(lang, finding);
    vec![(
        "status",
        StatusPage {
            shell: shell(lang, "/admin/status"),
            version: "0.1.0".into(),
            checks: vec![
                check(&Finding::good("database", Found::with("database", ["SQLite".into(), "Acme".into()]))),
                check(&Finding::good("objects", Found::with("objects", ["/var/lib/vouch/objects".into()]))),
                check(&Finding::warning("https", Found::plain("https_off"), Hint("https_off"))),
                check(&Finding::bad(
                    "disk",
                    Found::with("disk", ["1200".into(), "/var/lib/vouch".into()]),
                    Hint("free_space"),
                )),
            ],
            counts: vec![("waiting".into(), 3), ("reading".into(), 1), ("submitted".into(), 214), ("failed".into(), 2)],
        },
    )]
}

pub fn tokens(lang: Language) -> Vec<(&'static str, TokensPage)> {
    let token = |n, name: &str, revoked: bool| TokenRow {
        id: id(n),
        name: name.into(),
        created_at: ago(9_000),
        expires_at: Some(NOW),
        used_at: (n == 1).then(|| ago(9)),
        revoked_at: revoked.then_some(NOW),
    };
    vec![(
        "tokens",
        TokensPage {
            shell: shell(lang, "/account/tokens"),
            tokens: vec![token(1, "nightly export", false), token(2, "old", true)],
            issued: Some("vouch_3f9a0c7e2b".into()),
            problem: None,
        },
    )]
}
