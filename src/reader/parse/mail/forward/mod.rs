//! Forwarded mails: who sent the original, when and about what.
//!
//! Clients write the original's headers as text, each with its own labels in the language of whoever forwards. A block of
//! such labels in a row ([`block`]) is recognised by the labels alone, so that a client nobody thought of is understood as
//! well. Some clients write a sentence instead ([`sentence`]).

mod block;
mod labels;
mod sentence;

pub use labels::without_prefixes;

use block::block;
use sentence::sentence;

/// Lines that are looked through for a block, and bytes of one: a block on one line with its recipients is shorter.
const MAX_LINES: usize = 2_000;
const MAX_LINE: usize = 8 * 1024;
/// Blocks directly after each other: a forward of a forward of a forward.
const MAX_FORWARDS: usize = 5;
/// Lines between a block and the next one inside it: separators, a greeting.
const MAX_BETWEEN: usize = 6;
/// Written lines above the sentence that stands instead of a block.
const MAX_ABOVE_SENTENCE: usize = 4;

/// The original of a forwarded mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Original {
    /// Name of its sender.
    pub name: Option<String>,
    /// Address of its sender.
    pub address: Option<String>,
    /// When it was sent, as the client wrote it.
    pub date: Option<String>,
    /// What it was about.
    pub subject: Option<String>,
    /// The first line of its own text.
    pub body_from: usize,
    /// Lines before it: what the forwarder wrote.
    pub note_to: usize,
}

/// Finds the original of a forwarded mail in its lines: the innermost of blocks that follow each other.
pub fn find(lines: &[String]) -> Option<Original> {
    let in_sight = MAX_LINES + MAX_FORWARDS * (block::MAX_BLOCK + MAX_BETWEEN);
    let lines: Vec<&str> =
        lines.iter().take(in_sight).map(|line| &line[..line.floor_char_boundary(MAX_LINE)]).collect();
    let lines = lines.as_slice();
    let end = lines.len().min(MAX_LINES);
    let mut at = (0..end).find(|at| block(lines, *at).is_some());
    let mut above = 0;
    for at in 0..at.unwrap_or(end) {
        if let Some(original) = sentence(lines, at) {
            return Some(original);
        }
        above += usize::from(!bare(lines[at]).is_empty());
        if above >= MAX_ABOVE_SENTENCE {
            break;
        }
    }
    let note_to = note_end(lines, at?);
    let mut found = None;
    for _ in 0..MAX_FORWARDS {
        let Some(start) = at else { break };
        let Some(original) = block(lines, start) else { break };
        let from = original.body_from;
        found = Some(Original { note_to, ..original });
        at = (from..lines.len().min(from + MAX_BETWEEN))
            .find(|at| block(lines, *at).is_some())
            .filter(|at| lines[from..*at].iter().all(|line| is_separator(line)));
    }
    found
}

/// Where the forwarder's own words end: before separators such as `---------- Forwarded message ---------`.
fn note_end(lines: &[&str], block: usize) -> usize {
    let mut end = block;
    while end > 0 && is_separator(lines[end - 1]) {
        end -= 1;
    }
    end
}

/// A line that only leads to the next block.
fn is_separator(line: &str) -> bool {
    let line = bare(line);
    let marks = line.chars().filter(|c| matches!(c, '-' | '_' | '=' | '*' | '─' | '—')).count();
    line.is_empty() || marks >= 5 || (line.ends_with([':', '：']) && line.chars().count() < 60)
}

/// A line without quote marks, emphasis and blanks around it.
fn bare(line: &str) -> &str {
    line.trim_matches(is_mark)
}

fn is_mark(c: char) -> bool {
    c.is_whitespace() || matches!(c, '>' | '*' | '|' | '\u{feff}' | '\u{200e}' | '\u{200f}')
}

/// A sender as written in a block: `John <john@example.com>`, `john@example.com`, `John [mailto:john@example.com]`.
fn sender(written: &str) -> (Option<String>, Option<String>) {
    let address = written
        .split(|c: char| {
            c.is_whitespace() || matches!(c, '<' | '>' | '[' | ']' | '(' | ')' | '"' | ',' | ';' | '“' | '”')
        })
        .find_map(clean_address);
    let end = written.find(['<', '[', '(']).unwrap_or(written.len());
    let name = written[..end].trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '“' | '”' | '*' | '\u{200e}' | '\u{200f}')
    });
    let is_address = clean_address(name).is_some();
    (Some(name.to_owned()).filter(|name| !name.is_empty() && !is_address), address)
}

fn clean_address(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("mailto:").trim_matches(['<', '>', '\'', '"']);
    let (local, domain) = text.rsplit_once('@')?;
    let is_address = !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace);
    is_address.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Option<Original> {
        find(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn forwards_of_many_clients_say_who_sent_the_original() {
        let blocks = [
            (
                "gmail",
                "---------- Forwarded message ---------\nFrom: Harbour Cafe <r@cafe.example>\nDate: Fri, Nov 20, 2026 at 9:14 AM\nSubject: Your receipt\nTo: <me@example.com>\n",
            ),
            (
                "gmail zh",
                "---------- Forwarded message ---------\n发件人： Harbour Cafe <r@cafe.example>\nDate: 2026年11月20日周五 09:14\nSubject: Your receipt\nTo: <me@example.com>\n",
            ),
            (
                "outlook de",
                "________________________________\nVon: Harbour Cafe <r@cafe.example>\nGesendet: Freitag, 20. November 2026 09:14\nAn: Ich <me@example.com>\nBetreff: Your receipt\n",
            ),
            (
                "outlook fr",
                "De : Harbour Cafe <r@cafe.example>\nEnvoyé : vendredi 20 novembre 2026 09:14\nÀ : Moi\nObjet : Your receipt\n",
            ),
            (
                "outlook zh",
                "-----邮件原件-----\n发件人: Harbour Cafe [mailto:r@cafe.example]\n发送时间: 2026年11月20日 9:14\n收件人: 李薇\n主题: Your receipt\n",
            ),
            (
                "apple",
                "> Begin forwarded message:\n>\n> From: Harbour Cafe <r@cafe.example>\n> Subject: Your receipt\n> Date: 20 November 2026 at 09:14:00 GMT\n> To: me@example.com\n",
            ),
            (
                "thunderbird",
                "-------- Forwarded Message --------\nSubject: \tYour receipt\nDate: \tFri, 20 Nov 2026 09:14:00 +0000\nFrom: \tHarbour Cafe <r@cafe.example>\nTo: \tme@example.com\n",
            ),
            (
                "qq",
                "------------------ 原始邮件 ------------------\n发件人: \"Harbour Cafe\" <r@cafe.example>;\n发送时间: 2026年11月20日(星期五) 上午9:14\n收件人: \"me\"<me@qq.com>;\n\n主题: Your receipt\n",
            ),
            (
                "foxmail",
                "发件人： Harbour Cafe\n<r@cafe.example>\n发送时间： 2026-11-20 09:14\n收件人： me\n主题： Your receipt\n",
            ),
            (
                "163",
                "---- 转发的邮件 ----\n发件人：Harbour Cafe <r@cafe.example>\n发送日期：2026-11-20 09:14:00\n收件人：me@163.com\n主题：Your receipt\n",
            ),
            (
                "yahoo",
                "----- Forwarded Message -----\nFrom: Harbour Cafe <r@cafe.example>\nTo: me@yahoo.com\nSent: Friday, November 20, 2026, 09:14:00 AM GMT\nSubject: Your receipt\n",
            ),
            (
                "bold",
                "*From:* Harbour Cafe <r@cafe.example>\n*Sent:* 20 November 2026 09:14\n*To:* me\n*Subject:* Your receipt\n",
            ),
        ];
        for (client, block) in blocks {
            let text = format!("please reimburse\n\nAnn\n\n{block}\nTotal 12.80\n");
            let original = found(&text).unwrap_or_else(|| panic!("{client}"));
            assert_eq!(original.address.as_deref(), Some("r@cafe.example"), "{client}");
            assert_eq!(original.subject.as_deref(), Some("Your receipt"), "{client}");
            assert!(original.date.as_deref().is_some_and(|d| d.contains("20")), "{client}: {:?}", original.date);
            let lines: Vec<&str> = text.lines().collect();
            assert!(lines[original.body_from..].iter().any(|line| line.contains("12.80")), "{client}");
            assert!(lines[..original.note_to].join("\n").trim().ends_with("Ann"), "{client}");
        }
        assert_eq!(
            found("On 20/11/2026 09:14, \"Harbour Cafe\" <r@cafe.example> wrote:\n\n> Total 12.80")
                .unwrap()
                .name
                .unwrap(),
            "Harbour Cafe"
        );
    }

    #[test]
    fn a_sentence_that_wraps_before_its_last_word_is_understood() {
        let text = "fine\n\nbest,\n\nAnn\n\nOn Fri, Nov 20, 2026 at 9:14 AM Harbour Cafe <r@cafe.example>\nwrote:\n\n> Total 12.80";
        let original = found(text).unwrap();
        assert_eq!(original.address.as_deref(), Some("r@cafe.example"));
        assert_eq!((original.name.as_deref(), original.note_to, original.body_from), (Some("Harbour Cafe"), 6, 8));
    }

    #[test]
    fn a_forward_of_a_forward_is_unwrapped_to_the_first_sender() {
        let text = "fyi\nFrom: Colleague <c@example.com>\nDate: 21 Nov 2026\nSubject: FW: Your receipt\n\n---- Original ----\nFrom: Cafe <r@cafe.example>\nDate: 20 Nov 2026\nSubject: Your receipt\n\nTotal 12.80";
        let original = found(text).unwrap();
        assert_eq!((original.address.as_deref(), original.note_to), (Some("r@cafe.example"), 1));
    }

    #[test]
    fn receipts_with_labels_of_their_own_are_no_forwards() {
        for text in [
            "Date: 20/11/2026\nFrom: Airport\nTo: Hotel\nTotal: 31.50",
            "RECEIPT\nDate: 20/11/2026\nSubject: Taxi",
            "From: Zürich\n\n\nDate: 20.11.2026",
        ] {
            let original = found(text);
            assert!(original.as_ref().is_none_or(|o| o.address.is_none()), "{text}: {original:?}");
        }
    }

    #[test]
    fn marks_of_forwarding_leave_the_subject() {
        for (subject, expected) in
            [("Fwd: WG: 转发：Your receipt", "Your receipt"), ("Order: 17", "Order: 17"), ("[Fwd: x", "x")]
        {
            assert_eq!(without_prefixes(subject), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(From|Date|发件人|Subject|To|>|<a@b\\.c>|[:：\\n\\t \"]|\\PC){0,80}") {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if let Some(original) = find(&lines) {
                prop_assert!(original.note_to <= original.body_from && original.body_from <= lines.len());
            }
        }
    }
}
