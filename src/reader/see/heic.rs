//! HEIC, as iPhones take pictures. The container's own turns and mirrors are applied once; EXIF, which repeats them, is
//! not looked at (ISO/IEC 23008-12, 6.5.10: transformative properties decide).

use std::io::Cursor;

use heic_decoder::HeifError;
use image::{DynamicImage, RgbImage, RgbaImage};

use super::decode::on_white;
use crate::{
    domain::capture::{Limits, Reason},
    imaging::heif,
    reader::output::{Stopped, failed},
};

/// Refuses what is no photo before any of it is decoded.
pub(super) fn check(bytes: &[u8]) -> Result<(), Stopped> {
    let refusal = heif::scan(&mut Cursor::new(bytes)).and_then(|heif| heif.kind.refusal());
    refusal.map_or(Ok(()), |detail| Err(failed(Reason::UnsupportedType, detail)))
}

/// Decodes the primary picture, upright.
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage, Stopped> {
    let info = heic_decoder::probe(bytes).map_err(|error| refused(&error))?;
    let (width, height) = (info.coded_width as u64, info.coded_height as u64);
    if width * height > limits.max_pixels || width.max(height) > u64::from(limits.max_side) {
        return Err(failed(Reason::PixelsExceeded, format!("the picture has {width} x {height} px")));
    }
    let decoded = heic_decoder::decode(bytes).map_err(|error| refused(&error))?;
    let broken = || failed(Reason::Undecodable, "the picture has no pixels");
    if decoded.alpha.is_some() {
        let rgba = decoded.to_rgba8().map_err(|error| refused(&error))?;
        let (width, height) = (rgba.width as u32, rgba.height as u32);
        let picture = RgbaImage::from_raw(width, height, rgba.data).ok_or_else(broken)?;
        return Ok(on_white(DynamicImage::ImageRgba8(picture)));
    }
    let rgb = decoded.to_rgb8().map_err(|error| refused(&error))?;
    let (width, height) = (rgb.width as u32, rgb.height as u32);
    // Zero pixels would pass for a picture.
    RgbImage::from_raw(width, height, rgb.data)
        .filter(|picture| picture.width() > 0 && picture.height() > 0)
        .ok_or_else(broken)
}

fn refused(error: &HeifError) -> Stopped {
    let reason = match error {
        HeifError::Unsupported(_) => Reason::UnsupportedType,
        HeifError::LimitExceeded(_) => Reason::PixelsExceeded,
        HeifError::Truncated { .. }
        | HeifError::NotHeif(_)
        | HeifError::MalformedBox(_)
        | HeifError::MalformedHevc(_)
        | HeifError::CabacDesync(_) => Reason::Undecodable,
    };
    failed(reason, error.to_string())
}
