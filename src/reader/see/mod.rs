//! The role `see`: a picture becomes pages of recognised words and previews.

pub mod codes;
pub mod decode;
mod heic;
mod pdf;
pub mod preview;
mod turn;

use image::{RgbImage, imageops};

use super::{
    ocr::Engine,
    output::{Output, Stopped, failed},
    protocol::{Kind, MAX_WARNINGS, ReceiptRegion, Request, Rotation, Warning, clean},
};
use crate::{
    domain::{
        capture::Reason,
        media::MediaType,
        page::{Line, Page, Quad, TextSource},
    },
    imaging::regions,
};

/// Reads a picture: every page is decoded, sent as a preview, recognised and sent as text, then let go.
/// Returns the number of pages sent.
pub fn read(
    request: &Request,
    document: Vec<u8>,
    engine: &mut dyn Engine,
    out: &mut impl Output,
) -> Result<u32, Stopped> {
    if request.media_type == MediaType::Pdf {
        return pdf::read(request, document, engine, out);
    }
    let mut source = decode::Source::open(document, request.media_type, &request.limits)?;
    let mut sent = 0;
    for index in 0..source.pages() {
        if request.region.is_some_and(|region| region.page != index) {
            continue;
        }
        let decoded = source.decode(index)?;
        for code in decoded.warnings {
            out.send(Kind::Warning, &Warning { code: code.into(), page: Some(index) }, &[])?;
        }
        read_page(request, index, &decoded.picture, engine, out)?;
        sent += 1;
    }
    if sent == 0 {
        return Err(failed(Reason::Undecodable, "the page asked for does not exist"));
    }
    Ok(sent)
}

fn read_page(
    request: &Request,
    index: u32,
    picture: &RgbImage,
    engine: &mut dyn Engine,
    out: &mut impl Output,
) -> Result<(), Stopped> {
    let preview = preview::make(picture).map_err(|cause| failed(Reason::Undecodable, cause))?;
    preview.send(index, out)?;

    let whole = Quad::from_edges(0.0, 0.0, picture.width() as f32, picture.height() as f32);
    let wanted = request.region.map_or(whole, |region| region.quad);
    let recognised = recognise(picture, &wanted, request.rotation, engine)?;
    for code in recognised.warnings.iter().take(MAX_WARNINGS) {
        out.send(Kind::Warning, &Warning { code: clean(code), page: Some(index) }, &[])?;
    }
    let page = Page {
        index,
        width: picture.width(),
        height: picture.height(),
        lines: recognised.lines,
        source: TextSource::Recognition,
    };
    out.send(Kind::Page, &page, &[])?;
    for code in codes::find(picture) {
        out.send(Kind::Code, &code.on_page(index), &[])?;
    }
    send_regions(request, &page, wanted, out)
}

/// Says where the receipts of a page stand: several are told apart unless a person marked one.
fn send_regions(request: &Request, page: &Page, wanted: Quad, out: &mut impl Output) -> Result<(), Stopped> {
    let (index, size) = (page.index, (page.width, page.height));
    // A person who asked for a region has said what the receipt is.
    let told_apart = if request.region.is_some() { Vec::new() } else { regions::regions(&page.lines, size) };
    if told_apart.len() < 2 {
        out.send(Kind::Receipt, &ReceiptRegion { page: index, quad: wanted }, &[])?;
        return Ok(());
    }
    for region in told_apart.iter().take(MAX_RECEIPTS_PER_PAGE) {
        let inside = |[x, y]: [f32; 2]| [x.clamp(0.0, size.0 as f32), y.clamp(0.0, size.1 as f32)];
        let quad = Quad(region.quad.0.map(inside));
        out.send(Kind::Receipt, &ReceiptRegion { page: index, quad }, &[])?;
    }
    Ok(())
}

/// Receipts told apart on one picture; a table covered with slips has fewer.
const MAX_RECEIPTS_PER_PAGE: usize = 40;

/// Recognises a part of a page after turning it; boxes come back in page pixels, inside the page.
fn recognise(
    picture: &RgbImage,
    wanted: &Quad,
    rotation: Rotation,
    engine: &mut dyn Engine,
) -> Result<super::ocr::Recognised, Stopped> {
    let (page_width, page_height) = (picture.width() as f32, picture.height() as f32);
    let left = wanted.left().clamp(0.0, page_width).floor();
    let top = wanted.top().clamp(0.0, page_height).floor();
    let width = (wanted.right().clamp(0.0, page_width).ceil() - left) as u32;
    let height = (wanted.bottom().clamp(0.0, page_height).ceil() - top) as u32;
    if width == 0 || height == 0 {
        return Err(failed(Reason::Undecodable, "the region asked for lies outside its page"));
    }
    let is_whole = (width, height) == picture.dimensions();
    let cropped = (!is_whole).then(|| imageops::crop_imm(picture, left as u32, top as u32, width, height).to_image());
    let upright = turn::picture(cropped.as_ref().unwrap_or(picture), rotation);
    let input = upright.as_ref().or(cropped.as_ref()).unwrap_or(picture);

    let mut recognised = engine.recognise(input)?;
    let place = |quad: Quad| {
        let mut quad = turn::back(quad, rotation, width as f32, height as f32);
        for point in &mut quad.0 {
            *point = [(point[0] + left).clamp(0.0, page_width), (point[1] + top).clamp(0.0, page_height)];
        }
        quad
    };
    for line in &mut recognised.lines {
        place_line(line, place);
    }
    Ok(recognised)
}

fn place_line(line: &mut Line, place: impl Fn(Quad) -> Quad) {
    line.quad = place(line.quad);
    for word in &mut line.words {
        word.quad = place(word.quad);
    }
}
