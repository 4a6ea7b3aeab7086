//! Width, height and page count from the header, without decoding: what the door asks before it accepts.
//!
//! Safe code, a bounded number of small reads, nothing allocated from a number in the file. A header that cannot be
//! understood gives `None`: the reader decides later, in its sandbox, why the picture is broken.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use crate::domain::{
    capture::{Limits, Reason},
    media::MediaType,
};

use super::{heif, jpeg};

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Width in pixels as stored, before EXIF orientation; of the page with the most pixels.
    pub width: u32,
    /// Height in pixels as stored; of the same page.
    pub height: u32,
    /// The longest side of any page in pixels.
    pub longest_side: u32,
    /// Pages: TIFF directories that are not thumbnails or masks; 1 for the other formats. Counting stops at
    /// [`MAX_COUNTED_PAGES`].
    pub pages: u32,
}

/// Directories walked in a TIFF. Above every sensible page limit, so "too many" is still seen.
pub const MAX_COUNTED_PAGES: u32 = 1_000;
/// Entries read of one TIFF directory; real ones have about 20.
const MAX_TIFF_ENTRIES: u64 = 512;

impl Header {
    fn single(width: u32, height: u32) -> Option<Self> {
        (width > 0 && height > 0).then_some(Self { width, height, longest_side: width.max(height), pages: 1 })
    }

    /// Pixels of the largest page.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Whether the document may be decoded at all; the error is the reason to give.
    pub fn check(&self, limits: &Limits) -> Result<(), Reason> {
        if self.pixels() > limits.max_pixels || self.longest_side > limits.max_side {
            return Err(Reason::PixelsExceeded);
        }
        if self.pages > limits.max_pages {
            return Err(Reason::PagesExceeded);
        }
        Ok(())
    }
}

/// Reads the header of a document in memory.
pub fn probe_bytes(bytes: &[u8], media_type: MediaType) -> Option<Header> {
    probe(&mut Cursor::new(bytes), media_type)
}

/// Reads the header of a document. `None` when it is broken, unreadable or says zero pixels.
pub fn probe<R: Read + Seek>(source: &mut R, media_type: MediaType) -> Option<Header> {
    match media_type {
        MediaType::Jpeg => probe_jpeg(source),
        MediaType::Png => probe_png(source),
        MediaType::WebP => probe_webp(source),
        MediaType::Tiff => probe_tiff(source),
        MediaType::Gif => probe_gif(source),
        MediaType::Bmp => probe_bmp(source),
        MediaType::Heic => heif::scan(source).and_then(|heif| Header::single(heif.width, heif.height)),
        MediaType::Pdf
        | MediaType::Ofd
        | MediaType::Zip
        | MediaType::Xml
        | MediaType::Html
        | MediaType::Mail
        | MediaType::Text => None,
    }
}

fn read_at<const N: usize>(source: &mut (impl Read + Seek), offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    source.seek(SeekFrom::Start(offset)).ok()?;
    source.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn probe_png(source: &mut (impl Read + Seek)) -> Option<Header> {
    let [b'I', b'H', b'D', b'R', w0, w1, w2, w3, h0, h1, h2, h3] = read_at(source, 12)? else {
        return None;
    };
    Header::single(u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]))
}

fn probe_gif(source: &mut (impl Read + Seek)) -> Option<Header> {
    let [w0, w1, h0, h1] = read_at(source, 6)?;
    Header::single(u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into())
}

fn probe_bmp(source: &mut (impl Read + Seek)) -> Option<Header> {
    let header_size = u32::from_le_bytes(read_at(source, 14)?);
    // The 12-byte OS/2 header has 16-bit sides; all later ones 32-bit, where a negative height means top-down.
    if header_size == 12 {
        let [w0, w1, h0, h1] = read_at(source, 18)?;
        return Header::single(u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
    }
    let width = i32::from_le_bytes(read_at(source, 18)?);
    let height = i32::from_le_bytes(read_at(source, 22)?);
    Header::single(u32::try_from(width).ok()?, height.unsigned_abs())
}

fn probe_webp(source: &mut (impl Read + Seek)) -> Option<Header> {
    let chunk: [u8; 4] = read_at(source, 12)?;
    let data: [u8; 10] = read_at(source, 20)?;
    let (width, height) = match &chunk {
        // RFC 9649: 24-bit sides minus one.
        b"VP8X" => {
            let side = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], 0]) + 1;
            (side(4), side(7))
        }
        // 14-bit sides minus one after the signature byte.
        b"VP8L" => {
            let bits = u32::from_le_bytes([data[1], data[2], data[3], data[4]]);
            ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
        // 14-bit sides after the frame tag and start code.
        b"VP8 " => {
            let side = |at: usize| u32::from(u16::from_le_bytes([data[at], data[at + 1]]) & 0x3FFF);
            (side(6), side(8))
        }
        _ => return None,
    };
    Header::single(width, height)
}

fn probe_jpeg(source: &mut (impl Read + Seek)) -> Option<Header> {
    let mut at = 2;
    for _ in 0..jpeg::MAX_SEGMENTS {
        let [first, marker]: [u8; 2] = read_at(source, at)?;
        if first != 0xFF {
            return None;
        }
        // Fill bytes before a marker.
        if marker == 0xFF {
            at += 1;
            continue;
        }
        at += 2;
        if jpeg::stands_alone(marker) || marker == 0xD8 {
            continue;
        }
        if matches!(marker, 0xD9 | 0xDA) {
            return None;
        }
        let length = u64::from(u16::from_be_bytes(read_at(source, at)?));
        if jpeg::is_frame(marker) {
            let [h0, h1, w0, w1] = read_at(source, at + 3)?;
            return Header::single(u16::from_be_bytes([w0, w1]).into(), u16::from_be_bytes([h0, h1]).into());
        }
        at += length.max(2);
    }
    None
}

/// A page of a TIFF: where its directory starts, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TiffPage {
    /// Byte offset of the directory.
    pub offset: u64,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

fn probe_tiff(source: &mut (impl Read + Seek)) -> Option<Header> {
    let pages = tiff_pages(source).ok()?;
    let largest = pages.iter().max_by_key(|page| u64::from(page.width) * u64::from(page.height))?;
    let longest_side = pages.iter().map(|page| page.width.max(page.height)).max()?;
    Some(Header { width: largest.width, height: largest.height, longest_side, pages: pages.len() as u32 })
}

/// Walks the directories of a TIFF or BigTIFF: every full picture in file order, without thumbnails and masks. A
/// chain that loops, or breaks after its first pages, ends where it does.
pub fn tiff_pages(source: &mut (impl Read + Seek)) -> io::Result<Vec<TiffPage>> {
    let mut tiff = Tiff::open(source)?;
    let mut next = tiff.first_directory()?;
    let mut seen = Vec::new();
    let mut pages = Vec::new();
    while next != 0 && seen.len() < MAX_COUNTED_PAGES as usize && !seen.contains(&next) {
        seen.push(next);
        match tiff.directory(next) {
            Ok((page, after)) => {
                pages.extend(page);
                next = after;
            }
            Err(_) if !pages.is_empty() => break,
            Err(error) => return Err(error),
        }
    }
    Ok(pages)
}

struct Tiff<'a, R> {
    source: &'a mut R,
    little: bool,
    big: bool,
}

const NEW_SUBFILE_TYPE: u16 = 254;
const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
/// Bits of `NewSubfileType`: reduced resolution (1) and transparency mask (4).
const NOT_A_PAGE: u32 = 1 | 4;

impl<'a, R: Read + Seek> Tiff<'a, R> {
    fn open(source: &'a mut R) -> io::Result<Self> {
        let mut head = [0; 4];
        source.seek(SeekFrom::Start(0))?;
        source.read_exact(&mut head)?;
        match head {
            [b'I', b'I', version, 0] => Ok(Self { source, little: true, big: version == 43 }),
            [b'M', b'M', 0, version] => Ok(Self { source, little: false, big: version == 43 }),
            _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
        }
    }

    fn number(&mut self, offset: u64, bytes: usize) -> io::Result<u64> {
        let mut raw = [0; 8];
        self.source.seek(SeekFrom::Start(offset))?;
        self.source.read_exact(&mut raw[..bytes])?;
        let value = raw[..bytes].iter().enumerate().fold(0u64, |sum, (i, byte)| {
            let shift = if self.little { i } else { bytes - 1 - i };
            sum | u64::from(*byte) << (8 * shift)
        });
        Ok(value)
    }

    fn first_directory(&mut self) -> io::Result<u64> {
        if self.big { self.number(8, 8) } else { self.number(4, 4) }
    }

    /// The page a directory describes, if it is one, and the offset of the next directory.
    fn directory(&mut self, offset: u64) -> io::Result<(Option<TiffPage>, u64)> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidData);
        let (count_bytes, entry_bytes, value_at) = if self.big { (8, 20, 12) } else { (2, 12, 8) };
        let count = self.number(offset, count_bytes)?;
        if count > MAX_TIFF_ENTRIES {
            return Err(invalid());
        }
        let (mut width, mut height, mut kind) = (0, 0, 0);
        let entries_at = offset.checked_add(count_bytes as u64).ok_or_else(invalid)?;
        for entry in 0..count {
            let at = entries_at.checked_add(entry * entry_bytes).ok_or_else(invalid)?;
            let tag = self.number(at, 2)? as u16;
            if !matches!(tag, NEW_SUBFILE_TYPE | IMAGE_WIDTH | IMAGE_LENGTH) {
                continue;
            }
            // SHORT, LONG and LONG8 are the types these tags may have.
            let value_bytes = match self.number(at + 2, 2)? {
                3 => 2,
                4 => 4,
                16 if self.big => 8,
                _ => return Err(invalid()),
            };
            let value = self.number(at + value_at, value_bytes)?;
            let value = u32::try_from(value).unwrap_or(u32::MAX);
            match tag {
                NEW_SUBFILE_TYPE => kind = value,
                IMAGE_WIDTH => width = value,
                IMAGE_LENGTH => height = value,
                _ => {}
            }
        }
        let end = entries_at.checked_add(count * entry_bytes).ok_or_else(invalid)?;
        let next = self.number(end, if self.big { 8 } else { 4 })?;
        let is_page = kind & NOT_A_PAGE == 0 && width > 0 && height > 0;
        Ok((is_page.then_some(TiffPage { offset, width, height }), next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn two_page_tiff() -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
        encoder.write_image::<tiff::encoder::colortype::Gray8>(20, 10, &[7; 200]).unwrap();
        encoder.write_image::<tiff::encoder::colortype::Gray8>(5, 30, &[7; 150]).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_format_tells_its_size_from_the_header() {
        for (format, media_type) in [
            (ImageFormat::Jpeg, MediaType::Jpeg),
            (ImageFormat::Png, MediaType::Png),
            (ImageFormat::WebP, MediaType::WebP),
            (ImageFormat::Tiff, MediaType::Tiff),
            (ImageFormat::Gif, MediaType::Gif),
            (ImageFormat::Bmp, MediaType::Bmp),
        ] {
            let header = probe_bytes(&encoded(format, 37, 51), media_type);
            assert_eq!(header, Header::single(37, 51), "{media_type}");
        }
    }

    #[test]
    fn a_tiff_counts_its_pages_and_a_loop_of_directories_ends() {
        let mut bytes = two_page_tiff();
        let header = probe_bytes(&bytes, MediaType::Tiff).unwrap();
        assert_eq!((header.pages, header.width, header.height, header.longest_side), (2, 20, 10, 30));

        // Point the second directory back at the first.
        let pages = tiff_pages(&mut Cursor::new(&bytes)).unwrap();
        let second = pages[1].offset as usize;
        let count = u16::from_le_bytes([bytes[second], bytes[second + 1]]) as usize;
        let link = second + 2 + 12 * count;
        bytes[link..link + 4].copy_from_slice(&(pages[0].offset as u32).to_le_bytes());
        assert_eq!(probe_bytes(&bytes, MediaType::Tiff).unwrap().pages, 2);
    }

    #[test]
    fn limits_are_checked_on_sides_pixels_and_pages() {
        let limits = Limits { max_pixels: 100, max_side: 40, max_pages: 1, ..Limits::default() };
        assert_eq!(Header::single(10, 10).unwrap().check(&limits), Ok(()));
        assert_eq!(Header::single(11, 10).unwrap().check(&limits), Err(Reason::PixelsExceeded));
        assert_eq!(Header::single(41, 1).unwrap().check(&limits), Err(Reason::PixelsExceeded));
        let pages = Header { pages: 2, ..Header::single(1, 1).unwrap() };
        assert_eq!(pages.check(&limits), Err(Reason::PagesExceeded));
    }

    #[test]
    fn no_prefix_or_flipped_byte_of_a_header_panics() {
        for media_type in MediaType::ALL {
            let format = match media_type {
                MediaType::Jpeg => ImageFormat::Jpeg,
                MediaType::Png => ImageFormat::Png,
                MediaType::WebP => ImageFormat::WebP,
                MediaType::Tiff => ImageFormat::Tiff,
                MediaType::Gif => ImageFormat::Gif,
                MediaType::Bmp => ImageFormat::Bmp,
                _ => continue,
            };
            let bytes = encoded(format, 9, 9);
            for at in 0..bytes.len() {
                probe_bytes(&bytes[..at], *media_type);
                let mut flipped = bytes.clone();
                flipped[at] = 0xFF;
                probe_bytes(&flipped, *media_type);
            }
        }
    }
}
