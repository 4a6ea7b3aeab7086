//! Pictures to pixels: limits from the header first, orientation applied, transparency on white, 8-bit RGB.

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
};

use image::{
    DynamicImage, ImageDecoder, ImageError, RgbImage,
    codecs::{
        bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder,
    },
};

use self::tiff_colours::Colours;
use crate::{
    domain::{
        capture::{Limits, Reason},
        media::MediaType,
    },
    imaging::{
        header::{self, TiffPage},
        jpeg,
    },
    reader::protocol::clean,
};

use crate::reader::output::{Stopped, failed};

mod tiff_colours;
mod tiff_directory;
mod tiff_fax;
mod tiff_greys;

/// Bytes a decoder may hold for each pixel it is allowed: 16-bit RGBA.
const MAX_BYTES_PER_PIXEL: u64 = 8;
/// Characters of a decoder's own message that are kept.
const MAX_CAUSE_CHARS: usize = 200;

/// A document whose pages can be decoded one by one.
pub struct Source {
    bytes: Vec<u8>,
    media_type: MediaType,
    limits: Limits,
    tiff_pages: Vec<TiffPage>,
}

/// One decoded page.
pub struct Decoded {
    /// Upright (after EXIF orientation) 8-bit RGB.
    pub picture: RgbImage,
    /// Stable codes, e.g. `truncated`.
    pub warnings: Vec<&'static str>,
}

impl Source {
    /// Checks the header against the limits; nothing is decoded.
    pub fn open(bytes: Vec<u8>, media_type: MediaType, limits: &Limits) -> Result<Self, Stopped> {
        if bytes.is_empty() {
            return Err(failed(Reason::Empty, "the document has no bytes"));
        }
        if bytes.len() as u64 > limits.max_bytes {
            return Err(failed(Reason::TooLarge, format!("the document has {} bytes", bytes.len())));
        }
        if let Some(header) = header::probe_bytes(&bytes, media_type) {
            header.check(limits).map_err(|reason| {
                let header::Header { width, height, pages, .. } = header;
                failed(reason, format!("the header says {width} x {height} px on {pages} page(s)"))
            })?;
        }
        if media_type == MediaType::Heic {
            super::heic::check(&bytes)?;
        }
        let tiff_pages = match media_type {
            MediaType::Tiff => header::tiff_pages(&mut Cursor::new(&bytes))
                .map_err(|_| failed(Reason::Undecodable, "the TIFF has no readable directory"))?,
            _ if media_type.is_picture() => Vec::new(),
            _ => return Err(failed(Reason::UnsupportedType, format!("`{media_type}` is no picture"))),
        };
        if media_type == MediaType::Tiff && tiff_pages.is_empty() {
            return Err(failed(Reason::Undecodable, "the TIFF has no picture"));
        }
        Ok(Self { bytes, media_type, limits: *limits, tiff_pages })
    }

    /// Pages to decode, at least one.
    pub fn pages(&self) -> u32 {
        (self.tiff_pages.len() as u32).max(1)
    }

    /// Decodes one page, 0-based.
    pub fn decode(&mut self, index: u32) -> Result<Decoded, Stopped> {
        let (mut colours, mut disguise, mut fax) = (Colours::Own, None, None);
        if let Some(page) = self.tiff_pages.get(index as usize) {
            point_at(&mut self.bytes, page.offset)
                .ok_or_else(|| failed(Reason::Undecodable, "the TIFF header is broken"))?;
            let unpacked = catch_unwind(|| tiff_fax::unpack(&self.bytes, page.offset, &self.limits));
            fax = unpacked.unwrap_or(None).transpose()?;
            (colours, disguise) = tiff_colours::disguise(&mut self.bytes, page.offset);
        }
        let bytes = fax.as_ref().map_or(self.bytes.as_slice(), |fax| &fax.tiff);
        // Decoders are safe code, but they may panic on what nobody thought of; that is a broken picture.
        let picture = catch_unwind(AssertUnwindSafe(|| decode(bytes, self.media_type, &self.limits)));
        if let Some(disguise) = disguise {
            disguise.take_off(&mut self.bytes);
        }
        let mut picture = picture.map_err(|_| failed(Reason::Undecodable, "the decoder gave up inside itself"))??;
        colours.paint(&mut picture);
        let bytes = self.bytes.as_slice();
        let mut warnings = Vec::new();
        let is_cut_fax = fax.is_some_and(|fax| !fax.is_whole);
        if is_cut_fax || (self.media_type == MediaType::Jpeg && !jpeg::is_complete(bytes)) {
            warnings.push("truncated");
        }
        Ok(Decoded { picture, warnings })
    }
}

/// Makes the directory at `offset` the first of the file: the decoder reads only the first page, but reads all
/// colour types, and this hands it every page as one.
fn point_at(bytes: &mut [u8], offset: u64) -> Option<()> {
    let little = bytes.starts_with(b"II");
    let big = matches!(bytes, [_, _, 43, 0, ..] | [_, _, 0, 43, ..]);
    if big {
        let link = if little { offset.to_le_bytes() } else { offset.to_be_bytes() };
        bytes.get_mut(8..16)?.copy_from_slice(&link);
    } else {
        let offset = u32::try_from(offset).ok()?;
        let link = if little { offset.to_le_bytes() } else { offset.to_be_bytes() };
        bytes.get_mut(4..8)?.copy_from_slice(&link);
    }
    Some(())
}

fn decode(bytes: &[u8], media_type: MediaType, limits: &Limits) -> Result<RgbImage, Stopped> {
    let reader = Cursor::new(bytes);
    match media_type {
        // The lenient decoder fills what is missing at the end of a cut-off file; `truncated` says so.
        MediaType::Jpeg => with(JpegDecoder::new(reader), limits),
        MediaType::Png => with(PngDecoder::new(reader), limits),
        MediaType::WebP => with(WebPDecoder::new(reader), limits),
        MediaType::Tiff => match tiff_greys::decode(bytes, limits) {
            Some(picture) => Ok(picture?.into_rgb8()),
            None => with(TiffDecoder::new(reader), limits),
        },
        MediaType::Gif => with(GifDecoder::new(reader), limits),
        MediaType::Bmp => with(BmpDecoder::new(reader), limits),
        MediaType::Heic => super::heic::decode(bytes, limits),
        MediaType::Pdf
        | MediaType::Ofd
        | MediaType::Zip
        | MediaType::Xml
        | MediaType::Html
        | MediaType::Mail
        | MediaType::Text => {
            Err(failed(Reason::UnsupportedType, format!("`{media_type}` is no picture this role decodes")))
        }
    }
}

/// Refuses a picture of no pixels or too many.
fn allowed((width, height): (u32, u32), limits: &Limits) -> Result<(), Stopped> {
    if u64::from(width) * u64::from(height) > limits.max_pixels || width.max(height) > limits.max_side {
        return Err(failed(Reason::PixelsExceeded, format!("the picture has {width} x {height} px")));
    }
    if width == 0 || height == 0 {
        return Err(failed(Reason::Undecodable, "the picture has no pixels"));
    }
    Ok(())
}

fn with(decoder: Result<impl ImageDecoder, ImageError>, limits: &Limits) -> Result<RgbImage, Stopped> {
    let mut decoder = decoder.map_err(undecodable)?;
    allowed(decoder.dimensions(), limits)?;
    let mut most = image::Limits::default();
    most.max_image_width = Some(limits.max_side);
    most.max_image_height = Some(limits.max_side);
    most.max_alloc = Some(limits.max_pixels.saturating_mul(MAX_BYTES_PER_PIXEL));
    decoder.set_limits(most).map_err(undecodable)?;
    // A broken orientation is no reason to lose a picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let picture = on_white(DynamicImage::from_decoder(decoder).map_err(undecodable)?);
    let mut upright = DynamicImage::ImageRgb8(picture);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

/// Transparent pixels become white paper; a receipt drawn in black on nothing stays legible.
pub(super) fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let with_alpha = picture.into_rgba8();
    let (width, height) = with_alpha.dimensions();
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for pixel in with_alpha.pixels() {
        let [red, green, blue, alpha] = pixel.0;
        let blend = |value: u8| {
            let (value, alpha) = (u32::from(value), u32::from(alpha));
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        pixels.extend([blend(red), blend(green), blend(blue)]);
    }
    RgbImage::from_raw(width, height, pixels).unwrap_or_else(|| RgbImage::new(width, height))
}

fn undecodable(error: ImageError) -> Stopped {
    let reason = match &error {
        ImageError::Limits(_) => Reason::PixelsExceeded,
        ImageError::Unsupported(_) => Reason::UnsupportedType,
        ImageError::Decoding(_) | ImageError::Encoding(_) | ImageError::Parameter(_) | ImageError::IoError(_) => {
            Reason::Undecodable
        }
    };
    failed(reason, clean(&error.to_string()).chars().take(MAX_CAUSE_CHARS).collect::<String>())
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, Rgba, RgbaImage};

    use super::*;

    pub fn decode_first(bytes: Vec<u8>, media_type: MediaType) -> Result<Decoded, Reason> {
        decode_with(bytes, media_type, &Limits::default())
    }

    fn decode_with(bytes: Vec<u8>, media_type: MediaType, limits: &Limits) -> Result<Decoded, Reason> {
        Source::open(bytes, media_type, limits).and_then(|mut source| source.decode(0)).map_err(|stopped| match stopped
        {
            Stopped::Failed(failed) => failed.reason,
            Stopped::Pipe(error) => panic!("{error}"),
        })
    }

    fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn noisy(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| Rgb([(x * 37 + y * 11) as u8, (x * y) as u8, (y * 91) as u8]))
    }

    #[test]
    fn transparency_becomes_white_paper() {
        let mut picture = RgbaImage::new(2, 1);
        picture.put_pixel(1, 0, Rgba([0, 0, 0, 128]));
        let decoded = decode_first(encoded(picture, ImageFormat::Png), MediaType::Png).unwrap();
        assert_eq!(decoded.picture.get_pixel(0, 0), &Rgb([255, 255, 255]));
        assert_eq!(decoded.picture.get_pixel(1, 0), &Rgb([127, 127, 127]));
    }

    #[test]
    fn sixteen_bit_and_grey_pictures_become_eight_bit_rgb() {
        let deep = image::ImageBuffer::from_pixel(3, 2, image::Luma([0x8000u16]));
        let decoded = decode_first(encoded(DynamicImage::ImageLuma16(deep), ImageFormat::Png), MediaType::Png).unwrap();
        assert_eq!(decoded.picture.get_pixel(0, 0), &Rgb([128, 128, 128]));
    }

    #[test]
    fn a_cut_off_jpeg_is_decoded_and_flagged_or_refused_but_never_passed_as_whole() {
        let whole = encoded(noisy(96, 96), ImageFormat::Jpeg);
        assert!(decode_first(whole.clone(), MediaType::Jpeg).unwrap().warnings.is_empty());
        let mut flagged = 0;
        for cut in (2..whole.len()).step_by(97) {
            match decode_first(whole[..cut].to_vec(), MediaType::Jpeg) {
                Ok(decoded) => {
                    assert_eq!(decoded.warnings, ["truncated"], "cut at {cut}");
                    flagged += 1;
                }
                Err(reason) => assert_eq!(reason, Reason::Undecodable, "cut at {cut}"),
            }
        }
        assert!(flagged > 0, "no cut-off file was decoded as far as possible");
    }

    #[test]
    fn pixels_over_the_limit_are_refused_by_the_header() {
        let bytes = encoded(noisy(64, 64), ImageFormat::Png);
        let limits = Limits { max_pixels: 4095, ..Limits::default() };
        assert_eq!(decode_with(bytes, MediaType::Png, &limits).err(), Some(Reason::PixelsExceeded));
    }

    #[test]
    fn every_page_of_a_tiff_is_decoded() {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
        encoder.write_image::<tiff::encoder::colortype::Gray8>(2, 1, &[10, 10]).unwrap();
        encoder.write_image::<tiff::encoder::colortype::RGB8>(1, 2, &[1, 2, 3, 4, 5, 6]).unwrap();
        let mut source = Source::open(bytes.into_inner(), MediaType::Tiff, &Limits::default()).unwrap();
        assert_eq!(source.pages(), 2);
        assert_eq!(source.decode(0).unwrap().picture.get_pixel(0, 0), &Rgb([10, 10, 10]));
        assert_eq!(source.decode(1).unwrap().picture.get_pixel(0, 1), &Rgb([4, 5, 6]));
    }

    #[test]
    fn garbage_of_every_type_is_undecodable() {
        for media_type in MediaType::ALL {
            let decoded = decode_first(vec![0x42; 400], *media_type);
            assert!(decoded.is_err(), "{media_type}");
        }
    }
}

#[cfg(test)]
mod tiff_tests;
