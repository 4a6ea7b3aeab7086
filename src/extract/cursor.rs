//! A text as characters with full-width forms and typographic signs made plain, and what stands around a number in it.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::numbers::MAX_CHARS;

/// Characters of a text with where each came from; looking outside gives `\0`.
pub struct Cursor {
    /// Folded characters.
    pub chars: Vec<char>,
    origin: Vec<usize>,
    end: usize,
}

impl Cursor {
    /// Folds the first [`MAX_CHARS`] characters of `text`.
    pub fn new(text: &str) -> Self {
        let mut chars = Vec::new();
        let mut origin = Vec::new();
        let mut end = 0;
        for (at, c) in text.char_indices().take(MAX_CHARS) {
            // One character in, one out: full-width digits and signs become ASCII.
            let mut folded = std::iter::once(c).nfkc();
            let first = folded.next().unwrap_or(c);
            let plain = match first {
                '’' | '‘' | '´' | '`' | '′' => '\'',
                '，' => ',',
                '．' | '。' => '.',
                '–' | '—' | '−' | '―' => '-',
                '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
                other => other,
            };
            chars.push(plain);
            origin.push(at);
            end = at + c.len_utf8();
        }
        Self { chars, origin, end }
    }

    /// The character at `i`.
    pub fn at(&self, i: usize) -> char {
        self.chars.get(i).copied().unwrap_or('\0')
    }

    /// The character before `i`.
    pub fn before(&self, i: usize) -> char {
        i.checked_sub(1).map_or('\0', |i| self.at(i))
    }

    /// The bytes of the text that a range of characters covers.
    pub fn bytes(&self, range: Range<usize>) -> Range<usize> {
        let start = self.origin.get(range.start).copied().unwrap_or(self.end);
        start..self.origin.get(range.end).copied().unwrap_or(self.end)
    }
}

/// Digits and separators of one amount that are looked at.
const MAX_DIGITS: usize = 16;
/// Signs and codes of money as printed, longest first; compared without case.
const MONEY_MARKS: &[&str] = &[
    "人民币",
    "us$",
    "nt$",
    "hk$",
    "sgd",
    "s$",
    "a$",
    "c$",
    "r$",
    "myr",
    "usd",
    "eur",
    "chf",
    "gbp",
    "cny",
    "rmb",
    "jpy",
    "twd",
    "hkd",
    "idr",
    "inr",
    "thb",
    "zar",
    "pln",
    "czk",
    "sek",
    "nok",
    "dkk",
    "aud",
    "cad",
    "krw",
    "vnd",
    "php",
    "rm",
    "rs",
    "rp",
    "sfr",
    "fr",
    "kr",
    "zł",
    "zl",
    "kč",
    "€",
    "$",
    "£",
    "¥",
    "₹",
    "฿",
    "₩",
    "₫",
    "₱",
    "元",
    "圆",
    "円",
    "圓",
    "块",
];

/// Those of them whose countries set a space between thousands.
const SPACED_MARKS: &[&str] = &[
    "sek", "nok", "dkk", "isk", "czk", "pln", "huf", "rub", "uah", "eur", "zar", "kr", "zł", "zl", "kč", "ft", "₽",
    "₴", "€",
];

/// Whether a sign or code of money ends right before `start`; letters only when they stand alone.
pub fn money_ends_at(cursor: &Cursor, start: usize) -> bool {
    ends_at(cursor, start, MONEY_MARKS)
}

/// The same for currencies whose countries set a space between thousands.
pub fn spaced_money_ends_at(cursor: &Cursor, start: usize) -> bool {
    ends_at(cursor, start, SPACED_MARKS)
}

fn ends_at(cursor: &Cursor, start: usize, marks: &[&str]) -> bool {
    let mut end = start;
    let mut skipped = 0;
    while skipped < 2 && matches!(cursor.before(end), ' ' | '.' | ':' | '-' | '*') && end > 0 {
        end -= 1;
        skipped += 1;
    }
    // A dollar sign read as a letter touches its number and nothing else.
    if marks.contains(&"$")
        && end == start
        && cursor.before(start) == 'S'
        && !cursor.before(start - 1).is_alphanumeric()
    {
        return true;
    }
    // So does the rand's, `R215.50`; `R12` is a register.
    if marks.contains(&"$")
        && end == start
        && cursor.before(start) == 'R'
        && !cursor.before(start - 1).is_alphanumeric()
        && has_cents(cursor, start)
    {
        return true;
    }
    marks.iter().any(|mark| {
        let length = mark.chars().count();
        let Some(from) = end.checked_sub(length) else { return false };
        // `TotalRM17.80`: a code in capitals after a small letter is a word of its own.
        let changes_case =
            cursor.before(from).is_lowercase() && length > 1 && (from..end).all(|i| cursor.at(i).is_uppercase());
        matches_at(cursor, from, mark) && (!is_word(mark) || !cursor.before(from).is_alphabetic() || changes_case)
    })
}

/// Whether the number that starts at `start` ends in a point and two digits.
fn has_cents(cursor: &Cursor, start: usize) -> bool {
    let number = (start..start + MAX_DIGITS).take_while(|i| matches!(cursor.at(*i), '0'..='9' | ',' | '.'));
    let end = number.last().map_or(start, |last| last + 1);
    end >= start + 4 && cursor.at(end - 3) == '.' && (end - 2..end).all(|i| cursor.at(i).is_ascii_digit())
}

/// Whether a sign or code of money starts right after `end`.
pub fn money_starts_at(cursor: &Cursor, end: usize) -> bool {
    starts_at(cursor, end, MONEY_MARKS)
}

/// The same for currencies whose countries set a space between thousands.
pub fn spaced_money_starts_at(cursor: &Cursor, end: usize) -> bool {
    starts_at(cursor, end, SPACED_MARKS)
}

fn starts_at(cursor: &Cursor, end: usize, marks: &[&str]) -> bool {
    let from = if cursor.at(end) == ' ' { end + 1 } else { end };
    marks.iter().any(|mark| {
        let length = mark.chars().count();
        // `12.50 Rs` is money, `2 Rspberry` is not; `5 Fr` and `5 fries` likewise.
        matches_at(cursor, from, mark) && (!is_word(mark) || !cursor.at(from + length).is_alphanumeric())
    })
}

fn is_word(mark: &str) -> bool {
    mark.chars().all(|c| c.is_ascii_alphabetic())
}

fn matches_at(cursor: &Cursor, from: usize, mark: &str) -> bool {
    mark.chars().enumerate().all(|(k, m)| cursor.at(from + k).to_lowercase().eq(std::iter::once(m)))
}

/// Whether the number is multiplied: `@ 3.50`, `2 x`, `3.50 x 2`, `2*3.50`.
pub fn is_factor(cursor: &Cursor, start: usize, end: usize) -> bool {
    let mut before = start;
    while before > 0 && start - before < 3 && cursor.before(before) == ' ' {
        before -= 1;
    }
    let mut after = end;
    while after < end + 3 && cursor.at(after) == ' ' {
        after += 1;
    }
    let times = |c: char| matches!(c, '@' | '×' | '*');
    let letter_x = |c: char| matches!(c, 'x' | 'X');
    let (b, a) = (cursor.before(before), cursor.at(after));
    let x_before = letter_x(b) && !cursor.before(before.saturating_sub(1)).is_alphabetic();
    let x_after = letter_x(a) && !cursor.at(after + 1).is_alphabetic();
    let star_after = times(a) && cursor.at(after + 1).is_ascii_digit() || a == '@' || a == '×';
    let star_before = times(b) && (b != '*' || cursor.before(before - 1).is_ascii_digit());
    x_before || x_after || star_after || star_before
}
