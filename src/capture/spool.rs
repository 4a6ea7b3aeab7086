//! Uploads are spooled to a temporary file while they are counted and hashed: memory per upload is one chunk.

use std::{
    io,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use super::CaptureError;
use crate::{
    domain::{
        capture::{Limits, Reason},
        media::{MediaType, SNIFF_BYTES},
        sha256::{Sha256, Sha256Stream},
        time::Timestamp,
    },
    imaging::header,
    kill_points,
};

/// How spool files are called.
const PREFIX: &str = "upload-";
/// Spool files untouched for longer belong to a process that died.
const STALE: Duration = Duration::from_secs(3600);

/// A document on local disk, counted, hashed and told by content. The file goes when this is dropped.
#[derive(Debug)]
pub struct Spooled {
    file: NamedTempFile,
    /// Digest of the bytes.
    pub sha256: Sha256,
    /// Length in bytes.
    pub size: u64,
    /// Type told from the content.
    pub media_type: MediaType,
}

impl Spooled {
    /// Where the bytes are until this is dropped.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Spools `body` into `dir`, refusing it as soon as it is over `limits`, is of no known type, or its header announces
/// more pixels or pages than allowed. Nothing is decoded.
pub async fn spool<E: std::fmt::Display>(
    dir: &Path,
    limits: &Limits,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> Result<Spooled, CaptureError> {
    let mut spooler = Spooler::begin(dir, limits).await?;
    // Ends: the stream ends, or the byte limit is passed.
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| CaptureError::Interrupted(error.to_string()))?;
        spooler.push(&chunk).await?;
    }
    let head = std::mem::take(&mut spooler.head);
    let spooled = spooler
        .finish(MediaType::sniff(&head).ok_or_else(|| {
            CaptureError::refused(
                Reason::UnsupportedType,
                "the document is none of JPEG, PNG, WebP, TIFF, GIF, BMP, HEIC, PDF, OFD, XML, HTML, mail, text and ZIP by its content",
            )
        }))
        .await?;
    check_header(&spooled.file, spooled.media_type, limits).await?;
    Ok(spooled)
}

/// Takes a document piece by piece, for who cannot offer it as a stream.
pub struct Spooler {
    file: NamedTempFile,
    writer: tokio::fs::File,
    hash: Sha256Stream,
    head: Vec<u8>,
    size: u64,
    max_bytes: u64,
}

impl Spooler {
    /// An empty document in `dir`.
    pub async fn begin(dir: &Path, limits: &Limits) -> Result<Self, CaptureError> {
        leave_room(dir, limits.reserve_bytes).await?;
        let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(dir).map_err(CaptureError::Spool)?;
        let writer = tokio::fs::File::from_std(file.reopen().map_err(CaptureError::Spool)?);
        let head = Vec::with_capacity(SNIFF_BYTES);
        Ok(Self { file, writer, hash: Sha256Stream::default(), head, size: 0, max_bytes: limits.max_bytes })
    }

    /// Adds a piece, or refuses the document because it is over the limit.
    pub async fn push(&mut self, chunk: &[u8]) -> Result<(), CaptureError> {
        self.size = self.size.saturating_add(chunk.len() as u64);
        if self.size > self.max_bytes {
            return Err(CaptureError::refused(
                Reason::TooLarge,
                format!("the document is larger than {} bytes: send a smaller picture or scan", self.max_bytes),
            ));
        }
        self.hash.update(chunk);
        if self.head.len() < SNIFF_BYTES {
            self.head.extend(chunk.iter().take(SNIFF_BYTES - self.head.len()));
        }
        self.writer.write_all(chunk).await.map_err(CaptureError::Spool)?;
        kill_points::reached(if self.size == chunk.len() as u64 { "u01" } else { "u02" });
        Ok(())
    }

    /// The whole document as an Internet message: the protocol it came by says so, whatever its first header is.
    pub async fn finish_mail(self) -> Result<Spooled, CaptureError> {
        self.finish(Ok(MediaType::Mail)).await
    }

    async fn finish(mut self, media_type: Result<MediaType, CaptureError>) -> Result<Spooled, CaptureError> {
        self.writer.flush().await.map_err(CaptureError::Spool)?;
        if self.size == 0 {
            return Err(CaptureError::refused(Reason::Empty, "the document is empty: choose the file again"));
        }
        Ok(Spooled { file: self.file, sha256: self.hash.finish(), size: self.size, media_type: media_type? })
    }
}

/// Refuses an upload while less than `reserve` bytes are free: a disk that is full to the last byte stops reading,
/// reviewing and the database as well.
async fn leave_room(dir: &Path, reserve: u64) -> Result<(), CaptureError> {
    if reserve == 0 {
        return Ok(());
    }
    let dir = dir.to_owned();
    // A dead network mount hangs here and not on a runtime thread.
    let looked = tokio::task::spawn_blocking(move || nix::sys::statvfs::statvfs(&dir)).await;
    let stat = looked.map_err(io::Error::other).and_then(|found| found.map_err(io::Error::from));
    let stat = stat.map_err(CaptureError::Spool)?;
    let free = stat.blocks_available().saturating_mul(stat.fragment_size());
    if free < reserve { Err(CaptureError::DiskFull { free, reserve }) } else { Ok(()) }
}

/// Removes what uploads of processes that died have left in `dir`; how many files. A living upload writes at least
/// once an hour: no request may take longer.
pub fn sweep(dir: &Path, now: Timestamp) -> io::Result<usize> {
    let oldest = UNIX_EPOCH + Duration::from_micros(u64::try_from(now.minus(STALE).as_micros()).unwrap_or(0));
    let mut removed = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // A file that is gone meanwhile belonged to an upload that has just ended.
        let Ok(metadata) = entry.metadata() else { continue };
        if is_ours && metadata.is_file() && metadata.modified()? < oldest {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Refuses what the header says is over the limits. A header that cannot be read passes: the reader will give the reason,
/// and the original is kept.
async fn check_header(file: &NamedTempFile, media_type: MediaType, limits: &Limits) -> Result<(), CaptureError> {
    let handle = file.reopen().map_err(CaptureError::Spool)?;
    let header = tokio::task::spawn_blocking(move || header::probe(&mut io::BufReader::new(handle), media_type))
        .await
        .map_err(|error| CaptureError::Spool(io::Error::other(error)))?;
    let Some(header) = header else { return Ok(()) };
    header.check(limits).map_err(|reason| {
        let detail = match reason {
            Reason::PagesExceeded => format!("the document has more than {} pages: split it", limits.max_pages),
            _ => format!(
                "the picture is {} x {} pixels: at most {} pixels and {} a side are read; scan at a lower resolution",
                header.width, header.height, limits.max_pixels, limits.max_side
            ),
        };
        CaptureError::refused(reason, detail)
    })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn spooled(chunks: Vec<&'static [u8]>, max_bytes: u64) -> Result<Spooled, CaptureError> {
        let dir = tempfile::tempdir().unwrap();
        let limits = Limits { max_bytes, ..Limits::default() };
        let body = stream::iter(chunks.into_iter().map(|c| Ok::<_, io::Error>(Bytes::from_static(c))));
        spool(dir.path(), &limits, body).await
    }

    fn reason(result: Result<Spooled, CaptureError>) -> Reason {
        match result {
            Err(CaptureError::Refused { reason, .. }) => reason,
            other => panic!("expected a refusal, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn bytes_are_counted_hashed_and_told_by_content() {
        let spooled = spooled(vec![b"\xFF\xD8", b"\xFF\xE0 broken"], 100).await.unwrap();
        assert_eq!(spooled.size, 11);
        assert_eq!(spooled.media_type, MediaType::Jpeg);
        assert_eq!(spooled.sha256, Sha256::of(b"\xFF\xD8\xFF\xE0 broken"));
    }

    #[tokio::test]
    async fn nothing_too_much_and_the_unknown_are_refused_with_their_reason() {
        assert_eq!(reason(spooled(vec![], 100).await), Reason::Empty);
        assert_eq!(reason(spooled(vec![b"\xFF\xD8\xFF", b"more"], 5).await), Reason::TooLarge);
        assert_eq!(reason(spooled(vec![b"<svg onload=alert(1)>"], 100).await), Reason::UnsupportedType);
    }

    #[tokio::test]
    async fn a_header_over_the_pixel_limit_is_refused_without_decoding() {
        // A PNG header of 30,000 x 30,000 pixels and nothing else.
        let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0\xb3\x33\x8c\x8a";
        assert_eq!(reason(spooled(vec![png], 10_000).await), Reason::PixelsExceeded);
    }

    #[tokio::test]
    async fn an_upload_that_breaks_off_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let body = stream::iter([Ok(Bytes::from_static(b"\xFF\xD8\xFF")), Err(io::Error::other("reset by peer"))]);
        let result = spool(dir.path(), &Limits::default(), body).await;
        assert!(matches!(result, Err(CaptureError::Interrupted(_))));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
