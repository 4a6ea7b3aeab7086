//! The directory of a page of a classic TIFF (TIFF 6.0, section 2), as far as the decoder leaves it to us.

use std::ops::Range;

/// Entries of one directory; TIFF 6.0 defines 75 tags.
const MAX_ENTRIES: usize = 500;

pub const WIDTH: u16 = 256;
pub const HEIGHT: u16 = 257;
pub const BITS: u16 = 258;
pub const COMPRESSION: u16 = 259;
pub const PHOTOMETRIC: u16 = 262;
pub const FILL_ORDER: u16 = 266;
pub const STRIP_OFFSETS: u16 = 273;
pub const ORIENTATION: u16 = 274;
pub const SAMPLES: u16 = 277;
pub const ROWS_PER_STRIP: u16 = 278;
pub const STRIP_SIZES: u16 = 279;
pub const GROUP_3_OPTIONS: u16 = 292;
pub const COLOUR_MAP: u16 = 320;
pub const SUBSAMPLING: u16 = 530;

/// Types of values.
pub const SHORT: u16 = 3;
pub const LONG: u16 = 4;

/// One directory.
pub struct Directory<'a> {
    bytes: &'a [u8],
    /// Whether the least significant byte comes first.
    pub is_little: bool,
    entries: Range<usize>,
}

impl<'a> Directory<'a> {
    /// The directory at an offset; `None` in what is no classic TIFF.
    pub fn at(bytes: &'a [u8], offset: u64) -> Option<Self> {
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

    /// How many values of which type an entry has, and where the first stands.
    fn any(&self, tag: u16) -> Option<(u16, usize, usize)> {
        let at = self.entries.clone().step_by(12).find(|at| self.u16_at(*at) == Some(tag))?;
        let kind = self.u16_at(at + 2)?;
        let size = match kind {
            SHORT => 2,
            LONG => 4,
            _ => return None,
        };
        let count = usize::try_from(self.u32_at(at + 4)?).ok()?;
        // Up to four bytes stand in the entry itself.
        let is_inside = count.checked_mul(size)? <= 4;
        let first = if is_inside { at + 8 } else { usize::try_from(self.u32_at(at + 8)?).ok()? };
        Some((kind, count, first))
    }

    /// How many SHORTs an entry has, and where the first stands.
    pub fn entry(&self, tag: u16) -> Option<(usize, usize)> {
        self.any(tag).filter(|(kind, ..)| *kind == SHORT).map(|(_, count, first)| (count, first))
    }

    /// The first value of an entry of SHORTs.
    pub fn short(&self, tag: u16) -> Option<u16> {
        self.u16_at(self.entry(tag)?.1)
    }

    /// All values of an entry of as many SHORTs as are wanted.
    pub fn shorts(&self, tag: u16, wanted: usize) -> Option<Vec<u16>> {
        let (count, first) = self.entry(tag)?;
        if count != wanted {
            return None;
        }
        (0..wanted).map(|at| self.u16_at(first.checked_add(2 * at)?)).collect()
    }

    /// One value of an entry of SHORTs or LONGs.
    pub fn number(&self, tag: u16, index: usize) -> Option<u32> {
        let (kind, count, first) = self.any(tag)?;
        if index >= count {
            return None;
        }
        if kind == SHORT {
            self.u16_at(first.checked_add(index.checked_mul(2)?)?).map(u32::from)
        } else {
            self.u32_at(first.checked_add(index.checked_mul(4)?)?)
        }
    }
}
