//! Instants as spreadsheets and CRMs write them.

use jiff::{civil::DateTime, tz::TimeZone};

use crate::domain::time::Timestamp;

/// Wall-clock formats, tried in order; a date alone is its first minute.
const FORMATS: &[&str] = &["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
/// Longer text is no instant.
const MAX_BYTES: usize = 40;

/// An instant out of RFC 3339 with an offset, or wall-clock time in `zone`: `2026-11-23 09:30`, `2026/11/23 9:30`,
/// `2026-11-23`. `None` when it is neither; day-month orders are not guessed.
pub(super) fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > MAX_BYTES {
        return None;
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.into());
    }
    let text = text.replace('/', "-");
    let at = FORMATS
        .iter()
        .find_map(|format| DateTime::strptime(format, &text).ok())
        .or_else(|| jiff::civil::Date::strptime("%Y-%m-%d", &text).ok().map(|date| date.at(0, 0, 0, 0)))?;
    zone.to_ambiguous_timestamp(at).compatible().ok().map(Timestamp::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_kept_and_wall_clocks_are_the_organisations() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (text, utc) in [
            ("2026-11-23T09:30:00+01:00", "2026-11-23T08:30:00Z"),
            ("2026-11-23T08:30:00Z", "2026-11-23T08:30:00Z"),
            ("2026-11-23 09:30", "2026-11-23T01:30:00Z"),
            ("2026/11/23 9:05", "2026-11-23T01:05:00Z"),
            ("2026-11-23T09:30:15", "2026-11-23T01:30:15Z"),
            ("2026/1/3", "2026-01-02T16:00:00Z"),
        ] {
            assert_eq!(parse(text, &zone).map(|at| at.to_string()).as_deref(), Some(utc), "{text}");
        }
    }

    #[test]
    fn what_could_be_two_dates_is_none() {
        for text in ["", "23.11.2026", "11/23/2026", "2026-13-01", "2026-02-30 10:00", "tomorrow", &"9".repeat(99)] {
            assert_eq!(parse(text, &TimeZone::UTC), None, "{text}");
        }
    }

    #[test]
    fn the_hour_that_does_not_exist_in_spring_is_the_one_after() {
        let zone = TimeZone::get("Europe/Zurich").unwrap();
        assert_eq!(parse("2026-03-29 02:30", &zone).unwrap().to_string(), "2026-03-29T01:30:00Z");
    }
}
