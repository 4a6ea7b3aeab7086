//! PDF in the role `see`: pages whose text layer is empty, wrong or not the whole story are drawn and recognised, and
//! the better of the two is used.

use std::time::{Duration, Instant};

use image::RgbImage;

use super::{recognise, send_regions};
use crate::{
    domain::{
        capture::Reason,
        page::{Line, Page, Quad, TextSource},
    },
    reader::{
        ocr::Engine,
        output::{Output, Stopped, failed},
        parse,
        pdf::{
            self, Document, codes,
            layer::{self, Fault, Judged},
            render::{Drawing, Fonts},
            text,
        },
        protocol::{Kind, MAX_WARNINGS, Request, Rotation, Warning, clean},
        see::preview,
    },
};

/// Share of recognised words found in the text layer above which the layer is the better reading of the same text.
const AGREES: f32 = 0.6;
/// Share below which the two say different things and a person should look.
const DISAGREES: f32 = 0.4;

/// Time after which further pages are no longer recognised: a child may compute for a minute, and a document of fifty
/// scanned pages should end as one whose last pages a person looks at, not as a failure.
const RECOGNITION_TIME: Duration = Duration::from_secs(40);

/// Reads the document page by page. Returns the number of pages sent.
pub fn read(
    request: &Request,
    document: Vec<u8>,
    engine: &mut dyn Engine,
    out: &mut impl Output,
) -> Result<u32, Stopped> {
    let document = Document::open(document, request.password.as_deref(), &request.limits)?;
    let fonts = Fonts::default();
    let started = Instant::now();
    let mut sent = 0;
    for index in 0..document.pages() {
        if request.region.is_some_and(|region| region.page != index) {
            continue;
        }
        let recognises = started.elapsed() < RECOGNITION_TIME;
        read_page(request, &document, index, &fonts, recognises.then_some(&mut *engine), out)?;
        sent += 1;
    }
    if sent == 0 {
        return Err(failed(Reason::Undecodable, "the page asked for does not exist"));
    }
    parse::pdf::send_rest(&document, &fonts, out)?;
    Ok(sent)
}

fn read_page(
    request: &Request,
    document: &Document,
    index: u32,
    fonts: &Fonts,
    engine: Option<&mut dyn Engine>,
    out: &mut impl Output,
) -> Result<(), Stopped> {
    let source = document.page(index)?;
    let sheet = pdf::sheet(source);
    let drawn = text::collect(source, fonts)?;
    let drawing = Drawing::new(source, fonts);
    let picture = drawing.whole(1.0)?;
    let found = codes::find(&drawing, &drawn, sheet, &picture)?;
    let quads: Vec<Quad> = found.iter().map(|code| code.quad).collect();
    let judged = layer::judge(&drawn, sheet, &picture, &quads);

    let shown = preview::make_scaled(&picture, sheet.width).map_err(|cause| failed(Reason::Undecodable, cause))?;
    shown.send(index, out)?;

    let whole = Quad::from_edges(0.0, 0.0, sheet.width as f32, sheet.height as f32);
    let wanted = request.region.map_or(whole, |region| region.quad);
    let asked = request.region.is_some() || request.rotation != Rotation::None;
    let reading = if judged.fault.is_none() && !asked {
        Read { lines: judged.lines, source: TextSource::TextLayer, warnings: Vec::new() }
    } else if let Some(engine) = engine {
        let picture = sized(picture.into_rgb(), sheet);
        let recognised = recognise(&picture, &wanted, request.rotation, engine)?;
        let warnings = recognised.warnings.iter().map(|code| clean(code)).collect();
        better(judged, Read { lines: recognised.lines, source: TextSource::Recognition, warnings }, asked)
    } else {
        let warnings = vec!["page_not_recognised".to_owned()];
        Read { lines: judged.lines, source: TextSource::TextLayer, warnings }
    };
    for code in reading.warnings.iter().take(MAX_WARNINGS) {
        out.send(Kind::Warning, &Warning { code: code.clone(), page: Some(index) }, &[])?;
    }
    let page = Page { index, width: sheet.width, height: sheet.height, lines: reading.lines, source: reading.source };
    out.send(Kind::Page, &page, &[])?;
    for code in found {
        out.send(Kind::Code, &code.on_page(index), &[])?;
    }
    send_regions(request, &page, wanted, out)
}

/// One reading of a page.
struct Read {
    lines: Vec<Line>,
    source: TextSource,
    warnings: Vec<String>,
}

/// The better of the text layer and what was recognised, with a warning where they say different things.
fn better(judged: Judged, recognised: Read, asked: bool) -> Read {
    let Some(fault) = judged.fault.filter(|_| !asked) else { return recognised };
    let agreement = layer::agreement(&judged.all, &recognised.lines);
    let mut warnings = recognised.warnings;
    let mut warn = |code: &str| warnings.push(code.to_owned());
    let (lines, source) = match fault {
        // Nothing to compare with; a scan is the most usual PDF of a receipt and no reason for a warning.
        Fault::Empty => (recognised.lines, TextSource::Recognition),
        Fault::Unreadable => {
            warn("text_layer_unreadable");
            (recognised.lines, TextSource::Recognition)
        }
        // Somebody else's recognition: ours knows how sure it is.
        Fault::Overlaid => {
            if agreement < DISAGREES {
                warn("text_layer_disagrees");
            }
            (recognised.lines, TextSource::Recognition)
        }
        Fault::Hiding => {
            warn("text_hidden");
            if agreement >= AGREES {
                (judged.lines, TextSource::TextLayer)
            } else {
                warn("text_layer_disagrees");
                (recognised.lines, TextSource::Recognition)
            }
        }
        // The page shows more than its text: both together, trusted as far as the weaker one.
        Fault::Partial => {
            let own = layer::agreement(&recognised.lines, &judged.lines);
            if own >= DISAGREES {
                (layer::completed(judged.lines, recognised.lines), TextSource::Recognition)
            } else {
                warn("text_layer_disagrees");
                (recognised.lines, TextSource::Recognition)
            }
        }
    };
    Read { lines, source, warnings }
}

/// The picture in the size the page says: drawing rounds, and boxes must stay inside.
fn sized(picture: RgbImage, sheet: pdf::Sheet) -> RgbImage {
    if picture.dimensions() == (sheet.width, sheet.height) {
        return picture;
    }
    image::imageops::resize(&picture, sheet.width, sheet.height, image::imageops::FilterType::Triangle)
}
