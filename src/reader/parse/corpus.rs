//! Real mails of many clients, when they are there: `../shared/corpus/eml`. Nothing of them is printed but file names.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rust_decimal::Decimal;

use super::{
    mail::{self, forward},
    schema_org,
    tests::{Sent, request},
};
use crate::{
    domain::{field::FieldKey, media::MediaType, structured::StructuredSource, time::CivilDate},
    extract::{Context, Material, extract},
    reader::output::Stopped,
};

/// The folder; `None`, said plainly, when it is not there.
fn corpus(below: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/eml").join(below);
    if !path.is_dir() {
        eprintln!("skipped: `{}` is not there", path.display());
        return None;
    }
    Some(path)
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
    found.sort();
}

fn with_ending(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(dir, &mut found);
    found.retain(|path| path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e)));
    found
}

/// Longer than any of them takes on a machine that is also compiling.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn all_real_and_broken_mails_are_read_or_refused_with_a_reason() {
    let Some(dir) = corpus("") else { return };
    let mails = with_ending(&dir, &["eml", "msg", "mbox", "mime"]);
    assert!(mails.len() > 200, "{}", mails.len());
    let (mut read, mut refused) = (0, Vec::new());
    for path in &mails {
        let bytes = fs::read(path).unwrap();
        let started = Instant::now();
        match mail::read(&request(MediaType::Mail), &bytes, &mut Sent::default()) {
            Ok(_) => read += 1,
            Err(Stopped::Failed(failed)) => refused.push((path, failed.reason)),
            Err(Stopped::Pipe(error)) => panic!("{}: {error}", path.display()),
        }
        assert!(started.elapsed() < PATIENCE, "{} took {:?}", path.display(), started.elapsed());
    }
    eprintln!("{read} of {} mails read, refused: {refused:?}", mails.len());
    assert!(refused.len() * 50 <= mails.len(), "{refused:?}");
}

#[test]
fn html_calendars_and_wrappers_of_real_mails_are_survived() {
    let Some(dir) = corpus("") else { return };
    for path in with_ending(&dir, &["html", "htm"]) {
        let bytes = fs::read(&path).unwrap();
        let outcome = super::html::read(&request(MediaType::Html), &bytes, &mut Sent::default());
        assert!(outcome.is_ok(), "{}", path.display());
    }
    for path in with_ending(&dir, &["ics"]) {
        assert!(!super::context::calendar(&fs::read(&path).unwrap()).is_empty(), "{}", path.display());
    }
    let wrapped = with_ending(&dir, &["tnef", "dat"]);
    let opened = wrapped.iter().filter(|path| mail::tnef::unwrap(&fs::read(path).unwrap()).is_some()).count();
    eprintln!("{opened} of {} wrappers opened", wrapped.len());
    let passes = with_ending(&dir, &["pkpass"]);
    let told = passes.iter().filter(|path| super::context::pass(&fs::read(path).unwrap()).is_some()).count();
    assert_eq!(told, passes.len(), "passes that say something");
}

/// The sender every forward of this collection has, except in the files that leave him out.
const SENDER: &str = "john.doe@acme.com";

#[test]
fn forwards_of_many_clients_and_languages_have_their_original_sender() {
    let Some(dir) = corpus("crisp_email_forward_parser/test/fixtures") else { return };
    let bodies: Vec<PathBuf> = with_ending(&dir, &["txt"])
        .into_iter()
        .filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(|name| name.contains("_body")))
        .filter(|path| fs::read_to_string(path).unwrap().contains(SENDER))
        .collect();
    let wrong: Vec<&str> = bodies
        .iter()
        .filter(|path| {
            let lines: Vec<String> = fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
            forward::find(&lines).and_then(|original| original.address).as_deref() != Some(SENDER)
        })
        .filter_map(|path| path.file_name().and_then(|name| name.to_str()))
        .collect();
    eprintln!("{} of {} forwards have the right sender; not: {wrong:?}", bodies.len() - wrong.len(), bodies.len());
    assert!(wrong.len() * 20 <= bodies.len(), "{wrong:?}");
}

/// Names of values that are compared with what KDE's kitinerary expects.
const COMPARED: [&str; 8] = [
    "total",
    "currency",
    "reservation_number",
    "flight_number",
    "train_number",
    "occurred_on",
    "departure_place",
    "merchant",
];

/// Whether a value was read as it was expected; amounts by what they are worth.
fn is_same(expected: &str, read: &str) -> bool {
    match (expected.parse::<Decimal>(), read.parse::<Decimal>()) {
        (Ok(expected), Ok(read)) => expected == read,
        _ => expected.eq_ignore_ascii_case(read),
    }
}

#[test]
fn travel_mails_of_kitinerary_are_compared_with_what_it_expects_of_them() {
    let Some(dir) = corpus("kitinerary/autotests/extractordata") else { return };
    let context = Context {
        today: CivilDate::new(2026, 11, 20).unwrap(),
        home_currency: None,
        locales: Vec::new(),
        known_merchants: Vec::new(),
    };
    // Of each name: said as data, read in any way, expected.
    let mut by_name: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let (mut files, mut told) = (0, 0);
    for path in with_ending(&dir, &["html", "eml", "mbox", "txt"]) {
        let expected = PathBuf::from(format!("{}.json", path.display()));
        let Ok(json) = fs::read(&expected) else { continue };
        let mut wanted = Vec::new();
        schema_org::values(&serde_json::from_slice(&json).unwrap(), StructuredSource::JsonLd, &mut wanted);
        let bytes = fs::read(&path).unwrap();
        let mut out = Sent::default();
        // Its texts are what is printed in PDF tickets.
        let kind = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => MediaType::Html,
            Some("txt") => MediaType::Text,
            _ => MediaType::Mail,
        };
        let outcome = super::read(&request(kind), &bytes, &mut out);
        if outcome.is_err() || wanted.is_empty() {
            continue;
        }
        files += 1;
        told += usize::from(out.values.iter().any(|v| v.name == "reservation_number" || v.name == "occurred_on"));
        let material = Material { pages: out.pages, codes: Vec::new(), values: out.values };
        let fields = extract(&material, &context).fields;
        for value in wanted.iter().filter(|v| COMPARED.contains(&v.name.as_str())) {
            let name = COMPARED.iter().find(|name| **name == value.name).unwrap();
            let is_said = material.values.iter().any(|v| v.name == value.name && is_same(&value.text, &v.text));
            let key: Option<FieldKey> = value.name.parse().ok();
            let field = key.and_then(|key| fields.get(&key));
            let is_read = is_said || field.is_some_and(|field| is_same(&value.text, &field.value.to_string()));
            let entry = by_name.entry(name).or_default();
            *entry = (entry.0 + usize::from(is_said), entry.1 + usize::from(is_read), entry.2 + 1);
        }
    }
    eprintln!("{told} of {files} files say a reservation as data; values said as data, read, expected: {by_name:?}");
    assert!(files > 0 && told > 0);
}
