//! Example contexts of every page, shaped like real use. Tests render all of them in both languages.

mod admin;
mod mail;
mod rep;
mod review;

pub use admin::*;
pub use mail::*;
pub use rep::*;
pub use review::*;

use std::time::Duration;

use crate::{
    domain::{
        category,
        draft::DraftState,
        person::{Language, Role},
        time::Timestamp,
        visit::VisitPurpose,
    },
    web::pages::{
        receipts::ReceiptRow,
        shell::{Choice, Shell, Viewer, VisitOption, VisitView},
    },
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
        warnings: vec!["truncated".into()],
        missing: vec![],
        captured_at: ago(u64::from(n)),
        revision: 2,
    }
}
