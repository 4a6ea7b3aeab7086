//! Names of attachments written as RFC 2231 has it (`filename*=gb2312''%B7%A2…`): their bytes are judged like all others,
//! whatever charset the label claims.

use std::{borrow::Cow, fmt::Write as _, sync::LazyLock};

use regex::Regex;

use crate::reader::parse::charset;

/// Pieces of one name.
const MAX_PIECES: usize = 50;

/// A name in one piece, or the first piece of one: parameter, charset, language, packed bytes.
static FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)\b((?:file)?name)\*(0\*)?[ \t]*=[ \t]*"?([A-Za-z0-9_.:-]{0,40})'[A-Za-z-]{0,20}'([^;\s"]*)"?"#)
        .ok()
});
/// A further piece: parameter, number, packed bytes or plain ones.
static NEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?i)^;\s*((?:file)?name)\*(\d{1,3})(\*?)[ \t]*=[ \t]*(?:"([^"]*)"|([^;\s"]*))"#).ok()
});

/// The headers with such names in UTF-8, each in one piece.
pub(super) fn legible(head: &str) -> Cow<'_, str> {
    let (Some(first), Some(next)) = (FIRST.as_ref(), NEXT.as_ref()) else { return Cow::Borrowed(head) };
    let mut out = String::new();
    let mut at = 0;
    // Ends: each turn moves past what was found.
    while let Some(found) = first.captures_at(head, at) {
        let (Some(whole), Some(name), Some(label), Some(packed)) =
            (found.get(0), found.get(1), found.get(3), found.get(4))
        else {
            break;
        };
        let mut bytes = unpacked(packed.as_str());
        let mut end = whole.end();
        for number in 1..=MAX_PIECES {
            let is_continued = found.get(2).is_some();
            let Some(piece) = head.get(end..).filter(|_| is_continued).and_then(|rest| next.captures(rest)) else {
                break;
            };
            let text = |group: usize| piece.get(group).map_or("", |m| m.as_str());
            if !text(1).eq_ignore_ascii_case(name.as_str()) || text(2).parse() != Ok(number) {
                break;
            }
            let said = if text(4).is_empty() { text(5) } else { text(4) };
            bytes.extend(if text(3).is_empty() { said.as_bytes().to_vec() } else { unpacked(said) });
            end += piece.get(0).map_or(0, |m| m.len());
        }
        out.push_str(head.get(at..whole.start()).unwrap_or_default());
        let _ = write!(out, "{}*=utf-8''", name.as_str());
        for byte in charset::decode(&bytes, Some(label.as_str())).bytes() {
            let _ = write!(out, "%{byte:02X}");
        }
        at = end;
    }
    if at == 0 {
        return Cow::Borrowed(head);
    }
    out.push_str(head.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

/// Bytes written as `%B7`; a sign that leads to none stays.
fn unpacked(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    // Ends: each turn takes at least a byte.
    while let [first, after @ ..] = rest {
        rest = after;
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use encoding_rs::GB18030;
    use mail_parser::{MessageParser, MimeHeaders as _};
    use proptest::prelude::*;

    use super::*;

    fn name(head: &str) -> String {
        let head = format!("Content-Type: application/pdf\r\nContent-Disposition: attachment; {head}\r\n\r\n");
        let legible = legible(&head);
        let message = MessageParser::default().parse_headers(legible.as_bytes()).unwrap();
        message.parts[0].attachment_name().unwrap_or_default().to_owned()
    }

    fn packed(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"))
    }

    #[test]
    fn names_are_read_whatever_charset_their_label_claims_and_however_they_are_cut() {
        let gb = GB18030.encode("电子发票.pdf").0;
        for label in ["gb2312", "UTF-8", "iso-8859-1", ""] {
            assert_eq!(name(&format!("filename*={label}''{}", packed(&gb))), "电子发票.pdf", "{label}");
            // Cut in the middle of a character.
            let pieces = format!(
                "filename*0*={label}''{};\r\n filename*1*={};\r\n filename*2=\"df\"",
                packed(&gb[..3]),
                packed(&gb[3..gb.len() - 2])
            );
            assert_eq!(name(&pieces), "电子发票.pdf", "{label} in pieces");
        }
        assert_eq!(name("filename*=utf-8'en'caf%C3%A9%20%3B%22.pdf; size=7"), "café ;\".pdf");
        assert_eq!(name("filename=plain.pdf"), "plain.pdf");
        // A piece that is not packed says what it says, and one of another number is none.
        assert_eq!(name("filename*0*=utf-8''caf%C3%A9;\r\n filename*1=\" 5%20.pdf\""), "café 5%20.pdf");
        assert_eq!(
            legible("filename*0*=utf-8''caf%C3%A9;\r\n filename*7*=%2Epdf"),
            "filename*=utf-8''%63%61%66%C3%A9;\r\n filename*7*=%2Epdf"
        );
    }

    proptest! {
        #[test]
        fn any_head_is_survived(head in "((file)?name\\*[0-9]{0,2}\\*?=|utf-8''|%[0-9A-F]{0,2}|;|\"|\\PC){0,40}") {
            legible(&head);
        }
    }
}
