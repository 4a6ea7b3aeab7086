use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// The invoice the project wrote, by file name.
fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/einvoices").join(name)).unwrap()
}

fn text<'a>(values: &'a [StructuredValue], name: &str) -> Option<&'a str> {
    values.iter().find(|v| v.name == name).map(|v| v.text.as_str())
}

/// Names and texts that must be stated, in a table.
fn states(name: &str, expected: &[(&str, &str)]) {
    let values = values_of(&sample(name)).unwrap().unwrap();
    for (field, wanted) in expected {
        assert_eq!(text(&values, field), Some(*wanted), "{name}: {field}");
    }
}

#[test]
fn a_digital_invoice_states_its_sums_parties_items_and_trips() {
    states(
        "digital-special.xml",
        &[
            ("invoice_number", "26440000000000000017"),
            ("issued_on", "2026-03-05"),
            ("merchant", "广州示例酒店管理有限公司"),
            ("seller_tax_id", "91440101MA5XXXXX0A"),
            ("buyer_name", "示例科技（上海）有限公司"),
            ("buyer_tax_id", "91310000MA1XXXXX0B"),
            ("net", "1132.08"),
            ("tax", "67.92"),
            ("total", "1200.00"),
            ("total_capitals", "壹仟贰佰圆整"),
            ("currency", "CNY"),
            ("evidence_kind", "special_fapiao"),
            ("item.1.name", "*住宿服务*住宿费"),
            ("item.1.tax_rate", "6%"),
            ("remark", "入住 2 晚"),
        ],
    );
    states(
        "digital-red-ride.xml",
        &[
            ("total", "-30.00"),
            ("red", "true"),
            ("original_invoice_number", "26440000000000000018"),
            ("evidence_kind", "ordinary_fapiao"),
            ("trip.1.from", "北京南站"),
            ("trip.1.on", "2026-03-02"),
            ("occurred_on", "2026-03-02"),
        ],
    );
}

#[test]
fn tickets_state_fare_tax_and_journey() {
    states(
        "rail.xml",
        &[
            ("invoice_number", "26319000000000000021"),
            ("issued_on", "2026-03-09"),
            ("occurred_on", "2026-03-06"),
            ("total", "91.00"),
            ("net", "83.49"),
            ("tax", "7.51"),
            ("tax_rate", "9%"),
            ("train_number", "G7001"),
            ("from", "上海虹桥"),
            ("to", "南京南"),
            ("evidence_kind", "rail_ticket"),
        ],
    );
    states(
        "air.xml",
        &[
            ("total", "660.00"),
            ("net", "559.63"),
            ("tax", "50.37"),
            ("levies", "50.00"),
            ("flight", "XX1234"),
            ("to", "成都天府"),
            ("merchant", "示例航空股份有限公司"),
            ("evidence_kind", "air_ticket"),
        ],
    );
}

#[test]
fn european_invoices_state_the_same_things_in_both_vocabularies() {
    for name in ["cii.xml", "ubl.xml"] {
        states(
            name,
            &[
                ("invoice_number", "2026-0815"),
                ("issued_on", "2026-02-14"),
                ("merchant", "Gasthof Beispiel"),
                ("merchant_legal", "Beispiel Gastronomie GmbH"),
                ("seller_tax_id", "DE123456789"),
                ("buyer_name", "Muster AG"),
                ("currency", "EUR"),
                ("net", "100.00"),
                ("tax", "14.20"),
                ("total", "114.20"),
                ("rate.1.percent", "19%"),
                ("rate.2.tax", "2.80"),
                ("item.2.name", "Frühstück"),
            ],
        );
    }
    states("cii-minimum.xml", &[("total", "119.00"), ("tax", "19.00"), ("net", "100.00"), ("currency", "EUR")]);
    states("cii-zugferd1.xml", &[("total", "119.00"), ("invoice_number", "471102"), ("merchant", "Lieferant GmbH")]);
    states("ubl-credit-note.xml", &[("total", "-119.00"), ("credit_note", "true")]);
}

#[test]
fn an_unknown_root_is_no_invoice() {
    for xml in ["<html/>", "<Invoice><ID>1</ID></Invoice>", "<xbrl><a>1</a></xbrl>", "<svg/>", "<OFD/>"] {
        assert_eq!(values_of(xml.as_bytes()), Ok(None), "{xml}");
    }
}

#[test]
fn every_invoice_of_the_corpus_states_total_date_and_number() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/zugferd");
    if !folder.is_dir() {
        eprintln!("skipped: no corpus at {}", folder.display());
        return;
    }
    let mut seen = 0;
    for path in xml_files(&folder) {
        let values = values_of(&std::fs::read(&path).unwrap()).unwrap().unwrap();
        let money = |name| text(&values, name).and_then(values::amount);
        let (total, net, tax) = (money("total").unwrap(), money("net").unwrap(), money("tax").unwrap());
        assert_eq!(net + tax, total, "{}", path.display());
        for name in ["issued_on", "invoice_number", "merchant", "currency", "buyer_name"] {
            assert!(text(&values, name).is_some(), "{} has no {name}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 11, "{seen}");
}

fn xml_files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(xml_files(&path));
        } else if path.extension().is_some_and(|e| e == "xml") {
            out.push(path);
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_damaged_invoice_never_panics(at in 0_usize..2_000, byte in any::<u8>(), cut in 0_usize..4_000) {
        for name in ["digital-special.xml", "rail.xml", "cii.xml", "ubl.xml"] {
            let mut bytes = sample(name);
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(cut.max(1));
            let _ = values_of(&bytes);
        }
    }
}
