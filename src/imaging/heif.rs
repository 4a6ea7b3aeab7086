//! The boxes of a HEIF file (ISO/IEC 23008-12): its size and what kind of picture it is, before anything is decoded.

use std::io::{Read, Seek, SeekFrom};

/// Boxes of the file that are looked at; a photo has about six.
const MAX_TOP_BOXES: usize = 64;
/// Bytes of the box that describes the pictures; 192 tiles of a phone take about 30,000.
const MAX_META_BYTES: u64 = 4 * 1024 * 1024;
/// Boxes inside it that are looked at.
const MAX_BOXES: usize = 20_000;
/// Items of a file: 48 megapixels in tiles of 512 pixels are 192, with alpha and gain map three times that.
pub const MAX_ITEMS: usize = 2_000;

/// What the boxes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heif {
    /// Width in pixels of the largest picture, as coded.
    pub width: u32,
    /// Height in pixels of the largest picture, as coded.
    pub height: u32,
    /// What kind of picture it is.
    pub kind: HeifKind,
}

/// Kinds of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeifKind {
    /// HEVC, whole or in tiles: what cameras make.
    Hevc,
    /// AV1 (AVIF).
    Av1,
    /// Another coding, e.g. H.264, JPEG or VVC.
    OtherCoding,
    /// Put together from overlaid pictures.
    Overlay,
    /// Samples that are not compressed.
    Uncompressed,
    /// A film.
    Sequence,
    /// More items than a photo has.
    TooManyItems,
}

impl HeifKind {
    /// Why it is not read; `None` for what is.
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Hevc => None,
            Self::Av1 => Some("the picture is coded with AV1 (AVIF); send it as JPEG"),
            Self::OtherCoding => Some("the picture's coding is not HEVC; send it as JPEG"),
            Self::Overlay => Some("the picture is an overlay of pictures; send it as JPEG"),
            Self::Uncompressed => Some("the picture is not compressed; send it as JPEG"),
            Self::Sequence => Some("the file is a film and no picture"),
            Self::TooManyItems => Some("the file has more items than a photo"),
        }
    }
}

/// Reads the boxes. `None` when they cannot be understood: the decoder says why.
pub fn scan(source: &mut (impl Read + Seek)) -> Option<Heif> {
    let mut at = 0u64;
    let mut is_film = false;
    for _ in 0..MAX_TOP_BOXES {
        let Some((kind, head, size)) = top_box(source, at) else { break };
        match &kind {
            b"meta" => {
                let length = size.checked_sub(head)?;
                if length > MAX_META_BYTES {
                    return None;
                }
                source.seek(SeekFrom::Start(at + head)).ok()?;
                let mut bytes = Vec::new();
                source.take(length).read_to_end(&mut bytes).ok()?;
                return describe(&bytes, is_film);
            }
            b"moov" => is_film = true,
            _ => {}
        }
        at = at.checked_add(size)?;
    }
    is_film.then_some(Heif { width: 1, height: 1, kind: HeifKind::Sequence })
}

/// Type, header length and whole length of the box at `at`.
fn top_box(source: &mut (impl Read + Seek), at: u64) -> Option<([u8; 4], u64, u64)> {
    let mut head = [0; 16];
    source.seek(SeekFrom::Start(at)).ok()?;
    source.read_exact(&mut head[..8]).ok()?;
    let [a, b, c, d, kind @ ..] = head[..8].try_into().ok().map(|head: [u8; 8]| head)?;
    match u32::from_be_bytes([a, b, c, d]) {
        // To the end of the file.
        0 => Some((kind, 8, MAX_META_BYTES)),
        1 => {
            source.read_exact(&mut head[8..]).ok()?;
            let size = u64::from_be_bytes(head[8..].try_into().ok()?);
            (size >= 16).then_some((kind, 16, size))
        }
        size if size >= 8 => Some((kind, 8, u64::from(size))),
        _ => None,
    }
}

/// Children of a box, type and content, as far as they are whole.
struct Boxes<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let [a, b, c, d, k0, k1, k2, k3, ..] = *self.bytes else { return None };
        let size = u32::from_be_bytes([a, b, c, d]) as usize;
        let end = if size == 0 { self.bytes.len() } else { size };
        let content = self.bytes.get(8..end)?;
        self.bytes = &self.bytes[end..];
        Some(([k0, k1, k2, k3], content))
    }
}

const fn boxes(bytes: &[u8]) -> Boxes<'_> {
    Boxes { bytes, left: MAX_BOXES }
}

fn child(bytes: &[u8], kind: [u8; 4]) -> Option<&[u8]> {
    boxes(bytes).find(|(found, _)| *found == kind).map(|(_, content)| content)
}

fn describe(meta: &[u8], is_film: bool) -> Option<Heif> {
    // Version and flags come before the children.
    let meta = meta.get(4..)?;
    let (mut width, mut height) = (0, 0);
    let properties = child(meta, *b"iprp").and_then(|iprp| child(iprp, *b"ipco"));
    for (kind, content) in boxes(properties?) {
        if &kind == b"ispe"
            && let Some(&[_, _, _, _, w0, w1, w2, w3, h0, h1, h2, h3]) = content.first_chunk::<12>()
        {
            let size = (u32::from_be_bytes([w0, w1, w2, w3]), u32::from_be_bytes([h0, h1, h2, h3]));
            if u64::from(size.0) * u64::from(size.1) > u64::from(width) * u64::from(height) {
                (width, height) = size;
            }
        }
    }
    let items = items(child(meta, *b"iinf")?);
    let primary = child(meta, *b"pitm").and_then(primary);
    let kind = kind_of(&items, primary, is_film);
    Some(Heif { width, height, kind })
}

/// Number and type of each item.
fn items(iinf: &[u8]) -> Vec<(u32, [u8; 4])> {
    // Version, flags and a count of 16 or, from version 1, 32 bits.
    let skip = if iinf.first().is_some_and(|version| *version == 0) { 6 } else { 8 };
    let entry = |(kind, content): ([u8; 4], &[u8])| {
        if &kind != b"infe" {
            return None;
        }
        match *content.first()? {
            2 => Some((
                u32::from(u16::from_be_bytes([*content.get(4)?, *content.get(5)?])),
                content.get(8..12)?.try_into().ok()?,
            )),
            3 => Some((u32::from_be_bytes(content.get(4..8)?.try_into().ok()?), content.get(10..14)?.try_into().ok()?)),
            _ => None,
        }
    };
    boxes(iinf.get(skip..).unwrap_or_default()).filter_map(entry).take(MAX_ITEMS + 1).collect()
}

fn primary(pitm: &[u8]) -> Option<u32> {
    match *pitm.first()? {
        0 => Some(u32::from(u16::from_be_bytes([*pitm.get(4)?, *pitm.get(5)?]))),
        _ => Some(u32::from_be_bytes(pitm.get(4..8)?.try_into().ok()?)),
    }
}

fn kind_of(items: &[(u32, [u8; 4])], primary: Option<u32>, is_film: bool) -> HeifKind {
    let has = |kind: &[u8; 4]| items.iter().any(|(_, item)| item == kind);
    if items.len() > MAX_ITEMS {
        return HeifKind::TooManyItems;
    }
    if has(b"iovl") {
        return HeifKind::Overlay;
    }
    if has(b"unci") {
        return HeifKind::Uncompressed;
    }
    let of_primary = items.iter().find(|(number, _)| Some(*number) == primary).map(|(_, kind)| kind);
    match of_primary {
        Some(b"hvc1") => HeifKind::Hevc,
        Some(b"av01") => HeifKind::Av1,
        Some(b"grid" | b"iden") if has(b"hvc1") => HeifKind::Hevc,
        Some(b"grid" | b"iden") if has(b"av01") => HeifKind::Av1,
        Some(_) => HeifKind::OtherCoding,
        None if is_film => HeifKind::Sequence,
        // The decoder finds out and says so.
        None => HeifKind::Hevc,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], &kind, content].concat()
    }

    fn heif(item: [u8; 4], count: u16, size: (u32, u32)) -> Vec<u8> {
        let infe =
            |number: u16| boxed(*b"infe", &[&[2, 0, 0, 0][..], &number.to_be_bytes(), &[0, 0], &item, b"\0"].concat());
        let entries: Vec<u8> = (1..=count).flat_map(infe).collect();
        let iinf = boxed(*b"iinf", &[&[0, 0, 0, 0][..], &count.to_be_bytes(), &entries].concat());
        let pitm = boxed(*b"pitm", &[0, 0, 0, 0, 0, 1]);
        let ispe = boxed(*b"ispe", &[&[0; 4][..], &size.0.to_be_bytes(), &size.1.to_be_bytes()].concat());
        let iprp = boxed(*b"iprp", &boxed(*b"ipco", &ispe));
        let meta = boxed(*b"meta", &[&[0; 4][..], &pitm, &iinf, &iprp].concat());
        [boxed(*b"ftyp", b"heic\0\0\0\0mif1heic"), meta].concat()
    }

    #[test]
    fn size_and_kind_are_read_from_the_boxes() {
        for (item, count, kind) in [
            (*b"hvc1", 1, HeifKind::Hevc),
            (*b"av01", 1, HeifKind::Av1),
            (*b"jpeg", 1, HeifKind::OtherCoding),
            (*b"iovl", 2, HeifKind::Overlay),
            (*b"unci", 1, HeifKind::Uncompressed),
            (*b"hvc1", 2_001, HeifKind::TooManyItems),
        ] {
            let found = scan(&mut Cursor::new(heif(item, count, (4032, 3024))));
            assert_eq!(found, Some(Heif { width: 4032, height: 3024, kind }), "{count} {item:?}");
        }
        assert_eq!(scan(&mut Cursor::new(boxed(*b"moov", b""))).map(|h| h.kind), Some(HeifKind::Sequence));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn no_bytes_make_the_scan_panic(cut in 0usize..400, flips in prop::collection::vec((0usize..400, any::<u8>()), 0..6)) {
            let mut bytes = heif(*b"hvc1", 3, (40, 30));
            for (at, value) in flips {
                if let Some(byte) = bytes.get_mut(at) { *byte = value; }
            }
            bytes.truncate(cut.max(1));
            scan(&mut Cursor::new(bytes));
        }
    }
}
