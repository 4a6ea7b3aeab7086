//! Travel mails and the printed texts of tickets, compared with what KDE's kitinerary expects of them.
//!
//! It reads with one script per vendor and knows the airports and the day each file is of; a general reader has the paper.
//! So of every value it is told apart whether the paper prints it: contents of barcodes, sums nobody wrote down and days
//! without a year cannot be read by anybody. A trip's day is its first one. Its merchants are carriers and hotels, while
//! an expense is paid to whoever sold it: a travel agency that is read as the merchant counts as another. So the merchant
//! is compared with the sender of the mail as well.

use std::{collections::BTreeSet, fs, path::Path};

use jiff::ToSpan as _;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{corpus, with_ending};
use crate::{
    domain::{field::FieldKey, media::MediaType, page::Line, structured::StructuredSource, time::CivilDate},
    extract::{Context, Extraction, Material, dates, extract, numbers},
    reader::parse::{
        self, schema_org,
        tests::{Sent, request},
    },
};

/// What is expected of a file.
struct Expected {
    days: BTreeSet<CivilDate>,
    totals: BTreeSet<Decimal>,
    currencies: BTreeSet<String>,
    merchants: BTreeSet<String>,
}

impl Expected {
    fn of(json: &Value) -> Self {
        let mut values = Vec::new();
        schema_org::values(json, StructuredSource::JsonLd, &mut values);
        let texts = |name: &str| values.iter().filter(|v| v.name == name).map(|v| v.text.clone()).collect::<Vec<_>>();
        Self {
            days: texts("occurred_on").iter().filter_map(|text| text.parse().ok()).collect(),
            totals: texts("total").iter().filter_map(|text| text.parse().ok()).collect(),
            currencies: texts("currency").into_iter().collect(),
            merchants: texts("merchant").into_iter().map(|name| name.to_lowercase()).collect(),
        }
    }
}

/// A file as a mail of its sender, when the collection says who that is, and the day it was sent.
fn as_mail(path: &Path, bytes: &[u8]) -> (MediaType, Vec<u8>, Option<CivilDate>) {
    let kind = match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => MediaType::Html,
        Some("txt") => MediaType::Text,
        _ => return (MediaType::Mail, bytes.to_vec(), None),
    };
    let Ok(head) = fs::read_to_string(path.with_file_name("context.eml")) else { return (kind, bytes.to_vec(), None) };
    let subtype = if kind == MediaType::Html { "html" } else { "plain" };
    let head = head.trim();
    let rest = format!(
        "\nMIME-Version: 1.0\nContent-Type: text/{subtype}; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
    );
    let date = head.lines().find_map(|line| line.strip_prefix("Date: "));
    let sent = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()).map(|at| at.date());
    (MediaType::Mail, [head.as_bytes(), rest.as_bytes(), bytes].concat(), sent)
}

/// Letters and digits, small.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The sender's name and domain in the context of a file, and whether its text has a word of them.
fn sender(path: &Path, lines: &[String]) -> Option<(String, bool)> {
    let head = fs::read_to_string(path.with_file_name("context.eml")).ok()?;
    let from = head.lines().find_map(|line| line.strip_prefix("From: "))?;
    let is_word = |word: &&str| word.chars().count() >= 4;
    let words: Vec<&str> = from.split(|c: char| !c.is_alphanumeric()).filter(is_word).collect();
    let printed: Vec<String> =
        lines.iter().flat_map(|line| line.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase).collect();
    // The last lines of a mail's page are its headers.
    let is_printed = words.iter().any(|word| printed.iter().filter(|p| **p == word.to_lowercase()).count() > 1);
    Some((letters(from), is_printed))
}

/// Of one value: files that expect it, those whose paper prints it, those of these where it is read, and whose are not.
#[derive(Default)]
struct Tally {
    expected: usize,
    printed: usize,
    read: usize,
    missed: Vec<String>,
}

impl Tally {
    fn count(&mut self, is_printed: bool, is_read: bool, file: &str) {
        self.expected += 1;
        self.printed += usize::from(is_printed);
        self.read += usize::from(is_printed && is_read);
        if is_printed && !is_read {
            self.missed.push(file.to_owned());
        }
    }

    /// Says the figures and holds the floor.
    fn holds(&self, name: &str, floor: usize) {
        let Self { expected, printed, read, missed } = self;
        eprintln!("{name}: {read} of {printed} that are printed are read ({expected} expected); not: {missed:?}");
        assert!(*read >= floor, "{name}: {read} of {printed} read, {floor} were before");
    }
}

fn text(extraction: &Extraction, key: FieldKey) -> Option<String> {
    extraction.fields.get(&key).map(|field| field.value.to_string())
}

#[test]
fn trips_are_read_from_travel_mails_as_far_as_they_are_printed() {
    let Some(dir) = corpus("kitinerary/autotests/extractordata") else { return };
    let [mut day, mut total, mut currency, mut merchant, mut issuer] = std::array::from_fn(|_| Tally::default());
    for path in with_ending(&dir, &["html", "eml", "mbox", "txt"]) {
        let Ok(json) = fs::read(format!("{}.json", path.display())) else { continue };
        let expected = Expected::of(&serde_json::from_slice(&json).unwrap());
        let Some(first) = expected.days.first() else { continue };
        let (kind, bytes, sent) = as_mail(&path, &fs::read(&path).unwrap());
        // Bookings are handed in before the trip they are of.
        let today = sent.unwrap_or_else(|| first.checked_sub(30.days()).unwrap());
        let mut out = Sent::default();
        assert!(parse::read(&request(kind), &bytes, &mut out).is_ok(), "{}", path.display());
        let lines: Vec<String> = out.pages.iter().flat_map(|page| &page.lines).map(Line::text).collect();
        let context = Context { today, home_currency: None, locales: Vec::new(), known_merchants: Vec::new() };
        let read = extract(&Material { pages: out.pages, codes: Vec::new(), values: out.values }, &context);

        let file = path.strip_prefix(&dir).unwrap().display().to_string();
        let mut printed = lines.iter().flat_map(|line| dates::find(line, today)).flat_map(|found| found.readings);
        // A trip on the day of issue is said by that.
        let read_day = text(&read, FieldKey::OccurredOn).or_else(|| text(&read, FieldKey::Date));
        let is_said =
            read.fields.get(&FieldKey::OccurredOn).is_some_and(|field| field.source.starts_with("structured"));
        let is_printed = is_said || printed.any(|reading| reading.date == *first);
        day.count(is_printed, read_day == Some(first.to_string()), &file);
        if let Some(amount) = expected.totals.first() {
            let is_printed = lines.iter().flat_map(|line| numbers::find(line)).any(|found| found.value == *amount);
            let value = read.fields.get(&FieldKey::Total).and_then(|field| field.value.as_amount());
            total.count(is_printed, value == Some(*amount), &file);
            let code = text(&read, FieldKey::Currency);
            currency.count(is_printed, code.is_some_and(|code| expected.currencies.contains(&code)), &file);
        }
        if let Some((sender, is_printed)) = sender(&path, &lines) {
            let name = letters(&text(&read, FieldKey::Merchant).unwrap_or_default());
            issuer.count(is_printed, !name.is_empty() && sender.contains(&name), &file);
        }
        if !expected.merchants.is_empty() {
            let all = lines.join("\n").to_lowercase();
            let is_printed = expected.merchants.iter().any(|name| all.contains(name));
            let name = text(&read, FieldKey::Merchant).unwrap_or_default().to_lowercase();
            merchant.count(is_printed, expected.merchants.contains(&name), &file);
        }
    }
    day.holds("first day of the trip", 22);
    // One more until the ranker was trained on 2026-11-26: in a ticket whose amounts look replaced by its collector, the
    // tax (99.34) is more than the sum it is of (99.00), and is taken for the whole.
    total.holds("total", 10);
    currency.holds("currency", 11);
    merchant.holds("carrier or hotel as merchant", 1);
    issuer.holds("sender as merchant", 15);
}
