//! The role `parse`: containers and structured documents are taken apart; cheap, no models.
//!
//! One file per format. Each reads the whole document from memory, sends what it knows (pages, previews, values,
//! attachments) and says how it ended.

mod ofd;
pub(crate) mod xml;

use super::{
    output::{Output, Stopped, failed},
    protocol::{Request, Role},
};
use crate::domain::{capture::Reason, media::MediaType};

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
        MediaType::Xml => xml::read(request, document, out).map(Ended::Pages),
        MediaType::Ofd => ofd::read(request, document, out).map(Ended::Pages),
        MediaType::Pdf | MediaType::Zip | MediaType::Html | MediaType::Mail | MediaType::Text => {
            Err(failed(Reason::UnsupportedType, format!("`{}` is not read yet", request.media_type)))
        }
        MediaType::Jpeg
        | MediaType::Png
        | MediaType::WebP
        | MediaType::Tiff
        | MediaType::Gif
        | MediaType::Bmp
        | MediaType::Heic => Ok(Ended::Handover(Role::See)),
    }
}
