//! The parent's side of distrust: nothing a child sends is used before it passed here.

use bytes::Bytes;

use crate::{
    domain::{
        capture::{Limits, Reason, Relation},
        media::MediaType,
        page::{Code, Page, Quad, Word},
        structured::StructuredValue,
    },
    imaging::{header, jpeg},
};

use super::{
    failure::ReadFailure,
    protocol::{
        End, Failed, Frame, FrameError, Handover, Kind, MAX_CODES, MAX_LINES_PER_PAGE, MAX_NAME_CHARS, MAX_PARTS,
        MAX_PREVIEW_BYTES, MAX_PREVIEW_SIDE, MAX_RECEIPTS, MAX_THUMBNAIL, MAX_THUMBNAIL_BYTES, MAX_VALUE_CHARS,
        MAX_VALUES, MAX_WARNINGS, MAX_WORD_CHARS, MAX_WORDS_PER_PAGE, PartHeader, PreviewHeader, ReceiptRegion, Role,
        ThumbnailHeader, Warning, is_clean, is_clean_code,
    },
    sandbox::Posture,
};

/// A preview picture of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// 0-based page.
    pub page: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Preview pixels per page pixel.
    pub scale: f32,
    /// JPEG without metadata.
    pub jpeg: Bytes,
    /// A small JPEG of the top of the page, without metadata.
    pub thumbnail: Option<Bytes>,
}

/// An attachment found inside a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name for people; never a path.
    pub name: String,
    /// The type it was declared with.
    pub declared_type: String,
    /// What it is to the document.
    pub relation: Relation,
    /// Its bytes, as untrusted as any upload.
    pub bytes: Bytes,
}

/// What a child made of one document, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Engine and version.
    pub engine: String,
    /// What the child's sandbox enforced.
    pub posture: Posture,
    /// Pages in order.
    pub pages: Vec<Page>,
    /// One preview for each page.
    pub previews: Vec<Preview>,
    /// Where receipts stand; at least one for each page with role `see`.
    pub receipts: Vec<ReceiptRegion>,
    /// Attachments.
    pub parts: Vec<Part>,
    /// Machine-readable codes.
    pub codes: Vec<Code>,
    /// Exact values from structured data.
    pub values: Vec<StructuredValue>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
}

/// What the frames so far amount to.
pub enum Progress {
    /// Go on reading.
    More,
    /// All there.
    Complete,
    /// The other role should read it.
    Handover(Role),
}

/// Collects a child's frames, refusing the first one that breaks a rule.
pub struct Collector {
    limits: Limits,
    reading: Reading,
}

type Checked<T> = Result<T, ReadFailure>;

fn violation(what: impl AsRef<str>) -> ReadFailure {
    ReadFailure::new(Reason::ProtocolViolation, what)
}

impl From<FrameError> for ReadFailure {
    fn from(error: FrameError) -> Self {
        violation(error.to_string())
    }
}

fn ensure(holds: bool, what: &str) -> Checked<()> {
    if holds { Ok(()) } else { Err(violation(what)) }
}

impl Collector {
    /// For one document read by a child that greeted with this engine and posture.
    pub fn new(limits: Limits, engine: String, posture: Posture) -> Self {
        let reading = Reading {
            engine,
            posture,
            pages: Vec::new(),
            previews: Vec::new(),
            receipts: Vec::new(),
            parts: Vec::new(),
            codes: Vec::new(),
            values: Vec::new(),
            warnings: Vec::new(),
        };
        Self { limits, reading }
    }

    /// Takes the next frame. A typed failure of the child comes back as the error it is.
    pub fn take(&mut self, frame: Frame) -> Checked<Progress> {
        match frame.kind {
            Kind::Page => self.page(frame.decode()?)?,
            Kind::Preview => self.preview(frame.decode()?, frame.body)?,
            Kind::Thumbnail => self.thumbnail(frame.decode()?, frame.body)?,
            Kind::Receipt => self.receipt(frame.decode()?)?,
            Kind::Part => self.part(frame.decode()?, frame.body)?,
            Kind::Code => self.code(frame.decode()?)?,
            Kind::Value => self.value(frame.decode()?)?,
            Kind::Warning => self.warning(frame.decode()?)?,
            Kind::Handover => return Ok(Progress::Handover(frame.decode::<Handover>()?.role)),
            Kind::Failed => return Err(failure(&frame.decode::<Failed>()?)),
            Kind::End => {
                let end: End = frame.decode()?;
                ensure(
                    end.pages as usize == self.reading.pages.len(),
                    "the end frame counts other pages than were sent",
                )?;
                ensure(end.engine == self.reading.engine, "the end frame names another engine than the greeting")?;
                return Ok(Progress::Complete);
            }
            Kind::Request | Kind::Hello | Kind::CannotStart => return Err(violation("a frame out of its place")),
        }
        Ok(Progress::More)
    }

    /// The reading, once complete.
    pub fn finish(mut self) -> Reading {
        self.reading.pages.sort_by_key(|page| page.index);
        self.reading.previews.sort_by_key(|preview| preview.page);
        self.reading
    }

    fn page(&mut self, page: Page) -> Checked<()> {
        let reading = &mut self.reading;
        ensure(reading.pages.len() < self.limits.max_pages as usize, "more pages than allowed")?;
        ensure(page.index < header::MAX_COUNTED_PAGES, "a page index out of range")?;
        ensure(reading.pages.iter().all(|known| known.index != page.index), "the same page twice")?;
        let pixels = u64::from(page.width) * u64::from(page.height);
        ensure(pixels > 0 && pixels <= self.limits.max_pixels, "a page with no or too many pixels")?;
        ensure(page.width.max(page.height) <= self.limits.max_side, "a page with too long a side")?;
        ensure(page.lines.len() <= MAX_LINES_PER_PAGE, "more lines than a page may have")?;
        let words: usize = page.lines.iter().map(|line| line.words.len()).sum();
        ensure(words <= MAX_WORDS_PER_PAGE, "more words than a page may have")?;
        for line in &page.lines {
            ensure(!line.words.is_empty(), "a line without words")?;
            check_box(&line.quad, page.width, page.height)?;
            for word in &line.words {
                check_word(word, &page)?;
            }
        }
        reading.pages.push(page);
        Ok(())
    }

    fn preview(&mut self, header: PreviewHeader, jpeg: Vec<u8>) -> Checked<()> {
        let reading = &mut self.reading;
        ensure(reading.previews.len() < self.limits.max_pages as usize, "more previews than pages allowed")?;
        ensure(reading.previews.iter().all(|known| known.page != header.page), "the same preview twice")?;
        ensure(jpeg.len() <= MAX_PREVIEW_BYTES, "a preview of too many bytes")?;
        ensure(header.width.max(header.height) <= MAX_PREVIEW_SIDE, "a preview with too long a side")?;
        ensure(header.scale > 0.0 && header.scale <= 1.0, "a preview scale out of range")?;
        let real = header::probe_bytes(&jpeg, MediaType::Jpeg).filter(|_| jpeg.starts_with(&[0xFF, 0xD8, 0xFF]));
        ensure(
            real.is_some_and(|real| (real.width, real.height) == (header.width, header.height)),
            "a preview that is not the JPEG it says",
        )?;
        ensure(!jpeg::has_metadata(&jpeg), "a preview with metadata")?;
        let PreviewHeader { page, width, height, scale } = header;
        reading.previews.push(Preview { page, width, height, scale, jpeg: jpeg.into(), thumbnail: None });
        Ok(())
    }

    fn thumbnail(&mut self, header: ThumbnailHeader, jpeg: Vec<u8>) -> Checked<()> {
        ensure(jpeg.len() <= MAX_THUMBNAIL_BYTES, "a thumbnail of too many bytes")?;
        let real = header::probe_bytes(&jpeg, MediaType::Jpeg).filter(|_| jpeg.starts_with(&[0xFF, 0xD8, 0xFF]));
        let fits = real.is_some_and(|real| real.width <= MAX_THUMBNAIL.0 && real.height <= MAX_THUMBNAIL.1);
        ensure(fits && !jpeg::has_metadata(&jpeg), "a thumbnail that is no small JPEG")?;
        let preview = self.reading.previews.iter_mut().find(|preview| preview.page == header.page);
        let preview = preview.filter(|preview| preview.thumbnail.is_none());
        preview.ok_or_else(|| violation("a thumbnail out of its place"))?.thumbnail = Some(jpeg.into());
        Ok(())
    }

    fn receipt(&mut self, region: ReceiptRegion) -> Checked<()> {
        ensure(self.reading.receipts.len() < MAX_RECEIPTS, "more receipts than one document may hold")?;
        self.check_on_page(region.page, &region.quad)?;
        self.reading.receipts.push(region);
        Ok(())
    }

    fn part(&mut self, header: PartHeader, bytes: Vec<u8>) -> Checked<()> {
        ensure(self.reading.parts.len() < MAX_PARTS, "more parts than one document may hold")?;
        check_text(&header.name, MAX_NAME_CHARS)?;
        check_text(&header.declared_type, MAX_NAME_CHARS)?;
        ensure(bytes.len() as u64 <= self.limits.max_bytes, "a part of too many bytes")?;
        let PartHeader { name, declared_type, relation } = header;
        self.reading.parts.push(Part { name, declared_type, relation, bytes: bytes.into() });
        Ok(())
    }

    fn code(&mut self, code: Code) -> Checked<()> {
        ensure(self.reading.codes.len() < MAX_CODES, "more codes than one document may hold")?;
        check_text(&code.symbology, MAX_NAME_CHARS)?;
        ensure(code.text.chars().count() <= MAX_VALUE_CHARS, "a code that says too much")?;
        ensure(is_clean_code(&code.text), "a code with control characters")?;
        self.check_on_page(code.page, &code.quad)?;
        self.reading.codes.push(code);
        Ok(())
    }

    fn value(&mut self, value: StructuredValue) -> Checked<()> {
        ensure(self.reading.values.len() < MAX_VALUES, "more values than one document may hold")?;
        check_text(&value.name, MAX_NAME_CHARS)?;
        check_text(&value.text, MAX_VALUE_CHARS)?;
        if let Some(quad) = &value.quad {
            let page = value.page.ok_or_else(|| violation("a value with a box but no page"))?;
            self.check_on_page(page, quad)?;
        }
        self.reading.values.push(value);
        Ok(())
    }

    fn warning(&mut self, warning: Warning) -> Checked<()> {
        ensure(self.reading.warnings.len() < MAX_WARNINGS, "more warnings than one document may have")?;
        let plain = warning.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        ensure(plain && !warning.code.is_empty() && warning.code.len() <= MAX_NAME_CHARS, "a warning that is no code")?;
        self.reading.warnings.push(warning);
        Ok(())
    }

    fn check_on_page(&self, index: u32, quad: &Quad) -> Checked<()> {
        let page = self.reading.pages.iter().find(|page| page.index == index);
        let page = page.ok_or_else(|| violation("something on a page that was not sent"))?;
        check_box(quad, page.width, page.height)
    }
}

/// Reasons a child may give; the others are for the service to find.
fn failure(failed: &Failed) -> ReadFailure {
    match failed.reason {
        Reason::Empty
        | Reason::TooLarge
        | Reason::UnsupportedType
        | Reason::PixelsExceeded
        | Reason::PagesExceeded
        | Reason::Undecodable
        | Reason::ReaderTimeout
        | Reason::ReaderMemory
        | Reason::RecognitionFailed
        | Reason::PasswordNeeded
        | Reason::XmlDtdForbidden
        | Reason::ArchiveLimits
        | Reason::MimeLimits => ReadFailure::new(failed.reason, &failed.detail),
        Reason::TooManyFiles
        | Reason::ReaderCrashed
        | Reason::ProtocolViolation
        | Reason::ObjectDamaged
        | Reason::ObjectMissing
        | Reason::AttemptsExhausted
        | Reason::SenderDoubted
        | Reason::AutomaticMail
        | Reason::AlreadyFiled
        | Reason::IdempotencyConflict => violation("a reason a reader cannot give"),
    }
}

/// Rounding may put a box on the outermost pixel's far edge, not beyond.
const EDGE_TOLERANCE: f32 = 1.0;

fn check_box(quad: &Quad, width: u32, height: u32) -> Checked<()> {
    let inside = quad.is_finite()
        && quad.left() >= -EDGE_TOLERANCE
        && quad.top() >= -EDGE_TOLERANCE
        && quad.right() <= width as f32 + EDGE_TOLERANCE
        && quad.bottom() <= height as f32 + EDGE_TOLERANCE;
    ensure(inside, "a box outside its page")
}

fn check_word(word: &Word, page: &Page) -> Checked<()> {
    check_box(&word.quad, page.width, page.height)?;
    ensure(!word.text.trim().is_empty(), "a word without text")?;
    check_text(&word.text, MAX_WORD_CHARS)?;
    let in_range = |score: &f32| (0.0..=1.0).contains(score);
    ensure(in_range(&word.score) && word.char_scores.iter().all(in_range), "a score out of range")?;
    let fits = word.char_scores.is_empty() || word.char_scores.len() == word.text.chars().count();
    ensure(fits, "as many character scores as characters, or none")
}

fn check_text(text: &str, max_chars: usize) -> Checked<()> {
    ensure(text.chars().count() <= max_chars, "a text that is too long")?;
    ensure(is_clean(text), "a text with control characters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::page::{Line, TextSource},
        reader::protocol::{read_frame, write_frame},
    };

    fn frame(kind: Kind, header: &impl serde::Serialize, body: &[u8]) -> Frame {
        let mut wire = Vec::new();
        write_frame(&mut wire, kind, header, body).unwrap();
        read_frame(&mut wire.as_slice(), u32::MAX).unwrap().unwrap()
    }

    fn collector() -> Collector {
        let posture = Posture { resource_limits: true, seccomp: true, landlock_abi: 7, landlock_full: true };
        Collector::new(Limits::default(), "engine".into(), posture)
    }

    fn page() -> Page {
        let quad = Quad::from_edges(1.0, 2.0, 30.0, 12.0);
        let word = Word { text: "TOTAL".into(), quad, score: 0.9, char_scores: vec![0.9; 5] };
        let lines = vec![Line { words: vec![word], quad }];
        Page { index: 0, width: 100, height: 50, lines, source: TextSource::Recognition }
    }

    fn word_of(page: &mut Page) -> &mut Word {
        &mut page.lines[0].words[0]
    }

    #[test]
    fn an_honest_reading_passes() {
        let mut collector = collector();
        assert!(matches!(collector.take(frame(Kind::Page, &page(), &[])), Ok(Progress::More)));
        let end = End { engine: "engine".into(), pages: 1 };
        assert!(matches!(collector.take(frame(Kind::End, &end, &[])), Ok(Progress::Complete)));
        assert_eq!(collector.finish().pages, [page()]);
    }

    #[test]
    fn every_lie_about_a_page_is_a_violation() {
        type Lie = (&'static str, fn(&mut Page));
        let lies: &[Lie] = &[
            ("no width", |p| p.width = 0),
            ("too many pixels", |p| p.width = 16_000_000),
            ("infinite box", |p| word_of(p).quad.0[2][0] = f32::INFINITY),
            ("box without number", |p| word_of(p).quad.0[2][0] = f32::NAN),
            ("box outside", |p| word_of(p).quad.0[1][0] = 500.0),
            ("control characters", |p| word_of(p).text = "a\u{1b}[2J".into()),
            ("direction override", |p| word_of(p).text = "\u{202E}abc".into()),
            ("empty word", |p| word_of(p).text = " ".into()),
            ("endless word", |p| word_of(p).text = "x".repeat(MAX_WORD_CHARS + 1)),
            ("score above one", |p| word_of(p).score = 1.5),
            ("score without number", |p| word_of(p).score = f32::NAN),
            ("character scores of another word", |p| word_of(p).char_scores = vec![0.5; 3]),
            ("line without words", |p| p.lines[0].words.clear()),
            ("too many lines", |p| p.lines = vec![p.lines[0].clone(); MAX_LINES_PER_PAGE + 1]),
        ];
        for (name, lie) in lies {
            let mut page = page();
            lie(&mut page);
            let outcome = collector().take(frame(Kind::Page, &page, &[]));
            assert_eq!(outcome.err().map(|e| e.reason), Some(Reason::ProtocolViolation), "{name}");
        }
    }

    #[test]
    fn the_same_page_twice_or_a_region_on_no_page_is_a_violation() {
        let mut collector = collector();
        collector.take(frame(Kind::Page, &page(), &[])).unwrap();
        assert!(collector.take(frame(Kind::Page, &page(), &[])).is_err());
        let elsewhere = ReceiptRegion { page: 3, quad: Quad::from_edges(0.0, 0.0, 1.0, 1.0) };
        assert!(collector.take(frame(Kind::Receipt, &elsewhere, &[])).is_err());
    }

    #[test]
    fn a_preview_must_be_the_jpeg_it_says() {
        let preview = super::super::see::preview::make(&image::RgbImage::new(40, 30)).unwrap();
        let header = PreviewHeader { page: 0, width: 40, height: 30, scale: 1.0 };
        assert!(collector().take(frame(Kind::Preview, &header, &preview.jpeg)).is_ok());
        let wider = PreviewHeader { width: 41, ..header };
        assert!(collector().take(frame(Kind::Preview, &wider, &preview.jpeg)).is_err());
        assert!(collector().take(frame(Kind::Preview, &header, b"<svg onload=alert(1)>")).is_err());
        let zoomed = PreviewHeader { scale: f32::NAN, ..header };
        assert!(collector().take(frame(Kind::Preview, &zoomed, &preview.jpeg)).is_err());
    }

    #[test]
    fn a_thumbnail_is_small_and_follows_its_preview_once() {
        let preview = super::super::see::preview::make(&image::RgbImage::new(400, 300)).unwrap();
        let header = PreviewHeader { page: 0, width: 400, height: 300, scale: 1.0 };
        let page = ThumbnailHeader { page: 0 };
        let mut collector = collector();
        assert!(collector.take(frame(Kind::Thumbnail, &page, &preview.thumbnail)).is_err(), "before its preview");
        collector.take(frame(Kind::Preview, &header, &preview.jpeg)).unwrap();
        assert!(collector.take(frame(Kind::Thumbnail, &page, &preview.jpeg)).is_err(), "too large");
        assert!(collector.take(frame(Kind::Thumbnail, &ThumbnailHeader { page: 1 }, &preview.thumbnail)).is_err());
        collector.take(frame(Kind::Thumbnail, &page, &preview.thumbnail)).unwrap();
        assert!(collector.take(frame(Kind::Thumbnail, &page, &preview.thumbnail)).is_err(), "twice");
    }

    #[test]
    fn a_child_may_fail_only_for_reasons_it_can_know() {
        let undecodable = Failed { reason: Reason::Undecodable, detail: "cut\u{7}".into() };
        let failure = collector().take(frame(Kind::Failed, &undecodable, &[])).err().unwrap();
        assert_eq!(failure, ReadFailure { reason: Reason::Undecodable, detail: "cut".into() });
        let pretender = Failed { reason: Reason::ObjectDamaged, detail: String::new() };
        let failure = collector().take(frame(Kind::Failed, &pretender, &[])).err().unwrap();
        assert_eq!(failure.reason, Reason::ProtocolViolation);
    }
}
