//! The fonts of this machine that documents without fonts of their own are drawn with.
//!
//! A child opens the files before its sandbox closes and maps one of them only when a document asks for it: the
//! Chinese font has 19 MB, of which a page needs a few hundred glyphs, and most documents bring their own. Reading it
//! was a good part of the time of a Chinese invoice. Mapping an open file is all the sandbox still allows.

pub use mapped::Mapped;

use std::{
    fs::File,
    os::fd::{AsRawFd as _, RawFd},
    sync::{Arc, Mutex, OnceLock},
};

/// What a font is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// Latin, Greek and Cyrillic letters of one width.
    Mono,
    /// Chinese, Japanese and Korean without serifs.
    Cjk,
    /// The same with serifs; falls back to the one without.
    CjkSerif,
}

/// Where Debian, Ubuntu, Fedora and Alpine put the fonts, best first.
const MONO_FILES: &[&str] = &[
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "/usr/share/fonts/dejavu/DejaVuSansMono.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf",
];
const CJK_FILES: &[&str] = &[
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSansCJK-Regular.ttc",
];
const CJK_SERIF_FILES: &[&str] = &[
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/noto/NotoSerifCJK-Regular.ttc",
];
/// Bytes of a font file that is still used: Noto Serif CJK has 27 MB.
const MAX_FONT_BYTES: u64 = 64 * 1024 * 1024;

/// The bytes of a font file, shared by all who draw with it.
pub type FontBytes = Arc<Mapped>;

/// An open font file, mapped on first use.
struct FontFile {
    open: Mutex<Option<(File, usize)>>,
    bytes: OnceLock<Option<FontBytes>>,
}

impl FontFile {
    /// The first of `paths` that can be opened; an empty one when there is none.
    fn open(paths: &[&str]) -> Self {
        let open = paths.iter().find_map(|path| {
            let file = File::open(path).ok()?;
            let length = file.metadata().ok()?.len();
            (length > 0 && length <= MAX_FONT_BYTES).then_some((file, length as usize))
        });
        Self { open: Mutex::new(open), bytes: OnceLock::new() }
    }

    fn is_there(&self) -> bool {
        self.open.lock().is_ok_and(|open| open.is_some()) || self.bytes.get().is_some_and(Option::is_some)
    }

    fn bytes(&self) -> Option<FontBytes> {
        self.bytes
            .get_or_init(|| {
                let (file, length) = self.open.lock().ok()?.take()?;
                Mapped::of(&file, length).map(Arc::new)
            })
            .clone()
    }
}

struct Fonts {
    mono: FontFile,
    cjk: FontFile,
    cjk_serif: FontFile,
}

fn fonts() -> &'static Fonts {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    FONTS.get_or_init(|| Fonts {
        mono: FontFile::open(MONO_FILES),
        cjk: FontFile::open(CJK_FILES),
        cjk_serif: FontFile::open(CJK_SERIF_FILES),
    })
}

/// Opens the files; a child must do so before its sandbox closes.
pub fn open() {
    let _ = fonts();
}

/// Descriptors of the fonts that are open and not read yet: what a child has open beside its pipes.
pub fn descriptors() -> Vec<RawFd> {
    let fonts = fonts();
    let of = |font: &FontFile| font.open.lock().ok()?.as_ref().map(|(file, _)| file.as_raw_fd());
    [&fonts.mono, &fonts.cjk, &fonts.cjk_serif].into_iter().filter_map(of).collect()
}

/// Whether the font is installed.
pub fn has(face: Face) -> bool {
    match face {
        Face::Mono => fonts().mono.is_there(),
        Face::Cjk | Face::CjkSerif => fonts().cjk.is_there() || fonts().cjk_serif.is_there(),
    }
}

/// The font's file; `None` when it is not installed.
pub fn bytes(face: Face) -> Option<FontBytes> {
    let fonts = fonts();
    match face {
        Face::Mono => fonts.mono.bytes(),
        Face::Cjk => fonts.cjk.bytes(),
        Face::CjkSerif => fonts.cjk_serif.bytes().or_else(|| fonts.cjk.bytes()),
    }
}

/// What to install when [`has`] says no.
pub const CJK_PACKAGE: &str = "fonts-noto-cjk";

mod mapped {
    #![expect(unsafe_code, reason = "a file seen as memory")]

    use std::{fs::File, ops::Deref, os::fd::AsRawFd as _, ptr::NonNull};

    /// A file as memory, page by page as it is looked at.
    pub struct Mapped {
        start: NonNull<u8>,
        length: usize,
    }

    // SAFETY: the memory is never written to and belongs to the value alone.
    unsafe impl Send for Mapped {}
    // SAFETY: as above.
    unsafe impl Sync for Mapped {}

    impl Mapped {
        /// The first `length` bytes of the file, which must have as many; `None` when the system refuses.
        ///
        /// A font package replaced meanwhile is a new file, and this one stays. Whoever cuts the file itself short, as
        /// no package manager does, kills the child that looks behind its end, which costs one document a retry.
        pub(super) fn of(file: &File, length: usize) -> Option<Self> {
            // SAFETY: a private, read-only mapping at a place the kernel chooses; nothing else knows of it.
            let start = unsafe {
                libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
            };
            if start == libc::MAP_FAILED {
                return None;
            }
            Some(Self { start: NonNull::new(start.cast())?, length })
        }
    }

    impl Deref for Mapped {
        type Target = [u8];

        fn deref(&self) -> &[u8] {
            // SAFETY: mapped with this length until the value goes; see `of` for files that shrink.
            unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
        }
    }

    impl AsRef<[u8]> for Mapped {
        fn as_ref(&self) -> &[u8] {
            self
        }
    }

    impl Drop for Mapped {
        fn drop(&mut self) {
            // SAFETY: mapped with this length, and unmapped once.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        }
    }
}
