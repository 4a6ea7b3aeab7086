//! XML into a small tree, within named bounds. No document type, no external entities, no namespace look-ups:
//! issuers misspell prefixes (`<:eInvoice xmlns:="">`, undeclared `ofd:`), so only local names count.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

use super::encoding;
use crate::domain::capture::Reason;

/// Bytes of one XML text; the largest invoice in the corpus has 90 KB.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Elements inside elements; CII needs eleven.
pub const MAX_DEPTH: usize = 64;
/// Attributes of one element.
pub const MAX_ATTRIBUTES: usize = 64;
/// Namespace declarations of one text.
pub const MAX_NAMESPACES: usize = 1_000;
/// Elements of one text: an invoice of 2,000 lines has about 40,000.
pub const MAX_NODES: usize = 300_000;
/// Characters of one name.
const MAX_NAME_CHARS: usize = 200;

/// Why a text was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It begins with a document type definition, the door to entity bombs and foreign files.
    #[error("the XML has a document type definition, which is never read")]
    Doctype,
    /// A bound is exceeded.
    #[error("the XML is over a limit: {0}")]
    Limit(&'static str),
    /// Not well-formed, at this byte.
    #[error("the XML is broken near byte {0}")]
    Broken(u64),
    /// Bytes that are not of the encoding they claim.
    #[error("the XML is not in the encoding it names")]
    Encoding,
    /// An entity that is neither predefined nor a character.
    #[error("the XML names an entity that is not defined")]
    Entity,
}

impl XmlError {
    /// The typed reason people see.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Doctype => Reason::XmlDtdForbidden,
            Self::Limit(_) => Reason::TooLarge,
            Self::Broken(_) | Self::Encoding | Self::Entity => Reason::Undecodable,
        }
    }
}

/// An element: local name, attributes by local name, own text, children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// Name without prefix.
    pub name: String,
    /// Attributes in order, names without prefix; declarations of namespaces are left out.
    pub attributes: Vec<(String, String)>,
    /// Its own text, pieces between children joined.
    pub text: String,
    /// Elements inside.
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every child of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element reached through `path`, first child by first child.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |element, name| element.child(name))
    }

    /// The trimmed text at `path`; `None` when it is absent, empty or `xsi:nil`.
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Self::content)
    }

    /// The trimmed text of this element, unless empty or `xsi:nil`.
    pub fn content(&self) -> Option<&str> {
        let text = self.text.trim();
        (!text.is_empty() && self.attribute("nil") != Some("true")).then_some(text)
    }

    /// An attribute by local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// This element and everything below it, parents first; the depth is bounded by [`MAX_DEPTH`].
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }
}

/// Parses a whole text to its root element.
pub fn parse(bytes: &[u8]) -> Result<Element, XmlError> {
    if bytes.len() > MAX_BYTES {
        return Err(XmlError::Limit("bytes"));
    }
    let text = encoding::decode(bytes).ok_or(XmlError::Encoding)?;
    let mut reader = Reader::from_str(&text);
    let mut builder = Builder::default();
    loop {
        let event = reader.read_event().map_err(|_| XmlError::Broken(reader.error_position()))?;
        let broken = || XmlError::Broken(reader.buffer_position());
        match event {
            Event::Start(tag) => builder.open(&tag)?,
            Event::Empty(tag) => {
                builder.open(&tag)?;
                builder.close().ok_or_else(broken)?;
            }
            Event::End(_) => builder.close().ok_or_else(broken)?,
            Event::Text(text) => builder.push(&text.xml10_content().map_err(|_| broken())?),
            Event::CData(text) => builder.push(&text.decode().map_err(|_| broken())?),
            Event::GeneralRef(entity) => {
                let name = entity.decode().map_err(|_| broken())?;
                let letter = match entity.resolve_char_ref().map_err(|_| XmlError::Entity)? {
                    Some(letter) => letter,
                    None => predefined(&name).ok_or(XmlError::Entity)?,
                };
                builder.push(letter.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err(XmlError::Doctype),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return builder.finish().ok_or_else(broken),
        }
    }
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
    nodes: usize,
    namespaces: usize,
}

impl Builder {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(XmlError::Limit("elements"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::Limit("depth"));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlError::Broken(0));
        }
        let mut element = Element { name: local(tag.name().as_ref())?, ..Element::default() };
        // Names are compared with each other by the checks, so the number is bounded first.
        for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
            if count >= MAX_ATTRIBUTES {
                return Err(XmlError::Limit("attributes"));
            }
            let attribute = attribute.map_err(|_| XmlError::Broken(0))?;
            let key = attribute.key.as_ref();
            if key == b"xmlns" || key.starts_with(b"xmlns:") {
                self.namespaces += 1;
                if self.namespaces > MAX_NAMESPACES {
                    return Err(XmlError::Limit("namespaces"));
                }
                continue;
            }
            let raw = std::str::from_utf8(&attribute.value).map_err(|_| XmlError::Encoding)?;
            let value = quick_xml::escape::unescape(raw).map_err(|_| XmlError::Entity)?;
            element.attributes.push((local(key)?, value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Option<()> {
        let done = self.open.pop()?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => self.root = Some(done),
        }
        Some(())
    }

    fn push(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn finish(self) -> Option<Element> {
        self.root.filter(|_| self.open.is_empty())
    }
}

fn local(name: &[u8]) -> Result<String, XmlError> {
    let name = std::str::from_utf8(name).map_err(|_| XmlError::Encoding)?;
    let local = name.rsplit(':').next().unwrap_or(name);
    if local.len() > MAX_NAME_CHARS { Err(XmlError::Limit("name")) } else { Ok(local.to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lose_their_prefix_and_text_its_escapes() {
        let xml =
            br#"<?xml version="1.0"?><a:r xmlns:a="x" k="1 &amp; 2"><a:b>A&#x4E00;&lt;<![CDATA[&B]]></a:b><b/></a:r>"#;
        let root = parse(xml).unwrap();
        assert_eq!((root.name.as_str(), root.attribute("k")), ("r", Some("1 & 2")));
        assert_eq!(root.text_at(&["b"]), Some("A一<&B"));
        assert_eq!(root.all("b").count(), 2);
    }

    #[test]
    fn prefixes_that_are_misspelt_do_not_hide_the_values() {
        let root = parse(br#"<:eInvoice xmlns:=""><N><ofd:ObjectRef PageRef="1">64</ofd:ObjectRef></N></:eInvoice>"#);
        assert_eq!(root.unwrap().text_at(&["N", "ObjectRef"]), Some("64"));
    }

    #[test]
    fn a_document_type_is_refused_before_any_entity_is_read() {
        let bomb = br#"<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r>&b;</r>"#;
        assert_eq!(parse(bomb), Err(XmlError::Doctype));
        assert_eq!(parse(br#"<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>"#), Err(XmlError::Doctype));
        assert_eq!(parse(b"<r>&undefined;</r>"), Err(XmlError::Entity));
        assert_eq!(XmlError::Doctype.reason(), Reason::XmlDtdForbidden);
    }

    #[test]
    fn every_bound_refuses_instead_of_working_on() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        let attributes: Vec<String> = (0..=MAX_ATTRIBUTES).map(|i| format!("a{i}='1'")).collect();
        let wide = format!("<a {}/>", attributes.join(" "));
        let spaces =
            "<a><b xmlns:c='d'/></a>".replace("<b xmlns:c='d'/>", &"<b xmlns:c='d'/>".repeat(MAX_NAMESPACES + 1));
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_NODES));
        for (xml, what) in [(deep, "depth"), (wide, "attributes"), (spaces, "namespaces"), (many, "elements")] {
            assert_eq!(parse(xml.as_bytes()), Err(XmlError::Limit(what)));
        }
        assert_eq!(parse(&vec![b' '; MAX_BYTES + 1]), Err(XmlError::Limit("bytes")));
    }

    #[test]
    fn half_a_text_is_broken_and_so_is_a_second_root() {
        for xml in ["<a><b></a>", "<a>", "", "plain", "<a/><b/>", "<a></b>", "<a b=c/>"] {
            assert!(matches!(parse(xml.as_bytes()), Err(XmlError::Broken(_))), "{xml}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_mark_up_makes_it_panic(text in "[<>/a&;:='\" !\\[\\]?x-]{0,120}") {
            let _ = parse(text.as_bytes());
        }
    }
}
