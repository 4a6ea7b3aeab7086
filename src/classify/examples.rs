//! Training examples: brand names by kind, merchant category codes, and receipts written from the lexicon.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::classify::Input;
use crate::classify::chance::Chance;
use crate::classify::kinds;
use crate::classify::lexicon;
use crate::classify::text::merchant_key;
use crate::classify::train::{Brand, Example, Settings};
use crate::domain::time::CivilTime;

/// Brands read from one file; the public index has 17,000.
const MAX_BRANDS: usize = 200_000;
/// Receipts written per category and unit of prior.
const WRITTEN: usize = 9_000;

/// Why training data could not be read.
#[derive(Debug, thiserror::Error)]
#[error("training data `{file}`, line {line}: {reason}")]
pub struct DataError {
    /// Which file.
    pub file: &'static str,
    /// 1-based line.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
struct NsiLine {
    name: String,
    kind: String,
    brand: Option<String>,
    zh: Option<String>,
    en: Option<String>,
    #[serde(default, rename = "match")]
    also: Vec<String>,
}

fn class(code: &str) -> Option<usize> {
    lexicon::WORDS.iter().position(|(have, _)| *have == code)
}

/// Brands from a `nsi_brands.jsonl`: one object a line with `name`, `kind` and optional other names.
pub fn brands_from_nsi(text: &str) -> Result<Vec<Brand>, DataError> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate().take(MAX_BRANDS) {
        if line.trim().is_empty() {
            continue;
        }
        let bad =
            |e: serde_json::Error| DataError { file: "nsi_brands.jsonl", line: number + 1, reason: e.to_string() };
        let entry: NsiLine = serde_json::from_str(line).map_err(bad)?;
        let Some(category) = kinds::of_osm(&entry.kind).and_then(class) else { continue };
        let kind = entry.kind.split_once('/').map_or(entry.kind.as_str(), |(_, value)| value).to_owned();
        let mut seen = std::collections::BTreeSet::new();
        let names = [Some(entry.name), entry.brand, entry.zh, entry.en].into_iter().flatten().chain(entry.also);
        for name in names {
            if seen.insert(merchant_key(&name)) {
                out.push(Brand { name, kind: kind.clone(), category });
            }
        }
    }
    Ok(out)
}

/// Descriptions from a `mcc_codes.csv` (code, description, …) with their category.
pub fn names_from_mcc(text: &str) -> Result<Vec<(String, usize)>, DataError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut out = Vec::new();
    for (number, record) in reader.records().enumerate().take(MAX_BRANDS) {
        let bad = |reason: String| DataError { file: "mcc_codes.csv", line: number + 2, reason };
        let record = record.map_err(|e| bad(e.to_string()))?;
        let code = record.get(0).unwrap_or_default();
        let code = u32::from_str(code).map_err(|_| bad(format!("`{code}` is not a merchant category code")))?;
        let Some(category) = kinds::of_mcc(code).and_then(class) else { continue };
        let names: std::collections::BTreeSet<&str> = record.iter().skip(1).take(4).map(str::trim).collect();
        for name in names.into_iter().filter(|name| name.len() > 3) {
            out.push((name.to_owned(), category));
        }
    }
    Ok(out)
}

/// Everything to train on, in an order that depends on the arguments alone.
pub fn build(brands: &[Brand], mcc: &[(String, usize)], settings: &Settings) -> Vec<Example> {
    let mut writer = Writer { chance: Chance::new(settings.seed ^ 0xE4A3), brands };
    let mut out = Vec::new();
    for brand in brands {
        let group = merchant_key(&brand.name);
        out.push(writer.example(brand.name.clone(), brand.category, group.clone(), Lines::Maybe, true));
        let varied = writer.varied(&brand.name);
        out.push(writer.example(varied, brand.category, group, Lines::Maybe, false));
    }
    for (name, category) in mcc {
        let group = merchant_key(name);
        out.push(writer.example(name.clone(), *category, group.clone(), Lines::Maybe, false));
        let varied = writer.varied(name);
        out.push(writer.example(varied, *category, group, Lines::Written, false));
    }
    for (category, share) in settings.prior.iter().enumerate() {
        // A floor, so that rare categories are still learnt from more than a few receipts.
        for number in 0..(WRITTEN as f32 * share.max(0.04)) as usize {
            out.push(writer.receipt(category, number));
        }
    }
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// None, filler only, or a few words of the category.
    Maybe,
    /// Words of the category among filler.
    Written,
    /// Nothing that tells.
    Filler,
}

struct Writer<'a> {
    chance: Chance,
    brands: &'a [Brand],
}

/// What any receipt says, in several languages: the model learns that it means nothing.
const FILLER: &[&str] = &[
    "TOTAL",
    "SUBTOTAL",
    "Sub Total",
    "TAX",
    "VAT 20%",
    "GST 6%",
    "Sales tax",
    "CASH",
    "CHANGE",
    "Change due",
    "CARD PAYMENT",
    "VISA",
    "MASTERCARD",
    "Thank you",
    "Please come again",
    "TAX INVOICE",
    "Invoice No",
    "Receipt No",
    "Date",
    "Time",
    "Tel",
    "Fax",
    "Cashier",
    "Till",
    "Qty",
    "Price",
    "Amount",
    "Description",
    "Item",
    "Rounding",
    "Total Amount",
    "Balance due",
    "GST Summary",
    "Customer copy",
    "Approved",
    "Goods sold are not returnable",
    "Company Reg No",
    "No Jalan",
    "Taman",
    "Street",
    "Road",
    "Summe",
    "Gesamt",
    "EUR",
    "MwSt",
    "USt-IdNr",
    "Netto",
    "Brutto",
    "Bar",
    "Rückgeld",
    "Kartenzahlung",
    "Vielen Dank für Ihren Einkauf",
    "Bon-Nr",
    "Beleg",
    "Kasse",
    "Datum",
    "Uhrzeit",
    "Steuer",
    "Betrag",
    "Zahlung",
    "Kundenbeleg",
    "CHF",
    "inkl. MWST",
    "Telefon",
    "Adresse",
    "Strasse",
    "Montant",
    "TVA",
    "Merci",
    "Carte bancaire",
    "Totale",
    "IVA",
    "Grazie",
    "合计",
    "小计",
    "总计",
    "金额",
    "应收",
    "实收",
    "找零",
    "现金",
    "微信支付",
    "支付宝",
    "谢谢惠顾",
    "电话",
    "地址",
    "日期",
    "时间",
    "单号",
    "收银员",
    "发票号码",
    "开票日期",
    "购买方",
    "销售方",
    "纳税人识别号",
    "价税合计",
    "税率",
    "税额",
    "备注",
    "数量",
    "单价",
    "電話",
    "合計",
    "領収書",
    "お釣り",
    "お預り",
    "税込",
    "Member",
    "Points",
    "Store",
    "Register",
    "Operator",
    "Server copy",
    "Signature",
];

/// Food is on the slips of restaurants and of supermarkets.
const FOOD: &[&str] = &[
    "rice",
    "chicken",
    "beef",
    "pork",
    "fish",
    "prawn",
    "egg",
    "eggs",
    "cheese",
    "milk",
    "tea",
    "green tea",
    "water",
    "banana",
    "apple",
    "orange",
    "onion",
    "tomato",
    "potato",
    "bread",
    "bun",
    "chocolate",
    "butter",
    "honey",
    "mushroom",
    "garlic",
    "tofu",
    "vegetable",
    "mango",
    "lemon",
    "ham",
    "bacon",
    "shrimp",
    "corn",
    "spinach",
    "avocado",
    "cream",
    "mineral water",
    "Käse",
    "Milch",
    "Brot",
    "Huhn",
    "Wasser",
    "Tomaten",
    "Zwiebeln",
    "鸡蛋",
    "牛奶",
    "牛肉",
    "鸡肉",
    "豆腐",
    "土豆",
    "青菜",
    "可乐",
    "矿泉水",
    "large",
    "small",
    "hot",
    "cold",
    "spicy",
    "set",
    "sos",
    "ikan",
    "sayur",
];

const SYLLABLES: &[&str] = &[
    "ka", "lo", "mer", "bra", "tin", "sol", "ven", "dor", "ul", "mi", "shen", "gra", "pel", "wick", "hol", "ster",
    "an", "ri", "qui", "lan", "to", "bor", "nes", "fal", "hai", "jun", "zu", "wang", "kim", "sri",
];

const CHARACTERS: &[&str] = &[
    "青", "云", "山", "海", "林", "星", "明", "华", "东", "南", "安", "永", "福", "新", "金", "德", "泰", "和", "源",
    "丰", "嘉", "宝",
];

const LEGAL: &[&str] = &[
    "GmbH",
    "AG",
    "Ltd",
    "LLC",
    "Inc",
    "SDN BHD",
    "S/B",
    "ENTERPRISE",
    "& Co. KG",
    "SA",
    "SRL",
    "有限公司",
    "Pte Ltd",
];

/// Typical amount in euros and hours of a category, in the order of the classes.
const HABITS: [(f32, &[(u32, u32)]); 15] = [
    (28.0, &[(7, 10), (11, 15), (17, 23), (18, 22)]),
    (190.0, &[(6, 12), (6, 12), (14, 23)]),
    (320.0, &[(0, 24)]),
    (55.0, &[(5, 22)]),
    (19.0, &[(0, 24), (17, 24), (6, 10)]),
    (6.0, &[(5, 23)]),
    (62.0, &[(5, 23)]),
    (9.0, &[(7, 23)]),
    (60.0, &[(10, 23), (18, 24)]),
    (28.0, &[(8, 19)]),
    (30.0, &[(9, 20)]),
    (420.0, &[(8, 18)]),
    (14.0, &[(8, 18)]),
    (24.0, &[(8, 20)]),
    (32.0, &[(8, 21)]),
];

impl Writer<'_> {
    fn invented(&mut self) -> String {
        let pool = if self.chance.share() < 0.25 { CHARACTERS } else { SYLLABLES };
        let count = 2 + self.chance.below(2);
        let name: String = (0..count).filter_map(|_| self.chance.pick(pool).copied()).collect();
        if self.chance.share() < 0.4 { name.to_uppercase() } else { name }
    }

    /// The name as a branch prints it: a place, a number, a legal form; sometimes run together.
    // varied
    fn varied(&mut self, name: &str) -> String {
        let legal = self.chance.pick(LEGAL).copied().unwrap_or_default();
        let place = self.invented();
        let out = match self.chance.below(5) {
            0 => format!("{name} {legal}"),
            1 => format!("{name} {place}"),
            2 => format!("{name} {place} {legal}"),
            3 => format!("{name} #{}", self.chance.below(2000)),
            _ => format!("{place} {name}"),
        };
        if self.chance.share() < 0.3 { out.replace(' ', "") } else { out }
    }

    fn word(&mut self, category: usize) -> String {
        let entries: Vec<&str> = lexicon::entries(category).collect();
        self.chance.pick(&entries).map(|entry| entry.trim_matches('*').to_owned()).unwrap_or_default()
    }

    fn lines(&mut self, category: usize, kind: Lines) -> Vec<String> {
        let mut out = Vec::new();
        if kind == Lines::Maybe && self.chance.share() < 0.5 {
            return out;
        }
        for _ in 0..3 + self.chance.below(12) {
            out.extend(self.chance.pick(FILLER).map(|line| format!("{line} {}", self.chance.clone().below(9000))));
        }
        for _ in 0..self.chance.below(3) {
            out.push(self.invented());
        }
        let own = match kind {
            Lines::Maybe => self.chance.below(3),
            Lines::Written => 1 + self.chance.below(9),
            Lines::Filler => 0,
        };
        for _ in 0..own {
            out.push(self.word(category));
        }
        let food = match lexicon::WORDS[category].0 {
            "meals" => 0.65,
            "other" => 0.40,
            _ => 0.05,
        };
        if kind != Lines::Filler && self.chance.share() < food {
            for _ in 0..=self.chance.below(7) {
                out.extend(self.chance.pick(FOOD).map(|line| (*line).to_owned()));
            }
        }
        // A coffee at the filling station, batteries at the supermarket, a name of a road.
        while self.chance.share() < 0.55 {
            let any = self.chance.below(lexicon::WORDS.len());
            out.push(self.word(any));
        }
        self.chance.shuffle(&mut out);
        if self.chance.share() < 0.15 {
            // Readers lose spaces.
            out = out.into_iter().map(|line| line.replace(' ', "")).collect();
        }
        out
    }

    fn example(&mut self, name: String, category: usize, group: String, lines: Lines, is_brand: bool) -> Example {
        // Held-out brands are judged by their name alone.
        let lines = if is_brand { Vec::new() } else { self.lines(category, lines) };
        let known = !is_brand && self.chance.share() < 0.6;
        let input = Input {
            merchant: (!name.is_empty()).then_some(name),
            lines,
            time: known.then(|| self.time(category)).flatten(),
            amount: known.then(|| self.amount(category)),
            currency: None,
            kind: None,
        };
        Example { input, category, group, is_brand }
    }

    fn receipt(&mut self, category: usize, number: usize) -> Example {
        let group = format!("written:{category}:{number}");
        let mut name = self.invented();
        if self.chance.share() < 0.12 {
            // A name that begins like some brand without being it.
            let brand = self.chance.pick(self.brands).map(|brand| brand.name.as_str());
            if let Some(first) = brand.and_then(|brand| brand.split(' ').next()) {
                first.clone_into(&mut name);
            }
        }
        let roll = self.chance.share();
        let word = self.word(category);
        let (name, lines) = if roll < 0.30 {
            (format!("{name} {word}"), Lines::Written)
        } else if roll < 0.45 {
            (format!("{word} {name}"), Lines::Maybe)
        } else if roll < 0.85 {
            (name, Lines::Written)
        } else if roll < 0.90 {
            (String::new(), Lines::Written)
        } else {
            (name, Lines::Filler)
        };
        let name = if self.chance.share() < 0.4 && !name.is_empty() { self.varied(&name) } else { name };
        self.example(name, category, group, lines, false)
    }

    fn time(&mut self, category: usize) -> Option<CivilTime> {
        let (from, to) = self.chance.pick(HABITS[category].1).copied()?;
        let hour = from as usize + self.chance.below((to - from) as usize);
        CivilTime::new(hour as i8, self.chance.below(60) as i8, 0, 0).ok()
    }

    fn amount(&mut self, category: usize) -> Decimal {
        // Log-normal with sigma about 0.7, from the sum of four uniforms.
        let normal = ((0..4).map(|_| self.chance.share()).sum::<f32>() - 2.0) * 1.73;
        Decimal::new((HABITS[category].0 * (0.7 * normal).exp() * 100.0) as i64, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brand_lines_are_read_with_their_other_names_and_kinds() {
        let text =
            r#"{"name": "Nordtor", "kind": "amenity/fuel", "zh": "北门", "match": ["nordtor oil"], "loc": ["de"]}"#;
        let brands = brands_from_nsi(text).unwrap();
        let names: Vec<_> = brands.iter().map(|b| (b.name.as_str(), b.kind.as_str())).collect();
        assert_eq!(names, [("Nordtor", "fuel"), ("北门", "fuel"), ("nordtor oil", "fuel")]);
        let error = brands_from_nsi("{}\n").unwrap_err();
        assert_eq!((error.file, error.line), ("nsi_brands.jsonl", 1));
    }

    #[test]
    fn code_descriptions_are_read_with_their_category() {
        let names = names_from_mcc("mcc,edited_description\n5541,\"Service Stations, with services\"\n").unwrap();
        assert_eq!(names, [("Service Stations, with services".to_owned(), class("fuel").unwrap())]);
        assert!(names_from_mcc("mcc,edited_description\nabc,x\n").is_err());
    }

    #[test]
    fn the_same_settings_write_the_same_examples() {
        let brands = [Brand { name: "Nordtor".into(), kind: "fuel".into(), category: 6 }];
        let settings = Settings::default();
        assert_eq!(build(&brands, &[], &settings), build(&brands, &[], &settings));
    }
}
