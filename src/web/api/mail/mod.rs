//! `/api/v1/mail/…`: one's secret addresses, and messages that wait.

pub mod accept;
pub mod addresses;
pub mod create_address;
pub mod follow;
pub mod message;
pub mod messages;
pub mod reject;
pub mod rotate;

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    capture::mail::PostOffice,
    domain::time::Timestamp,
    store::{mail_addresses::MailAddress, mail_messages::MailMessage},
};

/// A secret mail address.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailAddressBody {
    /// Its id.
    pub id: String,
    /// The address; without a domain of ours only the part before the `@`.
    pub address: String,
    /// The visit mail to it is for.
    pub visit_id: Option<String>,
    /// RFC 3339.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
}

impl MailAddressBody {
    /// As it is shown.
    pub fn new(office: &PostOffice, address: MailAddress) -> Self {
        Self {
            id: address.id.to_string(),
            address: office.shown(&address),
            visit_id: address.visit_id.map(|id| id.to_string()),
            created_at: address.created_at,
        }
    }
}

/// A message that came in.
#[derive(Debug, Serialize, ToSchema)]
pub struct MailMessageBody {
    /// Its id.
    pub id: String,
    /// The capture that holds its bytes.
    pub capture_id: String,
    /// Which way it came: `smtp`, `lmtp`, `imap` or a provider.
    pub way: String,
    /// The address in `From`.
    pub from: Option<String>,
    /// The sender in the envelope.
    pub envelope_sender: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// `Date`, RFC 3339.
    #[schema(value_type = Option<String>)]
    pub sent_at: Option<Timestamp>,
    /// When it came in, RFC 3339.
    #[schema(value_type = String)]
    pub received_at: Timestamp,
    /// Why it waits or waited, such as `sender_unauthenticated`; absent when it was believed.
    pub doubt: Option<String>,
    /// Whether nobody wrote it to hand in a receipt: bounces, automatic answers, lists.
    pub is_quiet: bool,
    /// What its owner said: `accepted` or `rejected`.
    pub decision: Option<String>,
    /// What speaks for its sender: SPF, DKIM, DMARC, ARC.
    #[schema(value_type = Object)]
    pub evidence: crate::domain::mail::Evidence,
}

impl From<MailMessage> for MailMessageBody {
    fn from(message: MailMessage) -> Self {
        Self {
            id: message.id.to_string(),
            capture_id: message.capture_id.to_string(),
            way: message.way.to_string(),
            from: message.header_from,
            envelope_sender: message.envelope_sender,
            subject: message.subject,
            sent_at: message.sent_at,
            received_at: message.received_at,
            is_quiet: message.doubt.is_some_and(crate::domain::mail::Doubt::is_quiet),
            doubt: message.doubt.map(|doubt| doubt.to_string()),
            decision: message.decision.map(|decision| decision.to_string()),
            evidence: message.evidence.0,
        }
    }
}
