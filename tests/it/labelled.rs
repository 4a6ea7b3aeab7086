//! Golden values: every labelled document of the corpus whose file knows its values, through the real binary.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A folder of the corpus; `None`, said plainly, when it is not there.
fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(name);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: `{}` is not here", path.display());
    None
}

/// Where the recognition weights are, as the tests of the engine look for them.
fn weights() -> PathBuf {
    let given = std::env::var_os("VOUCH_WEIGHTS_DIR").map_or_else(|| "models/weights".into(), PathBuf::from);
    Path::new(env!("CARGO_MANIFEST_DIR")).join(given)
}

/// What `vouch read --json` says of files: the receipts by file.
fn read(folder: &Path, files: &[String]) -> BTreeMap<String, Vec<Value>> {
    let output = Command::new(env!("CARGO_BIN_EXE_vouch"))
        .env("VOUCH_READER__WEIGHTS_DIR", weights())
        // One page at a time: two would share the seconds a page may take.
        .env("VOUCH_READER__CHILDREN", "1")
        .args(["read", "--json", "--today", "2026-11-25"])
        .args(files)
        .current_dir(folder)
        .output()
        .unwrap();
    let mut receipts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let receipt: Value = serde_json::from_str(line).unwrap();
        receipts.entry(receipt["file"].as_str().unwrap().to_owned()).or_default().push(receipt);
    }
    receipts
}

fn labels(folder: &Path) -> Vec<Value> {
    let lines = std::fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files_below(folder: &Path, at: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(folder, &path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
}

/// Without case, spaces and punctuation, as the corpus asks merchants to be compared.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_same(label: &str, expected: &str, found: &str) -> bool {
    match label {
        "total" | "tax" | "net" => found.parse::<f64>().ok() == expected.parse::<f64>().ok(),
        "merchant" | "invoice_number" => plain(found) == plain(expected),
        _ => found == expected,
    }
}

/// Right and labelled values by label, and what is wrong.
type Tally = (BTreeMap<&'static str, (usize, usize)>, Vec<String>);

/// Right and labelled values by label, and what is wrong, for the labels in `compared`.
fn compare(folder: &Path, compared: &[&'static str]) -> Tally {
    compare_some(folder, compared, 1)
}

/// As [`compare`], of every `step`th file.
fn compare_some(folder: &Path, compared: &[&'static str], step: usize) -> Tally {
    let labels: Vec<Value> = labels(folder).into_iter().step_by(step).collect();
    let files: Vec<String> = labels.iter().map(|label| label["file"].as_str().unwrap().to_owned()).collect();
    let read = read(folder, &files);
    let (mut tally, mut wrong) = (BTreeMap::new(), Vec::new());
    for label in &labels {
        let file = label["file"].as_str().unwrap();
        let receipts = read.get(file).map_or(&[][..], Vec::as_slice);
        if receipts.len() != 1 {
            wrong.push(format!("{file}: {} receipts", receipts.len()));
        }
        for name in compared {
            let Some(expected) = label[*name].as_str() else { continue };
            let found = receipts.first().and_then(|receipt| receipt[*name]["value"].as_str());
            let entry: &mut (usize, usize) = tally.entry(*name).or_default();
            entry.1 += 1;
            if found.is_some_and(|found| is_same(name, expected, found)) {
                entry.0 += 1;
            } else {
                wrong.push(format!("{file}: {name} is {found:?}, labelled {expected}"));
            }
        }
    }
    (tally, wrong)
}

#[test]
fn every_labelled_ofd_becomes_one_receipt_with_its_labels() {
    let Some(folder) = corpus("ofd") else { return };
    let (tally, wrong) = compare(&folder, &["merchant", "date", "total", "tax", "currency", "invoice_number"]);
    eprintln!("ofd, right of labelled: {tally:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_labelled_invoice_of_a_supplier_has_its_amounts_and_dates() {
    let Some(folder) = corpus("invoice2data") else { return };
    let (tally, wrong) = compare(&folder, &["total", "net", "tax", "date"]);
    eprintln!("invoice2data, right of labelled: {tally:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every how many pictures are read in builds for tests, where recognition takes ten seconds each.
const STEP_UNOPTIMISED: usize = 16;

#[test]
fn every_photographed_e_invoice_has_its_total_its_date_and_its_number() {
    let Some(folder) = corpus("cn_didi_einvoice_scan") else { return };
    if !weights().join("PP-OCRv6_rec_small.onnx").is_file() {
        return eprintln!("skipped: the recognition weights are not installed");
    }
    let step = if cfg!(debug_assertions) { STEP_UNOPTIMISED } else { 1 };
    let (tally, wrong) = compare_some(&folder, &["total", "date", "invoice_number"], step);
    eprintln!("cn_didi_einvoice_scan, right of labelled: {tally:?}; `--release` reads all of them");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a ZUGFeRD file states: each field comes from its data, not from its page.
const STATED: [&str; 6] = ["total", "net", "tax", "date", "invoice_number", "currency"];

#[test]
fn every_factur_x_is_one_receipt_with_the_values_of_its_data() {
    states_its_data("zugferd/XML-Rechnung");
}

#[test]
fn every_zugferd_2_is_one_receipt_with_the_values_of_its_data() {
    states_its_data("zugferd/ZUGFeRDv2");
}

fn states_its_data(name: &str) {
    let Some(folder) = corpus(name) else { return };
    let mut files = Vec::new();
    for ending in ["pdf", "xml"] {
        files_below(&folder, &folder, ending, &mut files);
    }
    let read = read(&folder, &files);
    let (mut wrong, mut exact, mut located) = (Vec::new(), 0, 0);
    for file in &files {
        let receipts = read.get(file).map_or(&[][..], Vec::as_slice);
        let [receipt] = receipts else {
            wrong.push(format!("{file}: {} receipts", receipts.len()));
            continue;
        };
        for name in STATED {
            let source = receipt[name]["source"].as_str().unwrap_or_default();
            if matches!(source, "structured:cii" | "structured:ubl") {
                exact += 1;
            } else {
                wrong.push(format!("{file}: {name} comes from `{source}`"));
            }
        }
        let value = |name: &str| receipt[name]["value"].as_str().and_then(|text| text.parse::<f64>().ok());
        if let (Some(total), Some(net), Some(tax)) = (value("total"), value("net"), value("tax"))
            && (total - net - tax).abs() > 0.005
        {
            wrong.push(format!("{file}: {net} and {tax} do not make {total}"));
        }
        located += usize::from(receipt["total"]["box"].is_array());
    }
    eprintln!("{name}: {exact} values of {} files from their data; {located} totals located on a page", files.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}
