//! Samples of the pages of mail.

use super::{NOW, ago, choices, id, review::trips, shell};
use crate::{
    domain::{
        capture::{CaptureState, Reason},
        draft::DraftState,
        mail::{Check, Doubt, Evidence, Way},
        person::Language,
    },
    web::pages::mail::{AccountRow, AddressRow, AdminMailPage, DoorRow, DraftLink, MailPage, MessagePage, MessageRow},
};

fn row(n: u32, subject: &str, from: &str, doubt: Doubt, is_proved: bool) -> MessageRow {
    MessageRow {
        id: id(n),
        from: from.into(),
        subject: subject.into(),
        doubt,
        received_at: ago(u64::from(n)),
        is_proved,
        checked_until: None,
    }
}

pub fn mail(lang: Language) -> Vec<(&'static str, MailPage)> {
    let address = |n, text: &str, visit: Option<&str>| AddressRow {
        id: id(n),
        address: text.into(),
        visit: visit.map(str::to_owned),
    };
    let full = MailPage {
        shell: shell(lang, "/mail"),
        is_on: true,
        own: address(1, "r-k3v7q2mzxa5d6pwe@in.example.org", None),
        of_visits: vec![address(2, "v-b6hjn4ty2srq7cfo@in.example.org", Some("苏州恒瑞精密 · 2026-11-20"))],
        visits: choices(&[("a", "Müller & Söhne GmbH · 2026-11-18")]),
        waiting: vec![
            row(3, "Fwd: 您的电子发票 25312000000012345678", "invoice@shop.example", Doubt::Unknown, true),
            row(4, "<b>bold</b> Urgent: pay this", "ceo@example.org", Doubt::Forged, false),
        ],
        checking: vec![MessageRow {
            checked_until: Some(NOW.plus(std::time::Duration::from_secs(3_600))),
            ..row(8, "Your order 4711", "orders@shop.example", Doubt::Unchecked, false)
        }],
        check_minutes: 10,
        quiet: vec![row(5, "Out of office", "ben@example.org", Doubt::AutoReply, false)],
        lately: vec![row(7, "Your booking XYZ7Q2 <b>bold</b>", "booking@air.example", Doubt::Unknown, true)],
        rejected: vec![row(6, "You won", "lottery@example.net", Doubt::Unauthenticated, false)],
        problem: None,
    };
    let empty = MailPage {
        is_on: false,
        of_visits: vec![],
        visits: vec![],
        waiting: vec![],
        checking: vec![],
        quiet: vec![],
        rejected: vec![],
        lately: vec![],
        ..full.clone()
    };
    vec![("mail", full), ("mail_none", empty)]
}

pub fn message(lang: Language) -> Vec<(&'static str, MessagePage)> {
    let waiting = MessagePage {
        shell: shell(lang, "/mail/x"),
        row: row(4, "<b>bold</b> Urgent: pay this", "ceo@example.org", Doubt::Forged, false),
        waits: true,
        is_doubted: true,
        check_minutes: 10,
        capture_id: id(40),
        way: Way::Smtp,
        envelope_sender: Some("bounce@sender.example".into()),
        peer: Some("203.0.113.7".into()),
        sent_at: Some(ago(30)),
        evidence: Evidence { dmarc: Check::Fail, dmarc_is_enforced: true, spf: Check::Pass, ..Evidence::default() },
        text: vec![],
        attached: vec!["Rechnung 2026-0815.pdf".into(), "<b>bold</b>.exe".into()],
        links: vec![],
        problem: None,
        state: CaptureState::Quarantined,
        reason: None,
        drafts: vec![],
        trips: vec![],
    };
    let draft = |merchant: Option<&str>, money: &str, state| DraftLink {
        url: "/drafts/x".into(),
        merchant: merchant.map(str::to_owned),
        money: money.into(),
        state,
    };
    let read = MessagePage {
        row: row(3, "Fwd: 您的电子发票", "invoice@shop.example", Doubt::Unknown, true),
        waits: false,
        is_doubted: false,
        way: Way::Imap,
        envelope_sender: None,
        evidence: Evidence { dmarc: Check::Pass, dkim: Check::Pass, is_aligned: true, ..Evidence::default() },
        attached: vec![],
        text: vec!["您好，附件为您的电子发票。".into(), "<b>bold</b> 合计 128.00".into()],
        links: vec![
            ("https://inv.example.org/发票?c=<b>bold</b>".into(), true),
            ("https://elsewhere.example/x".into(), false),
        ],
        state: CaptureState::Read,
        drafts: vec![
            draft(Some("<b>bold</b> 瑞士国际航空"), "CHF 540.00", DraftState::Submitted),
            draft(None, "–", DraftState::Draft),
        ],
        trips: trips(lang),
        ..waiting.clone()
    };
    let unread = MessagePage {
        state: CaptureState::Failed,
        reason: Some(Reason::MimeLimits),
        drafts: vec![],
        trips: vec![],
        ..read.clone()
    };
    let unchecked = |until| MessagePage {
        row: MessageRow {
            checked_until: Some(until),
            ..row(8, "Your order 4711", "orders@shop.example", Doubt::Unchecked, false)
        },
        ..waiting.clone()
    };
    let checking = unchecked(NOW.plus(std::time::Duration::from_secs(3_600)));
    let in_vain = unchecked(ago(1));
    vec![
        ("message", waiting),
        ("message_read", read),
        ("message_unread", unread),
        ("message_checking", checking),
        ("message_in_vain", in_vain),
    ]
}

pub fn admin_mail(lang: Language) -> Vec<(&'static str, AdminMailPage)> {
    let door = |way, at: &str, count| DoorRow {
        way,
        at: at.into(),
        count,
        doubted: count / 10,
        last_at: (count > 0).then(|| ago(12)),
    };
    let account = |name: &str, error: Option<&str>| AccountRow {
        name: name.into(),
        taken: 214,
        polled_at: Some(ago(1)),
        error: error.map(str::to_owned),
        error_at: error.map(|_| NOW),
    };
    let full = AdminMailPage {
        shell: shell(lang, "/admin/mail"),
        doors: vec![door(Way::Smtp, "0.0.0.0:25", 120), door(Way::Mailgun, "/hooks/mail/mailgun/mime", 0)],
        accounts: vec![
            account("receipts · INBOX", None),
            account("old · INBOX", Some("the mail server refused: LOGIN: no response: authentication failed")),
        ],
    };
    let none = AdminMailPage { doors: vec![], accounts: vec![], ..full.clone() };
    vec![("admin_mail", full), ("admin_mail_none", none)]
}
