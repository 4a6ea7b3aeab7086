//! The bodies of the fuzz targets (`fuzz/`) as bounded property tests: documents damaged at random, for every parser.
//!
//! `VOUCH_FUZZ_SECONDS=60 cargo nextest run --release -E 'test(hostile_bytes)'` gives each a minute instead of its cases.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use proptest::{prelude::*, test_runner::TestRunner};
use vouch::{
    domain::{capture::Limits, media::MediaType},
    extract::payloads,
    imaging::header,
    reader::{in_process, see::decode::Source},
};
use vouch_fixtures::pdf::{Pdf, PdfPage};

use crate::{
    parts::{CAFE, TAXI, archive},
    process::{einvoice, ofd},
};

/// Damaged documents of each kind in an ordinary run.
const CASES: u32 = 48;
/// Files of a seed folder that are damaged.
const MAX_SEEDS: usize = 24;

/// One change to a document.
#[derive(Debug, Clone)]
enum Damage {
    Set(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Double(usize, usize),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let words =
        prop::sample::select(vec![&b"<"[..], b"&a;", b"\xFF\xFF\xFF\xFF", b"\0", b"-1", b"99999999999", b"\r\n\r\n"]);
    let one = prop_oneof![
        8 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        1 => any::<usize>().prop_map(Damage::Cut),
        3 => (any::<usize>(), words).prop_map(|(at, word)| Damage::Insert(at, word.to_vec())),
        1 => (any::<usize>(), 1_usize..400).prop_map(|(at, length)| Damage::Double(at, length)),
    ];
    prop::collection::vec(one, 1..24)
}

fn damaged(seed: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for one in damage {
        let length = bytes.len().max(1);
        match one {
            Damage::Set(at, byte) => {
                if let Some(place) = bytes.get_mut(at % length) {
                    *place = *byte;
                }
            }
            // Half of the documents stay longer than half.
            Damage::Cut(at) => bytes.truncate(length - at % length / 2),
            Damage::Insert(at, word) => {
                let at = (at % length).min(bytes.len());
                bytes.splice(at..at, word.iter().copied());
            }
            Damage::Double(at, count) => {
                let at = (at % length).min(bytes.len());
                let piece = bytes[at..(at + count).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Damages the seeds and hands each result to `body`, which panics on a defect.
fn exercise(seeds: &[Vec<u8>], body: impl Fn(&[u8])) {
    assert!(!seeds.is_empty());
    let seconds = std::env::var("VOUCH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut seen = 0_u64;
    loop {
        let mut runner =
            TestRunner::new(ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() });
        let strategy = (0..seeds.len(), damage());
        let outcome = runner.run(&strategy, |(seed, damage)| {
            body(&damaged(&seeds[seed], &damage));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
        seen += u64::from(CASES);
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    eprintln!("{seen} damaged documents");
}

fn parses(media_type: MediaType, seeds: &[Vec<u8>]) {
    exercise(seeds, |bytes| {
        in_process::parse(media_type, Limits::default(), bytes).unwrap_or_else(|failure| panic!("{failure}"));
    });
}

/// Files of the repository, and of the corpus when it is there.
fn files(folder: &str, ending: &str) -> Vec<Vec<u8>> {
    fn walk(at: &Path, ending: &str, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
        found.sort();
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), ending, &mut found);
    let step = (found.len() / MAX_SEEDS).max(1);
    found.iter().step_by(step).take(MAX_SEEDS).map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn damaged_xml_is_read_or_refused() {
    let own = ["digital-special.xml", "digital-red-ride.xml", "rail.xml", "air.xml", "cii.xml", "ubl.xml"];
    let mut seeds: Vec<Vec<u8>> = own.into_iter().map(einvoice).collect();
    seeds.extend(files("../shared/corpus/zugferd", "xml"));
    parses(MediaType::Xml, &seeds);
}

#[test]
fn damaged_ofd_is_read_or_refused() {
    let mut seeds = vec![ofd()];
    seeds.extend(files("../shared/corpus/ofd", "ofd"));
    parses(MediaType::Ofd, &seeds);
}

#[test]
fn damaged_zip_is_read_or_refused() {
    let taxi: &[(&str, &[u8])] = &[("trip/taxi.txt", TAXI.as_bytes()), ("cafe.txt", CAFE.as_bytes())];
    parses(MediaType::Zip, &[archive(taxi, None), archive(taxi, Some(b"secret")), ofd()]);
}

#[test]
fn damaged_pdf_is_read_or_refused() {
    let page = PdfPage::a4().text(72.0, 100.0, 18.0, "HARBOUR CAFE").text(72.0, 190.0, 11.0, "TOTAL EUR 12.80");
    let own = Pdf::new().page(page).info("InvoiceNumber", "1").attach("a.xml", "text/xml", &einvoice("cii.xml"));
    let mut seeds = vec![own.bytes(), own.encrypted("secret")];
    seeds.extend(files("../shared/corpus/hostile/pdfjs", "pdf").into_iter().filter(|bytes| bytes.len() < 100_000));
    parses(MediaType::Pdf, &seeds);
}

#[test]
fn damaged_mail_is_read_or_refused() {
    let own = "From: a@example.org\r\nSubject: =?utf-8?B?5Y+R56Wo?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/html; charset=gb18030\r\n\r\n<p>TOTAL 12.80</p>\r\n\
        --x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0x\r\n--x--\r\n";
    let mut seeds = vec![own.as_bytes().to_vec()];
    seeds.extend(files("../shared/corpus/eml", "eml").into_iter().filter(|bytes| bytes.len() < 200_000));
    parses(MediaType::Mail, &seeds);
}

#[test]
fn damaged_html_and_text_are_read_or_refused() {
    let own = "<html><head><script type=\"application/ld+json\">{\"@type\":\"Order\",\"price\":\"12.80\"}</script></head>\
        <body><table><tr><td>TOTAL</td><td>12.80</td></tr></table></body></html>";
    let mut seeds = vec![own.as_bytes().to_vec()];
    seeds.extend(files("../shared/corpus/eml", "html").into_iter().filter(|bytes| bytes.len() < 200_000));
    parses(MediaType::Html, &seeds);
    parses(MediaType::Text, &[TAXI.as_bytes().to_vec(), CAFE.as_bytes().to_vec()]);
}

#[test]
fn damaged_payloads_and_frames_are_refused_and_never_panic() {
    let known = [
        "01,32,,23442000000014209621,112.00,20230215,,74AE",
        "A:123456789*B:999999990*C:PT*D:FT*E:N*F:20240517*G:FT 1/1*H:0*I1:PT*N:2.30*O:12.30*Q:abcd*R:1",
        "t=20240517T1200&s=12.80&fn=9999078900001234&i=1&fp=1234567890&n=1",
        "SPC\n0200\n1\nCH4431999123000889012\nS\nExample AG",
        "BCD\n002\n1\nSCT\nBIC\nExample\nDE00\nEUR12.80",
    ];
    let seeds: Vec<Vec<u8>> = known.into_iter().map(|text| text.as_bytes().to_vec()).collect();
    exercise(&seeds, |bytes| {
        let _ = payloads::parse(&String::from_utf8_lossy(bytes));
    });
    let frames = in_process::frames(MediaType::Xml, Limits::default(), &einvoice("cii.xml"));
    exercise(&[frames], |bytes| {
        let _ = in_process::check(bytes, Limits::default());
    });
}

#[test]
fn damaged_headers_of_pictures_are_judged_without_a_panic() {
    let mut seeds = files("fixtures/receipts", "jpg");
    seeds.extend(files("fixtures/tiff", "tif"));
    for ending in ["tif", "tiff", "png", "webp", "heic"] {
        seeds.extend(files("../shared/corpus/formats", ending));
    }
    exercise(&seeds, |bytes| {
        if let Some(media_type) = MediaType::sniff(bytes) {
            let _ = header::probe_bytes(bytes, media_type);
        }
    });
}

#[test]
fn damaged_faxes_and_scans_are_decoded_or_refused() {
    exercise(&files("fixtures/tiff", "tif"), |bytes| {
        let limits = Limits::default();
        let Ok(mut source) = Source::open(bytes.to_vec(), MediaType::Tiff, &limits) else { return };
        for page in 0..source.pages() {
            if let Ok(decoded) = source.decode(page) {
                let (width, height) = decoded.picture.dimensions();
                assert!(u64::from(width) * u64::from(height) <= limits.max_pixels, "{width} x {height}");
            }
        }
    });
}
