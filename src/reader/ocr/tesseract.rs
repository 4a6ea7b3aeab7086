//! Tesseract through its C API: words with float confidences and boxes from the result iterator, no output parsing.
//!
//! Tesseract under memory pressure returns success with wrong text (measured: 180–220 MB address space on one scan);
//! only Leptonica's error lines tell. So three guards stand before its text is believed: enough memory is proven to
//! be free first, Leptonica's error handler is ours, and the parent reads stderr for Tesseract's own messages.

mod library;

use std::{ffi::CString, sync::Mutex};

use image::RgbImage;

use super::{Engine, EngineSettings, OcrError, Recognised, words::join_unspaced};
use crate::{
    domain::page::{Line, Quad, Word},
    imaging::scale,
    reader::protocol::clean,
};

const ENGINE: &str = "tesseract";
/// Languages of one engine; each costs tens of megabytes and nearly doubles the time.
const MAX_LANGUAGES: usize = 6;
/// Characters of the engine's own error text that are kept.
const MAX_CAUSE_CHARS: usize = 300;
/// Memory that must be free before recognition, apart from the picture: the peak seen over the corpus was below
/// half of it.
const HEADROOM_BYTES: usize = 160 * 1024 * 1024;
/// And for each pixel: the 32-bit copy, grey, binary and thresholding planes, rounded up.
const HEADROOM_BYTES_PER_PIXEL: usize = 24;
/// Words taken from one picture; the protocol refuses more.
const MAX_WORDS: usize = crate::reader::protocol::MAX_WORDS_PER_PAGE;
/// Pictures narrower or lower than this hold no text Tesseract could read; it complains about them.
const MIN_SIDE: u32 = 8;

/// What Leptonica printed since the last look. One engine per process, so one place.
static COMPLAINTS: Mutex<String> = Mutex::new(String::new());

/// A loaded Tesseract.
pub struct Tesseract {
    api: capi::Api,
    languages: String,
    max_side: u32,
    page_deadline_ms: u32,
}

impl Tesseract {
    /// Loads the languages from `TESSDATA_PREFIX` or the place Tesseract was built for.
    pub fn load(settings: &EngineSettings) -> Result<Self, OcrError> {
        let unavailable = |cause: String| OcrError::Unavailable { engine: ENGINE, cause };
        let languages = settings.languages.join("+");
        let plain = |name: &String| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        if settings.languages.is_empty()
            || settings.languages.len() > MAX_LANGUAGES
            || !settings.languages.iter().all(plain)
        {
            return Err(unavailable(format!("`{languages}` is not a list of 1 to {MAX_LANGUAGES} language names")));
        }
        let name = CString::new(languages.as_str()).map_err(|e| unavailable(e.to_string()))?;
        let library = library::library().map_err(|cause| unavailable(cause.to_owned()))?;
        let api = capi::Api::load(library, &name).ok_or_else(|| {
            unavailable(format!(
                "`{languages}` could not be loaded; install the tesseract-ocr-* packages or set TESSDATA_PREFIX"
            ))
        })?;
        Ok(Self { api, languages, max_side: settings.max_side, page_deadline_ms: settings.page_deadline_ms })
    }
}

impl Engine for Tesseract {
    fn version(&self) -> String {
        format!("{ENGINE} {} ({}, psm 6)", self.api.version(), self.languages)
    }

    fn recognise(&mut self, picture: &RgbImage) -> Result<Recognised, OcrError> {
        if picture.width() < MIN_SIDE || picture.height() < MIN_SIDE {
            return Ok(Recognised { lines: Vec::new(), warnings: vec!["picture_too_small".into()] });
        }
        let failed =
            |cause: &str| OcrError::Failed { engine: ENGINE, cause: cause.chars().take(MAX_CAUSE_CHARS).collect() };
        let scaled = scale::to_longest_side(picture, self.max_side);
        let input = scaled.as_ref().unwrap_or(picture);
        prove_headroom(input)?;
        take_complaints();
        let outcome = self.api.recognise(input, self.page_deadline_ms);
        // First the complaints: text that came with one is not believed, and a refusal that came with one has its cause.
        let complaints = take_complaints();
        if !complaints.is_empty() {
            return Err(failed(&complaints));
        }
        let lines = outcome.map_err(|stopped| match stopped {
            capi::Stopped::Deadline => OcrError::Deadline { engine: ENGINE, limit_ms: self.page_deadline_ms },
            capi::Stopped::Error(cause) => failed(cause),
        })?;
        let factor = (picture.width() as f32 / input.width() as f32, picture.height() as f32 / input.height() as f32);
        let lines = lines.into_iter().filter_map(|words| line(words, factor)).collect();
        Ok(Recognised { lines, warnings: Vec::new() })
    }
}

/// Refuses to start what could run out of memory half-way and then lie.
fn prove_headroom(picture: &RgbImage) -> Result<(), OcrError> {
    let pixels = picture.width() as usize * picture.height() as usize;
    let needed_bytes = HEADROOM_BYTES + pixels * HEADROOM_BYTES_PER_PIXEL;
    let mut proof: Vec<u8> = Vec::new();
    // Reserved address space is what the limit counts; the pages are never touched, so this costs microseconds.
    proof.try_reserve_exact(needed_bytes).map_err(|_| OcrError::Memory { engine: ENGINE, needed_bytes })?;
    std::hint::black_box(proof.as_ptr());
    Ok(())
}

/// One word as the C API gave it, in pixels of the scaled picture.
struct RawWord {
    text: String,
    confidence: f32,
    char_confidences: Vec<f32>,
    edges: [i32; 4],
}

fn line(words: Vec<RawWord>, factor: (f32, f32)) -> Option<Line> {
    let words = words.into_iter().filter_map(|raw| word(raw, factor)).collect();
    Line::from_words(join_unspaced(words))
}

fn word(raw: RawWord, (fx, fy): (f32, f32)) -> Option<Word> {
    let text = clean(raw.text.trim());
    if text.is_empty() {
        return None;
    }
    let [left, top, right, bottom] = raw.edges.map(|edge| edge as f32);
    let percent = |value: f32| if value.is_finite() { (value / 100.0).clamp(0.0, 1.0) } else { 0.0 };
    let char_scores: Vec<f32> = if raw.char_confidences.len() == text.chars().count() {
        raw.char_confidences.into_iter().map(percent).collect()
    } else {
        Vec::new()
    };
    let quad = Quad::from_edges(left * fx, top * fy, right * fx, bottom * fy);
    Some(Word { text, quad, score: percent(raw.confidence), char_scores })
}

fn take_complaints() -> String {
    COMPLAINTS.lock().map(|mut text| std::mem::take(&mut *text)).unwrap_or_default()
}

mod capi {
    #![expect(unsafe_code, reason = "the C API of Tesseract and Leptonica")]

    use std::{
        ffi::{CStr, c_char, c_int},
        ptr::NonNull,
    };

    use image::RgbImage;

    use super::{
        COMPLAINTS, MAX_CAUSE_CHARS, MAX_WORDS, RawWord,
        library::{
            BaseApi, LSTM_ONLY, Library, PageIterator, ResultIterator, SEVERITY_ERROR, SINGLE_BLOCK, SYMBOL, TEXT_LINE,
            WORD,
        },
    };

    /// Why recognition stopped.
    pub(super) enum Stopped {
        Deadline,
        Error(&'static str),
    }

    /// Owns a `TessBaseAPI`.
    pub(super) struct Api {
        library: &'static Library,
        handle: NonNull<BaseApi>,
    }

    // SAFETY: the instance has no thread affinity (measured: one per thread works); `&mut` keeps use exclusive.
    unsafe impl Send for Api {}

    impl Drop for Api {
        fn drop(&mut self) {
            // SAFETY: the pointer came from TessBaseAPICreate and is deleted once.
            unsafe { (self.library.TessBaseAPIDelete)(self.handle.as_ptr()) };
        }
    }

    /// Leptonica's messages come here, piece by piece, instead of going to stderr.
    unsafe extern "C" fn complain(message: *const c_char) {
        if message.is_null() {
            return;
        }
        // SAFETY: Leptonica hands over a NUL-terminated buffer that lives during the call.
        let text = unsafe { CStr::from_ptr(message) }.to_string_lossy();
        if let Ok(mut all) = COMPLAINTS.lock()
            && all.len() < MAX_CAUSE_CHARS * 4
        {
            all.push_str(&text);
        }
    }

    impl Api {
        /// The library's version.
        pub(super) fn version(&self) -> String {
            // SAFETY: returns a static NUL-terminated string.
            unsafe { CStr::from_ptr((self.library.TessVersion)()) }.to_string_lossy().into_owned()
        }

        /// Loads `languages`, LSTM only (the legacy engine's data is not packaged), page segmentation mode 6 (one
        /// block of text). `None` when the data is missing.
        pub(super) fn load(library: &'static Library, languages: &CStr) -> Option<Self> {
            // SAFETY: the handler is a static function; severity is a plain number.
            unsafe {
                (library.leptSetStderrHandler)(Some(complain));
                (library.setMsgSeverity)(SEVERITY_ERROR);
            }
            // SAFETY: creates an instance; owned by the value from here on, so every return below deletes it.
            let api = Self { library, handle: NonNull::new(unsafe { (library.TessBaseAPICreate)() })? };
            // SAFETY: valid instance and NUL-terminated name; a null path means TESSDATA_PREFIX or the built-in one.
            let answer = unsafe {
                (library.TessBaseAPIInit2)(api.handle.as_ptr(), std::ptr::null(), languages.as_ptr(), LSTM_ONLY)
            };
            if answer != 0 {
                return None;
            }
            // SAFETY: valid, initialised instance.
            unsafe { (library.TessBaseAPISetPageSegMode)(api.handle.as_ptr(), SINGLE_BLOCK) };
            Some(api)
        }

        /// Recognises a picture; lines of words top to bottom.
        pub(super) fn recognise(&mut self, picture: &RgbImage, deadline_ms: u32) -> Result<Vec<Vec<RawWord>>, Stopped> {
            let size = |value: u32| c_int::try_from(value).map_err(|_| Stopped::Error("the picture is too large"));
            let (width, height) = (size(picture.width())?, size(picture.height())?);
            let deadline = size(deadline_ms)?;
            // SAFETY: the buffer has height rows of width * 3 bytes and outlives this call; SetImage copies it.
            // The monitor is created, used and deleted here and nowhere else.
            let answer = unsafe {
                (self.library.TessBaseAPISetImage)(
                    self.handle.as_ptr(),
                    picture.as_raw().as_ptr(),
                    width,
                    height,
                    3,
                    width * 3,
                );
                let monitor = (self.library.TessMonitorCreate)();
                if monitor.is_null() {
                    return Err(Stopped::Error("no monitor"));
                }
                (self.library.TessMonitorSetDeadlineMSecs)(monitor, deadline);
                let answer = (self.library.TessBaseAPIRecognize)(self.handle.as_ptr(), monitor);
                (self.library.TessMonitorDelete)(monitor);
                answer
            };
            // With a monitor set, the deadline is the only documented cause of a refusal after SetImage.
            let result = if answer == 0 { self.words() } else { Err(Stopped::Deadline) };
            // SAFETY: valid instance; frees the picture and results, keeps the models.
            unsafe { (self.library.TessBaseAPIClear)(self.handle.as_ptr()) };
            result
        }

        fn words(&mut self) -> Result<Vec<Vec<RawWord>>, Stopped> {
            // SAFETY: valid instance after Recognize; null means no text.
            let Some(iterator) = NonNull::new(unsafe { (self.library.TessBaseAPIGetIterator)(self.handle.as_ptr()) })
            else {
                return Ok(Vec::new());
            };
            let iterator = Words { library: self.library, handle: iterator };
            let mut lines: Vec<Vec<RawWord>> = Vec::new();
            for _ in 0..MAX_WORDS {
                if iterator.starts_line() || lines.is_empty() {
                    lines.push(Vec::new());
                }
                if let (Some(word), Some(line)) = (iterator.word(), lines.last_mut()) {
                    line.push(word);
                }
                if !iterator.next(WORD) {
                    return Ok(lines);
                }
            }
            Err(Stopped::Error("more words than a page may have"))
        }
    }

    /// Owns a result iterator; must not outlive the results of its instance, which `words` sees to.
    struct Words {
        library: &'static Library,
        handle: NonNull<ResultIterator>,
    }

    impl Drop for Words {
        fn drop(&mut self) {
            // SAFETY: deleted once.
            unsafe { (self.library.TessResultIteratorDelete)(self.handle.as_ptr()) };
        }
    }

    impl Words {
        fn page_iterator(&self) -> *const PageIterator {
            // SAFETY: valid iterator; the result is a view of it, not owned.
            unsafe { (self.library.TessResultIteratorGetPageIteratorConst)(self.handle.as_ptr()) }
        }

        fn next(&self, level: c_int) -> bool {
            // SAFETY: valid iterator.
            unsafe { (self.library.TessResultIteratorNext)(self.handle.as_ptr(), level) != 0 }
        }

        fn starts_line(&self) -> bool {
            // SAFETY: valid view.
            unsafe { (self.library.TessPageIteratorIsAtBeginningOf)(self.page_iterator(), TEXT_LINE) != 0 }
        }

        fn text(&self, level: c_int) -> Option<String> {
            // SAFETY: returns null or an owned NUL-terminated string, which is copied and then freed once.
            unsafe {
                let text = (self.library.TessResultIteratorGetUTF8Text)(self.handle.as_ptr(), level);
                if text.is_null() {
                    return None;
                }
                let copy = CStr::from_ptr(text).to_string_lossy().into_owned();
                (self.library.TessDeleteText)(text);
                Some(copy)
            }
        }

        fn confidence(&self, level: c_int) -> f32 {
            // SAFETY: valid iterator.
            unsafe { (self.library.TessResultIteratorConfidence)(self.handle.as_ptr(), level) }
        }

        fn word(&self) -> Option<RawWord> {
            let text = self.text(WORD)?;
            let mut edges: [c_int; 4] = [0; 4];
            let [left, top, right, bottom] = &mut edges;
            // SAFETY: valid view; four distinct out-parameters.
            let known = unsafe {
                (self.library.TessPageIteratorBoundingBox)(self.page_iterator(), WORD, left, top, right, bottom)
            };
            (known != 0).then(|| RawWord {
                text,
                confidence: self.confidence(WORD),
                char_confidences: self.symbols(),
                edges,
            })
        }

        /// Confidence of each character of the current word; symbols of several characters count for each.
        fn symbols(&self) -> Vec<f32> {
            let mut confidences = Vec::new();
            // SAFETY: copies the iterator so that the outer walk keeps its place.
            let Some(copy) = NonNull::new(unsafe { (self.library.TessResultIteratorCopy)(self.handle.as_ptr()) })
            else {
                return confidences;
            };
            let symbols = Self { library: self.library, handle: copy };
            for _ in 0..crate::reader::protocol::MAX_WORD_CHARS {
                let confidence = symbols.confidence(SYMBOL);
                let chars = symbols.text(SYMBOL).map_or(0, |text| text.chars().count());
                confidences.extend(std::iter::repeat_n(confidence, chars));
                // SAFETY: valid view.
                let last = unsafe {
                    (self.library.TessPageIteratorIsAtFinalElement)(symbols.page_iterator(), WORD, SYMBOL) != 0
                };
                if last || !symbols.next(SYMBOL) {
                    break;
                }
            }
            confidences
        }
    }
}
