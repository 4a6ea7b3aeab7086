use std::{
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{
    domain::media::MediaType,
    reader::{
        checked::{Collector as Checker, Progress, Reading},
        protocol::{End, Frame, Rotation, VERSION, read_frame, write_frame},
        sandbox::Posture,
    },
};

/// Frames as the parent would read them off the pipe.
#[derive(Default)]
struct Wire(Vec<u8>);

impl Output for Wire {
    fn send(&mut self, kind: Kind, header: &impl serde::Serialize, body: &[u8]) -> std::io::Result<()> {
        write_frame(&mut self.0, kind, header, body)
    }
}

/// Reads a document the way a child does and checks every frame the way the parent does.
fn read_checked(bytes: &[u8]) -> Result<Reading, Reason> {
    let request = Request {
        version: VERSION,
        media_type: MediaType::Ofd,
        limits: Limits::default(),
        languages: Vec::new(),
        password: None,
        rotation: Rotation::None,
        region: None,
    };
    let mut wire = Wire::default();
    let pages = match read(&request, bytes, &mut wire) {
        Ok(pages) => pages,
        Err(Stopped::Failed(why)) => return Err(why.reason),
        Err(Stopped::Pipe(error)) => panic!("{error}"),
    };
    wire.send(Kind::End, &End { engine: "none".into(), pages }, &[]).unwrap();
    let posture = Posture { resource_limits: true, seccomp: true, landlock_abi: 7, landlock_full: true };
    let mut checker = Checker::new(request.limits, "none".into(), posture);
    let mut rest = wire.0.as_slice();
    loop {
        let frame: Frame = read_frame(&mut rest, u32::MAX).unwrap().unwrap();
        if let Progress::Complete = checker.take(frame).unwrap() {
            return Ok(checker.finish());
        }
    }
}

/// An OFD out of its files.
fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const OFD: &str = include_str!("../../../../fixtures/einvoices/ofd/OFD.xml");
const DOCUMENT: &str = include_str!("../../../../fixtures/einvoices/ofd/Doc_0/Document.xml");
const TEMPLATE: &str = include_str!("../../../../fixtures/einvoices/ofd/Doc_0/Tpls/Tpl_0/Content.xml");
const CONTENT: &str = include_str!("../../../../fixtures/einvoices/ofd/Doc_0/Pages/Page_0/Content.xml");
const TAGS: &str = include_str!("../../../../fixtures/einvoices/ofd/Doc_0/Tags/CustomTags.xml");
const TAG: &str = include_str!("../../../../fixtures/einvoices/ofd/Doc_0/Tags/CustomTag.xml");

fn files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("OFD.xml", OFD),
        ("Doc_0/Document.xml", DOCUMENT),
        ("Doc_0/Tpls/Tpl_0/Content.xml", TEMPLATE),
        ("Doc_0/Pages/Page_0/Content.xml", CONTENT),
        ("Doc_0/Tags/CustomTags.xml", TAGS),
        ("Doc_0/Tags/CustomTag.xml", TAG),
    ]
}

fn value<'a>(reading: &'a Reading, name: &str, source: StructuredSource) -> Option<&'a StructuredValue> {
    reading.values.iter().find(|v| v.name == name && v.source == source)
}

#[test]
fn tags_give_values_with_the_boxes_of_the_text_they_point_at() {
    let reading = read_checked(&zipped(&files())).unwrap();
    let page = &reading.pages[0];
    assert_eq!((page.width, page.height), (1240, 826));
    let total = value(&reading, "total", StructuredSource::OfdTag).unwrap();
    assert_eq!(total.text, "100.00");
    let quad = total.quad.unwrap();
    // 150 mm from the left, baseline at 100 mm of 140.
    assert!((quad.left() - 150.0 * SCALE).abs() < 1.0 && (quad.bottom() - 100.6 * SCALE).abs() < 3.0, "{quad:?}");
    assert_eq!(value(&reading, "merchant", StructuredSource::OfdTag).unwrap().text, "北京示例餐饮有限公司");
    // The custom data knows net and tax; the number is printed, so it borrows the tag's box.
    assert_eq!(value(&reading, "total", StructuredSource::OfdInfo).unwrap().text, "100.00");
    assert!(value(&reading, "invoice_number", StructuredSource::OfdInfo).unwrap().quad.is_some());
    assert_eq!(value(&reading, "evidence_kind", StructuredSource::OfdTag).unwrap().text, "special_fapiao");
    assert!(page.text().contains("电子发票（增值税专用发票）"), "{}", page.text());
    assert_eq!(reading.previews.len(), 1);
}

#[test]
fn packages_that_lie_or_explode_cost_a_typed_reason() {
    let bomb = "<a>".to_owned() + &" ".repeat(30 * 1024 * 1024) + "</a>";
    let many: Vec<String> = (0..2_001).map(|i| format!("Doc_0/{i}.xml")).collect();
    let mut crowd = files();
    crowd.extend(many.iter().map(|name| (name.as_str(), "")));
    let dtd = "<!DOCTYPE r [<!ENTITY a \"b\">]><ofd:OFD/>";
    for (what, bytes, reason) in [
        ("no ZIP", b"PK\x03\x04OFD.xml".to_vec(), Reason::Undecodable),
        ("no entry document", zipped(&[("a.txt", "a")]), Reason::Undecodable),
        ("no page", zipped(&[("OFD.xml", OFD)]), Reason::Undecodable),
        ("document type", zipped(&[("OFD.xml", dtd)]), Reason::XmlDtdForbidden),
        ("ratio", zipped(&[("OFD.xml", &bomb)]), Reason::ArchiveLimits),
        ("entries", zipped(&crowd), Reason::ArchiveLimits),
    ] {
        assert_eq!(read_checked(&bytes).map(|_| ()), Err(reason), "{what}");
    }
}

#[test]
fn an_attached_document_type_is_not_forgiven_either() {
    let mut files = files();
    files.push(("Doc_0/Attachs/original_invoice.xml", "<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>"));
    assert_eq!(read_checked(&zipped(&files)).map(|_| ()), Err(Reason::XmlDtdForbidden));
}

#[test]
fn a_ticket_attached_as_xbrl_is_read() {
    let rail =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/einvoices/rail.xml")).unwrap();
    let mut files = files();
    files.push(("Doc_0/Attachs/rai_issuer_1.xml", &rail));
    let reading = read_checked(&zipped(&files)).unwrap();
    assert_eq!(value(&reading, "total", StructuredSource::Xbrl).unwrap().text, "91.00");
}

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/ofd");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus at {}", folder.display());
    None
}

fn ofd_files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(ofd_files(&path));
        } else if path.extension().is_some_and(|e| e == "ofd") {
            out.push(path);
        }
    }
    out.sort();
    out
}

#[test]
fn every_package_of_the_corpus_is_read_or_refused_with_a_reason() {
    let Some(folder) = corpus() else { return };
    let files = ofd_files(&folder);
    let mut refused = Vec::new();
    for path in &files {
        let started = std::time::Instant::now();
        let read = read_checked(&std::fs::read(path).unwrap());
        let spent = started.elapsed();
        if spent > std::time::Duration::from_secs(2) {
            eprintln!("{}: {spent:?}", path.display());
        }
        if let Err(reason) = read {
            refused.push(format!("{}: {reason}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    eprintln!("{} packages, {} refused: {refused:#?}", files.len(), refused.len());
    assert!(files.len() >= 60 && refused.len() * 10 <= files.len(), "{refused:#?}");
}

#[test]
fn the_labelled_packages_state_their_labels_exactly() {
    let Some(folder) = corpus() else { return };
    for line in std::fs::read_to_string(folder.join("labels.jsonl")).unwrap().lines() {
        let label: serde_json::Value = serde_json::from_str(line).unwrap();
        let file = label["file"].as_str().unwrap();
        let reading = read_checked(&std::fs::read(folder.join(file)).unwrap()).unwrap();
        for (field, key) in [
            ("merchant", "merchant"),
            ("date", "issued_on"),
            ("total", "total"),
            ("currency", "currency"),
            ("invoice_number", "invoice_number"),
            ("tax", "tax"),
        ] {
            let Some(expected) = label[field].as_str() else { continue };
            let stated = reading.values.iter().find(|v| v.name == key).map(|v| v.text.as_str());
            assert_eq!(stated, Some(expected), "{file}: {field}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_damaged_page_never_panics(at in 0_usize..4_000, letter in "[0-9<>/\"= .gMLBQA-]{1,6}") {
        let mut content = CONTENT.to_owned();
        let mut at = at % content.len();
        while !content.is_char_boundary(at) {
            at -= 1;
        }
        content.insert_str(at, &letter);
        let mut files = files();
        files[3].1 = &content;
        let _ = read_checked(&zipped(&files));
    }

    #[test]
    fn a_damaged_package_never_panics(at in 0_usize..9_000, byte in any::<u8>()) {
        let mut bytes = zipped(&files());
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = read_checked(&bytes);
    }
}
