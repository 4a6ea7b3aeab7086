//! The rules themselves: who may import whom, and what may be used where.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;

/// Rooms from the bottom to the top; DESIGN.md has the same table. A room imports from rows below its own freely,
/// and from its own row as long as no circle comes of it.
pub const ROWS: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("pure", &["imaging", "extract", "classify"]),
    ("adapters", &["store", "objects", "reader", "kill_points"]),
    ("what use cases are handed", &["app"]),
    ("queue", &["queue"]),
    (
        "use cases",
        &[
            "review",
            "findings",
            "people",
            "organisation",
            "visits",
            "report",
            "export",
            "crm",
            "learn",
            "pipeline",
            "sealer",
            "health",
        ],
    ),
    ("door", &["capture"]),
    ("drivers", &["cli", "web", "config"]),
];

/// Rooms without input, output, waiting or a clock.
const PURE: &[&str] = &["domain", "imaging", "extract", "classify"];

/// What a pure room may not name, as path prefixes.
const IMPURE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "time", "SystemTime"],
    &["std", "time", "Instant"],
    &["tokio"],
    &["futures_util"],
    &["reqwest"],
    &["axum"],
    &["nix"],
    &["libc"],
    &["tracing"],
    &["image", "open"],
    &["jiff", "Timestamp", "now"],
    &["jiff", "Zoned", "now"],
    &["Timestamp", "now"],
    &["Zoned", "now"],
    &["SystemTime"],
    &["Instant", "now"],
    &["File", "open"],
];

/// Crates that belong to one room.
const OWNED: &[(&str, &str)] = &[("sqlx", "store"), ("aws_sdk_s3", "objects")];

/// Lines of a file before its tests, tables of words left out: past this it holds more than one idea (STYLE.md says
/// about 400).
const MAX_LINES: usize = 500;

/// One file as the rules see it.
pub struct File {
    /// Below the top level, with `/`: `src/review/confirm.rs`.
    pub name: String,
    pub source: Source,
}

impl File {
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), source: Source::parse(text) }
    }

    /// The module path of the file: `src/review/confirm.rs` is `review::confirm`, `src/lib.rs` is the empty one.
    fn module(&self) -> Vec<&str> {
        let inner = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        let mut segments: Vec<&str> = inner.split('/').collect();
        if segments.last() == Some(&"mod") || inner == "lib" || inner == "main" {
            segments.pop();
        }
        segments
    }

    fn room(&self) -> Option<&str> {
        self.module().first().copied()
    }

    /// Rooms this file imports, each with the first line that does: `crate::`, `vouch::` and `super::` chains.
    fn imports(&self) -> Vec<(String, usize)> {
        let depth = self.module().len();
        let mut seen = BTreeSet::new();
        let mut imports = Vec::new();
        for path in &self.source.paths {
            let climbed = path.segments.iter().take_while(|segment| *segment == "super").count();
            let target = match path.segments.first().map(String::as_str) {
                Some("crate" | "vouch") => path.segments.get(1),
                Some("super") if climbed == depth + path.inline_depth => path.segments.get(climbed),
                _ => None,
            };
            if let Some(target) = target
                && Some(target.as_str()) != self.room()
                && seen.insert(target.clone())
            {
                imports.push((target.clone(), path.line));
            }
        }
        imports
    }
}

fn row(room: &str) -> Option<usize> {
    ROWS.iter().position(|(_, rooms)| rooms.contains(&room))
}

/// Everything wrong with these files, one sentence each with file and line.
pub fn violations(files: &[File]) -> Vec<String> {
    let test_files = files_of_test_modules(files);
    let files: Vec<&File> =
        files.iter().filter(|file| !test_files.iter().any(|prefix| is_under(&file.name, prefix))).collect();
    let mut found = Vec::new();
    for file in &files {
        found.extend(upward_imports(file));
        found.extend(misplaced_crates(file));
        found.extend(impurities(file));
        found.extend(unwraps(file));
        if file.source.lines_before_tests > MAX_LINES {
            let lines = file.source.lines_before_tests;
            found.push(format!("{}: {lines} lines before tests, over {MAX_LINES}: split it by idea", file.name));
        }
    }
    found.extend(circles(&files));
    found
}

/// What `#[cfg(test)] mod name;` declares: `src/a/name` (as a file or a directory).
fn files_of_test_modules(files: &[File]) -> Vec<String> {
    let mut prefixes = Vec::new();
    for file in files {
        for module in &file.source.test_modules {
            let directory: Vec<&str> = file.module();
            let parent = if directory.is_empty() { "src".to_owned() } else { format!("src/{}", directory.join("/")) };
            prefixes.push(format!("{parent}/{module}"));
        }
    }
    prefixes
}

fn is_under(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn upward_imports(file: &File) -> Vec<String> {
    // `lib.rs` declares the rooms and `main.rs` starts them: they stand above all rows.
    let Some(room) = file.room() else { return Vec::new() };
    let Some(from) = row(room) else {
        return vec![format!("{}: room `{room}` is in no row: add it to ROWS and to DESIGN.md", file.name)];
    };
    let mut found = Vec::new();
    for (target, line) in file.imports() {
        match row(&target) {
            None => found.push(format!(
                "{}:{line}: `crate::{target}` names no room: import from the room that has it",
                file.name
            )),
            Some(to) if to > from => found.push(format!(
                "{}:{line}: `{room}` ({}) imports `{target}` ({}): imports point downwards",
                file.name, ROWS[from].0, ROWS[to].0
            )),
            Some(_) => {}
        }
    }
    found
}

fn misplaced_crates(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    for path in &file.source.paths {
        for (name, owner) in OWNED {
            if path.segments.first().is_some_and(|first| first == name) && file.room() != Some(owner) {
                found.push(format!("{}:{}: `{name}` is used only in `{owner}`", file.name, path.line));
            }
        }
    }
    found
}

fn impurities(file: &File) -> Vec<String> {
    let Some(room) = file.room().filter(|room| PURE.contains(room)) else { return Vec::new() };
    let mut found = Vec::new();
    for path in &file.source.paths {
        let named = IMPURE.iter().find(|banned| {
            path.segments.len() >= banned.len() && banned.iter().zip(&path.segments).all(|(want, is)| want == is)
        });
        if let Some(banned) = named {
            let banned = banned.join("::");
            found
                .push(format!("{}:{}: `{banned}` in `{room}`, which is pure: pass the value in", file.name, path.line));
        }
    }
    for line in file.source.lines_with(&["async", "fn"]) {
        found.push(format!("{}:{line}: `async fn` in `{room}`, which is pure", file.name));
    }
    found
}

fn unwraps(file: &File) -> Vec<String> {
    let lines = file.source.lines_with(&[".", "unwrap", "(", ")"]);
    lines.iter().map(|line| format!("{}:{line}: `.unwrap()` outside tests", file.name)).collect()
}

/// Rooms of one row that import each other, directly or round about.
fn circles(files: &[&File]) -> Vec<String> {
    let mut graph: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for file in files {
        let Some(room) = file.room() else { continue };
        for (target, line) in file.imports() {
            if row(&target).is_some() && row(&target) == row(room) {
                graph.entry(room).or_default().entry(target).or_insert_with(|| format!("{}:{line}", file.name));
            }
        }
    }
    let mut found = Vec::new();
    for (room, targets) in &graph {
        for (target, place) in targets {
            if reaches(&graph, target, room) {
                found.push(format!("{place}: `{room}` imports `{target}`, which imports `{room}` in turn"));
            }
        }
    }
    found
}

fn reaches(graph: &BTreeMap<&str, BTreeMap<String, String>>, from: &str, to: &str) -> bool {
    let mut waiting = vec![from.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(room) = waiting.pop() {
        if room == to {
            return true;
        }
        if seen.insert(room.clone()) {
            waiting.extend(graph.get(room.as_str()).into_iter().flatten().map(|(target, _)| target.clone()));
        }
    }
    false
}
