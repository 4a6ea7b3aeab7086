//! The trip around a draft, in words.

use super::shell::Shell;
use crate::domain::{time::CivilDate, trip::Trip};

/// One leg, stay or event.
#[derive(Debug, Clone)]
pub struct TripLine {
    /// What was booked, for the word `trip.{kind}` and for tests.
    pub kind: &'static str,
    /// Which structure says it, for the word `source.{source}`.
    pub source: &'static str,
    /// Number of the flight or train, or the name of the house or event.
    pub title: String,
    /// `Zurich → Shanghai`, or where it is.
    pub way: String,
    /// When, as far as it is said.
    pub when: String,
    /// Carrier, reservation and travellers that are known: key of the word before each, and the text.
    pub more: Vec<(&'static str, String)>,
}

impl TripLine {
    /// A trip in the language of the page.
    pub fn new(shell: &Shell, trip: &Trip) -> Self {
        let title = [&trip.number, &trip.name].into_iter().flatten().cloned().collect::<Vec<_>>().join(" · ");
        let way = match (&trip.from, &trip.to) {
            (Some(from), Some(to)) => format!("{from} → {to}"),
            (Some(place), None) | (None, Some(place)) => place.clone(),
            (None, None) => String::new(),
        };
        let carrier = trip.carrier.clone().filter(|carrier| trip.name.as_ref() != Some(carrier));
        let passengers = Some(trip.passengers.join(", ")).filter(|names| !names.is_empty());
        let more = [
            ("trip.carrier", carrier),
            ("trip.reservation", trip.reservation.clone()),
            ("trip.passengers", passengers),
        ];
        Self {
            kind: trip.kind.as_str(),
            source: trip.source.as_str(),
            title,
            way,
            when: when(shell, trip.starts_at.as_deref(), trip.ends_at.as_deref()),
            more: more.into_iter().filter_map(|(key, text)| Some((key, text?))).collect(),
        }
    }
}

/// From when to when; the day of the end only where it is another.
fn when(shell: &Shell, starts_at: Option<&str>, ends_at: Option<&str>) -> String {
    let (start, end) = (starts_at.map(split), ends_at.map(split));
    let written = |(day, time): &(&str, String)| {
        let day = day.parse::<CivilDate>().map_or_else(|_| (*day).to_owned(), |day| shell.date_words(&day));
        if time.is_empty() { day } else { format!("{day} {time}") }
    };
    match (&start, &end) {
        (Some(start), Some(end)) if start == end => written(start),
        (Some(start), Some(end)) if start.0 == end.0 && !end.1.is_empty() => format!("{} – {}", written(start), end.1),
        (Some(start), Some(end)) => format!("{} – {}", written(start), written(end)),
        (Some(one), None) | (None, Some(one)) => written(one),
        (None, None) => String::new(),
    }
}

/// Day and time of day of an ISO moment: `2026-12-01` and `13:05`. Offsets stay out, as the clock is that of the place;
/// a time that is said in UTC is no such one and says so.
fn split(moment: &str) -> (&str, String) {
    let (day, time) = moment.split_once(['T', ' ']).unwrap_or((moment, ""));
    let clock = time.get(..5).filter(|clock| clock.as_bytes()[2] == b':').unwrap_or_default();
    (day, if !clock.is_empty() && time.ends_with('Z') { format!("{clock} UTC") } else { clock.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{person::Language, structured::StructuredSource, trip::TripKind},
        web::{i18n, pages::samples::shell},
    };

    #[test]
    fn every_kind_of_trip_and_what_tells_of_one_has_a_word_in_both_languages() {
        use StructuredSource::{Calendar, JsonLd, Microdata, Pass};
        let kinds = TripKind::ALL.iter().map(|kind| format!("trip_kind.{kind}"));
        let sources = [JsonLd, Microdata, Calendar, Pass].into_iter().map(|source| format!("trip_source.{source}"));
        for key in kinds.chain(sources) {
            for lang in [Language::En, Language::Zh] {
                assert!(i18n::find(lang, &key).is_some(), "{key} in {lang:?}");
            }
        }
    }

    #[test]
    fn the_end_names_its_day_only_where_it_is_another() {
        let shell = shell(Language::En, "/drafts");
        for (start, end, expected) in [
            (Some("2026-12-01T13:05:00+01:00"), Some("2026-12-01T15:10:00+01:00"), "Tue 1 Dec 2026 13:05 – 15:10"),
            (Some("2026-12-01T13:05"), Some("2026-12-02T06:20"), "Tue 1 Dec 2026 13:05 – Wed 2 Dec 2026 06:20"),
            (Some("2026-12-01"), Some("2026-12-01"), "Tue 1 Dec 2026"),
            (Some("2026-12-01"), None, "Tue 1 Dec 2026"),
            (Some("2026-12-05T19:00:00Z"), None, "Sat 5 Dec 2026 19:00 UTC"),
            (None, Some("someday"), "someday"),
            (Some("2026-12-01Tééé"), None, "Tue 1 Dec 2026"),
            (Some("2026-12-01 some day"), None, "Tue 1 Dec 2026"),
            (None, None, ""),
        ] {
            assert_eq!(when(&shell, start, end), expected);
        }
    }
}
