//! Replies with their enhanced status codes (RFC 2034, RFC 3463). Nothing a client sent is ever repeated in one.

/// A reply of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply {
    /// RFC 5321.
    pub code: u16,
    /// RFC 3463; empty where it has no place (greeting, `EHLO`, 354).
    pub enhanced: &'static str,
    /// For people.
    pub text: &'static str,
}

impl Reply {
    const fn new(code: u16, enhanced: &'static str, text: &'static str) -> Self {
        Self { code, enhanced, text }
    }

    /// As it is sent.
    pub(super) fn line(self) -> Vec<u8> {
        let space = if self.enhanced.is_empty() { "" } else { " " };
        format!("{} {}{space}{}\r\n", self.code, self.enhanced, self.text).into_bytes()
    }
}

pub(super) const BYE: Reply = Reply::new(221, "2.0.0", "Bye");
pub(super) const READY_FOR_TLS: Reply = Reply::new(220, "2.0.0", "Ready to start TLS");
pub(super) const RESET: Reply = Reply::new(250, "2.0.0", "Reset");
pub(super) const NOTHING_DONE: Reply = Reply::new(250, "2.0.0", "OK");
pub(super) const SENDER_OK: Reply = Reply::new(250, "2.1.0", "Sender noted");
pub(super) const RECIPIENT_OK: Reply = Reply::new(250, "2.1.5", "Recipient known");
pub(super) const GO_AHEAD: Reply = Reply::new(354, "", "End with a dot on a line of its own");
pub(super) const CHUNK_OK: Reply = Reply::new(250, "2.0.0", "Chunk received");
pub(super) const KEPT: Reply = Reply::new(250, "2.6.0", "Kept");
pub(super) const HELP: Reply = Reply::new(214, "2.0.0", "RFC 5321; this server takes receipts and nothing else");
pub(super) const CANNOT_VERIFY: Reply = Reply::new(252, "2.5.0", "Addresses are not verified; try to send");

pub(super) const STOPPING: Reply = Reply::new(421, "4.3.2", "Shutting down; try again");
pub(super) const TOO_MANY_CONNECTIONS: Reply = Reply::new(421, "4.7.0", "Too many connections; try again later");
pub(super) const TOO_MANY_ERRORS: Reply = Reply::new(421, "4.7.0", "Too many errors");
pub(super) const TOO_SLOW: Reply = Reply::new(421, "4.4.2", "Too slow");
pub(super) const TRY_AGAIN: Reply = Reply::new(451, "4.3.0", "Cannot be kept now; try again later");
pub(super) const DISK_FULL: Reply = Reply::new(452, "4.3.1", "Out of storage; try again later");
pub(super) const TOO_MANY_MESSAGES: Reply = Reply::new(450, "4.7.1", "Too many messages; try again later");
pub(super) const TOO_MANY_RECIPIENTS: Reply = Reply::new(452, "4.5.3", "Too many recipients");
pub(super) const TLS_UNAVAILABLE: Reply = Reply::new(454, "4.7.0", "TLS is not available");

pub(super) const UNKNOWN_COMMAND: Reply = Reply::new(500, "5.5.1", "Unknown command");
pub(super) const LINE_TOO_LONG: Reply = Reply::new(500, "5.5.2", "Line too long");
pub(super) const SYNTAX: Reply = Reply::new(501, "5.5.4", "Syntax error in parameters");
pub(super) const BAD_SENDER: Reply = Reply::new(501, "5.1.7", "Bad sender address");
pub(super) const BAD_RECIPIENT: Reply = Reply::new(501, "5.1.3", "Bad recipient address");
pub(super) const NOT_OFFERED: Reply = Reply::new(502, "5.5.1", "Not offered");
pub(super) const BAD_SEQUENCE: Reply = Reply::new(503, "5.5.1", "Bad sequence of commands");
pub(super) const HELLO_FIRST: Reply = Reply::new(503, "5.5.1", "Say hello first");
pub(super) const NO_RECIPIENT: Reply = Reply::new(554, "5.5.1", "No valid recipients");
pub(super) const MALFORMED: Reply = Reply::new(521, "5.5.2", "Lines end in CR LF; see RFC 5321 section 2.3.8");
pub(super) const TOO_EARLY: Reply = Reply::new(554, "5.5.1", "Client spoke before the greeting");
pub(super) const NO_SUCH_ADDRESS: Reply = Reply::new(550, "5.1.1", "No such address");
pub(super) const NO_RELAY: Reply = Reply::new(550, "5.7.1", "This server does not relay");
pub(super) const TOO_LARGE: Reply = Reply::new(552, "5.3.4", "Message too large");
pub(super) const NEEDS_SMTPUTF8: Reply = Reply::new(553, "5.6.7", "Address needs SMTPUTF8");
pub(super) const LOOPING: Reply = Reply::new(554, "5.4.6", "Too many hops: mail is looping");
pub(super) const REFUSED: Reply = Reply::new(554, "5.6.0", "Not a message");
pub(super) const BAD_PARAMETER: Reply = Reply::new(555, "5.5.4", "Parameter not offered");
