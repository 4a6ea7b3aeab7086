//! A person's mail: their secret addresses, and messages that wait for them.

use askama::Template;

use super::{
    shell::{Choice, Problem, Shell},
    trips::TripLine,
};
use crate::domain::{
    capture::{CaptureState, Reason},
    draft::DraftState,
    ids::{CaptureId, MailAddressId, MailMessageId},
    mail::{Check, Doubt, Evidence, Way},
    time::Timestamp,
};

/// `GET /mail`. Forms post `csrf` to `/mail/addresses` (with `visit_id`), `/mail/addresses/{id}/rotate`,
/// `/mail/addresses/{id}/retire`, `/mail/{id}/accept` (with `remember`) and `/mail/{id}/reject`.
#[derive(Debug, Clone, Template)]
#[template(path = "mail.html")]
pub struct MailPage {
    /// The frame.
    pub shell: Shell,
    /// Whether mail can come in at all.
    pub is_on: bool,
    /// The person's own address.
    pub own: AddressRow,
    /// Addresses of their visits.
    pub of_visits: Vec<AddressRow>,
    /// Visits without an address yet.
    pub visits: Vec<Choice>,
    /// Messages that wait for a decision, newest first.
    pub waiting: Vec<MessageRow>,
    /// Messages whose sender is still being checked, newest first.
    pub checking: Vec<MessageRow>,
    /// Minutes between two checks of those.
    pub check_minutes: u64,
    /// Bounces, automatic answers and the like.
    pub quiet: Vec<MessageRow>,
    /// What was rejected.
    pub rejected: Vec<MessageRow>,
    /// What was read lately, newest first.
    pub lately: Vec<MessageRow>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// An address.
#[derive(Debug, Clone)]
pub struct AddressRow {
    /// Its id.
    pub id: MailAddressId,
    /// As people type it.
    pub address: String,
    /// The visit it is for, in words.
    pub visit: Option<String>,
}

/// A message in a list.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// The message.
    pub id: MailMessageId,
    /// `From`.
    pub from: String,
    /// The subject.
    pub subject: String,
    /// Why it waits.
    pub doubt: Doubt,
    /// When it came in.
    pub received_at: Timestamp,
    /// Whether remembering the sender would help next time: something proves them.
    pub is_proved: bool,
    /// Until when its sender is checked again by itself, or was in vain.
    pub checked_until: Option<Timestamp>,
}

impl MessageRow {
    /// Whether its sender is still being checked at `now`: then nobody has to decide.
    pub fn is_being_checked(&self, now: &Timestamp) -> bool {
        self.checked_until.is_some_and(|until| until > *now)
    }
}

/// `GET /mail/{id}`: one message, safely. No part of it is ever rendered as HTML, and nothing is fetched.
#[derive(Debug, Clone, Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    /// The frame.
    pub shell: Shell,
    /// The message.
    pub row: MessageRow,
    /// Whether its owner may still decide.
    pub waits: bool,
    /// Whether a doubt is to be shown.
    pub is_doubted: bool,
    /// Minutes between two checks of a sender.
    pub check_minutes: u64,
    /// The capture with its bytes.
    pub capture_id: CaptureId,
    /// Which way it came.
    pub way: Way,
    /// The sender in the envelope.
    pub envelope_sender: Option<String>,
    /// The server that brought it.
    pub peer: Option<String>,
    /// `Date`.
    pub sent_at: Option<Timestamp>,
    /// What speaks for the sender.
    pub evidence: Evidence,
    /// The text, as the sandboxed reader gave it.
    pub text: Vec<String>,
    /// Names of what is attached, while it waits.
    pub attached: Vec<String>,
    /// Links to documents in it, and whether each may be followed.
    pub links: Vec<(String, bool)>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
    /// What became of it.
    pub state: CaptureState,
    /// Why it was not read, when it was not.
    pub reason: Option<Reason>,
    /// The receipts made of it.
    pub drafts: Vec<DraftLink>,
    /// The trips it and what it brought tell of, by their beginning.
    pub trips: Vec<TripLine>,
}

/// A receipt made of a message.
#[derive(Debug, Clone)]
pub struct DraftLink {
    /// Its page.
    pub url: String,
    /// Who was paid, when known.
    pub merchant: Option<String>,
    /// The total with its currency.
    pub money: String,
    /// Where it stands.
    pub state: DraftState,
}

impl MessagePage {
    /// The checks by name, with their results.
    pub fn checks(&self) -> [(&'static str, Check); 4] {
        let e = &self.evidence;
        [("DMARC", e.dmarc), ("DKIM", e.dkim), ("SPF", e.spf), ("ARC", e.arc)]
    }
}

/// `GET /admin/mail`.
#[derive(Debug, Clone, Template)]
#[template(path = "admin_mail.html")]
pub struct AdminMailPage {
    /// The frame.
    pub shell: Shell,
    /// Ways in that are open: the way, where, and how many messages came in a week, and when the last did.
    pub doors: Vec<DoorRow>,
    /// Polled mailboxes.
    pub accounts: Vec<AccountRow>,
}

/// A way in.
#[derive(Debug, Clone)]
pub struct DoorRow {
    /// The way.
    pub way: Way,
    /// Where it is.
    pub at: String,
    /// Messages in the last seven days.
    pub count: i64,
    /// Of these, doubted.
    pub doubted: i64,
    /// When the last one came.
    pub last_at: Option<Timestamp>,
}

/// A polled mailbox.
#[derive(Debug, Clone)]
pub struct AccountRow {
    /// Its name and folder.
    pub name: String,
    /// Messages taken so far.
    pub taken: i64,
    /// When it was last looked into.
    pub polled_at: Option<Timestamp>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When.
    pub error_at: Option<Timestamp>,
}
