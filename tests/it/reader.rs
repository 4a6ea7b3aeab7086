//! The reader as a process: the real binary in its sandbox, and everything that may go wrong with it.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as its body may")]

use std::{
    fs,
    io::Cursor,
    os::unix::{
        fs::PermissionsExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use ab_glyph::{Font as _, FontVec, ScaleFont as _};
use bytes::Bytes;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use vouch::{
    domain::{
        capture::{Limits, Reason},
        media::MediaType,
        page::{Page, Quad, Word},
    },
    reader::{
        PoolSettings, ReadRequest, ReaderPool, Reading, Role,
        child::ChildSettings,
        probe::{self, Probe},
        process::Patience,
        protocol::{ReceiptRegion, Rotation},
    },
};

const FONT: &str = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf";
const BINARY: &str = env!("CARGO_BIN_EXE_vouch");

/// What the drawn receipt says, and the top left of each line in pixels.
const LINES: &[(&str, i32, i32)] = &[
    ("HARBOUR CAFE", 60, 60),
    ("Date 2024-05-17", 60, 130),
    ("Coffee 4.50", 60, 200),
    ("Sandwich 8.30", 60, 270),
    ("TOTAL EUR 12.80", 60, 360),
];
const TEXT_HEIGHT: f32 = 36.0;

fn receipt() -> RgbImage {
    let font = FontVec::try_from_vec(fs::read(FONT).expect("apt install fonts-dejavu")).unwrap();
    let mut paper = RgbImage::from_pixel(520, 460, Rgb([250, 250, 246]));
    for (text, x, y) in LINES {
        draw(&mut paper, &font, text, *x as f32, *y as f32);
    }
    paper
}

fn draw(paper: &mut RgbImage, font: &FontVec, text: &str, x: f32, y: f32) {
    let font = font.as_scaled(TEXT_HEIGHT);
    let mut at = ab_glyph::point(x, y + font.ascent());
    for character in text.chars() {
        let glyph = font.glyph_id(character).with_scale_and_position(TEXT_HEIGHT, at);
        at.x += font.h_advance(glyph.id);
        let Some(outline) = font.outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|dx, dy, coverage| {
            let pixel = paper.get_pixel_mut(corner.x as u32 + dx, corner.y as u32 + dy);
            pixel.0 = pixel.0.map(|paper| (f32::from(paper) * (1.0 - coverage) + 20.0 * coverage) as u8);
        });
    }
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture.clone()).write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

/// A JPEG with an EXIF segment that holds nothing but an orientation.
fn jpeg_with_orientation(picture: &RgbImage, orientation: u8) -> Bytes {
    let jpeg = encoded(picture, ImageFormat::Jpeg);
    let exif: Vec<u8> =
        [b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], b"\0\0\0\0\0\0"]
            .concat();
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend((exif.len() as u16 + 2).to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes.into()
}

fn settings(program: impl Into<PathBuf>) -> PoolSettings {
    PoolSettings::new(program.into(), ChildSettings::default(), 2)
}

fn pool() -> ReaderPool {
    ReaderPool::start(settings(BINARY))
}

fn request(media_type: MediaType, document: Bytes) -> ReadRequest {
    ReadRequest::new(media_type, Limits::default(), document)
}

fn find<'a>(page: &'a Page, text: &str) -> &'a Word {
    let word = page.lines.iter().flat_map(|line| &line.words).find(|word| word.text == text);
    word.unwrap_or_else(|| panic!("`{text}` is not among:\n{}", page.text()))
}

fn assert_near(quad: &Quad, left: f32, top: f32, right: f32, bottom: f32) {
    let found = [quad.left(), quad.top(), quad.right(), quad.bottom()];
    for (found, expected) in found.into_iter().zip([left, top, right, bottom]) {
        assert!((found - expected).abs() < 14.0, "{quad:?} is not near {left} {top} {right} {bottom}");
    }
}

/// Where `TOTAL` stands on the drawn receipt: five of the font's cells of 0.6 em, capitals from 0.2 to 0.95 em.
fn assert_total_is_in_place(page: &Page) {
    assert_near(&find(page, "TOTAL").quad, 60.0, 364.0, 152.0, 394.0);
}

async fn read(pool: &ReaderPool, media_type: MediaType, document: Bytes) -> Reading {
    pool.read(request(media_type, document)).await.unwrap()
}

#[tokio::test]
async fn a_drawn_receipt_is_read_with_every_word_in_its_place() {
    let pool = pool();
    for (format, media_type) in [(ImageFormat::Png, MediaType::Png), (ImageFormat::WebP, MediaType::WebP)] {
        let reading = read(&pool, media_type, encoded(&receipt(), format)).await;
        let [page] = reading.pages.as_slice() else { panic!("one page") };
        assert_eq!((page.width, page.height), (520, 460));
        let text = page.text();
        for (line, ..) in LINES {
            assert!(text.contains(line), "`{line}` is not in:\n{text}");
        }
        assert_total_is_in_place(page);
        let total = find(page, "TOTAL");
        assert!(total.score > 0.5 && total.char_scores.len() == 5, "{total:?}");
        assert!(
            reading.engine.starts_with("tesseract 5") || reading.engine.starts_with("tesseract 4"),
            "{}",
            reading.engine
        );
        assert_eq!(reading.receipts, [ReceiptRegion { page: 0, quad: Quad::from_edges(0.0, 0.0, 520.0, 460.0) }]);
        let [preview] = reading.previews.as_slice() else { panic!("one preview") };
        let picture = image::load_from_memory_with_format(&preview.jpeg, ImageFormat::Jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (preview.width, preview.height));
        assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
    }
}

#[tokio::test]
async fn a_photo_turned_by_exif_gives_boxes_in_upright_pixels() {
    // Orientation 6: the camera was turned, the stored picture must be turned 90° clockwise to be upright.
    let stored = image::imageops::rotate270(&receipt());
    let reading = read(&pool(), MediaType::Jpeg, jpeg_with_orientation(&stored, 6)).await;
    assert_eq!((reading.pages[0].width, reading.pages[0].height), (520, 460));
    assert_total_is_in_place(&reading.pages[0]);
}

#[tokio::test]
async fn a_turn_asked_for_by_a_person_is_read_upright_and_boxed_on_the_page_as_it_is() {
    // The page lies on its side; a person says "turn it a quarter clockwise".
    let lying = image::imageops::rotate270(&receipt());
    let mut request = request(MediaType::Png, encoded(&lying, ImageFormat::Png));
    request.rotation = Rotation::Quarter;
    let reading = pool().read(request).await.unwrap();
    let page = &reading.pages[0];
    assert_eq!((page.width, page.height), (460, 520));
    let quad = find(page, "TOTAL").quad;
    // (60, 364)–(152, 394) of the upright receipt, seen on the lying one.
    assert_near(&quad, 364.0, 520.0 - 152.0, 394.0, 520.0 - 60.0);
    assert!(quad.text_width() > quad.text_height() * 2.0, "corners start at the text's own top left: {quad:?}");
}

#[tokio::test]
async fn a_region_is_read_alone_and_boxed_on_the_whole_page() {
    let mut request = request(MediaType::Png, encoded(&receipt(), ImageFormat::Png));
    request.region = Some(ReceiptRegion { page: 0, quad: Quad::from_edges(0.0, 330.0, 520.0, 430.0) });
    let reading = pool().read(request).await.unwrap();
    assert_total_is_in_place(&reading.pages[0]);
    assert!(!reading.pages[0].text().contains("HARBOUR"));
}

#[tokio::test]
async fn a_large_picture_is_scaled_for_recognition_and_its_boxes_are_scaled_back() {
    let large = image::imageops::resize(&receipt(), 520 * 6, 460 * 6, image::imageops::FilterType::Triangle);
    let reading = read(&pool(), MediaType::Jpeg, encoded(&large, ImageFormat::Jpeg)).await;
    let quad = find(&reading.pages[0], "TOTAL").quad;
    let small = Quad(quad.0.map(|[x, y]| [x / 6.0, y / 6.0]));
    assert_near(&small, 60.0, 364.0, 152.0, 394.0);
    assert_eq!(reading.previews[0].width, 1600);
}

#[tokio::test]
async fn the_pages_of_a_tiff_are_read_one_by_one() {
    let first = receipt();
    let second = image::imageops::resize(&first, 1040, 920, image::imageops::FilterType::Triangle);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    for page in [&first, &second] {
        encoder.write_image::<tiff::encoder::colortype::RGB8>(page.width(), page.height(), page.as_raw()).unwrap();
    }
    let bytes = Bytes::from(bytes.into_inner());
    let reading = read(&pool(), MediaType::Tiff, bytes.clone()).await;
    let sizes: Vec<_> = reading.pages.iter().map(|page| (page.index, page.width)).collect();
    assert_eq!(sizes, [(0, 520), (1, 1040)]);
    find(&reading.pages[1], "TOTAL");

    let mut limited = request(MediaType::Tiff, bytes);
    limited.limits.max_pages = 1;
    assert_eq!(pool().read(limited).await.unwrap_err().reason, Reason::PagesExceeded);
}

#[tokio::test]
async fn a_document_given_to_the_wrong_role_is_handed_over() {
    let mut request = request(MediaType::Png, encoded(&receipt(), ImageFormat::Png));
    request.role = Role::Parse;
    assert_total_is_in_place(&pool().read(request).await.unwrap().pages[0]);
}

#[tokio::test]
async fn broken_and_oversized_pictures_get_their_reason_and_the_pool_goes_on() {
    let pool = pool();
    let png = encoded(&receipt(), ImageFormat::Png);
    let mut bomb = png.to_vec();
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]); // 30,000 x 30,000
    for (document, reason) in [
        (Bytes::new(), Reason::Empty),
        (Bytes::from(bomb), Reason::PixelsExceeded),
        (png.slice(..png.len() / 2), Reason::Undecodable),
    ] {
        assert_eq!(pool.read(request(MediaType::Png, document)).await.unwrap_err().reason, reason);
    }
    assert_total_is_in_place(&read(&pool, MediaType::Png, png).await.pages[0]);
}

#[tokio::test]
async fn a_missing_language_says_what_to_install() {
    let mut settings = settings(BINARY);
    settings.child.engine.languages = vec!["nolanguage".into()];
    let failure = ReaderPool::start(settings).check(Role::See).await.unwrap_err();
    assert_eq!(failure.reason, Reason::RecognitionFailed);
    assert!(failure.detail.contains("`nolanguage`") && failure.detail.contains("tesseract-ocr"), "{failure}");
}

#[tokio::test]
async fn the_posture_says_what_the_sandbox_enforces() {
    let pool = pool();
    for role in [Role::Parse, Role::See] {
        let hello = pool.check(role).await.unwrap();
        assert!(hello.posture.seccomp && hello.posture.resource_limits, "{hello:?}");
    }
    assert_eq!(pool.idle(Role::See), 1, "the checked child stays ready");
}

/// A pool whose children are a shell script instead of the binary: what a subverted child could do.
struct Impostor {
    directory: tempfile::TempDir,
    pool: ReaderPool,
}

impl Impostor {
    fn new(script: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("reader.sh");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut settings = settings(program);
        // One child for each document, so that what is looked at is that document's child.
        settings.idle_see = 0;
        settings.patience = Patience { start: Duration::from_secs(2), read: Duration::from_secs(2) };
        Self { directory, pool: ReaderPool::start(settings) }
    }

    async fn reason(&self) -> Reason {
        self.pool.read(request(MediaType::Png, encoded(&receipt(), ImageFormat::Png))).await.unwrap_err().reason
    }
}

/// A shell command that greets honestly, as the binary would.
fn greeting() -> String {
    format!("{BINARY} reader --role see </dev/null")
}

#[tokio::test]
async fn garbage_flood_hang_and_death_of_a_child_cost_one_reading_a_typed_reason() {
    let greeting = greeting();
    for (name, script, reason) in [
        ("garbage", "head -c 4096 /dev/urandom | tr '\\000-\\040' X".to_owned(), Reason::ProtocolViolation),
        (
            "a frame without end",
            "printf '\\022\\377\\377\\377\\177\\000\\000\\000\\000'".into(),
            Reason::ProtocolViolation,
        ),
        ("silence", "exec sleep 600".into(), Reason::ReaderTimeout),
        ("a stopped child", format!("{greeting}; kill -STOP $$"), Reason::ReaderTimeout),
        ("sleep after greeting", format!("{greeting}; exec sleep 600"), Reason::ReaderTimeout),
        ("a child that closes its output and stays", "exec >&-; exec sleep 600".into(), Reason::ReaderTimeout),
        ("flood of frames", format!("{greeting}; while :; do {greeting}; done"), Reason::ProtocolViolation),
        ("flood of bytes", format!("{greeting}; exec cat /dev/zero"), Reason::ProtocolViolation),
        ("early exit", "exit 3".into(), Reason::ReaderCrashed),
        ("exit after greeting", format!("{greeting}; exit 0"), Reason::ReaderCrashed),
        ("crash", "kill -SEGV $$".into(), Reason::ReaderCrashed),
        ("killed by the kernel", "kill -KILL $$".into(), Reason::ReaderMemory),
        ("processor time used up", "kill -XCPU $$".into(), Reason::ReaderTimeout),
        (
            "out of memory",
            "echo 'memory allocation of 4096 bytes failed' >&2; kill -ABRT $$".into(),
            Reason::ReaderMemory,
        ),
        ("noise on stderr", "yes x >&2 & exec sleep 600".into(), Reason::ReaderTimeout),
    ] {
        assert_eq!(Impostor::new(&script).reason().await, reason, "{name}");
    }
}

#[tokio::test]
async fn a_hanging_child_is_killed_with_everything_it_started() {
    let impostor = Impostor::new("sleep 600 & echo $! >\"$(dirname \"$0\")/grandchild\"; exec sleep 600");
    assert_eq!(impostor.reason().await, Reason::ReaderTimeout);
    let grandchild = fs::read_to_string(impostor.directory.path().join("grandchild")).unwrap();
    let state = Path::new("/proc").join(grandchild.trim()).join("stat");
    let gone = || fs::read_to_string(&state).map_or(true, |stat| stat.contains(") Z ") || stat.contains(") X "));
    let waiting = async {
        while !gone() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("the grandchild still runs");
}

#[tokio::test]
async fn an_idle_child_that_died_costs_no_document_anything() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("reader.sh");
    let script = format!("#!/bin/sh\nmkdir \"$(dirname \"$0\")/once\" 2>/dev/null && exit 1\nexec {BINARY} \"$@\"\n");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let pool = ReaderPool::start(settings(program));
    while !directory.path().join("once").exists() {
        tokio::task::yield_now().await;
    }
    assert_total_is_in_place(&read(&pool, MediaType::Png, encoded(&receipt(), ImageFormat::Png)).await.pages[0]);
}

#[tokio::test]
async fn a_child_that_talks_nonsense_without_listening_is_ended_at_once() {
    // Larger than the pipe, so that sending can never finish.
    let document = Bytes::from(vec![0; 4 * 1024 * 1024]);
    let impostor = Impostor::new(&format!("{}; echo XXXXXXXXXXXX; exec sleep 600", greeting()));
    let failure = impostor.pool.read(request(MediaType::Png, document)).await.unwrap_err();
    assert_eq!(failure.reason, Reason::ProtocolViolation, "{failure}");
}

/// The binary where every user may run it, and the users to run it as.
fn users() -> (tempfile::TempDir, PathBuf, Vec<Option<u32>>) {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = directory.path().join("vouch");
    fs::copy(BINARY, &binary).unwrap();
    let nobody = nix::unistd::geteuid().is_root().then_some(Some(65534));
    (directory, binary, std::iter::once(None).chain(nobody).collect())
}

#[test]
fn no_attempt_to_leave_the_sandbox_succeeds_for_root_or_for_nobody() {
    let (directory, binary, users) = users();
    let open = fs::File::create(directory.path().join("inherited")).unwrap();
    nix::fcntl::fcntl(&open, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    for user in users {
        for probe in Probe::ALL {
            let mut command = Command::new(&binary);
            command.args(["reader", "--probe", probe.as_str()]);
            // The pool clears the environment; here the sandbox stands alone, except for this probe's own variable.
            if *probe != Probe::InheritEnvironment {
                command.env(probe::CANARY_VARIABLE, "secret");
            }
            if let Some(user) = user {
                command.uid(user).gid(user);
            }
            let output = command.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let killed = output.status.signal() == Some(libc::SIGSYS);
            assert!(killed || said == format!("{probe} refused\n"), "{user:?} {probe}: {said} {:?}", output.status);
        }
    }
}

#[tokio::test]
async fn nothing_of_the_services_environment_reaches_a_child() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("reader.sh");
    fs::write(&program, "#!/bin/sh\nexec env >\"$(dirname \"$0\")/environment\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let pool = ReaderPool::start(settings(program));
    assert!(std::env::var_os("PATH").is_some() && std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    pool.check(Role::See).await.unwrap_err();
    let environment = fs::read_to_string(directory.path().join("environment")).unwrap();
    let allowed = [
        "OMP_THREAD_LIMIT",
        "RAYON_NUM_THREADS",
        "RTEN_NUM_THREADS",
        "MALLOC_ARENA_MAX",
        "GLIBC_TUNABLES",
        "TESSDATA_PREFIX",
        "PWD",
        "_",
    ];
    for line in environment.lines() {
        let name = line.split('=').next().unwrap();
        assert!(allowed.contains(&name), "`{name}` reached the child");
    }
}

/// Facts: Tesseract alone returns wrong text with exit code 0 when its memory is tight.
#[tokio::test]
async fn tight_memory_gives_the_same_text_or_a_typed_failure_but_never_other_text() {
    let document = encoded(&receipt(), ImageFormat::Png);
    let expected = read(&pool(), MediaType::Png, document.clone()).await.pages;
    let (mut same, mut failed) = (0, 0);
    for megabytes in (40..=440).step_by(20) {
        let mut settings = settings(BINARY);
        settings.idle_see = 0;
        settings.child.ceilings.memory_bytes = megabytes * 1024 * 1024;
        match ReaderPool::start(settings).read(request(MediaType::Png, document.clone())).await {
            Ok(reading) => {
                assert_eq!(reading.pages, expected, "other text under {megabytes} MB");
                same += 1;
            }
            Err(failure) => {
                let typed = [Reason::ReaderMemory, Reason::RecognitionFailed, Reason::ReaderCrashed];
                assert!(typed.contains(&failure.reason), "{megabytes} MB: {failure}");
                failed += 1;
            }
        }
    }
    assert!(same > 0 && failed > 0, "{same} same, {failed} failed: the sweep must see both sides");
}

/// Files of each folder of the hostile corpus, so that the walk stays within seconds.
const HOSTILE_PER_FOLDER: usize = 4;

#[tokio::test]
async fn every_hostile_file_ends_in_a_reading_or_a_typed_failure() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/hostile");
    let Ok(folders) = fs::read_dir(&corpus) else {
        eprintln!("skipped: {} is not there", corpus.display());
        return;
    };
    let pool = pool();
    let (mut read, mut failed) = (0, 0);
    for folder in folders.flatten() {
        let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|file| file.path()).collect();
        files.sort();
        let pictures = files.iter().filter_map(|path| {
            let bytes = fs::read(path).ok()?;
            // PDFs and other documents are walked in `formats`.
            let media_type = MediaType::sniff(&bytes).filter(|media_type| media_type.is_picture())?;
            Some((path, media_type, bytes))
        });
        // Spread over the folder rather than its first files, which are often variants of one.
        let pictures: Vec<_> = pictures.collect();
        let step = (pictures.len() / HOSTILE_PER_FOLDER).max(1);
        for (path, media_type, bytes) in pictures.into_iter().step_by(step).take(HOSTILE_PER_FOLDER) {
            match pool.read(request(media_type, bytes.into())).await {
                Ok(_) => read += 1,
                Err(failure) => {
                    assert_ne!(failure.reason, Reason::ProtocolViolation, "{}: {failure}", path.display());
                    failed += 1;
                }
            }
        }
    }
    eprintln!("{read} read, {failed} failed with a reason");
    assert!(read + failed > 0);
    find(&pool.read(request(MediaType::Png, encoded(&receipt(), ImageFormat::Png))).await.unwrap().pages[0], "TOTAL");
}
