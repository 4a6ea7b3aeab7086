//! Pages that were recognised before, so that extraction can be measured without recognising again.

use std::{io, path::Path};

use serde::Deserialize;

use crate::domain::page::{Line, Page, Quad, TextSource, Word};

/// Size of a cached page that is still read.
const MAX_BYTES: u64 = 32 << 20;

#[derive(Deserialize)]
struct Cached {
    page: Page,
    #[serde(default)]
    cpu_s: f32,
}

/// Reads `{"page": …, "cpu_s": …}` from `path`: the page and the seconds its recognition took; `None` when there is none.
pub fn read(path: &Path) -> io::Result<Option<(Page, f32)>> {
    let size = match std::fs::metadata(path) {
        Ok(meta) => meta.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if size > MAX_BYTES {
        return Err(io::Error::other(format!("`{}` is over {MAX_BYTES} bytes", path.display())));
    }
    let cached: Cached = serde_json::from_slice(&std::fs::read(path)?).map_err(io::Error::other)?;
    Ok(Some((cached.page, cached.cpu_s)))
}

/// A page from lines of eight coordinates and a text (`x1,y1,…,x4,y4,text`), as the SROIE boxes are given.
/// Lines that are not of this form are left out.
pub fn from_boxes(text: &str) -> Page {
    let mut lines = Vec::new();
    for row in text.lines() {
        let mut parts = row.splitn(9, ',');
        let corners: Vec<f32> = parts.by_ref().take(8).filter_map(|p| p.trim().parse().ok()).collect();
        let (Ok(c), Some(text)) = (<[f32; 8]>::try_from(corners), parts.next()) else { continue };
        let quad = Quad([[c[0], c[1]], [c[2], c[3]], [c[4], c[5]], [c[6], c[7]]]);
        if text.trim().is_empty() {
            continue;
        }
        let word = Word { text: text.trim().to_owned(), quad, score: 1.0, char_scores: Vec::new() };
        lines.extend(Line::from_words(vec![word]));
    }
    let edge = |value: fn(&Quad) -> f32| lines.iter().map(|l| value(&l.quad)).fold(1.0, f32::max) as u32;
    let (width, height) = (edge(Quad::right), edge(Quad::bottom));
    Page { index: 0, width, height, lines, source: TextSource::Recognition }
}
