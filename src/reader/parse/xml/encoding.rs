//! Which encoding an XML text is in: its byte order mark, else what its declaration says, else UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes in which the declaration must name the encoding.
const DECLARATION_BYTES: usize = 200;

/// The text; `None` when the bytes are not of the encoding they claim.
pub fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return strict(encoding, bytes.get(mark..)?);
    }
    match bytes {
        [0, b'<', ..] => return strict(UTF_16BE, bytes),
        [b'<', 0, ..] => return strict(UTF_16LE, bytes),
        _ => {}
    }
    match declared(bytes) {
        // A text whose declaration is legible in ASCII is not UTF-16, whatever it says: re-encoded by a gateway.
        Some(encoding) if encoding != UTF_16BE && encoding != UTF_16LE => strict(encoding, bytes),
        // Issuers leave the declaration out or forget to change it; what is no UTF-8 is then GB 18030, the superset of GBK.
        Some(_) | None => strict(UTF_8, bytes).or_else(|| strict(GB18030, bytes)),
    }
}

fn strict<'a>(encoding: &'static Encoding, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..bytes.len().min(DECLARATION_BYTES))?;
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(head.get(..end)?).ok()?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let name = after.get(1..)?.split(quote).next()?;
    Encoding::for_label(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<发票>壹佰元</发票>";

    #[test]
    fn one_text_reads_the_same_in_every_encoding() {
        let utf16 = |big: bool| -> Vec<u8> {
            let units = TEXT.encode_utf16();
            units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let named = |label: &str, encoding: &'static Encoding| {
            let text = format!("<?xml version=\"1.0\" encoding='{label}'?>{TEXT}");
            encoding.encode(&text).0.into_owned()
        };
        for (what, bytes) in [
            ("plain", TEXT.as_bytes().to_vec()),
            ("mark", [b"\xEF\xBB\xBF", TEXT.as_bytes()].concat()),
            ("big", [&[0xFE, 0xFF][..], &utf16(true)].concat()),
            ("little", [&[0xFF, 0xFE][..], &utf16(false)].concat()),
            ("big without mark", utf16(true)),
            ("little without mark", utf16(false)),
            ("GBK", named("GBK", GB18030)),
            ("gb2312", named("gb2312", GB18030)),
            ("UTF-16 that is UTF-8", named("UTF-16", UTF_8)),
            ("not declared", GB18030.encode(TEXT).0.into_owned()),
        ] {
            assert!(decode(&bytes).unwrap().ends_with(TEXT), "{what}");
        }
    }

    #[test]
    fn bytes_that_are_not_what_they_say_are_refused() {
        assert_eq!(decode(b"<?xml version='1.0' encoding='GBK'?><a>\xFF\xFF</a>"), None);
        assert_eq!(decode(b"\xEF\xBB\xBF<a>\xFF</a>"), None);
    }
}
