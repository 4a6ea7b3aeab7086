//! The fields beside merchant, date, time, total and currency: measured on transcripts, so without recognition's errors,
//! and wherever pages were recognised before.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{
    items::{self, ItemScore},
    labels::{self, Label, LabelError},
};
use crate::{
    domain::{
        breakdown::ItemKind,
        field::{FieldKey, FieldValue},
        page::Page,
    },
    extract::{
        Context, Extraction, Material, extract,
        fold::{fold_name, similarity},
    },
};

/// Addresses this alike are right: pages print them with more or less of country and telephone.
const SAME_ADDRESS: f32 = 0.8;
/// Digits of a telephone number that must agree from its end: country codes are printed or not.
const PHONE_DIGITS: usize = 7;

/// Labels derived by hand for receipts of the corpus: `source,file,key,value`, `-` for "nothing of it is printed".
pub const DERIVED: &str = include_str!("../../../models/fields/eval-labels.csv");

/// Right, wrong and missing of one field.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldScore {
    /// Labelled with a value.
    pub labelled: u32,
    /// Of those, right.
    pub right: u32,
    /// Of those, something else was proposed.
    pub wrong: u32,
    /// Labelled as not printed.
    pub absent: u32,
    /// Of those, something was proposed all the same.
    pub invented: u32,
    /// Stated probability and whether it was right.
    pub stated: Vec<(f32, bool)>,
}

/// Scores per field, and of the lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldScores {
    /// By field.
    pub fields: BTreeMap<FieldKey, FieldScore>,
    /// The lines.
    pub items: ItemScore,
    /// Receipts whose articles a person counted, and those of them with as many lines or pieces read.
    pub counts: (u32, u32),
}

#[derive(Deserialize)]
struct Derived {
    source: String,
    file: String,
    key: FieldKey,
    value: String,
}

/// What is known of one receipt: field, and value or that it is not printed.
pub type Wanted = Vec<(FieldKey, Option<String>)>;

/// Labels of [`DERIVED`] for `source`, by file.
pub fn derived(source: &str) -> BTreeMap<String, Wanted> {
    let mut out: BTreeMap<String, Wanted> = BTreeMap::new();
    for row in csv::Reader::from_reader(DERIVED.as_bytes()).deserialize::<Derived>().flatten() {
        if row.source == source {
            let value = (row.value != "-").then_some(row.value);
            out.entry(row.file).or_default().push((row.key, value));
        }
    }
    out
}

/// Labels the corpus itself gives for fields that `vouch eval` does not score.
#[derive(Debug, Clone, Default, Deserialize)]
struct More {
    file: Option<String>,
    #[serde(rename = "box")]
    boxes: Option<String>,
    tel: Option<String>,
    address: Option<String>,
    #[serde(default)]
    subtotal_raw: Vec<String>,
    doc_type: Option<String>,
    /// How many articles a person counted.
    n_items: Option<u32>,
}

/// Everything labelled of `label`'s receipt.
fn wanted(label: &Label, more: &More) -> Wanted {
    let mut out: Wanted = Vec::new();
    let mut put = |key, value: Option<String>| out.extend(value.map(|v| (key, Some(v))));
    put(FieldKey::Tax, label.tax.map(|t| t.to_string()));
    put(FieldKey::Net, label.net.map(|t| t.to_string()));
    put(FieldKey::InvoiceNumber, label.invoice_number.clone());
    put(FieldKey::SellerTaxId, label.merchant_tax_id.clone());
    put(FieldKey::Phone, more.tel.clone());
    put(FieldKey::Address, more.address.clone());
    // Without a tax the sum before it is no net amount a person would look for.
    if label.tax.is_some_and(|t| !t.is_zero()) && label.net.is_none() {
        let net = more.subtotal_raw.first().and_then(|t| crate::extract::numbers::find(t).into_iter().next());
        put(FieldKey::Net, net.map(|a| a.value.to_string()));
    }
    let kind = more.doc_type.as_deref().and_then(|kind| match kind {
        k if k.contains("专用发票") => Some("special_fapiao"),
        k if k.contains("出租车") => Some("taxi_slip"),
        k if k.contains("普通发票") => Some("ordinary_fapiao"),
        _ => None,
    });
    put(FieldKey::EvidenceKind, kind.map(str::to_owned));
    out
}

/// Whether the value read is the one wanted.
fn agrees(key: FieldKey, wanted: &str, read: &FieldValue) -> bool {
    let digits = |t: &str| t.chars().filter(char::is_ascii_digit).collect::<String>();
    match key {
        FieldKey::Tax | FieldKey::Net | FieldKey::Tip => read.as_amount().is_some_and(|a| wanted.parse() == Ok(a)),
        FieldKey::Phone => {
            let read = digits(&read.to_string());
            wanted.split([',', ';', '/']).map(digits).any(|w| {
                let n = w.len().min(read.len());
                // `031 …` at home is `+41 31 …` abroad.
                let n = n.min(PHONE_DIGITS.max(n.saturating_sub(2)));
                n >= PHONE_DIGITS.min(w.len()) && n > 4 && w[w.len() - n..] == read[read.len() - n..]
            })
        }
        FieldKey::Address => {
            let (a, b) = (fold_name(wanted), fold_name(&read.to_string()));
            // Papers print the place before or after the street.
            let sorted = |t: &str| {
                let mut words: Vec<String> = t.split(|c: char| !c.is_alphanumeric()).map(fold_name).collect();
                words.sort();
                words.concat()
            };
            let (x, y) = (sorted(wanted), sorted(&read.to_string()));
            similarity(&a, &b) >= SAME_ADDRESS
                || similarity(&x, &y) >= SAME_ADDRESS
                || (a.len() > 12 && b.contains(&a))
                || (b.len() > 20 && a.contains(&b))
        }
        _ => fold_name(wanted) == fold_name(&read.to_string()),
    }
}

impl FieldScores {
    /// Compares one receipt.
    pub fn add(&mut self, wanted: &Wanted, extraction: &Extraction) {
        for (key, value) in wanted {
            let score = self.fields.entry(*key).or_default();
            let read = extraction.fields.get(key);
            let right = match (value, read) {
                (Some(value), Some(field)) => {
                    let right = agrees(*key, value, &field.value);
                    score.wrong += u32::from(!right);
                    right
                }
                (None, Some(_)) => {
                    score.invented += 1;
                    false
                }
                (_, None) => false,
            };
            score.labelled += u32::from(value.is_some());
            score.absent += u32::from(value.is_none());
            score.right += u32::from(right);
            score.stated.extend(read.map(|f| (f.p, right)));
        }
    }

    /// A table: one row per field, then the lines.
    pub fn table(&self) -> String {
        let mut out = String::from(
            "| field | labelled | right | wrong | not found | not printed | proposed all the same | calibration error |\n|---|---|---|---|---|---|---|---|\n",
        );
        let share = |a: u32, n: u32| 100.0 * f64::from(a) / f64::from(n.max(1));
        for (key, s) in &self.fields {
            let missing = s.labelled - s.right - s.wrong;
            let _ = writeln!(
                out,
                "| {key} | {} | {} ({:.1} %) | {} | {missing} | {} | {} | {:.3} |",
                s.labelled,
                s.right,
                share(s.right, s.labelled),
                s.wrong,
                s.absent,
                s.invented,
                calibration_error(&s.stated)
            );
        }
        if self.counts.0 > 0 {
            let _ = writeln!(out, "\nnumber of articles right on {} of {} receipts", self.counts.1, self.counts.0);
        }
        let i = &self.items;
        if i.receipts > 0 {
            let _ = writeln!(
                out,
                "\n{} labelled lines on {} receipts: {} read, {} right in name and amount (recall {:.1} %, precision {:.1} %), {} right in amount; \
                 quantity right on {} of {} of them; {} receipts without a mistake; calibration error {:.3}",
                i.lines,
                i.receipts,
                i.read,
                i.right,
                share(i.right, i.lines),
                share(i.right, i.read),
                i.amounts,
                i.counted.1,
                i.counted.0,
                i.whole,
                i.calibration_error()
            );
        }
        out
    }
}

/// Expected calibration error over ten bins.
pub fn calibration_error(stated: &[(f32, bool)]) -> f32 {
    let mut bins = [0.0_f32; 10];
    for (p, right) in stated {
        bins[((p * 10.0) as usize).min(9)] += p - f32::from(u8::from(*right));
    }
    bins.iter().map(|off| off.abs()).sum::<f32>() / stated.len().max(1) as f32
}

/// Compares every labelled receipt of the corpus folder `folder` whose page `page_of` knows.
pub fn evaluate(
    folder: &Path,
    context: &Context,
    page_of: impl Fn(&Label) -> Option<Page>,
    mut heard: impl FnMut(&str, &Wanted, &Extraction),
) -> Result<FieldScores, LabelError> {
    let source = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let derived = derived(&source);
    let path = folder.join("labels.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let more: Vec<More> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let more_of = |label: &Label| {
        more.iter().find(|m| m.file == label.file && m.boxes == label.boxes).cloned().unwrap_or_default()
    };
    let mut scores = FieldScores::default();
    for label in labels::read(folder)?.iter().filter(|l| l.multi.is_empty()) {
        let Some(page) = page_of(label) else { continue };
        let more = more_of(label);
        let mut wanted = wanted(label, &more);
        for name in [label.file.as_deref(), label.boxes.as_deref()].into_iter().flatten() {
            for own in derived.get(name).into_iter().flatten() {
                wanted.retain(|(key, _)| *key != own.0);
                wanted.push(own.clone());
            }
        }
        let transcript = label.file.as_deref().and_then(|file| items::read(&transcript_of(folder, file)));
        let material = Material { pages: vec![page], ..Material::default() };
        let extraction = extract(&material, context);
        scores.add(&wanted, &extraction);
        if let Some(boxes) = transcript {
            scores.items.add(&items::truth(&boxes), &extraction.breakdown.items);
        }
        if let Some(n) = more.n_items {
            scores.counts.0 += 1;
            scores.counts.1 += u32::from(is_count(n, &extraction));
        }
        heard(label.name(), &wanted, &extraction);
    }
    Ok(scores)
}

/// Whether `n` articles were read: a person may have counted lines or pieces.
fn is_count(n: u32, extraction: &Extraction) -> bool {
    let articles = || extraction.breakdown.items.iter().filter(|i| i.kind == ItemKind::Article);
    let pieces: Decimal = articles().map(|i| i.quantity.filter(|q| q.fract().is_zero()).unwrap_or(Decimal::ONE)).sum();
    articles().count() == n as usize || pieces == Decimal::from(n)
}

/// Where the labelled boxes of a picture are, if anywhere.
fn transcript_of(folder: &Path, file: &str) -> std::path::PathBuf {
    let stem = Path::new(file).file_stem().unwrap_or_default();
    folder.join("box").join(stem).with_extension("json")
}

/// The perfect transcript of a receipt as a page.
pub fn transcript(folder: &Path, label: &Label) -> Option<Page> {
    if let Some(boxes) = &label.boxes {
        let text = std::fs::read(folder.join(boxes)).ok()?;
        return Some(super::cached::from_boxes(&String::from_utf8_lossy(&text)));
    }
    let boxes = items::read(&transcript_of(folder, label.file.as_deref()?))?;
    Some(items::page(&boxes))
}

/// The page of a receipt recognised before: `{"pages": [page, …]}` in `<dir>/<file>.json`; `None` when there is none.
pub fn recognised(dir: &Path, label: &Label) -> Option<Page> {
    let path = dir.join(format!("{}.json", label.file.as_deref()?));
    let mut value: serde_json::Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    serde_json::from_value(value["pages"][0].take()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context {
            today: super::super::eval_today(),
            home_currency: None,
            locales: Vec::new(),
            known_merchants: Vec::new(),
        }
    }

    #[test]
    fn telephones_and_addresses_agree_however_they_are_printed() {
        let text = |t: &str| FieldValue::Text(t.to_owned());
        assert!(agrees(FieldKey::Phone, "011-55501200,011-55501300", &text("(011) 5550 1300")));
        assert!(agrees(FieldKey::Phone, "031 380 55 55", &text("+41 31 380 55 55")));
        assert!(!agrees(FieldKey::Phone, "011-55501200", &text("55501201")));
        assert!(agrees(FieldKey::Address, "12 MAIN ST SPRINGFIELD", &text("12 Main St, Springfield")));
        assert!(agrees(FieldKey::Tax, "0.60", &FieldValue::Amount("0.6".parse().unwrap())));
    }

    /// Pages recognised once and kept outside the repository.
    fn pages() -> std::path::PathBuf {
        std::env::var("VOUCH_PAGES").unwrap_or_else(|_| "/tmp/vouch-pages".to_owned()).into()
    }

    /// Prints what went wrong with the fields that `VOUCH_SHOW=phone,items` names: for work on the finders, never in a normal run.
    fn show(show: &str, folder: &Path, name: &str, wanted: &Wanted, extraction: &Extraction) {
        for (key, value) in wanted.iter().filter(|(key, _)| show.split(',').any(|s| s == key.as_str())) {
            let read = extraction.fields.get(key);
            let right = match (value, read) {
                (Some(value), Some(read)) => agrees(*key, value, &read.value),
                (None, None) => true,
                _ => false,
            };
            if !right {
                let read = read.map(|f| format!("{} ({:.2} {})", f.value, f.p, f.source));
                eprintln!("!{name} {key}: wanted {value:?} read {read:?}");
            }
        }
        if show.split(',').any(|s| s == "items") {
            let truth = items::read(&transcript_of(folder, name)).map(|boxes| items::truth(&boxes)).unwrap_or_default();
            let mut own = ItemScore::default();
            own.add(&truth, &extraction.breakdown.items);
            if own.right < own.lines || own.right < own.read || truth.is_empty() {
                eprintln!("!== {name}: {} of {}, {} read", own.right, own.lines, own.read);
                for t in &truth {
                    eprintln!("!   wanted {} {} {:?}", t.name, t.amount, t.quantity.map(|q| q.to_string()));
                }
                for i in &extraction.breakdown.items {
                    let (q, u) = (i.quantity.map(|q| q.to_string()), i.unit_price.map(|q| q.to_string()));
                    eprintln!("!   read   {} {} {q:?} {u:?} {:.2} {:?}", i.name, i.amount, i.p, i.reasons);
                }
                for t in &extraction.breakdown.taxes {
                    eprintln!(
                        "!   tax    {} % of {:?} {:?} {:.2}",
                        t.rate,
                        t.net.map(|n| n.to_string()),
                        t.tax.map(|n| n.to_string()),
                        t.p
                    );
                }
            }
        }
    }

    #[test]
    fn labelled_transcripts_keep_their_recorded_accuracy() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
        if !corpus.join("wildreceipt").is_dir() {
            eprintln!("skipped: ../shared/corpus is not there");
            return;
        }
        let shown = std::env::var("VOUCH_SHOW").unwrap_or_default();
        for source in ["wildreceipt", "sroie"] {
            let folder = corpus.join(source);
            let heard = |name: &str, wanted: &Wanted, e: &Extraction| show(&shown, &folder, name, wanted, e);
            let scores = evaluate(&folder, &context(), |label| transcript(&folder, label), heard).unwrap();
            eprintln!("{source} (transcripts)\n{}", scores.table());
        }
    }

    #[test]
    fn labelled_recognised_pages_keep_their_recorded_accuracy() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
        let shown = std::env::var("VOUCH_SHOW").unwrap_or_default();
        for source in [
            "swiss_photos",
            "softmatic_de",
            "us_photos20",
            "cn_didi_einvoice_scan",
            "cn_misc_images",
            "cn_taxi_shenzhen",
            "wildreceipt",
            "sroie",
        ] {
            let folder = corpus.join(source);
            if !folder.is_dir() {
                eprintln!("skipped: ../shared/corpus is not there");
                return;
            }
            let heard = |name: &str, wanted: &Wanted, e: &Extraction| show(&shown, &folder, name, wanted, e);
            let scores =
                evaluate(&folder, &context(), |label| recognised(&pages().join(source), label), heard).unwrap();
            eprintln!("{source} (recognised)\n{}", scores.table());
        }
    }
}
