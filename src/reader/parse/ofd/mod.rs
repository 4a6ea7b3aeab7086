//! OFD (GB/T 33190): a ZIP of XML pages. Text with exact boxes, tags that name it, the invoice inside, a preview.
//!
//! Seals and signatures are not looked at: a legible invoice is not a genuine one.

mod book;
mod codes;
mod content;
mod draw;
mod geometry;
mod package;
mod picture;
mod resources;
mod tags;
mod text;

use book::{Book, Sheet};
use content::{Collector, Item};
use package::Package;
use picture::Pictures;
use text::{ByObject, Raster};

use super::xml;
use crate::{
    domain::{
        capture::{Limits, Reason, Relation},
        field::FieldKey,
        page::{Page, TextSource},
        receipt::EvidenceKind,
        structured::{StructuredSource, StructuredValue},
    },
    reader::{
        output::{Output, Stopped, failed},
        paper::Pen,
        protocol::{Kind, MAX_NAME_CHARS, MAX_PARTS, MAX_VALUES, PartHeader, Request, Warning, clean},
        see::preview,
    },
};

/// Pixels per millimetre of an ordinary page: 150 dpi.
const SCALE: f32 = 150.0 / 25.4;
/// Longest side of an ordinary page: its preview is then the page itself and need not be made smaller.
const LONGEST_SIDE: f32 = 1_600.0;
/// The shorter side keeps at least this many pixels, so that a long slip stays legible.
const LEGIBLE_SIDE: f32 = 640.0;

/// Reads an OFD. Returns the number of pages.
pub(super) fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<u32, Stopped> {
    let mut package = Package::open(document)?;
    let book = Book::open(&mut package)?;
    let limits = &request.limits;
    if book.sheets.is_empty() {
        return Err(failed(Reason::Undecodable, "the OFD has no page"));
    }
    if book.sheets.len() > limits.max_pages as usize {
        return Err(failed(Reason::PagesExceeded, format!("the OFD has {} pages", book.sheets.len())));
    }
    let mut objects = ByObject::new();
    let mut pen = Pen::new();
    let mut heading = String::new();
    for (index, sheet) in book.sheets.iter().enumerate() {
        let index = u32::try_from(index).map_err(|_| failed(Reason::PagesExceeded, "pages"))?;
        let text = send_page(&mut package, &book, sheet, index, limits, &mut objects, &mut pen, out)?;
        if index == 0 {
            heading = text;
        }
    }
    let found = attachments(&mut package, &book)?;
    for value in values(&mut package, &book, &objects, &found.invoices, &heading)?.iter().take(MAX_VALUES) {
        out.send(Kind::Value, value, &[])?;
    }
    for (name, bytes) in found.others.iter().take(MAX_PARTS) {
        let name: String = clean(name).chars().take(MAX_NAME_CHARS).collect();
        out.send(
            Kind::Part,
            &PartHeader { name, declared_type: "application/octet-stream".into(), relation: Relation::Attachment },
            bytes,
        )?;
    }
    Ok(book.sheets.len() as u32)
}

/// Sends one page with its preview; returns its text without spaces, for the heading.
#[expect(clippy::too_many_arguments, reason = "one call; a struct of eight borrowed things would say less")]
fn send_page(
    package: &mut Package<'_>,
    book: &Book,
    sheet: &Sheet,
    index: u32,
    limits: &Limits,
    objects: &mut ByObject,
    pen: &mut Pen,
    out: &mut impl Output,
) -> Result<String, Stopped> {
    let (content, area) = Book::page(package, sheet)?;
    let raster = raster(area, limits)?;
    let mut collector = Collector::new(&book.resources);
    book.collect(package, &content, &mut collector)?;
    let mut truncated = collector.truncated;
    let mut all = collector.into_items();
    // What annotations show (stamps, watermarks) is seen, but is not the invoice's text.
    let mut over = Collector::new(&book.resources);
    book.collect_annotations(package, sheet, &mut over)?;
    let own = all.len();
    all.extend(over.into_items());

    let mut pictures = Pictures::new(package, &book.resources);
    let picture = draw::draw(&all, &raster, &mut pictures, pen);
    let codes = codes::find(&all[..own], &raster, index, &mut pictures);
    let preview = preview::make(&picture).map_err(|cause| failed(Reason::Undecodable, cause))?;
    preview.send(index, out)?;

    let runs = all.iter().take(own).filter_map(|item| match item {
        Item::Text(run) => Some(run),
        Item::Path(_) | Item::Picture(_) => None,
    });
    let (lines, cut) = text::lines(runs, &raster, index, objects);
    truncated |= cut;
    let page = Page { index, width: raster.width, height: raster.height, lines, source: TextSource::TextLayer };
    out.send(Kind::Page, &page, &[])?;
    for code in codes {
        out.send(Kind::Code, &code, &[])?;
    }
    if truncated {
        out.send(Kind::Warning, &Warning { code: "truncated".into(), page: Some(index) }, &[])?;
    }
    Ok(page.text().split_whitespace().collect())
}

/// Pixels of a page of so many millimetres.
fn raster([left, top, width, height]: [f32; 4], limits: &Limits) -> Result<Raster, Stopped> {
    let (short, long) = (width.min(height), width.max(height));
    let scale = (LONGEST_SIDE / long).max(LEGIBLE_SIDE / short).min(SCALE);
    // A roll of paper kilometres long is made as small as the limits ask.
    let scale = scale.min(limits.max_side as f32 / long).min((limits.max_pixels as f32 / (width * height)).sqrt());
    let pixels = |side: f32| (side * scale).floor().max(1.0) as u32;
    let raster = Raster { scale, origin: [left, top], width: pixels(width), height: pixels(height) };
    if !scale.is_finite() || raster.width.min(raster.height) < 8 {
        return Err(failed(Reason::PixelsExceeded, "a page of impossible proportions"));
    }
    Ok(raster)
}

/// What is attached.
struct Attachments {
    /// Values of invoices in XML, best known source first.
    invoices: Vec<Vec<StructuredValue>>,
    /// Name and bytes of everything else.
    others: Vec<(String, Vec<u8>)>,
}

fn attachments(package: &mut Package<'_>, book: &Book) -> Result<Attachments, Stopped> {
    let mut found = Attachments { invoices: Vec::new(), others: Vec::new() };
    for (label, name) in book.attachments.iter().take(MAX_PARTS) {
        let bytes = package.bytes(name)?;
        match xml::values_of(&bytes) {
            Ok(Some(values)) => found.invoices.push(values),
            Ok(None) => {}
            Err(error) if error == xml::tree::XmlError::Doctype => return Err(xml::refused(&error)),
            // Neither XML nor needed for the figures: a document of its own.
            Err(_) => found.others.push((label.clone(), bytes)),
        }
    }
    Ok(found)
}

/// Everything the package states: the invoice inside, the tags on the pages, the list of custom data.
fn values(
    package: &mut Package<'_>,
    book: &Book,
    objects: &ByObject,
    invoices: &[Vec<StructuredValue>],
    heading: &str,
) -> Result<Vec<StructuredValue>, Stopped> {
    let mut tagged: Vec<StructuredValue> = Vec::new();
    for name in &book.tags {
        // Tag files are the least well-formed part of real packages; a broken one costs its boxes.
        let root = match package.xml(name) {
            Ok(root) => root,
            Err(Stopped::Failed(why)) if why.reason == Reason::Undecodable => continue,
            Err(stopped) => return Err(stopped),
        };
        for value in tags::values(&root, objects) {
            if tagged.iter().all(|known| known.name != value.name) {
                tagged.push(value);
            }
        }
    }
    let mut out: Vec<StructuredValue> = invoices.iter().flatten().cloned().collect();
    let mut info = tags::of_info(&book.info);
    tags::lend_boxes(&mut out, &tagged);
    tags::lend_boxes(&mut info, &tagged);
    let is_invoice = !tagged.is_empty() || !info.is_empty();
    out.append(&mut tagged);
    out.append(&mut info);
    let has = |name: &str| out.iter().any(|value| value.name == name);
    let mut add = Vec::new();
    if is_invoice && !has(FieldKey::Currency.as_str()) {
        add.push((FieldKey::Currency, "CNY"));
    }
    // `eInvoice` does not say special or ordinary reliably; the heading does.
    if let Some(kind) = kind_of(heading) {
        out.retain(|value| value.name != FieldKey::EvidenceKind.as_str());
        add.push((FieldKey::EvidenceKind, kind.as_str()));
    }
    out.extend(add.into_iter().map(|(key, text)| StructuredValue {
        source: StructuredSource::OfdTag,
        name: key.as_str().to_owned(),
        text: text.to_owned(),
        page: None,
        quad: None,
    }));
    Ok(out)
}

/// What the heading of the first page says it is.
fn kind_of(heading: &str) -> Option<EvidenceKind> {
    let has = |words: &[&str]| words.iter().any(|word| heading.contains(word));
    if has(&["铁路电子客票"]) {
        Some(EvidenceKind::RailTicket)
    } else if has(&["航空运输电子客票行程单"]) {
        Some(EvidenceKind::AirTicket)
    } else if has(&["专用发票"]) {
        Some(EvidenceKind::SpecialFapiao)
    } else if has(&["普通发票", "通行费"]) {
        Some(EvidenceKind::OrdinaryFapiao)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
