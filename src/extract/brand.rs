//! What is known of brands: names that are printed small, in another place, or misread in a logo.
//!
//! Brands are known by fingerprint only (`classify::brands`), so a name is tried rather than looked up. Knowing one is
//! evidence for a ranker and never overrides what is printed.

use super::{
    find_merchant::Printed,
    fold::{fold_name, is_cjk},
    layout::Layout,
    rank::Features,
};
use crate::classify;

/// Rows in which brands are looked for.
const MAX_ROWS: usize = 120;
/// Words of one row that may begin a brand.
const MAX_WORDS: usize = 8;
/// Words of one brand.
const MAX_BRAND_WORDS: usize = 3;
/// Shorter brands are too often something else.
const MIN_CHARS: usize = 4;
/// Rows at the head in which a logo may be misread.
const LOGO_ROWS: usize = 4;
/// Longer words are no logos that one letter would mend.
const MAX_LOGO_CHARS: usize = 14;
/// Letters a misread one may have been.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Whether the whole name is a brand.
pub fn is_brand(name: &str) -> bool {
    classify::Model::embedded().brands().find(name).whole
}

/// What brands say about a name.
pub fn judge(text: &str, f: &mut Features) {
    let found = classify::Model::embedded().brands().find(text);
    f.flag("brand", found.whole);
    f.flag("brand_first", !found.whole && !found.kinds.is_empty());
}

/// Whether a name that is no brand is a letter away from one: a logo that was misread rather than a name.
pub fn is_mendable(text: &str) -> bool {
    !text.contains(' ') && !mended(text).is_empty()
}

/// Names that are a brand as printed somewhere on the paper, or one letter away from one in the head.
pub fn find(layout: &Layout<'_>) -> Vec<Printed> {
    let mut out: Vec<Printed> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate().filter(|(_, s)| s.row < MAX_ROWS) {
        let words = words(&segment.text);
        for (from, first) in words.iter().enumerate().take(MAX_WORDS) {
            for last in words.iter().skip(from).take(MAX_BRAND_WORDS).rev() {
                let range = first.start..last.end;
                let text = &segment.text[range.clone()];
                let folded = fold_name(text);
                let enough = folded.chars().count() >= if folded.chars().any(is_cjk) { 2 } else { MIN_CHARS };
                let is_part = range.len() < segment.text.trim().len();
                if enough
                    && is_part
                    && folded.chars().any(char::is_alphabetic)
                    && !seen.contains(&folded)
                    && is_brand(text)
                {
                    seen.push(folded);
                    out.push(Printed::piece(layout, at, &range, text.to_owned()));
                }
            }
        }
        if segment.row < LOGO_ROWS && segment.spans.len() == 1 {
            let whole = 0..segment.text.len();
            let names = mended(&segment.text);
            let ways = names.len();
            for text in names {
                out.push(Printed { is_mended: true, ways, ..Printed::piece(layout, at, &whole, text) });
            }
        }
    }
    out
}

/// Brands of several words with one letter misread, such as a name over two rows, one of them in a logo.
pub fn mend_joined(names: &[Printed]) -> Vec<Printed> {
    let joined = names.iter().filter(|n| n.row < LOGO_ROWS && !n.is_mended && n.text.trim().contains(' '));
    joined
        .take(MAX_JOINED)
        .flat_map(|name| {
            let found = mended_words(&name.text);
            let ways = found.len();
            found.into_iter().map(move |text| Printed { text, is_mended: true, ways, ..name.clone() })
        })
        .collect()
}

/// Names of several words that are tried.
const MAX_JOINED: usize = 12;
/// Letters of a name of several words: in shorter ones another letter makes another name, longer ones are no brands.
const JOINED_CHARS: std::ops::RangeInclusive<usize> = 8..=24;

/// Brands that differ in one letter from a name of several words.
fn mended_words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.trim().chars().map(without_accent).collect();
    let letters = chars.iter().filter(|c| !c.is_whitespace()).count();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '\'' | '&' | '.' | '-');
    if !JOINED_CHARS.contains(&letters) || !chars.iter().all(plain) || is_brand(text) {
        return Vec::new();
    }
    let brands = classify::Model::embedded().brands();
    let mut key: Vec<char> = chars.iter().filter(|c| c.is_alphanumeric()).map(char::to_ascii_lowercase).collect();
    let mut out = Vec::new();
    for (at, place) in (0..chars.len()).filter(|at| chars[*at].is_ascii_alphanumeric()).enumerate() {
        let read = key[at];
        for letter in LETTERS.chars().filter(|l| *l != read) {
            key[at] = letter;
            if brands.knows(&key.iter().collect::<String>()) {
                let mut other = chars.clone();
                other[place] = if chars[place].is_lowercase() { letter } else { letter.to_ascii_uppercase() };
                out.push(other.into_iter().collect());
            }
        }
        key[at] = read;
    }
    out
}

fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), ' '))) {
        let inside = c.is_alphanumeric() || matches!(c, '\'' | '’' | '&' | '-');
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                out.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    out
}

/// Brands one letter away from a word that is none: a letter too few, too many, or another.
fn mended(text: &str) -> Vec<String> {
    let own: Vec<char> = fold_name(text).chars().map(without_accent).collect();
    let plain: String = own.iter().collect();
    if !(3..=MAX_LOGO_CHARS).contains(&own.len()) || !own.iter().all(char::is_ascii_alphanumeric) || is_brand(&plain) {
        return Vec::new();
    }
    let brands = classify::Model::embedded().brands();
    let mut out: Vec<String> = Vec::new();
    let mut check = |chars: &[char]| {
        let name: String = chars.iter().collect();
        if chars.len() >= MIN_CHARS && !out.contains(&name) && brands.knows(&name) {
            out.push(name);
        }
    };
    for at in 0..=own.len() {
        for letter in LETTERS.chars() {
            let mut more = own.clone();
            more.insert(at, letter);
            check(&more);
            if let Some(place) = own.get(at)
                && *place != letter
            {
                let mut other = own.clone();
                other[at] = letter;
                check(&other);
            }
        }
        if at < own.len() {
            let mut fewer = own.clone();
            fewer.remove(at);
            check(&fewer);
        }
    }
    let upper = text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase);
    out.into_iter().map(|name| if upper { name.to_uppercase() } else { capitalised(&name) }).collect()
}

fn without_accent(c: char) -> char {
    use unicode_normalization::UnicodeNormalization as _;
    std::iter::once(c).nfd().next().unwrap_or(c)
}

fn capitalised(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_that_lost_a_letter_is_mended_only_towards_a_brand() {
        assert!(mended("RSSMANN").contains(&"ROSSMANN".to_owned()));
        assert!(mended("LÁDL").contains(&"LIDL".to_owned()));
        assert!(mended("Rossmann").is_empty(), "it is right as it stands");
        assert!(mended("Xqzvwkj").is_empty());
    }

    #[test]
    fn a_brand_of_several_words_is_mended_by_one_letter() {
        assert_eq!(mended_words("BURGER KINC"), ["BURGER KING"]);
        assert!(mended_words("BURGER KING").is_empty(), "it is right as it stands");
        assert!(mended_words("Nordtor Hafenkontor").is_empty());
    }

    #[test]
    fn words_are_ranges_of_the_text() {
        let text = "*toom* Baumarkt-GmbH, Kiel";
        let found: Vec<&str> = words(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(found, ["toom", "Baumarkt-GmbH", "Kiel"]);
    }
}
