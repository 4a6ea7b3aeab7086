//! Colours of a TIFF the decoder does not know: palettes of scanners' programs, and YCbCr as cameras and copiers write JPEG
//! into a TIFF. The decoder is told that the samples are grey or RGB, and what they mean is worked out here.

use std::ops::Range;

use image::{Rgb, RgbImage};

use super::tiff_directory::{BITS, COLOUR_MAP, COMPRESSION, Directory, PHOTOMETRIC, SUBSAMPLING};

const GREY: u16 = 1;
const RGB: u16 = 2;
const PALETTE: u16 = 3;
const YCBCR: u16 = 6;
const JPEG: u16 = 7;

/// What the samples of a page mean, when the decoder was told something else.
pub enum Colours {
    /// As the decoder says.
    Own,
    /// Each grey is the number of a colour, spread over 0 to 255: sixteen colours lie 17 greys apart.
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
                let apart = usize::from(u8::MAX) / colours.len().saturating_sub(1).max(1);
                for Rgb(pixel) in picture.pixels_mut() {
                    // Numbers beyond the palette do not occur: it has as many colours as its bits can number.
                    *pixel = colours.get(usize::from(pixel[0]) / apart).copied().unwrap_or([u8::MAX; 3]);
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
            PALETTE => (Colours::Palette(palette(&directory)?), GREY),
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

/// All reds, all greens, all blues, of 16 bits each.
fn palette(directory: &Directory) -> Option<Vec<[u8; 3]>> {
    let bits = directory.number(BITS, 0).filter(|bits| matches!(bits, 1 | 2 | 4 | 8))?;
    let colours = 1_usize << bits;
    let all = directory.shorts(COLOUR_MAP, 3 * colours)?;
    let high = |at: usize| (all[at] >> 8) as u8;
    Some((0..colours).map(|at| [high(at), high(colours + at), high(2 * colours + at)]).collect())
}
