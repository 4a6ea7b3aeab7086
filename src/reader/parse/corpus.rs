//! Real mails of many clients, when they are there: `../shared/corpus/eml`. Nothing of them is printed but file names.

mod travel;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    mail::{self, forward},
    tests::{Sent, request},
};
use crate::{domain::media::MediaType, reader::output::Stopped};

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
    // The rich text of some is there as another program unpacked it; of two its line ends were changed since.
    let bare = |text: Vec<u8>| text.into_iter().filter(|byte| *byte != b'\r').collect::<Vec<u8>>();
    let rich = wrapped.iter().filter_map(|path| {
        let expected = fs::read(path.with_extension("").join("message.rtf")).ok()?;
        let rich = mail::tnef::unwrap(&fs::read(path).unwrap())?.rich_text()?;
        Some((path, bare(rich) == bare(expected)))
    });
    let (same, others): (Vec<_>, Vec<_>) = rich.partition(|(_, is_same)| *is_same);
    eprintln!("rich text of {} wrappers unpacked as expected; not: {others:?}", same.len());
    assert!(same.len() >= 5 && others.is_empty(), "{others:?}");
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
