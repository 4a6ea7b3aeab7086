//! What a person would see of an HTML text, as lines.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use markup5ever_rcdom::{Handle, NodeData};

use super::{dom, table};
use crate::reader::parse::links::Link;

/// Nesting that is followed; layout mails reach 60.
const MAX_DEPTH: usize = 200;
/// Characters of all lines together; repeated padding inside nested tables must not multiply.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// Characters of one line.
const MAX_LINE: usize = 2_000;
/// Links that are looked at.
const MAX_LINKS: usize = 500;
/// Pictures written into a text that are kept, and bytes of one.
const MAX_PICTURES: usize = 10;
const MAX_PICTURE_BYTES: usize = 8 * 1024 * 1024;
/// What keeps boxes apart that stand side by side.
pub const GAP: &str = "    ";

/// Everything seen.
#[derive(Default)]
pub struct Seen {
    /// The lines.
    pub lines: Vec<String>,
    /// Links with their texts.
    pub links: Vec<Link>,
    /// Pictures written into the text.
    pub pictures: Vec<Vec<u8>>,
    written: usize,
}

/// Lays a document out.
pub fn lines(document: &Handle) -> Seen {
    let mut seen = Seen::default();
    let mut flow = Flow::default();
    children(document, &mut flow, &mut seen, 0);
    seen.lines = flow.finish();
    seen
}

/// Lines being written.
#[derive(Default)]
pub struct Flow {
    lines: Vec<String>,
    line: String,
    /// A space is due before the next word.
    is_spaced: bool,
}

impl Flow {
    fn word(&mut self, text: &str, seen: &mut Seen) {
        for (at, piece) in text.split(is_blank).enumerate() {
            self.is_spaced |= at > 0;
            if piece.is_empty() {
                continue;
            }
            if self.is_spaced && !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            self.is_spaced = false;
            seen.written += piece.len();
            if self.line.len() < MAX_LINE && seen.written < MAX_TEXT {
                self.line.push_str(piece);
            }
        }
    }

    fn gap(&mut self) {
        if !self.line.is_empty() && !self.line.ends_with(GAP) {
            self.line.truncate(self.line.trim_end().len());
            self.line.push_str(GAP);
        }
        self.is_spaced = false;
    }

    fn break_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.trim().is_empty() {
            self.lines.push(line.trim_end().to_owned());
        }
        self.is_spaced = false;
    }

    fn blank_line(&mut self) {
        self.break_line();
        if self.lines.last().is_some_and(|last| !last.is_empty()) {
            self.lines.push(String::new());
        }
    }

    /// The lines, without empty ones at the end.
    pub fn finish(mut self) -> Vec<String> {
        self.break_line();
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        self.lines
    }
}

/// HTML's blanks and the no-break space, which mails use for layout.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\n' | '\r' | '\u{c}' | '\u{a0}' | '\u{200b}' | '\u{200c}' | '\u{feff}' | '\u{ad}' | '\u{34f}'
    )
}

/// Lays out everything inside a node.
pub fn children(node: &Handle, flow: &mut Flow, seen: &mut Seen, depth: usize) {
    if depth > MAX_DEPTH || seen.written > MAX_TEXT {
        return;
    }
    for child in node.children.borrow().iter() {
        visit(child, flow, seen, depth + 1);
    }
}

fn visit(node: &Handle, flow: &mut Flow, seen: &mut Seen, depth: usize) {
    match &node.data {
        NodeData::Text { contents } => flow.word(&contents.borrow(), seen),
        NodeData::Element { .. } => element(node, flow, seen, depth),
        NodeData::Document
        | NodeData::Doctype { .. }
        | NodeData::Comment { .. }
        | NodeData::ProcessingInstruction { .. } => {}
    }
}

fn element(node: &Handle, flow: &mut Flow, seen: &mut Seen, depth: usize) {
    let Some(name) = dom::name(node) else { return };
    let style = dom::attribute(node, "style").map(|style| squeezed(&style)).unwrap_or_default();
    if is_hidden(node, &style) {
        return;
    }
    match name {
        "script" | "style" | "head" | "title" | "template" | "svg" | "math" | "iframe" | "object" | "embed"
        | "video" | "audio" | "canvas" | "select" | "textarea" | "button" | "map" => {}
        "br" => flow.break_line(),
        "hr" => flow.blank_line(),
        "img" => image(node, flow, seen),
        "table" => {
            flow.break_line();
            let rows = table::rows(node, seen, depth);
            for line in table::lay(&rows) {
                flow.line = line;
                flow.break_line();
            }
            flow.blank_line();
        }
        "pre" => preformatted(node, flow, seen),
        "a" => {
            link(node, seen);
            children(node, flow, seen, depth);
        }
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "dl" | "blockquote" => {
            flow.blank_line();
            children(node, flow, seen, depth);
            flow.blank_line();
        }
        _ if style.contains("display:flex") || style.contains("display:grid") => {
            flow.break_line();
            side_by_side(node, flow, seen, depth);
            flow.break_line();
        }
        "div" | "li" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "main" | "nav" | "aside"
        | "form" | "fieldset" | "legend" | "figure" | "figcaption" | "address" | "center" | "details" | "summary"
        | "tr" | "td" | "th" | "tbody" | "thead" | "tfoot" | "caption" | "body" | "html"
            if !style.contains("display:inline") && !style.contains("float:") =>
        {
            flow.break_line();
            children(node, flow, seen, depth);
            flow.break_line();
        }
        _ if ["float:", "display:inline-block", "display:table-cell"].iter().any(|apart| style.contains(apart)) => {
            flow.gap();
            children(node, flow, seen, depth);
            flow.gap();
        }
        _ => children(node, flow, seen, depth),
    }
}

/// Boxes in a row: on one line while each is one line.
fn side_by_side(node: &Handle, flow: &mut Flow, seen: &mut Seen, depth: usize) {
    let mut boxes = Vec::new();
    for child in node.children.borrow().iter() {
        let mut own = Flow::default();
        visit(child, &mut own, seen, depth + 1);
        let lines = own.finish();
        if !lines.is_empty() {
            boxes.push(table::Cell { lines, span: 1 });
        }
    }
    for line in table::lay(&[boxes]) {
        flow.line = line;
        flow.break_line();
    }
}

fn preformatted(node: &Handle, flow: &mut Flow, seen: &mut Seen) {
    flow.break_line();
    let text = dom::text(node, MAX_TEXT.saturating_sub(seen.written));
    seen.written += text.len();
    for line in text.lines() {
        flow.line = line.chars().take(MAX_LINE).collect();
        flow.break_line();
    }
}

/// A style without spaces, in lower case.
fn squeezed(style: &str) -> String {
    style.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect()
}

/// What mail clients do not show: the preview text of newsletters, mostly.
fn is_hidden(node: &Handle, style: &str) -> bool {
    const HIDING: [&str; 6] =
        ["display:none", "visibility:hidden", "mso-hide:all", "font-size:0;", "font-size:0px", "opacity:0;"];
    HIDING.iter().any(|hiding| style.contains(hiding))
        || style.ends_with("font-size:0")
        || style.ends_with("opacity:0")
        || style.contains("max-height:0") && style.contains("overflow:hidden")
        || dom::attribute(node, "hidden").is_some()
}

/// Whether a row or cell is not shown.
pub fn hides(node: &Handle) -> bool {
    let style = dom::attribute(node, "style").map(|style| squeezed(&style)).unwrap_or_default();
    is_hidden(node, &style)
}

/// Words of a picture's own description that are kept: the name of a shop on its logo.
const MAX_ALT: usize = 60;

fn image(node: &Handle, flow: &mut Flow, seen: &mut Seen) {
    let side = |name| dom::attribute(node, name).and_then(|v| v.trim_end_matches("px").trim().parse::<u32>().ok());
    if side("width").is_some_and(|w| w <= 3) || side("height").is_some_and(|h| h <= 3) {
        return;
    }
    if let Some(alt) = dom::attribute(node, "alt").filter(|alt| alt.chars().count() <= MAX_ALT) {
        flow.is_spaced = true;
        flow.word(&alt, seen);
        flow.is_spaced = true;
    }
    let Some(source) = dom::attribute(node, "src") else { return };
    let Some((head, data)) = source.strip_prefix("data:image/").and_then(|rest| rest.split_once(',')) else { return };
    let fits = seen.pictures.len() < MAX_PICTURES && data.len() / 4 * 3 <= MAX_PICTURE_BYTES;
    if fits && head.ends_with(";base64") {
        let packed: String = data.chars().filter(|c| !c.is_whitespace()).collect();
        seen.pictures.extend(BASE64_STANDARD.decode(packed).ok());
    }
}

fn link(node: &Handle, seen: &mut Seen) {
    let Some(address) = dom::attribute(node, "href") else { return };
    if seen.links.len() < MAX_LINKS {
        let text = dom::text(node, 200).split_whitespace().collect::<Vec<_>>().join(" ");
        seen.links.push(Link { address: address.trim().to_owned(), text });
    }
}
