//! What kind of bytes a document is, told from its content and never from its name.

use super::field::text_enum;

text_enum! {
    /// A type of document bytes that Vouch can read.
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
        /// HEIF picture with HEVC coding, as iPhones take them.
        Heic = "image/heic",
        /// PDF.
        Pdf = "application/pdf",
        /// OFD (GB/T 33190): a ZIP of XML pages.
        Ofd = "application/ofd",
        /// A ZIP of documents.
        Zip = "application/zip",
        /// XML; only known e-invoice roots are read.
        Xml = "application/xml",
        /// HTML receipt.
        Html = "text/html",
        /// An Internet message (RFC 5322).
        Mail = "message/rfc822",
        /// Plain text.
        Text = "text/plain",
    }
}

/// Bytes [`MediaType::sniff`] wants to see; fewer are fine when the document is shorter. HTML and mails may begin with
/// comments and long trace headers.
pub const SNIFF_BYTES: usize = 4096;

/// HEIF brands whose pictures are coded with HEVC (ISO/IEC 23008-12, annex B), and the generic ones real files use.
const HEIC_BRANDS: [&[u8]; 6] = [b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1"];

/// Header names a message begins with in practice (RFC 5322, section 3.6 and trace fields).
const MAIL_HEADERS: [&str; 16] = [
    "received:",
    "return-path:",
    "delivered-to:",
    "from:",
    "to:",
    "subject:",
    "date:",
    "message-id:",
    "mime-version:",
    "dkim-signature:",
    "content-type:",
    "x-original-to:",
    "reply-to:",
    "sender:",
    "authentication-results:",
    "arc-seal:",
];

impl MediaType {
    /// Tells the type from the first [`SNIFF_BYTES`] bytes. `None` when it is none that Vouch reads.
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0xFF, 0xD8, 0xFF, ..] => return Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => return Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => return Some(Self::WebP),
            // Classic and BigTIFF, little and big endian.
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => return Some(Self::Tiff),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => return Some(Self::Gif),
            [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => return Some(Self::Bmp),
            [b'P', b'K', 3, 4, ..] => return Some(Self::sniff_zip(head)),
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] if Self::is_heic_brand(brand) => return Some(Self::Heic),
            _ => {}
        }
        // ISO 32000: readers accept the header within the first 1024 bytes.
        if head.iter().take(1024).count() >= 5 && head[..head.len().min(1024)].windows(5).any(|w| w == b"%PDF-") {
            return Some(Self::Pdf);
        }
        Self::sniff_text(head)
    }

    fn is_heic_brand(after_ftyp: &[u8]) -> bool {
        after_ftyp.get(..4).is_some_and(|brand| HEIC_BRANDS.contains(&brand))
    }

    /// An OFD names its entry document in one of the first local headers; what hides it is still read as a ZIP, where
    /// `OFD.xml` is looked for in the directory.
    fn sniff_zip(head: &[u8]) -> Self {
        let has = |needle: &[u8]| head.windows(needle.len()).any(|w| w == needle);
        if has(b"OFD.xml") || has(b"Doc_0/") { Self::Ofd } else { Self::Zip }
    }

    fn sniff_text(head: &[u8]) -> Option<Self> {
        let head = match head {
            [0xEF, 0xBB, 0xBF, rest @ ..] => rest,
            // UTF-16 XML is announced by its byte order mark.
            [0xFE, 0xFF, 0, b'<', ..] | [0xFF, 0xFE, b'<', 0, ..] => return Some(Self::Xml),
            other => other,
        };
        // Text has no NUL; everything else about its encoding is the reader's business.
        if head.is_empty() || head.contains(&0) {
            return None;
        }
        let start: String = String::from_utf8_lossy(head).trim_start().to_ascii_lowercase();
        // An SVG is a program for a browser, not a receipt; and an unknown XML root is the reader's typed refusal.
        if start.starts_with("<svg") {
            return None;
        }
        if start.starts_with("<!doctype html") || start.starts_with("<html") || Self::has_html_start(&start) {
            return Some(Self::Html);
        }
        if start.starts_with("<?xml") {
            return Some(if start.contains("<html") { Self::Html } else { Self::Xml });
        }
        if MAIL_HEADERS.iter().any(|name| start.starts_with(name)) || start.starts_with("from ") {
            return Some(Self::Mail);
        }
        if start.starts_with("x-")
            && start.lines().take(40).any(|l| MAIL_HEADERS.iter().any(|name| l.starts_with(name)))
        {
            return Some(Self::Mail);
        }
        if start.starts_with('<') {
            return Some(Self::Xml);
        }
        // Control characters other than tab, line feed, form feed, carriage return and escape (ISO-2022-JP): not text.
        let is_text = !head.iter().any(|b| *b < 0x20 && !matches!(b, b'\t' | b'\n' | 0x0C | b'\r' | 0x1B));
        is_text.then_some(Self::Text)
    }

    /// Whether a text without a frame begins as HTML does and goes on as HTML does: no element of an invoice's data has
    /// these names.
    fn has_html_start(start: &str) -> bool {
        const FIRST: [&str; 14] = [
            "<head", "<body", "<table", "<div", "<meta", "<style", "<p>", "<p ", "<span", "<font", "<h1", "<center",
            "<title", "<!--",
        ];
        const LATER: [&str; 6] = ["<html", "<body", "<table", "<div", "</p>", "<br"];
        FIRST.iter().any(|tag| start.starts_with(tag)) && LATER.iter().any(|tag| start.contains(tag))
    }

    /// Whether it is a picture the role `see` decodes.
    pub const fn is_picture(self) -> bool {
        match self {
            Self::Jpeg | Self::Png | Self::WebP | Self::Tiff | Self::Gif | Self::Bmp | Self::Heic => true,
            Self::Pdf | Self::Ofd | Self::Zip | Self::Xml | Self::Html | Self::Mail | Self::Text => false,
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
            Self::Heic => "heic",
            Self::Pdf => "pdf",
            Self::Ofd => "ofd",
            Self::Zip => "zip",
            Self::Xml => "xml",
            Self::Html => "html",
            Self::Mail => "eml",
            Self::Text => "txt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_told_by_content() {
        for (head, expected) in [
            (&[0xFF, 0xD8, 0xFF, 0xE0][..], Some(MediaType::Jpeg)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(MediaType::WebP)),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Some(MediaType::Heic)),
            (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", None),
            (b"\xEF\xBB\xBF%PDF-1.4\n", Some(MediaType::Pdf)),
            (b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0OFD.xml", Some(MediaType::Ofd)),
            (b"PK\x03\x04 receipt.jpg", Some(MediaType::Zip)),
            (b"<?xml version=\"1.0\"?><EInvoice>", Some(MediaType::Xml)),
            (b"<rsm:CrossIndustryInvoice xmlns:rsm=\"x\">", Some(MediaType::Xml)),
            (b"\r\n <!DOCTYPE html><html>", Some(MediaType::Html)),
            (b"<p>Harbour Cafe</p><p>Total 12.80</p>", Some(MediaType::Html)),
            (b"<p:Invoice xmlns:p=\"x\">", Some(MediaType::Xml)),
            (b"Received: from mx.example by in.example;\r\n", Some(MediaType::Mail)),
            (b"X-Mailer: Foxmail\r\nFrom: a@example.com\r\n", Some(MediaType::Mail)),
            ("出租车发票 12.00".as_bytes(), Some(MediaType::Text)),
            (b"<svg onload=alert(1)>", None),
            (b"\x7fELF\x02\x01\x01\0", None),
            (b"MZ\x90\x01\x02", None),
            (b"", None),
        ] {
            assert_eq!(MediaType::sniff(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }
}
