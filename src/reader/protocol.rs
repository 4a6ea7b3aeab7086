//! The framed protocol between the service and a reader child, over the child's stdin and stdout.
//!
//! A frame is `kind: u8 · header length: u32 LE · body length: u32 LE · header (CBOR) · body (raw bytes)`.
//! The child greets with [`Hello`] once its sandbox is closed, is sent one [`Request`], answers with any number of
//! content frames and ends with [`End`] or [`Failed`]. Both ends are the same binary, so a version mismatch
//! means an upgrade happened under a running service; it is refused, never bridged.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::domain::{
    capture::{Limits, Reason, Relation},
    field::text_enum,
    media::MediaType,
    page::Quad,
};

use super::sandbox::Posture;

/// Changes with every incompatible change of a frame.
pub const VERSION: u32 = 2;

/// Bytes of one header. A page of [`MAX_WORDS_PER_PAGE`] words with character scores stays below half of it.
pub const MAX_HEADER_BYTES: u32 = 16 * 1024 * 1024;
/// Bytes of one body from the child: an attachment is at most a document, and documents are at most 32 MiB by default.
pub const MAX_BODY_BYTES: u32 = 64 * 1024 * 1024;
/// Bytes a child may write in its life. 50 previews of 2 MiB and their words fit; a flood does not.
pub const MAX_OUTPUT_BYTES: u64 = 256 * 1024 * 1024;
/// Frames a child may write in its life.
pub const MAX_FRAMES: u32 = 10_000;
/// Bytes of the document in a request; the door's own limit is far lower.
pub const MAX_DOCUMENT_BYTES: u32 = 256 * 1024 * 1024;
/// Lines of one page; the densest invoice in the corpus has about 150.
pub const MAX_LINES_PER_PAGE: usize = 5_000;
/// Words of one page.
pub const MAX_WORDS_PER_PAGE: usize = 20_000;
/// Characters of one word.
pub const MAX_WORD_CHARS: usize = 512;
/// Characters of a code's or structured value's text: a QR code holds at most 4,296.
pub const MAX_VALUE_CHARS: usize = 8_192;
/// Characters of names, warning codes and details.
pub const MAX_NAME_CHARS: usize = 300;
/// Receipts found on one document; the most seen on one photo is eight.
pub const MAX_RECEIPTS: usize = 200;
/// Attachments of one document.
pub const MAX_PARTS: usize = 500;
/// Codes of one document.
pub const MAX_CODES: usize = 500;
/// Structured values of one document.
pub const MAX_VALUES: usize = 5_000;
/// Warnings of one document.
pub const MAX_WARNINGS: usize = 200;
/// Bytes of one preview picture.
pub const MAX_PREVIEW_BYTES: usize = 4 * 1024 * 1024;
/// Longest side of one preview picture in pixels; long slips are allowed more height than 1600 to stay legible.
pub const MAX_PREVIEW_SIDE: u32 = 6_000;
/// Most bytes of a thumbnail.
pub const MAX_THUMBNAIL_BYTES: usize = 64 * 1024;
/// Width and height of a thumbnail at most: what lists show, at three device pixels for one.
pub const MAX_THUMBNAIL: (u32, u32) = (168, 216);

text_enum! {
    /// What a child is for. The roles differ in what they load before the sandbox closes.
    Role {
        /// Takes containers and structured documents apart; cheap, loads no models.
        Parse = "parse",
        /// Decodes pictures and recognises their text.
        See = "see",
    }
}

impl Role {
    /// The role that reads documents of this type.
    pub const fn for_media(media_type: MediaType) -> Self {
        match media_type {
            MediaType::Jpeg
            | MediaType::Png
            | MediaType::WebP
            | MediaType::Tiff
            | MediaType::Gif
            | MediaType::Bmp
            | MediaType::Heic => Self::See,
            MediaType::Pdf
            | MediaType::Ofd
            | MediaType::Zip
            | MediaType::Xml
            | MediaType::Html
            | MediaType::Mail
            | MediaType::Text => Self::Parse,
        }
    }
}

/// Kinds of frames, as the first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Parent → child: the one request, body = document bytes.
    Request = 1,
    /// Child → parent: ready and closed.
    Hello = 16,
    /// Child → parent: could not get ready. Nothing follows.
    CannotStart = 17,
    /// A [`Page`](crate::domain::page::Page).
    Page = 18,
    /// A [`PreviewHeader`], body = JPEG.
    Preview = 19,
    /// A [`ThumbnailHeader`], body = JPEG; after the preview of the same page.
    Thumbnail = 28,
    /// A [`ReceiptRegion`].
    Receipt = 20,
    /// A [`PartHeader`], body = the attachment's bytes.
    Part = 21,
    /// A [`Code`](crate::domain::page::Code).
    Code = 22,
    /// A [`StructuredValue`](crate::domain::structured::StructuredValue).
    Value = 23,
    /// A [`Warning`].
    Warning = 24,
    /// The document belongs to the other role: [`Handover`]. Nothing follows.
    Handover = 25,
    /// A typed failure: [`Failed`]. Nothing follows.
    Failed = 26,
    /// All content was sent: [`End`]. Nothing follows.
    End = 27,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [
            Self::Request,
            Self::Hello,
            Self::CannotStart,
            Self::Page,
            Self::Preview,
            Self::Thumbnail,
            Self::Receipt,
            Self::Part,
            Self::Code,
            Self::Value,
            Self::Warning,
            Self::Handover,
            Self::Failed,
            Self::End,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// What the child is asked to do; the document's bytes are the frame's body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Protocol version of the parent.
    pub version: u32,
    /// Told by the door from the content.
    pub media_type: MediaType,
    /// Limits the child enforces before decoding.
    pub limits: Limits,
    /// Languages wished for, e.g. `eng`; empty means those the engine was loaded with. A wish the loaded engine
    /// cannot fulfil becomes the warning `languages_unavailable`.
    pub languages: Vec<String>,
    /// Password for encrypted documents.
    pub password: Option<Password>,
    /// Turn before recognition, asked for by a person. Boxes stay in the page's own pixels (after EXIF).
    pub rotation: Rotation,
    /// Recognise only this part of this page.
    pub region: Option<ReceiptRegion>,
}

/// What a person typed to open a document. Never in logs: its debug text says nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// Wraps what was typed.
    pub const fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::ops::Deref for Password {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Clockwise quarter turns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// As it is.
    #[default]
    None,
    /// 90° clockwise.
    Quarter,
    /// 180°.
    Half,
    /// 270° clockwise.
    ThreeQuarters,
}

/// The child's greeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol version of the child.
    pub version: u32,
    /// Its role.
    pub role: Role,
    /// Engine name, version and languages; `none` for `parse`.
    pub engine: String,
    /// What the sandbox really enforces.
    pub posture: Posture,
}

/// Why a child could not get ready: weights, languages or the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CannotStart {
    /// For the operator; never derived from a document.
    pub detail: String,
}

/// Describes a preview picture: our own pixels, no metadata.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PreviewHeader {
    /// 0-based page.
    pub page: u32,
    /// Preview width in pixels.
    pub width: u32,
    /// Preview height in pixels.
    pub height: u32,
    /// Preview pixels per page pixel, at most 1.
    pub scale: f32,
}

/// Describes a thumbnail: the top of the page, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThumbnailHeader {
    /// 0-based page.
    pub page: u32,
}

/// Where one receipt stands. Today a page is one receipt; a photo of eight slips gives eight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReceiptRegion {
    /// 0-based page.
    pub page: u32,
    /// Its outline in page pixels.
    #[serde(rename = "box")]
    pub quad: Quad,
}

/// Describes an attachment found inside the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHeader {
    /// Its name for people; never a path.
    pub name: String,
    /// The declared type; the door tells the real one from the bytes.
    pub declared_type: String,
    /// What it is to the document it was found in.
    #[serde(default = "Relation::usual")]
    pub relation: Relation,
}

/// Something a person should know about the reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code, e.g. `truncated`.
    pub code: String,
    /// 0-based page, when it concerns one.
    pub page: Option<u32>,
}

/// The document belongs to the other role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Who should read it.
    pub role: Role,
}

/// A failure the child understood itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The typed reason.
    pub reason: Reason,
    /// For people, without receipt text.
    pub detail: String,
}

/// The last frame of a complete reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Engine name and version, for the reading's record.
    pub engine: String,
    /// Pages that were sent; must match.
    pub pages: u32,
}

/// A frame as it came off the pipe; nothing of it has been believed yet.
#[derive(Debug)]
pub struct Frame {
    /// What it claims to be.
    pub kind: Kind,
    /// CBOR.
    pub header: Vec<u8>,
    /// Raw bytes.
    pub body: Vec<u8>,
}

/// A broken frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe broke or ended inside a frame.
    #[error("the pipe ended inside a frame: {0}")]
    Io(#[from] io::Error),
    /// The first byte is no kind of frame.
    #[error("{0} is no kind of frame")]
    UnknownKind(u8),
    /// A length over its limit.
    #[error("a frame of {header} + {body} bytes is over the limit")]
    TooLarge {
        /// Declared header bytes.
        header: u32,
        /// Declared body bytes.
        body: u32,
    },
    /// The header is not the CBOR it should be.
    #[error("the header of a {0:?} frame is malformed")]
    Malformed(Kind),
}

/// Bytes before header and body.
pub const PREFIX_BYTES: usize = 9;

/// Reads a frame's prefix: kind, header length, body length, both within limits.
pub fn decode_prefix(prefix: [u8; PREFIX_BYTES], max_body: u32) -> Result<(Kind, u32, u32), FrameError> {
    let [kind, h0, h1, h2, h3, b0, b1, b2, b3] = prefix;
    let kind = Kind::from_byte(kind).ok_or(FrameError::UnknownKind(kind))?;
    let header = u32::from_le_bytes([h0, h1, h2, h3]);
    let body = u32::from_le_bytes([b0, b1, b2, b3]);
    if header > MAX_HEADER_BYTES || body > max_body {
        return Err(FrameError::TooLarge { header, body });
    }
    Ok((kind, header, body))
}

/// The prefix and CBOR header of a frame whose body has `body_length` bytes; the body follows on the wire.
pub fn encode_head(kind: Kind, header: &impl Serialize, body_length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; PREFIX_BYTES];
    ciborium::into_writer(header, &mut bytes).map_err(io::Error::other)?;
    let header_length = u32::try_from(bytes.len() - PREFIX_BYTES).map_err(io::Error::other)?;
    let body_length = u32::try_from(body_length).map_err(io::Error::other)?;
    bytes[0] = kind as u8;
    bytes[1..5].copy_from_slice(&header_length.to_le_bytes());
    bytes[5..9].copy_from_slice(&body_length.to_le_bytes());
    Ok(bytes)
}

/// Writes one frame and flushes it.
pub fn write_frame(out: &mut impl Write, kind: Kind, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    out.write_all(&encode_head(kind, header, body.len())?)?;
    out.write_all(body)?;
    out.flush()
}

/// Reads one frame; `None` at a clean end before its first byte.
pub fn read_frame(input: &mut impl Read, max_body: u32) -> Result<Option<Frame>, FrameError> {
    let mut prefix = [0; PREFIX_BYTES];
    if input.read(&mut prefix[..1])? == 0 {
        return Ok(None);
    }
    input.read_exact(&mut prefix[1..])?;
    let (kind, header_length, body_length) = decode_prefix(prefix, max_body)?;
    let mut header = vec![0; header_length as usize];
    input.read_exact(&mut header)?;
    let mut body = vec![0; body_length as usize];
    input.read_exact(&mut body)?;
    Ok(Some(Frame { kind, header, body }))
}

impl Frame {
    /// The header as a value.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        ciborium::de::from_reader_with_recursion_limit(self.header.as_slice(), MAX_CBOR_DEPTH)
            .map_err(|_| FrameError::Malformed(self.kind))
    }
}

/// Nesting of the deepest header (page → lines → words → box → points) with room to spare.
const MAX_CBOR_DEPTH: usize = 32;

/// Whether text may cross the protocol: no control characters, no line breaks, nothing that turns the direction
/// of what follows it on a page.
pub fn is_clean(text: &str) -> bool {
    !text.chars().any(is_unclean)
}

/// The text without what [`is_clean`] refuses; what the child applies before sending.
pub fn clean(text: &str) -> String {
    text.chars().filter(|c| !is_unclean(*c)).collect()
}

/// [`is_clean`] for the text of a code, where line breaks (Swiss QR-bill, EPC) and the group separator of GS1 mean something.
pub fn is_clean_code(text: &str) -> bool {
    !text.chars().any(|c| is_unclean(c) && !is_code_break(c))
}

/// The text of a code without what [`is_clean_code`] refuses; every kind of line break becomes one line feed.
pub fn clean_code(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !is_unclean(*c) || is_code_break(*c)).collect()
}

const fn is_code_break(c: char) -> bool {
    matches!(c, '\n' | '\u{1D}')
}

fn is_unclean(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_written() {
        let mut wire = Vec::new();
        let warning = Warning { code: "truncated".into(), page: Some(3) };
        write_frame(&mut wire, Kind::Warning, &warning, b"body").unwrap();
        let frame = read_frame(&mut wire.as_slice(), 4).unwrap().unwrap();
        assert_eq!((frame.kind, frame.decode::<Warning>().unwrap()), (Kind::Warning, warning));
        assert_eq!(frame.body, b"body");
    }

    #[test]
    fn lengths_are_refused_before_memory_is_taken() {
        let mut wire = vec![Kind::Page as u8];
        wire.extend(u32::MAX.to_le_bytes());
        wire.extend(0u32.to_le_bytes());
        assert!(matches!(read_frame(&mut wire.as_slice(), 0), Err(FrameError::TooLarge { .. })));
    }

    #[test]
    fn every_cut_of_a_frame_is_an_error_and_none_is_a_frame() {
        let mut wire = Vec::new();
        write_frame(&mut wire, Kind::End, &End { engine: "e".into(), pages: 1 }, b"xyz").unwrap();
        for cut in 1..wire.len() {
            assert!(read_frame(&mut &wire[..cut], 10).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn deeply_nested_cbor_is_malformed_rather_than_a_stack_overflow() {
        let frame = Frame { kind: Kind::Page, header: vec![0x81; 200_000], body: Vec::new() };
        assert!(matches!(frame.decode::<crate::domain::page::Page>(), Err(FrameError::Malformed(Kind::Page))));
    }

    #[test]
    fn cleaning_removes_what_the_parent_refuses() {
        let text = "a\u{202E}b\nc\0d 滴滴";
        assert!(!is_clean(text));
        assert_eq!(clean(text), "abcd 滴滴");
        assert!(is_clean(&clean(text)));
    }
}
