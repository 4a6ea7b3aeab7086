//! One SMTP or LMTP conversation as a state machine over octets, without a socket: what arrives goes into [`Session::feed`],
//! what is to be done comes out of [`Session::next_action`]. However the octets are cut, the same comes out.
//!
//! The server takes mail for its own addresses and does nothing else: no relaying, no `VRFY`, no `AUTH`.
//! RFC 5321 (SMTP), 2033 (LMTP), 1870 (SIZE), 2920 (PIPELINING), 3030 (CHUNKING), 3207 (STARTTLS), 6152 (8BITMIME),
//! 6531 (SMTPUTF8), 2034 (ENHANCEDSTATUSCODES).

mod talk;

use std::borrow::Cow;

use smtp_proto::{Error, MAIL_BODY_BINARYMIME, MAIL_REQUIRETLS, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};

pub use self::talk::{Action, Answer, Dialect, End, Envelope, Fate, Terms};
use super::{
    content::{Content, Progress},
    reply::{self, Reply},
};

/// Octets of a command line with its `CRLF`. RFC 5321 asks for 512 and extensions for a little more; 2,048 is what other
/// servers allow.
const MAX_COMMAND: usize = 2_048;
/// Recipients of one message; RFC 5321, section 4.5.3.1.8, asks for at least 100.
const MAX_RECIPIENTS: usize = 100;
/// Refused commands after which a client is sent away: it is guessing addresses or broken.
const MAX_ERRORS: u32 = 20;

#[derive(Debug)]
enum State {
    /// Commands are read.
    Commands,
    /// A recipient is being looked up.
    LookingUp(String),
    /// Content follows.
    Receiving {
        content: Content,
        /// What the message is refused with when its content ends; the content is thrown away.
        refusal: Option<Reply>,
        /// Whether this is a chunk, and the last one.
        chunk: Option<bool>,
    },
    /// The driver is keeping the message.
    Delivering,
    /// TLS is being negotiated.
    Encrypting,
    /// Nothing more is read.
    Closed,
}

/// What the buffer begins with.
enum Line {
    /// A line with its `CRLF`.
    Whole(Vec<u8>),
    /// Part of one.
    Incomplete,
    /// Nothing that can become one.
    Malformed(Reply),
}

/// A message under way between `MAIL` and its end.
#[derive(Debug)]
struct Transaction {
    sender: String,
    recipients: Vec<String>,
    takes_utf8: bool,
    /// Octets of content so far.
    size: u64,
    /// Chunks have begun: no `DATA` or `RCPT` any more.
    chunks: Option<Content>,
}

/// A conversation.
#[derive(Debug)]
pub struct Session {
    terms: Terms,
    buffer: Vec<u8>,
    state: State,
    hello: Option<String>,
    transaction: Option<Transaction>,
    is_encrypted: bool,
    errors: u32,
    /// Made already, to be handed out before anything else is read.
    pending: std::collections::VecDeque<Action>,
}

impl Session {
    /// A conversation that begins with our greeting.
    pub fn new(terms: Terms) -> Self {
        let protocol = match terms.dialect {
            Dialect::Smtp => "ESMTP",
            Dialect::Lmtp => "LMTP",
        };
        let greeting = format!("220 {} {protocol}\r\n", terms.host_name);
        let mut session = Self::empty(terms);
        session.pending.push_back(Action::Send(greeting.into_bytes()));
        session
    }

    fn empty(terms: Terms) -> Self {
        Self {
            terms,
            buffer: Vec::new(),
            state: State::Commands,
            hello: None,
            transaction: None,
            is_encrypted: false,
            errors: 0,
            pending: std::collections::VecDeque::new(),
        }
    }

    /// The conversation after TLS was negotiated: nothing said before counts (RFC 3207, section 4.2).
    pub fn encrypted(self) -> Self {
        let mut session = Self::empty(self.terms);
        session.is_encrypted = true;
        session
    }

    /// A client that spoke before the greeting is sent away.
    pub fn spoke_too_early(terms: Terms) -> Self {
        let mut session = Self::empty(terms);
        session.end(reply::TOO_EARLY);
        session
    }

    /// Octets from the client.
    pub fn feed(&mut self, octets: &[u8]) {
        if !matches!(self.state, State::Closed | State::Encrypting) {
            self.buffer.extend_from_slice(octets);
        }
    }

    /// Whether content is being received, which has a time limit of its own.
    pub fn is_receiving(&self) -> bool {
        matches!(self.state, State::Receiving { .. })
    }

    /// Octets fed and not yet understood; bounded by what is fed between calls of [`Session::next_action`] and [`MAX_COMMAND`].
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// The next thing to do; `None` when more octets, or an answer, are needed first.
    pub fn next_action(&mut self) -> Option<Action> {
        // Ends: each round hands something out, or takes octets from the buffer, or returns.
        loop {
            if let Some(action) = self.pending.pop_front() {
                return Some(action);
            }
            match &mut self.state {
                State::Commands => match self.take_line() {
                    Line::Whole(line) => self.command(&line),
                    Line::Incomplete => return None,
                    Line::Malformed(reply) => self.end(reply),
                },
                State::Receiving { .. } => {
                    if self.buffer.is_empty() {
                        return None;
                    }
                    self.receive();
                }
                State::LookingUp(_) | State::Delivering | State::Encrypting | State::Closed => return None,
            }
        }
    }

    fn take_line(&mut self) -> Line {
        let end = self.buffer.iter().take(MAX_COMMAND).position(|octet| *octet == b'\n');
        let looked_at = end.map_or(self.buffer.len().min(MAX_COMMAND), |end| end + 1);
        let line = &self.buffer[..looked_at];
        // The last octet may be a CR whose LF is still under way.
        let is_malformed = line.contains(&0)
            || line.iter().enumerate().any(|(i, octet)| {
                *octet == b'\r' && line.get(i + 1).is_some_and(|next| *next != b'\n')
                    || *octet == b'\n' && (i == 0 || line[i - 1] != b'\r')
            });
        match end {
            _ if is_malformed => Line::Malformed(reply::MALFORMED),
            Some(end) => Line::Whole(self.buffer.drain(..=end).collect()),
            None if self.buffer.len() >= MAX_COMMAND => Line::Malformed(reply::LINE_TOO_LONG),
            None => Line::Incomplete,
        }
    }

    fn command(&mut self, line: &[u8]) {
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            Err(error) => return self.misunderstood(&error, line),
        };
        let dialect = self.terms.dialect;
        match request {
            Request::Ehlo { host } | Request::Helo { host } if dialect == Dialect::Lmtp => {
                drop(host);
                self.refuse(reply::UNKNOWN_COMMAND);
            }
            Request::Lhlo { .. } if dialect == Dialect::Smtp => self.refuse(reply::UNKNOWN_COMMAND),
            Request::Ehlo { host } | Request::Lhlo { host } => {
                self.greet(&host);
                let capabilities = self.terms.offers(self.is_encrypted);
                self.pending.push_back(Action::Send(capabilities));
            }
            Request::Helo { host } => {
                self.greet(&host);
                let line = format!("250 {}\r\n", self.terms.host_name);
                self.pending.push_back(Action::Send(line.into_bytes()));
            }
            Request::StartTls => self.start_tls(line),
            Request::Mail { from } => self.mail(from),
            Request::Rcpt { to } => self.rcpt(to),
            Request::Data => self.data(),
            // The length is read here once more: smtp-proto 0.2.5 takes 10^30 for 0, and what follows for commands.
            Request::Bdat { is_last, .. } => match chunk_length(line) {
                Some(octets) => self.bdat(octets, is_last),
                None => self.end(reply::SYNTAX),
            },
            Request::Rset => {
                self.abandon();
                self.say(reply::RESET);
            }
            Request::Noop { .. } => self.say(reply::NOTHING_DONE),
            Request::Quit => self.end(reply::BYE),
            Request::Help { .. } => self.say(reply::HELP),
            Request::Vrfy { .. } => self.refuse(reply::CANNOT_VERIFY),
            Request::Expn { .. }
            | Request::Auth { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. } => self.refuse(reply::NOT_OFFERED),
        }
    }

    fn misunderstood(&mut self, error: &Error, line: &[u8]) {
        let verb: Vec<u8> = line.iter().take(4).map(u8::to_ascii_uppercase).collect();
        // After a chunk whose length is unknown, its content would be taken for commands.
        if verb == b"BDAT" || verb == b"BURL" {
            return self.end(reply::SYNTAX);
        }
        self.refuse(match error {
            Error::UnknownCommand => reply::UNKNOWN_COMMAND,
            Error::InvalidSenderAddress => reply::BAD_SENDER,
            Error::InvalidRecipientAddress => reply::BAD_RECIPIENT,
            Error::UnsupportedParameter { .. } => reply::BAD_PARAMETER,
            Error::SyntaxError { .. }
            | Error::InvalidParameter { .. }
            | Error::NeedsMoreData { .. }
            | Error::ResponseTooLong
            | Error::InvalidResponse { .. } => reply::SYNTAX,
        });
    }

    fn greet(&mut self, host: &str) {
        self.abandon();
        self.hello = Some(host.to_owned());
    }

    fn start_tls(&mut self, line: &[u8]) {
        if line.len() != b"STARTTLS\r\n".len() {
            return self.refuse(reply::SYNTAX);
        }
        if self.is_encrypted || !self.terms.has_tls {
            return self.refuse(reply::TLS_UNAVAILABLE);
        }
        self.abandon();
        // Whatever was sent along in the clear must not be read as if it came over TLS (CVE-2011-0411).
        self.buffer.clear();
        self.state = State::Encrypting;
        self.say(reply::READY_FOR_TLS);
        self.pending.push_back(Action::StartTls);
    }

    fn mail(&mut self, from: MailFrom<Cow<'_, str>>) {
        let takes_utf8 = from.flags & MAIL_SMTPUTF8 != 0;
        let refusal = if self.hello.is_none() {
            Some(reply::HELLO_FIRST)
        } else if self.transaction.is_some() {
            Some(reply::BAD_SEQUENCE)
        } else if from.flags & (MAIL_BODY_BINARYMIME | MAIL_REQUIRETLS) != 0 {
            Some(reply::BAD_PARAMETER)
        } else if !from.address.is_ascii() && !takes_utf8 {
            Some(reply::NEEDS_SMTPUTF8)
        } else if from.size as u64 > self.terms.max_bytes {
            Some(reply::TOO_LARGE)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return self.refuse(refusal);
        }
        let sender = from.address.into_owned();
        self.transaction = Some(Transaction { sender, recipients: Vec::new(), takes_utf8, size: 0, chunks: None });
        self.say(reply::SENDER_OK);
    }

    fn rcpt(&mut self, to: RcptTo<Cow<'_, str>>) {
        let Some(transaction) = &self.transaction else { return self.refuse(reply::BAD_SEQUENCE) };
        if transaction.chunks.is_some() {
            return self.refuse(reply::BAD_SEQUENCE);
        }
        if !to.address.is_ascii() && !transaction.takes_utf8 {
            return self.refuse(reply::NEEDS_SMTPUTF8);
        }
        if transaction.recipients.len() >= MAX_RECIPIENTS {
            return self.refuse(reply::TOO_MANY_RECIPIENTS);
        }
        let address = to.address.into_owned();
        self.state = State::LookingUp(address.clone());
        self.pending.push_back(Action::Lookup(address));
    }

    /// The sender of the message in hand; empty for bounces and between messages.
    pub fn sender(&self) -> &str {
        self.transaction.as_ref().map_or("", |transaction| &transaction.sender)
    }

    /// The answer to [`Action::Lookup`].
    pub fn recipient(&mut self, answer: Answer) {
        let State::LookingUp(address) = std::mem::replace(&mut self.state, State::Commands) else { return };
        match (answer, &mut self.transaction) {
            (Answer::Known, Some(transaction)) => {
                transaction.recipients.push(address);
                self.say(reply::RECIPIENT_OK);
            }
            (Answer::Known, None) => self.refuse(reply::BAD_SEQUENCE),
            (Answer::Unknown, _) => self.refuse(reply::NO_SUCH_ADDRESS),
            (Answer::Foreign, _) => self.refuse(reply::NO_RELAY),
            (Answer::Unavailable, _) => self.say(reply::TRY_AGAIN),
            (Answer::Busy, _) => self.say(reply::TOO_MANY_MESSAGES),
        }
    }

    fn data(&mut self) {
        match &self.transaction {
            None => self.refuse(reply::BAD_SEQUENCE),
            Some(transaction) if transaction.chunks.is_some() => self.refuse(reply::BAD_SEQUENCE),
            Some(transaction) if transaction.recipients.is_empty() => self.refuse(reply::NO_RECIPIENT),
            Some(_) => {
                self.state = State::Receiving { content: Content::dotted(), refusal: None, chunk: None };
                self.say(reply::GO_AHEAD);
            }
        }
    }

    fn bdat(&mut self, octets: u64, is_last: bool) {
        // The octets follow whatever we answer; a client that announces more than we would ever throw away is done with.
        if octets > self.terms.max_bytes.saturating_mul(2) {
            return self.end(reply::TOO_LARGE);
        }
        let max_bytes = self.terms.max_bytes;
        let (mut content, refusal) = match &mut self.transaction {
            None => (Content::counted(), Some(reply::BAD_SEQUENCE)),
            Some(transaction) if transaction.recipients.is_empty() => (Content::counted(), Some(reply::NO_RECIPIENT)),
            Some(transaction) => {
                let content = transaction.chunks.take().unwrap_or_else(Content::counted);
                let is_over = transaction.size.saturating_add(octets) > max_bytes;
                (content, is_over.then_some(reply::TOO_LARGE))
            }
        };
        content.expect(octets);
        self.state = State::Receiving { content, refusal, chunk: Some(is_last) };
        if octets == 0 {
            self.content_ended();
        }
    }

    /// Takes content out of the buffer.
    fn receive(&mut self) {
        let State::Receiving { content, refusal, .. } = &mut self.state else { return };
        let mut out = Vec::new();
        let progress = content.take(&self.buffer, &mut out);
        let (taken, is_done) = match progress {
            Progress::Malformed => {
                self.abandon();
                return self.end(reply::MALFORMED);
            }
            Progress::More => (self.buffer.len(), false),
            Progress::Done(taken) => (taken, true),
        };
        self.buffer.drain(..taken);
        let size = self.transaction.as_mut().map_or(0, |transaction| {
            transaction.size = transaction.size.saturating_add(out.len() as u64);
            transaction.size
        });
        if size > self.terms.max_bytes && refusal.is_none() {
            *refusal = Some(reply::TOO_LARGE);
            self.pending.push_back(Action::Abandon);
        }
        let is_refused = refusal.is_some();
        if size > self.terms.max_bytes.saturating_mul(2) {
            return self.end(reply::TOO_LARGE);
        }
        if !out.is_empty() && !is_refused {
            self.pending.push_back(Action::Content(out));
        }
        if is_done {
            self.content_ended();
        }
    }

    fn content_ended(&mut self) {
        let State::Receiving { content, refusal, chunk } = std::mem::replace(&mut self.state, State::Commands) else {
            return;
        };
        if let Some(refusal) = refusal {
            self.abandon();
            return self.refuse(refusal);
        }
        if chunk == Some(false) {
            if let Some(transaction) = &mut self.transaction {
                transaction.chunks = Some(content);
            }
            return self.say(reply::CHUNK_OK);
        }
        if content.is_cut() {
            self.abandon();
            return self.end(reply::MALFORMED);
        }
        let Some(transaction) = self.transaction.take() else { return };
        self.state = State::Delivering;
        self.pending.push_back(Action::Deliver(Envelope {
            hello: self.hello.clone().unwrap_or_default(),
            sender: transaction.sender,
            recipients: transaction.recipients,
            is_encrypted: self.is_encrypted,
        }));
    }

    /// What became of the message of [`Action::Deliver`], for each recipient in order.
    pub fn delivered(&mut self, fates: &[Fate]) {
        if !matches!(self.state, State::Delivering) {
            return;
        }
        self.state = State::Commands;
        match self.terms.dialect {
            Dialect::Lmtp => {
                for fate in fates {
                    self.say(fate.reply());
                }
            }
            // One answer for all. When one recipient must be tried again, all are: those that have the message know it
            // by its content, and nothing is lost.
            Dialect::Smtp => self.say(fates.iter().max().map_or(reply::TRY_AGAIN, |fate| fate.reply())),
        }
    }

    /// The server is going away, or patience has run out.
    pub fn end_now(&mut self, why: End) {
        self.end(match why {
            End::Stopping => reply::STOPPING,
            End::TooSlow => reply::TOO_SLOW,
        });
    }

    /// Forgets the message in hand.
    fn abandon(&mut self) {
        if self.transaction.take().is_some() {
            self.pending.push_back(Action::Abandon);
        }
    }

    fn say(&mut self, reply: Reply) {
        self.pending.push_back(Action::Send(reply.line()));
    }

    /// Says no, and after too many times goodbye.
    fn refuse(&mut self, reply: Reply) {
        self.say(reply);
        self.errors += 1;
        if self.errors >= MAX_ERRORS {
            self.end(reply::TOO_MANY_ERRORS);
        }
    }

    fn end(&mut self, reply: Reply) {
        self.buffer = Vec::new();
        self.state = State::Closed;
        self.say(reply);
        self.pending.push_back(Action::Close);
    }
}

/// The length after `BDAT`, when it is one.
fn chunk_length(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let word = text.split_ascii_whitespace().nth(1)?;
    word.bytes().all(|octet| octet.is_ascii_digit()).then(|| word.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
