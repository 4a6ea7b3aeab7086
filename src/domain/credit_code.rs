//! 统一社会信用代码, the number Chinese organisations are registered and taxed by (GB 32100-2015).

/// Characters of a code, the last one its check digit.
const LENGTH: usize = 18;
/// Letters and digits of a code in the order of their values, 0 to 30: no I, O, S, V, Z (GB 32100-2015, table 2).
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn value(byte: u8) -> Option<usize> {
    ALPHABET.iter().position(|known| *known == byte)
}

/// Whether the check digit fits; `None` when the text has not the length of a code (an older number of 15 digits, a
/// foreign one). `code` is half width, in capitals, without spaces.
///
/// A character that no code has, such as the letter O, makes it `Some(false)`: misread, or not a code at all. Weights are
/// the powers of 3 modulo 31 (GB 32100-2015, appendix A).
pub fn check(code: &str) -> Option<bool> {
    let bytes = code.as_bytes();
    let (last, body) = bytes.split_last().filter(|_| bytes.len() == LENGTH)?;
    let (mut sum, mut weight) = (0, 1);
    for byte in body {
        let Some(value) = value(*byte) else { return Some(false) };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    Some(value(*last) == Some((31 - sum % 31) % 31))
}

/// Whether a text is meant to be a code: as long, beginning with the letter of a registering authority, with a place's six
/// digits, one of which may be misread. Same form as for [`check`].
pub fn looks_like_one(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == LENGTH
        && matches!(bytes[0], b'1' | b'5' | b'9' | b'A' | b'N' | b'Y')
        && bytes[1].is_ascii_alphanumeric()
        && bytes[2..8].iter().filter(|byte| byte.is_ascii_digit()).count() >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        for (code, expected) in [
            ("91350100M000100Y43", Some(true)), // GB 32100-2015, appendix
            ("91440101MA5AAAAA07", Some(true)), // the next three: made-up registrations, computed by hand
            ("91310000MA1AAAAA0P", Some(true)),
            ("91110000MA0AAAAA04", Some(true)),
            ("91440101MA5AAAAA08", Some(false)),
            ("91440101MA5AAAAAO7", Some(false)), // the letter O is in no code
            ("440101000000000", None),           // fifteen digits are of the older kind
            ("", None),
        ] {
            assert_eq!(check(code), expected, "{code}");
        }
    }

    #[test]
    fn one_misread_digit_of_the_place_still_looks_like_a_code() {
        assert!(looks_like_one("9135O100M000100Y43") && looks_like_one("91350100M000100Y43"));
        assert!(
            !looks_like_one("91ABCDEFM000100Y43") && !looks_like_one("91350100") && !looks_like_one("统一社会信用")
        );
    }
}
