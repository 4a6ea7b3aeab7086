//! HTML into a tree, within limits that keep the parser's worst cases away.

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink as _, tree_builder::TreeBuilderOpts};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

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

/// A parsed text.
pub struct Dom {
    /// The root.
    pub document: Handle,
    /// The text was longer than is read.
    pub is_cut: bool,
}

/// Parses after counting.
pub fn parse(text: &str) -> Result<Dom, Stopped> {
    let is_cut = text.len() > MAX_CHARS;
    let text = if is_cut { &text[..text.floor_char_boundary(MAX_CHARS)] } else { text };
    if !is_modest(text) {
        return Err(failed(Reason::MimeLimits, "the HTML has more tags, or nests them deeper, than is read"));
    }
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let dom: RcDom = parse_document(RcDom::default(), options).one(text);
    Ok(Dom { document: dom.document, is_cut })
}

/// Elements without an end tag: they are never open.
const VOID: [&[u8]; 8] = [b"br", b"img", b"hr", b"meta", b"input", b"link", b"col", b"wbr"];

/// Counts tags, open ones and blanks inside one, without parsing.
fn is_modest(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut tags, mut open, mut at) = (0_usize, 0_usize, 0_usize);
    // Ends: `at` grows by at least one each turn.
    while let Some(found) = bytes[at..].iter().position(|b| *b == b'<') {
        let start = at + found + 1;
        let end = bytes[start..].iter().position(|b| *b == b'>').map_or(bytes.len(), |length| start + length);
        let tag = &bytes[start..end];
        if tag.iter().filter(|b| b.is_ascii_whitespace()).count() > MAX_BLANKS_IN_TAG {
            return false;
        }
        at = start;
        tags += 1;
        match tag.first() {
            Some(b'/') => open = open.saturating_sub(1),
            Some(first) if first.is_ascii_alphabetic() => {
                let name = tag.split(|b| !b.is_ascii_alphanumeric()).next().unwrap_or_default();
                let is_void = VOID.iter().any(|void| void.eq_ignore_ascii_case(name)) || tag.ends_with(b"/");
                open += usize::from(!is_void);
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
