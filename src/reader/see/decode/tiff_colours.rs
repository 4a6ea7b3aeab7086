//! Colours of a TIFF the decoder does not know: palettes of scanners' programs, and YCbCr as cameras and copiers write JPEG
//! into a TIFF. The decoder is told that the samples are grey or RGB, and what they mean is worked out here.

use std::ops::Range;

use image::{Rgb, RgbImage};

/// Entries of one directory; TIFF 6.0 defines 75 tags.
const MAX_ENTRIES: usize = 500;
/// Colours of a palette of 8 bits.
const COLOURS: usize = 256;

const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const COLOUR_MAP: u16 = 320;
const SUBSAMPLING: u16 = 530;

const GREY: u16 = 1;
const RGB: u16 = 2;
const PALETTE: u16 = 3;
const YCBCR: u16 = 6;
const JPEG: u16 = 7;

/// What the samples of a page mean, when the decoder was told something else.
pub enum Colours {
    /// As the decoder says.
    Own,
    /// Each grey is the number of a colour.
    Palette(Vec<[u8; 3]>),
    /// Luma and two chromas of the full range (ITU-R BT.601, as in JPEG).
    YCbCr,
}

impl Colours {
    /// Turns what the decoder made of the samples into colours.
    pub fn paint(&self, picture: &mut RgbImage) {
        match self {
            Self::Own => {}
            Self::Palette(colours) => {
                for Rgb(pixel) in picture.pixels_mut() {
                    // Numbers beyond the palette do not occur: it has as many colours as a byte.
                    *pixel = colours.get(usize::from(pixel[0])).copied().unwrap_or([u8::MAX; 3]);
                }
            }
            Self::YCbCr => {
                for Rgb(pixel) in picture.pixels_mut() {
                    let [y, cb, cr] = pixel.map(f32::from);
                    let (cb, cr) = (cb - 128.0, cr - 128.0);
                    let colour = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
                    *pixel = colour.map(|value| value.round().clamp(0.0, 255.0) as u8);
                }
            }
        }
    }
}

/// A change of the document's bytes, to be taken back after decoding.
pub struct Disguise {
    place: Range<usize>,
    was: [u8; 2],
}

impl Disguise {
    /// The bytes as they were.
    pub fn take_off(self, bytes: &mut [u8]) {
        if let Some(place) = bytes.get_mut(self.place) {
            place.copy_from_slice(&self.was);
        }
    }
}

/// Makes the page whose directory is at `offset` look like one the decoder knows, where that is needed and possible.
pub fn disguise(bytes: &mut [u8], offset: u64) -> (Colours, Option<Disguise>) {
    let found = Directory::at(bytes, offset).and_then(|directory| {
        let (colours, kind) = match directory.short(PHOTOMETRIC)? {
            PALETTE if directory.short(BITS) == Some(8) => (Colours::Palette(directory.palette()?), GREY),
            // Without JPEG the chromas of several pixels are stored once, which the decoder cannot read.
            YCBCR if directory.short(COMPRESSION) == Some(JPEG) || directory.shorts(SUBSAMPLING, 2)? == [1, 1] => {
                (Colours::YCbCr, RGB)
            }
            _ => return None,
        };
        let (_, value) = directory.entry(PHOTOMETRIC)?;
        let new = if directory.is_little { kind.to_le_bytes() } else { kind.to_be_bytes() };
        Some((colours, value..value + 2, new))
    });
    let Some((colours, place, new)) = found else { return (Colours::Own, None) };
    let Some(at) = bytes.get_mut(place.clone()) else { return (Colours::Own, None) };
    let was = [at[0], at[1]];
    at.copy_from_slice(&new);
    (colours, Some(Disguise { place, was }))
}

/// One directory of a classic TIFF (TIFF 6.0, section 2).
struct Directory<'a> {
    bytes: &'a [u8],
    is_little: bool,
    entries: Range<usize>,
}

impl<'a> Directory<'a> {
    fn at(bytes: &'a [u8], offset: u64) -> Option<Self> {
        let is_little = match bytes.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let start = usize::try_from(offset).ok()?;
        let mut directory = Self { bytes, is_little, entries: 0..0 };
        let count = usize::from(directory.u16_at(start)?).min(MAX_ENTRIES);
        directory.entries = start + 2..start + 2 + 12 * count;
        Some(directory)
    }

    fn u16_at(&self, at: usize) -> Option<u16> {
        let two = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.is_little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let four = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.is_little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    /// How many SHORTs an entry has, and where the first stands.
    fn entry(&self, tag: u16) -> Option<(usize, usize)> {
        const SHORT: u16 = 3;
        let at = self.entries.clone().step_by(12).find(|at| self.u16_at(*at) == Some(tag))?;
        if self.u16_at(at + 2)? != SHORT {
            return None;
        }
        let count = usize::try_from(self.u32_at(at + 4)?).ok()?;
        // Up to four bytes stand in the entry itself.
        let first = if count <= 2 { at + 8 } else { usize::try_from(self.u32_at(at + 8)?).ok()? };
        Some((count, first))
    }

    fn short(&self, tag: u16) -> Option<u16> {
        self.u16_at(self.entry(tag)?.1)
    }

    fn shorts(&self, tag: u16, wanted: usize) -> Option<Vec<u16>> {
        let (count, first) = self.entry(tag)?;
        if count != wanted {
            return None;
        }
        (0..wanted).map(|at| self.u16_at(first.checked_add(2 * at)?)).collect()
    }

    /// All reds, all greens, all blues, of 16 bits each.
    fn palette(&self) -> Option<Vec<[u8; 3]>> {
        let all = self.shorts(COLOUR_MAP, 3 * COLOURS)?;
        let high = |at: usize| (all[at] >> 8) as u8;
        Some((0..COLOURS).map(|at| [high(at), high(COLOURS + at), high(2 * COLOURS + at)]).collect())
    }
}
