//! The day of the expense itself where the paper was issued on another: a ride, a night, a journey.
//!
//! A label says it: beside the day, above it in a column, or at the head of a timetable. Bookings print the days of all
//! legs and of both ends of a stay; the first of them is the day of the expense. Timetables leave the year out.

mod labels;
mod yearless;

use std::{cell::OnceCell, ops::Range, sync::LazyLock};

use regex::Regex;

use super::{
    dates::{self, Form, PrintedDate},
    layout::{Layout, Segment},
    rank::{Features, Proposal},
};
use crate::domain::{
    field::{FieldKey, FieldValue},
    time::CivilDate,
};
use labels::{LABELS, Says};

/// A journey is booked and billed at most this long before or after, in days.
const MAX_DAYS_APART: i32 = 400;
/// Labelled days of one paper that are looked at.
const MAX_FOUND: usize = 12;
/// Labels of one paper that are looked at, and segments of a row beside or below one.
const MAX_TRIED: usize = 200;
const MAX_SEGMENTS: usize = 20;
/// Dates of one paper among which the year of a day without one is looked for.
const MAX_PRINTED: usize = 200;
/// Bytes between a label and its day on one line: two names of towns.
const MAX_GAP: usize = 60;
/// Bytes before a day that stands to the right of its label, and before one in a column of days.
const MAX_BESIDE: usize = 12;
/// Bytes of a label that stands above its day: a longer text is a sentence.
const MAX_HEAD: usize = 40;
/// Neighbours to the right of a label that are looked at: the towns may have columns of their own.
const MAX_NEIGHBOURS: usize = 3;
/// Rows below the head of a timetable, and above a time of departure, in which the day is looked for.
const MAX_ROWS: usize = 4;
/// How much less a day without its year is believed.
const YEARLESS: f32 = 0.85;
/// How far the days after the first are believed, of the first's share.
const LATER: f32 = 0.15;

/// `2020年11月19日 13:36开`: the day a train leaves.
static LEAVES: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d{1,2}\s?[:：]\s?\d{2}\s?[开開]").ok());
/// A time right behind a label.
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\s:：.]{0,6}\d{1,2}[:：.h]\d{2}\b").ok());
/// The head of a column of days.
static DAYS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)^(?:date|datum|data|fecha|dato|日期|日付|날짜)(?:\W.{0,12})?$").ok());

/// A labelled day.
struct Found {
    date: CivilDate,
    says: Says,
    p: f32,
    label: String,
    segment: usize,
    range: Range<usize>,
}

/// Proposals for the day of the expense, where it is another than `issued`. Of `03/04` the day comes first with
/// probability `day_first`.
pub fn propose(layout: &Layout<'_>, issued: Option<CivilDate>, today: CivilDate, day_first: f32) -> Vec<Proposal> {
    let search = Search { layout, issued, today, is_day_first: day_first >= 0.5, printed: OnceCell::new() };
    let mut found = search.all();
    // The first night, the first leg: of a stay the arrival is first, of a journey the departure.
    found.sort_by(|a, b| {
        (a.says != Says::Day).cmp(&(b.says != Says::Day)).then(a.date.cmp(&b.date)).then(b.p.total_cmp(&a.p))
    });
    if found.first().is_some_and(|first| Some(first.date) == issued) {
        return Vec::new();
    }
    let mut out: Vec<Proposal> = Vec::new();
    for day in found {
        let value = FieldValue::Date(day.date);
        if Some(day.date) == issued || out.iter().any(|o| o.value == value) {
            continue;
        }
        out.push(Proposal {
            key: FieldKey::OccurredOn,
            value,
            evidence: vec![layout.evidence(day.segment, &day.range)],
            finder: "occurred:label",
            reasons: vec![format!("label:{}", day.label)],
            features: Features(vec![("p", if out.is_empty() { day.p } else { day.p * LATER })]),
        });
    }
    out
}

/// A day where it stands, and whether its year had to be concluded.
struct Day {
    date: CivilDate,
    segment: usize,
    range: Range<usize>,
    is_yearless: bool,
}

struct Search<'a, 'b> {
    layout: &'a Layout<'b>,
    issued: Option<CivilDate>,
    today: CivilDate,
    is_day_first: bool,
    /// Every day of the paper that is printed with its year.
    printed: OnceCell<Vec<CivilDate>>,
}

impl Search<'_, '_> {
    fn all(&self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut tried = 0;
        for (at, segment) in self.layout.segments.iter().enumerate() {
            if found.len() >= MAX_FOUND || tried >= MAX_TRIED {
                break;
            }
            if LEAVES.as_ref().is_some_and(|p| p.is_match(&segment.text)) {
                let day = self.day_in(at, 0, segment.text.len());
                found.extend(day.and_then(|day| self.labelled(day, Says::Day, 0.85, "开")));
                continue;
            }
            let hits = LABELS.iter().filter_map(|label| label.pattern.find(&segment.text).map(|m| (label, m)));
            // The surest label that has a day.
            for (label, m) in hits {
                tried += 1;
                let day = self.day_of(at, m.end()).or_else(|| match label.says {
                    Says::Leaves => self.day_of_time(at, m.end()).or_else(|| self.day_of_table(at)),
                    Says::Begins => self.day_of_table(at),
                    Says::Day => None,
                });
                let day = day.and_then(|day| self.labelled(day, label.says, label.p, m.as_str()));
                if let Some(day) = day {
                    found.push(day);
                    break;
                }
            }
        }
        found
    }

    /// The day with its label, unless no expense is booked or billed so far from its day.
    fn labelled(&self, day: Day, says: Says, p: f32, label: &str) -> Option<Found> {
        let is_near = self.issued.is_none_or(|issued| days_apart(day.date, issued) <= MAX_DAYS_APART);
        is_near.then(|| Found {
            date: day.date,
            says,
            p: if day.is_yearless { p * YEARLESS } else { p },
            label: label.chars().take(24).collect(),
            segment: day.segment,
            range: day.range,
        })
    }

    /// The day behind a label: in the rest of its segment, to its right, or below it.
    fn day_of(&self, at: usize, end: usize) -> Option<Day> {
        let own = self.layout.segments.get(at)?;
        if let Some(day) = self.day_in(at, end, MAX_GAP) {
            return Some(day);
        }
        let row = self.layout.rows.get(own.row)?;
        let right = row.segments.iter().copied().filter(|i| *i > at).take(MAX_NEIGHBOURS);
        // What a neighbour's own label says is that label's.
        let mut right = right.take_while(|i| !labels::is_label(&self.layout.segments[*i].text));
        if let Some(day) = right.find_map(|i| self.day_in(i, 0, MAX_BESIDE)) {
            return Some(day);
        }
        if let Some(day) = self.day_of_next_line(own, end) {
            return Some(day);
        }
        if own.text.len() > MAX_HEAD {
            return None;
        }
        let below = self.layout.vertical(at, true, 2.5)?;
        let mut beneath = self.layout.rows.get(below.row)?.segments.iter().copied();
        let i = beneath.find(|i| std::ptr::eq(&raw const self.layout.segments[*i], below))?;
        self.day_in(i, 0, MAX_BESIDE / 2)
    }

    /// A text cut into lines may be cut between a label and its day.
    fn day_of_next_line(&self, own: &Segment<'_>, end: usize) -> Option<Day> {
        let row = self.layout.rows.get(own.row)?;
        let is_last = row.segments.last().is_some_and(|last| std::ptr::eq(&raw const self.layout.segments[*last], own));
        let ends = own.text.get(end..)?.trim_matches([' ', ':', '：', '.']).is_empty();
        let next = self.layout.rows.get(own.row + 1).filter(|next| is_last && ends && next.page == row.page)?;
        self.day_in(*next.segments.first()?, 0, 0)
    }

    /// `Departure: 08:55` says when, and a line above says the day.
    fn day_of_time(&self, at: usize, end: usize) -> Option<Day> {
        let own = self.layout.segments.get(at)?;
        let row = self.layout.rows.get(own.row)?;
        let is_time = |text: &str| TIME.as_ref().is_some_and(|time| time.is_match(text));
        let next = row.segments.iter().copied().find(|i| *i > at).map(|i| self.layout.segments[i].text.as_str());
        if !is_time(own.text.get(end..)?) && !next.is_some_and(is_time) {
            return None;
        }
        let above = (0..own.row).rev().take(MAX_ROWS).map(|row| &self.layout.rows[row]);
        let mut above = above.take_while(|above| above.page == row.page);
        above.find_map(|row| self.day_on(&row.segments, usize::MAX))
    }

    /// A timetable has a column of days, and its head says what else it is of.
    fn day_of_table(&self, at: usize) -> Option<Day> {
        let own = self.layout.segments.get(at)?;
        let head = self.layout.rows.get(own.row)?;
        let is_days = |text: &str| DAYS.as_ref().is_some_and(|days| days.is_match(text.trim()));
        if !head.segments.iter().any(|i| is_days(&self.layout.segments[*i].text)) {
            return None;
        }
        let mut below = self.layout.rows.iter().skip(own.row + 1).take(MAX_ROWS).filter(|row| row.page == head.page);
        below.find_map(|row| self.day_on(&row.segments, MAX_BESIDE))
    }

    fn day_on(&self, segments: &[usize], within: usize) -> Option<Day> {
        segments.iter().take(MAX_SEGMENTS).find_map(|i| self.day_in(*i, 0, within))
    }

    /// The first day printed in a segment that begins at most `within` bytes after `start`; one with its year rather than
    /// one without.
    fn day_in(&self, segment: usize, start: usize, within: usize) -> Option<Day> {
        let text = self.layout.segments.get(segment)?.text.as_str();
        let reach = start..=start.saturating_add(within);
        let full = dates::find(text, self.today).into_iter().find(|found| reach.contains(&found.range.start));
        if let Some(found) = full {
            let date = self.reading(&found)?;
            return Some(Day { date, segment, range: found.range, is_yearless: false });
        }
        let bare =
            yearless::find(text, self.is_day_first).into_iter().find(|found| reach.contains(&found.range.start))?;
        let printed = self.printed.get_or_init(|| self.all_printed());
        let date = bare.in_year(printed, self.issued, self.today)?;
        Some(Day { date, segment, range: bare.range, is_yearless: true })
    }

    /// The likeliest reading: of day and month the one the paper's country puts first.
    fn reading(&self, found: &PrintedDate) -> Option<CivilDate> {
        let wanted = if self.is_day_first { Form::DayFirst } else { Form::MonthFirst };
        let reading = found.readings.iter().find(|reading| reading.form == wanted).or_else(|| found.readings.first());
        reading.map(|reading| reading.date)
    }

    fn all_printed(&self) -> Vec<CivilDate> {
        let all = self.layout.segments.iter().flat_map(|segment| dates::find(&segment.text, self.today));
        all.take(MAX_PRINTED).filter_map(|found| self.reading(&found)).collect()
    }
}

/// Days between two, either way.
fn days_apart(a: CivilDate, b: CivilDate) -> i32 {
    a.since(b).map_or(i32::MAX, |span| span.get_days()).abs()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::extract::tests::page;

    const TODAY: CivilDate = date(2026, 11, 20);

    /// The chosen day of a paper issued on 5 November 2026.
    fn day(rows: &[&str]) -> Option<String> {
        let pages = [page(rows, 0.0)];
        let proposals = propose(&Layout::new(&pages), Some(date(2026, 11, 5)), TODAY, 0.97);
        proposals.first().map(|best| best.value.to_string())
    }

    #[test]
    fn a_label_beside_above_or_before_the_day_says_it() {
        for (rows, expected) in [
            (&["Fahrtantritt am 19.12.2026"][..], "2026-12-19"),
            (
                &[
                    "Hinflug  Kiel (KEL) - Basel (BSL)  So 10.01.2027",
                    "Rückflug  Basel (BSL) - Kiel (KEL)  Fr 15.01.2027",
                ],
                "2027-01-10",
            ),
            (&["Check-in  Check-out", "12/11/2026  14/11/2026"], "2026-11-12"),
            (&["出发日期：2026年12月1日 08:15"], "2026-12-01"),
            (&["Fecha de salida: 3/12/2026"], "2026-12-03"),
            (&["Days of your stay  Arrival", "10.12.2026  Departure  18.12.2026"], "2026-12-10"),
            (&["ご利用日        2026年12月3日"], "2026-12-03"),
            (&["2026年12月3日 13:36开"], "2026-12-03"),
            // What stands beside a label of its own is of that.
            (&["Arrival  Departure 18.12.2026", "10.12.2026"], "2026-12-10"),
        ] {
            assert_eq!(day(rows).as_deref(), Some(expected), "{rows:?}");
        }
    }

    #[test]
    fn the_first_leg_and_the_first_night_count_whichever_end_is_called_departure() {
        let stay = ["Departure  18.12.2026", "Arrival  10.12.2026"];
        assert_eq!(day(&stay).as_deref(), Some("2026-12-10"));
        let flight = ["Departure  10.12.2026 21:40", "Arrival  11.12.2026 07:30"];
        assert_eq!(day(&flight).as_deref(), Some("2026-12-10"));
        // What says that it is the day outweighs what begins earlier, and the day of issue is not proposed once more.
        let named = ["Departure  05.11.2026", "Reisedatum  12.12.2026", "Departure  10.12.2026"];
        let pages = [page(&named, 0.0)];
        let proposals = propose(&Layout::new(&pages), Some(date(2026, 11, 5)), TODAY, 0.97);
        let days: Vec<String> = proposals.iter().map(|proposal| proposal.value.to_string()).collect();
        assert_eq!(days, ["2026-12-12", "2026-12-10"]);
        assert!(proposals[1].features.get("p") < 0.2 * proposals[0].features.get("p"), "{proposals:?}");
    }

    #[test]
    fn a_time_of_departure_is_of_the_day_above_it() {
        let rows = [
            "Flight: 15.12.2026 | XA 846",
            "operated by Example Air",
            "Departure: 11:35  Kiel",
            "Arrival: 13:05  Basel",
            "Flight: 18.12.2026 | XA 847",
            "Departure: 20:25  Basel",
        ];
        assert_eq!(day(&rows).as_deref(), Some("2026-12-15"));
        // The hours of a house are no time of departure.
        assert_eq!(day(&["Printed 15.12.2026", "Check-in: 15:00"]), None);
        // Nor is a gate.
        assert_eq!(day(&["Printed 15.12.2026", "Departure from gate 7"]), None);
    }

    #[test]
    fn a_timetable_gives_the_day_of_its_first_stop_with_or_without_the_year() {
        let full = [
            "Date  Station  Arrival  Departure  Platform",
            "Fri 31/12/26  Kiel, Hbf    22:10  2",
            "Sat 01/01/27  Basel  00:30",
        ];
        assert_eq!(day(&full).as_deref(), Some("2026-12-31"));
        let bare = [
            "Départ / Arrivée  Date / Heure  Train",
            "Place 31",
            "KIEL  15/01 à 17h50  N 6857",
            "BASEL  15/01 à 19h58",
        ];
        assert_eq!(day(&bare).as_deref(), Some("2027-01-15"));
        let p = |rows: &[&str]| propose(&Layout::new(&[page(rows, 0.0)]), None, TODAY, 0.97)[0].features.get("p");
        assert!(p(&["Departure 15/01"]) < p(&["Departure 15/01/2027"]), "a concluded year is less sure");
    }

    #[test]
    fn days_that_are_no_trips_and_trips_of_the_day_of_issue_propose_nothing() {
        for rows in [
            // In a sentence, and far from its label.
            &["Please note that departure may be changed by the carrier without notice until the 1st of 12/12/2026"][..],
            &["The arrival hall is open for everybody who waits", "12/12/2026 is the day this form was made"],
            // A ticket of the same day; its return is not the day of the expense.
            &["Departure  05.11.2026 08:15", "Departure  08.11.2026 19:00"],
            // Farther away than anything is booked.
            &["Departure  05.01.2028"],
        ] {
            assert_eq!(day(rows), None, "{rows:?}");
        }
    }

    #[test]
    fn of_two_readings_the_papers_country_decides() {
        let pages = [page(&["Departure date: 03/12/2026"], 0.0)];
        let of = |day_first| propose(&Layout::new(&pages), None, TODAY, day_first)[0].value.to_string();
        assert_eq!((of(0.97), of(0.04)), ("2026-12-03".to_owned(), "2026-03-12".to_owned()));
    }
}
