//! Samples of the pages everyone and reps see.

use super::{ago, category_choices, choices, id, receipt, shell, visits};
use crate::{
    domain::{
        capture::{CaptureState, Reason},
        draft::DraftState,
        field::FieldKey,
        person::Language,
    },
    web::pages::{
        capture::CapturePage,
        error::ErrorPage,
        https_help::HttpsHelpPage,
        receipts::{CaptureRow, ReceiptsPage},
        shell::{Notice, Problem, Shell, Tone, VisitView},
        sign_in::{PasswordPage, SignInPage},
    },
};

pub fn sign_in(lang: Language) -> Vec<(&'static str, SignInPage)> {
    let page = |problem| SignInPage {
        shell: Shell { viewer: None, ..shell(lang, "/sign-in") },
        name: if problem { "li.wei".into() } else { String::new() },
        next: "/capture".into(),
        problem: problem.then(|| Problem { code: "sign_in_refused".into(), detail: String::new() }),
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
        categories: category_choices(lang),
        on_behalf_of: if secure { choices(&[("p2", "王强")]) } else { vec![] },
        secure,
        max_megabytes: 32,
        max_files: 20,
    };
    vec![("capture", page(true)), ("capture_insecure", page(false))]
}

pub fn receipts(lang: Language) -> Vec<(&'static str, ReceiptsPage)> {
    let capture = |n, state, reason, name: Option<&str>| CaptureRow {
        id: id(n),
        state,
        reason,
        file_name: name.map(str::to_owned),
        mail_url: name.filter(|name| *name == "Your booking.eml").map(|_| "/mail/x".to_owned()),
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
            capture(15, CaptureState::Quarantined, Some(Reason::SenderDoubted), Some("Your booking.eml")),
            capture(14, CaptureState::PasswordNeeded, Some(Reason::PasswordNeeded), Some("十一月发票.zip")),
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
        ("error_409", page(409, "conflict")),
        ("error_500", page(500, "internal")),
        ("error_418", page(418, "teapot")),
    ]
}
