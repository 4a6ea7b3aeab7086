//! The role `parse`: containers and structured documents are taken apart; cheap, no models.
//!
//! One file per format. Each reads the whole document from memory, sends what it knows (pages, previews, values,
//! attachments) and says how it ended.

mod charset;
mod context;
#[cfg(test)]
mod corpus;
mod html;
mod links;
mod mail;
mod ofd;
pub(super) mod pdf;
mod schema_org;
mod text;
pub(crate) mod xml;
mod zip;

pub(crate) use mail::legible as legible_header;

use super::{
    output::{Output, Stopped},
    protocol::{Kind, MAX_NAME_CHARS, MAX_VALUE_CHARS, MAX_VALUES, PartHeader, Request, Role, Warning, clean},
};
use crate::domain::{capture::Relation, media::MediaType, structured::StructuredValue};

/// How the parse role is done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All was sent; so many pages.
    Pages(u32),
    /// Nothing was sent: the document is for the other role.
    Handover(Role),
}

/// Takes one document apart.
pub fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<Ended, Stopped> {
    match request.media_type {
        MediaType::Zip => zip::read(request, document, out),
        MediaType::Text => text::read(request, document, out),
        MediaType::Html => html::read(request, document, out),
        MediaType::Mail => mail::read(request, document, out),
        MediaType::Pdf => pdf::read(request, document, out),
        MediaType::Xml => xml::read(request, document, out).map(Ended::Pages),
        MediaType::Ofd => ofd::read(request, document, out).map(Ended::Pages),
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::WebP
        | MediaType::Tiff
        | MediaType::Gif
        | MediaType::Bmp
        | MediaType::Heic => Ok(Ended::Handover(Role::See)),
    }
}

/// Sends something found inside the document. The name loses its folders: it is for people and never a path.
fn send_part(
    out: &mut impl Output,
    name: &str,
    declared_type: &str,
    relation: Relation,
    bytes: &[u8],
) -> Result<(), Stopped> {
    let short = |text: &str| -> String { clean(text).chars().take(MAX_NAME_CHARS).collect() };
    let name = short(name.rsplit(['/', '\\']).next().unwrap_or(name));
    out.send(Kind::Part, &PartHeader { name, declared_type: short(declared_type), relation }, bytes)?;
    Ok(())
}

/// Sends exact values.
fn send_values(out: &mut impl Output, values: &[StructuredValue]) -> Result<(), Stopped> {
    for value in values.iter().take(MAX_VALUES) {
        let text: String = clean(&value.text).chars().take(MAX_VALUE_CHARS).collect();
        if !text.trim().is_empty() {
            out.send(Kind::Value, &StructuredValue { text, ..value.clone() }, &[])?;
        }
    }
    Ok(())
}

/// Sends a warning about the whole document.
fn warn(out: &mut impl Output, code: &str) -> Result<(), Stopped> {
    out.send(Kind::Warning, &Warning { code: code.to_owned(), page: None }, &[])?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        domain::{capture::Limits, page::Page, structured::StructuredValue},
        reader::protocol::{self, Rotation, read_frame, write_frame},
    };

    /// What a parser sent, for its tests; it went through the wire's own encoding.
    #[derive(Debug, Default)]
    pub struct Sent {
        pub pages: Vec<Page>,
        pub parts: Vec<(PartHeader, Vec<u8>)>,
        pub values: Vec<StructuredValue>,
        pub warnings: Vec<String>,
    }

    impl Output for Sent {
        fn send(&mut self, kind: Kind, header: &impl serde::Serialize, body: &[u8]) -> std::io::Result<()> {
            let mut wire = Vec::new();
            write_frame(&mut wire, kind, header, body)?;
            let frame = read_frame(&mut wire.as_slice(), u32::MAX).unwrap().unwrap();
            match kind {
                Kind::Page => self.pages.push(frame.decode().unwrap()),
                Kind::Part => self.parts.push((frame.decode().unwrap(), frame.body)),
                Kind::Value => self.values.push(frame.decode().unwrap()),
                Kind::Warning => self.warnings.push(frame.decode::<Warning>().unwrap().code),
                _ => {}
            }
            Ok(())
        }
    }

    /// A request without wishes.
    pub fn request(media_type: MediaType) -> Request {
        Request {
            version: protocol::VERSION,
            media_type,
            limits: Limits::default(),
            languages: Vec::new(),
            password: None,
            rotation: Rotation::None,
            region: None,
        }
    }
}
