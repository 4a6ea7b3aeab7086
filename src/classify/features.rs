//! An input as numbers: dense evidence first, then hashed character n-grams. Nothing of the text survives hashing.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive;

use crate::classify::Input;
use crate::classify::brands::{Brands, split_glued};
use crate::classify::lexicon::{self, Hit};
use crate::classify::text::{Folded, is_unspaced};

/// Categories the model knows: the default set, in its order.
pub const CLASSES: usize = lexicon::WORDS.len();
/// Dense features; hashed ones follow.
pub const DENSE: usize = 128;
/// All features: 2^16 for names, so that collisions are rare for 17,000 of them, and a quarter of that for lines.
pub const BUCKETS: usize = (1 << 16) + (1 << 14);
/// Buckets of grams of the name, from and to.
const NAME_BUCKETS: (usize, usize) = (DENSE, 1 << 16);
/// Buckets of grams of the lines. Apart from the names': training shows few words of lines and thousands of names, and
/// what a line says that was never seen must say nothing rather than what names in the same bucket say.
const TEXT_BUCKETS: (usize, usize) = (1 << 16, BUCKETS);
/// Recognised lines looked at: a long till slip has about 150.
pub const MAX_LINES: usize = 300;
/// Hashed features of the text looked at.
const MAX_TEXT_GRAMS: usize = 6_000;

const BIAS: usize = 0;
const NAME_WORDS: usize = 1;
const TEXT_WORDS: usize = NAME_WORDS + CLASSES;
const TEXT_MOST: usize = TEXT_WORDS + CLASSES;
/// First of the brand features; training drops them at random so that names are learnt too.
pub const BRAND_WHOLE: usize = TEXT_MOST + CLASSES;
const BRAND_PART: usize = BRAND_WHOLE + CLASSES;
/// One past the last brand feature.
pub const BRAND_END: usize = BRAND_PART + CLASSES;
const TIME: usize = BRAND_END;
const AMOUNT: usize = TIME + DAY_PARTS.len();
const HAS_TEXT: usize = AMOUNT + AMOUNT_BANDS;
const HAS_NAME: usize = HAS_TEXT + 1;
const USED: usize = HAS_NAME + 1;
const _: () = assert!(USED <= DENSE);

/// Parts of the day: from this hour on, and how reasons name them.
pub const DAY_PARTS: [(i8, &str); 6] =
    [(0, "night"), (6, "morning"), (11, "midday"), (14, "afternoon"), (17, "evening"), (22, "late")];
/// Bands of the amount, each three times the one before.
const AMOUNT_BANDS: usize = 8;

/// What was noticed besides the numbers, for reasons.
#[derive(Debug, Clone, Default)]
pub struct Noticed {
    /// Words in the merchant's name.
    pub name_words: Vec<Hit>,
    /// Words in the lines.
    pub text_words: Vec<Hit>,
    /// Kinds of the brand the name is, or begins with: category and OSM kind.
    pub brand: Vec<(usize, String)>,
    /// Part of the day, as an index into [`DAY_PARTS`].
    pub day_part: Option<usize>,
}

/// Sparse features: index and value, sorted by index.
#[derive(Debug, Clone, Default)]
pub struct Features {
    /// Index and value.
    pub values: Vec<(u32, f32)>,
    /// For reasons.
    pub noticed: Noticed,
}

/// Feature index of a part of the day.
pub fn time_feature(day_part: usize) -> usize {
    TIME + day_part
}

/// Computes the features of one receipt.
pub fn of(input: &Input, brands: &Brands) -> Features {
    let mut values: BTreeMap<u32, f32> = BTreeMap::new();
    let mut noticed = Noticed::default();
    let mut set = |index: usize, value: f32| {
        values.insert(index as u32, value);
    };
    set(BIAS, 1.0);

    // Without a merchant the head of the slip stands in for it.
    let name = match &input.merchant {
        Some(name) => name.clone(),
        None => input.lines.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" "),
    };
    let folded_name = Folded::new(&name);
    if !folded_name.condensed().is_empty() {
        set(HAS_NAME, 1.0);
    }
    noticed.name_words = lexicon::find(&folded_name, true);
    for (category, count) in per_category(&noticed.name_words).into_iter().enumerate() {
        if count > 0 {
            set(NAME_WORDS + category, (count as f32).ln_1p());
        }
    }
    let found = brands.find(&name);
    for kind in &found.kinds {
        set(if found.whole { BRAND_WHOLE } else { BRAND_PART } + kind.0, 1.0);
    }
    noticed.brand = found.kinds;

    let text = input.lines.iter().take(MAX_LINES).map(String::as_str).collect::<Vec<_>>().join("\n");
    let folded_text = Folded::new(&text);
    if !folded_text.condensed().is_empty() {
        set(HAS_TEXT, 1.0);
    }
    noticed.text_words = lexicon::find(&folded_text, false);
    // `IcedTea`, `TableNo`: readers and tills lose spaces, capitals tell where they were.
    let apart = text.lines().map(split_glued).collect::<Vec<_>>().join("\n");
    for hit in lexicon::find(&Folded::new(&apart), false) {
        if !noticed.text_words.contains(&hit) {
            noticed.text_words.push(hit);
        }
    }
    let counts = per_category(&noticed.text_words);
    let most = counts.iter().copied().max().unwrap_or(0);
    for (category, &count) in counts.iter().enumerate() {
        if count > 0 {
            set(TEXT_WORDS + category, (count as f32).ln_1p());
            if count == most && counts.iter().filter(|c| **c == most).count() == 1 {
                set(TEXT_MOST + category, 1.0);
            }
        }
    }
    if let Some(time) = input.time {
        let part = DAY_PARTS.iter().rposition(|(from, _)| time.hour() >= *from).unwrap_or(0);
        set(TIME + part, 1.0);
        noticed.day_part = Some(part);
    }
    if let Some(band) = amount_band(input) {
        set(AMOUNT + band, 1.0);
    }
    hashed(&mut values, &name_grams(&folded_name), NAME_BUCKETS);
    hashed(&mut values, &text_grams(&folded_text), TEXT_BUCKETS);
    Features { values: values.into_iter().collect(), noticed }
}

fn per_category(hits: &[Hit]) -> [u32; CLASSES] {
    let mut counts = [0; CLASSES];
    for hit in hits {
        counts[hit.category] += 1;
    }
    counts
}

/// Adds each gram once; the block has length one whatever its size, so a long slip does not shout.
fn hashed(values: &mut BTreeMap<u32, f32>, grams: &[u64], (from, to): (usize, usize)) {
    let mut indices: Vec<u32> = grams.iter().map(|hash| from as u32 + (hash % (to - from) as u64) as u32).collect();
    indices.sort_unstable();
    indices.dedup();
    let value = 1.0 / (indices.len().max(1) as f32).sqrt();
    for index in indices {
        *values.entry(index).or_insert(0.0) += value;
    }
}

/// FNV-1a with a name space, finished by a multiply-shift so that the low bits are mixed.
pub fn hash(space: u8, parts: &[&str]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(space).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0x1f])) {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (h ^ (h >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

fn name_grams(name: &Folded) -> Vec<u64> {
    let mut out = Vec::new();
    let words: Vec<&str> = name.words().take(24).collect();
    for word in &words {
        if word.chars().any(is_unspaced) {
            unspaced_grams(b'n', word, 1..=3, &mut out);
        } else {
            out.push(hash(b'w', &[word]));
            bounded_grams(b'n', word, 3..=5, &mut out);
        }
    }
    out.extend(words.windows(2).map(|pair| hash(b'p', pair)));
    out
}

fn text_grams(text: &Folded) -> Vec<u64> {
    let mut out = Vec::new();
    for word in text.words() {
        if out.len() > MAX_TEXT_GRAMS {
            break;
        }
        if word.chars().any(is_unspaced) {
            unspaced_grams(b't', word, 2..=3, &mut out);
        } else if word.len() >= 3 && !word.bytes().any(|b| b.is_ascii_digit()) {
            out.push(hash(b'v', &[word]));
            bounded_grams(b't', word, 4..=5, &mut out);
        }
    }
    out
}

fn bounded_grams(space: u8, word: &str, sizes: std::ops::RangeInclusive<usize>, out: &mut Vec<u64>) {
    let marked: Vec<char> = std::iter::once('^').chain(word.chars().take(40)).chain(['$']).collect();
    grams(space, &marked, sizes, out);
}

fn unspaced_grams(space: u8, word: &str, sizes: std::ops::RangeInclusive<usize>, out: &mut Vec<u64>) {
    let chars: Vec<char> = word.chars().take(60).collect();
    grams(space, &chars, sizes, out);
}

fn grams(space: u8, chars: &[char], sizes: std::ops::RangeInclusive<usize>, out: &mut Vec<u64>) {
    for size in sizes {
        for window in chars.windows(size) {
            out.push(hash(space, &[&window.iter().collect::<String>()]));
        }
    }
}

/// Rough units of a currency per euro: orders of magnitude for banding, never a rate.
fn units_per_euro(code: &str) -> f64 {
    match code {
        "JPY" => 160.0,
        "KRW" => 1_500.0,
        "IDR" | "VND" => 20_000.0,
        "INR" | "THB" | "PHP" | "TWD" | "RUB" | "CZK" => 50.0,
        "HUF" => 400.0,
        "CNY" | "HKD" | "SEK" | "NOK" | "DKK" => 8.0,
        "MYR" | "PLN" | "AED" => 4.5,
        _ => 1.0,
    }
}

fn amount_band(input: &Input) -> Option<usize> {
    let amount = input.amount?.to_f64()?.abs();
    let euros = amount / input.currency.map_or(1.0, |currency| units_per_euro(currency.code()));
    (euros > 0.0).then(|| ((euros.ln() / 3.0_f64.ln()).floor().max(0.0) as usize).min(AMOUNT_BANDS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_lines(lines: &[&str]) -> Features {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        of(&Input { lines, merchant: Some("Qorvent".to_owned()), ..Input::default() }, &Brands::default())
    }

    #[test]
    fn grams_of_lines_and_of_names_never_share_a_bucket() {
        let name = of(&Input { merchant: Some("Qorvent Zashi".to_owned()), ..Input::default() }, &Brands::default());
        let lines = of_lines(&["Qorvent Zashi", "batteries and bulbs"]);
        let hashed =
            |f: &Features| f.values.iter().map(|(at, _)| *at as usize).filter(|at| *at >= DENSE).collect::<Vec<_>>();
        assert!(hashed(&name).iter().all(|at| (NAME_BUCKETS.0..NAME_BUCKETS.1).contains(at)));
        assert!(hashed(&lines).iter().any(|at| (TEXT_BUCKETS.0..TEXT_BUCKETS.1).contains(at)));
        assert!(lines.values.iter().all(|(at, _)| (*at as usize) < BUCKETS));
        let of_name = |f: &Features| hashed(f).into_iter().filter(|at| *at < NAME_BUCKETS.1).collect::<Vec<_>>();
        assert_eq!(of_name(&lines), of_name(&of_lines(&[])), "what lines say is no part of what the name says");
    }

    #[test]
    fn words_run_together_are_noticed_where_capitals_part_them() {
        let words = |f: &Features| f.noticed.text_words.iter().map(|hit| hit.word).collect::<Vec<_>>();
        assert!(words(&of_lines(&["LargeIcedTea 2.40"])).contains(&"iced tea"));
        assert!(!words(&of_lines(&["LARGEICEDTEAPOT"])).contains(&"iced tea"));
    }
}
