//! The mail inside an opaque S/MIME signature (`smime.p7m`; RFC 8551, RFC 5652): programs of companies wrap whole mails so.
//!
//! Only taken out, never believed: whether the signature holds is not asked here. What is encrypted stays closed.

/// Elements inside each other.
const MAX_DEPTH: u32 = 24;
/// Object identifier of signed data, 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2];

const OCTETS: u8 = 0x04;
const OCTETS_IN_PIECES: u8 = 0x24;
const IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const EXPLICIT: u8 = 0xA0;

/// The signed content; `None` when the bytes are something else, or hold only a signature.
pub(super) fn signed_content(bytes: &[u8]) -> Option<Vec<u8>> {
    let (info, _) = tagged(bytes, SEQUENCE)?;
    let (identifier, rest) = tagged(info, IDENTIFIER)?;
    if identifier != SIGNED_DATA {
        return None;
    }
    let (signed, _) = tagged(tagged(rest, EXPLICIT)?.0, SEQUENCE)?;
    // Version and digest algorithms.
    let rest = element(signed, 0)?.rest;
    let rest = element(rest, 0)?.rest;
    let (content, _) = tagged(rest, SEQUENCE)?;
    let (_, rest) = tagged(content, IDENTIFIER)?;
    let (explicit, _) = tagged(rest, EXPLICIT)?;
    let mut out = Vec::new();
    octets(&element(explicit, 0)?, 0, &mut out)?;
    (!out.is_empty()).then_some(out)
}

/// The bytes of a string, put together when it came in pieces.
fn octets(string: &Element<'_>, depth: u32, out: &mut Vec<u8>) -> Option<()> {
    match string.tag {
        OCTETS => out.extend(string.content),
        OCTETS_IN_PIECES if depth < MAX_DEPTH => {
            let mut rest = string.content;
            // Ends: each turn takes at least the two bytes of an element.
            while !rest.is_empty() {
                let piece = element(rest, depth)?;
                octets(&piece, depth + 1, out)?;
                rest = piece.rest;
            }
        }
        _ => return None,
    }
    Some(())
}

struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

fn tagged(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let found = element(bytes, 0)?;
    (found.tag == tag).then_some((found.content, found.rest))
}

/// The element at the beginning, with a length before it or a mark after it (BER).
fn element(bytes: &[u8], depth: u32) -> Option<Element<'_>> {
    let [tag, length, body @ ..] = bytes else { return None };
    let tag = *tag;
    // Tags of several bytes occur nowhere on the way.
    if tag & 0x1F == 0x1F || depth > MAX_DEPTH {
        return None;
    }
    let (length, body) = match *length {
        short @ 0..=0x7F => (usize::from(short), body),
        0x80 => return until_mark(tag, body, depth),
        long @ 0x81..=0x84 => {
            let (digits, body) = body.split_at_checked(usize::from(long & 0x7F))?;
            (digits.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)), body)
        }
        _ => return None,
    };
    let (content, rest) = body.split_at_checked(length)?;
    Some(Element { tag, content, rest })
}

fn until_mark(tag: u8, body: &[u8], depth: u32) -> Option<Element<'_>> {
    let mut rest = body;
    // Ends: each turn takes at least the two bytes of an element.
    while !rest.starts_with(&[0, 0]) {
        rest = element(rest, depth + 1)?.rest;
    }
    Some(Element { tag, content: &body[..body.len() - rest.len()], rest: &rest[2..] })
}

#[cfg(test)]
pub(super) mod tests_support {
    use super::*;

    /// With its length in as many bytes as it takes.
    fn definite(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
        let head = match digits {
            [] => vec![tag, 0],
            [short @ 0..=0x7F] => vec![tag, *short],
            _ => [&[tag, 0x80 | digits.len() as u8][..], digits].concat(),
        };
        [&head, content].concat()
    }

    fn marked(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, 0x80][..], content, &[0, 0]].concat()
    }

    /// Signed data around `content`, without signers: with lengths, or in pieces with marks as programs stream it.
    pub(in super::super) fn signed(content: &[u8], is_streamed: bool) -> Vec<u8> {
        let wrap = if is_streamed { marked } else { definite };
        let string = if is_streamed {
            let pieces: Vec<u8> = content.chunks(7).flat_map(|piece| definite(OCTETS, piece)).collect();
            marked(OCTETS_IN_PIECES, &pieces)
        } else {
            definite(OCTETS, content)
        };
        let identifier = |last: u8| definite(IDENTIFIER, &[&SIGNED_DATA[..8], &[last]].concat());
        let inner = wrap(SEQUENCE, &[identifier(1), wrap(EXPLICIT, &string)].concat());
        let data = [definite(0x02, &[1]), definite(0x31, &[]), inner, definite(0x31, &[])].concat();
        wrap(SEQUENCE, &[identifier(2), wrap(EXPLICIT, &wrap(SEQUENCE, &data))].concat())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{tests_support::signed, *};

    #[test]
    fn nothing_comes_out_of_what_is_no_signed_data() {
        for bytes in [
            &b""[..],
            b"\x30\x80",
            b"\x30\x84\xFF\xFF\xFF\xFF",
            b"Content-Type: text/plain",
            // Deep enough to end the process, were nobody counting.
            &[0x30, 0x80].repeat(1_000_000),
        ] {
            assert_eq!(signed_content(bytes), None);
        }
        assert_eq!(signed_content(&signed(b"", false)), None, "only a signature");
        let mut enveloped = signed(b"Total 4.50", false);
        assert_eq!(signed_content(&enveloped).as_deref(), Some(&b"Total 4.50"[..]));
        let at = enveloped.windows(9).position(|window| window == SIGNED_DATA).unwrap();
        enveloped[at + 8] = 3;
        assert_eq!(signed_content(&enveloped), None, "encrypted");
    }

    proptest! {
        #[test]
        fn what_was_signed_comes_out(content in prop::collection::vec(any::<u8>(), 1..70_000), is_streamed: bool) {
            prop_assert_eq!(signed_content(&signed(&content, is_streamed)), Some(content));
        }

        #[test]
        fn any_damage_is_survived(at: usize, byte: u8, cut: usize, is_streamed: bool) {
            let mut bytes = signed(b"Content-Type: text/plain\r\n\r\nTotal 4.50", is_streamed);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            let _ = signed_content(&bytes);
        }
    }
}
