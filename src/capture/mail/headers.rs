//! The header block of a message, read flat: names, values, where the body begins. MIME structure is never walked here;
//! that happens in the sandboxed child.

use mail_parser::{Address, DateTime, HeaderValue, parsers::MessageStream};

use crate::{
    domain::{
        mail::Doubt,
        sha256::{Sha256, Sha256Stream},
        time::Timestamp,
    },
    reader::legible_header,
};

/// Bytes of a header block; the largest seen in practice (long ARC chains) are about a tenth of it.
const MAX_HEADER_BYTES: usize = 256 * 1024;
/// Header fields of a message.
const MAX_FIELDS: usize = 1_000;
/// `Received` fields after which mail is going round in circles (RFC 5321, section 6.3, asks for a large limit).
const MAX_HOPS: usize = 30;
/// Characters of a subject or address kept beside the message.
const MAX_TEXT_CHARS: usize = 300;

/// Fields that servers add on the way: two copies of one message differ in these and in nothing else.
const TRACE: [&str; 18] = [
    "received",
    "return-path",
    "delivered-to",
    "x-original-to",
    "x-delivered-to",
    "envelope-to",
    "delivery-date",
    "x-received",
    "received-spf",
    "authentication-results",
    "arc-authentication-results",
    "arc-message-signature",
    "arc-seal",
    "x-forwarded-to",
    "x-forwarded-for",
    "x-gm-message-state",
    "x-google-smtp-source",
    "x-envelope-from",
];

/// Our own notices carry this field, so that one that comes back is known.
pub const OWN_MARK: &str = "x-vouch-notice";

/// The header block is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the header block has more than {MAX_HEADER_BYTES} bytes or {MAX_FIELDS} fields")]
pub struct OverLimits;

/// A message cut into its header fields and the rest.
#[derive(Debug)]
pub struct Head<'a> {
    /// Each field: name as written, value with its folds.
    fields: Vec<(&'a [u8], &'a [u8])>,
    /// What follows the header block, the empty line included.
    rest: &'a [u8],
}

impl<'a> Head<'a> {
    /// Cuts `raw`. A line that is no field and no continuation ends the block, as other parsers have it.
    pub fn split(raw: &'a [u8]) -> Result<Self, OverLimits> {
        let mut fields = Vec::new();
        let mut at = 0;
        // Ends: every round takes at least one line.
        while at < raw.len() {
            if at > MAX_HEADER_BYTES || fields.len() > MAX_FIELDS {
                return Err(OverLimits);
            }
            let line = line_at(raw, at);
            if line.iter().all(|octet| matches!(octet, b'\r' | b'\n')) {
                break;
            }
            let Some(colon) = line.iter().position(|octet| *octet == b':') else {
                // An mbox separator in front is no field and no end.
                if at == 0 && line.starts_with(b"From ") {
                    at += line.len();
                    continue;
                }
                break;
            };
            let mut end = at + line.len();
            // Ends: every round takes a line.
            while raw.get(end).is_some_and(|octet| matches!(octet, b' ' | b'\t')) {
                end += line_at(raw, end).len();
                if end > MAX_HEADER_BYTES {
                    return Err(OverLimits);
                }
            }
            fields.push((line[..colon].trim_ascii(), &raw[at + colon + 1..end]));
            at = end;
        }
        Ok(Self { fields, rest: &raw[at..] })
    }

    /// Values of every field of this (lower-case) name.
    fn all(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
    }

    /// How often a field occurs.
    pub fn count(&self, name: &'a str) -> usize {
        self.all(name).count()
    }

    /// The value of a field as lower-case text without folds and comments that follow a semicolon.
    fn word(&self, name: &'a str) -> Option<String> {
        let value = String::from_utf8_lossy(self.all(name).next()?).trim().to_ascii_lowercase();
        Some(value.split([';', ' ', '(']).next().unwrap_or_default().trim().to_owned())
    }

    /// SHA-256 of the message without trace fields, line ends as `LF`, empty lines at the end left out.
    pub fn content_hash(&self) -> Sha256 {
        let mut hash = Sha256Stream::default();
        for (name, value) in &self.fields {
            let name = name.to_ascii_lowercase();
            if TRACE.iter().any(|trace| trace.as_bytes() == name) {
                continue;
            }
            hash.update(&name);
            hash.update(b":");
            feed_lines(&mut hash, value);
        }
        let end = self.rest.iter().rposition(|octet| !matches!(octet, b'\r' | b'\n')).map_or(0, |last| last + 1);
        hash.update(b"\n");
        feed_lines(&mut hash, &self.rest[..end]);
        hash.finish()
    }

    /// The addresses in `From`, lower-case. More than one field, or none, gives what is there.
    pub fn from(&self) -> Vec<String> {
        self.all("from").flat_map(|value| addresses(&MessageStream::new(&terminated(value)).parse_address())).collect()
    }

    /// Addresses it was sent to, as far as its header says: for mailboxes, where the envelope is gone.
    pub fn recipients(&self) -> Vec<String> {
        ["delivered-to", "x-original-to", "envelope-to", "x-forwarded-to", "to", "cc"]
            .into_iter()
            .flat_map(|name| self.all(name))
            .flat_map(|value| addresses(&MessageStream::new(&terminated(value)).parse_address()))
            .collect()
    }

    /// The subject, decoded as the reader decodes it.
    pub fn subject(&self) -> Option<String> {
        let value = terminated(legible_header(self.all("subject").next()?).as_bytes());
        text_of(&MessageStream::new(&value).parse_unstructured())
    }

    /// `Message-ID` without its brackets.
    pub fn message_id(&self) -> Option<String> {
        let value = terminated(self.all("message-id").next()?);
        text_of(&MessageStream::new(&value).parse_id())
    }

    /// `Date`.
    pub fn sent_at(&self) -> Option<Timestamp> {
        let value = terminated(self.all("date").next()?);
        let HeaderValue::DateTime(date) = MessageStream::new(&value).parse_date() else { return None };
        is_sane(&date).then(|| Timestamp::from_micros(date.to_timestamp().saturating_mul(1_000_000)))
    }

    /// Whether nobody wrote it to hand in a receipt, and it must stay quiet. `sender`: the envelope's, when known.
    ///
    /// Shops send receipts with `Auto-Submitted: auto-generated`, `Precedence: bulk` and `List-Unsubscribe`: none of
    /// these makes a message quiet. RFC 3834 gives `auto-replied` to answers.
    pub fn quiet(&self, sender: Option<&str>, is_own: impl Fn(&str) -> bool) -> Option<Doubt> {
        if self.is_looping() {
            return Some(Doubt::Loop);
        }
        if self.count(OWN_MARK) > 0 || self.from().iter().any(|address| is_own(address)) {
            return Some(Doubt::Own);
        }
        let content_type = self.word("content-type").unwrap_or_default();
        let from = self.from();
        let is_daemon = from.iter().any(|address| {
            let local = address.split('@').next().unwrap_or_default();
            matches!(local, "mailer-daemon" | "postmaster" | "mail-daemon")
        });
        let is_null = sender == Some("") || self.word("return-path").as_deref() == Some("<>");
        if content_type == "multipart/report" || is_daemon && is_null || self.count("x-failed-recipients") > 0 {
            return Some(Doubt::Bounce);
        }
        let auto_submitted = self.word("auto-submitted").unwrap_or_default();
        let precedence = self.word("precedence").unwrap_or_default();
        if matches!(auto_submitted.as_str(), "auto-replied" | "auto-notified")
            || precedence == "auto_reply"
            || ["x-autoreply", "x-autorespond", "x-auto-response-from"].iter().any(|name| self.count(name) > 0)
        {
            return Some(Doubt::AutoReply);
        }
        if self.count("list-post") > 0 && self.count("list-id") > 0 || precedence == "list" {
            return Some(Doubt::List);
        }
        None
    }

    /// Whether it went through too many servers.
    pub fn is_looping(&self) -> bool {
        self.count("received") > MAX_HOPS
    }
}

/// The line that starts at `at`, with its end.
fn line_at(raw: &[u8], at: usize) -> &[u8] {
    let rest = &raw[at..];
    let end = rest.iter().position(|octet| *octet == b'\n').map_or(rest.len(), |end| end + 1);
    &rest[..end]
}

/// Feeds text with each `CRLF` as `LF`.
fn feed_lines(hash: &mut Sha256Stream, text: &[u8]) {
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        match line {
            [start @ .., b'\r', b'\n'] => {
                hash.update(start);
                hash.update(b"\n");
            }
            other => hash.update(other),
        }
    }
}

/// The field parsers read up to a line end.
fn terminated(value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if !value.ends_with(b"\n") {
        value.extend_from_slice(b"\r\n");
    }
    value
}

fn addresses(value: &HeaderValue<'_>) -> Vec<String> {
    let HeaderValue::Address(address) = value else { return Vec::new() };
    let groups: Vec<&mail_parser::Addr<'_>> = match address {
        Address::List(list) => list.iter().collect(),
        Address::Group(groups) => groups.iter().flat_map(|group| &group.addresses).collect(),
    };
    groups
        .into_iter()
        .filter_map(|addr| addr.address.as_deref())
        .map(|address| address.trim().to_lowercase().chars().take(MAX_TEXT_CHARS).collect())
        .collect()
}

fn text_of(value: &HeaderValue<'_>) -> Option<String> {
    let text = match value {
        HeaderValue::Text(text) => text.as_ref(),
        HeaderValue::TextList(list) => list.first()?.as_ref(),
        _ => return None,
    };
    let clean: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect();
    let clean = clean.trim().to_owned();
    (!clean.is_empty()).then_some(clean)
}

/// A date that exists, in a year people send mail in.
fn is_sane(date: &DateTime) -> bool {
    date.is_valid() && (1980..=2200).contains(&date.year)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(raw: &str) -> Head<'_> {
        Head::split(raw.as_bytes()).unwrap()
    }

    #[test]
    fn copies_of_a_message_have_one_hash_whichever_way_they_took() {
        let sent = "From: a@shop.example\r\nSubject: Receipt\r\n\r\nTotal 12.00\r\n";
        for copy in [
            "From: a@shop.example\nSubject: Receipt\n\nTotal 12.00\n".to_owned(),
            format!("Received: from x by y;\r\n Mon, 1 Jan 2026\r\nReturn-Path: <a@shop.example>\r\n{sent}"),
            format!("Delivered-To: r-x@in.example\r\n{sent}\r\n\r\n"),
        ] {
            assert_eq!(head(&copy).content_hash(), head(sent).content_hash(), "{copy}");
        }
        for other in [
            "From: b@shop.example\r\nSubject: Receipt\r\n\r\nTotal 12.00\r\n",
            "From: a@shop.example\r\nSubject: Receipt\r\n\r\nTotal 13.00\r\n",
        ] {
            assert_ne!(head(other).content_hash(), head(sent).content_hash());
        }
    }

    #[test]
    fn what_nobody_wrote_is_quiet_and_a_shop_receipt_is_not() {
        for (fields, sender, expected) in [
            ("From: MAILER-DAEMON@mx.example\r\n", Some(""), Some(Doubt::Bounce)),
            (
                "Content-Type: multipart/report; report-type=delivery-status\r\n",
                Some("x@y.example"),
                Some(Doubt::Bounce),
            ),
            ("Auto-Submitted: auto-replied (vacation)\r\n", Some("x@y.example"), Some(Doubt::AutoReply)),
            ("Precedence: auto_reply\r\n", None, Some(Doubt::AutoReply)),
            ("List-Id: <talk.example>\r\nList-Post: <mailto:talk@example>\r\n", None, Some(Doubt::List)),
            ("X-Vouch-Notice: 1\r\n", None, Some(Doubt::Own)),
            ("From: r-abc@in.example\r\n", None, Some(Doubt::Own)),
            (
                "From: Shop <receipts@shop.example>\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk\r\nList-Unsubscribe: <https://x>\r\n",
                Some("bounce-1@shop.example"),
                None,
            ),
        ] {
            let raw = format!("{fields}\r\nbody\r\n");
            assert_eq!(head(&raw).quiet(sender, |a| a.ends_with("@in.example")), expected, "{fields}");
        }
        let round = format!("{}From: a@b.example\r\n\r\n", "Received: from a by b\r\n".repeat(31));
        assert_eq!(head(&round).quiet(None, |_| false), Some(Doubt::Loop));
    }

    #[test]
    fn fields_are_read_decoded_and_cut() {
        let raw = "From: =?utf-8?B?5byg5LiJ?= <Zhang@Corp.example>,\r\n b@corp.example\r\nSubject: =?gb2312?B?t6LGsQ==?=\r\nMessage-ID: <1@corp.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0800\r\nTo: Me <r-x@in.example>\r\n\r\n";
        let head = head(raw);
        assert_eq!(head.from(), ["zhang@corp.example", "b@corp.example"]);
        assert_eq!(head.subject().as_deref(), Some("发票"));
        assert_eq!(head.message_id().as_deref(), Some("1@corp.example"));
        assert_eq!(head.sent_at(), Some(Timestamp::from_micros(1_795_399_200_000_000)));
        assert_eq!(head.recipients(), ["r-x@in.example"]);
        for encoding in [encoding_rs::GB18030, encoding_rs::UTF_8] {
            let (raw, _, _) = encoding.encode("Subject: 住宿发票\r\n\r\n");
            let said = Head::split(&raw).unwrap().subject();
            assert_eq!(said.as_deref(), Some("住宿发票"), "without a label, in {}", encoding.name());
        }
    }

    #[test]
    fn a_header_block_without_end_is_refused_and_not_swallowed() {
        let many = "A: b\r\n".repeat(2_000);
        assert_eq!(Head::split(many.as_bytes()).unwrap_err(), OverLimits);
        let long = format!("A: {}\r\n", " b\r\n".repeat(100_000));
        assert_eq!(Head::split(long.as_bytes()).unwrap_err(), OverLimits);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(raw in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            if let Ok(head) = Head::split(&raw) {
                let _ = (head.content_hash(), head.from(), head.subject(), head.message_id(), head.sent_at(),
                    head.recipients(), head.quiet(None, |_| false));
            }
        }
    }
}
