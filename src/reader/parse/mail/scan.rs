//! Counts what a mail is made of before it is parsed.
//!
//! The parser is fast and safe Rust, but it takes a tree as deep and as wide as the sender likes: 5,000 messages inside each
//! other overflow the stack when they are dropped, two million empty parts take 350 MB (measured). So both are counted
//! first, line by line, without building anything.

use std::collections::HashSet;

use crate::{
    domain::capture::Reason,
    reader::output::{Stopped, failed},
};

/// Messages and multiparts of one mail, an upper bound of how deep they nest.
const MAX_CONTAINERS: usize = 100;
/// Parts of one mail.
const MAX_PARTS: usize = 500;
/// Lines and bytes of one part's header.
const MAX_HEADER_LINES: usize = 1_000;
const MAX_HEADER_BYTES: usize = 256 * 1024;

/// Refuses a mail that is nested or fragmented beyond the limits.
pub fn check(raw: &[u8]) -> Result<(), Stopped> {
    let over = |what: &str| failed(Reason::MimeLimits, format!("the mail has {what} than are read"));
    let mut boundaries: HashSet<Vec<u8>> = HashSet::new();
    let (mut containers, mut parts) = (0_usize, 0_usize);
    let mut header = Some(Header::default());
    for line in raw.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_boundary(line, &boundaries) {
            parts += 1;
            if parts > MAX_PARTS {
                return Err(over("more parts"));
            }
            header = Some(Header::default());
            continue;
        }
        let Some(block) = &mut header else { continue };
        if line.is_empty() {
            // A message inside begins with a header of its own.
            let inner = block.is_message;
            header = inner.then(Header::default);
            continue;
        }
        block.lines += 1;
        block.bytes += line.len();
        if block.lines > MAX_HEADER_LINES || block.bytes > MAX_HEADER_BYTES {
            return Err(over("longer headers"));
        }
        let lower = line.to_ascii_lowercase();
        if contains(&lower, b"message/") {
            containers += 1;
            block.is_message = true;
        }
        if contains(&lower, b"multipart/") {
            containers += 1;
        }
        if let Some(boundary) = boundary(line, &lower) {
            boundaries.insert(boundary);
        }
        if containers > MAX_CONTAINERS || boundaries.len() > MAX_CONTAINERS {
            return Err(over("messages nested deeper"));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Header {
    lines: usize,
    bytes: usize,
    is_message: bool,
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// The boundary a header line declares.
fn boundary(line: &[u8], lower: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"boundary=";
    let start = lower.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let rest = &line[start..];
    let value = match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|b| *b == b'"').next()?,
        None => rest.split(|b| matches!(b, b';' | b' ' | b'\t')).next()?,
    };
    (!value.is_empty()).then(|| value.to_vec())
}

fn is_boundary(line: &[u8], boundaries: &HashSet<Vec<u8>>) -> bool {
    let Some(rest) = line.strip_prefix(b"--") else { return false };
    let rest = rest.trim_ascii_end();
    boundaries.contains(rest) || rest.strip_suffix(b"--").is_some_and(|rest| boundaries.contains(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(mail: &str) -> Option<Reason> {
        match check(mail.as_bytes()) {
            Err(Stopped::Failed(failed)) => Some(failed.reason),
            Ok(()) => None,
            Err(Stopped::Pipe(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn bombs_of_the_facts_page_are_refused_and_mails_people_send_are_not() {
        let nested = |n: usize| "Content-Type: message/rfc822\r\n\r\n".repeat(n);
        let multi = |n: usize| {
            (0..n).fold(String::new(), |mail, i| {
                format!("{mail}Content-Type: multipart/mixed; boundary=\"b{i}\"\r\n\r\n--b{i}\r\n")
            })
        };
        let parts = |n: usize| format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{}", "--x\r\n\r\n".repeat(n));
        let headers = |n: usize| "X-A: b\r\n".repeat(n);
        for (mail, expected) in [
            (nested(20), None),
            (nested(5_000), Some(Reason::MimeLimits)),
            (multi(20), None),
            (multi(100_000), Some(Reason::MimeLimits)),
            (parts(400), None),
            (parts(2_000_000), Some(Reason::MimeLimits)),
            (headers(500), None),
            (headers(1_000_000), Some(Reason::MimeLimits)),
            (format!("X-Long: {}\r\n", "x".repeat(400_000)), Some(Reason::MimeLimits)),
            (format!("A: b\r\n\r\n{}", "-- \r\n--\r\nmessage/rfc822\r\n".repeat(5_000)), None),
        ] {
            assert_eq!(reason(&mail), expected, "{}", &mail[..mail.len().min(80)]);
        }
    }
}
