//! Tax ids and names of buyers and sellers in comparable form, however they are written.

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::credit_code;

/// A tax id in comparable form: half width, upper case, without spaces and signs.
pub fn normal(text: &str) -> String {
    text.nfkc().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(64).collect()
}

/// Whether the check digit of a 统一社会信用代码 is right; `None` when it is no code of this kind.
pub fn is_valid(text: &str) -> Option<bool> {
    credit_code::check(&normal(text))
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
