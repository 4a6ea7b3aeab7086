//! Bytes to text when the label is missing or lies, as it often does on receipts.

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, WINDOWS_1252};

/// Bytes the detector looks at; it needs a few dozen high bytes.
const MAX_DETECTED: usize = 64 * 1024;

/// Decodes text whose charset was declared as `label`, or not at all.
///
/// A byte order mark wins. Then: what is valid UTF-8 beyond ASCII is UTF-8 whatever the label says (nobody's Latin-1 is, and
/// many a UTF-8 mail is labelled so); a label whose decoding fails is not believed; `gb2312` means GB18030.
pub fn decode(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[length..]).0.into_owned();
    }
    let declared = label.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if let Ok(text) = std::str::from_utf8(bytes)
        && declared.is_none_or(|encoding| !is_stateful(encoding))
        && !(bytes.is_ascii() && bytes.contains(&0x1B))
    {
        return text.to_owned();
    }
    match declared {
        // Latin-1 decodes anything, so its label proves nothing: the detector may know better.
        Some(encoding) if encoding == WINDOWS_1252 => guess(bytes),
        Some(encoding) => {
            let encoding = if encoding == GBK { GB18030 } else { encoding };
            match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
                Some(text) => text.into_owned(),
                // A few broken bytes in an honest text are likelier than a wrong label, unless the label is UTF-8.
                None if encoding == UTF_8 => guess(bytes),
                None => fewer_errors(bytes, encoding),
            }
        }
        None => guess(bytes),
    }
}

/// Decodes text of which nothing is known.
pub fn guess(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !bytes.contains(&0x1B)
    {
        return text.to_owned();
    }
    let encoding = if is_short_chinese(bytes) { GB18030 } else { detect(bytes) };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// High bytes below which the detector cannot tell the double-byte charsets of East Asia apart: file names, a line or two.
const FEW_HIGH_BYTES: usize = 48;

/// Few high bytes, all in pairs of GB 2312's range. EUC-KR looks the same; such short texts in it are rarer here.
fn is_short_chinese(bytes: &[u8]) -> bool {
    let high = bytes.iter().filter(|b| **b >= 0x80).count();
    let in_pairs = bytes.split(|b| *b < 0x80).all(|run| run.len() % 2 == 0);
    let in_range = bytes.iter().filter(|b| **b >= 0x80).all(|b| (0xA1..=0xFE).contains(b));
    (2..FEW_HIGH_BYTES).contains(&high) && in_pairs && in_range
}

fn detect(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new();
    detector.feed(&bytes[..bytes.len().min(MAX_DETECTED)], true);
    let found = detector.guess(None, true);
    if found == GBK { GB18030 } else { found }
}

/// The declared charset or the detected one, whichever leaves fewer holes.
fn fewer_errors(bytes: &[u8], declared: &'static Encoding) -> String {
    let holes = |text: &str| text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let one = declared.decode_without_bom_handling(bytes).0;
    let two = guess(bytes);
    if holes(&one) <= holes(&two) { one.into_owned() } else { two }
}

/// ISO-2022-JP is ASCII by its bytes.
fn is_stateful(encoding: &'static Encoding) -> bool {
    encoding == encoding_rs::ISO_2022_JP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_believed_only_as_far_as_the_bytes_agree() {
        let chinese = "增值税电子普通发票 合计金额 壹佰贰拾元整 开票日期";
        let (gb, _, _) = GB18030.encode(chinese);
        for label in [Some("gb2312"), Some("gbk"), Some("GB18030"), Some("utf-8"), Some("iso-8859-1"), None] {
            assert_eq!(decode(&gb, label), chinese, "{label:?}");
        }
        for label in [Some("utf-8"), Some("iso-8859-1"), Some("us-ascii"), Some("gb2312"), None] {
            assert_eq!(decode(chinese.as_bytes(), label), chinese, "UTF-8 labelled {label:?}");
        }
        let japanese = "領収書 合計 1,200円";
        let (jis, _, _) = encoding_rs::ISO_2022_JP.encode(japanese);
        for label in [Some("iso-2022-jp"), None] {
            assert_eq!(decode(&jis, label), japanese, "{label:?}");
        }
        let (latin, _, _) = WINDOWS_1252.encode("Café Zürich, Gesamtbetrag 12,50 €");
        for label in [Some("iso-8859-1"), Some("windows-1252"), None] {
            assert_eq!(decode(&latin, label), "Café Zürich, Gesamtbetrag 12,50 €", "{label:?}");
        }
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("Total 5".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(&utf16, None), "Total 5");
        assert_eq!(guess(&GB18030.encode("发票.pdf").0), "发票.pdf");
        assert_eq!(decode(b"plain", Some("no-such-charset")), "plain");
    }
}
