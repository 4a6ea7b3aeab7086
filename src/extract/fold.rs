//! Folding text for comparison: what a label or a name looks like once recognition errors, case and spacing are ignored.

use unicode_normalization::UnicodeNormalization;

/// The most characters of one text that are folded; longer text is cut. A printed row has far fewer.
pub const MAX_FOLDED_CHARS: usize = 2000;

/// Text reduced to comparable letters, each knowing where it came from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Folded {
    /// The letters and digits left: lower case, without accents, lookalikes unified.
    pub chars: Vec<char>,
    /// Byte offset in the source of the character each folded one came from.
    pub origin: Vec<usize>,
    /// Whether a word starts at the position (space, punctuation or a change of kind before it).
    pub starts: Vec<bool>,
}

/// Maps characters that recognition confuses onto one: `0`/`o`, `1`/`i`/`l`/`|`, `5`/`s`, `8`/`b`.
fn unify(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | 'i' | '|' | '!' | 'ı' => 'l',
        '5' | '$' => 's',
        '8' => 'b',
        _ => c,
    }
}

#[derive(PartialEq, Clone, Copy)]
enum Kind {
    Digit,
    Latin,
    Wide,
}

fn kind(c: char) -> Kind {
    if c.is_ascii_digit() {
        Kind::Digit
    } else if is_cjk(c) {
        Kind::Wide
    } else {
        Kind::Latin
    }
}

/// Whether `c` is a Chinese character, kana or hangul: scripts written without spaces.
pub fn is_cjk(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF)
}

impl Folded {
    /// Folds `text`; `lookalikes` also unifies characters that recognition confuses.
    pub fn new(text: &str, lookalikes: bool) -> Self {
        let mut out = Self::default();
        let mut before: Option<Kind> = None;
        for (at, source) in text.char_indices().take(MAX_FOLDED_CHARS) {
            let mut kept = false;
            // NFKD: full-width forms become ASCII, accents become separate marks and are dropped.
            for c in std::iter::once(source).nfkd().flat_map(char::to_lowercase) {
                let bar = lookalikes && matches!(c, '|' | '!');
                if !c.is_alphanumeric() && !bar {
                    continue;
                }
                let now = kind(c);
                // A lookalike digit inside a word (`T0TAL`) is no boundary.
                let changed = before.is_none_or(|b| b != now && (!lookalikes || b == Kind::Wide || now == Kind::Wide));
                out.starts.push(changed);
                out.chars.push(if lookalikes { unify(c) } else { c });
                out.origin.push(at);
                before = Some(now);
                kept = true;
            }
            // Combining marks of the source itself are no boundary.
            if !kept && !is_mark(source) {
                before = None;
            }
        }
        out
    }

    /// Whether a word ends before position `at`.
    pub fn is_boundary(&self, at: usize) -> bool {
        self.starts.get(at).copied().unwrap_or(true)
    }

    /// The folded letters as one string.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }
}

fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0300..=0x036F)
}

/// Letters of a text.
pub fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).count()
}

/// A name folded for comparison: lower case, NFKC, without spaces and punctuation.
pub fn fold_name(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).take(MAX_FOLDED_CHARS).collect()
}

/// The most characters compared by [`distance`]; beyond it names are not told apart by edits.
const MAX_DISTANCE_CHARS: usize = 200;

/// Levenshtein distance in characters, of the first 200 characters of each.
pub fn distance(a: &[char], b: &[char]) -> usize {
    let a = &a[..a.len().min(MAX_DISTANCE_CHARS)];
    let b = &b[..b.len().min(MAX_DISTANCE_CHARS)];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let next = (diagonal + usize::from(ca != cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

/// Similarity of two folded names: 1 − Levenshtein distance / length of the longer, 0 to 1.
pub fn similarity(a: &str, b: &str) -> f32 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let longer = a.len().max(b.len()).min(MAX_DISTANCE_CHARS);
    if longer == 0 {
        return 1.0;
    }
    1.0 - distance(&a, &b) as f32 / longer as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookalikes_accents_width_and_case_fold_away() {
        assert_eq!(Folded::new("T0TAL", true).text(), Folded::new("total", true).text());
        assert_eq!(Folded::new("Währung", false).text(), "wahrung");
        assert_eq!(Folded::new("ＴＯＴＡＬ：", false).text(), "total");
        assert_eq!(fold_name("Mr. D.I.Y. (Johor) Sdn Bhd"), "mrdiyjohorsdnbhd");
    }

    #[test]
    fn words_start_where_a_person_sees_them_start() {
        let folded = Folded::new("sub total:合计9", false);
        let starts: Vec<char> = folded.chars.iter().zip(&folded.starts).filter(|(_, s)| **s).map(|(c, _)| *c).collect();
        assert_eq!(starts, ['s', 't', '合', '9']);
    }

    #[test]
    fn similarity_counts_edits_against_the_longer_name() {
        assert!((similarity("walmart", "walmart") - 1.0).abs() < 1e-6);
        assert!((similarity("walmart", "wa1mart") - 6.0 / 7.0).abs() < 1e-6);
        assert!(similarity("", "abc") < 1e-6);
    }
}
