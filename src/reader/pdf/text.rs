//! The glyphs of a page: what each says, where it stands, and whether anyone can see it.

use hayro::{
    hayro_interpret::{
        BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps, InterpreterCache, Paint,
        SoftMask,
        font::{Glyph as PdfGlyph, GlyphRun},
        hayro_cmap::BfString,
        interpret_page,
        util::TransformExt as _,
    },
    hayro_syntax::page::Page as PdfPage,
    kurbo::{Affine, BezPath, Point, Rect, Shape as _},
};
use unicode_normalization::UnicodeNormalization as _;

use super::{guarded, render::Fonts, sheet};
use crate::reader::output::Stopped;

/// Glyphs of one page that are looked at; the densest page of the corpus has about 8,000.
const MAX_GLYPHS: usize = 60_000;
/// Pictures and filled boxes of one page that are remembered.
const MAX_COVERS: usize = 400;
/// Characters one glyph may stand for: ligatures have up to four.
const MAX_GLYPH_CHARS: usize = 8;
/// Opacity below which paint is not seen.
const LEAST_OPACITY: f32 = 0.1;
/// Share of an em that letters reach below and above their baseline.
const DESCENT: f64 = 0.21;
const ASCENT: f64 = 0.78;

/// Why a glyph cannot be seen, as far as the drawing instructions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Painted.
    Yes,
    /// Drawn in the invisible mode, as recognition programs put their text over a scan.
    Invisible,
    /// Outside the page or its clip, without opacity, or under something painted later.
    Hidden,
}

/// One glyph.
#[derive(Debug, Clone)]
pub struct Glyph {
    /// What it says; a white space stands for itself, `None` when the document does not tell.
    pub text: Option<String>,
    /// Start and end of its stretch of the baseline, in page pixels.
    pub base: [[f32; 2]; 2],
    /// From the baseline to the top of its letters, in page pixels.
    pub up: [f32; 2],
    /// From the baseline to the bottom of its letters.
    pub down: [f32; 2],
    /// Whether it can be seen.
    pub seen: Seen,
}

impl Glyph {
    /// The middle of its box.
    pub fn centre(&self) -> [f32; 2] {
        let [a, b] = self.base;
        let half = |i: usize| f32::midpoint(a[i], b[i]) + f32::midpoint(self.up[i], self.down[i]);
        [half(0), half(1)]
    }
}

/// What a page draws.
#[derive(Debug, Default)]
pub struct Drawn {
    /// Its glyphs in the order they are drawn.
    pub glyphs: Vec<Glyph>,
    /// Boxes of its pictures in page pixels: left, top, right, bottom.
    pub pictures: Vec<[f32; 4]>,
    /// Small filled shapes, as codes and tables are drawn with.
    pub fills: usize,
    /// More glyphs than are looked at.
    pub cut: bool,
}

/// Collects what a page draws. Boxes are in the pixels of [`sheet`].
pub fn collect<'a>(page: &'a PdfPage<'a>, fonts: &Fonts) -> Result<Drawn, Stopped> {
    let sheet = sheet(page);
    let target = Rect::new(0.0, 0.0, f64::from(sheet.width), f64::from(sheet.height));
    guarded(|| {
        let transform = Affine::scale(f64::from(sheet.scale)) * page.initial_transform(true).to_kurbo();
        let cache = InterpreterCache::new();
        let mut context = Context::new(transform, target, &cache, page.xref(), fonts.settings());
        let mut collector =
            Collector { drawn: Drawn::default(), clips: vec![target], covers: Vec::new(), from: Vec::new() };
        interpret_page(page, &mut context, &mut collector);
        collector.finish()
    })
}

struct Collector {
    drawn: Drawn,
    /// What is left of the page after each clip.
    clips: Vec<Rect>,
    /// Opaque boxes and the number of glyphs drawn before each.
    covers: Vec<(Rect, usize)>,
    /// Opacity of the groups around.
    from: Vec<f32>,
}

impl Collector {
    fn finish(mut self) -> Drawn {
        // Only the large ones can hide a line of text, and they are few.
        self.covers.sort_by(|a, b| b.0.area().total_cmp(&a.0.area()));
        self.covers.truncate(MAX_COVERS / 4);
        for (index, glyph) in self.drawn.glyphs.iter_mut().enumerate() {
            let [x, y] = glyph.centre();
            let centre = Point::new(f64::from(x), f64::from(y));
            let is_covered = self.covers.iter().any(|(cover, before)| *before > index && cover.contains(centre));
            if glyph.seen == Seen::Yes && is_covered {
                glyph.seen = Seen::Hidden;
            }
        }
        self.drawn
    }

    fn clip(&self) -> Rect {
        self.clips.last().copied().unwrap_or(Rect::ZERO)
    }

    fn push_clip(&mut self, rect: Rect) {
        let clip = self.clip().intersect(rect);
        self.clips.push(clip);
    }

    fn cover(&mut self, rect: Rect) {
        let rect = rect.intersect(self.clip());
        if self.covers.len() < MAX_COVERS && rect.area() > 0.0 {
            self.covers.push((rect, self.drawn.glyphs.len()));
        }
    }

    fn fill(&mut self, bounds: Rect, is_box: bool, props: &DrawProps<'_>, mode: &DrawMode) {
        if !matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..)) {
            return;
        }
        self.drawn.fills += 1;
        let opaque = opacity(&props.paint) > 0.95
            && props.soft_mask.is_none()
            && props.blend_mode == BlendMode::Normal
            && self.from.iter().all(|opacity| *opacity > 0.95);
        if is_box && opaque {
            self.cover(bounds);
        }
    }

    fn glyph(
        &mut self,
        glyph: &PdfGlyph<'_>,
        placed: Affine,
        next: Option<Affine>,
        props: &DrawProps<'_>,
        mode: &DrawMode,
    ) {
        let advance = match glyph {
            PdfGlyph::Outline(outline) => outline.advance_width(),
            PdfGlyph::Type3(type3) => type3.advance_width(),
        };
        let place = props.transform * placed;
        let origin = place * Point::ORIGIN;
        let mut end = place * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
        // A glyph stretched to the width the document wants is told with its own width; the next one starts in time.
        if let Some(next) = next {
            let start = props.transform * next * Point::ORIGIN;
            let (along, to) = (end - origin, start - origin);
            if to.dot(along) > 0.0
                && to.hypot() < along.hypot()
                && to.cross(along).abs() < along.hypot() * to.hypot() * 0.1
            {
                end = start;
            }
        }
        let up = place * Point::new(0.0, ASCENT * 1000.0) - origin;
        let down = place * Point::new(0.0, -DESCENT * 1000.0) - origin;
        let numbers = [origin.x, origin.y, end.x, end.y, up.x, up.y, down.x, down.y];
        if !numbers.iter().all(|value| value.is_finite() && value.abs() < 1.0e6) {
            return;
        }
        let base = [[origin.x as f32, origin.y as f32], [end.x as f32, end.y as f32]];
        let mut glyph = Glyph {
            text: said(glyph.as_unicode()),
            base,
            up: [up.x as f32, up.y as f32],
            down: [down.x as f32, down.y as f32],
            seen: Seen::Yes,
        };
        let [x, y] = glyph.centre();
        let seen = opacity(&props.paint) * self.from.iter().product::<f32>() >= LEAST_OPACITY;
        glyph.seen = match mode {
            DrawMode::Invisible => Seen::Invisible,
            DrawMode::Fill(_) | DrawMode::Stroke(_) | DrawMode::FillAndStroke(..) => {
                let inside = self.clip().inflate(1.0, 1.0).contains(Point::new(f64::from(x), f64::from(y)));
                if seen && inside { Seen::Yes } else { Seen::Hidden }
            }
        };
        self.drawn.glyphs.push(glyph);
    }
}

/// The text of a glyph: ligatures taken apart, control characters gone. `None` when the document does not say.
fn said(unicode: Option<BfString>) -> Option<String> {
    let text = match unicode? {
        BfString::Char(character) => character.to_string(),
        BfString::String(text) => text,
    };
    let mut out = String::new();
    for character in text.chars().take(MAX_GLYPH_CHARS) {
        match character {
            // Presentation forms of Latin ligatures; full-width forms are left to the extractor.
            '\u{FB00}'..='\u{FB06}' => out.extend(std::iter::once(character).nfkc()),
            '\u{AD}' | '\u{2010}' | '\u{2011}' => out.push('-'),
            '\u{FFFD}' | '\u{E000}'..='\u{F8FF}' => return None,
            _ if character.is_whitespace() => out.push(' '),
            _ if character.is_control() => return None,
            _ => out.push(character),
        }
    }
    (!out.is_empty()).then_some(out)
}

fn opacity(paint: &Paint<'_>) -> f32 {
    match paint {
        Paint::Color(color) => color.to_rgba().components()[3],
        // A pattern may be anything; the picture of the page decides.
        Paint::Pattern(_) => 1.0,
    }
}

impl<'a> Device<'a> for Collector {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        let bounds = props.transform.transform_rect_bbox(path.bounding_box());
        let is_box = path.elements().len() <= 6 && is_upright(&props.transform);
        self.fill(bounds, is_box, &props, mode);
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        let bounds = props.transform.transform_rect_bbox(*rect);
        self.fill(bounds, is_upright(&props.transform), &props, mode);
    }

    fn push_clip_path(&mut self, clip: &ClipPath) {
        self.push_clip(clip.path.bounding_box());
    }

    fn push_clip_rect(&mut self, rect: &Rect) {
        self.push_clip(*rect);
    }

    fn pop_clip(&mut self) {
        if self.clips.len() > 1 {
            self.clips.pop();
        }
    }

    fn push_transparency_group(&mut self, opacity: f32, _mask: Option<SoftMask<'a>>, _blend: BlendMode) {
        self.from.push(opacity);
    }

    fn pop_transparency_group(&mut self) {
        self.from.pop();
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let glyphs = run.glyphs();
        for (index, glyph) in glyphs.iter().enumerate() {
            if self.drawn.glyphs.len() >= MAX_GLYPHS {
                self.drawn.cut = true;
                return;
            }
            let next = glyphs.get(index + 1).map(hayro::hayro_interpret::font::PositionedGlyph::transform);
            self.glyph(glyph, glyph.transform(), next, &props, mode);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let size = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
        let bounds = props.transform.transform_rect_bbox(size).intersect(self.clip());
        if bounds.area() <= 0.0 || !bounds.area().is_finite() {
            return;
        }
        if self.drawn.pictures.len() < MAX_COVERS {
            self.drawn.pictures.push([bounds.x0 as f32, bounds.y0 as f32, bounds.x1 as f32, bounds.y1 as f32]);
        }
        // A stencil paints only its dots; a picture with a mask may be a stamp over the text.
        if let Image::Raster(raster) = image
            && props.soft_mask.is_none()
            && props.blend_mode == BlendMode::Normal
            && !["SMask", "Mask"].iter().any(|key| raster.stream().dict().contains_key(key.as_bytes()))
        {
            self.cover(bounds);
        }
    }
}

/// Whether boxes stay boxes: turned by quarters at most.
fn is_upright(transform: &Affine) -> bool {
    let [a, b, c, d, ..] = transform.as_coeffs();
    (b.abs() < 1e-6 && c.abs() < 1e-6) || (a.abs() < 1e-6 && d.abs() < 1e-6)
}
