//! Documents that are no plain pictures, through the real binary in its sandbox: PDF of every kind, HEIC, codes.
#![expect(clippy::unwrap_used, reason = "a test's helpers may panic as its body may")]

use std::path::{Path, PathBuf};

use bytes::Bytes;
use vouch::{
    domain::{
        capture::{Limits, Reason},
        media::MediaType,
        page::{Quad, TextSource},
        structured::StructuredSource,
    },
    reader::{
        PoolSettings, ReadRequest, ReaderPool, Reading, ReceiptRegion, Role,
        child::ChildSettings,
        fonts::{self, Face},
        paper,
        protocol::Password,
    },
};
use vouch_fixtures::pdf::{Ink, Pdf, PdfPage};

const BINARY: &str = env!("CARGO_BIN_EXE_vouch");
/// Pixels per point of a page of ordinary size.
const SCALE: f32 = 200.0 / 72.0;

fn pool() -> ReaderPool {
    ReaderPool::start(PoolSettings::new(BINARY.into(), ChildSettings::default(), 2))
}

fn request(media_type: MediaType, document: impl Into<Bytes>) -> ReadRequest {
    ReadRequest::new(media_type, Limits::default(), document.into())
}

async fn read(document: Vec<u8>) -> Reading {
    pool().read(request(MediaType::Pdf, document)).await.unwrap()
}

fn warnings(reading: &Reading) -> Vec<&str> {
    reading.warnings.iter().map(|warning| warning.code.as_str()).collect()
}

/// A café's bill on a whole page.
pub fn cafe_page(date: &str) -> PdfPage {
    PdfPage::a4()
        .text(72.0, 100.0, 18.0, "HARBOUR CAFE")
        .text(72.0, 140.0, 11.0, &format!("Date: {date}"))
        .text(72.0, 160.0, 11.0, "Coffee and a sandwich to take away")
        .text(400.0, 160.0, 11.0, "12.80")
        .text(72.0, 190.0, 11.0, "TOTAL EUR")
        .text(400.0, 190.0, 11.0, "12.80")
}

/// A printed slip as a picture: JPEG and size.
fn slip() -> (Vec<u8>, (u32, u32)) {
    let lines = [
        "HARBOUR CAFE",
        "Date 2024-05-17",
        "Coffee              4.50",
        "Sandwich            8.30",
        "TOTAL EUR          12.80",
    ];
    let lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    let pages = paper::text_pages(&lines, TextSource::Structured, &Limits::default()).map_err(|_| "no page").unwrap();
    let preview = &pages[0].preview;
    (preview.jpeg.clone(), (preview.width, preview.height))
}

#[tokio::test]
async fn a_text_pdf_is_read_without_recognition_and_everything_in_it_comes_along() {
    let document = Pdf::new()
        .page(cafe_page("2024-05-17"))
        .page(PdfPage::a4().text(72.0, 100.0, 11.0, "Terms and conditions on page two"))
        .info("InvoiceNumber", "24442000000012345678")
        .info("TotalTax-includedAmount", "12.80")
        .attach("factur-x.xml", "text/xml", b"<rsm:CrossIndustryInvoice/>");
    let reading = read(document.bytes()).await;
    assert_eq!(reading.engine, "none", "the role parse has no engine");
    let [first, second] = reading.pages.as_slice() else { panic!("two pages") };
    assert_eq!((first.source, first.width, first.height), (TextSource::TextLayer, 1653, 2339));
    assert_eq!(first.lines.last().unwrap().text(), "TOTAL EUR 12.80");
    assert_eq!(second.text(), "Terms and conditions on page two");
    let total = &first.lines.last().unwrap().words[2].quad;
    assert!((total.left() - 400.0 * SCALE).abs() < 2.0 && total.bottom() > 190.0 * SCALE, "{total:?}");
    for (page, preview) in reading.pages.iter().zip(&reading.previews) {
        let scale = preview.width as f32 / page.width as f32;
        assert!((preview.scale - scale).abs() < 0.01, "boxes are laid over the preview by its scale");
    }
    // The preview shows ink where the box says it is.
    let preview = &reading.previews[0];
    let picture = image::load_from_memory(&preview.jpeg).unwrap().into_luma8();
    let dark = |quad: &Quad| {
        let scaled = [quad.left(), quad.top(), quad.right(), quad.bottom()].map(|v| v * preview.scale);
        picture.enumerate_pixels().any(|(x, y, pixel)| {
            pixel.0[0] < 120
                && (scaled[0]..scaled[2]).contains(&(x as f32))
                && (scaled[1]..scaled[3]).contains(&(y as f32))
        })
    };
    assert!(first.lines.iter().flat_map(|line| &line.words).all(|word| dark(&word.quad)));
    let values: Vec<_> = reading.values.iter().map(|v| (v.source, v.name.as_str(), v.text.as_str())).collect();
    assert_eq!(
        values,
        [
            (StructuredSource::PdfInfo, "invoice_number", "24442000000012345678"),
            (StructuredSource::PdfInfo, "total", "12.80")
        ]
    );
    assert_eq!(reading.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["factur-x.xml"]);
    assert!(reading.warnings.is_empty(), "{:?}", reading.warnings);
}

#[tokio::test]
async fn a_scanned_pdf_is_handed_over_and_recognised() {
    let (jpeg, size) = slip();
    let place = [60.0, 60.0, 470.0, 470.0 * size.1 as f32 / size.0 as f32];
    let reading = read(Pdf::new().page(PdfPage::a4().picture(&jpeg, size, place)).bytes()).await;
    let [page] = reading.pages.as_slice() else { panic!("one page") };
    assert_eq!((page.source, page.width), (TextSource::Recognition, 1653));
    assert!(page.text().contains("TOTAL EUR") && page.text().contains("12.80"), "{}", page.text());
    assert_eq!(reading.receipts, [ReceiptRegion { page: 0, quad: Quad::from_edges(0.0, 0.0, 1653.0, 2339.0) }]);
    assert_eq!(reading.previews.len(), 1);
    let total = page.lines.iter().flat_map(|l| &l.words).find(|w| w.text == "TOTAL").unwrap();
    // The slip's margin is 60 of its own pixels.
    let left = (place[0] + 60.0 * place[2] / size.0 as f32) * SCALE;
    assert!((total.quad.left() - left).abs() < 14.0, "{:?} does not begin at {left}", total.quad);
}

#[tokio::test]
async fn text_nobody_sees_is_never_believed() {
    let page = cafe_page("2024-05-17").inked(72.0, 300.0, 11.0, "TOTAL EUR 9999.00", Ink::White);
    let reading = read(Pdf::new().page(page).bytes()).await;
    assert!(warnings(&reading).contains(&"text_hidden"), "{:?}", reading.warnings);
    let text = reading.pages[0].text();
    assert!(text.contains("12.80") && !text.contains("9999"), "{text}");
}

#[tokio::test]
async fn a_layer_that_says_other_things_than_the_page_loses_to_recognition() {
    let (jpeg, size) = slip();
    let place = [60.0, 60.0, 470.0, 470.0 * size.1 as f32 / size.0 as f32];
    let mut page = PdfPage::a4().picture(&jpeg, size, place);
    for (index, line) in ["GRAND PALACE HOTEL", "Suite for seven nights", "TOTAL EUR 9999.00"].into_iter().enumerate() {
        page = page.inked(72.0, 90.0 + 14.0 * index as f32, 10.0, line, Ink::Invisible);
    }
    let reading = read(Pdf::new().page(page).bytes()).await;
    assert_eq!(warnings(&reading), ["text_layer_disagrees"]);
    let text = reading.pages[0].text();
    assert!(text.contains("12.80") && !text.contains("9999"), "{text}");
}

#[tokio::test]
async fn an_encrypted_pdf_asks_for_its_password_and_opens_with_it() {
    let document = Bytes::from(Pdf::new().page(cafe_page("2024-05-17")).encrypted("geheim"));
    let pool = pool();
    for password in [None, Some("falsch".to_owned())] {
        let asked = ReadRequest { password: password.map(Password::new), ..request(MediaType::Pdf, document.clone()) };
        let failure = pool.read(asked).await.unwrap_err();
        assert_eq!(failure.reason, Reason::PasswordNeeded, "{failure}");
    }
    let opened = ReadRequest { password: Some(Password::new("geheim".into())), ..request(MediaType::Pdf, document) };
    assert!(pool.read(opened).await.unwrap().pages[0].text().contains("TOTAL EUR 12.80"));
}

#[tokio::test]
async fn chinese_without_an_embedded_font_is_drawn_inside_the_sandbox() {
    if !fonts::has(Face::CjkSerif) {
        eprintln!("skipped: no Chinese font is installed (apt-get install {})", fonts::CJK_PACKAGE);
        return;
    }
    let page = PdfPage::a4().chinese(72.0, 100.0, 14.0, "价税合计（大写）壹佰元整").text(320.0, 100.0, 14.0, "100.00");
    let reading = read(Pdf::new().page(page).bytes()).await;
    assert_eq!(reading.pages[0].text(), "价税合计（大写）壹佰元整 100.00");
    assert_eq!((reading.pages[0].source, warnings(&reading)), (TextSource::TextLayer, Vec::new()));
}

#[tokio::test]
async fn a_region_of_a_pdf_is_recognised_alone() {
    let mut asked = request(MediaType::Pdf, Pdf::new().page(cafe_page("2024-05-17")).bytes());
    asked.region = Some(ReceiptRegion { page: 0, quad: Quad::from_edges(0.0, 460.0, 1653.0, 600.0) });
    let text = pool().read(asked).await.unwrap().pages[0].text();
    assert!(text.contains("TOTAL") && !text.contains("HARBOUR"), "{text}");
}

#[tokio::test]
async fn broken_and_oversized_documents_get_their_reason_and_the_pool_goes_on() {
    let pool = pool();
    let whole = Pdf::new().page(cafe_page("2024-05-17")).bytes();
    let many = (0..51).fold(Pdf::new(), |pdf, _| pdf.page(PdfPage::a4())).bytes();
    let avif = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif".to_vec();
    for (media_type, document, reason) in [
        (MediaType::Pdf, b"%PDF-1.7 and nothing else".to_vec(), Reason::Undecodable),
        (MediaType::Pdf, many, Reason::PagesExceeded),
        (MediaType::Heic, avif, Reason::Undecodable),
    ] {
        assert_eq!(pool.read(request(media_type, document)).await.unwrap_err().reason, reason);
    }
    // A form that draws itself over and over is stopped by the library's depth, not by the clock.
    let looping = String::from_utf8_lossy(&whole).replace("/Subtype /Image", "/Subtype /Form");
    let _ = pool.read(request(MediaType::Pdf, looping.into_bytes())).await;
    assert!(pool.read(request(MediaType::Pdf, whole)).await.is_ok());
}

fn corpus(path: &str) -> Option<PathBuf> {
    let path = Path::new("../shared/corpus").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: `{}` is not here", path.display());
    None
}

#[tokio::test]
async fn a_heic_photo_is_decoded_and_read_in_the_sandbox() {
    let Some(path) = corpus("formats/receipt.heic") else { return };
    let reading = pool().read(request(MediaType::Heic, std::fs::read(path).unwrap())).await.unwrap();
    let [page] = reading.pages.as_slice() else { panic!("one page") };
    let jpeg = image::open("../shared/corpus/formats/receipt.jpg").unwrap();
    assert_eq!((page.width, page.height), (jpeg.width(), jpeg.height()), "the same receipt as the JPEG");
    let words = page.lines.iter().map(|line| line.words.len()).sum::<usize>();
    assert!(words > 20, "only {words} words were recognised");
}

/// Files below a folder, in order.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() { files(&entry.path(), found) } else { found.push(entry.path()) }
    }
    found.sort();
}

/// Every so many hostile files of the corpus, to keep the run short.
const STEP: usize = 23;

#[tokio::test]
async fn hostile_documents_cost_themselves_a_reason_and_nothing_else() {
    let Some(folder) = corpus("hostile") else { return };
    let mut all = Vec::new();
    files(&folder, &mut all);
    let pool = pool();
    let mut walked = 0;
    let kinds = [MediaType::Pdf, MediaType::Heic, MediaType::Tiff];
    let sniffed = all.into_iter().filter_map(|path| {
        let bytes = std::fs::read(&path).ok()?;
        let media_type = MediaType::sniff(&bytes[..bytes.len().min(4096)])?;
        kinds.contains(&media_type).then_some((path, media_type, bytes))
    });
    for (path, media_type, bytes) in sniffed.step_by(STEP) {
        walked += 1;
        if let Err(failure) = pool.read(request(media_type, bytes)).await {
            let crashed = matches!(failure.reason, Reason::ReaderCrashed | Reason::ProtocolViolation);
            assert!(!crashed, "{}: {failure}", path.display());
        }
    }
    eprintln!("{walked} hostile documents walked");
    assert!(pool.check(Role::Parse).await.is_ok());
}
