//! Files inside a document: attachments, a portfolio's documents, the XML of an e-invoice.

use std::{collections::HashSet, io::Read as _};

use hayro::hayro_syntax::object::{Array, Dict, Name, Object, ObjectIdentifier, Stream, String as PdfString};

use super::{Document, guarded};
use crate::domain::capture::Relation;
use crate::reader::{
    output::Stopped,
    protocol::{MAX_NAME_CHARS, MAX_PARTS, PartHeader, clean},
};

/// Nodes of the name tree that are visited.
const MAX_NODES: usize = 2_000;
/// Levels of the name tree.
const MAX_DEPTH: usize = 12;
/// Bytes of all attachments together: what the protocol lets a child write leaves room for pages.
const MAX_TOTAL_BYTES: u64 = 128 * 1024 * 1024;
/// Bytes an attachment whose packing cannot be unpacked step by step may have packed: none unpacks to more than a
/// thousand times that.
const MAX_OTHER_PACKED: usize = 64 * 1024;

/// One file.
pub struct Attached {
    /// For people and for the door.
    pub header: PartHeader,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Everything attached, and whether something was left out because it is over a limit or broken.
pub fn attached(document: &Document) -> Result<(Vec<Attached>, bool), Stopped> {
    guarded(|| {
        let mut found =
            Found { files: Vec::new(), seen: HashSet::new(), bytes: 0, max_bytes: document.max_bytes, left_out: false };
        let xref = document.pdf.xref();
        if let Some(catalog) = xref.get::<Dict<'_>>(xref.root_id()) {
            let names = catalog.get::<Dict<'_>>("Names").and_then(|names| names.get::<Dict<'_>>("EmbeddedFiles"));
            let mut nodes = 0;
            if let Some(tree) = names {
                found.tree(&tree, 0, &mut nodes);
            }
            found.list(&catalog, "AF");
        }
        for page in document.pdf.pages().iter() {
            found.list(page.raw(), "AF");
            let Some(annotations) = page.raw().get::<Array<'_>>("Annots") else { continue };
            for annotation in annotations.iter::<Dict<'_>>().take(MAX_NODES) {
                if annotation.get::<Name<'_>>("Subtype").is_some_and(|kind| kind.as_str() == "FileAttachment")
                    && let Some(file) = annotation.get::<Dict<'_>>("FS")
                {
                    found.file(&file);
                }
            }
        }
        (found.files, found.left_out)
    })
}

struct Found {
    files: Vec<Attached>,
    seen: HashSet<ObjectIdentifier>,
    bytes: u64,
    max_bytes: u64,
    left_out: bool,
}

impl Found {
    fn tree(&mut self, node: &Dict<'_>, depth: usize, nodes: &mut usize) {
        *nodes += 1;
        if depth > MAX_DEPTH || *nodes > MAX_NODES {
            self.left_out = true;
            return;
        }
        // Names and file specifications alternate; only the latter are dictionaries.
        if let Some(names) = node.get::<Array<'_>>("Names") {
            for object in names.iter::<Object<'_>>().take(2 * MAX_NODES) {
                if let Some(file) = object.into_dict() {
                    self.file(&file);
                }
            }
        }
        if let Some(kids) = node.get::<Array<'_>>("Kids") {
            for kid in kids.iter::<Dict<'_>>().take(MAX_NODES) {
                self.tree(&kid, depth + 1, nodes);
            }
        }
    }

    fn list(&mut self, owner: &Dict<'_>, key: &str) {
        if let Some(files) = owner.get::<Array<'_>>(key) {
            for file in files.iter::<Dict<'_>>().take(MAX_PARTS) {
                self.file(&file);
            }
        }
    }

    fn file(&mut self, specification: &Dict<'_>) {
        let Some(embedded) = specification.get::<Dict<'_>>("EF") else { return };
        let Some(stream) = ["UF", "F"].iter().find_map(|key| embedded.get::<Stream<'_>>(key.as_bytes())) else {
            return;
        };
        if !self.seen.insert(stream.obj_id()) {
            return;
        }
        if self.files.len() >= MAX_PARTS {
            self.left_out = true;
            return;
        }
        let room = self.max_bytes.min(MAX_TOTAL_BYTES.saturating_sub(self.bytes));
        match unpack(&stream, room) {
            Some(bytes) if !bytes.is_empty() => {
                self.bytes += bytes.len() as u64;
                let header = PartHeader {
                    name: name(specification),
                    declared_type: declared_type(&stream),
                    relation: Relation::Attachment,
                };
                self.files.push(Attached { header, bytes });
            }
            Some(_) | None => self.left_out = true,
        }
    }
}

/// The bytes of a stream, at most `room`; a bomb is stopped while it unpacks.
fn unpack(stream: &Stream<'_>, room: u64) -> Option<Vec<u8>> {
    let raw = stream.raw_data();
    let filters: Vec<String> = match stream.dict().get::<Object<'_>>("Filter") {
        None | Some(Object::Null(_)) => Vec::new(),
        Some(Object::Name(name)) => vec![name.as_str().to_owned()],
        Some(Object::Array(names)) => names.iter::<Name<'_>>().map(|name| name.as_str().to_owned()).take(8).collect(),
        Some(_) => return None,
    };
    let is_flate = |name: &String| matches!(name.as_str(), "FlateDecode" | "Fl");
    let plain_parameters = !stream.dict().contains_key("DecodeParms");
    match filters.as_slice() {
        [] => (raw.len() as u64 <= room).then(|| raw.into_owned()),
        [only] if is_flate(only) && plain_parameters => {
            let mut bytes = Vec::new();
            let limit = room.saturating_add(1);
            // A stream cut short still gives what it has: an XML parser decides whether that is enough.
            let _ = flate2::read::ZlibDecoder::new(raw.as_ref()).take(limit).read_to_end(&mut bytes);
            (bytes.len() as u64 <= room).then_some(bytes)
        }
        _ if raw.len() <= MAX_OTHER_PACKED => {
            let bytes = stream.decoded_data().ok()?.into_owned();
            (bytes.len() as u64 <= room).then_some(bytes)
        }
        _ => None,
    }
}

fn name(specification: &Dict<'_>) -> String {
    let text = ["UF", "F"].iter().find_map(|key| specification.get::<PdfString<'_>>(key.as_bytes()));
    let text = text.map(|text| text_string(text.as_bytes())).unwrap_or_default();
    // The last part only: a name for people, never a path.
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = clean(last).trim().chars().take(MAX_NAME_CHARS).collect();
    if clean.is_empty() { "attachment".to_owned() } else { clean }
}

fn declared_type(stream: &Stream<'_>) -> String {
    let subtype = stream.dict().get::<Name<'_>>("Subtype");
    let text = subtype.map(|name| clean(name.as_str())).unwrap_or_default();
    text.chars().take(MAX_NAME_CHARS).collect()
}

/// A text string (ISO 32000, 7.9.2): UTF-16 or UTF-8 by its mark; else UTF-8 where it is, GBK where it is (Chinese
/// issuers write it so), Latin 1 otherwise.
pub(super) fn text_string(bytes: &[u8]) -> String {
    match bytes {
        [0xFE, 0xFF, rest @ ..] => encoding_rs::UTF_16BE.decode_without_bom_handling(rest).0.into_owned(),
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode_without_bom_handling(rest).0.into_owned(),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => match encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(bytes) {
                Some(text) if is_gbk(bytes) => text.into_owned(),
                Some(_) | None => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
            },
        },
    }
}

/// Whether bytes above ASCII come in pairs, as Chinese does; accents in Latin text stand between plain letters.
fn is_gbk(bytes: &[u8]) -> bool {
    let mut pairs = 0;
    for run in bytes.split(u8::is_ascii).filter(|run| !run.is_empty()) {
        if run.len() % 2 == 1 || run.iter().any(|byte| *byte < 0xA1) {
            return false;
        }
        pairs += run.len() / 2;
    }
    pairs >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_strings_of_every_encoding_are_read() {
        let utf16: Vec<u8> =
            [0xFE, 0xFF].into_iter().chain("滴滴 ü".encode_utf16().flat_map(u16::to_be_bytes)).collect();
        assert_eq!(text_string(&utf16), "滴滴 ü");
        assert_eq!(text_string("滴滴".as_bytes()), "滴滴");
        assert_eq!(text_string(b"M\xFCller"), "Müller");
        let gbk = encoding_rs::GBK.encode("发票").0.into_owned();
        assert_eq!(text_string(&gbk), "发票");
        assert_eq!(text_string(b""), "");
    }
}
