//! The marker structure of JPEG files (ITU-T T.81, annex B): size without decoding, and whether the end is there.

/// Segments looked at before the first scan; real files have below 100 (long ICC profiles and EXIF previews).
pub(super) const MAX_SEGMENTS: usize = 4_096;

/// Markers that stand alone, without a length: TEM, RST0–7.
pub(super) const fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xD0..=0xD7)
}

/// Start-of-frame markers; C4 (tables), C8 (reserved) and CC (arithmetic tables) are not frames.
pub(super) const fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// Whether the picture's own end marker follows its scans. A file cut off anywhere has none, although a
/// thumbnail inside its EXIF segment may have one.
pub fn is_complete(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xFF, 0xD8]) else {
        return false;
    };
    // Each round consumes at least one byte, so the length bounds the loop.
    while let Some(at) = rest.windows(2).position(|pair| pair[0] == 0xFF && is_marker(pair[1])) {
        let marker = rest[at + 1];
        rest = &rest[at + 2..];
        if marker == 0xD9 {
            return true;
        }
        if stands_alone(marker) || marker == 0xD8 {
            continue;
        }
        let Some((&[high, low], _)) = rest.split_first_chunk::<2>() else {
            return false;
        };
        let length = usize::from(u16::from_be_bytes([high, low])).max(2);
        let Some(after) = rest.get(length..) else {
            return false;
        };
        rest = after;
    }
    false
}

/// In entropy-coded data FF 00 is a stuffed byte and FF FF is fill.
const fn is_marker(byte: u8) -> bool {
    byte != 0 && byte != 0xFF
}

/// Whether any application segment beyond JFIF, or a comment, precedes the first scan: metadata.
pub fn has_metadata(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xFF, 0xD8]) else {
        return false;
    };
    for _ in 0..MAX_SEGMENTS {
        match rest {
            [0xFF, 0xE1..=0xEF | 0xFE, ..] => return true,
            [0xFF, 0xDA, ..] => return false,
            [0xFF, _, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low])) + 2;
                let Some(after) = rest.get(length..) else {
                    return false;
                };
                rest = after;
            }
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder as _, codecs::jpeg::JpegEncoder};

    fn jpeg() -> Vec<u8> {
        let mut bytes = Vec::new();
        let pixels: Vec<u8> = (0..64 * 64 * 3).map(|i| (i * 7 % 251) as u8).collect();
        JpegEncoder::new(&mut bytes).write_image(&pixels, 64, 64, ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    #[test]
    fn a_whole_file_is_complete_and_every_shorter_one_is_not() {
        let bytes = jpeg();
        assert!(is_complete(&bytes));
        for cut in 0..bytes.len() - 1 {
            assert!(!is_complete(&bytes[..cut]), "cut at {cut}");
        }
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_picture() {
        let (picture, thumbnail) = (jpeg(), jpeg());
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
        bytes.extend((thumbnail.len() as u16 + 2).to_be_bytes());
        bytes.extend(&thumbnail);
        bytes.extend(&picture[2..picture.len() - 2]);
        assert!(!is_complete(&bytes));
        assert!(has_metadata(&bytes) && !has_metadata(&picture));
    }
}
