//! The headers of an original as a block of lines, each with its label.

use super::{
    Original, bare,
    labels::{LABELS, Label, labelled},
    sender,
};

/// Lines of one block: a client writes six, long recipient lists wrap.
pub(super) const MAX_BLOCK: usize = 40;
/// Colons of a block on one line: six labels, times, a few dozen recipients.
const MAX_COLONS: usize = 100;

/// The block that begins at a line: a sender, and a date or subject.
pub(super) fn block(lines: &[&str], start: usize) -> Option<Original> {
    let Some(_) = labelled(lines.get(start)?) else {
        let pieces = unglued(lines[start])?;
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        return block(&pieces, 0).map(|original| Original { body_from: start + 1, ..original });
    };
    let mut original = Original::default();
    let (mut has_from, mut last, mut end) = (false, None, start);
    // A date or subject that is only a line of a receipt (`Date: 20/11/2026`) must not begin a block, so what counts is
    // labels in unbroken order with at most one blank line between.
    let mut blanks = 0;
    for (at, line) in lines.iter().enumerate().skip(start).take(MAX_BLOCK) {
        let text = bare(line);
        if text.is_empty() {
            blanks += 1;
            if blanks > 1 {
                break;
            }
            continue;
        }
        if let Some((label, value)) = labelled(line) {
            let is_again = match label {
                Label::From => has_from,
                Label::Date => original.date.is_some(),
                Label::Subject => original.subject.is_some(),
                Label::Other => false,
            };
            if is_again {
                break;
            }
            has_from |= label == Label::From;
            fill(&mut original, label, value);
            last = Some((label, value.is_empty() || value.ends_with([',', ';'])));
            (blanks, end) = (0, at + 1);
            continue;
        }
        match last {
            // A value on the line after its label, or a list of people that goes on.
            Some((label, true)) if blanks == 0 => {
                fill(&mut original, label, text);
                last = Some((label, label == Label::Other && text.ends_with([',', ';'])));
                end = at + 1;
            }
            // Foxmail breaks between a name and its address.
            Some((Label::From, _)) if blanks == 0 && original.address.is_none() && sender(text).1.is_some() => {
                original.address = sender(text).1;
                end = at + 1;
            }
            // Long subjects wrap in plain text: an indented line before the next label.
            Some((label, _)) if blanks == 0 && goes_on(lines, at) => {
                if label == Label::Subject
                    && let Some(subject) = &mut original.subject
                {
                    subject.push(' ');
                    subject.push_str(text);
                }
                end = at + 1;
            }
            _ => break,
        }
    }
    // Without an address it takes everything else: a receipt says `Date:` and `From:` as well.
    let (has_date, has_subject) = (original.date.is_some(), original.subject.is_some());
    let is_sender = match (&original.address, &original.name) {
        (Some(_), _) => has_date || has_subject,
        (None, Some(_)) => has_date && has_subject,
        (None, None) => false,
    };
    original.body_from = end;
    (has_from && is_sender).then_some(original)
}

/// Whether a line without label stands between two lines of a block.
fn goes_on(lines: &[&str], at: usize) -> bool {
    lines.get(at + 1).is_some_and(|next| labelled(next).is_some()) && lines[at].starts_with([' ', '\t'])
}

fn fill(original: &mut Original, label: Label, value: &str) {
    if value.is_empty() {
        return;
    }
    match label {
        Label::From => (original.name, original.address) = sender(value),
        Label::Date => original.date = Some(value.to_owned()),
        Label::Subject => original.subject = Some(value.to_owned()),
        Label::Other => {}
    }
}

/// Yahoo's plain text has the whole block on one line, label after value without a space:
/// `----- Forwarded Message ----- From: A <a@b.example>To: C <c@d.example>Sent: …CESTSubject: …`.
fn unglued(line: &str) -> Option<Vec<String>> {
    let line = bare(line);
    let start = line.starts_with("-----").then(|| line.trim_start_matches('-').find("-----"))??;
    let rest = line.trim_start_matches('-')[start..].trim_start_matches('-').trim_start();
    if rest.matches(':').take(MAX_COLONS + 1).count() > MAX_COLONS {
        return None;
    }
    let mut pieces: Vec<String> = Vec::new();
    let mut piece_from = 0;
    for (colon, _) in rest.match_indices(':') {
        let before = rest[piece_from..colon].trim_end();
        // The longest label that ends here, begins with a capital and does not go on a word.
        let words = LABELS.iter().flat_map(|(_, words)| words.iter());
        let begins = words.filter_map(|word| {
            let length = word.chars().count();
            let at = before.char_indices().rev().nth(length - 1)?.0;
            let (head, label) = before.split_at(at);
            let is_label = label.to_lowercase() == **word && label.chars().next().is_some_and(|c| !c.is_lowercase());
            let is_apart = !head.chars().next_back().is_some_and(char::is_lowercase);
            (is_label && is_apart).then_some(at)
        });
        if let Some(at) = begins.min() {
            if at > 0 {
                pieces.push(before[..at].to_owned());
            }
            piece_from += at;
        }
    }
    pieces.push(rest[piece_from..].to_owned());
    (pieces.len() > 2).then_some(pieces)
}
