//! PDF: text with boxes, pictures of pages, and what is hidden in the file. Both roles use it.
//!
//! [`Document`] opens within limits; [`text`] collects glyphs, [`words`] makes lines of them, [`render`] draws,
//! [`layer`] decides whether the text layer says what the page shows, [`info`] and [`files`] read what is not on any
//! page. Nothing in a document is ever executed: the library has no interpreter for JavaScript or actions.

pub mod codes;
pub mod files;
pub mod info;
pub mod layer;
pub mod render;
pub mod text;
pub mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro::hayro_syntax::{DecryptionError, LoadPdfError, Pdf, page::Page};

use super::output::{Stopped, failed};
use crate::domain::capture::{Limits, Reason};

/// Resolution of a page's pixels: boxes are given in it, and recognition reads it. Small print (6 points) is 17 pixels high.
pub const DPI: f32 = 200.0;
/// Longest side of a page in pixels; a page of 200 inches is drawn smaller, never refused.
pub const MAX_SIDE: f32 = 4_000.0;
/// Objects of a document; more is a bomb, not an invoice.
const MAX_OBJECTS: usize = 500_000;

/// An opened document.
pub struct Document {
    pdf: Pdf,
    /// Bytes an attachment may have.
    max_bytes: u64,
}

/// The size of a page in pixels, and pixels per point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Width in page pixels.
    pub width: u32,
    /// Height in page pixels.
    pub height: u32,
    /// Page pixels per point of the page as it is shown.
    pub scale: f32,
}

impl Document {
    /// Opens a document: its password is right, its pages are within the limits.
    pub fn open(bytes: Vec<u8>, password: Option<&str>, limits: &Limits) -> Result<Self, Stopped> {
        if bytes.is_empty() {
            return Err(failed(Reason::Empty, "the document has no bytes"));
        }
        let opened = guarded(|| Pdf::new_with_password(bytes, password.unwrap_or_default()))?;
        let pdf = opened.map_err(|error| refusal(error, password))?;
        let pages = guarded(|| pdf.pages().len())?;
        if pages > limits.max_pages as usize {
            return Err(failed(Reason::PagesExceeded, format!("the document has {pages} pages")));
        }
        if pages == 0 {
            return Err(failed(Reason::Undecodable, "the document has no pages"));
        }
        if pdf.len() > MAX_OBJECTS {
            return Err(failed(Reason::Undecodable, format!("the document has {} objects", pdf.len())));
        }
        Ok(Self { pdf, max_bytes: limits.max_bytes })
    }

    /// How many pages it has, at least one.
    pub fn pages(&self) -> u32 {
        self.pdf.pages().len() as u32
    }

    /// The page with this 0-based number.
    pub fn page(&self, index: u32) -> Result<&Page<'_>, Stopped> {
        let page = self.pdf.pages().get(index as usize);
        page.ok_or_else(|| failed(Reason::Undecodable, "the page asked for does not exist"))
    }
}

/// How large a page is in pixels.
pub fn sheet(page: &Page<'_>) -> Sheet {
    let (width, height) = page.render_dimensions();
    let (width, height) = (finite(width), finite(height));
    let scale = (DPI / 72.0).min(MAX_SIDE / width.max(height));
    let pixels = |points: f32| (points * scale).round().clamp(1.0, MAX_SIDE) as u32;
    Sheet { width: pixels(width), height: pixels(height), scale }
}

/// A page side that arithmetic can be done with; A4's width where the document says nonsense.
fn finite(points: f32) -> f32 {
    if points.is_finite() && points > 0.0 { points.max(1.0) } else { 595.0 }
}

fn refusal(error: LoadPdfError, password: Option<&str>) -> Stopped {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            let detail = match password {
                Some(_) => "the password does not open this document",
                None => "the document is encrypted and needs a password",
            };
            failed(Reason::PasswordNeeded, detail)
        }
        LoadPdfError::Decryption(
            DecryptionError::MissingIDEntry
            | DecryptionError::InvalidEncryption
            | DecryptionError::UnsupportedAlgorithm,
        ) => failed(Reason::Undecodable, "the document is encrypted in a way that is not understood"),
        LoadPdfError::Invalid => failed(Reason::Undecodable, "the file is no readable PDF"),
    }
}

/// Runs the library on hostile bytes: it is safe code, but may panic on what nobody thought of.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Stopped> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| failed(Reason::Undecodable, "the PDF reader gave up inside itself"))
}

#[cfg(test)]
mod tests;
