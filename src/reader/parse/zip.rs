//! A ZIP of receipts: one level, counted before anything is inflated.
//!
//! The directory is read first by our own strict reader, because what a ZIP says of itself is where archives lie: entries
//! that overlap or repeat a name, sizes that do not add up, local headers that disagree. Only then is an entry inflated,
//! never beyond the size it declared.

use std::{
    collections::HashSet,
    io::{Cursor, Read as _},
};

use zip::{ZipArchive, result::ZipError};

use super::{Ended, charset, context, send_part, send_values, warn};
use crate::{
    domain::{
        capture::{Reason, Relation},
        page::TextSource,
        structured::StructuredValue,
    },
    reader::{
        output::{Output, Stopped, failed},
        paper,
        protocol::Request,
    },
};

/// Entries of an archive; a month of receipts has fewer. More are refused before the directory is read.
const MAX_ENTRIES: usize = 500;
/// Bytes of all entries inflated; three documents of the largest size.
const MAX_INFLATED_BYTES: u64 = 100 * 1024 * 1024;
/// Inflated to deflated, for entries over [`RATIO_FREE_BYTES`]: XML reaches 30, deflate's bombs 1,000.
const MAX_RATIO: u64 = 100;
/// Entries up to this size may have any ratio.
const RATIO_FREE_BYTES: u64 = 1024 * 1024;

/// Entries that are never documents: what desktops leave in archives.
const JUNK: [&str; 4] = ["__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini"];

/// One entry as the central directory describes it, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path as stored.
    raw_name: Vec<u8>,
    /// The name's bytes are UTF-8.
    is_utf8: bool,
    is_encrypted: bool,
    is_link: bool,
    deflated: u64,
    /// Bytes it says it has.
    pub(super) inflated: u64,
    local_offset: usize,
}

impl Entry {
    /// Its path as text: Windows archivers write names in the machine's own charset and say nothing.
    pub(super) fn path(&self) -> String {
        if self.is_utf8 { String::from_utf8_lossy(&self.raw_name).into_owned() } else { charset::guess(&self.raw_name) }
    }

    fn is_directory(&self) -> bool {
        self.raw_name.ends_with(b"/") || self.raw_name.ends_with(b"\\")
    }
}

/// Sends the entries of an archive as parts.
pub fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<Ended, Stopped> {
    let entries = directory(document)?;
    let paths: Vec<String> = entries.iter().map(Entry::path).collect();
    let has = |name: &str| paths.iter().any(|path| path == name);
    if has("[Content_Types].xml") {
        return Err(failed(Reason::UnsupportedType, "an office document is not read: print it as PDF"));
    }
    if has("pass.json")
        && let Some(values) = context::pass(document)
    {
        return pass(request, &values, out);
    }
    let wanted: Vec<(usize, &Entry, &str)> = entries
        .iter()
        .zip(&paths)
        .enumerate()
        .filter(|(_, (entry, path))| !entry.is_directory() && !entry.is_link && !is_junk(path))
        .map(|(index, (entry, path))| (index, entry, path.as_str()))
        .collect();
    if wanted.is_empty() {
        return Err(failed(Reason::Empty, "the archive holds no files"));
    }
    if request.password.is_none() && wanted.iter().any(|(_, entry, _)| entry.is_encrypted) {
        return Err(failed(Reason::PasswordNeeded, "the archive is encrypted"));
    }
    let mut archive = ZipArchive::new(Cursor::new(document)).map_err(|_| damaged("its directory cannot be read"))?;
    if archive.len() != entries.len() {
        return Err(failed(Reason::ArchiveLimits, "the archive's directory disagrees with itself"));
    }
    let files = wanted.len();
    let (mut too_large, mut damaged_ones) = (0, 0);
    for (index, entry, path) in wanted {
        if entry.inflated > request.limits.max_bytes {
            too_large += 1;
            warn(out, "part_too_large")?;
            continue;
        }
        if let Some(bytes) = inflate(&mut archive, index, entry, request.password.as_deref())? {
            send_part(out, path, "", Relation::Entry, &bytes)?;
        } else {
            damaged_ones += 1;
            warn(out, "entry_damaged")?;
        }
    }
    match (too_large + damaged_ones == files, damaged_ones) {
        (true, 0) => Err(failed(Reason::TooLarge, "every file in the archive is larger than what is read")),
        (true, _) => Err(damaged("none of its files can be unpacked")),
        (false, _) => Ok(Ended::Pages(0)),
    }
}

/// A wallet pass by itself: what it says, as a page.
fn pass(request: &Request, values: &[StructuredValue], out: &mut impl Output) -> Result<Ended, Stopped> {
    send_values(out, values)?;
    let lines: Vec<String> = values.iter().map(|value| value.text.clone()).collect();
    Ok(Ended::Pages(paper::send_text(&lines, TextSource::Structured, &request.limits, out)?))
}

fn damaged(what: &str) -> Stopped {
    failed(Reason::Undecodable, format!("the archive is damaged: {what}"))
}

fn is_junk(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    path.starts_with(JUNK[0]) || JUNK[1..].contains(&name) || name.starts_with("._")
}

/// The bytes of an entry; `None` when it alone is damaged. A wrong password concerns the whole archive.
pub(super) fn inflate(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    entry: &Entry,
    password: Option<&str>,
) -> Result<Option<Vec<u8>>, Stopped> {
    let wrong = || failed(Reason::PasswordNeeded, "the password does not open the archive");
    let opened = match password.filter(|_| entry.is_encrypted) {
        Some(password) => archive.by_index_decrypt(index, password.as_bytes()),
        None => archive.by_index(index),
    };
    let file = match opened {
        Ok(file) => file,
        Err(ZipError::InvalidPassword) => return Err(wrong()),
        Err(_) => return Ok(None),
    };
    let mut bytes = Vec::new();
    // One more than it says, so that a lie shows.
    let read = file.take(entry.inflated + 1).read_to_end(&mut bytes);
    match read {
        Ok(_) if bytes.len() as u64 == entry.inflated => Ok(Some(bytes)),
        // ZipCrypto lets one wrong password in 256 through its check; the digest finds it.
        _ if entry.is_encrypted => Err(wrong()),
        Ok(_) if bytes.len() as u64 > entry.inflated => {
            Err(failed(Reason::ArchiveLimits, "an entry is larger than the directory says"))
        }
        Ok(_) | Err(_) => Ok(None),
    }
}

const END: [u8; 4] = *b"PK\x05\x06";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Bytes of the end record before its comment, and the longest comment.
const END_BYTES: usize = 22;
const MAX_COMMENT: usize = 65_535;
/// Bytes of a central and of a local header before their names.
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The entries, after everything an archive may lie about has been checked.
pub(super) fn directory(bytes: &[u8]) -> Result<Vec<Entry>, Stopped> {
    let over = |what: &str| failed(Reason::ArchiveLimits, format!("the archive {what}"));
    let end = find_end(bytes).ok_or_else(|| damaged("its end is missing"))?;
    let cut = || damaged("its directory is cut off");
    let count = u16_at(bytes, end + 10).ok_or_else(cut)?;
    let start = u32_at(bytes, end + 16).ok_or_else(cut)?;
    if count == usize::from(u16::MAX) || start == u32::MAX {
        return Err(over("is of the 64-bit kind, which no receipt needs"));
    }
    if count > MAX_ENTRIES {
        return Err(over("has more entries than are read"));
    }
    let mut at = start as usize;
    let mut entries = Vec::with_capacity(count);
    let mut names = HashSet::with_capacity(count);
    let mut total = 0_u64;
    for _ in 0..count {
        let (entry, next) = central(bytes, at).ok_or_else(cut)?;
        total = total.saturating_add(entry.inflated);
        if total > MAX_INFLATED_BYTES {
            return Err(over("holds more bytes than are read"));
        }
        if entry.inflated > RATIO_FREE_BYTES && entry.inflated / entry.deflated.max(1) > MAX_RATIO {
            return Err(over("is packed tighter than documents can be"));
        }
        if !names.insert(entry.raw_name.clone()) {
            return Err(over("has two entries of one name"));
        }
        entries.push(entry);
        at = next;
    }
    if overlaps(bytes, &entries, start as usize) {
        return Err(over("has entries that overlap or lie about their place"));
    }
    Ok(entries)
}

/// Where the end record starts: the last one whose comment reaches to the end of the file.
fn find_end(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END_BYTES)?;
    let first = last.saturating_sub(MAX_COMMENT);
    (first..=last)
        .rev()
        .find(|at| bytes[*at..].starts_with(&END) && u16_at(bytes, at + 20) == Some(bytes.len() - at - END_BYTES))
}

/// One entry of the central directory, and where the next one starts.
fn central(bytes: &[u8], at: usize) -> Option<(Entry, usize)> {
    if !bytes.get(at..)?.starts_with(&CENTRAL) {
        return None;
    }
    let flags = u16_at(bytes, at + 8)?;
    let (name, extra, comment) = (u16_at(bytes, at + 28)?, u16_at(bytes, at + 30)?, u16_at(bytes, at + 32)?);
    let raw_name = bytes.get(at + CENTRAL_BYTES..at + CENTRAL_BYTES + name)?.to_vec();
    // The upper half is a Unix mode when the archive was made on one; 0o12 is a symbolic link.
    let is_link = u32_at(bytes, at + 38)? >> 28 == 0o12;
    let entry = Entry {
        raw_name,
        is_utf8: flags & 0x0800 != 0,
        is_encrypted: flags & 1 != 0,
        is_link,
        deflated: u64::from(u32_at(bytes, at + 20)?),
        inflated: u64::from(u32_at(bytes, at + 24)?),
        local_offset: u32_at(bytes, at + 42)? as usize,
    };
    Some((entry, at + CENTRAL_BYTES + name + extra + comment))
}

/// Whether two entries share bytes, reach into the directory, or are somebody else's by their local header.
fn overlaps(bytes: &[u8], entries: &[Entry], directory: usize) -> bool {
    let mut ranges = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(range) = local_range(bytes, entry) else { return true };
        if range.1 > directory as u64 {
            return true;
        }
        ranges.push(range);
    }
    ranges.sort_unstable();
    ranges.windows(2).any(|pair| pair[0].1 > pair[1].0)
}

fn local_range(bytes: &[u8], entry: &Entry) -> Option<(u64, u64)> {
    let at = entry.local_offset;
    let (name, extra) = (u16_at(bytes, at + 26)?, u16_at(bytes, at + 28)?);
    let is_same = bytes.get(at..)?.starts_with(&LOCAL)
        && bytes.get(at + LOCAL_BYTES..at + LOCAL_BYTES + name)? == entry.raw_name.as_slice();
    let data = (at + LOCAL_BYTES + name + extra) as u64;
    is_same.then_some((at as u64, data + entry.deflated))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::reader::parse::tests::{Sent, request};

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn sent(bytes: &[u8], password: Option<&str>) -> Result<Sent, Reason> {
        let mut out = Sent::default();
        let mut request = request(crate::domain::media::MediaType::Zip);
        request.password = password.map(|text| crate::reader::protocol::Password::new(text.to_owned()));
        match read(&request, bytes, &mut out) {
            Ok(_) => Ok(out),
            Err(Stopped::Failed(failed)) => Err(failed.reason),
            Err(Stopped::Pipe(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn entries_come_out_with_their_names_and_without_the_desktops_litter() {
        let bytes = archive(&[
            ("receipts/a.pdf", b"%PDF-1.4 one"),
            ("receipts/", b""),
            ("__MACOSX/receipts/._a.pdf", b"x"),
            ("receipts/.DS_Store", b"x"),
            ("小票.jpg", b"\xff\xd8\xff two"),
        ]);
        let sent = sent(&bytes, None).unwrap();
        let names: Vec<&str> = sent.parts.iter().map(|(header, _)| header.name.as_str()).collect();
        assert_eq!(names, ["a.pdf", "小票.jpg"]);
        assert_eq!(sent.parts[0].1, b"%PDF-1.4 one");
        assert!(sent.parts.iter().all(|(header, _)| header.relation == Relation::Entry));
    }

    #[test]
    fn names_of_chinese_windows_are_read() {
        let (name, _, _) = encoding_rs::GB18030.encode("发票.pdf");
        let mut bytes = archive(&[("xxxx.pdf", b"%PDF")]);
        // Both headers carry the name; the flag for UTF-8 is not set for ASCII names.
        for _ in 0..2 {
            let at = bytes.windows(8).position(|w| w == b"xxxx.pdf").unwrap();
            bytes[at..at + 8].copy_from_slice(&name);
        }
        assert_eq!(sent(&bytes, None).unwrap().parts[0].0.name, "发票.pdf");
    }

    #[test]
    fn what_an_archive_lies_about_is_refused_before_inflating() {
        let zeros = vec![0; 20 * 1024 * 1024];
        assert_eq!(sent(&archive(&[("bomb", &zeros)]), None).err(), Some(Reason::ArchiveLimits));
        let many: Vec<(String, &[u8])> = (0..=MAX_ENTRIES).map(|i| (format!("{i}"), &b"x"[..])).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        assert_eq!(sent(&archive(&many), None).err(), Some(Reason::ArchiveLimits));

        // Two directory entries for the same bytes: the overlap of a quoted-entry bomb.
        let mut twice = archive(&[("aa", b"one"), ("bb", b"two")]);
        let directory = twice.windows(4).position(|w| w == CENTRAL).unwrap();
        let second = directory + 4 + twice[directory + 4..].windows(4).position(|w| w == CENTRAL).unwrap();
        twice[second + 42..second + 46].copy_from_slice(&[0; 4]);
        assert_eq!(sent(&twice, None).err(), Some(Reason::ArchiveLimits));

        // An entry that says it is smaller than it is.
        let mut liar = archive(&[("a", &[b'a'; 4000])]);
        let directory = liar.windows(4).position(|w| w == CENTRAL).unwrap();
        liar[directory + 24..directory + 28].copy_from_slice(&10_u32.to_le_bytes());
        // Either this room notices the lie or the archive library does first: nothing of the entry comes out.
        let reason = sent(&liar, None).err();
        assert!(matches!(reason, Some(Reason::ArchiveLimits | Reason::Undecodable)), "{reason:?}");
        assert_eq!(sent(&archive(&[("[Content_Types].xml", b"<x/>")]), None).err(), Some(Reason::UnsupportedType));
        assert_eq!(sent(&archive(&[]), None).err(), Some(Reason::Empty));
    }

    #[test]
    fn an_archive_of_which_no_file_can_be_unpacked_is_damaged_and_not_empty() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, text) in [("a.txt", b"TOTAL EUR 12.80"), ("b.txt", b"TOTAL GBP 31.50")] {
            writer.start_file(name, stored).unwrap();
            writer.write_all(text).unwrap();
        }
        let whole = writer.finish().unwrap().into_inner();
        let spoiled = |count: usize| {
            let mut bytes = whole.clone();
            for (at, _) in whole.windows(5).enumerate().filter(|(_, w)| w == b"TOTAL").take(count) {
                bytes[at] = b'X';
            }
            sent(&bytes, None)
        };
        let half = spoiled(1).unwrap();
        assert_eq!((half.parts.len(), half.warnings.as_slice()), (1, &["entry_damaged".to_owned()][..]));
        assert_eq!(spoiled(2).err(), Some(Reason::Undecodable));
        let mut small = request(crate::domain::media::MediaType::Zip);
        small.limits.max_bytes = 4;
        match read(&small, &whole, &mut Sent::default()) {
            Err(Stopped::Failed(failed)) => assert_eq!(failed.reason, Reason::TooLarge),
            other => panic!("{:?}", other.is_ok()),
        }
    }

    #[test]
    fn two_entries_of_one_name_are_refused() {
        let mut bytes = archive(&[("aa", b"one"), ("ab", b"two")]);
        while let Some(at) = bytes.windows(2).position(|w| w == b"ab") {
            bytes[at..at + 2].copy_from_slice(b"aa");
        }
        assert_eq!(sent(&bytes, None).err(), Some(Reason::ArchiveLimits));
    }

    #[test]
    fn an_encrypted_archive_waits_for_its_password_and_a_wrong_one_says_so() {
        use zip::unstable::write::FileOptionsExt as _;
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().with_deprecated_encryption(b"s3cret").unwrap();
        writer.start_file("a.pdf", options).unwrap();
        writer.write_all(b"%PDF-1.4 hidden").unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        assert_eq!(sent(&bytes, None).err(), Some(Reason::PasswordNeeded));
        assert_eq!(sent(&bytes, Some("guess")).err(), Some(Reason::PasswordNeeded));
        assert_eq!(sent(&bytes, Some("s3cret")).unwrap().parts[0].1, b"%PDF-1.4 hidden");
    }

    proptest! {
        #[test]
        fn any_damage_ends_in_a_typed_failure_or_parts(at in 0_usize..400, byte: u8, cut in 0_usize..400) {
            let mut bytes = archive(&[("a.xml", b"<a>1</a>"), ("b.txt", &[b'b'; 300])]);
            let end = bytes.len();
            bytes[at % end] = byte;
            bytes.truncate(end - cut % end);
            let _ = sent(&bytes, None);
        }

        #[test]
        fn any_bytes_after_the_signature_are_survived(tail in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = sent(&[b"PK\x03\x04".as_slice(), &tail].concat(), None);
        }
    }
}
