//! The plan of the house, enforced: `ARCHITECTURE.md` describes the rooms, `rules.rs` has the table.

mod rules;
mod source;

use std::{fs, path::Path};

use rules::{File, ROWS, violations};

const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// All Rust files under `directory`, named relative to the top level.
fn files(directory: &Path, found: &mut Vec<File>) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).expect("source directory").map(|entry| entry.expect("entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(TOP).expect("under the top level").to_str().expect("UTF-8 name").to_owned();
            found.push(File::new(&name, &fs::read_to_string(&path).expect("source file")));
        }
    }
}

#[test]
fn imports_point_downwards_and_every_room_keeps_its_promises() {
    let mut found = Vec::new();
    files(&Path::new(TOP).join("src"), &mut found);
    assert!(found.len() > 20, "only {} files were found under src", found.len());
    let violations = violations(&found);
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn every_room_is_on_the_map() {
    let map = fs::read_to_string(Path::new(TOP).join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let missing: Vec<_> = ROWS
        .iter()
        .flat_map(|(_, rooms)| *rooms)
        .filter(|room| !map.contains(&format!("`{room}/`")) && !map.contains(&format!("`{room}.rs`")))
        .collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not say what these rooms are for: {missing:?}");
}

/// The checker is worth what it catches: each sample breaks one rule, and the message names it.
#[test]
fn every_rule_fails_on_a_file_that_breaks_it() {
    let long = "fn f() {}\n".repeat(501);
    for (name, text, message) in [
        ("src/review/confirm.rs", "use crate::web::Page;", "`review` (use cases) imports `web` (drivers)"),
        ("src/review/confirm.rs", "use crate::{domain::Draft,\n web};", "src/review/confirm.rs:2"),
        ("src/review/mod.rs", "use super::web;", "imports `web`"),
        ("src/review/confirm.rs", "use super::super::web;", "imports `web`"),
        ("src/review/mod.rs", "mod inner { use super::super::web; }", "imports `web`"),
        ("src/domain/mod.rs", "fn f() { crate::store::x() }", "imports `store`"),
        ("src/store/mod.rs", "use crate::config::Config;", "imports `config` (drivers)"),
        ("src/app.rs", "use crate::pipeline::Step;", "imports `pipeline`"),
        ("src/reader/mod.rs", "use crate::queue::Settings;", "imports `queue`"),
        ("src/pipeline/mod.rs", "use vouch::capture;", "imports `capture` (door)"),
        ("src/capture/mod.rs", "use crate::Everything;", "names no room"),
        ("src/capture/mod.rs", "use crate::*;", "names no room"),
        ("src/newroom/mod.rs", "", "room `newroom` is in no row"),
        ("src/review/mod.rs", "use sqlx::Row;", "`sqlx` is used only in `store`"),
        ("src/web/api.rs", "fn f(c: ::aws_sdk_s3::Client) {}", "`aws_sdk_s3` is used only in `objects`"),
        ("src/main.rs", "fn main() { sqlx::query(SQL); }", "`sqlx` is used only in `store`"),
        ("src/extract/mod.rs", "use std::{collections::BTreeMap, fs};", "`std::fs` in `extract`, which is pure"),
        ("src/imaging/mod.rs", "use tokio::task;", "`tokio` in `imaging`"),
        ("src/classify/mod.rs", "use std::time::{Duration, SystemTime};", "`std::time::SystemTime`"),
        ("src/domain/time.rs", "fn now() { jiff::Timestamp::now() }", "`jiff::Timestamp::now`"),
        ("src/domain/time.rs", "pub async fn wait() {}", "`async fn` in `domain`"),
        ("src/web/mod.rs", "fn f() { x.unwrap() }\n#[cfg(test)]\nmod tests {}", "src/web/mod.rs:1: `.unwrap()`"),
        ("src/web/mod.rs", long.as_str(), "501 lines before tests"),
    ] {
        let found = violations(&[File::new(name, text)]);
        assert!(found.iter().any(|sentence| sentence.contains(message)), "{name}: `{message}` was not in {found:?}");
    }
}

#[test]
fn circles_inside_a_row_are_found() {
    let direct = [
        File::new("src/objects/mod.rs", "use crate::store::Db;"),
        File::new("src/store/jobs.rs", "use crate::objects::ObjectKey;"),
    ];
    assert!(violations(&direct)[0].contains("`objects` imports `store`, which imports `objects` in turn"));
    let round_about = [
        File::new("src/review/mod.rs", "use crate::learn::Memory;"),
        File::new("src/learn/mod.rs", "use crate::report::Row;"),
        File::new("src/report/mod.rs", "use crate::review::Draft;"),
    ];
    assert_eq!(violations(&round_about).len(), 3);
}

#[test]
fn what_is_allowed_passes() {
    let allowed = [
        File::new("src/lib.rs", "pub mod web;\npub use crate::domain::Money;"),
        File::new("src/main.rs", "fn main() { vouch::cli::run() }"),
        File::new("src/web/api.rs", "use crate::{capture, config::Config, review, store::Db, domain::*};"),
        File::new("src/queue/mod.rs", "use crate::{app::App, store::Db};\nuse super::store;"),
        File::new("src/review/confirm.rs", "use super::Reviewer;\nuse crate::review::x;\n// use crate::web;"),
        File::new("src/store/mod.rs", "use sqlx::Row; fn f() { std::fs::read(p); x.unwrap_or(0) }"),
        File::new("src/extract/mod.rs", "#[cfg(test)]\nmod golden;\nuse std::io::Read;\nuse std::time::Duration;"),
        File::new("src/extract/golden.rs", "use std::fs; fn f() { fs::read(p).unwrap() }"),
        File::new("src/extract/golden/walker.rs", "use std::fs;"),
    ];
    assert_eq!(violations(&allowed), Vec::<String>::new());
}
