//! The date of the paper and its time of day.

use std::collections::BTreeMap;

use super::{
    dates::{self, Form, PrintedDate},
    layout::Layout,
    rank::{Features, Proposal},
    region::Region,
    times::{self, PrintedTime},
    words::{self, Label as L},
};
use crate::domain::{
    field::{FieldKey, FieldValue},
    time::{CivilDate, CivilTime},
};

/// Printed dates of one receipt that are considered.
pub const MAX_DATES: usize = 80;
/// Rows between a date and its time.
const NEAR_ROWS: usize = 2;

/// A date where it stands.
struct Mention {
    segment: usize,
    row: usize,
    printed: PrintedDate,
    labelled: bool,
    other: bool,
    time_on_row: bool,
    time_near: bool,
    legibility: f32,
    separator: Option<char>,
    phrase: Option<&'static str>,
}

/// All times of the receipt with their segments.
fn times(layout: &Layout<'_>, taken: &[Mention]) -> Vec<(usize, PrintedTime)> {
    let mut found = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate() {
        for time in times::find(&segment.text) {
            let inside_date = taken.iter().any(|m| {
                m.segment == at && m.printed.range.start < time.range.end && time.range.start < m.printed.range.end
            });
            if !inside_date && found.len() < MAX_DATES {
                found.push((at, time));
            }
        }
    }
    found
}

/// Dates and the times beside them.
pub struct Found {
    /// Proposals for [`FieldKey::Date`], one per distinct day.
    pub dates: Vec<Proposal>,
    /// Proposals for [`FieldKey::Time`], best first.
    pub times: Vec<Proposal>,
}

/// Every distinct day the receipt may be dated, and its times.
pub fn propose(layout: &Layout<'_>, region: &Region, today: CivilDate) -> Found {
    let mut mentions = collect(layout, today);
    let times = times(layout, &mentions);
    for m in &mut mentions {
        m.time_on_row = times.iter().any(|(at, _)| layout.segments[*at].row == m.row);
        m.time_near = times.iter().any(|(at, _)| layout.segments[*at].row.abs_diff(m.row) <= NEAR_ROWS);
    }
    let mut groups: BTreeMap<CivilDate, Vec<(usize, Form)>> = BTreeMap::new();
    for (i, m) in mentions.iter().enumerate() {
        for reading in &m.printed.readings {
            groups.entry(reading.date).or_default().push((i, reading.form));
        }
    }
    let order = day_first_odds(&mentions, region);
    let sure: Vec<CivilDate> = groups
        .iter()
        .filter(|(_, g)| g.iter().any(|(i, _)| mentions[*i].printed.readings.len() == 1))
        .map(|(d, _)| *d)
        .collect();
    let alone = groups.len() == 1;
    let dates = groups
        .iter()
        .map(|(date, group)| {
            let mut f = Features::default();
            f.flag("base", true);
            f.flag("alone", alone);
            let of = |test: &dyn Fn(&Mention) -> bool| group.iter().any(|(i, _)| test(&mentions[*i]));
            f.flag("label_date", of(&|m| m.labelled && !m.other));
            f.flag("label_other", group.iter().all(|(i, _)| mentions[*i].other));
            f.flag("with_time", of(&|m| m.time_on_row));
            f.flag("near_time", of(&|m| m.time_near));
            f.flag("twice", group.len() >= 2);
            f.flag("thrice", group.len() >= 3);
            f.flag("first", of(&|m| m.row == mentions[0].row));
            f.flag("future", *date > today);
            f.flag("old", today.year() - date.year() > 10);
            f.flag("sure_elsewhere", !sure.contains(date) && !sure.is_empty());
            // The best reading of the day decides how likely its order is.
            let odds = group
                .iter()
                .map(|(i, form)| {
                    if mentions[*i].printed.readings.len() == 1 {
                        0.0
                    } else {
                        order.log_p(*form, mentions[*i].separator)
                    }
                })
                .fold(f32::NEG_INFINITY, f32::max);
            f.set("order", odds.max(-6.0));
            let only = |form: Form| group.iter().all(|(_, g)| *g == form);
            f.flag("named", of(&|_| true) && only(Form::Named));
            f.flag("year_first", only(Form::YearFirst));
            f.flag("compact", only(Form::Compact));
            f.flag("short_year_first", only(Form::ShortYearFirst));
            f.set("depth", group.iter().map(|(i, _)| layout.depth(mentions[*i].row)).fold(1.0, f32::min));
            f.set("illegible", 1.0 - group.iter().map(|(i, _)| mentions[*i].legibility).fold(0.0, f32::max));
            let mut best: Vec<&Mention> = group.iter().map(|(i, _)| &mentions[*i]).collect();
            best.sort_by_key(|m| (m.other, !m.labelled, !m.time_on_row, m.row));
            let lead = best[0];
            let finder = match (lead.labelled, lead.time_on_row) {
                (true, _) => "date:label",
                (false, true) => "date:with_time",
                (false, false) => "date:unlabelled",
            };
            let mut reasons: Vec<String> = lead.phrase.iter().map(|p| format!("label:{p}")).collect();
            if group.len() > 1 {
                reasons.push(format!("printed:{}", group.len()));
            }
            if odds < 0.0 {
                reasons.push(format!("order:{}", order.reason));
            }
            Proposal {
                key: FieldKey::Date,
                value: FieldValue::Date(*date),
                evidence: best.iter().take(4).map(|m| layout.evidence(m.segment, &m.printed.range)).collect(),
                finder,
                reasons,
                features: f,
            }
        })
        .collect();
    Found { dates, times: time_proposals(layout, &mentions, &times) }
}

fn collect(layout: &Layout<'_>, today: CivilDate) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for (at, segment) in layout.segments.iter().enumerate() {
        for printed in dates::find(&segment.text, today) {
            if mentions.len() >= MAX_DATES {
                return mentions;
            }
            // The label: text before on the row, else the segment above.
            let mut before: String = layout.left_of(at).take(2).map(|s| s.text.as_str()).collect::<Vec<_>>().join(" ");
            before.push(' ');
            before.push_str(segment.text.get(..printed.range.start).unwrap_or(""));
            let mut hits = words::find(&before);
            if !hits.iter().any(|h| matches!(h.label, L::Date | L::OtherDate))
                && let Some(above) = layout.vertical(at, false, 2.5)
                && dates::find(&above.text, today).is_empty()
            {
                hits.extend(words::find(&above.text).into_iter().filter(|h| matches!(h.label, L::Date | L::OtherDate)));
            }
            let nearest = hits.iter().rev().find(|h| matches!(h.label, L::Date | L::OtherDate));
            let text = segment.text.get(printed.range.clone()).unwrap_or("");
            mentions.push(Mention {
                segment: at,
                row: segment.row,
                labelled: nearest.is_some(),
                other: nearest.is_some_and(|h| h.label == L::OtherDate),
                phrase: nearest.map(|h| h.phrase),
                time_on_row: false,
                time_near: false,
                legibility: segment.score_of(&printed.range),
                separator: text.chars().find(|c| !c.is_alphanumeric() && *c != ' '),
                printed,
            });
        }
    }
    mentions
}

/// How likely the day comes before the month on this paper, and why.
struct Order {
    day_first: f32,
    reason: &'static str,
}

impl Order {
    fn log_p(&self, form: Form, separator: Option<char>) -> f32 {
        // A point between the numbers is day first everywhere it is used.
        let day_first = if separator == Some('.') { self.day_first.max(0.9) } else { self.day_first };
        match form {
            Form::DayFirst => day_first.ln(),
            Form::MonthFirst => (1.0 - day_first).ln(),
            // Rare in print beside the others; dashes make it less rare.
            Form::ShortYearFirst => (if separator == Some('-') { 0.06_f32 } else { 0.02 }).ln(),
            Form::YearFirst | Form::Named | Form::Compact => 0.0,
        }
    }
}

fn day_first_odds(mentions: &[Mention], region: &Region) -> Order {
    let seen = |form: Form| {
        mentions.iter().any(|m| m.printed.readings.iter().all(|r| r.form == form) && m.printed.readings.len() == 1)
    };
    match (seen(Form::DayFirst), seen(Form::MonthFirst)) {
        (true, false) => return Order { day_first: 0.97, reason: "another date" },
        (false, true) => return Order { day_first: 0.03, reason: "another date" },
        _ => {}
    }
    Order { day_first: region.day_first, reason: region.order_reason }
}

fn time_proposals(layout: &Layout<'_>, dates: &[Mention], times: &[(usize, PrintedTime)]) -> Vec<Proposal> {
    let mut seen: Vec<CivilTime> = Vec::new();
    let mut scored: Vec<(f32, Proposal)> = Vec::new();
    for (at, time) in times {
        let row = layout.segments[*at].row;
        let same = dates.iter().any(|d| d.row == row);
        let near = dates.iter().any(|d| d.row.abs_diff(row) <= NEAR_ROWS);
        let labelled = words::find(&layout.rows[row].text).iter().any(|h| matches!(h.label, L::Time | L::Date));
        let score = 0.25
            + f32::from(u8::from(same)) * 0.45
            + f32::from(u8::from(near && !same)) * 0.25
            + f32::from(u8::from(labelled)) * 0.15
            + f32::from(u8::from(time.sure)) * 0.1;
        if seen.contains(&time.time) {
            continue;
        }
        seen.push(time.time);
        let finder = if same {
            "time:beside_date"
        } else if labelled {
            "time:label"
        } else {
            "time:alone"
        };
        scored.push((
            score.min(0.95) * layout.segments[*at].score_of(&time.range),
            Proposal {
                key: FieldKey::Time,
                value: FieldValue::Time(time.time),
                evidence: vec![layout.evidence(*at, &time.range)],
                finder,
                reasons: Vec::new(),
                features: Features(vec![("p", score.min(0.95))]),
            },
        ));
    }
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().map(|(_, p)| p).collect()
}
