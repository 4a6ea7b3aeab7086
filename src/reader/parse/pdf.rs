//! PDF in the role `parse`: a document whose text layers say what its pages show is read without recognition.

use super::Ended;
use crate::domain::capture::Reason;
use crate::{
    domain::page::{Code, Page, TextSource},
    reader::{
        output::{Output, Stopped, failed},
        pdf::{
            self, Document, codes, files, info,
            layer::{self, Judged},
            render::{Drawing, Fonts},
            text,
        },
        protocol::{Kind, Request, Role, Rotation, Warning},
        see::preview::{self, Preview},
    },
};

/// Longest side of a page's picture in pixels: legible on a screen, and drawn in a few milliseconds.
const PICTURE_SIDE: f32 = 1_240.0;

/// Reads the document, or hands it over when any page needs eyes. Nothing is sent before every page was judged.
pub fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<Ended, Stopped> {
    let document = Document::open(document.to_vec(), request.password.as_deref(), &request.limits)?;
    // A person who turns a page or marks a receipt on it wants it looked at.
    if request.rotation != Rotation::None || request.region.is_some() {
        return Ok(Ended::Handover(Role::See));
    }
    let fonts = Fonts::default();
    let mut pages = Vec::new();
    for index in 0..document.pages() {
        match page(&document, index, &fonts)? {
            Some(page) => pages.push(page),
            None => return Ok(Ended::Handover(Role::See)),
        }
    }
    let count = pages.len() as u32;
    for Told { page, preview, codes } in pages {
        preview.send(page.index, out)?;
        out.send(Kind::Page, &page, &[])?;
        for code in codes {
            out.send(Kind::Code, &code, &[])?;
        }
    }
    send_rest(&document, &fonts, out)?;
    Ok(Ended::Pages(count))
}

/// A page whose text layer is believed.
struct Told {
    page: Page,
    preview: Preview,
    codes: Vec<Code>,
}

fn page(document: &Document, index: u32, fonts: &Fonts) -> Result<Option<Told>, Stopped> {
    let source = document.page(index)?;
    let sheet = pdf::sheet(source);
    let drawn = text::collect(source, fonts)?;
    let drawing = Drawing::new(source, fonts);
    let factor = (PICTURE_SIDE / sheet.width.max(sheet.height) as f32).min(1.0);
    let picture = drawing.whole(factor)?;
    let found = codes::find(&drawing, &drawn, sheet, &picture)?;
    let quads: Vec<_> = found.iter().map(|code| code.quad).collect();
    let Judged { lines, fault, .. } = layer::judge(&drawn, sheet, &picture, &quads);
    if fault.is_some() {
        return Ok(None);
    }
    let preview = preview::make_scaled(&picture, sheet.width).map_err(|cause| failed(Reason::Undecodable, cause))?;
    let page = Page { index, width: sheet.width, height: sheet.height, lines, source: TextSource::TextLayer };
    let codes = found.into_iter().map(|code| code.on_page(index)).collect();
    Ok(Some(Told { page, preview, codes }))
}

/// What is not on any page: values, attachments, and what a person should know.
pub(in crate::reader) fn send_rest(document: &Document, fonts: &Fonts, out: &mut impl Output) -> Result<(), Stopped> {
    for value in info::values(document)? {
        out.send(Kind::Value, &value, &[])?;
    }
    let (attached, left_out) = files::attached(document)?;
    for file in attached {
        out.send(Kind::Part, &file.header, &file.bytes)?;
    }
    let warnings = [
        ("attachment_left_out", left_out),
        ("font_missing", fonts.was_missing()),
        ("picture_broken", fonts.had_broken_picture()),
    ];
    for (code, _) in warnings.into_iter().filter(|(_, holds)| *holds) {
        out.send(Kind::Warning, &Warning { code: code.into(), page: None }, &[])?;
    }
    Ok(())
}
