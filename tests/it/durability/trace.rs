//! System calls of a process as `strace -f -y -s …` wrote them, and what durability asks of their order.

use std::collections::HashMap;

/// One system call; begin and end are line numbers of the trace, which orders events of all threads.
#[derive(Debug)]
pub struct Call {
    pub name: String,
    /// Arguments as printed, file descriptors with their paths.
    pub arguments: String,
    pub begin: usize,
    pub end: usize,
    pub succeeded: bool,
}

impl Call {
    /// The path of the descriptor the call is about: `fsync(7</a/b>)` is about `/a/b`.
    fn path(&self) -> &str {
        let rest = self.arguments.split_once('<').map_or("", |(_, rest)| rest);
        rest.split_once('>').map_or("", |(path, _)| path)
    }

    fn is_sync_of(&self, path: &str) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync") && self.succeeded && self.path() == path
    }
}

/// Reads a trace. Lines that are no calls (signals, exits) are left out.
pub fn parse(text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    // By process: the call that has begun and not ended.
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("<... ") {
            if let Some(call) = open.remove(process).and_then(|index: usize| calls.get_mut(index)) {
                let call: &mut Call = call;
                call.end = number;
                call.succeeded = has_succeeded(rest);
            }
        } else if let Some((name, arguments)) = rest.split_once('(')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            let is_open = rest.ends_with("<unfinished ...>");
            if is_open {
                open.insert(process, calls.len());
            }
            calls.push(Call {
                name: name.to_owned(),
                arguments: arguments.to_owned(),
                begin: number,
                // What never returns ends after everything.
                end: if is_open { usize::MAX } else { number },
                succeeded: !is_open && has_succeeded(rest),
            });
        }
    }
    calls
}

/// `… ) = 0` and byte counts are success, `= -1 EIO (…)` and `= ?` are not.
fn has_succeeded(line: &str) -> bool {
    line.rsplit_once(" = ").is_some_and(|(_, result)| result.starts_with(|c: char| c.is_ascii_digit()))
}

/// An upload as its client knows it.
pub struct Upload {
    /// The capture in the acknowledgement.
    pub capture: String,
    /// Where its object is, absolute.
    pub object: String,
}

/// Why the acknowledgement of `upload` came too early; `Ok` when everything it promises was on disk before.
pub fn check(calls: &[Call], upload: &Upload, root: &str, wal: &str) -> Result<(), String> {
    let is_answer = |call: &&Call| {
        matches!(call.name.as_str(), "write" | "writev" | "sendto" | "sendmsg")
            && call.arguments.contains("HTTP/1.1 201")
            && call.arguments.contains(&upload.capture)
    };
    let answer = calls.iter().find(is_answer).ok_or("the acknowledgement is not in the trace")?.begin;
    let synced = |path: &str, from: usize, until: usize| {
        calls.iter().any(|call| call.is_sync_of(path) && call.begin > from && call.end < until)
    };

    // The object: its bytes, then its name, then every directory above it up to the store.
    let link = calls
        .iter()
        .find(|call| matches!(call.name.as_str(), "link" | "linkat") && call.arguments.contains(&upload.object))
        .filter(|call| call.succeeded && call.end < answer)
        .ok_or("the object had no name before the acknowledgement")?;
    let temporary = link.arguments.split('"').nth(1).ok_or("the link names no source")?;
    if !synced(temporary, 0, link.begin) {
        return Err(format!("`{temporary}` was not synced before it got its name"));
    }
    let mut directory = upload.object.as_str();
    while let Some((parent, _)) = directory.rsplit_once('/') {
        if !synced(parent, link.end, answer) {
            return Err(format!("the directory `{parent}` was not synced before the acknowledgement"));
        }
        if parent == root {
            break;
        }
        directory = parent;
    }

    // The transaction: the last page of the log that names the capture, then the log's sync.
    let page = calls
        .iter()
        .rfind(|call| {
            matches!(call.name.as_str(), "pwrite64" | "write")
                && call.path() == wal
                && call.begin < answer
                && call.arguments.contains(&upload.capture)
        })
        .ok_or("the transaction was not in the log before the acknowledgement")?;
    if !synced(wal, page.end, answer) {
        return Err("the log was not synced between the transaction and the acknowledgement".to_owned());
    }
    Ok(())
}
