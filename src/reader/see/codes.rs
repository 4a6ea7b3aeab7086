//! Machine-readable codes on a picture: looked for where [`suspects`] points, retried larger, sharper and inverted.

use std::{
    borrow::Cow,
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{GrayImage, RgbImage, imageops};
use rxing::{
    BarcodeFormat, BinaryBitmap, DecodeHints, Luma8Source, MultiFormatReader, RXingResult, Reader as _,
    common::{GlobalHistogramBinarizer, HybridBinarizer},
    multi::MultipleBarcodeReader as _,
    qrcode::cpp_port::QrReader,
};

use crate::{
    domain::page::{Code, Point, Quad},
    imaging::{
        grey, scale,
        suspects::{Likely, Suspect, suspects},
    },
    reader::protocol::{MAX_CODES, MAX_VALUE_CHARS, clean_code},
};

/// Attempts at decoding on one page: each is a few milliseconds.
const MAX_ATTEMPTS: usize = 48;
/// When so many pixels of one page were looked at for suspects of one kind without three corners, no more of them are:
/// text has them wherever it stands, and the larger the photo, the larger they are.
const MOST_DOUBTFUL: u64 = 1_500_000;
/// Fields of modules that are looked at on one page: on a page of text they are words.
const MAX_DENSE: usize = 4;
/// Module width in pixels that readers like best.
const GOOD_MODULE: f32 = 6.0;
/// Modules at least this wide are made smaller first: less noise, less work.
const LARGE_MODULE: f32 = 12.0;
/// Longest side in pixels of a piece that is decoded.
const MAX_PIECE: f32 = 1_600.0;

/// A code and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Symbology, e.g. `qr_code`.
    pub symbology: &'static str,
    /// What it says.
    pub text: String,
    /// Where it stands, in pixels of the picture that was looked at.
    pub quad: Quad,
}

impl Found {
    /// As the code of a page.
    pub fn on_page(self, page: u32) -> Code {
        Code { symbology: self.symbology.to_owned(), text: self.text, page, quad: self.quad }
    }
}

/// Every code on a picture.
pub fn find(picture: &RgbImage) -> Vec<Found> {
    let grey = grey::brightness(picture);
    let mut found = Vec::new();
    let mut search = Search::default();
    for suspect in suspects(&grey) {
        if found.len() >= MAX_CODES {
            break;
        }
        // Corners, stripes and modules of one code point at it more than once.
        if found.iter().any(|known: &Found| known.quad.contains(suspect.centre())) {
            continue;
        }
        let piece = piece(&grey, suspect.edges);
        let [left, top, ..] = suspect.edges;
        for mut code in search.decode(&piece, &suspect) {
            code.quad = Quad(code.quad.0.map(|[x, y]| [x + left.floor(), y + top.floor()]));
            add(&mut found, code, picture.dimensions());
        }
    }
    found
}

/// Codes in a small picture that probably shows one and nothing else.
pub fn find_in_piece(grey: &GrayImage) -> Vec<Found> {
    let edges = [0.0, 0.0, grey.width() as f32, grey.height() as f32];
    let mut search = Search::default();
    let mut found = Vec::new();
    let own = suspects(grey);
    for likely in [Likely::Qr, Likely::Stripes] {
        if let Some(first) = own.iter().find(|suspect| suspect.likely == likely) {
            for code in search.decode(grey, &Suspect { edges, ..*first }) {
                add(&mut found, code, grey.dimensions());
            }
        }
    }
    if found.is_empty() && own.iter().any(|suspect| suspect.likely == Likely::Dense) {
        for code in search.decode(grey, &Suspect { edges, likely: Likely::Dense, module: None, weight: 0.0 }) {
            add(&mut found, code, grey.dimensions());
        }
    }
    found
}

/// Adds a code unless the same one was found at the same place.
pub fn add(found: &mut Vec<Found>, mut code: Found, (width, height): (u32, u32)) {
    let inside = |[x, y]: Point| [x.clamp(0.0, width as f32), y.clamp(0.0, height as f32)];
    code.quad = Quad(code.quad.0.map(inside));
    let [x, y] = code.quad.centre();
    let is_known = found.iter().any(|known| {
        let quad = &known.quad;
        known.text == code.text
            && (quad.left()..=quad.right()).contains(&x)
            && (quad.top() - 20.0..=quad.bottom() + 20.0).contains(&y)
    });
    if !is_known && !code.text.trim().is_empty() && found.len() < MAX_CODES {
        found.push(code);
    }
}

fn piece(grey: &GrayImage, [left, top, right, bottom]: [f32; 4]) -> GrayImage {
    let (left, top) = (left.floor() as u32, top.floor() as u32);
    let (width, height) = ((right.ceil() as u32).saturating_sub(left), (bottom.ceil() as u32).saturating_sub(top));
    imageops::crop_imm(grey, left, top, width, height).to_image()
}

#[derive(Default)]
struct Search {
    attempts: usize,
    dense: usize,
    /// Pixels looked at for suspects without three corners, by what they may be.
    doubtful: [u64; 3],
}

/// How a piece is prepared for one attempt.
#[derive(Clone, Copy)]
struct Way {
    scale: f32,
    sharpen: bool,
    global: bool,
    invert: bool,
}

impl Way {
    fn is_same(self, other: Self) -> bool {
        is_same_scale(self.scale, other.scale)
            && (self.sharpen, self.global, self.invert) == (other.sharpen, other.global, other.invert)
    }
}

/// A piece in another size, as it is or sharpened. Several ways want the same.
struct Made {
    scale: f32,
    sharpen: bool,
    picture: GrayImage,
}

impl Search {
    /// Codes of one suspect in its own piece; the first way that finds one is enough.
    fn decode(&mut self, piece: &GrayImage, suspect: &Suspect) -> Vec<Found> {
        if piece.width() < 8 || piece.height() < 8 {
            return Vec::new();
        }
        if suspect.likely == Likely::Dense {
            self.dense += 1;
            if self.dense > MAX_DENSE {
                return Vec::new();
            }
        }
        // Whoever is looked at is looked at in all ways; the first of a kind always is.
        if !suspect.has_three_corners() && self.doubtful[suspect.likely as usize] > MOST_DOUBTFUL {
            return Vec::new();
        }
        let mut made = Vec::new();
        let ways = ways(suspect, piece);
        for (at, way) in ways.iter().enumerate() {
            // What is as large as a piece may be is not made larger, and looked at once.
            if ways[..at].iter().any(|earlier| earlier.is_same(*way)) {
                continue;
            }
            if self.attempts >= MAX_ATTEMPTS {
                return Vec::new();
            }
            self.attempts += 1;
            let prepared = prepare(piece, *way, &mut made);
            if !suspect.has_three_corners() {
                self.doubtful[suspect.likely as usize] += u64::from(prepared.width()) * u64::from(prepared.height());
            }
            let factor =
                [prepared.width() as f32 / piece.width() as f32, prepared.height() as f32 / piece.height() as f32];
            let found = attempt(&prepared, suspect.likely, way.global);
            if !found.is_empty() {
                return found
                    .into_iter()
                    .map(|mut code| {
                        code.quad = Quad(code.quad.0.map(|[x, y]| [x / factor[0], y / factor[1]]));
                        code
                    })
                    .collect();
            }
        }
        Vec::new()
    }
}

/// Ways to look at a piece, likeliest first.
fn ways(suspect: &Suspect, piece: &GrayImage) -> Vec<Way> {
    let longest = piece.width().max(piece.height()) as f32;
    let bounded = |scale: f32| scale.min(MAX_PIECE / longest).min(4.0);
    let plain = Way { scale: 1.0, sharpen: false, global: false, invert: false };
    match (suspect.likely, suspect.module) {
        (Likely::Qr, module) => {
            let module = module.unwrap_or(4.0);
            let good = bounded(GOOD_MODULE / module);
            let first = if module > LARGE_MODULE { good } else { bounded(1.0) };
            let up = bounded(good.max(2.0));
            let mut ways = vec![
                Way { scale: first, ..plain },
                Way { scale: up, ..plain },
                Way { scale: up, sharpen: true, ..plain },
            ];
            // Two corners are seen in any text; what has three is worth the rest.
            let rest = [
                Way { scale: first, global: true, ..plain },
                Way { scale: up, global: true, sharpen: true, ..plain },
                Way { scale: first, invert: true, ..plain },
                Way { scale: up, invert: true, sharpen: true, ..plain },
            ];
            ways.extend(rest.into_iter().filter(|_| suspect.has_three_corners()));
            ways
        }
        (Likely::Stripes, _) => {
            let up = bounded(2.0);
            vec![
                Way { scale: bounded(1.0), ..plain },
                Way { scale: up, ..plain },
                Way { scale: up, sharpen: true, ..plain },
            ]
        }
        (Likely::Dense, _) => {
            let up = bounded((360.0 / longest).max(1.0));
            vec![Way { scale: up, ..plain }, Way { scale: up, sharpen: true, ..plain }]
        }
    }
}

fn prepare<'a>(piece: &'a GrayImage, way: Way, made: &'a mut Vec<Made>) -> Cow<'a, GrayImage> {
    let at = made_for(piece, way.scale, way.sharpen, made);
    let picture = at.map_or(piece, |at| &made[at].picture);
    if !way.invert {
        return Cow::Borrowed(picture);
    }
    let mut inverted = picture.clone();
    imageops::invert(&mut inverted);
    Cow::Owned(inverted)
}

/// Which of the pictures `made` of the piece has this size and sharpness, made now if need be; `None` is the piece itself.
fn made_for(piece: &GrayImage, scale: f32, sharpen: bool, made: &mut Vec<Made>) -> Option<usize> {
    let is_own_size = (scale - 1.0).abs() < 0.02;
    if is_own_size && !sharpen {
        return None;
    }
    let known = made.iter().position(|known| known.sharpen == sharpen && is_same_scale(known.scale, scale));
    if known.is_some() {
        return known;
    }
    let picture = if sharpen {
        let plain = made_for(piece, scale, false, made).map_or(piece, |at| &made[at].picture);
        // Radius of about half a module after scaling: what blur has spread is put back.
        imageops::unsharpen(plain, scale.max(1.2), 2)
    } else {
        let side = |value: u32| ((value as f32 * scale).round() as u32).max(1);
        scale::grey_to(piece, side(piece.width()), side(piece.height())).unwrap_or_else(|| piece.clone())
    };
    made.push(Made { scale, sharpen, picture });
    Some(made.len() - 1)
}

fn is_same_scale(one: f32, other: f32) -> bool {
    (one - other).abs() < 0.001
}

fn attempt(piece: &GrayImage, likely: Likely, global: bool) -> Vec<Found> {
    let source = Luma8Source::new_with_slice(piece.as_raw(), piece.width(), piece.height());
    let Ok(source) = source else { return Vec::new() };
    // Safe code that indexes freely: a panic on an odd picture is a code not found.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        if global {
            decode(&mut BinaryBitmap::new(GlobalHistogramBinarizer::new(source)), likely)
        } else {
            decode(&mut BinaryBitmap::new(HybridBinarizer::new(source)), likely)
        }
    }));
    let whole = Quad::from_edges(0.0, 0.0, piece.width() as f32, piece.height() as f32);
    decoded.unwrap_or_default().iter().filter_map(|result| found(result, &whole)).collect()
}

fn decode<B: rxing::Binarizer>(bitmap: &mut BinaryBitmap<B>, likely: Likely) -> Vec<RXingResult> {
    let mut hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    if likely == Likely::Qr {
        hints.PossibleFormats = Some(HashSet::from([BarcodeFormat::QR_CODE]));
        return QrReader.decode_multiple_with_hints(bitmap, &hints).unwrap_or_default();
    }
    let formats: &[BarcodeFormat] = if likely == Likely::Stripes {
        &[
            BarcodeFormat::CODE_128,
            BarcodeFormat::CODE_39,
            BarcodeFormat::EAN_13,
            BarcodeFormat::EAN_8,
            BarcodeFormat::UPC_A,
            BarcodeFormat::ITF,
        ]
    } else {
        &[BarcodeFormat::DATA_MATRIX, BarcodeFormat::QR_CODE, BarcodeFormat::AZTEC, BarcodeFormat::PDF_417]
    };
    hints.PossibleFormats = Some(formats.iter().copied().collect());
    MultiFormatReader::default().decode_with_hints(bitmap, &hints).into_iter().collect()
}

/// Shortest linear code that is believed: ITF and Code 39 find digits in any hatching.
const LEAST_LINEAR_CHARS: usize = 6;

fn found(result: &RXingResult, whole: &Quad) -> Option<Found> {
    let symbology = match result.getBarcodeFormat() {
        BarcodeFormat::QR_CODE => "qr_code",
        BarcodeFormat::DATA_MATRIX => "data_matrix",
        BarcodeFormat::AZTEC => "aztec",
        BarcodeFormat::PDF_417 => "pdf_417",
        BarcodeFormat::CODE_128 => "code_128",
        BarcodeFormat::CODE_39 => "code_39",
        BarcodeFormat::EAN_13 => "ean_13",
        BarcodeFormat::EAN_8 => "ean_8",
        BarcodeFormat::UPC_A => "upc_a",
        BarcodeFormat::ITF => "itf",
        // Only what was asked for comes back.
        _ => return None,
    };
    let is_linear = !matches!(symbology, "qr_code" | "data_matrix" | "aztec" | "pdf_417");
    // Only the QR reader hands out the payload's own bytes; the others have told the character set themselves.
    let text = if symbology == "qr_code" { payload(result) } else { result.getText().to_owned() };
    let text: String = clean_code(&text).chars().take(MAX_VALUE_CHARS).collect();
    if is_linear && text.chars().count() < LEAST_LINEAR_CHARS {
        return None;
    }
    Some(Found { symbology, text, quad: quad(result, is_linear, whole) })
}

/// The text of a payload whose bytes have no declared character set: UTF-8 where it is, else GB 18030 where that gives
/// Chinese, else what the reader guessed.
fn payload(result: &RXingResult) -> String {
    let bytes = result.getRawBytes();
    if bytes.is_empty() {
        return result.getText().to_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let is_chinese = |c: char| {
        ('\u{4E00}'..='\u{9FFF}').contains(&c)
            || c.is_ascii()
            || ('\u{3000}'..='\u{303F}').contains(&c)
            || ('\u{FF00}'..='\u{FFEF}').contains(&c)
    };
    match encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) if text.chars().all(is_chinese) => text.into_owned(),
        Some(_) | None => result.getText().to_owned(),
    }
}

/// The corners in the order one walks around them; the QR reader hands them out row by row.
fn around(quad: Quad) -> Quad {
    let Quad([a, b, c, d]) = quad;
    if quad.contains(quad.centre()) { quad } else { Quad([a, b, d, c]) }
}

/// Corners of a code. Linear codes are known along one line only, so their piece stands for them.
fn quad(result: &RXingResult, is_linear: bool, whole: &Quad) -> Quad {
    let points: Vec<Point> =
        result.getPoints().iter().map(|point| [point.x, point.y]).filter(|p| p.iter().all(|v| v.is_finite())).collect();
    match points.as_slice() {
        [a, b, c, d] if !is_linear => around(Quad([*a, *b, *c, *d])),
        [_, _, _, ..] if !is_linear => {
            let edge =
                |axis: usize, pick: fn(f32, f32) -> f32| points.iter().map(|p| p[axis]).reduce(pick).unwrap_or(0.0);
            Quad::from_edges(edge(0, f32::min), edge(1, f32::min), edge(0, f32::max), edge(1, f32::max))
        }
        _ => *whole,
    }
}

#[cfg(test)]
mod tests;
