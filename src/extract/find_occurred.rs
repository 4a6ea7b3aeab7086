//! The day of the expense itself where the paper was issued on another: a ride, a night, a journey.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    dates,
    layout::Layout,
    rank::{Features, Proposal},
};
use crate::domain::{
    field::{FieldKey, FieldValue},
    time::CivilDate,
};

/// A journey is booked and billed at most this long before or after, in days.
const MAX_DAYS_APART: i32 = 400;
/// Labelled days of one paper that are looked at.
const MAX_FOUND: usize = 12;

/// Labels of the day something took place, with how sure one is.
static LABELS: LazyLock<Vec<(Regex, f32)>> = LazyLock::new(|| {
    [
        (r"乘车日期|乘车时间|乘車日期|出行日期|出行时间|上车时间|上车日期|行程起止日期|行程日期|出发日期|出发时间|乘机日期|航班日期", 0.85),
        (r"(?i)travel date|date of travel|journey date|reisedatum|reisetag|gültig am|date de voyage|data (?:di )?viaggio|departure date|flight date|trip date|ride date", 0.85),
        (r"入住(?:日期|时间)?|抵店(?:日期)?|到店(?:日期)?|住宿日期", 0.8),
        (r"(?i)check[\s-]?in(?: date)?|arrival(?: date)?|anreise(?:datum|tag)?|ankunft|date d'arrivée|arrivée|data (?:di )?arrivo|arrivo", 0.78),
        (r"(?i)service date|date of (?:service|stay)|leistungsdatum|leistungstag|event date|date de prestation", 0.75),
        (r"(?i)\bdeparts?\b|\babfahrt\b|\bhinfahrt\b|\baller\b|\bpartenza\b", 0.6),
    ]
    .into_iter()
    .filter_map(|(pattern, p)| Regex::new(pattern).ok().map(|r| (r, p)))
    .collect()
});
/// `2020年11月19日 13:36开`: the day a train leaves.
static LEAVES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d{1,2}\s?[:：]\s?\d{2}\s?[开開]").ok());

/// Proposals for the day of the expense, where it is another than `issued`.
pub fn propose(layout: &Layout<'_>, issued: Option<CivilDate>, today: CivilDate) -> Vec<Proposal> {
    let mut found: Vec<(CivilDate, f32, String, usize, Range<usize>)> = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate() {
        let label = LABELS.iter().find_map(|(pattern, p)| pattern.find(&segment.text).map(|m| (m, *p)));
        if let Some((m, p)) = label {
            let label = m.as_str().chars().take(24).collect::<String>();
            if let Some((date, i, range)) = day_after(layout, at, m.end(), today) {
                found.push((date, p, label, i, range));
            }
        } else if LEAVES.as_ref().is_some_and(|p| p.is_match(&segment.text))
            && let Some((date, range)) = day_in(&segment.text, 0, today)
        {
            found.push((date, 0.85, "开".to_owned(), at, range));
        }
        if found.len() >= MAX_FOUND {
            break;
        }
    }
    // The first night, the first leg: the earliest of equally sure ones.
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let near = |date: CivilDate| {
        issued
            .is_none_or(|issued| (date.since(issued).map_or(i32::MAX, |span| span.get_days())).abs() <= MAX_DAYS_APART)
    };
    let mut out: Vec<Proposal> = Vec::new();
    for (date, p, label, at, range) in found {
        let value = FieldValue::Date(date);
        if Some(date) == issued || !near(date) || out.iter().any(|o| o.value == value) {
            continue;
        }
        out.push(Proposal {
            key: FieldKey::OccurredOn,
            value,
            evidence: vec![layout.evidence(at, &range)],
            finder: "occurred:label",
            reasons: vec![format!("label:{label}")],
            features: Features(vec![("p", if out.is_empty() { p } else { p * 0.15 })]),
        });
    }
    out
}

/// The day behind a label: in the rest of its segment, to its right, or below it.
fn day_after(layout: &Layout<'_>, at: usize, end: usize, today: CivilDate) -> Option<(CivilDate, usize, Range<usize>)> {
    let own = layout.segments.get(at)?;
    if let Some((date, range)) = day_in(&own.text, end, today) {
        return Some((date, at, range));
    }
    let row = &layout.rows[own.row];
    if let Some(right) = row.segments.iter().copied().find(|i| *i > at) {
        let beside = &layout.segments[right];
        if let Some((date, range)) = day_in(&beside.text, 0, today).filter(|(_, range)| range.start < 12) {
            return Some((date, right, range));
        }
    }
    let below = layout.vertical(at, true, 2.5)?;
    let (date, range) = day_in(&below.text, 0, today)?;
    let i = layout.rows[below.row]
        .segments
        .iter()
        .copied()
        .find(|i| std::ptr::eq(&raw const layout.segments[*i], below))?;
    Some((date, i, range))
}

/// The first day printed in `text` from `start` on that can be read in one way only, or its likeliest reading.
fn day_in(text: &str, start: usize, today: CivilDate) -> Option<(CivilDate, Range<usize>)> {
    dates::find(text, today)
        .into_iter()
        .find(|d| d.range.start >= start)
        .and_then(|d| d.readings.first().map(|r| (r.date, d.range.clone())))
}
