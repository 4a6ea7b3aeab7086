//! Days printed without their year, as timetables do, and the year they are of.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::days_apart;
use crate::{
    domain::time::CivilDate,
    extract::{dates, fold::is_cjk},
};

/// Days of one text that are looked at.
const MAX_DAYS: usize = 20;
/// A stay or a ride is billed at most this many days after it: what lies longer before the bill is the next year's.
const MAX_DAYS_BEFORE: i32 = 60;

/// A day of a month.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bare {
    day: i8,
    month: i8,
    /// Bytes of the text.
    pub range: Range<usize>,
}

/// `28.12.` and `28/12`, `28 Dec`, `Dec 28`, `12月28日`.
static FORMS: LazyLock<Vec<(Regex, Order)>> = LazyLock::new(|| {
    [
        (r"(\d{1,2})月(\d{1,2})[日号號]", Order::MonthFirst),
        (r"(\d{1,2})\.\s?(\d{1,2})\.", Order::DayFirst),
        (r"(\d{1,2})/(\d{2})", Order::Unsure),
        (r"(\d{1,2})\.?[\s-]{0,2}(\p{L}{3,10})", Order::DayFirst),
        (r"(\p{L}{3,10})\.?[\s-](\d{1,2})", Order::MonthFirst),
    ]
    .into_iter()
    .filter_map(|(pattern, order)| Regex::new(pattern).ok().map(|pattern| (pattern, order)))
    .collect()
});

#[derive(Debug, Clone, Copy)]
enum Order {
    DayFirst,
    MonthFirst,
    Unsure,
}

/// Every day without a year in `text`, left to right.
pub(super) fn find(text: &str, is_day_first: bool) -> Vec<Bare> {
    let text = dates::clip(text);
    let mut found: Vec<Bare> = Vec::new();
    for (pattern, order) in FORMS.iter() {
        for groups in pattern.captures_iter(text).take(MAX_DAYS) {
            let (Some(all), Some(first), Some(second)) = (groups.get(0), groups.get(1), groups.get(2)) else {
                continue;
            };
            let range = all.range();
            let (before, after) = (&text[..range.start], &text[range.end..]);
            // A part of a number, a time, a year or a word is none.
            let is_word = |c: char| c.is_alphanumeric() && !is_cjk(c);
            if before.ends_with(|c: char| is_word(c) || matches!(c, '.' | ',' | '/' | ':' | '-'))
                || after.starts_with(|c: char| is_word(c) || matches!(c, '/' | '%' | '€' | '$'))
                || after.starts_with([':', '-', '.', ',']) && after[1..].starts_with(|c: char| c.is_ascii_digit())
                || found.iter().any(|known| known.range.start < range.end && range.start < known.range.end)
            {
                continue;
            }
            let number = |text: &str| text.parse::<i8>().ok().or_else(|| dates::month_by_name(text));
            let day_first = match order {
                Order::DayFirst => true,
                Order::MonthFirst => false,
                Order::Unsure => is_day_first,
            };
            let (day, month) = if day_first { (first, second) } else { (second, first) };
            let (Ok(day), Some(month)) = (day.as_str().parse(), number(month.as_str())) else { continue };
            // A leap year tells whether there is such a day at all.
            if CivilDate::new(2024, month, day).is_ok() {
                found.push(Bare { day, month, range });
            }
        }
    }
    found.sort_by_key(|bare| bare.range.start);
    found
}

impl Bare {
    /// With its year: that of the same day printed in full elsewhere on the paper; else of a bill shortly after it, else of
    /// the first such day from the day of issue on; without one the nearest to `today`.
    pub(super) fn in_year(
        &self,
        printed: &[CivilDate],
        issued: Option<CivilDate>,
        today: CivilDate,
    ) -> Option<CivilDate> {
        let is_same = |date: &&CivilDate| (date.day(), date.month()) == (self.day, self.month);
        if let Some(date) = printed.iter().filter(is_same).min() {
            return Some(*date);
        }
        let around = issued.unwrap_or(today).year();
        let years = around.saturating_sub(1)..=around.saturating_add(1);
        let mut days = years.filter_map(|year| CivilDate::new(year, self.month, self.day).ok());
        match issued {
            Some(issued) => days.find(|day| *day >= issued || days_apart(*day, issued) <= MAX_DAYS_BEFORE),
            None => days.min_by_key(|day| days_apart(*day, today)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn days(text: &str) -> Vec<(i8, i8)> {
        find(text, true).into_iter().map(|bare| (bare.day, bare.month)).collect()
    }

    #[test]
    fn days_without_a_year_are_told_from_amounts_times_and_numbers() {
        for (text, expected) in [
            ("09.07. 14:34 RJ 76", (9, 7)),
            ("15/07 à 17h50", (15, 7)),
            ("03 OCT 18:40", (3, 10)),
            ("20-Jul", (20, 7)),
            ("October 3, 18:40", (3, 10)),
            ("7 Jun 12 seats", (7, 6)),
            ("09JAN", (9, 1)),
            ("12月28日 星期六 08:15开", (28, 12)),
        ] {
            assert_eq!(days(text), [expected], "{text}");
        }
        for text in [
            "12.50",
            "9.10€",
            "9/10€",
            "5/10%",
            "1/12.50",
            "1/48",
            "08:15",
            "31/02",
            "32.12.",
            "1.12.5",
            "3.17.11. ",
            "117.11. ",
            "A1/12",
            "17.11.2026",
            "09JANHKG",
            "3 rooms",
        ] {
            assert!(days(text).is_empty(), "{text}: {:?}", days(text));
        }
        assert_eq!(find("03/04", false)[0].day, 4);
    }

    #[test]
    fn its_year_is_the_papers_or_that_of_the_next_such_day_or_of_a_bill_soon_after() {
        let bare = |text: &str| find(text, true).remove(0);
        let (today, issued) = (date(2026, 11, 20), Some(date(2025, 12, 27)));
        assert_eq!(bare("7 Jun").in_year(&[date(2024, 6, 7)], issued, today), Some(date(2024, 6, 7)));
        assert_eq!(bare("7 Jun").in_year(&[], issued, today), Some(date(2026, 6, 7)));
        assert_eq!(bare("20 Dec").in_year(&[], issued, today), Some(date(2025, 12, 20)), "a stay billed after it");
        assert_eq!(bare("2 Jan").in_year(&[], None, today), Some(date(2027, 1, 2)));
        assert_eq!(bare("29 Feb").in_year(&[], issued, today), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([0-9]{1,2}|[./ -]|月|日|[A-Za-zä]{1,4}|\\PC){0,30}") {
            for bare in find(&text, true) {
                prop_assert!(text.get(bare.range).is_some());
            }
        }
    }
}
