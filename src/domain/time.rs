//! Instants and calendar dates.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A calendar date without a time zone; stored as TEXT `YYYY-MM-DD`.
pub use jiff::civil::Date as CivilDate;
/// A wall-clock time without a date; printed `HH:MM` or `HH:MM:SS`.
pub use jiff::civil::Time as CivilTime;

/// An instant, in microseconds since 1970-01-01T00:00:00Z; stored as BIGINT, sent as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This instant moved by `duration` into the future, stopping at the end of time.
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This instant moved by `duration` into the past, stopping at the beginning of time.
    pub fn minus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The calendar date of this instant in `zone` (an IANA name); UTC when the zone is unknown.
    pub fn date_in(self, zone: &str) -> CivilDate {
        let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        self.to_jiff().to_zoned(zone).date()
    }

    /// As a `jiff` timestamp, clamped to its range.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(at: jiff::Timestamp) -> Self {
        Self(at.as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_jiff())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse::<jiff::Timestamp>().map(Self::from).map_err(serde::de::Error::custom)
    }
}

/// When a picture was taken, as the phone said: an instant and the offset of the phone's clock from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedAt {
    /// The instant.
    pub at: Timestamp,
    /// Minutes east of UTC, −1080 to 1080.
    pub offset_minutes: i32,
}

impl CapturedAt {
    /// Parses RFC 3339 with an offset, e.g. `2026-11-23T10:00:00+08:00`.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        let pieces = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text)?;
        let at: jiff::Timestamp = text.parse()?;
        let offset = match pieces.offset() {
            Some(offset) => offset.to_numeric_offset(),
            None => jiff::tz::Offset::UTC,
        };
        Ok(Self { at: at.into(), offset_minutes: offset.seconds() / 60 })
    }

    /// The calendar date on the phone's clock.
    pub fn local_date(self) -> CivilDate {
        let offset = jiff::tz::Offset::from_seconds(self.offset_minutes * 60).unwrap_or(jiff::tz::Offset::UTC);
        offset.to_datetime(self.at.to_jiff()).date()
    }
}

/// Where the current instant comes from: the system in production, a fixed value in tests.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still (or is moved by hand) in tests.
#[derive(Debug)]
pub struct FixedClock(std::sync::atomic::AtomicI64);

impl FixedClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(std::sync::atomic::AtomicI64::new(now.as_micros()))
    }

    /// Moves the clock by `duration` into the future.
    pub fn advance(&self, duration: std::time::Duration) {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(micros, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_in_shanghai_after_midnight_is_still_yesterday_in_utc() {
        let captured = CapturedAt::parse("2026-11-23T00:30:00+08:00").unwrap();
        assert_eq!(captured.offset_minutes, 480);
        assert_eq!(captured.local_date().to_string(), "2026-11-23");
        assert_eq!(captured.at.to_string(), "2026-11-22T16:30:00Z");
    }

    #[test]
    fn timestamps_are_rfc_3339_in_json() {
        let at = Timestamp::from_micros(1_764_000_000_000_000);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
    }
}
