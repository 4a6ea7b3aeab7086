use image::{Luma, Rgb, imageops::FilterType};
use rxing::{EncodeHints, MultiFormatWriter, Writer as _};

use super::*;

const PAYLOAD: &str = "01,32,,23442000000014209621,112.00,20230215,,74AE";

/// A QR code of `module` pixels a module, with its quiet zone, as print of this darkness.
fn qr(payload: &[u8], module: u32) -> GrayImage {
    let code = qrcode::QrCode::with_error_correction_level(payload, qrcode::EcLevel::M).unwrap();
    let width = code.width() as u32;
    let colors = code.to_colors();
    GrayImage::from_fn((width + 8) * module, (width + 8) * module, |x, y| {
        let (x, y) = (i64::from(x / module) - 4, i64::from(y / module) - 4);
        let inside = (0..i64::from(width)).contains(&x) && (0..i64::from(width)).contains(&y);
        let dark = inside && colors[(y * i64::from(width) + x) as usize] == qrcode::Color::Dark;
        Luma([if dark { 30 } else { 235 }])
    })
}

/// A page of hatching and lines that look a little like print, with `code` at `[left, top]`.
fn page(code: &GrayImage, [left, top]: [i64; 2], size: (u32, u32)) -> RgbImage {
    let mut page = RgbImage::from_fn(size.0, size.1, |x, y| {
        let line = y % 46 < 16 && (x / 7 * 31 + y / 46 * 17) % 5 < 2 && x % 7 < 4;
        Rgb([if line { 60 } else { 232 }; 3])
    });
    let code = image::DynamicImage::ImageLuma8(code.clone()).into_rgb8();
    imageops::overlay(&mut page, &code, left, top);
    page
}

fn texts(picture: &RgbImage) -> Vec<String> {
    find(picture).into_iter().map(|found| found.text).collect()
}

#[test]
fn a_code_is_found_where_it_stands() {
    let code = qr(PAYLOAD.as_bytes(), 5);
    let picture = page(&code, [700, 300], (1600, 1200));
    let found = find(&picture);
    let [Found { symbology: "qr_code", text, quad }] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(text, PAYLOAD);
    let (left, side) = (700.0 + 20.0, code.width() as f32 - 40.0);
    assert!((quad.left() - left).abs() < 12.0 && (quad.top() - 320.0).abs() < 12.0, "{quad:?}");
    assert!((quad.text_width() - side).abs() < 24.0, "{quad:?} is not {side} wide");
    assert!(quad.contains(quad.centre()), "{quad:?}: its corners are in the order one walks around them");
}

#[test]
fn small_blurred_turned_inverted_and_noisy_codes_are_found() {
    let code = qr(PAYLOAD.as_bytes(), 8);
    let side = code.width();
    let smaller = |module: u32| imageops::resize(&code, side * module / 8, side * module / 8, FilterType::Triangle);
    let noisy = {
        let mut state = 12_345u32;
        let mut noisy = smaller(5);
        for pixel in noisy.pixels_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            pixel.0[0] = (i32::from(pixel.0[0]) + (state >> 24) as i32 / 3 - 42).clamp(0, 255) as u8;
        }
        noisy
    };
    let turned = |degrees: f32| {
        let padded = {
            let mut padded = GrayImage::from_pixel(side * 2, side * 2, Luma([235]));
            imageops::overlay(&mut padded, &code, i64::from(side / 2), i64::from(side / 2));
            padded
        };
        imageproc::geometric_transformations::rotate_about_center(
            &padded,
            degrees.to_radians(),
            imageproc::geometric_transformations::Interpolation::Bilinear,
            imageproc::geometric_transformations::Border::Constant(Luma([235])),
        )
    };
    let mut inverted = smaller(5);
    imageops::invert(&mut inverted);
    let framed = {
        let mut framed = GrayImage::from_pixel(inverted.width() + 80, inverted.height() + 80, Luma([20]));
        imageops::overlay(&mut framed, &inverted, 40, 40);
        framed
    };
    for (name, code) in [
        ("3 pixels a module", smaller(3)),
        ("slightly blurred", imageops::blur(&smaller(5), 1.6)),
        ("small and slightly blurred", imageops::blur(&smaller(3), 0.9)),
        ("turned 17 degrees", turned(17.0)),
        ("turned 45 degrees", turned(45.0)),
        ("upside down", imageops::rotate180(&smaller(5))),
        ("inverted", framed),
        ("noisy", noisy),
    ] {
        let picture = page(&code, [500, 260], (1700, 1300));
        assert_eq!(texts(&picture), [PAYLOAD], "{name}");
    }
}

#[test]
fn several_codes_of_several_kinds_are_found_on_one_picture() {
    let mut picture = page(&qr(b"first code", 4), [120, 150], (1700, 1300));
    let second = image::DynamicImage::ImageLuma8(qr(b"https://example.org/second?code=2", 5)).into_rgb8();
    imageops::overlay(&mut picture, &second, 1200, 700);
    for (format, text, size, at) in [
        (BarcodeFormat::CODE_128, "INV-2024-000123", (460, 110), [700, 100]),
        (BarcodeFormat::EAN_13, "4006381333931", (380, 120), [130, 900]),
        (
            BarcodeFormat::PDF_417,
            "M1DOE/JOHN            EABC123 FRAJFKAF 0006 123Y012A0001 100",
            (520, 200),
            [560, 500],
        ),
        (BarcodeFormat::DATA_MATRIX, "DM-998877665544332211", (220, 220), [640, 900]),
    ] {
        let bits = MultiFormatWriter.encode_with_hints(text, &format, size.0, size.1, &EncodeHints::default()).unwrap();
        // Some writers draw one pixel a module whatever size they are asked for.
        let enlarged = (size.0 as u32 / bits.getWidth()).max(1);
        let (width, height) = (bits.getWidth() * enlarged, bits.getHeight() * enlarged);
        let drawn = RgbImage::from_fn(width + 60, height + 60, |x, y| {
            let inside = (30..width + 30).contains(&x) && (30..height + 30).contains(&y);
            Rgb([if inside && bits.get((x - 30) / enlarged, (y - 30) / enlarged) { 25 } else { 240 }; 3])
        });
        imageops::overlay(&mut picture, &drawn, at[0], at[1]);
    }
    let mut found: Vec<(&str, String)> = find(&picture).into_iter().map(|code| (code.symbology, code.text)).collect();
    found.sort();
    let kinds: Vec<&str> = found.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, ["code_128", "data_matrix", "ean_13", "pdf_417", "qr_code", "qr_code"], "{found:?}");
}

#[test]
fn payloads_keep_their_characters_in_utf_8_and_in_gbk() {
    let swiss = "SPC\n0200\n1\nCH4431999123000889012\nS\nMüller AG";
    let gbk = encoding_rs::GBK.encode("发票代码：044001900111，金额：￥88.00").0.into_owned();
    for (payload, text) in [
        (swiss.as_bytes(), swiss),
        ("电子发票 滴滴出行".as_bytes(), "电子发票 滴滴出行"),
        (gbk.as_slice(), "发票代码：044001900111，金额：￥88.00"),
    ] {
        let picture = page(&qr(payload, 4), [300, 200], (1200, 900));
        assert_eq!(texts(&picture), [text]);
    }
}

#[test]
fn a_page_of_print_has_no_codes_and_costs_few_attempts() {
    let picture = page(&GrayImage::from_pixel(8, 8, Luma([255])), [0, 0], (1600, 1200));
    assert!(texts(&picture).is_empty());
}

#[test]
fn every_code_of_the_chinese_invoices_is_found() {
    for folder in ["cn_didi_einvoice_scan", "cn_misc_images"] {
        let folder = std::path::Path::new("../shared/corpus").join(folder);
        let Ok(labels) = std::fs::read_to_string(folder.join("labels.jsonl")) else {
            eprintln!("skipped: `{}` is not here", folder.display());
            continue;
        };
        let (mut with_code, mut missed) = (0, Vec::new());
        for line in labels.lines() {
            let label: serde_json::Value = serde_json::from_str(line).unwrap();
            let (Some(file), Some(payload)) = (label["file"].as_str(), label["qr_payload"].as_str()) else { continue };
            let picture = image::open(folder.join(file)).unwrap().into_rgb8();
            with_code += 1;
            if !texts(&picture).iter().any(|text| text.trim() == payload.trim()) {
                missed.push(file.to_owned());
            }
        }
        eprintln!("{}: {} of {with_code} codes found", folder.display(), with_code - missed.len());
        assert!(missed.is_empty(), "not found: {missed:?}");
    }
}

#[test]
fn what_is_hardly_a_code_is_looked_at_until_enough_was_and_what_has_its_corners_always() {
    let code = qr(PAYLOAD.as_bytes(), 5);
    let own = suspects(&code).into_iter().find(|suspect| suspect.likely == Likely::Qr).unwrap();
    assert!(own.has_three_corners());
    let doubtful = Suspect { weight: 4.0, ..own };
    assert_eq!(Search::default().decode(&code, &doubtful).len(), 1, "the first is looked at");
    let mut tired = Search { doubtful: [MOST_DOUBTFUL + 1; 3], ..Search::default() };
    assert_eq!(tired.decode(&code, &doubtful), []);
    assert_eq!(tired.decode(&code, &own).len(), 1);
    // What was looked at counts.
    let mut search = Search::default();
    search.decode(&GrayImage::from_pixel(300, 300, Luma([200])), &doubtful);
    assert!(search.doubtful[Likely::Qr as usize] >= 90_000, "{:?}", search.doubtful);
}
