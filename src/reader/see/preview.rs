//! Previews: what people see beside the fields. Our own pixels in a fresh JPEG, so no metadata can come along.

use image::{GrayImage, RgbImage};

use crate::{
    imaging::{encode, grey, rgba::Pixels, scale},
    reader::{
        output::Output,
        protocol::{Kind, MAX_PREVIEW_BYTES, MAX_PREVIEW_SIDE, MAX_THUMBNAIL, PreviewHeader, ThumbnailHeader},
    },
};

/// Longest side of an ordinary preview: a receipt is legible on a laptop screen at full height.
const LONGEST_SIDE: f32 = 1600.0;
/// A long slip keeps at least this width, at the cost of more height.
const LEGIBLE_WIDTH: f32 = 640.0;
/// Qualities tried in turn until the preview fits its limit; noise at full size needs the last.
const QUALITIES: [u8; 3] = [82, 60, 30];
/// At thumbnail size nobody sees more.
const THUMBNAIL_QUALITY: u8 = 72;

/// A preview picture.
pub struct Preview {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Preview pixels per page pixel, at most 1.
    pub scale: f32,
    /// JPEG bytes.
    pub jpeg: Vec<u8>,
    /// A small JPEG of the top of the page, at most [`MAX_THUMBNAIL`].
    pub thumbnail: Vec<u8>,
}

impl Preview {
    /// Sends it, and its thumbnail, as the preview of `page`.
    pub fn send(&self, page: u32, out: &mut impl Output) -> std::io::Result<()> {
        let header = PreviewHeader { page, width: self.width, height: self.height, scale: self.scale };
        out.send(Kind::Preview, &header, &self.jpeg)?;
        out.send(Kind::Thumbnail, &ThumbnailHeader { page }, &self.thumbnail)
    }
}

/// Scales and encodes; the error says what did not work.
pub fn make(picture: &RgbImage) -> Result<Preview, String> {
    match grey::colourless::<3>(picture.as_raw(), picture.width(), picture.height()) {
        Some(grey) => made(Shown::Grey(&grey)),
        None => made(Shown::Colour(picture)),
    }
}

/// A picture that is already as large as it should be shown, of a page `page_width` pixels wide.
pub fn make_scaled(picture: &Pixels, page_width: u32) -> Result<Preview, String> {
    let preview = made(Shown::from(picture))?;
    let scale = (preview.width as f32 / page_width.max(1) as f32).min(1.0);
    Ok(Preview { scale, ..preview })
}

/// What is shown: pages without colours are scaled and encoded with one channel instead of three.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Grey(&'a GrayImage),
    Colour(&'a RgbImage),
}

impl Shown<'_> {
    fn dimensions(self) -> (u32, u32) {
        match self {
            Self::Grey(grey) => grey.dimensions(),
            Self::Colour(colour) => colour.dimensions(),
        }
    }

    /// Smaller by `factor`; `None` when there is nothing to do.
    fn scaled(self, factor: f32) -> Option<Pixels> {
        match self {
            Self::Grey(grey) => scale::grey_by_factor(grey, factor).map(Pixels::Grey),
            Self::Colour(colour) => scale::by_factor(colour, factor).map(Pixels::Colour),
        }
    }

    /// A box of it, inside the picture.
    fn cropped(self, left: u32, top: u32, width: u32, height: u32) -> Pixels {
        match self {
            Self::Grey(grey) => Pixels::Grey(image::imageops::crop_imm(grey, left, top, width, height).to_image()),
            Self::Colour(rgb) => Pixels::Colour(image::imageops::crop_imm(rgb, left, top, width, height).to_image()),
        }
    }

    fn encode(self, quality: u8) -> Result<Vec<u8>, String> {
        let jpeg = match self {
            Self::Grey(grey) => encode::grey(grey, quality),
            Self::Colour(colour) => encode::colour(colour, quality),
        };
        let (width, height) = self.dimensions();
        jpeg.ok_or_else(|| format!("no preview could be made of {width} x {height} pixels"))
    }
}

impl<'a> From<&'a Pixels> for Shown<'a> {
    fn from(pixels: &'a Pixels) -> Self {
        match pixels {
            Pixels::Grey(grey) => Self::Grey(grey),
            Pixels::Colour(colour) => Self::Colour(colour),
        }
    }
}

fn made(picture: Shown<'_>) -> Result<Preview, String> {
    let (width, height) = picture.dimensions();
    let factor = factor(width, height);
    let scaled = picture.scaled(factor);
    let shown = scaled.as_ref().map_or(picture, Shown::from);
    for quality in QUALITIES {
        let jpeg = shown.encode(quality)?;
        if jpeg.len() <= MAX_PREVIEW_BYTES {
            let (width, height) = shown.dimensions();
            return Ok(Preview { width, height, scale: factor, jpeg, thumbnail: thumbnail(shown)? });
        }
    }
    Err("no preview of bearable size could be made".into())
}

/// The top of the page, filling the frame lists show it in: there a receipt says whose it is.
fn thumbnail(shown: Shown<'_>) -> Result<Vec<u8>, String> {
    let (width, height) = shown.dimensions();
    let (most_wide, most_high) = MAX_THUMBNAIL;
    let factor = (most_wide as f32 / width as f32).max(most_high as f32 / height as f32);
    let scaled = shown.scaled(factor);
    let scaled = scaled.as_ref().map_or(shown, Shown::from);
    let (width, height) = scaled.dimensions();
    let (wide, high) = (width.min(most_wide), height.min(most_high));
    let left = (width - wide) / 2;
    Shown::from(&scaled.cropped(left, 0, wide, high)).encode(THUMBNAIL_QUALITY)
}

fn factor(width: u32, height: u32) -> f32 {
    let (width, height) = (width as f32, height as f32);
    let (short, long) = (width.min(height), width.max(height));
    let ordinary = LONGEST_SIDE / long;
    let legible = (LEGIBLE_WIDTH / short).min(MAX_PREVIEW_SIDE as f32 / long);
    ordinary.max(legible).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::protocol::MAX_THUMBNAIL_BYTES;

    #[test]
    fn a_page_without_colours_is_kept_in_grey_and_one_coloured_pixel_is_kept_in_colour() {
        let mut page = RgbImage::from_fn(64, 48, |x, _| image::Rgb([(x * 4) as u8; 3]));
        let decoded = |page: &RgbImage| image::load_from_memory(&make(page).unwrap().jpeg).unwrap();
        let grey = decoded(&page);
        assert_eq!(grey.color(), image::ColorType::L8);
        assert!(grey.to_luma8().pixels().zip(page.pixels()).all(|(kept, own)| kept.0[0].abs_diff(own.0[0]) < 12));
        for y in 40..48 {
            for x in 56..64 {
                page.put_pixel(x, y, image::Rgb([255, 0, 0]));
            }
        }
        let image::Rgb([red, green, blue]) = *decoded(&page).to_rgb8().get_pixel(60, 44);
        assert!(red > 200 && green < 60 && blue < 60, "{red} {green} {blue}");
    }

    #[test]
    fn previews_are_bounded_and_slips_stay_legible() {
        for (width, height, expected) in [
            (4000, 3000, (1600, 1200)),
            (800, 600, (800, 600)),
            (1200, 9000, (640, 4800)),
            (1000, 16_000, (375, 6000)),
            (16_000, 10, (6000, 4)),
        ] {
            let preview = make(&RgbImage::new(width, height)).unwrap();
            assert_eq!((preview.width, preview.height), expected, "{width} x {height}");
            let small = image::load_from_memory(&preview.thumbnail).unwrap();
            assert!(small.width() <= MAX_THUMBNAIL.0 && small.height() <= MAX_THUMBNAIL.1, "{width} x {height}");
            assert!(preview.thumbnail.len() <= MAX_THUMBNAIL_BYTES);
        }
    }
}
