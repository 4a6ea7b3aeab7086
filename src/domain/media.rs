//! What kind of bytes a document is, told from its content and never from its name.

use super::field::text_enum;

text_enum! {
    /// A type of document bytes that Vouch can read today.
    MediaType {
        /// JPEG picture.
        Jpeg = "image/jpeg",
        /// PNG picture.
        Png = "image/png",
        /// WebP picture.
        WebP = "image/webp",
        /// TIFF, one or several pages.
        Tiff = "image/tiff",
        /// GIF; the first frame counts.
        Gif = "image/gif",
        /// Windows bitmap.
        Bmp = "image/bmp",
    }
}

/// Bytes [`MediaType::sniff`] wants to see; fewer are fine when the document is shorter.
pub const SNIFF_BYTES: usize = 64;

impl MediaType {
    /// Tells the type from the first bytes. `None` when it is none that Vouch reads.
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            // Classic and BigTIFF, little and big endian.
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some(Self::Bmp),
            _ => None,
        }
    }

    /// The usual file ending, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Tiff => "tif",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_told_by_content() {
        assert_eq!(MediaType::sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Some(MediaType::Jpeg));
        assert_eq!(MediaType::sniff(b"<svg onload=alert(1)>"), None);
        assert_eq!(MediaType::sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(MediaType::WebP));
        assert_eq!(MediaType::sniff(b""), None);
    }
}
