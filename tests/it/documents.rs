//! Documents of every format end to end through the real server: handed in, read in the sandbox, drafted, shown.

use std::path::Path;

use image::RgbImage;
use serde_json::{Value, json};
use vouch::{
    domain::{capture::Limits, page::TextSource},
    reader::paper,
};
use vouch_fixtures::pdf::{Pdf, PdfPage};

use crate::{
    formats::cafe_page,
    parts::{CAFE, TAXI, archive, hand_in},
    process::{einvoice, ofd},
    support::{Api, Server},
};

/// The number, day and total of the project's own OFD.
const NUMBER: &str = "26110000000000000031";

fn taxi_page() -> PdfPage {
    let lines = TAXI.lines().enumerate();
    lines.fold(PdfPage::a4(), |page, (index, line)| page.text(72.0, 100.0 + 20.0 * index as f32, 11.0, line))
}

/// Lines as a printed slip.
fn slip(text: &str) -> RgbImage {
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let pages = paper::text_pages(&lines, TextSource::Structured, &Limits::default()).map_err(|_| "no page").unwrap();
    image::load_from_memory(&pages[0].preview.jpeg).unwrap().into_rgb8()
}

/// A QR code of four pixels a module as JPEG, with its side in pixels.
fn qr(payload: &str) -> (Vec<u8>, u32) {
    let code = qrcode::QrCode::new(payload).unwrap();
    let (width, colors) = (code.width() as u32, code.to_colors());
    let side = (width + 8) * 4;
    let picture = image::GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = ((x / 4).wrapping_sub(4), (y / 4).wrapping_sub(4));
        let is_dark = x < width && y < width && colors[(y * width + x) as usize] == qrcode::Color::Dark;
        image::Luma([if is_dark { 0 } else { 255 }])
    });
    let mut jpeg = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    (jpeg.into_inner(), side)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The one draft of a capture.
async fn only_draft(api: &Api, capture: &Value) -> Value {
    let receipts = capture["receipts"].as_array().expect("receipts");
    assert_eq!((&capture["state"], receipts.len()), (&json!("read"), 1), "{capture}");
    api.get(&format!("/drafts/{}", text(&receipts[0], "/id"))).await
}

fn proposed<'a>(draft: &'a Value, key: &str) -> &'a str {
    text(draft, &format!("/fields/{key}/proposed/value"))
}

/// Every page has a preview of our own pixels, and every box of a field lies on its page, around ink.
async fn is_shown(api: &Api, draft: &Value) {
    let pages = draft["pages"].as_array().expect("pages");
    assert!(!pages.is_empty(), "{draft}");
    let mut pictures = Vec::new();
    for page in pages {
        let url = format!("{}{}", api.address, text(page, "/preview_url"));
        let answer = api.client.get(url).bearer_auth(&api.token).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        let picture = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().into_luma8();
        let [width, height] = ["width", "height"].map(|side| page[side].as_f64().unwrap());
        let ratio = f64::from(picture.height()) / f64::from(picture.width());
        assert!((ratio / (height / width) - 1.0).abs() < 0.02, "the preview has the page's shape: {page}");
        pictures.push(picture);
    }
    let boxed = draft["fields"].as_object().unwrap().values().filter_map(|field| {
        let proposed = &field["proposed"];
        Some((proposed["page"].as_u64()?, proposed["box"].as_array()?))
    });
    for (page, corners) in boxed {
        let at = pages.iter().position(|known| known["index"] == page).expect("a box is on a page that is shown");
        let (page, picture) = (&pages[at], &pictures[at]);
        let [width, height] = ["width", "height"].map(|side| page[side].as_f64().unwrap());
        for corner in corners {
            let (x, y) = (corner[0].as_f64().unwrap(), corner[1].as_f64().unwrap());
            assert!((-2.0..=width + 2.0).contains(&x) && (-2.0..=height + 2.0).contains(&y), "{corner} on {page}");
        }
        let scale = f64::from(picture.width()) / width;
        let edge = |axis: usize, pick: fn(f64, f64) -> f64| {
            corners.iter().map(|c| c[axis].as_f64().unwrap() * scale).reduce(pick).unwrap()
        };
        let (left, right, top, bottom) = (edge(0, f64::min), edge(0, f64::max), edge(1, f64::min), edge(1, f64::max));
        let inside = |x: u32, y: u32| (left..=right).contains(&f64::from(x)) && (top..=bottom).contains(&f64::from(y));
        let is_inked = picture.enumerate_pixels().any(|(x, y, pixel)| pixel.0[0] < 140 && inside(x, y));
        assert!(is_inked, "nothing is written in the box {corners:?} of {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_pdf_waits_for_its_password_and_becomes_a_draft_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let capture = hand_in(&api, Pdf::new().page(cafe_page("19/11/2026")).encrypted("geheim-417")).await;
    assert_eq!(
        (&capture["state"], &capture["reason"]),
        (&json!("password_needed"), &json!("password_needed")),
        "{capture}"
    );
    let id = text(&capture, "/id");
    let path = format!("/captures/{id}/password");
    for (password, state) in [("falsch-992", "password_needed"), ("geheim-417", "read")] {
        let (status, body) = api.send(reqwest::Method::POST, &path, &json!({ "password": password })).await;
        assert_eq!(status, 202, "{body}");
        assert_eq!(api.settled(id).await["state"], state);
    }
    let draft = only_draft(&api, &api.settled(id).await).await;
    assert_eq!((proposed(&draft, "total"), proposed(&draft, "currency")), ("12.80", "EUR"), "{draft}");
    is_shown(&api, &draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_invoice_as_pdf_xml_and_ofd_is_one_draft_that_its_data_leads_and_shows_the_codes_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let xml = String::from_utf8(einvoice("digital-special.xml")).unwrap();
    let xml = [
        ("26440000000000000017", NUMBER),
        ("2026-03-05", "2026-03-12"),
        ("1132.08", "94.34"),
        ("67.92", "5.66"),
        ("1200.00", "100.00"),
        ("壹仟贰佰圆整", "壹佰圆整"),
        ("广州示例酒店管理有限公司", "北京示例餐饮有限公司"),
    ]
    .into_iter()
    .fold(xml, |xml, (from, to)| xml.replace(from, to));
    let payload = format!("01,32,,{NUMBER},100.00,20260312,,74AE");
    let (jpeg, side) = qr(&payload);
    let pdf = Pdf::new()
        .page(
            PdfPage::a4()
                .picture(&jpeg, (side, side), [60.0, 50.0, 110.0, 110.0])
                .text(300.0, 100.0, 11.0, &format!("Invoice number: {NUMBER}"))
                .text(300.0, 120.0, 11.0, "Date: 2026-03-12")
                .text(300.0, 220.0, 11.0, "TOTAL CNY 100.00"),
        )
        .info("InvoiceNumber", NUMBER)
        .info("TotalTax-includedAmount", "100.00")
        .bytes();
    let files: &[(&str, &[u8])] = &[("a/fapiao.pdf", &pdf), ("a/fapiao.xml", xml.as_bytes()), ("a/fapiao.ofd", &ofd())];
    let draft = only_draft(&api, &hand_in(&api, archive(files, None)).await).await;
    let mut documents: Vec<(&str, &str)> = draft["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| (text(document, "/file_name"), text(document, "/role")))
        .collect();
    documents.sort_unstable();
    assert_eq!(
        documents,
        [("fapiao.ofd", "supporting"), ("fapiao.pdf", "supporting"), ("fapiao.xml", "leading")],
        "{draft}"
    );
    for (key, value) in [
        ("invoice_number", NUMBER),
        ("issued_on", "2026-03-12"),
        ("total", "100.00"),
        ("currency", "CNY"),
        ("merchant", "北京示例餐饮有限公司"),
    ] {
        assert_eq!(proposed(&draft, key), value, "{key}: {draft}");
    }
    let total = draft.pointer("/fields/total/proposed").unwrap();
    assert!(total["p"].as_f64().unwrap() > 0.99 && total["box"].is_array(), "{total}");
    let reasons = total["reasons"].to_string();
    for agreeing in ["agree:code:fapiao", "agree:print"] {
        assert!(reasons.contains(agreeing), "the draft shows who agrees: {reasons}");
    }
    // The code stands on the PDF, which does not lead.
    assert_eq!(text(&draft, "/codes/0/text"), payload, "{}", draft["codes"]);
    assert_eq!(text(&draft, "/codes/0/format"), "fapiao");
    let pdf_page = draft["documents"].as_array().unwrap().iter().find(|d| d["file_name"] == "fapiao.pdf").unwrap();
    assert_eq!(draft["codes"][0]["page"], pdf_page["pages"][0]);
    is_shown(&api, &draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_invoice_inside_a_pdf_is_the_pdfs_own_even_when_its_page_says_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let page = PdfPage::a4()
        .text(72.0, 100.0, 16.0, "Gasthof Beispiel")
        .text(72.0, 140.0, 11.0, "Rechnung 380 vom 15.02.2026")
        .text(72.0, 190.0, 11.0, "Gesamtbetrag EUR 99.00");
    let document = Pdf::new().page(page).attach("factur-x.xml", "text/xml", &einvoice("cii.xml")).bytes();
    let draft = only_draft(&api, &hand_in(&api, document).await).await;
    assert_eq!((proposed(&draft, "total"), proposed(&draft, "issued_on")), ("114.20", "2026-02-14"), "{draft}");
    assert_eq!(proposed(&draft, "invoice_number"), "2026-0815");
    let findings = api.get(&format!("/drafts/{}/findings", text(&draft, "/id"))).await;
    let disagree: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "sources_disagree")
        .map(|finding| text(finding, "/detail/field"))
        .collect();
    assert!(disagree.contains(&"total"), "a conflict is flagged, never averaged: {findings}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_receipt_of_a_pdf_portfolio_is_a_draft() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let cover = PdfPage::a4().text(72.0, 100.0, 12.0, "For the best experience open this portfolio in another program");
    let document = Pdf::new()
        .page(cover)
        .attach("taxi.pdf", "application/pdf", &Pdf::new().page(taxi_page()).bytes())
        .attach("cafe.pdf", "application/pdf", &Pdf::new().page(cafe_page("19/11/2026")).bytes())
        .bytes();
    let capture = hand_in(&api, document).await;
    let mut totals: Vec<&str> = capture["receipts"].as_array().unwrap().iter().map(|r| text(r, "/total")).collect();
    totals.sort_unstable();
    assert_eq!(totals, ["12.80", "31.50"], "the cover sheet is no receipt: {capture}");
}

#[tokio::test(flavor = "multi_thread")]
async fn html_and_plain_text_become_drafts_with_previews_and_boxes_and_come_back_as_attachments_only() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let html = "<!DOCTYPE html><html><head><title>Receipt</title><script>alert(1)</script></head><body>\
        <h1>HARBOUR CAFE</h1><p>Date: 19/11/2026</p><table><tr><td>Coffee</td><td>4.50</td></tr>\
        <tr><td>Sandwich</td><td>8.30</td></tr><tr><td>TOTAL EUR</td><td>12.80</td></tr></table>\
        <img src=\"http://169.254.169.254/x.png\"></body></html>";
    for (document, total, media_type) in [(html, "12.80", "text/html"), (TAXI, "31.50", "text/plain")] {
        let draft = only_draft(&api, &hand_in(&api, document.as_bytes().to_vec()).await).await;
        assert_eq!(proposed(&draft, "total"), total, "{draft}");
        assert!(draft.pointer("/fields/total/proposed/box").unwrap().is_array(), "{draft}");
        is_shown(&api, &draft).await;
        // Whatever it is, a browser never shows it as a page of this site.
        for url in [text(&draft, "/original_url"), text(&draft, "/documents/0/original_url")] {
            let url = format!("{}{url}", api.address);
            let answer = api.client.get(url).bearer_auth(&api.token).send().await.unwrap();
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert!(header("content-disposition").starts_with("attachment;"), "{:?}", answer.headers());
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
            assert!(header("content-type").starts_with(media_type), "{:?}", answer.headers());
            assert_eq!(answer.text().await.unwrap(), document);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_tiff_is_read_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    for page in [slip("HARBOUR CAFE\nDate: 19/11/2026\nCoffee 4.50\nSandwich 8.30"), slip("TOTAL EUR 12.80\nThank you")]
    {
        encoder.write_image::<tiff::encoder::colortype::RGB8>(page.width(), page.height(), page.as_raw()).unwrap();
    }
    let draft = only_draft(&api, &hand_in(&api, bytes.into_inner()).await).await;
    assert_eq!(draft["pages"].as_array().unwrap().len(), 2, "{draft}");
    assert_eq!(proposed(&draft, "total"), "12.80", "{draft}");
    assert_eq!(draft.pointer("/fields/total/proposed/page"), Some(&json!(1)), "{draft}");
    is_shown(&api, &draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ofd_and_pages_longer_than_any_screen_are_shown_with_boxes_where_the_values_stand() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let draft = only_draft(&api, &hand_in(&api, ofd()).await).await;
    assert_eq!(proposed(&draft, "total"), "100.00", "{draft}");
    assert!(draft.pointer("/fields/total/proposed/box").unwrap().is_array(), "{draft}");
    is_shown(&api, &draft).await;

    // Terms on an ordinary page, then a slip of 1.4 metres whose total stands at its very end.
    let slip =
        PdfPage::new(220.0, 4_000.0).text(30.0, 60.0, 14.0, "HARBOUR CAFE").text(30.0, 90.0, 11.0, "Date: 19/11/2026");
    let slip = (0..150_u8).fold(slip, |page, row| {
        page.text(30.0, 140.0 + 24.0 * f32::from(row), 11.0, &format!("Note {row:03} on what was not charged"))
    });
    let slip = slip.text(30.0, 3_900.0, 12.0, "TOTAL EUR").text(150.0, 3_900.0, 12.0, "12.80");
    let terms = PdfPage::a4().text(72.0, 100.0, 11.0, "What follows is the slip of our branch at the harbour");
    let draft = only_draft(&api, &hand_in(&api, Pdf::new().page(terms).page(slip).bytes()).await).await;
    assert_eq!(proposed(&draft, "total"), "12.80", "{draft}");
    assert_eq!(draft.pointer("/fields/total/proposed/page"), Some(&json!(1)), "{draft}");
    let corner = draft.pointer("/fields/total/proposed/box/0/1").unwrap().as_f64().unwrap();
    assert!(corner > 0.95 * draft["pages"][1]["height"].as_f64().unwrap(), "{draft}");
    is_shown(&api, &draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_photo_says_about_its_owner_is_in_no_picture_that_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let mut jpeg = std::io::Cursor::new(Vec::new());
    slip(CAFE).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let secret = b"Ann's telephone at 48.8584 N 2.2945 E";
    let segment = |marker: u8, head: &[u8]| {
        let body = [head, secret].concat();
        [&[0xFF, marker][..], &(body.len() as u16 + 2).to_be_bytes(), &body].concat()
    };
    let photo =
        [&jpeg[..2], &segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"), &segment(0xFE, b""), &jpeg[2..], secret]
            .concat();
    let draft = only_draft(&api, &hand_in(&api, photo).await).await;
    is_shown(&api, &draft).await;
    let page = &draft["pages"][0];
    let urls: Vec<&str> =
        page.as_object().unwrap().values().filter_map(Value::as_str).filter(|u| u.starts_with('/')).collect();
    assert!(!urls.is_empty(), "{page}");
    for url in urls {
        let answer = api.client.get(format!("{}{url}", api.address)).bearer_auth(&api.token).send().await.unwrap();
        let bytes = answer.bytes().await.unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_and_truncated_files_end_with_a_reason_and_stay_attachments() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let mut png = std::io::Cursor::new(Vec::new());
    slip(CAFE).write_to(&mut png, image::ImageFormat::Png).unwrap();
    // A fax of group 3 whose row is its own header.
    let fax = b"II*\0\x08\0\0\0\x07\0\0\x01\x03\0\x01\0\0\0\x08\0\0\0\x01\x01\x03\0\x01\0\0\0\x08\0\0\0\
        \x03\x01\x03\0\x01\0\0\0\x03\0\0\0\x06\x01\x03\0\x01\0\0\0\0\0\0\0\
        \x11\x01\x04\0\x01\0\0\0\x08\0\0\0\x16\x01\x03\0\x01\0\0\0\x08\0\0\0\x17\x01\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0";
    let mut old_jpeg = fax.to_vec();
    old_jpeg[42] = 6;
    let encoded = "QmFzZTY0IGlzIG5vIHJlY2VpcHQsIHdob2V2ZXIgc2F2ZWQgaXQgdGhhdCB3YXkgYW5kIGZvciB3aGF0";
    let cases: [(&str, Vec<u8>, &[&str]); 10] = [
        ("half an OFD", half(ofd()), &["undecodable"]),
        ("half an invoice", half(einvoice("cii.xml")), &["undecodable"]),
        ("XML of something else", b"<?xml version='1.0'?><kml><Document/></kml>".to_vec(), &["unsupported_type"]),
        ("a PDF's first line", b"%PDF-1.7\n".to_vec(), &["undecodable"]),
        ("half a PNG", half(png.into_inner()), &["undecodable"]),
        ("an iPhone's picture without its picture", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), &["undecodable"]),
        ("half a ZIP", half(archive(&[("taxi.txt", TAXI.as_bytes())], None)), &["undecodable"]),
        ("a fax without a row", fax.to_vec(), &["undecodable"]),
        ("a TIFF with JPEG as it was done first", old_jpeg, &["unsupported_type"]),
        ("a file in base64", encoded.as_bytes().to_vec(), &["unsupported_type"]),
    ];
    for (name, bytes, reasons) in cases {
        let capture = hand_in(&api, bytes.clone()).await;
        assert_eq!(text(&capture, "/state"), "failed", "{name}: {capture}");
        assert!(reasons.contains(&text(&capture, "/reason")), "{name}: {capture}");
        assert!(capture["receipts"].as_array().unwrap().is_empty(), "{name}: {capture}");
        let url = format!("{}/api/v1/captures/{}/original", api.address, text(&capture, "/id"));
        let answer = api.client.get(url).bearer_auth(&api.token).send().await.unwrap();
        assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment;"), "{name}");
        assert_eq!(answer.headers()["content-security-policy"], "sandbox; default-src 'none'", "{name}");
        assert_eq!(answer.bytes().await.unwrap(), bytes, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heic_photo_becomes_a_draft() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/formats/receipt.heic");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: `{}` is not here", path.display());
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    let draft = only_draft(&api, &hand_in(&api, bytes).await).await;
    assert!(!proposed(&draft, "total").is_empty(), "{draft}");
    is_shown(&api, &draft).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_cost_their_capture_a_reason_and_the_next_document_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path(), &[], &[]);
    let api = Api::new(&server, &server.token("rep", "rep"));
    // 64 MiB of zeroes in 64 KiB; a billion laughs; more pages than anybody prints.
    let inflated = deflated(&[("zeroes.txt", &vec![0_u8; 64 << 20])]);
    let laughs =
        b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]><EInvoice>&b;</EInvoice>";
    let many = (0..60).fold(Pdf::new(), |pdf, _| pdf.page(PdfPage::a4())).bytes();
    for (bytes, reason) in
        [(inflated, "archive_limits"), (laughs.to_vec(), "xml_dtd_forbidden"), (many, "pages_exceeded")]
    {
        let capture = hand_in(&api, bytes).await;
        assert_eq!((text(&capture, "/state"), text(&capture, "/reason")), ("failed", reason), "{capture}");
        // The original survives, to be taken away but never shown.
        let url = format!("{}/api/v1/captures/{}/original", api.address, text(&capture, "/id"));
        let answer = api.client.get(url).bearer_auth(&api.token).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment;"));
    }
    // A page of 200 x 200 inches is no bomb: it is drawn smaller.
    let huge = PdfPage::new(14_400.0, 14_400.0).text(720.0, 1_000.0, 400.0, "TOTAL EUR 12.80");
    let draft = only_draft(&api, &hand_in(&api, Pdf::new().page(huge).bytes()).await).await;
    assert_eq!(proposed(&draft, "total"), "12.80");
    is_shown(&api, &draft).await;
    let draft = only_draft(&api, &hand_in(&api, CAFE.as_bytes().to_vec()).await).await;
    assert_eq!(proposed(&draft, "total"), "12.80");
}

/// A ZIP whose entries are packed.
fn deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
