use image::{ExtendedColorType, ImageEncoder as _, RgbImage, codecs::jpeg::JpegEncoder};
use proptest::prelude::*;
use vouch_fixtures::pdf::{Ink, Pdf as Written, PdfPage};

use super::{
    files, info,
    layer::{self, Fault, Judged},
    render::{Drawing, Fonts},
    *,
};
use crate::{
    domain::page::{Line, TextSource},
    reader::{
        fonts::{self as installed, Face},
        paper,
    },
};

const SCALE: f32 = DPI / 72.0;

fn open(bytes: Vec<u8>) -> Document {
    match Document::open(bytes, None, &Limits::default()) {
        Ok(document) => document,
        Err(Stopped::Failed(failed)) => panic!("{failed:?}"),
        Err(Stopped::Pipe(error)) => panic!("{error}"),
    }
}

fn reason(bytes: Vec<u8>, password: Option<&str>, limits: &Limits) -> Option<Reason> {
    match Document::open(bytes, password, limits) {
        Ok(_) => None,
        Err(Stopped::Failed(failed)) => Some(failed.reason),
        Err(Stopped::Pipe(error)) => panic!("{error}"),
    }
}

fn judged(document: &Document) -> Judged {
    let page = document.page(0).unwrap_or_else(|_| panic!("a page"));
    let fonts = Fonts::default();
    let drawn = text::collect(page, &fonts).unwrap_or_else(|_| panic!("text"));
    let picture = Drawing::new(page, &fonts).whole(0.6).unwrap_or_else(|_| panic!("a picture"));
    layer::judge(&drawn, sheet(page), &picture, &[])
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::text).collect()
}

fn invoice() -> PdfPage {
    PdfPage::a4()
        .text(72.0, 100.0, 18.0, "HARBOUR CAFE")
        .text(72.0, 140.0, 11.0, "Date: 2024-05-17")
        .text(72.0, 160.0, 11.0, "Coffee and a sandwich to take away")
        .text(400.0, 160.0, 11.0, "12.80")
        .text(72.0, 190.0, 11.0, "TOTAL EUR")
        .text(400.0, 190.0, 11.0, "12.80")
}

/// A picture of printed lines, as a JPEG, and its size.
fn scan(lines: &[&str]) -> (Vec<u8>, (u32, u32)) {
    let lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
    let pages = paper::text_pages(&lines, TextSource::Structured, &Limits::default()).unwrap_or_default();
    let preview = &pages[0].preview;
    (preview.jpeg.clone(), (preview.width, preview.height))
}

const LONG_TEXT: &[&str] = &[
    "Grand Hotel Riverside, 12 Quay Street",
    "Invoice 2024-118 for Ms Jane Example",
    "Room 304, three nights from 14 to 17 May",
    "Breakfast buffet, three times, 45.00",
    "Minibar and newspaper, garage parking",
    "City tax and service charge included",
    "Amount due on departure EUR 612.40",
    "Paid by card ending in 4242, thank you",
    "We hope to see you again very soon",
    "Registered office and tax number below",
    "The quick brown fox jumps over the dog",
    "Pack my box with five dozen liquor jugs",
];

#[test]
fn words_stand_where_the_page_shows_them() {
    let judged = judged(&open(Written::new().page(invoice()).bytes()));
    assert_eq!(judged.fault, None);
    assert_eq!(
        texts(&judged.lines),
        ["HARBOUR CAFE", "Date: 2024-05-17", "Coffee and a sandwich to take away 12.80", "TOTAL EUR 12.80"]
    );
    let total = &judged.lines[3].words[2];
    assert_eq!(total.text, "12.80");
    let quad = &total.quad;
    assert!((quad.left() - 400.0 * SCALE).abs() < 2.0, "{quad:?}");
    assert!(quad.bottom() > 190.0 * SCALE && quad.top() < 182.0 * SCALE, "{quad:?} does not hold the baseline");
    // Helvetica's digits are 0.556 em wide, its full stop half of that.
    assert!((quad.text_width() - (4.0 * 0.556 + 0.278) * 11.0 * SCALE).abs() < 2.0, "{quad:?}");
}

#[test]
fn a_page_turned_for_display_is_read_as_it_is_shown() {
    for degrees in [90, 180, 270] {
        let document = open(Written::new().page(invoice().rotated(degrees)).bytes());
        let page = document.page(0).unwrap_or_else(|_| panic!("a page"));
        let sheet = sheet(page);
        assert_eq!(sheet.width > sheet.height, degrees != 180, "{degrees}");
        let judged = judged(&document);
        assert_eq!(judged.fault, None, "{degrees}: {:?}", texts(&judged.lines));
        let all = texts(&judged.lines).join("\n");
        assert!(all.contains("HARBOUR CAFE") && all.contains("TOTAL EUR 12.80"), "{degrees}: {all}");
    }
}

#[test]
fn chinese_without_an_embedded_font_is_read_and_drawn() {
    let page = PdfPage::a4().chinese(72.0, 100.0, 14.0, "价税合计（大写）壹佰元整").text(320.0, 100.0, 14.0, "100.00");
    let document = open(Written::new().page(page).bytes());
    if !installed::has(Face::CjkSerif) {
        eprintln!("skipped: no Chinese font is installed (apt-get install {})", installed::CJK_PACKAGE);
        return;
    }
    let judged = judged(&document);
    assert_eq!(judged.fault, None, "{:?}", texts(&judged.all));
    assert_eq!(texts(&judged.lines), ["价税合计（大写）壹佰元整 100.00"]);
}

#[test]
fn what_nobody_can_see_is_told_from_what_everybody_sees() {
    let white = invoice().inked(72.0, 300.0, 11.0, "TOTAL EUR 9999.00", Ink::White);
    let outside = invoice().text(-400.0, 300.0, 11.0, "TOTAL EUR 9999.00");
    let covered = invoice().text(72.0, 300.0, 11.0, "TOTAL EUR 9999.00").filled([60.0, 280.0, 300.0, 40.0], 0.9);
    let invisible = invoice().inked(72.0, 300.0, 11.0, "TOTAL EUR 9999.00", Ink::Invisible);
    for (name, page) in [("white", white), ("outside", outside), ("covered", covered), ("invisible", invisible)] {
        let judged = judged(&open(Written::new().page(page).bytes()));
        assert_eq!(judged.fault, Some(Fault::Hiding), "{name}");
        assert!(!texts(&judged.lines).join(" ").contains("9999"), "{name}");
        assert!(texts(&judged.all).join(" ").contains("9999"), "{name}");
    }
}

#[test]
fn scans_overlaid_scans_and_pages_with_more_than_their_text_need_eyes() {
    let (jpeg, size) = scan(LONG_TEXT);
    let place = [60.0, 60.0, 470.0, 470.0 * size.1 as f32 / size.0 as f32];
    let plain = PdfPage::a4().picture(&jpeg, size, place);
    assert_eq!(judged(&open(Written::new().page(plain.clone()).bytes())).fault, Some(Fault::Empty));
    let overlaid = LONG_TEXT
        .iter()
        .enumerate()
        .fold(plain.clone(), |page, (i, line)| page.inked(72.0, 90.0 + 12.0 * i as f32, 9.0, line, Ink::Invisible));
    assert_eq!(judged(&open(Written::new().page(overlaid).bytes())).fault, Some(Fault::Overlaid));
    let partial = plain.text(72.0, 780.0, 9.0, "Scanned by Example Scanner");
    assert_eq!(judged(&open(Written::new().page(partial).bytes())).fault, Some(Fault::Partial));
}

#[test]
fn a_layer_without_known_characters_is_unreadable_and_an_empty_page_is_fine() {
    let unmapped = PdfPage::a4().unmapped(72.0, 100.0, 12.0, "Total12.50").unmapped(72.0, 130.0, 12.0, "Thank-you");
    assert_eq!(judged(&open(Written::new().page(unmapped).bytes())).fault, Some(Fault::Unreadable));
    let shifted: String =
        "the quick brown fox jumps over the lazy dog and pays his dinner in the harbour cafe at noon again and again"
            .chars()
            .map(|c| if c.is_ascii_lowercase() { ['b', 'c', 'd', 'f', 'g', 'h', 'k', 'm'][c as usize % 8] } else { c })
            .collect();
    let shifted = PdfPage::a4().text(40.0, 100.0, 9.0, &shifted);
    assert_eq!(judged(&open(Written::new().page(shifted).bytes())).fault, Some(Fault::Unreadable));
    assert_eq!(judged(&open(Written::new().page(PdfPage::a4()).bytes())).fault, None);
}

#[test]
fn a_password_is_asked_for_and_opens_the_document() {
    let bytes = Written::new().page(invoice()).info("InvoiceNumber", "4711").encrypted("geheim");
    let limits = Limits::default();
    assert_eq!(reason(bytes.clone(), None, &limits), Some(Reason::PasswordNeeded));
    assert_eq!(reason(bytes.clone(), Some("falsch"), &limits), Some(Reason::PasswordNeeded));
    let document = Document::open(bytes, Some("geheim"), &limits).unwrap_or_else(|_| panic!("it opens"));
    assert!(texts(&judged(&document).lines).contains(&"TOTAL EUR 12.80".to_owned()));
    let values = info::values(&document).unwrap_or_default();
    assert_eq!(values.first().map(|v| (v.name.as_str(), v.text.as_str())), Some(("invoice_number", "4711")));
}

#[test]
fn values_and_attachments_are_found_and_bombs_are_left_out() {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 33 * 1024 * 1024), &mut packed).unwrap();
    let packed = packed.finish().unwrap();
    let bytes = Written::new()
        .page(invoice())
        .info("Title", "not an expense")
        .info("TotalTax-includedAmount", "100.50")
        .info("IssueTime", "2024年06月30日")
        .attach("../../factur-x.xml", "text/xml", b"<?xml version=\"1.0\"?><rsm:CrossIndustryInvoice/>")
        .attach_packed("bomb.bin", "application/octet-stream", &packed)
        .attach("行程单.pdf", "application/pdf", b"%PDF-1.4 nothing")
        .bytes();
    let document = open(bytes);
    let values = info::values(&document).unwrap_or_default();
    let values: Vec<_> = values.iter().map(|v| (v.name.as_str(), v.text.as_str())).collect();
    assert_eq!(values, [("issued_on", "2024-06-30"), ("total", "100.50")]);
    let (files, left_out) = files::attached(&document).unwrap_or_default();
    let names: Vec<_> = files.iter().map(|f| (f.header.name.as_str(), f.header.declared_type.as_str())).collect();
    assert_eq!(names, [("factur-x.xml", "text/xml"), ("行程单.pdf", "application/pdf")]);
    assert!(left_out, "the bomb is over the limit of one document");
}

#[test]
fn huge_pages_are_drawn_smaller_and_too_many_are_refused() {
    let huge = PdfPage::new(14_400.0, 14_400.0).text(720.0, 1_000.0, 400.0, "TOTAL 12.80");
    let document = open(Written::new().page(huge).bytes());
    let page = document.page(0).unwrap_or_else(|_| panic!("a page"));
    assert_eq!((sheet(page).width, sheet(page).height), (4_000, 4_000));
    assert_eq!(texts(&judged(&document).lines), ["TOTAL 12.80"]);
    let many = (0..51).fold(Written::new(), |pdf, _| pdf.page(PdfPage::a4()));
    assert_eq!(reason(many.bytes(), None, &Limits::default()), Some(Reason::PagesExceeded));
    for garbage in [&b""[..], b"%PDF-1.7", b"%PDF-1.7\n1 0 obj\n<<", &[0x42; 300]] {
        assert!(reason(garbage.to_vec(), None, &Limits::default()).is_some());
    }
}

#[test]
fn a_code_on_a_page_is_found_in_page_pixels() {
    let code = qrcode::QrCode::new(b"01,32,,23442000000014209621,112.00,20230215,,74AE").unwrap();
    let width = code.width() as u32;
    let colors = code.to_colors();
    let picture = RgbImage::from_fn(width * 3, width * 3, |x, y| {
        let dark = colors[(y / 3 * width + x / 3) as usize] == qrcode::Color::Dark;
        image::Rgb([if dark { 0 } else { 255 }; 3])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 92)
        .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .unwrap();
    let as_picture = invoice().picture(&jpeg, picture.dimensions(), [40.0, 30.0, 58.0, 58.0]);
    // The same code as filled boxes, the way many programs draw it.
    let module = 58.0 / width as f32;
    let as_boxes =
        (0..width * width).filter(|i| colors[*i as usize] == qrcode::Color::Dark).fold(invoice(), |page, i| {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            page.filled([40.0 + x * module, 30.0 + y * module, module, module], 0.0)
        });
    for (name, page) in [("picture", as_picture), ("boxes", as_boxes)] {
        let document = open(Written::new().page(page).bytes());
        let page = document.page(0).unwrap_or_else(|_| panic!("a page"));
        let fonts = Fonts::default();
        let drawn = text::collect(page, &fonts).unwrap_or_else(|_| panic!("text"));
        let drawing = Drawing::new(page, &fonts);
        let picture = drawing.whole(0.53).unwrap_or_else(|_| panic!("a picture"));
        let found = codes::find(&drawing, &drawn, sheet(page), &picture).unwrap_or_default();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].text.starts_with("01,32,,23442"), "{name}");
        let quad = &found[0].quad;
        assert!(
            (quad.left() - 40.0 * SCALE).abs() < 12.0 && (quad.top() - 30.0 * SCALE).abs() < 12.0,
            "{name}: {quad:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_broken_document_panics(flips in prop::collection::vec((0usize..6_000, any::<u8>()), 1..12), cut in 200usize..8_000) {
        let mut bytes = Written::new().page(invoice()).info("InvoiceNumber", "1").attach("a.xml", "text/xml", b"<a/>").bytes();
        for (at, value) in flips {
            if let Some(byte) = bytes.get_mut(at) { *byte = value; }
        }
        bytes.truncate(cut);
        if let Ok(document) = Document::open(bytes, None, &Limits::default()) {
            let fonts = Fonts::default();
            for index in 0..document.pages() {
                let Ok(page) = document.page(index) else { continue };
                let _ = text::collect(page, &fonts);
                let _ = Drawing::new(page, &fonts).whole(0.2);
            }
            let _ = info::values(&document);
            let _ = files::attached(&document);
        }
    }
}
