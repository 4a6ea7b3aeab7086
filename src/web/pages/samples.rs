//! Example contexts of every page, shaped like real use. Tests render all of them in both languages.

use std::{collections::BTreeSet, time::Duration};

use super::{
    capture::CapturePage,
    categories::{CategoriesPage, CategoryRow},
    draft::{Change, DecidedView, DraftPage, FieldView, HistoryLine, May, PageView, QueuePlace},
    error::ErrorPage,
    failed::{DeadJob, FailedCapture, FailedPage},
    https_help::HttpsHelpPage,
    people::{PeoplePage, PersonRow},
    queue::{QueueFilter, QueuePage, QueueRow},
    receipts::{CaptureRow, ReceiptRow, ReceiptsPage},
    shell::{Choice, Notice, Problem, Shell, Tone, Viewer, VisitOption, VisitView},
    sign_in::{PasswordPage, SignInPage},
    status::{Check, StatusPage},
    tokens::{TokenRow, TokensPage},
    visits::{CustomerRow, ImportResult, VisitRow, VisitsPage},
};
use crate::domain::{
    capture::{CaptureState, Channel, Reason},
    category,
    draft::DraftState,
    field::{Alternative, Evidence, Field, FieldKey, FieldValue},
    page::Quad,
    person::{Language, Role},
    time::Timestamp,
    visit::{CustomerType, VisitPurpose},
};

/// 2026-11-23 10:30 in Shanghai.
const NOW: Timestamp = Timestamp::from_micros(1_795_401_000_000_000);
/// Size of the sample picture, which the tests write beside the pages.
pub const PICTURE: (u32, u32) = (1_080, 1_680);

/// Any id type, numbered.
fn id<T: std::str::FromStr<Err = crate::domain::ids::IdError>>(number: u32) -> T {
    format!("0192f0c1-7d3a-7c44-9a51-{number:012x}").parse().unwrap()
}

fn ago(minutes: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(minutes * 60))
}

fn choices(pairs: &[(&str, &str)]) -> Vec<Choice> {
    pairs.iter().map(|(value, label)| Choice { value: (*value).into(), label: (*label).into() }).collect()
}

/// A frame for someone with every role.
pub fn shell(lang: Language, path: &str) -> Shell {
    Shell {
        lang,
        csrf: "b3f1c2d4".into(),
        viewer: Some(Viewer { name: "李薇".into(), roles: Role::ALL.iter().copied().collect() }),
        path: path.into(),
        now: NOW,
        zone: "Asia/Shanghai".into(),
        notices: vec![],
    }
}

fn visits() -> Vec<VisitOption> {
    let visit = |n, customer: &str, on: &str, purpose| VisitOption {
        id: id(n),
        customer: customer.into(),
        on: Some(on.parse().unwrap()),
        purpose: Some(purpose),
    };
    vec![
        visit(901, "苏州恒瑞精密", "2026-11-20", VisitPurpose::Sales),
        visit(902, "Müller & Söhne GmbH", "2026-11-18", VisitPurpose::Demonstration),
        visit(903, "A <b>bold</b> \"customer\" & co", "2026-11-12", VisitPurpose::Service),
    ]
}

fn category_choices(lang: Language) -> Vec<Choice> {
    let name = |c: &category::DefaultCategory| match lang {
        Language::En => c.name_en.to_owned(),
        Language::Zh => c.name_zh.to_owned(),
    };
    category::DEFAULTS.iter().map(|c| Choice { value: c.code.into(), label: name(c) }).collect()
}

fn meals(lang: Language) -> Option<String> {
    category_choices(lang).into_iter().find(|c| c.value == "meals").map(|c| c.label)
}

pub fn sign_in(lang: Language) -> Vec<(&'static str, SignInPage)> {
    let page = |problem| SignInPage {
        shell: Shell { viewer: None, ..shell(lang, "/sign-in") },
        name: if problem { "li.wei".into() } else { String::new() },
        next: "/capture".into(),
        problem: problem.then(|| Problem { code: "sign_in_failed".into(), detail: String::new() }),
    };
    vec![("sign_in", page(false)), ("sign_in_failed", page(true))]
}

pub fn password(lang: Language) -> Vec<(&'static str, PasswordPage)> {
    let problem = Problem { code: "passwords_differ".into(), detail: String::new() };
    vec![
        ("password_first", PasswordPage { shell: shell(lang, "/password"), first: true, min_chars: 10, problem: None }),
        (
            "password",
            PasswordPage { shell: shell(lang, "/password"), first: false, min_chars: 10, problem: Some(problem) },
        ),
    ]
}

pub fn capture(lang: Language) -> Vec<(&'static str, CapturePage)> {
    let page = |secure| CapturePage {
        shell: shell(lang, "/capture"),
        visits: visits(),
        visit: if secure { id::<crate::domain::ids::VisitId>(901).to_string() } else { String::new() },
        on_behalf_of: if secure { choices(&[("p2", "王强")]) } else { vec![] },
        secure,
        max_megabytes: 32,
        max_files: 20,
    };
    vec![("capture", page(true)), ("capture_insecure", page(false))]
}

fn receipt(lang: Language, n: u32, state: DraftState, merchant: &str, total: &str, code: &str) -> ReceiptRow {
    ReceiptRow {
        id: id(n),
        state,
        thumbnail_url: Some("/sample/receipt.svg".into()),
        merchant: Some(merchant.into()),
        total: Some(total.parse().unwrap()),
        currency: Some(code.parse().unwrap()),
        issued_on: Some("2026-11-20".parse().unwrap()),
        category: meals(lang),
        visit: VisitView::Visit(visits()[0].clone()),
        reason: None,
        missing: vec![],
        captured_at: ago(u64::from(n)),
        revision: 2,
    }
}

pub fn receipts(lang: Language) -> Vec<(&'static str, ReceiptsPage)> {
    let capture = |n, state, reason, name: Option<&str>| CaptureRow {
        id: id(n),
        state,
        reason,
        file_name: name.map(str::to_owned),
        thumbnail_url: None,
        captured_at: ago(1),
    };
    let mut returned = receipt(lang, 3, DraftState::Returned, "Gasthof zum Goldenen Löwen", "1284.5", "EUR");
    returned.reason = Some("Which visit is this for?".into());
    returned.visit = VisitView::Undecided;
    let mut unread = receipt(lang, 4, DraftState::Draft, "", "0", "CNY");
    (unread.merchant, unread.total, unread.currency, unread.issued_on, unread.category) =
        (None, None, None, None, None);
    unread.visit = VisitView::NoVisit;
    unread.missing = vec![FieldKey::Date, FieldKey::Total];
    unread.thumbnail_url = None;
    let full = ReceiptsPage {
        shell: Shell { notices: vec![Notice { tone: Tone::Good, text: "2 ✓".into() }], ..shell(lang, "/receipts") },
        captures: vec![
            capture(11, CaptureState::Reading, None, Some("IMG_2041.jpg")),
            capture(
                12,
                CaptureState::Failed,
                Some(Reason::ReaderTimeout),
                Some("a very long file name of a scan of a hotel invoice from Shanghai.tiff"),
            ),
            capture(13, CaptureState::Failed, Some(Reason::Undecodable), None),
        ],
        receipts: vec![
            receipt(lang, 1, DraftState::Draft, "川味小馆(苏州园区店)", "268", "CNY"),
            returned,
            unread,
            receipt(lang, 5, DraftState::Submitted, "Blue Bottle Coffee", "12.80", "USD"),
            receipt(lang, 6, DraftState::Confirmed, "上海虹桥国际机场停车场", "1240.00", "CNY"),
            receipt(lang, 7, DraftState::Rejected, "Duty Free", "88000", "JPY"),
            receipt(lang, 8, DraftState::Withdrawn, "滴滴出行", "41.3", "CNY"),
        ],
        filter: String::new(),
        filters: choices(&[("", "7"), ("draft", "2"), ("returned", "1"), ("submitted", "1"), ("confirmed", "1")]),
        visits: visits(),
        more: Some("/receipts?after=abc".into()),
    };
    let empty = ReceiptsPage {
        captures: vec![],
        receipts: vec![],
        more: None,
        shell: shell(lang, "/receipts"),
        ..full.clone()
    };
    vec![("receipts", full), ("receipts_empty", empty)]
}

pub fn queue(lang: Language) -> Vec<(&'static str, QueuePage)> {
    let row = |n: u32, merchant: &str, total: &str, code: &str, p: Option<f32>, flags: &[&str]| {
        let row = receipt(lang, n, DraftState::Submitted, merchant, total, code);
        QueueRow {
            url: format!("/drafts/{}?state=submitted", row.id),
            id: row.id,
            state: row.state,
            thumbnail_url: row.thumbnail_url,
            owner: ["李薇", "Jonas Weber", "王强"][n as usize % 3].into(),
            merchant: p.is_some().then_some(merchant.to_owned()),
            total: p.is_some().then_some(total.parse().unwrap()),
            currency: row.currency,
            issued_on: row.issued_on.filter(|_| p.is_some()),
            category: row.category,
            visit: [VisitView::Undecided, VisitView::NoVisit, row.visit][n as usize % 3].clone(),
            p,
            flags: flags.iter().map(|f| (*f).to_owned()).collect(),
            submitted_at: Some(ago(u64::from(40 - n) * 97)),
        }
    };
    let full = QueuePage {
        shell: shell(lang, "/review"),
        rows: vec![
            row(1, "川味小馆(苏州园区店)", "268", "CNY", Some(0.998), &[]),
            row(2, "Gasthof zum Goldenen Löwen an der Alten Brücke", "1284.50", "EUR", Some(0.87), &["duplicate"]),
            row(3, "Blue Bottle Coffee", "12.8", "USD", Some(0.42), &["weekend", "conflicting"]),
            row(4, "", "0", "CNY", None, &[]),
            row(5, "上海虹桥国际机场停车场", "1240", "CNY", Some(0.96), &[]),
            row(6, "滴滴出行", "41.3", "CNY", Some(0.93), &["never_translated_flag"]),
        ],
        total: Some(214),
        filter: QueueFilter { state: "submitted".into(), ..QueueFilter::default() },
        people: choices(&[("p1", "李薇"), ("p2", "Jonas Weber")]),
        units: choices(&[("u1", "华东 East"), ("u2", "DACH")]),
        categories: category_choices(lang),
        more: Some("/review?state=submitted&after=0192".into()),
    };
    let empty = QueuePage { rows: vec![], total: Some(0), more: None, units: vec![], ..full.clone() };
    vec![("queue", full), ("queue_empty", empty)]
}

fn proposed(
    key: FieldKey,
    text: &str,
    p: f32,
    edges: [f32; 4],
    reasons: &[&str],
    others: &[(&str, f32, [f32; 4])],
) -> FieldView {
    let evidence = |text: &str, [left, top, right, bottom]: [f32; 4]| {
        Some(Evidence { page: 0, quad: Some(Quad::from_edges(left, top, right, bottom)), text: text.into() })
    };
    let alternatives = others
        .iter()
        .map(|(value, p, edges)| Alternative { value: (*value).into(), p: *p, evidence: evidence(value, *edges) })
        .collect();
    let field = Field {
        key,
        value: FieldValue::parse(key, text).unwrap(),
        p,
        evidence: if key == FieldKey::Category { None } else { evidence(text, edges) },
        source: format!("{key}:sample"),
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        alternatives,
    };
    FieldView { proposed: Some(field), ..FieldView::empty(key) }
}

pub fn draft(lang: Language) -> Vec<(&'static str, DraftPage)> {
    let required = |field: FieldView| FieldView { required: true, ..field };
    let fields = vec![
        proposed(
            FieldKey::Merchant,
            "GOLDEN LION GUESTHOUSE",
            0.97,
            [250., 96., 830., 140.],
            &["top", "memory:12"],
            &[("Old Bridge Hospitality Ltd", 0.02, [300., 150., 780., 186.])],
        ),
        required(proposed(
            FieldKey::Date,
            "2026-11-20",
            0.91,
            [110., 330., 360., 366.],
            &["label:Date"],
            &[("2026-11-02", 0.06, [110., 1_500., 360., 1_536.])],
        )),
        proposed(FieldKey::Time, "19:42", 0.99, [400., 330., 520., 366.], &[], &[]),
        required(proposed(
            FieldKey::Total,
            "128.40",
            0.78,
            [790., 1_140., 960., 1_190.],
            &["label:TOTAL", "sum"],
            &[("107.90", 0.14, [800., 1_030., 960., 1_066.]), ("150.00", 0.05, [800., 1_260., 960., 1_296.])],
        )),
        required(proposed(FieldKey::Currency, "EUR", 0.995, [700., 1_140., 780., 1_190.], &["symbol:€"], &[])),
        proposed(FieldKey::Tax, "20.50", 0.88, [800., 1_082., 960., 1_118.], &["label:VAT 19%"], &[]),
        FieldView::empty(FieldKey::InvoiceNumber),
    ];
    let meals = proposed(
        FieldKey::Category,
        "meals",
        0.94,
        [0.; 4],
        &["memory:12", "item:Schnitzel"],
        &[("lodging", 0.04, [0.; 4])],
    );
    let line = |minutes, by: Option<&str>, kind: &str| HistoryLine {
        at: ago(minutes),
        by: by.map(str::to_owned),
        kind: kind.into(),
        changes: vec![],
        reason: None,
    };
    let fresh = DraftPage {
        shell: shell(lang, "/drafts/0192f0c1"),
        id: id(2),
        state: DraftState::Submitted,
        revision: 3,
        reason: None,
        owner: "Jonas Weber".into(),
        captured_by: Some("李薇".into()),
        captured_at: ago(190),
        channel: Channel::Page,
        note: Some("Dinner with the Müller team".into()),
        pages: vec![PageView {
            index: 0,
            width: PICTURE.0,
            height: PICTURE.1,
            preview_url: "/sample/receipt.svg".into(),
        }],
        fields,
        category: required(meals),
        categories: category_choices(lang),
        visit: VisitView::Visit(visits()[1].clone()),
        visits: visits(),
        p: Some(0.71),
        flags: vec!["duplicate".into()],
        may: May { edit: true, confirm: true, decide: true, ..May::default() },
        queue: QueuePlace {
            list_url: "/review?state=submitted".into(),
            previous_url: Some("/drafts/1?state=submitted".into()),
            next_url: Some("/drafts/3?state=submitted".into()),
            next_preview_url: Some("/sample/receipt.svg".into()),
            waiting: Some(214),
        },
        history: vec![
            line(190, Some("李薇"), "capture.accepted"),
            line(189, None, "draft.filled"),
            line(120, None, "a.new.kind"),
        ],
        conflict: false,
        problem: None,
    };
    let mut corrected = fresh.clone();
    corrected.fields[3].decided = Some(DecidedView { value: Some("107.90".into()), by: "李薇".into(), at: ago(3) });
    corrected.fields[1].refused = Some((
        "20.11.26".into(),
        Problem { code: "invalid_field".into(), detail: "write a date as YYYY-MM-DD".into() },
    ));
    corrected.conflict = true;
    corrected.visit = VisitView::Undecided;
    corrected.history.push(HistoryLine {
        changes: vec![
            Change { key: FieldKey::Total, from: Some("1128.40".into()), to: Some("107.90".into()) },
            Change { key: FieldKey::Tax, from: Some("20.50".into()), to: None },
        ],
        ..line(3, Some("李薇"), "draft.edited")
    });
    let mut confirmed = corrected.clone();
    (confirmed.state, confirmed.may, confirmed.conflict) =
        (DraftState::Confirmed, May { reopen: true, ..May::default() }, false);
    confirmed.fields[1].refused = None;
    confirmed.queue = QueuePlace { list_url: "/receipts".into(), ..QueuePlace::default() };
    let mut returned = fresh.clone();
    (returned.state, returned.reason) = (DraftState::Returned, Some("Which visit is this for?".into()));
    returned.may = May { edit: true, submit: true, withdraw: true, ..May::default() };
    returned.queue = confirmed.queue.clone();
    let mut unread = returned.clone();
    (unread.state, unread.reason, unread.p, unread.flags) = (DraftState::Draft, None, None, vec![]);
    unread.fields.iter_mut().for_each(|field| field.proposed = None);
    unread.category.proposed = None;
    unread.pages = vec![];
    vec![
        ("draft", fresh),
        ("draft_corrected", corrected),
        ("draft_confirmed", confirmed),
        ("draft_returned", returned),
        ("draft_unread", unread),
    ]
}

pub fn people(lang: Language) -> Vec<(&'static str, PeoplePage)> {
    let person = |n, name: &str, display: &str, roles: &[Role], disabled: bool| PersonRow {
        id: id(n),
        name: name.into(),
        display_name: display.into(),
        roles: roles.iter().copied().collect(),
        units: BTreeSet::from(["u1".to_owned()]),
        language: (n == 1).then_some(Language::Zh),
        disabled_at: disabled.then(|| ago(9_000)),
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
        people: choices(&[("p1", "李薇")]),
        today: "2026-11-23".parse().unwrap(),
        imported: Some(ImportResult { created: 12, known: 3, refused: vec![(7, "`31.02.2026` is not a date".into())] }),
        more: None,
        problem: None,
    };
    let empty = VisitsPage { visits: vec![], customers: vec![], imported: None, people: vec![], ..full.clone() };
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
    let full = FailedPage { shell: shell(lang, "/admin/failed"), captures: vec![capture], jobs: vec![job], more: None };
    let none = FailedPage { captures: vec![], jobs: vec![], ..full.clone() };
    vec![("failed", full), ("failed_none", none)]
}

pub fn status(lang: Language) -> Vec<(&'static str, StatusPage)> {
    let check = |code: &str, tone, found: &str, hint: Option<&str>| Check {
        code: code.into(),
        tone,
        found: found.into(),
        hint: hint.map(str::to_owned),
    };
    vec![(
        "status",
        StatusPage {
            shell: shell(lang, "/admin/status"),
            version: "0.1.0".into(),
            checks: vec![
                check("database", Tone::Good, "SQLite 3.50, WAL", None),
                check("objects", Tone::Good, "/var/lib/vouch/objects", None),
                check("languages", Tone::Info, "eng, chi_sim", Some("install tesseract-ocr-deu for German")),
                check("disk", Tone::Bad, "1.2 GB", Some("free at least 5 GB")),
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

pub fn https_help(lang: Language) -> Vec<(&'static str, HttpsHelpPage)> {
    let page = HttpsHelpPage {
        shell: Shell { viewer: None, ..shell(lang, "/https") },
        addresses: vec!["https://192.168.1.20:8443".into()],
        ca_fingerprint: Some(
            "3F:9A:0C:7E:2B:11:D0:4E:88:21:9B:5C:6A:73:F0:1E:3F:9A:0C:7E:2B:11:D0:4E:88:21:9B:5C:6A:73:F0:1E".into(),
        ),
        secure: false,
    };
    let ours = HttpsHelpPage { ca_fingerprint: None, secure: true, ..page.clone() };
    vec![("https", page), ("https_secure", ours)]
}

pub fn errors(lang: Language) -> Vec<(&'static str, ErrorPage)> {
    let page = |status, code: &str| ErrorPage {
        shell: shell(lang, "/x"),
        status,
        problem: Problem { code: code.into(), detail: "detail".into() },
        request_id: (status == 500).then(|| "0192f0c1".into()),
    };
    vec![
        ("error_403", page(403, "forbidden")),
        ("error_404", page(404, "not_found")),
        ("error_409", page(409, "revision_conflict")),
        ("error_500", page(500, "internal")),
        ("error_418", page(418, "teapot")),
    ]
}
