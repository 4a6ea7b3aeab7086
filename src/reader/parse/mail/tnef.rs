//! `winmail.dat`: the wrapper Outlook puts around attachments and rich text (MS-OXTNEF).

use super::{
    lzfu,
    rtf::{self, Written},
};

/// The signature, little endian.
const SIGNATURE: [u8; 4] = [0x78, 0x9F, 0x3E, 0x22];
/// Attributes of one file, attachments, and properties of one list.
const MAX_ATTRIBUTES: usize = 5_000;
const MAX_ATTACHMENTS: usize = 100;
const MAX_PROPERTIES: usize = 2_000;

/// Attribute ids (MS-OXTNEF 2.1.3.1): begin of an attachment, its bytes, title, and property lists.
const ATTACH_BEGIN: u32 = 0x0006_9002;
const ATTACH_DATA: u32 = 0x0006_800F;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_PROPERTIES: u32 = 0x0006_9005;
const MESSAGE_PROPERTIES: u32 = 0x0006_9003;
/// The text of the mail, where it is no property.
const MESSAGE_TEXT: u32 = 0x0002_800C;

/// MAPI properties (MS-OXPROPS): the long file name, the type, and the bodies: HTML, compressed rich text, text.
const LONG_FILENAME: u16 = 0x3707;
const MIME_TAG: u16 = 0x370E;
const HTML_BODY: u16 = 0x1013;
const RICH_BODY: u16 = 0x1009;
const TEXT_BODY: u16 = 0x1000;

/// An attachment inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its declared type.
    pub kind: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What was inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// The attachments.
    pub attachments: Vec<Attachment>,
    /// The HTML body, when there is one.
    pub html: Option<Vec<u8>>,
    /// The body as compressed rich text.
    pub rich: Option<Vec<u8>>,
    /// The body as text.
    pub text: Option<String>,
}

impl Contents {
    /// The body as rich text, unpacked.
    pub fn rich_text(&self) -> Option<Vec<u8>> {
        lzfu::unpack(self.rich.as_ref()?)
    }

    /// The body of a mail that has none outside of the wrapper: its type and what it says, the richest first.
    pub fn body(&self) -> Option<(&'static str, Vec<u8>)> {
        let (plain, html) = ("text/plain", "text/html");
        let rich = || match rtf::read(&self.rich_text()?)? {
            Written::Html(text) => Some((html, text.into_bytes())),
            Written::Plain(text) => Some((plain, text.into_bytes())),
        };
        let says_something = |(_, body): &(&str, Vec<u8>)| !body.trim_ascii().is_empty();
        let first = self.html.clone().map(|body| (html, body)).filter(says_something);
        let first = first.or_else(|| rich().filter(says_something));
        first.or_else(|| Some((plain, self.text.clone()?.into_bytes())).filter(says_something))
    }
}

/// Takes the wrapper apart; `None` when it is none. What is cut off or broken ends it, and what came before counts.
pub fn unwrap(bytes: &[u8]) -> Option<Contents> {
    let mut rest = bytes.strip_prefix(&SIGNATURE)?.get(2..)?;
    let mut contents = Contents::default();
    for _ in 0..MAX_ATTRIBUTES {
        let Some((id, data, after)) = attribute(rest) else { break };
        rest = after;
        match id {
            ATTACH_BEGIN if contents.attachments.len() < MAX_ATTACHMENTS => {
                contents.attachments.push(Attachment::default());
            }
            MESSAGE_PROPERTIES => {
                for property in properties(data) {
                    match property.id {
                        HTML_BODY => contents.html = Some(property.bytes.to_vec()),
                        RICH_BODY => contents.rich = Some(property.bytes.to_vec()),
                        TEXT_BODY => contents.text = Some(property.text()),
                        _ => {}
                    }
                }
            }
            MESSAGE_TEXT if contents.text.is_none() => contents.text = Some(narrow(data)),
            _ => {
                if let Some(attachment) = contents.attachments.last_mut() {
                    fill(attachment, id, data);
                }
            }
        }
    }
    contents.attachments.retain(|attachment| !attachment.bytes.is_empty());
    Some(contents)
}

fn fill(attachment: &mut Attachment, id: u32, data: &[u8]) {
    match id {
        ATTACH_DATA => attachment.bytes = data.to_vec(),
        ATTACH_TITLE if attachment.name.is_empty() => attachment.name = narrow(data),
        ATTACH_PROPERTIES => {
            for property in properties(data) {
                match property.id {
                    LONG_FILENAME => attachment.name = property.text(),
                    MIME_TAG => attachment.kind = property.text(),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Level (1 byte), id, length, data, checksum (2 bytes).
fn attribute(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let id = u32_at(bytes, 1)?;
    let length = u32_at(bytes, 5)? as usize;
    let data = bytes.get(9..9_usize.checked_add(length)?)?;
    Some((id, data, bytes.get(9 + length + 2..)?))
}

struct Property<'a> {
    id: u16,
    is_wide: bool,
    bytes: &'a [u8],
}

impl Property<'_> {
    fn text(&self) -> String {
        if !self.is_wide {
            return narrow(self.bytes);
        }
        let units: Vec<u16> = self.bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned()
    }
}

/// Text in the sender's own charset, ended by a zero.
fn narrow(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    super::super::charset::guess(&bytes[..end])
}

/// The properties of a list whose values have a variable length; the others are passed over (MS-OXTNEF 2.1.3.4).
fn properties(data: &[u8]) -> Vec<Property<'_>> {
    let mut found = Vec::new();
    let count = u32_at(data, 0).unwrap_or(0) as usize;
    let mut at = 4;
    for _ in 0..count.min(MAX_PROPERTIES) {
        let Some(next) = property(data, at, &mut found) else { break };
        at = next;
    }
    found
}

fn property<'a>(data: &'a [u8], at: usize, found: &mut Vec<Property<'a>>) -> Option<usize> {
    let kind = u16_at(data, at)?;
    let id = u16_at(data, at + 2)?;
    let mut at = at + 4;
    if id >= 0x8000 {
        // A named property: GUID, then a number or a name.
        let is_name = u32_at(data, at + 16)? == 1;
        at += 20;
        at = if is_name { padded(at + 4, u32_at(data, at)? as usize)? } else { at + 4 };
    }
    let is_many = kind & 0x1000 != 0;
    let fixed = match kind & 0x0FFF {
        0x0002 | 0x0003 | 0x0004 | 0x000A | 0x000B => Some(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        0x000D | 0x001E | 0x001F | 0x0102 => None,
        _ => return None,
    };
    if let Some(size) = fixed {
        let times = if is_many { u32_at(data, at)? as usize } else { 1 };
        let start = if is_many { at + 4 } else { at };
        return start.checked_add(times.checked_mul(size)?).filter(|end| *end <= data.len());
    }
    let values = u32_at(data, at)? as usize;
    at += 4;
    for _ in 0..values.min(MAX_PROPERTIES) {
        let length = u32_at(data, at)? as usize;
        let bytes = data.get(at + 4..(at + 4).checked_add(length)?)?;
        found.push(Property { id, is_wide: kind & 0x0FFF == 0x001F, bytes });
        at = padded(at + 4, length)?;
    }
    Some(at)
}

/// The place after `length` bytes from `at`, padded to four.
fn padded(at: usize, length: usize) -> Option<usize> {
    at.checked_add(length.checked_add(3)? & !3)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
pub mod tests_support {
    use super::*;

    fn attribute_of(id: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[2][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    }

    /// A wrapper with one attachment, its long name in MAPI properties.
    pub fn wrapper(name: &str, bytes: &[u8]) -> Vec<u8> {
        let wide: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        let mut properties = 2_u32.to_le_bytes().to_vec();
        properties.extend([0x03, 0x00, 0x05, 0x37, 1, 0, 0, 0]);
        properties.extend([0x1F, 0x00, 0x07, 0x37, 1, 0, 0, 0]);
        properties.extend(u32::try_from(wide.len()).unwrap().to_le_bytes());
        properties.extend(&wide);
        properties.extend(std::iter::repeat_n(0, wide.len().next_multiple_of(4) - wide.len()));
        [
            &SIGNATURE[..],
            &[1, 0],
            &attribute_of(ATTACH_BEGIN, &[0; 14]),
            &attribute_of(ATTACH_TITLE, b"RECEIP~1.PDF\0"),
            &attribute_of(ATTACH_DATA, bytes),
            &attribute_of(ATTACH_PROPERTIES, &properties),
        ]
        .concat()
    }

    /// A wrapper with nothing but a body in compressed rich text.
    pub fn rich(rtf: &[u8]) -> Vec<u8> {
        let packed = lzfu::tests_support::packed(rtf);
        let mut properties = 1_u32.to_le_bytes().to_vec();
        properties.extend([0x02, 0x01, 0x09, 0x10, 1, 0, 0, 0]);
        properties.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        properties.extend(&packed);
        properties.extend(std::iter::repeat_n(0, packed.len().next_multiple_of(4) - packed.len()));
        [&SIGNATURE[..], &[1, 0], &attribute_of(MESSAGE_PROPERTIES, &properties)].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        tests_support::{rich, wrapper},
        *,
    };

    #[test]
    fn an_attachment_comes_out_under_its_long_name() {
        let contents = unwrap(&wrapper("发票 receipt.pdf", b"%PDF-1.4 x")).unwrap();
        assert_eq!(contents.attachments.len(), 1);
        assert_eq!(contents.attachments[0].name, "发票 receipt.pdf");
        assert_eq!(contents.attachments[0].bytes, b"%PDF-1.4 x");
        assert_eq!(unwrap(b"%PDF-1.4"), None);
    }

    #[test]
    fn a_body_of_rich_text_comes_out_as_what_it_was_made_from() {
        let body = |rtf: &[u8]| unwrap(&rich(rtf)).unwrap().body();
        assert_eq!(body(b"{\\rtf1\\ansi Total\\tab 12.80}"), Some(("text/plain", b"Total\t12.80".to_vec())));
        let html = b"{\\rtf1\\ansi\\fromhtml1 {\\*\\htmltag64 <p>}Total 12.80}";
        assert_eq!(body(html), Some(("text/html", b"<p>Total 12.80".to_vec())));
        assert_eq!(body(b"{\\rtf1\\ansi \\par }"), None);
    }

    proptest! {
        #[test]
        fn any_damage_is_survived(at in 6_usize..200, byte: u8, cut in 0_usize..200) {
            let mut bytes = wrapper("a.pdf", b"%PDF-1.4 abcdefgh");
            let end = bytes.len();
            bytes[at % end] = byte;
            bytes.truncate(end - cut % end);
            let _ = unwrap(&bytes);
        }
    }
}
