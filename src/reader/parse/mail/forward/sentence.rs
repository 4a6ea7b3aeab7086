//! The sentence that some clients write instead of a block.

use super::{Original, bare, clean_address, is_mark};

/// Digits of the shortest date with its time.
const LEAST_DATE_DIGITS: usize = 6;

/// `On 28/10/2021 12:46, "John Doe" <john@example.com> wrote:` at the very top, in any language: a date, a name, an address
/// and a colon at the end, over one or two lines.
pub(super) fn sentence(lines: &[&str], at: usize) -> Option<Original> {
    let one = bare(lines[at]);
    // The `>` at the end of the first of two lines closes the address; it is no quote mark.
    let begun = lines[at].trim_start_matches(is_mark);
    let two = lines.get(at + 1).map(|next| format!("{} {}", begun.trim_end(), bare(next))).unwrap_or_default();
    let (text, length) = if one.ends_with([':', '：']) { (one, 1) } else { (two.as_str(), 2) };
    if !text.ends_with([':', '：']) || text.chars().count() > 300 {
        return None;
    }
    let open = text.find(['<', '('])?;
    let close = open + text[open..].find(['>', ')'])?;
    let address = clean_address(&text[open + 1..close])?;
    let head = text[..open].trim_end_matches(|c: char| c.is_whitespace() || c == '"' || c == '”');
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let (date, name) = if digits(head) >= LEAST_DATE_DIGITS {
        // The name begins after the last quote mark or comma, or after the last digit of the time.
        let cut = head.rfind(['"', '“']).or_else(|| head.rfind(|c: char| c.is_ascii_digit()))?;
        let (date, name) = head.split_at(cut);
        (date.to_owned() + name.get(..1).filter(|c| c.as_bytes()[0].is_ascii_digit()).unwrap_or_default(), name)
    } else if digits(&text[close..]) >= LEAST_DATE_DIGITS {
        (text[close + 1..].to_owned(), head)
    } else {
        return None;
    };
    let name = name.trim_matches(|c: char| !c.is_alphabetic());
    let name = name.strip_prefix("AM ").or_else(|| name.strip_prefix("PM ")).unwrap_or(name);
    Some(Original {
        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
        address: Some(address),
        date: Some(date.trim_matches(|c: char| matches!(c, ',' | '"' | '“' | ':') || c.is_whitespace()).to_owned()),
        subject: None,
        body_from: at + length,
        note_to: at,
    })
}
