//! Codes on a page: tax bureaus put their QR code there as a picture of its own, which is read as it was made.

use image::{Rgb, RgbImage, RgbaImage, imageops};

use super::{content::Item, geometry::Matrix, picture::Pictures, text::Raster};
use crate::{
    domain::page::{Code, Quad},
    imaging::grey::brightness,
    reader::see::codes,
};

/// Pictures of one page that are looked at.
const MAX_PICTURES: usize = 8;
/// Sides in pixels a code's own picture has; smaller is an ornament, larger a photo.
const SIDES: std::ops::RangeInclusive<u32> = 24..=1_200;
/// A picture whose sides differ by more than this share is no QR code; bar codes on invoices are not looked for.
const MOST_OBLONG: f32 = 1.15;
/// White paper around the picture, as a share of its side: readers want a quiet zone.
const MARGIN: f32 = 0.12;
/// Pixels a small code is enlarged to.
const GOOD_SIDE: u32 = 300;

/// The codes among the pictures of a page.
pub fn find(items: &[Item], raster: &Raster, page: u32, pictures: &mut Pictures<'_, '_>) -> Vec<Code> {
    let mut out = Vec::new();
    let placed = items.iter().filter_map(|item| match item {
        Item::Picture(picture) => Some(picture),
        Item::Text(_) | Item::Path(_) => None,
    });
    for picture in placed.take(MAX_PICTURES) {
        let Some(pixels) = pictures.get(&picture.resource) else { continue };
        let (width, height) = pixels.dimensions();
        let oblong = width.max(height) as f32 / width.min(height).max(1) as f32;
        if !SIDES.contains(&width) || !SIDES.contains(&height) || oblong > MOST_OBLONG {
            continue;
        }
        let Some(quad) = quad_of(&picture.place, raster) else { continue };
        if let Some(found) = codes::find_in_piece(&brightness(&on_paper(pixels))).into_iter().next() {
            out.push(Code { quad, ..found.on_page(page) });
        }
    }
    out
}

/// Where the picture stands, in pixels, inside the page.
fn quad_of(place: &Matrix, raster: &Raster) -> Option<Quad> {
    let inside = |[x, y]: [f32; 2]| [x.clamp(0.0, raster.width as f32), y.clamp(0.0, raster.height as f32)];
    let quad = Quad(place.quad(0.0, 0.0, 1.0, 1.0).0.map(|corner| inside(raster.pixel(corner))));
    quad.is_finite().then_some(quad)
}

/// The picture on white paper with some of it around, enlarged when it is small.
fn on_paper(pixels: &RgbaImage) -> RgbImage {
    let factor = GOOD_SIDE.div_ceil(pixels.width().min(pixels.height()).max(1)).clamp(1, 6);
    let (width, height) = (pixels.width() * factor, pixels.height() * factor);
    let margin = (width.max(height) as f32 * MARGIN) as u32;
    let mut paper = RgbImage::from_pixel(width + 2 * margin, height + 2 * margin, Rgb([255; 3]));
    // Whole steps keep the edges of the modules sharp.
    let large = imageops::resize(pixels, width, height, imageops::FilterType::Nearest);
    for (x, y, pixel) in large.enumerate_pixels() {
        let [red, green, blue, alpha] = pixel.0.map(u32::from);
        let over = |ink: u32| ((ink * alpha + 255 * (255 - alpha)) / 255) as u8;
        paper.put_pixel(x + margin, y + margin, Rgb([over(red), over(green), over(blue)]));
    }
    paper
}
