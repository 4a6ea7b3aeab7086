//! Pages of a TIFF that fax machines and multifunction printers coded (ITU-T T.4 and T.6; TIFF 6.0, sections 10 and 11):
//! made into a TIFF without compression, which the decoder reads.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode, decode};

use super::tiff_directory::{
    BITS, COMPRESSION, Directory, FILL_ORDER, GROUP_3_OPTIONS, HEIGHT, LONG, ORIENTATION, PHOTOMETRIC, ROWS_PER_STRIP,
    SAMPLES, SHORT, STRIP_OFFSETS, STRIP_SIZES, WIDTH,
};
use crate::{
    domain::capture::{Limits, Reason},
    reader::output::{Stopped, failed},
};

/// Modified Huffman: rows of group 3 that begin a byte each, without ends of lines.
const HUFFMAN: u32 = 2;
const GROUP_3: u32 = 3;
const GROUP_4: u32 = 4;
/// Bit of the options of group 3: rows refer to the row above.
const TWO_DIMENSIONAL: u32 = 1;
/// The least significant bit of a byte is the first.
const LEAST_FIRST: u32 = 2;

/// A fax without its coding.
pub struct Unpacked {
    /// A TIFF of the one page.
    pub tiff: Vec<u8>,
    /// Whether every row was there.
    pub is_whole: bool,
}

/// The page whose directory is at `offset` without its coding; `None` when it is no fax.
pub fn unpack(bytes: &[u8], offset: u64, limits: &Limits) -> Option<Result<Unpacked, Stopped>> {
    let page = Directory::at(bytes, offset)?;
    let compression = page.number(COMPRESSION, 0)?;
    let is_two_dimensional = || page.number(GROUP_3_OPTIONS, 0).unwrap_or(0) & TWO_DIMENSIONAL != 0;
    let encoding = match compression {
        HUFFMAN => EncodingMode::Group3_1D,
        GROUP_3 if is_two_dimensional() => EncodingMode::Group3_2D,
        GROUP_3 => EncodingMode::Group3_1D,
        GROUP_4 => EncodingMode::Group4,
        _ => return None,
    };
    let (columns, height) = (page.number(WIDTH, 0)?, page.number(HEIGHT, 0)?);
    let is_allowed = columns.max(height) <= limits.max_side
        && u64::from(columns) * u64::from(height) <= limits.max_pixels
        && columns.min(height) > 0;
    if !is_allowed || page.number(BITS, 0).unwrap_or(1) != 1 || page.number(SAMPLES, 0).unwrap_or(1) != 1 {
        return None;
    }
    let strip_rows = page.number(ROWS_PER_STRIP, 0).unwrap_or(height).clamp(1, height);
    let mut rows = Rows { row_bytes: columns.div_ceil(8) as usize, columns, bits: Vec::new() };
    let mut is_whole = true;
    for strip in 0..height.div_ceil(strip_rows) {
        let expected = strip_rows.min(height - strip * strip_rows);
        let before = rows.bits.len();
        let settings = DecodeSettings {
            columns,
            rows: expected,
            end_of_block: true,
            end_of_line: false,
            rows_are_byte_aligned: compression == HUFFMAN,
            encoding,
            strict: false,
        };
        if let Some(coded) = strip_of(bytes, &page, strip as usize) {
            let most_first: Vec<u8>;
            let coded = if page.number(FILL_ORDER, 0) == Some(LEAST_FIRST) {
                most_first = coded.iter().map(|byte| byte.reverse_bits()).collect();
                &most_first
            } else {
                coded
            };
            // What a broken strip gave before it broke stays.
            let _ = decode(coded, &mut rows, &mut DecoderContext::new(settings));
        }
        let end = before + expected as usize * rows.row_bytes;
        is_whole &= rows.bits.len() >= end;
        // Missing rows are white.
        rows.bits.resize(end, 0);
    }
    if !is_whole && rows.bits.iter().all(|byte| *byte == 0) {
        return Some(Err(failed(Reason::Undecodable, "no row of the fax is readable")));
    }
    Some(Ok(Unpacked { tiff: uncompressed(&page, (columns, height), &rows.bits), is_whole }))
}

fn strip_of<'a>(bytes: &'a [u8], page: &Directory, strip: usize) -> Option<&'a [u8]> {
    let start = usize::try_from(page.number(STRIP_OFFSETS, strip)?).ok()?;
    let size = usize::try_from(page.number(STRIP_SIZES, strip)?).ok()?;
    // A size beyond the end is that of a file cut off.
    bytes.get(start..start.saturating_add(size).min(bytes.len()))
}

/// Rows of bits, most significant first, a black pixel being 1.
struct Rows {
    row_bytes: usize,
    columns: u32,
    bits: Vec<u8>,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let start = self.bits.len();
        self.bits.resize(start + self.row_bytes, 0);
        let row = &mut self.bits[start..];
        for run in changes.chunks(2) {
            let end = run.get(1).copied().unwrap_or(self.columns).min(self.columns);
            for x in run[0]..end {
                row[x as usize / 8] |= 0x80 >> (x % 8);
            }
        }
    }
}

/// A little-endian TIFF of one uncompressed strip.
fn uncompressed(page: &Directory, (width, height): (u32, u32), bits: &[u8]) -> Vec<u8> {
    // Without a word on it, faxes are black on white.
    let photometric = page.number(PHOTOMETRIC, 0).unwrap_or(0);
    let orientation = page.number(ORIENTATION, 0).unwrap_or(1);
    let mut entries = vec![
        (WIDTH, LONG, width),
        (HEIGHT, LONG, height),
        (BITS, SHORT, 1),
        (COMPRESSION, SHORT, 1),
        (PHOTOMETRIC, SHORT, photometric),
        (STRIP_OFFSETS, LONG, 0),
        (ORIENTATION, SHORT, orientation),
        (SAMPLES, SHORT, 1),
        (ROWS_PER_STRIP, LONG, height),
        (STRIP_SIZES, LONG, bits.len() as u32),
    ];
    let first = 8 + 2 + 12 * entries.len() as u32 + 4;
    for (tag, _, value) in &mut entries {
        if *tag == STRIP_OFFSETS {
            *value = first;
        }
    }
    let mut out = Vec::with_capacity(first as usize + bits.len());
    out.extend(b"II*\0\x08\0\0\0");
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend([0; 4]);
    out.extend(bits);
    out
}
