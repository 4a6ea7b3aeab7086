//! Pictures inside an OFD: the usual kinds, and JBIG2, in which tax bureaus keep their QR codes.

use std::{collections::HashMap, io::Cursor};

use hayro_jbig2::{DecodeSettings, File, Page};
use image::{ImageReader, Limits as DecodeLimits, Rgba, RgbaImage};

use super::{package::Package, resources::Resources};

/// Pictures drawn of one document.
const MAX_PICTURES: usize = 64;
/// Longest side of one picture in pixels.
const MAX_SIDE: u32 = 8_000;
/// Bytes one picture may take in memory.
const MAX_BYTES: u64 = 128 * 1024 * 1024;

/// Pictures by resource id, decoded when first asked for.
pub struct Pictures<'p, 'a> {
    package: &'p mut Package<'a>,
    resources: &'p Resources,
    known: HashMap<String, Option<RgbaImage>>,
}

impl<'p, 'a> Pictures<'p, 'a> {
    /// Of one document.
    pub fn new(package: &'p mut Package<'a>, resources: &'p Resources) -> Self {
        Self { package, resources, known: HashMap::new() }
    }

    /// A picture; `None` when it is missing, broken or one too many.
    pub fn get(&mut self, id: &str) -> Option<&RgbaImage> {
        if !self.known.contains_key(id) {
            if self.known.len() >= MAX_PICTURES {
                return None;
            }
            let picture =
                self.resources.media(id).and_then(|name| self.package.bytes(name).ok()).and_then(|b| decode(&b));
            self.known.insert(id.to_owned(), picture);
        }
        self.known.get(id)?.as_ref()
    }
}

fn decode(bytes: &[u8]) -> Option<RgbaImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    if reader.format().is_none() {
        return jbig2(bytes);
    }
    let mut limits = DecodeLimits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    reader.decode().ok().map(image::DynamicImage::into_rgba8)
}

/// Black pixels of a JBIG2 page.
struct Bits {
    out: Vec<u8>,
    most: usize,
}

impl hayro_jbig2::Decoder for Bits {
    fn push_pixel(&mut self, black: bool) {
        if self.out.len() < self.most {
            self.out.push(if black { 0 } else { 255 });
        }
    }

    fn push_pixel_chunk(&mut self, black: bool, chunk_count: u32) {
        for _ in 0..u64::from(chunk_count) * 8 {
            if self.out.len() >= self.most {
                return;
            }
            self.push_pixel(black);
        }
    }

    fn next_line(&mut self) {}
}

fn jbig2(bytes: &[u8]) -> Option<RgbaImage> {
    // The decoder is young and its input hostile: a panic costs the picture, not the document.
    std::panic::catch_unwind(|| {
        let settings = DecodeSettings::default();
        match File::new(bytes, &settings) {
            Ok(file) => bits(&file.page(0)?),
            // Issuers also store the bare segments, as PDF does.
            Err(_) => bits(&Page::new_embedded(bytes, None, &settings).ok()?),
        }
    })
    .ok()
    .flatten()
}

fn bits(page: &Page<'_>) -> Option<RgbaImage> {
    let (width, height) = (page.width(), page.height());
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return None;
    }
    let most = width as usize * height as usize;
    let mut bits = Bits { out: Vec::with_capacity(most), most };
    page.decode(&mut bits).ok()?;
    bits.out.resize(most, 255);
    let rgba = bits.out.into_iter().flat_map(|ink| Rgba([ink, ink, ink, 255]).0).collect();
    RgbaImage::from_raw(width, height, rgba)
}
