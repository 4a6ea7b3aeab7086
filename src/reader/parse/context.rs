//! What surrounds a receipt: calendar events and wallet passes, read for the trip they tell of.

use std::io::Cursor;

use serde_json::Value;
use zip::ZipArchive;

use super::{charset, zip as archive};
use crate::{
    domain::structured::{StructuredSource, StructuredValue},
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
        "DTEND" => push(values, source, "event_ends_at", &moment(value)),
        "ORGANIZER" => {
            let name = head.split(';').find_map(|part| part.strip_prefix("CN=")).map(|name| name.trim_matches('"'));
            push(values, source, "event_organizer", name.unwrap_or(value.trim_start_matches("mailto:")));
        }
        _ => {}
    }
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
                ("event", "Flight LX188, Zurich – Shanghai"),
                ("event_starts_at", "2026-12-01T13:05:00"),
                ("event_ends_at", "2026-12-02T06:20:00Z"),
                ("event_place", "ZRH"),
                ("event_organizer", "Swiss"),
            ]
        );
    }

    #[test]
    fn a_pass_says_its_fields() {
        let json = r#"{"organizationName":"Swiss","description":"Boarding pass","relevantDate":"2026-12-01T13:05:00+01:00",
            "boardingPass":{"primaryFields":[{"key":"from","label":"Zurich","value":"ZRH"}],"backFields":[{"key":"x","value":7}]}}"#;
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("pass.json", SimpleFileOptions::default()).unwrap();
        writer.write_all(json.as_bytes()).unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let values = pass(&bytes).unwrap();
        assert_eq!(said(&values)[3..], [("pass_field", "Zurich: ZRH"), ("pass_field", "x: 7")]);
        assert_eq!(pass(b"PK\x03\x04 nonsense"), None);
    }

    proptest! {
        #[test]
        fn any_calendar_is_survived(text in "(BEGIN:VEVENT|END:VEVENT|DTSTART:|[0-9T]{0,16}|\\r\\n ?|\\PC){0,60}") {
            calendar(text.as_bytes());
        }
    }
}
