//! Dates, amounts and probabilities for people.

use rust_decimal::Decimal;

use crate::domain::{
    money::Currency,
    person::Language,
    time::{CivilDate, Timestamp},
};

/// An amount with thousands separators and at least the currency's decimals: `1,234.50`.
/// Both languages write it this way.
pub fn amount(value: Decimal, currency: Option<Currency>) -> String {
    let digits = currency.map_or(2, Currency::digits);
    let mut value = value.normalize();
    if value.scale() < digits {
        value.rescale(digits);
    }
    let text = value.to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("−", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{fraction}") }
}

/// A date in words, with its weekday because people remember days: `Mon 23 Nov 2026`, `2026年11月23日 周一`.
pub fn date_words(lang: Language, date: CivilDate) -> String {
    const WEEKDAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const WEEKDAYS_ZH: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()) % 7;
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1) % 12;
    match lang {
        Language::En => format!("{} {} {} {}", WEEKDAYS_EN[day], date.day(), MONTHS[month], date.year()),
        Language::Zh => format!("{}年{}月{}日 周{}", date.year(), date.month(), date.day(), WEEKDAYS_ZH[day]),
    }
}

/// An instant on the organisation's clock: `2026-11-23 10:29`. UTC when `zone` is unknown.
pub fn instant(at: Timestamp, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    at.to_jiff().to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}

/// How long ago, in one unit: `3 min`, `2 h`, `5 d`; an instant in the future counts as now.
pub fn age(lang: Language, at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_micros() - at.as_micros()).max(0) / 1_000_000;
    let (count, en, zh) = match seconds {
        0..60 => {
            return match lang {
                Language::En => "now".to_owned(),
                Language::Zh => "刚刚".to_owned(),
            };
        }
        60..3_600 => (seconds / 60, "min", "分钟"),
        3_600..86_400 => (seconds / 3_600, "h", "小时"),
        _ => (seconds / 86_400, "d", "天"),
    };
    match lang {
        Language::En => format!("{count} {en}"),
        Language::Zh => format!("{count} {zh}"),
    }
}

/// A probability as a percentage that never claims certainty: `87 %`, `>99 %`, `<1 %`.
pub fn percent(p: f32) -> String {
    if p.is_nan() || p < 0.01 {
        "<1 %".to_owned()
    } else if p > 0.99 {
        ">99 %".to_owned()
    } else {
        // Rounded down, but 0.95 (0.94999… as f32) is still 95.
        format!("{:.0} %", ((p * 1000.0).round() / 10.0).floor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_keep_every_digit_that_was_written() {
        for (text, code, shown) in [
            ("1234567.5", "CNY", "1,234,567.50"),
            ("-1234", "EUR", "−1,234.00"),
            ("1200", "JPY", "1,200"),
            ("999", "JPY", "999"),
            ("0.5", "USD", "0.50"),
            ("1.2345", "USD", "1.2345"),
        ] {
            assert_eq!(amount(text.parse().unwrap(), Some(code.parse().unwrap())), shown);
        }
    }

    #[test]
    fn dates_are_in_words_with_their_weekday() {
        let date: CivilDate = "2024-02-29".parse().unwrap();
        assert_eq!(date_words(Language::En, date), "Thu 29 Feb 2024");
        assert_eq!(date_words(Language::Zh, date), "2024年2月29日 周四");
    }

    #[test]
    fn a_probability_never_reads_as_certainty() {
        for (p, shown) in
            [(1.0, ">99 %"), (0.999, ">99 %"), (0.899, "89 %"), (0.5, "50 %"), (0.0, "<1 %"), (f32::NAN, "<1 %")]
        {
            assert_eq!(percent(p), shown);
        }
    }

    #[test]
    fn ages_use_one_unit() {
        let now = Timestamp::from_micros(1_000_000_000_000);
        let ago = |seconds: u64| age(Language::En, now.minus(std::time::Duration::from_secs(seconds)), now);
        assert_eq!([ago(5), ago(185), ago(7_300), ago(200_000)], ["now", "3 min", "2 h", "2 d"]);
    }
}
