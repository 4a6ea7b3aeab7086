//! What machine-readable codes on receipts say, country by country.
//!
//! Each file knows one kind of payload and returns nothing for all others. A payload is believed as far as its issuer's
//! machine wrote it: the values are exact, but the code may belong to another paper on the same picture. URLs are kept and
//! never followed. What no file knows is shown raw.

mod austria;
mod balkans;
mod china;
mod epc;
mod germany;
mod india;
mod portugal;
mod russia;
mod saudi;
mod spain;
mod swiss;
mod taiwan;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;

use crate::domain::{
    field::{FieldKey, FieldValue, MAX_TEXT_CHARS},
    money::Currency,
    receipt::EvidenceKind,
    time::{CivilDate, CivilTime},
};

/// Characters of a payload that are looked at; a QR code holds at most 4,296.
const MAX_CHARS: usize = 4_300;

/// An issuer's machine wrote it: wrong only when the code belongs to another paper on the picture.
pub(super) const EXACT: f32 = 0.985;
/// Worked out from exact values, or exact about something near to the field.
pub(super) const NEAR: f32 = 0.93;

/// What a payload says.
#[derive(Debug, Clone, PartialEq)]
pub struct Payload {
    /// Which kind of payload: a stable code, e.g. `fapiao`, `rksv`.
    pub format: &'static str,
    /// Fields, each with the probability that it is this receipt's.
    pub values: Vec<(FieldKey, FieldValue, f32)>,
    /// What is no field, by name: `invoice_code`, `url`, `item.1`.
    pub extra: Vec<(String, String)>,
    /// The net amount leads to the total only together with the printed paper (older Chinese invoices).
    pub needs_gross: Option<Decimal>,
}

/// Reads a payload of any known kind; `None` when it is none.
pub fn parse(text: &str) -> Option<Payload> {
    if text.len() > MAX_CHARS * 4 || text.chars().count() > MAX_CHARS {
        return None;
    }
    let text = text.trim();
    let readers: [fn(&str) -> Option<Payload>; 15] = [
        china::fapiao,
        taiwan::left,
        taiwan::right,
        portugal::atcud,
        austria::rksv,
        germany::tse,
        russia::fns,
        swiss::qr_bill,
        epc::transfer,
        spain::verifactu,
        spain::ticket_bai,
        balkans::verify,
        india::signed,
        china::url,
        saudi::zatca,
    ];
    readers.iter().find_map(|read| read(text))
}

impl Payload {
    fn new(format: &'static str) -> Self {
        Self { format, values: Vec::new(), extra: Vec::new(), needs_gross: None }
    }

    /// The first value of a field.
    pub fn get(&self, key: FieldKey) -> Option<&FieldValue> {
        self.values.iter().find(|(known, _, _)| *known == key).map(|(_, value, _)| value)
    }

    fn text(&mut self, key: FieldKey, text: &str) {
        let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect();
        if !text.is_empty() {
            self.values.push((key, FieldValue::Text(text), EXACT));
        }
    }

    fn date(&mut self, date: Option<CivilDate>, p: f32) {
        self.values.extend(date.map(|date| (FieldKey::Date, FieldValue::Date(date), p)));
    }

    fn time(&mut self, time: Option<CivilTime>, p: f32) {
        self.values.extend(time.map(|time| (FieldKey::Time, FieldValue::Time(time), p)));
    }

    fn amount(&mut self, key: FieldKey, amount: Option<Decimal>, p: f32) {
        let Some(mut amount) = amount else { return };
        if amount.scale() < 2 {
            amount.rescale(2);
        }
        self.values.push((key, FieldValue::Amount(amount), p));
    }

    fn currency(&mut self, code: &str) {
        self.values.extend(code.parse::<Currency>().ok().map(|c| (FieldKey::Currency, FieldValue::Currency(c), EXACT)));
    }

    fn kind(&mut self, kind: EvidenceKind) {
        self.values.push((FieldKey::EvidenceKind, FieldValue::Text(kind.as_str().to_owned()), EXACT));
    }

    fn keep(&mut self, name: &str, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.extra.push((name.to_owned(), text.chars().take(MAX_TEXT_CHARS).collect()));
        }
    }
}

/// `20230215`.
fn compact_date(text: &str) -> Option<CivilDate> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = text.parse().ok()?;
    CivilDate::new((number / 10_000) as i16, (number / 100 % 100) as i8, (number % 100) as i8).ok()
}

/// `2024-04-15T16:28:54` with or without fraction and zone, or with a space instead of the T.
fn iso_moment(text: &str) -> (Option<CivilDate>, Option<CivilTime>) {
    let date = text.get(..10).and_then(|d| d.parse().ok());
    let time = text.get(11..19).and_then(|t| t.parse().ok()).or_else(|| text.get(11..16).and_then(|t| t.parse().ok()));
    (date, time)
}

/// `12.30` or `12,30`, with a sign perhaps; no grouping.
fn plain_amount(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let is_plain = !text.is_empty()
        && text.len() <= 18
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-'));
    is_plain.then(|| Decimal::from_str_exact(&text.replace(',', ".")).ok()).flatten()
}

/// Host, path and query of an http(s) URL.
fn url_parts(text: &str) -> Option<(&str, &str, &str)> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    if rest.contains(char::is_whitespace) {
        return None;
    }
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, after) = rest.split_at(host_end);
    // Single-page applications put the query behind the fragment.
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    (!host.is_empty()).then_some((host, path, query))
}

/// A parameter of a query, percent signs decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| percent_decoded(value))
    })
}

fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = (byte == b'%').then(|| {
            let pair = [bytes.next()?, bytes.next()?];
            u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()
        });
        match decoded {
            Some(Some(byte)) => out.push(byte),
            Some(None) => return text.to_owned(),
            None => out.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}
