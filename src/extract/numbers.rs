//! Amounts as people print them: 1,234.56 · 1.234,56 · 1 234,56 · 1'234.50 · １２.３０ · 12.50- · 5.– · 1O.50 · 12. 50.

use std::ops::Range;

use rust_decimal::Decimal;

use super::cursor::{Cursor, is_factor, money_ends_at, money_starts_at, spaced_money_ends_at, spaced_money_starts_at};

/// Characters of one segment that are searched for amounts.
pub const MAX_CHARS: usize = 600;
/// Digits of one amount; more is an account, card or article number.
pub const MAX_DIGITS: usize = 11;

/// An amount found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Amount {
    /// The value, negative when printed so.
    pub value: Decimal,
    /// Bytes of the text it covers, without currency.
    pub range: Range<usize>,
    /// Decimals printed.
    pub decimals: u32,
    /// Directly followed by a per cent sign.
    pub percent: bool,
    /// Letters were read as digits (`1O.50`) or pieces joined (`12. 50`).
    pub repaired: bool,
    /// A currency sign or code stands directly before or after it.
    pub money: bool,
    /// It is multiplied (`2 x 3.50`, `@ 3.50`) or a count.
    pub factor: bool,
}

/// A letter that recognition puts for a digit.
fn lookalike(c: char) -> Option<char> {
    match c {
        'O' | 'o' | 'D' | 'Q' => Some('0'),
        'l' | 'I' | '|' | 'i' => Some('1'),
        'S' | 's' => Some('5'),
        'B' => Some('8'),
        'Z' => Some('2'),
        _ => None,
    }
}

/// Every amount in `text`, left to right, not overlapping.
pub fn find(text: &str) -> Vec<Amount> {
    let cursor = Cursor::new(text);
    let mut found = Vec::new();
    let mut i = 0;
    while i < cursor.chars.len() {
        if !starts_number(&cursor, i) {
            i += 1;
            continue;
        }
        let run = Run::scan(&cursor, i);
        let next = run.end.max(i + 1);
        if let Some(amount) = run.amount(&cursor) {
            found.push(amount);
        }
        i = next;
    }
    found
}

fn starts_number(cursor: &Cursor, i: usize) -> bool {
    let c = cursor.at(i);
    if c.is_ascii_digit() {
        return !cursor.before(i).is_ascii_digit();
    }
    // `O.50`, `l2.30`: a lookalike may open a number when digits follow and no letter stands before.
    // `S61.30` is a dollar sign more often than a five.
    let dollar = matches!(c, 'S' | 's') && cursor.at(i + 1).is_ascii_digit();
    if lookalike(c).is_some() && !dollar && !cursor.before(i).is_alphanumeric() {
        let next = cursor.at(i + 1);
        return next.is_ascii_digit() && has_decimals_soon(cursor, i + 1)
            || matches!(next, '.' | ',') && cursor.at(i + 2).is_ascii_digit() && cursor.at(i + 3).is_ascii_digit();
    }
    // `.50`
    matches!(c, '.' | ',')
        && !cursor.before(i).is_alphanumeric()
        && !matches!(cursor.before(i), '.' | ',')
        && cursor.at(i + 1).is_ascii_digit()
        && cursor.at(i + 2).is_ascii_digit()
        && !cursor.at(i + 3).is_alphanumeric()
}

fn has_decimals_soon(cursor: &Cursor, from: usize) -> bool {
    (from..from + 8)
        .take_while(|i| cursor.at(*i).is_ascii_digit() || matches!(cursor.at(*i), '.' | ','))
        .any(|i| matches!(cursor.at(i), '.' | ',') && cursor.at(i + 1).is_ascii_digit())
}

/// Digit groups and the separators between them.
struct Run {
    start: usize,
    end: usize,
    groups: Vec<String>,
    separators: Vec<char>,
    repaired: bool,
    /// `5.-`, `5.--`: a whole amount with a dash for the cents.
    dash: bool,
}

impl Run {
    fn scan(cursor: &Cursor, start: usize) -> Self {
        let mut run = Self {
            start,
            end: start,
            groups: vec![String::new()],
            separators: Vec::new(),
            repaired: false,
            dash: false,
        };
        let mut i = start;
        if matches!(cursor.at(i), '.' | ',') {
            run.groups[0].push('0');
            run.separators.push('.');
            run.groups.push(String::new());
            i += 1;
        }
        let bound = start + 40;
        while i < cursor.chars.len() && i < bound {
            let c = cursor.at(i);
            if c.is_ascii_digit() {
                run.push(c);
                i += 1;
            } else if let Some(digit) = lookalike(c).filter(|_| run.letter_is_digit(cursor, i)) {
                run.push(digit);
                run.repaired = true;
                i += 1;
            } else if let Some((separator, skip, repaired)) = run.separator(cursor, i) {
                run.separators.push(separator);
                run.groups.push(String::new());
                run.repaired |= repaired;
                i += skip;
            } else {
                break;
            }
        }
        run.end = i;
        if run.groups.last().is_some_and(String::is_empty) {
            run.groups.pop();
            run.separators.pop();
        }
        // `12.-`, `12,–`, `12.--`
        let (mark, dash) = (cursor.at(i), cursor.at(i + 1));
        if matches!(mark, '.' | ',') && dash == '-' {
            run.dash = true;
            run.end = i + 2;
            while cursor.at(run.end) == '-' && run.end < bound {
                run.end += 1;
            }
        }
        run
    }

    fn push(&mut self, digit: char) {
        if let Some(group) = self.groups.last_mut() {
            group.push(digit);
        }
    }

    /// Whether the letter at `i` is a misread digit: between digits or in the place of the cents.
    fn letter_is_digit(&self, cursor: &Cursor, i: usize) -> bool {
        let (before, after) = (cursor.before(i), cursor.at(i + 1));
        let digitish = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
        if i == self.start {
            return digitish(after);
        }
        let in_cents = matches!(self.separators.last(), Some('.' | ','))
            && self.groups.last().is_some_and(|g| g.len() < 2)
            && matches!(cursor.at(i), 'O' | 'o' | 'D' | 'l' | 'I')
            && (after.is_ascii_digit() || lookalike(after).is_some() || !after.is_alphanumeric());
        in_cents
            || (digitish(before)
                && digitish(after)
                && after != '\0'
                && matches!(cursor.at(i), 'O' | 'o' | 'l' | 'I' | 'S' | 'B'))
    }

    /// A separator at `i`, how many characters it takes, and whether pieces had to be joined.
    fn separator(&self, cursor: &Cursor, i: usize) -> Option<(char, usize, bool)> {
        let digits = |from: usize| (from..from + 4).take_while(|i| cursor.at(*i).is_ascii_digit()).count();
        let c = cursor.at(i);
        let has_point = self.separators.iter().any(|s| matches!(s, '.' | ','));
        match c {
            '.' | ',' => {
                let after = cursor.at(i + 1);
                if after.is_ascii_digit()
                    || (lookalike(after).is_some()
                        && (cursor.at(i + 2).is_ascii_digit() || lookalike(cursor.at(i + 2)).is_some())
                        && !cursor.at(i + 3).is_alphanumeric())
                {
                    return Some((c, 1, false));
                }
                // `12. 50`: exactly two digits after one space.
                if after == ' ' && !has_point && digits(i + 2) == 2 && ends(cursor, i + 4) {
                    return Some((c, 2, true));
                }
                None
            }
            '\'' if digits(i + 1) == 3 => Some(('\'', 1, false)),
            // `20 00` alone: the point was not recognised.
            ' ' if self.start == 0
                && self.separators.is_empty()
                && digits(i + 1) == 2
                && i + 3 == cursor.chars.len() =>
            {
                Some(('.', 1, true))
            }
            ' ' => {
                // `12 .50`
                if matches!(cursor.at(i + 1), '.' | ',') && !has_point && digits(i + 2) == 2 && ends(cursor, i + 4) {
                    return Some((cursor.at(i + 1), 2, true));
                }
                // `1 234,56`, `4 321 kr`, `SEK 4 321`: only with a decimal comma or a currency that is written so, as
                // `2 100.00` is a count and a price.
                let group = self.groups.last().map_or(0, String::len);
                let first = self.separators.is_empty();
                (digits(i + 1) == 3
                    && (1..=3).contains(&group)
                    && (first || group == 3)
                    && self.separators.iter().all(|s| *s == ' ')
                    && (comma_follows(cursor, i + 4) || self.is_spaced_money(cursor, i + 4)))
                .then_some((' ', 1, false))
            }
            _ => None,
        }
    }

    /// Whether the groups of three digits that go on at `i` end a whole amount of a currency whose countries set spaces
    /// between thousands.
    fn is_spaced_money(&self, cursor: &Cursor, i: usize) -> bool {
        let end = groups_end(cursor, i);
        let mark = cursor.at(end);
        let goes_on = mark.is_ascii_digit() || matches!(mark, '.' | ',') && cursor.at(end + 1).is_ascii_digit();
        !goes_on && (spaced_money_starts_at(cursor, end) || spaced_money_ends_at(cursor, self.start))
    }

    fn amount(&self, cursor: &Cursor) -> Option<Amount> {
        let (before, after) = (self.before_mark(cursor), cursor.at(self.end));
        if self.groups.iter().map(String::len).sum::<usize>() > MAX_DIGITS {
            return None;
        }
        let (whole, cents) = self.split()?;
        let decimals = cents.len() as u32;
        let percent = after == '%' || (after == ' ' && cursor.at(self.end + 1) == '%');
        let money_before = money_ends_at(cursor, self.start);
        let money_after = money_starts_at(cursor, self.end);
        let money = money_before || money_after || self.dash;
        if !percent && !self.fits_around(cursor, decimals, money_before, money_after, before, after) {
            return None;
        }
        let digits = format!("{whole}.{cents}");
        let digits = digits.trim_end_matches('.');
        let mut value = Decimal::from_str_exact(digits).ok()?;
        let (start, end, negative) = self.sign(cursor);
        if negative {
            value = -value;
        }
        Some(Amount {
            value,
            range: cursor.bytes(start..end),
            decimals,
            percent,
            repaired: self.repaired,
            money,
            factor: is_factor(cursor, self.start, self.end),
        })
    }

    fn before_mark(&self, cursor: &Cursor) -> char {
        cursor.before(self.start)
    }

    /// Whole part and decimals, or `None` when the separators make no amount.
    fn split(&self) -> Option<(String, String)> {
        let join = |groups: &[String]| groups.concat();
        if self.dash {
            return Some((join(&self.groups), "00".to_owned()));
        }
        let Some(last) = self.separators.last() else {
            return Some((self.groups.first()?.clone(), String::new()));
        };
        let (tail, head) = self.groups.split_last()?;
        let thousands = |groups: &[String], separators: &[char]| {
            groups.first().is_some_and(|g| (1..=3).contains(&g.len()))
                && groups[1..].iter().all(|g| g.len() == 3)
                && separators.windows(2).all(|w| w[0] == w[1])
        };
        let before_last = &self.separators[..self.separators.len() - 1];
        match (last, tail.len()) {
            // `1.234.567` or `1'234` or `1,234`: thousands; `0.596` and `12.345` with a point: a quantity.
            (_, 3) if thousands(&self.groups, &self.separators) => {
                let quantity = head.len() == 1 && (*last == '.' || head[0] == "0") && head[0].len() < 3;
                if quantity { Some((head[0].clone(), tail.clone())) } else { Some((join(&self.groups), String::new())) }
            }
            ('.' | ',', 1..=4) if head.len() == 1 => Some((head[0].clone(), tail.clone())),
            ('.' | ',', 1..=2) if thousands(head, before_last) && before_last.last() != Some(last) => {
                Some((join(head), tail.clone()))
            }
            // `1,234,56` and `1.234.56`: the second separator was misread.
            ('.' | ',', 2) if thousands(head, before_last) => Some((join(head), tail.clone())),
            _ => None,
        }
    }

    /// Whether letters and signs around leave it an amount rather than a part of a number, code, date or time.
    fn fits_around(
        &self,
        cursor: &Cursor,
        decimals: u32,
        money_before: bool,
        money_after: bool,
        before: char,
        after: char,
    ) -> bool {
        let whole = decimals == 0 && !self.dash;
        // `合计38.00元`: Chinese leaves no space; a code does not end in two decimals nor in a currency.
        let follows_chinese = super::fold::is_cjk(before) && (decimals == 2 || money_after);
        if before.is_alphanumeric() && !money_before && !follows_chinese {
            return false;
        }
        if matches!(before, '/' | ':' | '#')
            && !(before == ':' && decimals == 2)
            && !(before == '/' && decimals == 2)
            && (before != ':' || cursor.before(self.start - 1).is_ascii_digit())
        {
            return false;
        }
        if matches!(before, '.' | ',' | '\'') && cursor.before(self.start - 1).is_ascii_digit() {
            return false;
        }
        if matches!(after, '/' | ':' | '\'') && (whole || cursor.at(self.end + 1).is_ascii_digit()) {
            return false;
        }
        if after == '-' && cursor.at(self.end + 1).is_alphanumeric() {
            return false;
        }
        if before == '-' && cursor.before(self.start - 1).is_ascii_digit() {
            return false;
        }
        if after.is_alphabetic() && !money_after {
            // `9.00S`, `5.48N`, `1.99A*`: a tax letter; CJK may follow directly.
            let tail = (self.end..self.end + 3).take_while(|i| cursor.at(*i).is_alphabetic()).count();
            let wide = super::fold::is_cjk(after);
            return !whole && (tail <= 2 || wide) && decimals == 2;
        }
        true
    }

    /// Extends over a sign or brackets that make it negative.
    fn sign(&self, cursor: &Cursor) -> (usize, usize, bool) {
        let minus_before = cursor.before(self.start) == '-' && !cursor.before(self.start - 1).is_alphanumeric();
        if minus_before {
            return (self.start - 1, self.end, true);
        }
        let minus_after = cursor.at(self.end) == '-' && !self.dash && !cursor.at(self.end + 1).is_alphanumeric();
        if minus_after {
            return (self.start, self.end + 1, true);
        }
        // `-RM5.00`, `-$5.00`
        let mut i = self.start;
        while i > 0
            && self.start - i < 5
            && !cursor.before(i).is_ascii_digit()
            && !matches!(cursor.before(i), '-' | ' ')
        {
            i -= 1;
        }
        if i < self.start && cursor.before(i) == '-' && money_ends_at(cursor, self.start) {
            return (self.start, self.end, true);
        }
        (self.start, self.end, false)
    }
}

/// Where the groups of a space and three digits end that go on at `i`.
fn groups_end(cursor: &Cursor, mut i: usize) -> usize {
    let digit = |i: usize| cursor.at(i).is_ascii_digit();
    while i < cursor.chars.len() && cursor.at(i) == ' ' && digit(i + 1) && digit(i + 2) && digit(i + 3) && !digit(i + 4)
    {
        i += 4;
    }
    i
}

/// Whether groups of three digits lead from `i` to a decimal comma with two digits.
fn comma_follows(cursor: &Cursor, i: usize) -> bool {
    let digit = |i: usize| cursor.at(i).is_ascii_digit();
    let i = groups_end(cursor, i);
    cursor.at(i) == ',' && digit(i + 1) && digit(i + 2) && !digit(i + 3)
}

fn ends(cursor: &Cursor, i: usize) -> bool {
    let c = cursor.at(i);
    let continues = matches!(c, '.' | ',' | '/' | ':') && cursor.at(i + 1).is_ascii_digit();
    !continues && !c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<String> {
        find(text).iter().map(|a| a.value.to_string()).collect()
    }

    #[test]
    fn amounts_are_read_however_they_are_printed() {
        for (text, expected) in [
            ("1,234.56", "1234.56"),
            ("1.234,56", "1234.56"),
            ("1 234,56", "1234.56"),
            ("1 443 CZK", "1443"),
            ("1 234 567 Kč", "1234567"),
            ("1'234.50", "1234.50"),
            ("1’234.50", "1234.50"),
            ("１２．３０", "12.30"),
            ("RM9.00", "9.00"),
            ("RM 9.00", "9.00"),
            ("CHF 12.-", "12.00"),
            ("Fr. 5.--", "5.00"),
            ("12.50-", "-12.50"),
            ("-12.50", "-12.50"),
            ("-RM0.02", "-0.02"),
            ("1O.50", "10.50"),
            ("9.OO", "9.00"),
            ("12. 50", "12.50"),
            ("12 .50", "12.50"),
            ("¥40.50元", "40.50"),
            ("￥14.50", "14.50"),
            ("NT$750", "750"),
            ("1,234,567.89", "1234567.89"),
            ("1.234.567,89", "1234567.89"),
            ("25,000", "25000"),
            ("5.48 N", "5.48"),
            ("9.00S", "9.00"),
            (".50", "0.50"),
            ("20 00", "20.00"),
            ("S61.30", "61.30"),
            ("R1,418.25", "1418.25"),
            ("TotalRM17.80", "17.80"),
            ("1,234,56", "1234.56"),
            ("合计38.00元", "38.00"),
            ("小计12.50", "12.50"),
            ("4 321 SEK", "4321"),
            ("4\u{a0}321 kr", "4321"),
            ("Summa 1 204 321 Kč", "1204321"),
            ("SEK 4 321", "4321"),
            ("1 234 €", "1234"),
        ] {
            assert_eq!(values(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_an_amount_is_left_alone() {
        for text in
            ["25/12/2018", "12:30:45", "A1234", "R1234", "12.03.2020", "ST05748X", "012-3456789-12", "123456789012345"]
        {
            assert!(find(text).iter().all(|a| a.decimals != 2 || a.value < Decimal::ZERO), "{text}: {:?}", find(text));
        }
    }

    #[test]
    fn counts_and_unit_prices_are_marked() {
        let found = find("2 x 3.50 7.00");
        assert_eq!(
            found.iter().map(|a| (a.value.to_string(), a.factor)).collect::<Vec<_>>(),
            [("2".to_owned(), true), ("3.50".to_owned(), true), ("7.00".to_owned(), false)]
        );
        // Spaces between thousands are a custom of some currencies; elsewhere a count stands before its price.
        for (text, expected) in
            [("2 100 RM", ["2", "100"]), ("2 100.00 kr", ["2", "100.00"]), ("kr 2 100.00", ["2", "100.00"])]
        {
            assert_eq!(values(text), expected, "{text}");
        }
        assert!(find("6%")[0].percent);
        assert_eq!(find("0.596kg @ 15.99").iter().filter(|a| a.factor).count(), 1);
    }

    fn grouped(whole: u32, separator: &str) -> String {
        let digits = whole.to_string();
        let mut out = String::new();
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(separator);
            }
            out.push(c);
        }
        out
    }

    proptest! {
        #[test]
        fn any_amount_reads_back_in_every_style(whole in 0..9_999_999_u32, cents in 0..100_u32) {
            let value = Decimal::new(i64::from(whole) * 100 + i64::from(cents), 2);
            for (thousand, point) in [(",", "."), (".", ","), ("'", "."), (" ", ","), ("", "."), ("", ",")] {
                let text = format!("{}{point}{cents:02}", grouped(whole, thousand));
                prop_assert_eq!(values(&text), [value.to_string()], "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic_and_ranges_are_text(text in "\\PC{0,60}") {
            for amount in find(&text) {
                prop_assert!(text.get(amount.range).is_some());
            }
        }

        #[test]
        fn no_digits_and_signs_make_it_panic(text in "[0-9OlS.,' /:xX@*%$RM€-]{0,40}") {
            for amount in find(&text) {
                prop_assert!(text.get(amount.range).is_some());
            }
        }
    }
}
