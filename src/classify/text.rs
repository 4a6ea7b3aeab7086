//! Folding of names and lines, so that print, accents, spaces and legal forms do not matter.

use unicode_normalization::UnicodeNormalization;

/// Characters of one text that are looked at.
pub const MAX_CHARS: usize = 20_000;

/// A text without case, accents and punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    spaced: String,
    condensed: String,
}

impl Folded {
    /// Folds the first [`MAX_CHARS`] characters: compatibility forms, lower case, no accents, no apostrophes,
    /// everything but letters and digits as one space.
    pub fn new(text: &str) -> Self {
        let plain = text.chars().take(MAX_CHARS).nfkd().filter(|c| !matches!(*c, '\u{300}'..='\u{36f}')).nfc();
        let mut spaced = String::from(" ");
        for c in plain.flat_map(char::to_lowercase) {
            if c.is_alphanumeric() {
                spaced.push(c);
            } else if !matches!(c, '\'' | '’' | '`') && !spaced.ends_with(' ') {
                spaced.push(' ');
            }
        }
        if !spaced.ends_with(' ') {
            spaced.push(' ');
        }
        let condensed = spaced.chars().filter(|c| *c != ' ').collect();
        Self { spaced, condensed }
    }

    /// Words between single spaces, with a space at each end.
    pub fn spaced(&self) -> &str {
        &self.spaced
    }

    /// The same without spaces.
    pub fn condensed(&self) -> &str {
        &self.condensed
    }

    /// The words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.spaced.split(' ').filter(|word| !word.is_empty())
    }
}

/// Legal forms as they look after folding; several words are matched as words.
const LEGAL_FORMS: &[&str] = &[
    "m sdn bhd",
    "sdn bhd",
    "sendirian berhad",
    "berhad",
    "bhd",
    "s b",
    "sb",
    "plt",
    "pte ltd",
    "pty ltd",
    "pvt ltd",
    "co ltd",
    "private limited",
    "gmbh co kg",
    "gmbh co kgaa",
    "gmbh",
    "mbh",
    "ag",
    "kg",
    "ohg",
    "ug",
    "ev",
    "e k",
    "se",
    "ltd",
    "limited",
    "inc",
    "incorporated",
    "llc",
    "llp",
    "corp",
    "corporation",
    "company",
    "co",
    "plc",
    "s a r l",
    "sarl",
    "s a s",
    "sas",
    "s a",
    "s r l",
    "srl",
    "s p a",
    "spa",
    "b v",
    "bv",
    "n v",
    "nv",
    "oy",
    "ab",
    "as",
    "a s",
    "kk",
    "k k",
];

/// Chinese and Japanese company forms, dropped from the end or the start.
const CJK_FORMS: &[&str] = &[
    "股份有限公司",
    "有限责任公司",
    "有限責任公司",
    "有限公司",
    "株式会社",
    "株式會社",
    "有限会社",
    "公司",
    "个体工商户",
];

/// The key a merchant is remembered under: folded, without spaces and legal forms. Never empty for a name with
/// letters or digits: a name that is nothing but a legal form stays as it is.
pub fn merchant_key(name: &str) -> String {
    let folded = Folded::new(name);
    let mut rest = folded.spaced().trim_end();
    loop {
        let before = rest;
        for form in LEGAL_FORMS {
            if let Some(shorter) = rest.strip_suffix(form).filter(|shorter| shorter.ends_with(' ')) {
                rest = shorter.trim_end();
            }
        }
        if rest == before {
            break;
        }
    }
    let mut key: String = rest.chars().filter(|c| *c != ' ').collect();
    for form in CJK_FORMS {
        if let Some(shorter) = key.strip_suffix(form).or_else(|| key.strip_prefix(form)).map(str::to_owned) {
            key = shorter;
        }
    }
    if key.is_empty() { folded.condensed().to_owned() } else { key }
}

/// Whether a character is written without spaces between words.
pub fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ac00}'..='\u{d7af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_merchant_has_one_key_however_it_is_printed() {
        for (one, other) in [
            ("Café Föhnwind AG", "CAFE FOHNWIND"),
            ("Tamsin's Paper Co., Ltd.", "tamsins paper"),
            ("KEDAI MERANTI (M) SDN. BHD.", "Kedai Meranti S/B"),
            ("青禾渡餐饮有限责任公司", "青禾渡餐饮"),
            ("ＡＢＣ　マート", "abcマート"),
        ] {
            assert_eq!(merchant_key(one), merchant_key(other));
        }
    }

    #[test]
    fn a_name_that_is_only_a_legal_form_keeps_its_letters() {
        assert_eq!(merchant_key("AG"), "ag");
        assert_eq!(merchant_key("有限公司"), "有限公司");
        assert_eq!(merchant_key(" -- "), "");
    }

    #[test]
    fn different_merchants_keep_different_keys() {
        assert_ne!(merchant_key("Hotel Seerose"), merchant_key("Café Seerose"));
    }
}
