//! A folder of readings, so that documents are recognised once and measured often.
//!
//! `<folder>/<source>/<file>.json` holds what the reader returned for `<file>` of the corpus folder `<source>`, with the
//! SHA-256 of the bytes that were read: a file that changed is read again.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        page::{Code, Page},
        structured::StructuredValue,
    },
    reader::ReceiptRegion,
};

/// Size of a cached reading that is still read.
const MAX_BYTES: u64 = 64 << 20;

/// What is kept of a reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CachedReading {
    /// Of the bytes that were read, in hex.
    pub sha256: String,
    /// Engine and version.
    pub engine: String,
    /// Wall-clock seconds it took.
    pub seconds: f32,
    /// The pages.
    pub pages: Vec<Page>,
    /// Where receipts stand.
    pub receipts: Vec<ReceiptRegion>,
    /// Codes found.
    pub codes: Vec<Code>,
    /// Exact values out of structured data.
    #[serde(default)]
    pub values: Vec<StructuredValue>,
}

/// Where the reading of `file` of `source` is kept in `folder`; `None` for names that would lead elsewhere.
pub fn path_of(folder: &Path, source: &str, file: &str) -> Option<PathBuf> {
    let safe = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !safe(source) || source.contains('/') || !file.split('/').all(safe) {
        return None;
    }
    Some(folder.join(source).join(format!("{file}.json")))
}

/// Reads a kept reading; `None` when there is none or the document's bytes are others.
pub fn load(path: &Path, sha256: Option<&str>) -> io::Result<Option<CachedReading>> {
    let size = match std::fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if size > MAX_BYTES {
        return Err(io::Error::other(format!("`{}` is over {MAX_BYTES} bytes", path.display())));
    }
    let kept: CachedReading = serde_json::from_slice(&std::fs::read(path)?).map_err(io::Error::other)?;
    Ok(Some(kept).filter(|kept| sha256.is_none_or(|wanted| kept.sha256 == wanted)))
}

/// Keeps a reading; whole or not at all.
pub fn save(path: &Path, reading: &CachedReading) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file at the root"))?;
    std::fs::create_dir_all(folder)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(io::BufWriter::new(&file), reading)?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_is_kept_for_its_bytes_and_no_name_leads_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_of(folder.path(), "till", "img/1.jpg").unwrap();
        assert!(load(&path, Some("ab")).unwrap().is_none());
        let reading = CachedReading {
            sha256: "ab".to_owned(),
            engine: "an engine".to_owned(),
            seconds: 1.5,
            pages: Vec::new(),
            receipts: Vec::new(),
            codes: Vec::new(),
            values: Vec::new(),
        };
        save(&path, &reading).unwrap();
        assert_eq!(load(&path, Some("ab")).unwrap().as_ref(), Some(&reading));
        assert!(load(&path, Some("cd")).unwrap().is_none(), "the picture has changed");
        for (source, file) in [("..", "x"), ("a/b", "x"), ("a", "../x"), ("a", "/x"), ("a", "")] {
            assert!(path_of(folder.path(), source, file).is_none(), "{source} {file}");
        }
    }
}
