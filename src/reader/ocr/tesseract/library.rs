//! The C functions of Tesseract and Leptonica, looked up when an engine is loaded.
//!
//! Not linked: Tesseract brings 50 shared libraries, and loading them was most of what a child of the role `parse` needs to
//! start, which recognises nothing (docs/adr/0015). Nor does building Vouch need them.

#![expect(unsafe_code, reason = "functions of a C library looked up by name")]
#![expect(non_snake_case, reason = "the library's own names")]

use std::{
    ffi::{c_char, c_float, c_int, c_uchar},
    sync::OnceLock,
};

/// Opaque values of the library.
pub enum BaseApi {}
/// What watches a recognition.
pub enum Monitor {}
/// A walk over results.
pub enum ResultIterator {}
/// The same walk, as a view without texts.
pub enum PageIterator {}

/// `TessOcrEngineMode`: `OEM_LSTM_ONLY`.
pub const LSTM_ONLY: c_int = 1;
/// `TessPageSegMode`: `PSM_SINGLE_BLOCK`.
pub const SINGLE_BLOCK: c_int = 6;
/// `TessPageIteratorLevel`: `RIL_TEXTLINE`.
pub const TEXT_LINE: c_int = 2;
/// `RIL_WORD`.
pub const WORD: c_int = 3;
/// `RIL_SYMBOL`.
pub const SYMBOL: c_int = 4;
/// Leptonica's `L_SEVERITY_ERROR`.
pub const SEVERITY_ERROR: c_int = 5;

/// Debian 12 and Ubuntu 24.04 have 5, Ubuntu 22.04 has 4; the functions used are the same in both.
const NAMES: &[&str] = &["libtesseract.so.5", "libtesseract.so.4", "libtesseract.so"];

macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// The functions, by their names in `capi.h` of Tesseract and `allheaders.h` of Leptonica.
        pub struct Library {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
            _open: libloading::Library,
        }

        impl Library {
            fn look_up(open: libloading::Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the signatures are those of the headers, which have not changed since Tesseract 4.0
                    // and Leptonica 1.79. Leptonica's are found because Tesseract depends on it.
                    $($name: *unsafe { open.get(concat!(stringify!($name), "\0").as_bytes()) }?,)*
                    _open: open,
                })
            }
        }
    };
}

functions! {
    TessVersion() -> *const c_char;
    TessBaseAPICreate() -> *mut BaseApi;
    TessBaseAPIDelete(*mut BaseApi);
    TessBaseAPIInit2(*mut BaseApi, *const c_char, *const c_char, c_int) -> c_int;
    TessBaseAPISetPageSegMode(*mut BaseApi, c_int);
    TessBaseAPISetImage(*mut BaseApi, *const c_uchar, c_int, c_int, c_int, c_int);
    TessBaseAPIRecognize(*mut BaseApi, *mut Monitor) -> c_int;
    TessBaseAPIClear(*mut BaseApi);
    TessBaseAPIGetIterator(*mut BaseApi) -> *mut ResultIterator;
    TessMonitorCreate() -> *mut Monitor;
    TessMonitorDelete(*mut Monitor);
    TessMonitorSetDeadlineMSecs(*mut Monitor, c_int);
    TessResultIteratorCopy(*const ResultIterator) -> *mut ResultIterator;
    TessResultIteratorDelete(*mut ResultIterator);
    TessResultIteratorGetPageIteratorConst(*const ResultIterator) -> *const PageIterator;
    TessResultIteratorNext(*mut ResultIterator, c_int) -> c_int;
    TessResultIteratorGetUTF8Text(*const ResultIterator, c_int) -> *mut c_char;
    TessResultIteratorConfidence(*const ResultIterator, c_int) -> c_float;
    TessPageIteratorIsAtBeginningOf(*const PageIterator, c_int) -> c_int;
    TessPageIteratorIsAtFinalElement(*const PageIterator, c_int, c_int) -> c_int;
    TessPageIteratorBoundingBox(*const PageIterator, c_int, *mut c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int;
    TessDeleteText(*const c_char);
    leptSetStderrHandler(Option<unsafe extern "C" fn(*const c_char)>);
    setMsgSeverity(c_int) -> c_int;
}

/// The library, opened once for the life of the process; the error says what to install.
pub fn library() -> Result<&'static Library, &'static str> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    LIBRARY.get_or_init(open).as_ref().map_err(String::as_str)
}

fn open() -> Result<Library, String> {
    let mut cause = String::new();
    for name in NAMES {
        // SAFETY: the initialisers of Tesseract and what it depends on are the same that linking would run.
        match unsafe { libloading::Library::new(name) }.and_then(Library::look_up) {
            Ok(library) => return Ok(library),
            // The first name is the usual one, so what is wrong with it is what helps.
            Err(error) if cause.is_empty() => cause = error.to_string(),
            Err(_) => {}
        }
    }
    Err(format!("the library is not there ({cause}); install the package tesseract-ocr"))
}
