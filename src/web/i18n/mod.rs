//! The words of the pages, in English and Chinese.
//!
//! `en.toml` and `zh.toml` hold the same keys; tests compare them, and render every page in both languages looking for
//! [`MISSING`]. Names of categories and visits are data, not words.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::{
    domain::person::Language,
    health::{Found, Hint},
};

pub mod format;

/// What a page shows for a key nobody translated; no other text contains it.
pub const MISSING: &str = "⟦";

type Catalog = BTreeMap<String, String>;

static EN: LazyLock<Catalog> = LazyLock::new(|| flatten(include_str!("en.toml")));
static ZH: LazyLock<Catalog> = LazyLock::new(|| flatten(include_str!("zh.toml")));
static EN_SCRIPT: LazyLock<String> = LazyLock::new(|| script_json(&EN));
static ZH_SCRIPT: LazyLock<String> = LazyLock::new(|| script_json(&ZH));

fn catalog(lang: Language) -> &'static Catalog {
    match lang {
        Language::En => &EN,
        Language::Zh => &ZH,
    }
}

/// `[table] key = "text"` → `table.key`. The files are part of the binary and parsed by a test.
fn flatten(toml_text: &str) -> Catalog {
    let tables: BTreeMap<String, BTreeMap<String, String>> = toml::from_str(toml_text).unwrap_or_default();
    tables
        .into_iter()
        .flat_map(|(table, keys)| keys.into_iter().map(move |(key, text)| (format!("{table}.{key}"), text)))
        .collect()
}

/// The tables scripts need: their own words, states, reasons, error codes and field names.
fn script_json(catalog: &Catalog) -> String {
    let wanted =
        |key: &str| ["js.", "state.", "reason.", "error.", "field."].iter().any(|table| key.starts_with(table));
    let words: BTreeMap<_, _> = catalog.iter().filter(|(key, _)| wanted(key)).collect();
    serde_json::to_string(&words).unwrap_or_default()
}

/// The text of `key`, if translated.
pub fn find(lang: Language, key: &str) -> Option<&'static str> {
    catalog(lang).get(key).map(String::as_str)
}

/// The text of `key`, or `⟦key⟧`.
pub fn text(lang: Language, key: &str) -> String {
    find(lang, key).map_or_else(|| format!("{MISSING}{key}⟧"), str::to_owned)
}

/// What a check found, in words.
pub fn found(lang: Language, found: &Found) -> String {
    let mut text = text(lang, &format!("health.{}", found.code));
    for (place, value) in found.with.iter().enumerate() {
        text = text.replace(&format!("{{{place}}}"), value);
    }
    text
}

/// What to do about it, in words.
pub fn hint(lang: Language, Hint(code): Hint) -> String {
    text(lang, &format!("health_hint.{code}"))
}

/// The words scripts use, as a JSON object from key to text.
pub fn for_scripts(lang: Language) -> &'static str {
    match lang {
        Language::En => &EN_SCRIPT,
        Language::Zh => &ZH_SCRIPT,
    }
}

/// Every key.
#[cfg(test)]
pub fn keys() -> impl Iterator<Item = &'static str> {
    EN.keys().map(String::as_str)
}

/// The BCP 47 tag for `<html lang>`.
pub const fn tag(lang: Language) -> &'static str {
    match lang {
        Language::En => "en",
        Language::Zh => "zh-CN",
    }
}

/// The most entries of an `Accept-Language` header that are looked at.
const MAX_ACCEPTED: usize = 20;

/// The language for someone without a setting, from `Accept-Language` (RFC 9110 §12.5.4); English when nothing fits.
pub fn negotiate(accept_language: &str) -> Language {
    let mut best = (0.0_f32, Language::En);
    for entry in accept_language.split(',').take(MAX_ACCEPTED) {
        let mut parts = entry.split(';');
        let range = parts.next().unwrap_or("").trim().to_ascii_lowercase();
        let weight = parts.find_map(|p| p.trim().strip_prefix("q=").map(|q| q.trim().parse().unwrap_or(0.0)));
        let lang = match range.split('-').next().unwrap_or("") {
            "zh" => Language::Zh,
            "en" => Language::En,
            _ => continue,
        };
        let weight: f32 = weight.unwrap_or(1.0);
        if weight > best.0 {
            best = (weight, lang);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_keys_and_no_empty_text() {
        let english: Vec<_> = EN.keys().collect();
        let chinese: Vec<_> = ZH.keys().collect();
        assert!(english.len() > 100);
        assert_eq!(english, chinese);
        for catalog in [&*EN, &*ZH] {
            for (key, text) in catalog {
                assert!(!text.trim().is_empty(), "{key}");
            }
        }
    }

    #[test]
    fn both_languages_fill_in_the_same_places() {
        for (key, english) in EN.iter() {
            for place in ["{0}", "{1}", "{2}", "{3}"] {
                assert_eq!(english.contains(place), ZH[key].contains(place), "{key} {place}");
            }
        }
    }

    #[test]
    fn the_browser_decides_until_a_person_does() {
        for (header, lang) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("en-GB,en;q=0.9,zh;q=0.1", Language::En),
            ("de,zh;q=0.5,en;q=0.3", Language::Zh),
            ("fr", Language::En),
            ("", Language::En),
            ("zh;q=banana", Language::En),
        ] {
            assert_eq!(negotiate(header), lang, "{header}");
        }
    }
}
