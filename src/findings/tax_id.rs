//! 统一社会信用代码 (GB 32100-2015): eighteen characters, the last one a check digit. And names, written in many ways.

use unicode_normalization::UnicodeNormalization as _;

/// The characters of a code and their values 0 to 30; I, O, S, V and Z are left out.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Characters of a code.
const LENGTH: usize = 18;

/// A tax id in comparable form: half width, upper case, without spaces and signs.
pub fn normal(text: &str) -> String {
    text.nfkc().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(64).collect()
}

/// Whether the check digit is right; `None` when it is no code of this kind (an older 15-digit number, a foreign one).
pub fn is_valid(text: &str) -> Option<bool> {
    let code = normal(text);
    if code.len() != LENGTH {
        return None;
    }
    let value = |byte: u8| ALPHABET.iter().position(|known| *known == byte);
    let mut sum = 0;
    let mut weight = 1;
    let bytes = code.as_bytes();
    for byte in bytes.iter().take(LENGTH - 1) {
        // A letter no code has: misread, or not a code at all.
        let Some(value) = value(*byte) else { return Some(false) };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    let check = (31 - sum % 31) % 31;
    Some(bytes.last().and_then(|byte| value(*byte)) == Some(check))
}

/// A company's name in comparable form: half width, lower case, without spaces, brackets and signs.
pub fn name_key(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).take(200).collect()
}

/// Whether a buyer is a person: `个人`, or a name of two to four characters that no company bears.
pub fn is_person(name: &str) -> bool {
    let key = name_key(name);
    let length = key.chars().count();
    let is_chinese = key.chars().all(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
    let is_company = ["公司", "厂", "店", "行", "社", "所", "院", "会", "校", "局", "部", "中心"]
        .iter()
        .any(|end| key.ends_with(end));
    key.starts_with("个人") || (is_chinese && (2..=4).contains(&length) && !is_company)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // Computed by hand for made-up registrations.
        for code in ["91440101MA5AAAAA07", "91310000MA1AAAAA0P", "91110000MA0AAAAA04"] {
            assert_eq!(is_valid(code), Some(true), "{code}");
        }
        assert_eq!(is_valid("91440101MA5AAAAA08"), Some(false));
        assert_eq!(is_valid("91440101MA5AAAAAO7"), Some(false), "the letter O is in no code");
        assert_eq!(is_valid("440101000000000"), None, "fifteen digits are of the older kind");
    }

    #[test]
    fn full_width_and_spaces_do_not_matter() {
        assert_eq!(is_valid("９１４４０１０１ＭＡ５ＡＡＡＡＡ０７"), Some(true));
        assert_eq!(normal(" 9144 0101ma5aaaaa07 "), "91440101MA5AAAAA07");
        assert_eq!(name_key("示例科技（上海）有限公司"), name_key("示例科技(上海) 有限公司"));
    }

    #[test]
    fn persons_are_told_from_short_company_names() {
        for (name, expected) in [
            ("个人", true),
            ("张三", true),
            ("个人（李四）", true),
            ("示例公司", false),
            ("示例科技（上海）有限公司", false),
            ("Muster AG", false),
        ] {
            assert_eq!(is_person(name), expected, "{name}");
        }
    }
}
