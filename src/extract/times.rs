//! Times of day as people print them.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::dates::{clip, regex, to_ascii_digits};
use crate::domain::time::CivilTime;

/// A printed time of day.
#[derive(Debug, Clone, PartialEq)]
pub struct PrintedTime {
    /// Bytes of the text it covers.
    pub range: Range<usize>,
    /// The time.
    pub time: CivilTime,
    /// Printed with seconds, AM/PM or a word such as `Uhr`.
    pub sure: bool,
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(\d{1,2})\s?([:：.;h時时点])\s?(\d{2})(?:\s?[:：.;m分]\s?(\d{2}))?\s*(a\.?m\b\.?|p\.?m\b\.?|uhr|hrs?\b)?",
    )
});
static WIDE_HALF: LazyLock<Regex> = LazyLock::new(|| regex(r"(上午|下午|晚上|오전|오후)\s?(\d{1,2})[:：](\d{2})"));

/// Every printed time of `text`, left to right.
pub fn find(text: &str) -> Vec<PrintedTime> {
    let text = clip(text);
    let ascii = to_ascii_digits(text);
    let mut found: Vec<PrintedTime> = Vec::new();
    for m in WIDE_HALF.captures_iter(&ascii) {
        let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i8>().ok());
        let (Some(all), Some(hour), Some(minute)) = (m.get(0), number(2), number(3)) else { continue };
        let late = matches!(m.get(1).map(|h| h.as_str()), Some("下午" | "晚上" | "오후"));
        let hour = if late && hour < 12 { hour + 12 } else { hour };
        if let Ok(time) = CivilTime::new(hour, minute, 0, 0) {
            found.push(PrintedTime { range: all.range(), time, sure: true });
        }
    }
    for m in TIME.captures_iter(&ascii) {
        let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i8>().ok());
        let (Some(all), Some(hour), Some(minute)) = (m.get(0), number(1), number(3)) else { continue };
        let half = m.get(5).map(|h| h.as_str().to_lowercase());
        let second = number(4);
        let separator = m.get(2).map_or("", |s| s.as_str());
        let free = !ascii[..all.start()].ends_with(|c: char| c.is_ascii_digit() && separator != ":")
            && !ascii[all.end()..].starts_with(|c: char| c.is_ascii_digit());
        // `12.30` is an amount unless a word says otherwise.
        if !free || (separator == "." && half.is_none()) || (separator == ";" && second.is_none()) {
            continue;
        }
        let hour = match half.as_deref() {
            Some(h) if h.starts_with('p') && (1..12).contains(&hour) => hour + 12,
            Some(h) if h.starts_with('a') && hour == 12 => 0,
            _ => hour,
        };
        let Ok(time) = CivilTime::new(hour, minute, second.unwrap_or(0), 0) else { continue };
        let range = all.range();
        if found.iter().any(|f| f.range.start < range.end && range.start < f.range.end) {
            continue;
        }
        found.push(PrintedTime { range, time, sure: second.is_some() || half.is_some() });
    }
    found.sort_by_key(|f| f.range.start);
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_with_their_half_of_the_day() {
        for (text, expected) in [
            ("8:13:39 PM", "20:13:39"),
            ("12:05 am", "00:05:00"),
            ("16.17 Uhr", "16:17:00"),
            ("12h30", "12:30:00"),
            ("下午 3:05", "15:05:00"),
            ("22:44", "22:44:00"),
        ] {
            let found: Vec<String> = find(text).iter().map(|t| t.time.to_string()).collect();
            assert_eq!(found, [expected], "{text}");
        }
        assert!(find("12.30").is_empty());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            for found in find(&text) {
                prop_assert!(text.get(found.range).is_some());
            }
        }

        #[test]
        fn no_digits_make_it_panic(text in "[0-9O/.:, 年月日aApPmM-]{0,40}") {
            find(&text);
        }
    }
}
