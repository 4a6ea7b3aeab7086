//! What the two sides of a conversation say to each other, apart from octets.

use super::super::reply::{self, Reply};

/// Which of the two is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// From mail servers of the world: one answer for a message.
    Smtp,
    /// From a mail server in front of us: one answer for each recipient.
    Lmtp,
}

/// What a conversation is about to offer.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Which protocol.
    pub dialect: Dialect,
    /// Our name in greeting and `EHLO`.
    pub host_name: String,
    /// Octets of a message.
    pub max_bytes: u64,
    /// Whether `STARTTLS` is offered.
    pub has_tls: bool,
}

impl Terms {
    /// The answer to `EHLO` and `LHLO`.
    pub(super) fn offers(&self, is_encrypted: bool) -> Vec<u8> {
        let mut lines = vec![self.host_name.clone(), format!("SIZE {}", self.max_bytes)];
        lines.extend(["PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"].map(str::to_owned));
        if self.has_tls && !is_encrypted {
            lines.push("STARTTLS".to_owned());
        }
        let last = lines.len() - 1;
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            text.push_str(if index == last { "250 " } else { "250-" });
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.into_bytes()
    }
}

/// What the client said about a message besides its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The name after `HELO`, `EHLO` or `LHLO`.
    pub hello: String,
    /// The address after `MAIL FROM`; empty for bounces.
    pub sender: String,
    /// Addresses after `RCPT TO` that were known, in order.
    pub recipients: Vec<String>,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this.
    Send(Vec<u8>),
    /// Say whose address it is, with [`super::Session::recipient`].
    Lookup(String),
    /// Add this to the message in hand.
    Content(Vec<u8>),
    /// The message is complete: keep it and say so with [`super::Session::delivered`].
    Deliver(Envelope),
    /// Forget the message in hand and its recipients.
    Abandon,
    /// Begin TLS, then continue with [`super::Session::encrypted`]. What arrived in the clear after the command is gone.
    StartTls,
    /// End the connection.
    Close,
}

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Somebody's here.
    Known,
    /// Nobody's.
    Unknown,
    /// In a domain that is not ours.
    Foreign,
    /// Cannot be said now.
    Unavailable,
    /// Somebody's, and had its share of mail for now, or the sender had.
    Busy,
}

/// What became of a message for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Durable, and ours from now on.
    Kept,
    /// Went round too often; never to be sent again.
    Looping,
    /// Not a message; never to be sent again.
    Refused,
    /// Over the limit; never to be sent again.
    TooLarge,
    /// No room; the sender keeps it.
    DiskFull,
    /// Database or object storage is away; the sender keeps it.
    TryAgain,
}

impl Fate {
    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Kept => reply::KEPT,
            Self::Looping => reply::LOOPING,
            Self::Refused => reply::REFUSED,
            Self::TooLarge => reply::TOO_LARGE,
            Self::DiskFull => reply::DISK_FULL,
            Self::TryAgain => reply::TRY_AGAIN,
        }
    }
}

/// Why the server ends a conversation by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is shutting down.
    Stopping,
    /// The client took too long.
    TooSlow,
}
