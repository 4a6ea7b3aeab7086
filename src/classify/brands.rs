//! Known brands by fingerprint: which OSM kinds a name has, without storing any name.

use crate::classify::features::hash;
use crate::classify::text::{Folded, is_unspaced, merchant_key};

/// Words at the start of a name that may be a brand followed by a branch.
const MAX_BRAND_WORDS: usize = 4;
/// Shorter keys are brands only as whole names: `ka` begins too many others.
const MIN_PART_CHARS: usize = 4;
/// Shorter keys at the end of a name, or after a number is taken off, are too common.
const MIN_INNER_CHARS: usize = 5;
/// Shorter beginnings of a glued word are chance.
const MIN_GLUED_CHARS: usize = 6;
/// What is glued to a brand is a word: an ending makes another word of it.
const MIN_REST_CHARS: usize = 4;
/// Longer words are not looked into.
const MAX_GLUED_CHARS: usize = 30;
/// The same in scripts without spaces.
const MIN_PART_UNSPACED: usize = 2;

/// Fingerprints of brand keys and their kinds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brands {
    /// OSM kinds with the category each stands for.
    kinds: Vec<(String, usize)>,
    /// Fingerprint and index into `kinds`, sorted.
    entries: Vec<(u32, u16)>,
}

/// What a name is known as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The whole name is the brand, not only its beginning.
    pub whole: bool,
    /// Category index and OSM kind.
    pub kinds: Vec<(usize, String)>,
}

/// 32 bits: one name in 200,000 is mistaken for some brand.
fn fingerprint(key: &str) -> u32 {
    hash(b'B', &[key]) as u32
}

/// Words pulled apart where case or kind changes: `LostHillsMcDonald's 0006661` gives `Lost Hills McDonald's 0006661`.
pub fn split_glued(name: &str) -> String {
    let mut out = String::new();
    let mut before: Option<char> = None;
    let mut run = 0;
    for c in name.chars().take(200) {
        let opens = before.is_some_and(|b| {
            // One capital after two small letters opens a word; `McDonald` stays whole.
            (b.is_lowercase() && c.is_uppercase() && run > 1 && !out.ends_with("Mc"))
                || (b.is_alphabetic() && c.is_ascii_digit())
                || (b.is_ascii_digit() && c.is_alphabetic())
        });
        if opens {
            out.push(' ');
            run = 0;
        }
        run = if c.is_alphabetic() { run + 1 } else { 0 };
        out.push(c);
        before = Some(c);
    }
    out
}

impl Brands {
    /// From kinds (with category indices) and pairs of brand name and kind index.
    pub fn new<'a>(kinds: Vec<(String, usize)>, names: impl Iterator<Item = (&'a str, u16)>) -> Self {
        let keyed = names.map(|(name, kind)| (merchant_key(name), kind)).filter(|(key, _)| !key.is_empty());
        let entries = keyed.map(|(key, kind)| (fingerprint(&key), kind)).collect();
        Self::from_entries(kinds, entries)
    }

    /// From stored fingerprints.
    pub fn from_entries(kinds: Vec<(String, usize)>, mut entries: Vec<(u32, u16)>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self { kinds, entries }
    }

    /// The kinds, as stored.
    pub fn kinds(&self) -> &[(String, usize)] {
        &self.kinds
    }

    /// The fingerprints, as stored.
    pub fn entries(&self) -> &[(u32, u16)] {
        &self.entries
    }

    /// The kinds of the name, or of the longest beginning of it that is a brand.
    pub fn find(&self, name: &str) -> Found {
        let whole = self.of_key(&merchant_key(name));
        if !whole.is_empty() {
            return Found { whole: true, kinds: whole };
        }
        let folded = Folded::new(name);
        let words: Vec<&str> = folded.words().take(MAX_BRAND_WORDS).collect();
        for count in (1..=words.len()).rev() {
            let key = words[..count].concat();
            if key.chars().count() >= MIN_PART_CHARS {
                let kinds = self.of_key(&key);
                if !kinds.is_empty() {
                    return Found { whole: false, kinds };
                }
            }
        }
        // `Speedway0006661`, `Lost Hills McDonald's`, `VALEROCHAPMAN`: a number, a place before the brand, glued words.
        let spaced = split_glued(name);
        let apart = Folded::new(&spaced);
        let words: Vec<&str> =
            apart.words().filter(|w| w.chars().any(char::is_alphabetic)).take(2 * MAX_BRAND_WORDS).collect();
        for count in (1..=MAX_BRAND_WORDS.min(words.len())).rev() {
            for window in [&words[..count], &words[words.len() - count..]] {
                let key = window.concat();
                if key.chars().count() >= MIN_INNER_CHARS {
                    let kinds = self.of_key(&key);
                    if !kinds.is_empty() {
                        return Found { whole: false, kinds };
                    }
                }
            }
        }
        if let [glued] = words.as_slice()
            && glued.is_ascii()
        {
            for count in (MIN_GLUED_CHARS..=glued.len().min(MAX_GLUED_CHARS).saturating_sub(MIN_REST_CHARS)).rev() {
                let kinds = self.of_key(&glued[..count]);
                if !kinds.is_empty() {
                    return Found { whole: false, kinds };
                }
            }
        }
        let chars: Vec<char> = folded.condensed().chars().take(12).take_while(|c| is_unspaced(*c)).collect();
        for count in (MIN_PART_UNSPACED..chars.len()).rev() {
            let kinds = self.of_key(&chars[..count].iter().collect::<String>());
            if !kinds.is_empty() {
                return Found { whole: false, kinds };
            }
        }
        Found::default()
    }

    /// Whether `key`, a name without case, spaces and punctuation, is a brand; far cheaper than [`Brands::find`].
    pub fn knows(&self, key: &str) -> bool {
        let wanted = fingerprint(key);
        let at = self.entries.partition_point(|(print, _)| *print < wanted);
        self.entries.get(at).is_some_and(|(print, _)| *print == wanted)
    }

    fn of_key(&self, key: &str) -> Vec<(usize, String)> {
        let wanted = fingerprint(key);
        let start = self.entries.partition_point(|(print, _)| *print < wanted);
        let same = self.entries[start..].iter().take_while(|(print, _)| *print == wanted);
        same.filter_map(|(_, kind)| self.kinds.get(usize::from(*kind)))
            .map(|(kind, code)| (*code, kind.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_of_a_brand_is_known_by_its_beginning_and_others_are_not() {
        let kinds = vec![("fuel".to_owned(), 6), ("hotel".to_owned(), 1)];
        let brands = Brands::new(kinds, [("Nordtor", 0), ("栖木", 1)].into_iter());
        assert_eq!(brands.find("NORDTOR GmbH"), Found { whole: true, kinds: vec![(6, "fuel".into())] });
        assert_eq!(brands.find("Nordtor Hauptstraße 5"), Found { whole: false, kinds: vec![(6, "fuel".into())] });
        assert_eq!(brands.find("栖木宾馆有限公司").kinds, vec![(1, "hotel".into())]);
        assert_eq!(brands.find("Hauptstraße Nordtor").kinds, vec![(6, "fuel".into())], "a place before the brand");
        assert_eq!(brands.find("NORDTOR0006661").kinds, vec![(6, "fuel".into())]);
        assert_eq!(brands.find("HauptplatzNordtor").kinds, vec![(6, "fuel".into())]);
        assert_eq!(brands.find("Nordtorte am Platz"), Found::default(), "another word that begins alike");
        assert_eq!(brands.find("Suedtor"), Found::default());
    }
}
