//! The ZIP an OFD is: entries counted before anything is inflated, paths inside the package only.

use std::io::{Cursor, Read as _};

use zip::{CompressionMethod, ZipArchive};

use super::super::xml::{self, tree::Element};
use crate::{
    domain::capture::Reason,
    reader::output::{Stopped, failed},
};

/// Entries of one package; the largest in the corpus has 120.
const MAX_ENTRIES: usize = 2_000;
/// Bytes all entries together say they have.
const MAX_TOTAL_BYTES: u64 = 100 * 1024 * 1024;
/// Bytes inflated of one byte deflated, over the whole package.
const MAX_RATIO: u64 = 100;
/// Below this a high ratio is only a tidy page.
const RATIO_FROM_BYTES: u64 = 2 * 1024 * 1024;
/// Steps of one path.
const MAX_PATH_STEPS: usize = 32;

/// An open package.
pub struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Index and name of every file, in the package's order.
    names: Vec<(usize, String)>,
    /// Bytes that may still be inflated.
    left: u64,
}

fn limit(detail: &str) -> Stopped {
    failed(Reason::ArchiveLimits, format!("the OFD is over a limit: {detail}"))
}

fn broken(detail: &str) -> Stopped {
    failed(Reason::Undecodable, format!("the OFD is broken: {detail}"))
}

impl<'a> Package<'a> {
    /// Opens a package and counts what it says it holds.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Stopped> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken("no ZIP"))?;
        if archive.len() > MAX_ENTRIES {
            return Err(limit("entries"));
        }
        if archive.has_overlapping_files().unwrap_or(true) {
            return Err(limit("entries that overlap"));
        }
        let (mut total, mut packed) = (0_u64, 0_u64);
        let mut names = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|_| broken("an entry"))?;
            if entry.encrypted() {
                return Err(failed(Reason::PasswordNeeded, "the OFD has encrypted entries"));
            }
            if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
                return Err(broken("a compression method OFD does not have"));
            }
            total = total.saturating_add(entry.size());
            packed = packed.saturating_add(entry.compressed_size());
            if !entry.is_dir() {
                names.push((index, normal(&String::from_utf8_lossy(entry.name_raw()))));
            }
        }
        if total > MAX_TOTAL_BYTES {
            return Err(limit("bytes inside"));
        }
        if total > RATIO_FROM_BYTES && total / packed.max(1) > MAX_RATIO {
            return Err(limit("compression ratio"));
        }
        Ok(Self { archive, names, left: MAX_TOTAL_BYTES })
    }

    /// The name under which `location` is in the package, seen from the file `from`; case is forgiven, for issuers get it
    /// wrong. `None` when it is not there.
    pub fn find(&self, from: &str, location: &str) -> Option<String> {
        let location = location.trim();
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let relative =
            if location.starts_with('/') { normal(location) } else { normal(&format!("{folder}/{location}")) };
        [relative, normal(location)].into_iter().find_map(|wanted| {
            let exact = self.names.iter().find(|(_, name)| *name == wanted);
            exact
                .or_else(|| self.names.iter().find(|(_, name)| name.eq_ignore_ascii_case(&wanted)))
                .map(|(_, name)| name.clone())
        })
    }

    /// Names that contain `part`, case forgiven.
    pub fn names_with(&self, part: &str) -> Vec<String> {
        let part = part.to_ascii_lowercase();
        self.names
            .iter()
            .map(|(_, name)| name)
            .filter(|name| name.to_ascii_lowercase().contains(&part))
            .cloned()
            .collect()
    }

    /// The bytes of the entry called `name`; never more than it says it has, nor than the package may inflate.
    pub fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Stopped> {
        let index = self.names.iter().find(|(_, known)| known == name).map(|(index, _)| *index);
        let index = index.ok_or_else(|| broken("a file it names is not there"))?;
        let entry = self.archive.by_index(index).map_err(|_| broken("an entry"))?;
        let size = entry.size();
        if size > self.left {
            return Err(limit("bytes read"));
        }
        self.left -= size;
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(MAX_TOTAL_BYTES)).unwrap_or(0));
        entry.take(size.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| broken("an entry does not inflate"))?;
        if bytes.len() as u64 > size {
            return Err(limit("an entry larger than it says"));
        }
        Ok(bytes)
    }

    /// The XML of the entry called `name`.
    pub fn xml(&mut self, name: &str) -> Result<Element, Stopped> {
        let bytes = self.bytes(name)?;
        xml::tree::parse(&bytes).map_err(|error| xml::refused(&error))
    }

    /// The XML at `location` seen from `from`; `None` when it is not there or broken. A document type is never forgiven.
    pub fn optional_xml(&mut self, from: &str, location: &str) -> Result<Option<(String, Element)>, Stopped> {
        let Some(name) = self.find(from, location) else { return Ok(None) };
        match self.xml(&name) {
            Ok(root) => Ok(Some((name, root))),
            Err(Stopped::Failed(why)) if why.reason == Reason::Undecodable => Ok(None),
            Err(stopped) => Err(stopped),
        }
    }
}

/// A path inside the package: forward slashes, no `.` and `..`, never above the root.
fn normal(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split(['/', '\\']).take(MAX_PATH_STEPS) {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            name => steps.push(name),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_never_leave_the_package() {
        for (path, expected) in [
            ("Doc_0/./Pages/../Document.xml", "Doc_0/Document.xml"),
            ("/Doc_0\\Document.xml", "Doc_0/Document.xml"),
            ("../../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(normal(path), expected);
        }
    }
}
