//! The headers of a mail as text: bytes of no stated charset, and encoded words (RFC 2047) of whatever charset, become UTF-8
//! by the same judgement as the text of the mail. The parser believes every label, and makes holes of bytes.

use std::{borrow::Cow, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mail_parser::decoders::base64::base64_decode;
use regex::{Captures, Regex};

use crate::reader::parse::charset;

/// Bytes in which the headers of a mail, and those of a part, must end to be looked at here.
pub(super) const MAX_HEAD: usize = 256 * 1024;

/// An encoded word: charset, perhaps a language (RFC 2231), packing, content.
static WORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z-]{0,20})?\?([BbQq])\?([^?\r\n]*)\?=").ok());

/// The mail with headers in UTF-8.
pub(super) fn with_legible_head(mail: &[u8]) -> Cow<'_, [u8]> {
    let near = &mail[..mail.len().min(MAX_HEAD)];
    let end =
        [&b"\n\n"[..], b"\n\r\n"].into_iter().filter_map(|end| near.windows(end.len()).position(|w| w == end)).min();
    let (head, rest) = mail.split_at(end.map_or(near.len(), |at| at + 1));
    if head.is_ascii() && !head.windows(2).any(|two| two == b"=?") {
        return Cow::Borrowed(mail);
    }
    Cow::Owned([legible(head).as_bytes(), rest].concat())
}

/// Header lines, or the value of one, in UTF-8; encoded words stay encoded, so that what they hold is no syntax.
pub(crate) fn legible(head: &[u8]) -> String {
    let head = charset::guess(head);
    let Some(word) = WORD.as_ref() else { return head };
    let mut out = String::with_capacity(head.len());
    let mut run: Option<Run<'_>> = None;
    let mut at = 0;
    for found in word.captures_iter(&head) {
        let (Some(whole), Some(next)) = (found.get(0), Run::of(&found)) else { continue };
        let between = &head[at..whole.start()];
        match &mut run {
            // Programs cut characters of two bytes in the middle and put the halves into two words.
            Some(run) if between.trim().is_empty() && run.label.eq_ignore_ascii_case(next.label) => {
                run.bytes.extend(next.bytes);
            }
            _ => {
                out.extend(run.take().map(Run::word));
                out.push_str(between);
                run = Some(next);
            }
        }
        at = whole.end();
    }
    out.extend(run.map(Run::word));
    out.push_str(&head[at..]);
    out
}

/// Encoded words of one charset directly after each other.
struct Run<'a> {
    label: &'a str,
    bytes: Vec<u8>,
}

impl<'a> Run<'a> {
    /// `None` when the content is not packed as it says: then it stays as it is.
    fn of(found: &Captures<'a>) -> Option<Self> {
        let (label, packing, content) = (found.get(1)?.as_str(), found.get(2)?.as_str(), found.get(3)?.as_str());
        let bytes = match packing {
            "B" | "b" => base64_decode(content.as_bytes())?,
            _ => unquoted(content)?,
        };
        Some(Self { label, bytes })
    }

    fn word(self) -> String {
        format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(charset::decode(&self.bytes, Some(self.label))))
    }
}

/// The `Q` packing: `_` is a blank, `=C4` a byte.
fn unquoted(content: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content.as_bytes();
    // Ends: each turn takes at least a byte.
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            b'_' => bytes.push(b' '),
            b'=' => {
                let (hex, after) = after.split_at_checked(2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
                rest = after;
            }
            other => bytes.push(*other),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use encoding_rs::GB18030;
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn subject(value: &str) -> String {
        let mail = with_legible_head(format!("Subject: {value}\r\n\r\nx").as_bytes()).into_owned();
        MessageParser::default().parse(&mail).unwrap().subject().unwrap_or_default().to_owned()
    }

    #[test]
    fn encoded_words_are_read_however_they_are_labelled_cut_or_packed() {
        let (gb, _, _) = GB18030.encode("发票 12.00");
        let packed = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        let quoted = gb.iter().fold(String::new(), |text, byte| text + "=" + &hex::encode_upper([*byte]));
        for (value, expected) in [
            (format!("=?gb2312?B?{}?=", packed(&gb)), "发票 12.00"),
            (format!("=?GB2312?Q?{quoted}?="), "发票 12.00"),
            (format!("=?utf-8?B?{}?=", packed(&gb)), "发票 12.00"),
            (format!("=?iso-8859-1?B?{}?=", packed("发票 12.00".as_bytes())), "发票 12.00"),
            (format!("=?gbk?B?{}?=\r\n =?gbk?B?{}?=", packed(&gb[..3]), packed(&gb[3..])), "发票 12.00"),
            (format!("Re: =?gb18030*zh?B?{}?= (2)", packed(&gb)), "Re: 发票 12.00 (2)"),
            ("=?iso-8859-1?Q?Caf=E9_Z=FCrich?=".to_owned(), "Café Zürich"),
            ("=?utf-8?Q?a?= =?iso-8859-1?Q?b?=".to_owned(), "ab"),
            ("what =? is =?x?Q?=ZZ?= not one".to_owned(), "what =? is =?x?Q?=ZZ?= not one"),
        ] {
            assert_eq!(subject(&value), expected, "{value}");
        }
    }

    #[test]
    fn what_an_encoded_word_holds_is_no_header() {
        let value = format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode("x\r\nFrom: ceo@corp.example\r\n\r\nbody"));
        let mail = format!("From: a@b.example\r\nSubject: {value}\r\n\r\nx");
        let legible = with_legible_head(mail.as_bytes());
        let message = MessageParser::default().parse(&*legible).unwrap();
        assert_eq!(message.from().unwrap().first().unwrap().address(), Some("a@b.example"));
        assert_eq!(message.body_text(0).unwrap(), "x");
    }

    proptest! {
        #[test]
        fn any_head_is_survived(head in prop::collection::vec(any::<u8>(), 0..300), words in "(=\\?(gbk|utf-8|x)\\?[BQ]\\?[A-Za-z0-9=_]{0,12}\\?= ?|\\PC){0,20}") {
            legible(&head);
            with_legible_head(words.as_bytes());
        }
    }
}
