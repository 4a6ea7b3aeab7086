//! HTML into a tree, within limits that keep the parser's worst cases away.

use std::time::Duration;

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink as _, tree_builder::TreeBuilderOpts};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use nix::time::{ClockId, clock_gettime};

use crate::{
    domain::capture::Reason,
    reader::output::{Stopped, failed},
};

/// Characters that are read; the longest receipt mails have a few hundred thousand, most of it style.
const MAX_CHARS: usize = 4 * 1024 * 1024;
/// Tags of one text.
const MAX_TAGS: usize = 150_000;
/// Open tags at one time. The parser looks through them at many a tag, so depth times tags is its cost.
const MAX_OPEN: usize = 5_000;
/// Blanks inside one tag, an upper bound of its attributes: the parser compares each with all before.
const MAX_BLANKS_IN_TAG: usize = 10_000;
/// Computing time for all HTML of one document. The longest receipt mails take a hundredth of it; what it stops are texts
/// made to be slow in a way that counting does not see, such as half a million attributes after a quoted `>`.
const MAX_COMPUTING: Duration = Duration::from_secs(4);
/// Bytes parsed between two looks at the clock.
const PIECE: usize = 4 * 1024;

/// How long one document may still keep the parser busy.
#[derive(Debug)]
pub struct Patience(Duration);

impl Patience {
    /// For a document that begins now.
    pub fn new() -> Self {
        Self(computed())
    }

    fn is_over(&self) -> bool {
        computed().saturating_sub(self.0) > MAX_COMPUTING
    }
}

/// What this thread has computed so far; other processes on a busy machine do not count. A machine without such a clock is
/// left to the watchdog.
fn computed() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// A parsed text.
pub struct Dom {
    /// The root.
    pub document: Handle,
    /// The text was longer than is read.
    pub is_cut: bool,
}

/// Parses after counting.
///
/// # Errors
/// `mime_limits` when the text is over the limits, or the document's `patience` is over.
pub fn parse(text: &str, patience: &Patience) -> Result<Dom, Stopped> {
    let is_cut = text.len() > MAX_CHARS;
    let text = if is_cut { &text[..text.floor_char_boundary(MAX_CHARS)] } else { text };
    if !is_modest(text) {
        return Err(failed(Reason::MimeLimits, "the HTML has more tags, or nests them deeper, than is read"));
    }
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let mut parser = parse_document(RcDom::default(), options);
    let mut rest = text;
    // Ends: each turn takes a piece off the text.
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE));
        parser.process(piece.into());
        rest = after;
        if patience.is_over() {
            return Err(failed(Reason::MimeLimits, "the HTML takes longer to parse than is allowed"));
        }
    }
    let dom: RcDom = parser.finish();
    Ok(Dom { document: dom.document, is_cut })
}

/// Elements without an end tag: they are never open.
const VOID: [&[u8]; 8] = [b"br", b"img", b"hr", b"meta", b"input", b"link", b"col", b"wbr"];

/// Counts tags, open ones and blanks inside one, without parsing, in one pass however the text is made.
fn is_modest(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut tags, mut open) = (0_usize, 0_usize);
    // Where the present tag ends, and the blanks before it: found once for all `<` that come before it.
    let (mut end, mut blanks_to_end, mut blanks) = (0_usize, 0_usize, 0_usize);
    for (at, byte) in bytes.iter().enumerate() {
        blanks += usize::from(byte.is_ascii_whitespace());
        if *byte != b'<' {
            continue;
        }
        let start = at + 1;
        if end < start {
            let length = bytes[start..].iter().position(|b| *b == b'>').unwrap_or(bytes.len() - start);
            end = start + length;
            blanks_to_end = blanks + bytes[start..end].iter().filter(|b| b.is_ascii_whitespace()).count();
        }
        if blanks_to_end - blanks > MAX_BLANKS_IN_TAG {
            return false;
        }
        let tag = &bytes[start..end];
        tags += 1;
        match tag.first() {
            Some(b'/') => open = open.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() => {
                let is_void = VOID.iter().any(|void| {
                    tag.get(..void.len()).is_some_and(|name| name.eq_ignore_ascii_case(void))
                        && tag.get(void.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
                });
                open += usize::from(!is_void && !tag.ends_with(b"/"));
            }
            _ => {}
        }
        if tags > MAX_TAGS || open > MAX_OPEN {
            return false;
        }
    }
    true
}

/// The element's name in lower case; `None` for what is no element.
pub fn name(node: &Handle) -> Option<&str> {
    match &node.data {
        NodeData::Element { name, .. } => Some(&name.local),
        _ => None,
    }
}

/// The value of an attribute.
pub fn attribute(node: &Handle, wanted: &str) -> Option<String> {
    match &node.data {
        NodeData::Element { attrs, .. } => {
            attrs.borrow().iter().find(|a| &*a.name.local == wanted).map(|a| a.value.to_string())
        }
        _ => None,
    }
}

/// The text right inside a node and everything below, spaces as they are; at most `most` bytes.
pub fn text(node: &Handle, most: usize) -> String {
    let mut text = String::new();
    let mut waiting = vec![node.clone()];
    // Ends: every node is visited once.
    while let Some(node) = waiting.pop() {
        if text.len() >= most {
            break;
        }
        if let NodeData::Text { contents } = &node.data {
            text.push_str(&contents.borrow());
        }
        waiting.extend(node.children.borrow().iter().rev().cloned());
    }
    text.truncate(text.floor_char_boundary(most));
    text
}
