//! Greys of a TIFF that become a picture here, the decoder knowing 1, 8 and 16 bits only: 2 and 4 bits, and floating point.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageError, metadata::Orientation};
use tiff::{
    ColorType, TiffError,
    decoder::{Decoder, DecodingResult},
    tags::Tag,
};

use super::{allowed, undecodable};
use crate::{domain::capture::Limits, reader::output::Stopped};

/// The first page, when its greys are such; `None` when they are not.
pub fn decode(bytes: &[u8], limits: &Limits) -> Option<Result<DynamicImage, Stopped>> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    let (width, height) = decoder.dimensions().ok()?;
    let ColorType::Gray(bits @ (2 | 4 | 16 | 32 | 64)) = decoder.colortype().ok()? else { return None };
    let is_float = decoder.find_tag_unsigned::<u16>(Tag::SampleFormat).ok()? == Some(FLOAT);
    if !is_float && bits > 4 {
        return None;
    }
    if let Err(stopped) = allowed((width, height), limits) {
        return Some(Err(stopped));
    }
    let orientation = decoder.find_tag_unsigned::<u8>(Tag::Orientation).ok()?.and_then(Orientation::from_exif);
    let mut sizes = tiff::decoder::Limits::default();
    let most = usize::try_from(limits.max_pixels.saturating_mul(super::MAX_BYTES_PER_PIXEL)).unwrap_or(usize::MAX);
    (sizes.decoding_buffer_size, sizes.intermediate_buffer_size) = (most, most);
    let greys = match decoder.with_limits(sizes).read_image() {
        Ok(DecodingResult::U8(packed)) => unpacked(&packed, bits, width as usize),
        Ok(DecodingResult::F16(values)) => stretched(values.iter().map(|value| value.to_f32())),
        Ok(DecodingResult::F32(values)) => stretched(values.iter().copied()),
        Ok(DecodingResult::F64(values)) => stretched(values.iter().map(|value| *value as f32)),
        Ok(_) => return None,
        Err(error) => return Some(Err(refused(error))),
    };
    let mut picture = DynamicImage::ImageLuma8(GrayImage::from_raw(width, height, greys)?);
    picture.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    Some(Ok(picture))
}

/// TIFF 6.0, section 19: samples in IEEE floating point.
const FLOAT: u16 = 3;

/// Samples of a few bits, most significant first, each row beginning a byte; spread over 0 to 255.
fn unpacked(packed: &[u8], bits: u8, width: usize) -> Vec<u8> {
    let (bits, per_byte) = (usize::from(bits), 8 / usize::from(bits));
    let highest = (1_u8 << bits) - 1;
    let sample = |row: &[u8], x: usize| row[x / per_byte] >> (8 - bits * (x % per_byte + 1)) & highest;
    let rows = packed.chunks_exact(width.div_ceil(per_byte));
    rows.flat_map(|row| (0..width).map(move |x| sample(row, x) * (u8::MAX / highest))).collect()
}

/// Black is 0 and white 1; what goes beyond is measured from the lowest value to the highest. What is no number is white.
fn stretched(values: impl Iterator<Item = f32> + Clone) -> Vec<u8> {
    let finite = values.clone().filter(|value| value.is_finite());
    let (low, high) = finite.fold((0.0_f32, 1.0_f32), |(low, high), value| (low.min(value), high.max(value)));
    let grey = |value: f32| {
        if value.is_finite() { (((value - low) / (high - low)).clamp(0.0, 1.0) * 255.0).round() as u8 } else { u8::MAX }
    };
    values.map(grey).collect()
}

fn refused(error: TiffError) -> Stopped {
    use image::error::{
        DecodingError, ImageFormatHint, LimitError, LimitErrorKind, UnsupportedError, UnsupportedErrorKind,
    };
    let format = ImageFormatHint::Exact(image::ImageFormat::Tiff);
    undecodable(match error {
        TiffError::UnsupportedError(what) => ImageError::Unsupported(UnsupportedError::from_format_and_kind(
            format,
            UnsupportedErrorKind::GenericFeature(what.to_string()),
        )),
        TiffError::LimitsExceeded => ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory)),
        TiffError::FormatError(_) | TiffError::IoError(_) | TiffError::IntSizeError | TiffError::UsageError(_) => {
            ImageError::Decoding(DecodingError::new(format, error))
        }
    })
}
