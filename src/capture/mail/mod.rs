//! Mail: secret addresses, the listeners, mailboxes and webhooks that bring messages to the one door, and the quarantine.
//!
//! Whichever way a message comes, [`PostOffice::deliver`] reads its header, collects what speaks for its sender, decides
//! whether it is read or waits for its owner, and hands the raw bytes to [`super::accept`]'s transaction. What is inside
//! the message is read later, in the sandboxed child.

pub mod addresses;
pub mod authenticate;
mod content;
mod deliver;
pub mod headers;
pub mod imap;
pub mod links;
pub mod listener;
pub mod preview;
mod prompt;
pub mod quarantine;
pub mod rates;
pub mod recheck;
mod reply;
pub mod session;
pub mod webhook;

pub use deliver::{Delivered, Letter, Origin, PostOffice, reason};

use crate::domain::mail::SenderPolicy;

/// What the organisation decided about its mail.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// Domains of our addresses, lower-case; the first is the one people are shown. Empty: any, for mailboxes and
    /// webhooks of another domain.
    pub domains: Vec<String>,
    /// The name in greetings.
    pub host_name: String,
    /// Whose mail is read without asking.
    pub policy: SenderPolicy,
    /// Which links in mail may be followed.
    pub links: links::LinkPolicy,
}
