//! Dates as people print them, with every reading an ambiguous one allows.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::domain::time::CivilDate;

/// Characters of one text that are searched.
pub const MAX_CHARS: usize = 600;
/// Years back from today a receipt may plausibly be dated; older readings are dropped.
pub const MAX_AGE_YEARS: i16 = 30;
/// Years ahead of today a reading may lie (due dates, wrong clocks); later readings are dropped.
pub const MAX_AHEAD_YEARS: i16 = 2;

/// In which order and form a date was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Year first with four digits, `2024-01-31`, `2024年1月31日`.
    YearFirst,
    /// Day, month, year in digits.
    DayFirst,
    /// Month, day, year in digits.
    MonthFirst,
    /// Year first with two digits, `24-01-31`.
    ShortYearFirst,
    /// With the name of the month.
    Named,
    /// Eight digits without separators.
    Compact,
}

/// One way to read a printed date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The date.
    pub date: CivilDate,
    /// How it was read.
    pub form: Form,
}

/// A printed date.
#[derive(Debug, Clone, PartialEq)]
pub struct PrintedDate {
    /// Bytes of the text it covers.
    pub range: Range<usize>,
    /// Every reading that is a calendar date in the window; more than one when it is ambiguous.
    pub readings: Vec<Reading>,
}

pub(super) fn regex(pattern: &str) -> Regex {
    // The patterns are constants covered by tests; one that does not compile finds nothing.
    Regex::new(pattern).unwrap_or_else(|_| Regex::new("$^").unwrap_or_else(|_| unreachable!("`$^` is a pattern")))
}

static DIGITS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(\d{1,4})\s?([-/.·,、_' ~—–]|\. )\s?(\d{1,2})\s?([-/.·,、_' ~—–]|\. )\s?'?(\d{2,12})"));
static WIDE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(民国|民國|令和|R)?\s?(\d{1,4})\s?[年]\s?(\d{1,2})\s?[月]\s?(\d{1,2})\s?[日号號]?"));
static NAMED_DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(\d{1,2})\s?(?:st|nd|rd|th|\.|er|º|°)?[\s\-/.,]{0,3}(?:de |of )?\s?(\p{L}{3,10})[\s\-/.,'´’`]{0,3}(\d{4}|\d{2})",
    )
});
static NAMED_MONTH_FIRST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(\p{L}{3,10})[\s\-/.,]{0,2}(\d{1,2})(?:st|nd|rd|th)?[\s\-/.,'´’`]{0,3}(\d{4}|\d{2})"));
/// `Jul24'13 11:52PM`, `FEB11:08 8:11PM` as American tills print it: an `l` may be read as 1, the apostrophe as a colon.
static TILL: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(jan|feb|mar|apr|may|jun|ju[l1i]|aug|sep|oct|nov|dec)[. ]?(\d{2})(['’`´:])(\d{2})\b(\s?\(?\p{L}{0,3}\)?\s?\d{1,2}:\d{2})?",
    )
});
/// `Ju1/24/2016`: an `l` read as 1 must not become the month's number.
static JULY: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(?i)\bju[1|][\s/.\-,]{0,2}(\d{1,2})(?:st|nd|rd|th)?[\s/.\-,'´’`]{1,3}(\d{4}|\d{2})\b"));
/// A year in short after an apostrophe.
static SHORT_YEAR: LazyLock<Regex> = LazyLock::new(|| regex(r"^['’`´]\d{2}\b"));
static NAMED_YEAR_FIRST: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(\d{4})[\s\-/.,]{1,2}(\p{L}{3,10})[\s\-/.,]{1,2}(\d{1,2})"));
static COMPACT: LazyLock<Regex> = LazyLock::new(|| regex(r"\d{8}"));
/// `28.042019`: the second separator was lost.
static HALF_GLUED: LazyLock<Regex> = LazyLock::new(|| regex(r"(\d{2})[-/. ](\d{2})((?:19|20)\d{2})"));
/// `1172372015 09:41`: both slashes were read as a 7; the time after it tells the date from a number.
static SLASHES_AS_SEVEN: LazyLock<Regex> =
    LazyLock::new(|| regex(r"(\d{2})7(\d{2})7((?:19|20)\d{2}) {1,3}[0-2]?\d:[0-5]\d"));
/// Minutes after an hour, and no seconds: `13:05:00` after a short year lost its blank more often.
static MINUTES: LazyLock<Regex> = LazyLock::new(|| regex(r"^:[0-5]\d(?:$|[^\d:])"));
/// A time after a date and a dash.
static DASHED_TIME: LazyLock<Regex> = LazyLock::new(|| regex(r"^-\d{1,2}[:.]\d{2}"));

/// Names of months, folded, in English, German, French, Italian, Malay/Indonesian, Spanish, Dutch.
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "janner", "janvier", "gennaio", "januari", "enero", "janv", "jan", "gen", "ene"],
    &["february", "februar", "fevrier", "febbraio", "februari", "febrero", "fevr", "feb", "fev"],
    &["march", "marz", "maerz", "mars", "marzo", "mac", "maret", "maart", "mar", "mrz", "mrt"],
    &["april", "avril", "aprile", "abril", "apr", "avr", "abr"],
    &["may", "mai", "maggio", "mei", "mayo", "mag"],
    &["june", "juni", "juin", "giugno", "jun", "junio", "giu"],
    &["july", "juli", "juillet", "luglio", "julai", "jul", "julio", "juil", "lug"],
    &["august", "aout", "agosto", "ogos", "agustus", "augustus", "aug", "ago", "agu"],
    &["september", "septembre", "settembre", "septiembre", "sept", "sep", "set"],
    &["october", "oktober", "octobre", "ottobre", "octubre", "oct", "okt", "ott"],
    &["november", "novembre", "noviembre", "nov", "nop"],
    &[
        "december",
        "dezember",
        "decembre",
        "dicembre",
        "disember",
        "desember",
        "diciembre",
        "dec",
        "dez",
        "dis",
        "dic",
        "des",
    ],
];

pub(super) fn month_by_name(name: &str) -> Option<i8> {
    let folded = super::fold::Folded::new(name, false).text();
    let exact = MONTHS.iter().position(|names| names.contains(&folded.as_str()));
    // `0CT`, `JUI`: lookalikes, only for the whole name.
    let similar = || {
        let folded = super::fold::Folded::new(name, true).text();
        MONTHS.iter().position(|names| names.iter().any(|n| super::fold::Folded::new(n, true).text() == folded))
    };
    // `TuesdayMarch` and `FridayMar` glued to the name of the day.
    let glued = || {
        let rest = folded.find("day").map(|at| &folded[at + 3..]).filter(|r| r.len() >= 3)?;
        MONTHS.iter().position(|names| names.contains(&rest))
    };
    exact.or_else(similar).or_else(glued).map(|m| m as i8 + 1)
}

struct Window {
    from: CivilDate,
    to: CivilDate,
    today: CivilDate,
}

impl Window {
    fn new(today: CivilDate) -> Self {
        let shift = |years: i16| CivilDate::new((today.year() + years).clamp(-9999, 9999), 1, 1).unwrap_or(today);
        Self { from: shift(-MAX_AGE_YEARS), to: shift(MAX_AHEAD_YEARS + 1), today }
    }

    fn date(&self, year: i32, month: i32, day: i32) -> Option<CivilDate> {
        let date =
            CivilDate::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        (date >= self.from && date < self.to).then_some(date)
    }

    /// The year `two` digits stand for: the latest one not after next year.
    fn century(&self, two: i32) -> i32 {
        let next = i32::from(self.today.year()) + 1;
        let base = next - next.rem_euclid(100);
        if base + two > next { base + two - 100 } else { base + two }
    }
}

/// Every printed date of `text`, left to right.
pub fn find(text: &str, today: CivilDate) -> Vec<PrintedDate> {
    let text = clip(text);
    let window = Window::new(today);
    let ascii = to_ascii_digits(text);
    let mut found: Vec<PrintedDate> = Vec::new();
    let mut add = |range: Range<usize>, readings: Vec<Reading>| {
        if readings.is_empty() || text.get(range.clone()).is_none() {
            return;
        }
        if found.iter().any(|f: &PrintedDate| f.range.start < range.end && range.start < f.range.end) {
            return;
        }
        found.push(PrintedDate { range, readings });
    };
    for m in WIDE.captures_iter(&ascii) {
        let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i32>().ok());
        let (Some(all), Some(year), Some(month), Some(day)) = (m.get(0), number(2), number(3), number(4)) else {
            continue;
        };
        let year = match m.get(1).map(|e| e.as_str()) {
            Some("民国" | "民國") => year + 1911,
            Some("令和" | "R") => year + 2018,
            // A bare three-digit year is one of the Republic; two digits are a Western short year.
            _ if (100..200).contains(&year) => year + 1911,
            _ if year < 100 => window.century(year),
            _ => year,
        };
        let reading = window.date(year, month, day).map(|date| Reading { date, form: Form::YearFirst });
        add(all.range(), reading.into_iter().collect());
    }
    for m in TILL.captures_iter(&ascii) {
        let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i32>().ok());
        let (Some(from), Some(month), Some(to)) = (m.get(0), m.get(1), m.get(4)) else { continue };
        let (Some(month), Some(day), Some(year)) = (month_by_name(month.as_str()), number(2), number(4)) else {
            continue;
        };
        // `Feb 11:08` alone is a day and a time.
        if m.get(3).is_some_and(|s| s.as_str() == ":") && m.get(5).is_none() {
            continue;
        }
        let reading = window.date(window.century(year), i32::from(month), day);
        add(from.start()..to.end(), reading.map(|date| Reading { date, form: Form::Named }).into_iter().collect());
    }
    for m in JULY.captures_iter(&ascii) {
        let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i32>().ok());
        let (Some(all), Some(day), Some(year)) = (m.get(0), number(1), number(2)) else { continue };
        let year = if year < 100 { window.century(year) } else { year };
        let reading = window.date(year, 7, day).map(|date| Reading { date, form: Form::Named });
        add(all.range(), reading.into_iter().collect());
    }
    for (pattern, day_at, month_at, year_at) in
        [(&NAMED_YEAR_FIRST, 3, 2, 1), (&NAMED_DAY_FIRST, 1, 2, 3), (&NAMED_MONTH_FIRST, 2, 1, 3)]
    {
        let mut at = 0;
        // Bounded by the text: each turn moves past the start of a match.
        while let Some(m) = pattern.captures_at(&ascii, at) {
            let Some(all) = m.get(0) else { break };
            let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i32>().ok());
            let date = || {
                // `#003 MAR.08'12`: what ends a longer number is no day, and the year is yet to come.
                let rest = ascii.get(all.end()..).unwrap_or("");
                if ascii[..all.start()].ends_with(|c: char| c.is_ascii_digit()) || SHORT_YEAR.is_match(rest) {
                    return None;
                }
                // `09 MAR 14:20` is an hour of a day without a year, not 2014.
                if is_hour(m.get(year_at)?, &ascii) {
                    return None;
                }
                let month = month_by_name(m.get(month_at)?.as_str())?;
                let year = number(year_at).map(|y| if y < 100 { window.century(y) } else { y })?;
                window.date(year, i32::from(month), number(day_at)?)
            };
            match date() {
                Some(date) => {
                    add(all.range(), vec![Reading { date, form: Form::Named }]);
                    at = all.end();
                }
                // `3 CLOSED 23 Nov 17`: what failed must not swallow the day that follows.
                None => at = all.start() + m.get(1).map_or(1, |g| g.len().max(1)),
            }
        }
    }
    let mut at = 0;
    // Bounded by the text: each turn moves past the start of a match.
    while let Some(m) = ascii.get(at..).and_then(|rest| DIGITS.captures(rest)) {
        let Some(all) = m.get(0) else { break };
        let start = at + all.start();
        let free = !ascii[..start].ends_with(|c: char| c.is_ascii_digit());
        let (readings, length) =
            if free { digit_readings(&m, ascii.get(at + all.end()..).unwrap_or(""), &window) } else { (Vec::new(), 0) };
        if readings.is_empty() {
            // Past the first group only: `1 25/12/2018` starts over at 25.
            at = start + m.get(1).map_or(1, |g| g.len().max(1));
            continue;
        }
        add(start..start + length, readings);
        at = start + length.max(1);
    }
    for m in HALF_GLUED.captures_iter(&ascii).chain(SLASHES_AS_SEVEN.captures_iter(&ascii)) {
        let number = |i: usize| m.get(i).and_then(|d| d.as_str().parse::<i32>().ok());
        let (Some(first), Some(last), Some(a), Some(b), Some(year)) =
            (m.get(1), m.get(3), number(1), number(2), number(3))
        else {
            continue;
        };
        let range = first.start()..last.end();
        let free = !ascii[..range.start].ends_with(|c: char| c.is_ascii_alphanumeric())
            && !ascii[range.end..].starts_with(|c: char| c.is_ascii_digit());
        if free {
            let day_first = window.date(year, b, a).map(|date| Reading { date, form: Form::DayFirst });
            let month_first = window.date(year, a, b).map(|date| Reading { date, form: Form::MonthFirst });
            let mut readings: Vec<Reading> = day_first.into_iter().collect();
            readings.extend(month_first.filter(|m| readings.iter().all(|r| r.date != m.date)));
            add(range, readings);
        }
    }
    for m in COMPACT.find_iter(&ascii) {
        let free = !ascii[..m.start()].ends_with(|c: char| c.is_ascii_alphanumeric())
            && !ascii[m.end()..].starts_with(|c: char| c.is_ascii_digit());
        let Ok(number) = m.as_str().parse::<i32>() else { continue };
        if !free {
            continue;
        }
        let year_first = window.date(number / 10_000, number / 100 % 100, number % 100);
        let day_first = window.date(number % 10_000, number / 10_000 % 100, number / 1_000_000);
        let reading = year_first.or(day_first).map(|date| Reading { date, form: Form::Compact });
        add(m.range(), reading.into_iter().collect());
    }
    found.sort_by_key(|f| f.range.start);
    found
}

/// Whether two digits that may be a short year are the hour of a time: only blanks lead to them, and minutes follow.
fn is_hour(digits: regex::Match<'_>, text: &str) -> bool {
    let before = text.get(..digits.start()).unwrap_or("");
    digits.len() == 2 && before.ends_with(' ') && MINUTES.is_match(text.get(digits.end()..).unwrap_or(""))
}

/// Readings of three groups of digits, and the bytes they take; a time may be glued to the year.
fn digit_readings(m: &regex::Captures<'_>, rest: &str, window: &Window) -> (Vec<Reading>, usize) {
    let none = (Vec::new(), 0);
    let group = |i: usize| m.get(i).map_or("", |g| g.as_str());
    let (first, second, third) = (group(1), group(3), group(5));
    let separators = (group(2).trim(), group(4).trim());
    // Two different separators are two different things, unless a point was misread as a comma or lost.
    let point = |s: &str| matches!(s, "." | "," | "·");
    let blank = (separators.0.is_empty(), separators.1.is_empty());
    let similar = match blank {
        (false, false) => separators.0 == separators.1 || (point(separators.0) && point(separators.1)),
        // One separator lost: only between full groups, as `1 26.08.22` is a number before a date.
        (true, false) | (false, true) => first.len() >= 2 && second.len() == 2,
        (true, true) => {
            (first.len() == 2 && third.len() == 4) || (first.len() == 4 && second.len() == 2 && third.len() == 2)
        }
    };
    let start = m.get(0).map_or(0, |g| g.start());
    let third_at = m.get(5).map_or(0, |g| g.start()) - start;
    let more = rest.as_bytes();
    // `08/05/2019-17:20`: a dash may lead to the time where dates are written with something else.
    let to_time = third.len() == 4 && separators.1 != "-" && DASHED_TIME.is_match(rest);
    let goes_on = matches!(more.first(), Some(b'.' | b'/' | b'-')) && more.get(1).is_some_and(u8::is_ascii_digit);
    // `09/23 14:32`: where a separator seems lost, an hour is no year.
    let is_hour = (blank.0 || blank.1) && third.len() == 2 && more.first() == Some(&b':');
    // `05.09. 18:40`: as is one that stands apart, with its minutes.
    let is_apart = m.get(0).and_then(|all| all.as_str().get(..third_at)).is_some_and(|before| before.ends_with(' '));
    let is_hour = is_hour || (is_apart && third.len() == 2 && MINUTES.is_match(rest));
    if !similar || is_hour || (goes_on && !to_time) {
        return none;
    }
    let (Ok(a), Ok(b)) = (first.parse::<i32>(), second.parse::<i32>()) else { return none };
    let mut readings: Vec<Reading> = Vec::new();
    let push = |readings: &mut Vec<Reading>, date: Option<CivilDate>, form: Form| {
        if let Some(date) = date
            && readings.iter().all(|r| r.date != date)
        {
            readings.push(Reading { date, form });
        }
    };
    if first.len() >= 3 {
        // 2024-01-31, 109/11/19 of the Republic
        let year = if (100..200).contains(&a) { a + 1911 } else { a };
        let day = third.get(..2).and_then(|d| d.parse::<i32>().ok()).unwrap_or(0);
        if first.len() == 4 || (100..200).contains(&a) {
            push(&mut readings, window.date(year, b, day), Form::YearFirst);
        }
        return (readings, third_at + 2);
    }
    // `25/12/201810:22`: four digits of year when they make one, else two.
    let four = third.get(..4).and_then(|y| y.parse::<i32>().ok());
    // `04.06.2017:45` lost its blank: two digits of year, then the time.
    let hour = third.get(2..4).and_then(|h| h.parse::<u8>().ok()).is_some_and(|h| h < 24);
    let digits_after = |n: usize| more.get(1..=n).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
    let glued = third.len() == 4 && hour && more.first() == Some(&b':') && digits_after(2);
    let plausible =
        four.filter(|_| !glued).filter(|y| (window.from.year()..window.to.year()).contains(&(*y as i16)) && *y < 9999);
    if let Some(year) = plausible {
        push(&mut readings, window.date(year, b, a), Form::DayFirst);
        push(&mut readings, window.date(year, a, b), Form::MonthFirst);
        if !readings.is_empty() {
            return (readings, third_at + 4);
        }
    }
    if third.len() == 3
        || (third.len() == 4 && plausible.is_none() && !separators.0.is_empty() && third.starts_with("00"))
    {
        return none;
    }
    let Some(short) = third.get(..2).and_then(|y| y.parse::<i32>().ok()) else { return none };
    push(&mut readings, window.date(window.century(short), b, a), Form::DayFirst);
    push(&mut readings, window.date(window.century(short), a, b), Form::MonthFirst);
    if first.len() == 2 {
        push(&mut readings, window.date(window.century(a), b, short), Form::ShortYearFirst);
    }
    (readings, third_at + 2)
}

/// The part of the text that is searched.
pub(super) fn clip(text: &str) -> &str {
    text.char_indices().nth(MAX_CHARS).map_or(text, |(at, _)| &text[..at])
}

/// Full-width digits would change byte offsets if replaced; texts with them are rare and left to `numbers`.
/// Lookalikes are repaired in place, one byte for one: `O1/O2/2018`.
pub(super) fn to_ascii_digits(text: &str) -> String {
    let bytes = text.as_bytes();
    let near = |i: usize| {
        let mark = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_digit() || matches!(b, b'/' | b'-'));
        let before = i.checked_sub(1).and_then(|i| bytes.get(i));
        let after = bytes.get(i + 1);
        (mark(before) && mark(after))
            && (before.is_some_and(u8::is_ascii_digit) || after.is_some_and(u8::is_ascii_digit))
    };
    let follows = |i: usize, tail: &[u8]| bytes.get(i + 1..i + 3).is_some_and(|t| t.eq_ignore_ascii_case(tail));
    text.char_indices()
        .map(|(at, c)| match c {
            'O' | 'o' if near(at) => '0',
            'l' | 'I' | '|' if near(at) => '1',
            // `0ct`, `5ep`: the month, not a number.
            '0' if follows(at, b"ct") => 'O',
            '5' if follows(at, b"ep") => 'S',
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: CivilDate = date(2026, 11, 23);

    fn readings(text: &str) -> Vec<String> {
        find(text, TODAY).iter().flat_map(|d| &d.readings).map(|r| r.date.to_string()).collect()
    }

    #[test]
    fn dates_are_read_however_they_are_printed() {
        for (text, expected) in [
            ("25/12/2018 8:13:39 PM", "2018-12-25"),
            ("25/12/201810:22", "2018-12-25"),
            ("2018-12-25", "2018-12-25"),
            ("2018/12/25 10:22", "2018-12-25"),
            ("12.31.19", "2019-12-31"),
            ("31.12.2019", "2019-12-31"),
            ("31. 12. 2019", "2019-12-31"),
            ("25 MAR 2018", "2018-03-25"),
            ("25-Mar-18", "2018-03-25"),
            ("25MAR2018", "2018-03-25"),
            ("19JUL18", "2018-07-19"),
            ("Jun09'15", "2015-06-09"),
            ("Feb17,2019", "2019-02-17"),
            ("Mar14.2013", "2013-03-14"),
            ("Thursday,April4th2019", "2019-04-04"),
            ("Friday8Mar2019", "2019-03-08"),
            ("05sept.17", "2017-09-05"),
            ("OCT 9, 2018", "2018-10-09"),
            ("5. März 2020", "2020-03-05"),
            ("12 août 2021", "2021-08-12"),
            ("3 dicembre 2021", "2021-12-03"),
            ("8 Ogos 2017", "2017-08-08"),
            ("2024年01月02日", "2024-01-02"),
            ("2024 年 1 月 2 日", "2024-01-02"),
            ("110年10月18日", "2021-10-18"),
            ("中華民國110年9-10月 110/10/18", "2021-10-18"),
            ("20181225", "2018-12-25"),
            ("29/O1/2019", "2019-01-29"),
            ("0ct28'19 08:43PM", "2019-10-28"),
            ("I:1 31.07.21 17:54", "2021-07-31"),
            ("31 12-2018", "2018-12-31"),
            ("Ju124'13 11:52PM", "2013-07-24"),
            ("Ju1.27'13(Sat)06:41", "2013-07-27"),
            ("FEB11:08 8:11PM", "2008-02-11"),
            ("Chk 8350 Mar05:16 11:24P", "2016-03-05"),
            ("Ju1/26/2017 13:25", "2017-07-26"),
            ("No0071 16:22 #003 MAR.08'12 REG0004", "2012-03-08"),
            ("1172372015 09:41 114 2", "2015-11-23"),
            ("-4 CL0SED 24 Nov 18 12:21:37-", "2018-11-24"),
        ] {
            assert_eq!(readings(text), [expected], "{text}");
        }
    }

    #[test]
    fn an_ambiguous_date_keeps_every_reading() {
        assert_eq!(readings("03/04/2018"), ["2018-04-03", "2018-03-04"]);
        assert_eq!(readings("06/03/18"), ["2018-03-06", "2018-06-03", "2006-03-18"]);
    }

    #[test]
    fn amounts_and_numbers_are_no_dates() {
        for text in [
            "12.30",
            "1.234,56",
            "03-12345678",
            "192.168.1.1",
            "31/02/2018",
            "99999999",
            "5 may 9",
            "1172372015",
            "tel 1172372015 41",
            "09 MAR 14:20",
            "05.09. 18:40 R 12",
            "05.09. 18:40",
            "Mar 09 14:20 h",
        ] {
            assert!(readings(text).is_empty(), "{text}: {:?}", readings(text));
        }
    }

    #[test]
    fn a_time_glued_to_a_short_year_does_not_make_it_a_long_one() {
        let all = readings("04.06.2017:45");
        assert!(all.contains(&"2020-06-04".to_owned()) && all.iter().all(|d| !d.starts_with("2017")), "{all:?}");
        for (text, expected) in
            [("08/05/2019-17:20:48", "2019-05-08"), ("28.042019", "2019-04-28"), ("26 042019", "2019-04-26")]
        {
            assert!(readings(text).contains(&expected.to_owned()), "{text}: {:?}", readings(text));
        }
        assert!(readings("04.06.2017 17:45").contains(&"2017-06-04".to_owned()));
    }

    proptest! {
        #[test]
        fn every_day_reads_back_in_every_style(days in 0..9000_i32) {
            let day = date(2002, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            let (y, m, d) = (day.year(), day.month(), day.day());
            for text in [
                format!("{d:02}/{m:02}/{y}"), format!("{m}/{d}/{y}"), format!("{d}.{m}.{y}"), format!("{y}-{m:02}-{d:02}"),
                format!("{y}年{m}月{d}日"), format!("{d:02}-{m:02}-{:02}", y % 100),
            ] {
                let all = readings(&text);
                prop_assert!(all.contains(&day.to_string()), "{} gave {:?}", text, all);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            for found in find(&text, TODAY) {
                prop_assert!(text.get(found.range).is_some());
            }
        }

        #[test]
        fn no_digits_make_it_panic(text in "[0-9O/.:, 年月日aApPmM-]{0,40}") {
            find(&text, TODAY);
        }
    }
}
