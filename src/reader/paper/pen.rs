//! Draws characters with the fonts of this machine.

use std::collections::HashMap;

use ab_glyph::{Font as _, FontRef, GlyphId, PxScale, point};
use image::{Rgb, RgbImage};

use crate::{
    domain::page::Point,
    reader::fonts::{self, Face, FontBytes},
};

/// Ink of text that has no colour of its own: grey, because previews of pages without colours cost a third.
const INK: [u8; 3] = [28; 3];
/// Characters whose drawing is kept for the next time they are needed.
const MAX_KEPT: usize = 4_096;
/// Simplified Chinese among the ten faces of Noto Sans CJK: its monospaced face, whose Latin fits the cells.
const CJK_FACE: u32 = 7;

/// A character at one size: its coverage and where that stands from the origin on the baseline.
struct Stamp {
    left: i32,
    top: i32,
    width: u32,
    coverage: Vec<f32>,
    advance: f32,
}

/// Draws characters and remembers how they look.
pub struct Pen {
    mono: Option<FontBytes>,
    cjk: Option<FontBytes>,
    kept: HashMap<(char, u32), Option<Stamp>>,
    /// Colour of what is drawn next, red, green, blue.
    pub ink: [u8; 3],
}

impl Default for Pen {
    fn default() -> Self {
        Self::new()
    }
}

impl Pen {
    /// A pen with dark ink.
    pub fn new() -> Self {
        Self { mono: fonts::bytes(Face::Mono), cjk: None, kept: HashMap::new(), ink: INK }
    }

    /// Draws one character in the middle of `room` pixels from `[left, baseline]`, `em` pixels large. `false` when no
    /// installed font has it; a frame is drawn in its place.
    pub fn draw_in(&mut self, picture: &mut RgbImage, character: char, at: Point, room: f32, em: f32) -> bool {
        let ink = self.ink;
        let Some(stamp) = self.stamp(character, em) else {
            frame(picture, at, room, em, ink);
            return false;
        };
        let shift = ((room - stamp.advance) / 2.0).max(0.0);
        press(picture, stamp, [at[0] + shift, at[1]], ink);
        true
    }

    /// Draws a text from `[left, baseline]`, each character as wide as its font wants it; returns the right end.
    /// Characters no installed font has are drawn as frames.
    pub fn draw_text(&mut self, picture: &mut RgbImage, text: &str, at: Point, em: f32) -> f32 {
        let [mut left, baseline] = at;
        for character in text.chars() {
            let wide = super::cells_of(character) > 1;
            let room = self.stamp(character, em).map_or(if wide { em } else { em * 0.6 }, |stamp| stamp.advance);
            self.draw_in(picture, character, [left, baseline], room, em);
            left += room;
        }
        left
    }

    fn stamp(&mut self, character: char, em: f32) -> Option<&Stamp> {
        // Quarters of a pixel are finer than the eye.
        let key = (character, (em * 4.0).round() as u32);
        if !self.kept.contains_key(&key) {
            if self.kept.len() >= MAX_KEPT {
                self.kept.clear();
            }
            let stamp = self.cut(character, em);
            self.kept.insert(key, stamp);
        }
        self.kept.get(&key)?.as_ref()
    }

    fn cut(&mut self, character: char, em: f32) -> Option<Stamp> {
        let with = |bytes: &FontBytes, face: u32| {
            let font = FontRef::try_from_slice_and_index(bytes, face).ok()?;
            let id = font.glyph_id(character);
            (id != GlyphId(0)).then(|| outline(&font, id, em))
        };
        if let Some(stamp) = self.mono.as_ref().and_then(|bytes| with(bytes, 0)) {
            return Some(stamp);
        }
        if self.cjk.is_none() {
            self.cjk = fonts::bytes(Face::Cjk);
        }
        self.cjk.as_ref().and_then(|bytes| with(bytes, CJK_FACE).or_else(|| with(bytes, 0)))
    }
}

fn outline(font: &FontRef<'_>, id: GlyphId, em: f32) -> Stamp {
    // ab_glyph scales by ascent minus descent; people think in em.
    let units = font.units_per_em().unwrap_or(1000.0);
    let scale = PxScale::from(em * font.height_unscaled() / units);
    let advance = font.h_advance_unscaled(id) * em / units;
    let glyph = id.with_scale_and_position(scale, point(0.0, 0.0));
    let Some(outlined) = font.outline_glyph(glyph) else {
        return Stamp { left: 0, top: 0, width: 0, coverage: Vec::new(), advance };
    };
    let bounds = outlined.px_bounds();
    let (width, height) = (bounds.width().ceil() as u32, bounds.height().ceil() as u32);
    let mut coverage = vec![0.0; width as usize * height as usize];
    outlined.draw(|x, y, value| {
        if let Some(pixel) = coverage.get_mut((y * width + x) as usize) {
            *pixel = value;
        }
    });
    Stamp { left: bounds.min.x as i32, top: bounds.min.y as i32, width, coverage, advance }
}

fn press(picture: &mut RgbImage, stamp: &Stamp, [left, baseline]: Point, ink: [u8; 3]) {
    if stamp.width == 0 || !left.is_finite() || !baseline.is_finite() {
        return;
    }
    let (left, top) = (left.round() as i32 + stamp.left, baseline.round() as i32 + stamp.top);
    for (row, line) in stamp.coverage.chunks(stamp.width as usize).enumerate() {
        for (column, coverage) in line.iter().enumerate() {
            let (x, y) = (left.saturating_add(column as i32), top.saturating_add(row as i32));
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
            if *coverage > 0.0
                && let Some(Rgb(pixel)) = picture.get_pixel_mut_checked(x, y)
            {
                for (paper, ink) in pixel.iter_mut().zip(ink) {
                    let coverage = coverage.min(1.0);
                    *paper = (f32::from(*paper) * (1.0 - coverage) + f32::from(ink) * coverage) as u8;
                }
            }
        }
    }
}

/// The frame of a character nobody can draw.
fn frame(picture: &mut RgbImage, [left, baseline]: Point, room: f32, em: f32, ink: [u8; 3]) {
    let (left, right) = ((left + 1.0) as i64, (left + room - 2.0) as i64);
    let (top, bottom) = ((baseline - em * 0.75) as i64, baseline as i64);
    let mut dot = |x: i64, y: i64| {
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
            && let Some(pixel) = picture.get_pixel_mut_checked(x, y)
        {
            *pixel = Rgb(ink);
        }
    };
    // No character is larger than this many pixels.
    const MOST: i64 = 512;
    for x in left..=right.min(left + MOST) {
        dot(x, top);
        dot(x, bottom);
    }
    for y in top..=bottom.min(top + MOST) {
        dot(left, y);
        dot(right, y);
    }
}
