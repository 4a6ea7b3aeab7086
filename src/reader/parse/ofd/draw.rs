//! A preview of an OFD page: our own pixels of its paths, pictures and text. Good enough to check figures, no more.

use hayro::{
    kurbo::{BezPath, Point as KPoint, Stroke},
    vello_cpu::{
        Pixmap, RasterizerSettings, RenderContext, RenderSettings, Resources as Glyphs, TargetInit,
        color::palette::css::WHITE,
        peniko::{Color as Paint, Fill},
    },
};
use image::{Rgb, RgbImage};

use super::{
    content::{Item, Path, Run, Segment, width_of},
    geometry::Matrix,
    picture::Pictures,
    resources::Color,
    text::Raster,
};
use crate::{imaging::rgba, reader::paper::Pen};

/// Draws the items in their order: paths and pictures first, text over them.
pub fn draw(items: &[Item], raster: &Raster, pictures: &mut Pictures<'_, '_>, pen: &mut Pen) -> RgbImage {
    let mut canvas = paths(items, raster);
    for item in items {
        if let Item::Picture(picture) = item
            && let Some(pixels) = pictures.get(&picture.resource)
        {
            paste(&mut canvas, pixels, &picture.place, raster);
        }
    }
    for item in items {
        if let Item::Text(run) = item {
            write(&mut canvas, run, raster, pen);
        }
    }
    canvas
}

fn paths(items: &[Item], raster: &Raster) -> RgbImage {
    let (Ok(width), Ok(height)) = (u16::try_from(raster.width), u16::try_from(raster.height)) else {
        return RgbImage::from_pixel(raster.width, raster.height, Rgb([255; 3]));
    };
    let mut context =
        RenderContext::new_with(width, height, RenderSettings { num_threads: 0, ..RenderSettings::default() });
    for item in items {
        if let Item::Path(path) = item {
            trace(&mut context, path, raster);
        }
    }
    context.flush();
    let mut pixmap = Pixmap::new(width, height);
    let settings = RasterizerSettings { target_init: TargetInit::Clear(WHITE), ..RasterizerSettings::default() };
    context.render_with(&mut pixmap, &mut Glyphs::default(), settings);
    // The ground is opaque, so premultiplied is plain.
    rgba::opaque(pixmap.data_as_u8_slice(), raster.width, raster.height)
        .map_or_else(|| RgbImage::new(raster.width, raster.height), rgba::Pixels::into_rgb)
}

fn trace(context: &mut RenderContext, path: &Path, raster: &Raster) {
    let mut outline = BezPath::new();
    let at = |point| {
        let [x, y] = raster.pixel(point);
        KPoint::new(f64::from(x), f64::from(y))
    };
    let mut is_open = false;
    for segment in &path.segments {
        match *segment {
            Segment::Move(to) => {
                outline.move_to(at(to));
                is_open = true;
            }
            // Steps before the first `Move` have nowhere to begin.
            _ if !is_open => {}
            Segment::Line(to) => outline.line_to(at(to)),
            Segment::Quad(a, to) => outline.quad_to(at(a), at(to)),
            Segment::Cubic(a, b, to) => outline.curve_to(at(a), at(b), at(to)),
            Segment::Close => outline.close_path(),
        }
    }
    if let Some(color) = path.fill {
        context.set_fill_rule(if path.even_odd { Fill::EvenOdd } else { Fill::NonZero });
        context.set_paint(paint(color));
        context.fill_path(&outline);
    }
    if let Some((color, width)) = path.stroke {
        context.set_paint(paint(color));
        // Hairlines stay visible.
        context.set_stroke(Stroke::new(f64::from((width * raster.scale).max(0.8))));
        context.stroke_path(&outline);
    }
}

fn paint(Color([red, green, blue, alpha]): Color) -> Paint {
    Paint::from_rgba8(red, green, blue, alpha)
}

/// Puts a picture where its unit square stands; white paper shows through what is transparent.
fn paste(canvas: &mut RgbImage, picture: &image::RgbaImage, place: &Matrix, raster: &Raster) {
    let corners = place.quad(0.0, 0.0, 1.0, 1.0).0.map(|corner| raster.pixel(corner));
    let Some(inverse) = place.inverse() else { return };
    let edge = |axis: usize, pick: fn(f32, f32) -> f32, most: u32| {
        let edge = corners.iter().map(|c| c[axis]).reduce(pick).unwrap_or(0.0);
        edge.clamp(0.0, most as f32)
    };
    let (left, right) = (edge(0, f32::min, raster.width) as u32, edge(0, f32::max, raster.width).ceil() as u32);
    let (top, bottom) = (edge(1, f32::min, raster.height) as u32, edge(1, f32::max, raster.height).ceil() as u32);
    // Four samples a pixel keep the modules of a small QR code apart.
    const SAMPLES: [f32; 2] = [0.25, 0.75];
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    for y in top..bottom.min(raster.height) {
        for x in left..right.min(raster.width) {
            let mut sum = [0_u32; 3];
            let Rgb(paper) = *canvas.get_pixel(x, y);
            for dy in SAMPLES {
                for dx in SAMPLES {
                    let millimetre = [
                        (x as f32 + dx) / raster.scale + raster.origin[0],
                        (y as f32 + dy) / raster.scale + raster.origin[1],
                    ];
                    let [u, v] = inverse.apply(millimetre);
                    let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
                    let ink =
                        if inside { picture.get_pixel((u * width) as u32, (v * height) as u32).0 } else { [0; 4] };
                    let opacity = u32::from(ink[3]);
                    for (total, (ink, paper)) in sum.iter_mut().zip(ink.iter().zip(paper)) {
                        *total += (u32::from(*ink) * opacity + u32::from(paper) * (255 - opacity)) / 255;
                    }
                }
            }
            canvas.put_pixel(x, y, Rgb(sum.map(|total| (total / 4) as u8)));
        }
    }
}

fn write(canvas: &mut RgbImage, run: &Run, raster: &Raster, pen: &mut Pen) {
    let Color([red, green, blue, alpha]) = run.color;
    // Faint text (a watermark) is drawn in a lighter ink.
    let lighter = |ink: u8| (255 - (255 - u32::from(ink)) * u32::from(alpha) / 255) as u8;
    pen.ink = [red, green, blue].map(lighter);
    let em = run.size * run.turn.scale() * raster.scale;
    if !em.is_finite() || !(2.0..=400.0).contains(&em) {
        return;
    }
    for glyph in run.glyphs.iter().filter(|glyph| !glyph.letter.is_whitespace()) {
        let room = width_of(glyph.letter) * em;
        pen.draw_in(canvas, glyph.letter, raster.pixel(glyph.at), room, em);
    }
}
