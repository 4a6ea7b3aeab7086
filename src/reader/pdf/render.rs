//! Pages drawn as pictures, with fonts for documents that bring none.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{guarded, sheet};
use crate::{
    domain::capture::Reason,
    imaging::rgba::{self, Pixels},
    reader::{
        fonts::{self, Face},
        output::{Stopped, failed},
    },
};
use hayro::{
    RenderCache, RenderSettings,
    hayro_interpret::{
        InterpreterSettings, InterpreterWarning,
        font::{FallbackFontQuery, FontData, FontQuery},
        hayro_cmap::CidFamily,
        util::TransformExt as _,
    },
    hayro_syntax::page::Page as PdfPage,
    kurbo::Affine,
    render_into,
    vello_cpu::{self, Pixmap, RenderContext, color::palette::css::WHITE},
};

/// Longest side of a drawn picture in pixels; the drawing library counts in 16 bits.
const MAX_DRAWN_SIDE: f32 = 6_000.0;
/// Pixels of a drawn picture.
const MAX_DRAWN_PIXELS: f32 = 24_000_000.0;

/// Faces in Noto's collections, by language.
const JAPANESE: u32 = 0;
const KOREAN: u32 = 1;
const SIMPLIFIED: u32 = 2;
const TRADITIONAL: u32 = 3;

/// Finds fonts for a document and remembers what was missing.
#[derive(Clone, Default)]
pub struct Fonts {
    missing: Arc<AtomicBool>,
    broken_picture: Arc<AtomicBool>,
}

impl Fonts {
    /// Whether the document wanted a font that is not installed here: characters may be wrong or absent in pictures.
    pub fn was_missing(&self) -> bool {
        self.missing.load(Ordering::Relaxed)
    }

    /// Whether a picture inside the document could not be decoded.
    pub fn had_broken_picture(&self) -> bool {
        self.broken_picture.load(Ordering::Relaxed)
    }

    /// Settings for the library.
    pub fn settings(&self) -> InterpreterSettings {
        let (missing, broken, unsupported) =
            (Arc::clone(&self.missing), Arc::clone(&self.broken_picture), Arc::clone(&self.missing));
        InterpreterSettings {
            font_resolver: Arc::new(move |query| resolve(query, &missing)),
            warning_sink: Arc::new(move |warning| match warning {
                InterpreterWarning::ImageDecodeFailure => broken.store(true, Ordering::Relaxed),
                InterpreterWarning::UnsupportedFont => unsupported.store(true, Ordering::Relaxed),
                // An annotation without looks is no loss; the list is the library's and may grow.
                _ => {}
            }),
            ..InterpreterSettings::default()
        }
    }
}

fn resolve(query: &FontQuery, missing: &AtomicBool) -> Option<(FontData, u32)> {
    match query {
        FontQuery::Standard(standard) => Some(standard.get_font_data()),
        FontQuery::Fallback(wanted) => match cjk_face(wanted) {
            Some(face) => {
                let bytes = fonts::bytes(if is_serif(wanted) { Face::CjkSerif } else { Face::Cjk });
                if bytes.is_none() {
                    missing.store(true, Ordering::Relaxed);
                }
                bytes.map(|bytes| (bytes as FontData, face))
            }
            None => Some(wanted.pick_standard_font().get_font_data()),
        },
    }
}

/// The face of Noto's collection for a font that is not embedded; `None` for Latin.
fn cjk_face(wanted: &FallbackFontQuery) -> Option<u32> {
    let family = wanted.character_collection.as_ref().map(|collection| &collection.family);
    match family {
        Some(CidFamily::AdobeGB1) => return Some(SIMPLIFIED),
        Some(CidFamily::AdobeCNS1) => return Some(TRADITIONAL),
        Some(CidFamily::AdobeJapan1) => return Some(JAPANESE),
        Some(CidFamily::AdobeKorea1) => return Some(KOREAN),
        Some(CidFamily::AdobeIdentity | CidFamily::Custom { .. }) | None => {}
    }
    let name = names(wanted);
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(CHINESE_FONTS) {
        Some(SIMPLIFIED)
    } else if has(JAPANESE_FONTS) {
        Some(JAPANESE)
    } else {
        None
    }
}

/// Names of the fonts Chinese and Japanese invoices use without embedding them.
const CHINESE_FONTS: &[&str] = &[
    "simsun",
    "simhei",
    "simkai",
    "simfang",
    "kaiti",
    "fangsong",
    "songti",
    "heiti",
    "stsong",
    "microsoftyahei",
    "msyh",
    "dengxian",
    "宋体",
    "黑体",
    "楷体",
];
const JAPANESE_FONTS: &[&str] =
    &["msgothic", "ms-gothic", "msmincho", "ms-mincho", "heiseikaku", "heiseimin", "kozmin", "kozgo"];
/// Names of those with serifs.
const SERIF_FONTS: &[&str] = &["song", "sun", "ming", "mincho", "kai", "fang", "serif", "宋", "楷", "min-"];

fn is_serif(wanted: &FallbackFontQuery) -> bool {
    let name = names(wanted);
    wanted.is_serif || SERIF_FONTS.iter().any(|word| name.contains(word))
}

fn names(wanted: &FallbackFontQuery) -> String {
    let names = [&wanted.post_script_name, &wanted.font_name, &wanted.font_family];
    names
        .into_iter()
        .flatten()
        .flat_map(|name| name.to_lowercase().chars().collect::<Vec<_>>())
        .filter(|c| *c != ' ')
        .collect()
}

/// A page being drawn; fonts and pictures are kept between drawings of the same page.
pub struct Drawing<'a> {
    page: &'a PdfPage<'a>,
    cache: RenderCache<'a>,
    fonts: Fonts,
}

impl<'a> Drawing<'a> {
    /// Prepares to draw a page.
    pub fn new(page: &'a PdfPage<'a>, fonts: &Fonts) -> Self {
        Self { page, cache: RenderCache::new(), fonts: fonts.clone() }
    }

    /// The whole page, `factor` times the size of its [`sheet`].
    pub fn whole(&self, factor: f32) -> Result<Pixels, Stopped> {
        let sheet = sheet(self.page);
        self.part([0.0, 0.0, sheet.width as f32, sheet.height as f32], factor)
    }

    /// A part of the page (left, top, right, bottom in page pixels), `factor` times as large.
    pub fn part(&self, [left, top, right, bottom]: [f32; 4], factor: f32) -> Result<Pixels, Stopped> {
        let (width, height) = ((right - left).max(1.0), (bottom - top).max(1.0));
        let factor = factor.min(MAX_DRAWN_SIDE / width.max(height)).min((MAX_DRAWN_PIXELS / (width * height)).sqrt());
        let side = |value: f32| (value * factor).round().clamp(1.0, MAX_DRAWN_SIDE) as u16;
        let (columns, rows) = (side(width), side(height));
        let scale = f64::from(sheet(self.page).scale * factor);
        let shift = (-f64::from(left * factor), -f64::from(top * factor));
        guarded(|| {
            let transform =
                Affine::translate(shift) * Affine::scale(scale) * self.page.initial_transform(true).to_kurbo();
            let mut context = RenderContext::new(columns, rows);
            let settings = RenderSettings { hinting: false, ..RenderSettings::default() };
            render_into(self.page, &self.cache, &self.fonts.settings(), &settings, &mut context, transform);
            context.flush();
            let mut pixmap = Pixmap::new(columns, rows);
            let settings = vello_cpu::RasterizerSettings {
                target_init: vello_cpu::TargetInit::Clear(WHITE),
                ..vello_cpu::RasterizerSettings::default()
            };
            context.render_with(&mut pixmap, &mut vello_cpu::Resources::default(), settings);
            // White was laid under everything, so no pixel is transparent.
            rgba::opaque(pixmap.data_as_u8_slice(), u32::from(columns), u32::from(rows))
        })?
        .ok_or_else(|| failed(Reason::Undecodable, "the page could not be drawn"))
    }
}
