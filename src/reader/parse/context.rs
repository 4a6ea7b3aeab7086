//! What surrounds a receipt: calendar events and wallet passes, read for the trip they tell of.

use std::io::Cursor;

use serde_json::Value;
use zip::ZipArchive;

use super::{charset, zip as archive};
use crate::{
    domain::{
        structured::{StructuredSource, StructuredValue},
        time::CivilDate,
        trip::{TRIP, TripKind},
    },
    reader::protocol::MAX_VALUE_CHARS,
};

/// Events of one calendar, and bytes that are read of it.
const MAX_EVENTS: usize = 20;
const MAX_CALENDAR_BYTES: usize = 512 * 1024;
/// Fields of one pass, and bytes of its description.
const MAX_FIELDS: usize = 60;
const MAX_PASS_BYTES: u64 = 256 * 1024;

fn push(values: &mut Vec<StructuredValue>, source: StructuredSource, name: &str, text: &str) {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_VALUE_CHARS).collect();
    if !text.is_empty() {
        values.push(StructuredValue { source, name: name.to_owned(), text, page: None, quad: None });
    }
}

/// Whether a text is a calendar (RFC 5545).
pub fn is_calendar(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64)];
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    head.get(..15).is_some_and(|start| start.eq_ignore_ascii_case(b"BEGIN:VCALENDAR"))
}

/// The events of a calendar: what, when, where.
pub fn calendar(bytes: &[u8]) -> Vec<StructuredValue> {
    let text = charset::decode(&bytes[..bytes.len().min(MAX_CALENDAR_BYTES)], None);
    let mut values = Vec::new();
    let (mut events, mut depth) = (0, 0_usize);
    for line in unfolded(&text) {
        let Some((head, value)) = line.split_once(':') else { continue };
        let name = head.split(';').next().unwrap_or_default().to_ascii_uppercase();
        match (name.as_str(), value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VEVENT") => {
                events += 1;
                depth = 1;
                if events > MAX_EVENTS {
                    break;
                }
                push(&mut values, StructuredSource::Calendar, TRIP, TripKind::Event.as_str());
            }
            // Alarms inside an event have a summary and times of their own.
            ("BEGIN", _) if depth > 0 => depth += 1,
            ("END", _) if depth > 0 => depth -= 1,
            _ if depth == 1 => event(&mut values, &name, head, value),
            _ => {}
        }
    }
    values
}

fn event(values: &mut Vec<StructuredValue>, name: &str, head: &str, value: &str) {
    let source = StructuredSource::Calendar;
    let said =
        value.replace("\\n", " ").replace("\\N", " ").replace("\\,", ",").replace("\\;", ";").replace("\\\\", "\\");
    match name {
        "SUMMARY" => push(values, source, "event", &said),
        "LOCATION" => push(values, source, "event_place", &said),
        "DTSTART" => push(values, source, "event_starts_at", &moment(value)),
        "DTEND" => {
            let end = last_moment(&moment(value), values);
            push(values, source, "event_ends_at", &end);
        }
        "ORGANIZER" => {
            let name = head.split(';').find_map(|part| part.strip_prefix("CN=")).map(|name| name.trim_matches('"'));
            push(values, source, "event_organizer", name.unwrap_or(value.trim_start_matches("mailto:")));
        }
        _ => {}
    }
}

/// An event of whole days ends before the day it names (RFC 5545, 3.6.1): its last day, and its first where programs name
/// that one.
fn last_moment(end: &str, values: &[StructuredValue]) -> String {
    let starts = values.iter().rev().find(|v| v.name == "event_starts_at").map(|v| v.text.as_str());
    let before = end.parse::<CivilDate>().ok().and_then(|day| day.yesterday().ok()).map(|day| day.to_string());
    before
        .filter(|last| end.len() == 10 && starts.is_none_or(|start| start <= last.as_str()))
        .unwrap_or_else(|| end.to_owned())
}

/// Long lines are folded: a line that begins with a blank goes on with the one before (RFC 5545, 3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// `20261120T091400Z` as `2026-11-20T09:14:00Z`; what is of another form stays as it is.
fn moment(value: &str) -> String {
    let digits = value.get(..8).filter(|date| date.bytes().all(|b| b.is_ascii_digit()));
    let Some(date) = digits else { return value.to_owned() };
    let day = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
    let time = value.get(8..15).filter(|t| t.starts_with('T') && t[1..].bytes().all(|b| b.is_ascii_digit()));
    match time {
        Some(time) => format!("{day}T{}:{}:{}{}", &time[1..3], &time[3..5], &time[5..], &value[15..]),
        None => day,
    }
}

/// What journey or event a pass lets one take part in; `None` for cards, coupons and what has no day.
fn kind_of_pass(pass: &Value) -> Option<TripKind> {
    let Some(journey) = pass.get("boardingPass") else {
        let is_card = ["storeCard", "coupon"].iter().any(|style| pass.get(*style).is_some());
        let other = pass.get("relevantDate").filter(|_| !is_card).map(|_| TripKind::Other);
        return pass.get("eventTicket").map(|_| TripKind::Event).or(other);
    };
    Some(match journey.get("transitType").and_then(Value::as_str) {
        Some("PKTransitTypeAir") => TripKind::Flight,
        Some("PKTransitTypeTrain") => TripKind::Train,
        Some("PKTransitTypeBus") => TripKind::Bus,
        Some("PKTransitTypeBoat") => TripKind::Boat,
        _ => TripKind::Other,
    })
}

/// `Zurich (ZRH)`: the large field of a flight is the airport's code, its label the town.
fn place(label: &str, text: &str) -> String {
    let is_code = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    if is_code && !label.is_empty() { format!("{label} ({text})") } else { text.to_owned() }
}

/// Whether an archive is a wallet pass, and what it says: its fields with their labels.
pub fn pass(document: &[u8]) -> Option<Vec<StructuredValue>> {
    let entries = archive::directory(document).ok()?;
    let index = entries.iter().position(|entry| entry.path() == "pass.json")?;
    if entries[index].inflated > MAX_PASS_BYTES {
        return None;
    }
    let mut zip = ZipArchive::new(Cursor::new(document)).ok()?;
    let bytes = archive::inflate(&mut zip, index, &entries[index], None).ok()??;
    let pass: Value = serde_json::from_str(&charset::decode(&bytes, None)).ok()?;
    let source = StructuredSource::Pass;
    let mut values = Vec::new();
    if let Some(kind) = kind_of_pass(&pass) {
        push(&mut values, source, TRIP, kind.as_str());
    }
    for (key, name) in
        [("organizationName", "pass_organization"), ("description", "pass_description"), ("relevantDate", "pass_date")]
    {
        push(&mut values, source, name, pass.get(key).and_then(Value::as_str).unwrap_or_default());
    }
    for style in ["boardingPass", "eventTicket", "coupon", "storeCard", "generic"] {
        let Some(style) = pass.get(style) else { continue };
        for group in ["headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields"] {
            let fields = style.get(group).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for field in fields.iter().take(MAX_FIELDS) {
                let label = field.get("label").or_else(|| field.get("key")).and_then(Value::as_str).unwrap_or_default();
                let text = match field.get("value") {
                    Some(Value::String(text)) => text.clone(),
                    Some(Value::Number(number)) => number.to_string(),
                    _ => continue,
                };
                push(&mut values, source, "pass_field", &format!("{label}: {text}"));
                let key = field.get("key").and_then(Value::as_str).unwrap_or_default().to_lowercase();
                let is_any = |words: &[&str]| words.iter().any(|word| key.contains(word));
                // Keys are its programmer's English; of a journey the two large fields are where from and where to.
                if is_any(&["passenger", "traveler", "traveller"]) {
                    push(&mut values, source, "passenger", &text);
                } else if is_any(&["confirmation", "pnr", "booking", "reservation"]) {
                    push(&mut values, source, "reservation_number", &text);
                } else if group == "primaryFields" && kind_of_pass(&pass).is_some_and(|kind| kind != TripKind::Event) {
                    let is_from = !values.iter().any(|v| v.name == "departure_place");
                    let name = if is_from { "departure_place" } else { "arrival_place" };
                    push(&mut values, source, name, &place(label, &text));
                }
            }
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::domain::trip::Trip;

    fn said(values: &[StructuredValue]) -> Vec<(&str, &str)> {
        values.iter().map(|v| (v.name.as_str(), v.text.as_str())).collect()
    }

    #[test]
    fn a_calendar_says_what_when_and_where() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Flight LX188\\, Zurich\r\n  – Shanghai\r\nDTSTART;TZID=Europe/Zurich:20261201T130500\r\nDTEND:20261202T062000Z\r\nLOCATION:ZRH\r\nBEGIN:VALARM\r\nSUMMARY:no\r\nEND:VALARM\r\nORGANIZER;CN=\"Swiss\":mailto:a@swiss.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert!(is_calendar(text.as_bytes()));
        let values = calendar(text.as_bytes());
        assert_eq!(
            said(&values),
            [
                ("trip", "event"),
                ("event", "Flight LX188, Zurich – Shanghai"),
                ("event_starts_at", "2026-12-01T13:05:00"),
                ("event_ends_at", "2026-12-02T06:20:00Z"),
                ("event_place", "ZRH"),
                ("event_organizer", "Swiss"),
            ]
        );
    }

    #[test]
    fn an_event_of_whole_days_ends_with_its_last_one() {
        for (start, end, expected) in [
            ("20261202", "20261203", "2026-12-02"),
            ("20261202", "20261205", "2026-12-04"),
            ("20261202", "20261202", "2026-12-02"),
        ] {
            let text = format!(
                "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:{start}\nDTEND;VALUE=DATE:{end}\nEND:VEVENT\nEND:VCALENDAR"
            );
            assert!(said(&calendar(text.as_bytes())).contains(&("event_ends_at", expected)), "{start} {end}");
        }
        let hours = "BEGIN:VEVENT\nDTSTART:20261202T220000Z\nDTEND:20261204T060000Z\nEND:VEVENT";
        assert!(said(&calendar(hours.as_bytes())).contains(&("event_ends_at", "2026-12-04T06:00:00Z")), "not a day");
    }

    #[test]
    fn a_pass_says_its_fields() {
        let json = r#"{"organizationName":"Swiss","description":"Boarding pass","relevantDate":"2026-12-01T13:05:00+01:00",
            "boardingPass":{"transitType":"PKTransitTypeAir","primaryFields":[{"key":"from","label":"Zurich","value":"ZRH"},
            {"key":"to","label":"Shanghai","value":"PVG"}],"backFields":[{"key":"x","value":7},{"key":"passengerName","value":"Ann Rep"},
            {"key":"pnr","label":"Booking","value":"XYZ"}]}}"#;
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("pass.json", SimpleFileOptions::default()).unwrap();
        writer.write_all(json.as_bytes()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let values = pass(&bytes).unwrap();
        assert!(
            said(&values).contains(&("pass_field", "Zurich: ZRH")) && said(&values).contains(&("pass_field", "x: 7"))
        );
        let trip = Trip::all(&values).remove(0);
        assert_eq!((trip.kind, trip.carrier.as_deref()), (TripKind::Flight, Some("Swiss")));
        assert_eq!((trip.from.as_deref(), trip.to.as_deref()), (Some("Zurich (ZRH)"), Some("Shanghai (PVG)")));
        assert_eq!(trip.starts_at.as_deref(), Some("2026-12-01T13:05:00+01:00"));
        assert_eq!((trip.reservation.as_deref(), trip.passengers), (Some("XYZ"), vec!["Ann Rep".to_owned()]));
        assert_eq!(pass(b"PK\x03\x04 nonsense"), None);
    }

    proptest! {
        #[test]
        fn any_calendar_is_survived(text in "(BEGIN:VEVENT|END:VEVENT|DTSTART:|[0-9T]{0,16}|\\r\\n ?|\\PC){0,60}") {
            calendar(text.as_bytes());
        }
    }
}
