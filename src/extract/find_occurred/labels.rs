//! Labels of the day something took place, in the languages of tickets and bookings.

use std::sync::LazyLock;

use regex::Regex;

/// What a label says of the day beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// That it is the day of the trip.
    Day,
    /// That a stay or a journey begins on it; of several the first counts.
    Begins,
    /// When something leaves; of several, and of beginnings, the first counts.
    Leaves,
}

/// A label and how sure a day beside it is.
pub(super) struct Label {
    pub pattern: Regex,
    pub says: Says,
    pub p: f32,
}

/// The surest first.
pub(super) static LABELS: LazyLock<Vec<Label>> = LazyLock::new(|| {
    let all = [
        (
            r"乘车日期|乘车时间|乘車日期|出行日期|出行时间|上车时间|上车日期|行程起止日期|行程日期|出发日期|出发时间|乘机日期|航班日期|乗車日|搭乗日|ご?利用日|出発日|탑승일|출발일|승차일",
            Says::Day,
            0.85,
        ),
        (
            r"(?i)travel date|date of travel|journey date|date of journey|\bDOJ\b|departure date|date of departure|flight date|trip date|ride date|boarding date|reisedatum|reisetag|reiseantritt|fahrtantritt|fahrtag|flugdatum|gültig am|date d[eu] voyage|date d[eu] départ|data (?:di |del )?(?:viaggio|partenza)|fecha d[eo]l? ?(?:viaje|salida|vuelo|ida)|data d[ae] (?:viagem|partida|ida)|reisdatum|vertrekdatum|data (?:podróży|wyjazdu|odjazdu|wylotu)|datum (?:jízdy|odjezdu|cesty)|resdatum|avresedatum|rejsedato|reisedato|avreisedato",
            Says::Day,
            0.85,
        ),
        (
            r"(?i)service date|date of (?:service|stay)|leistungsdatum|leistungstag|event date|date de prestation",
            Says::Day,
            0.75,
        ),
        (
            r"入住(?:日期|时间)?|抵店(?:日期)?|到店(?:日期)?|住宿日期|チェックイン|宿泊日|到着日|체크인",
            Says::Begins,
            0.8,
        ),
        (
            r"(?i)check[\s-]?in(?: date)?|arrival(?: date)?|anreise(?:datum|tag)?|ankunft|date d'arrivée|arrivée|data (?:di )?arrivo|arrivo|fecha de (?:entrada|llegada)|\bllegada\b|data de (?:entrada|chegada)|\bchegada\b|aankomst(?:datum)?|przyjazd|zameldowanie|\bpříjezd\b|\bankomst\b|incheckning",
            Says::Begins,
            0.78,
        ),
        (
            r"(?i)\boutbound\b|\boutward\b|departing flight|\bhinfahrt\b|\bhinflug\b|\bhinreise\b|\baller\b|\bandata\b|\bheenreis\b|\butresa\b|\budrejse\b|\butreise\b|cesta tam|去程|往路",
            Says::Begins,
            0.7,
        ),
        (
            r"(?i)\bdeparts?\b|\bdeparture\b|\bdeparting\b|\babfahrt\b|\babflug\b|\bdépart\b|\bpartenza\b|\bsalida\b|\bpartida\b|\bvertrek\b|\bodjezd\b|\bodj\.|\bodlet\b|\bodjazd\b|\bwyjazd\b|\bwylot\b|\bavgång\b|\bavresa\b|\bafgang\b|\bavgang\b|\bavreise\b|出发|出發|发车|起飞|起飛|出発|출발",
            Says::Leaves,
            0.6,
        ),
    ];
    let label = |(pattern, says, p)| Regex::new(pattern).ok().map(|pattern| Label { pattern, says, p });
    all.into_iter().filter_map(label).collect()
});

/// Whether a text holds one of the labels.
pub(super) fn is_label(text: &str) -> bool {
    LABELS.iter().any(|label| label.pattern.is_match(text))
}
