//! What structured values, codes and the printed text say of an invoice beyond its fields.

use rust_decimal::Decimal;

use crate::{
    domain::finding::InvoiceFacts,
    extract::{Material, capital_amount, payloads},
};

/// Lines of a page that are searched for capital numerals.
const MAX_LINES: usize = 2_000;
/// Numbers and codes a toll list names.
const MAX_LISTED: usize = 200;
/// Digits of an invoice's number or code: eight of old numbers and of the treasury's codes, twenty of digital ones.
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 8..=20;
/// Articles that are added up.
const MAX_ITEMS: usize = 1_000;

/// Collects the facts of what was read.
pub fn facts_of(material: &Material) -> InvoiceFacts {
    let stated = |name: &str| material.values.iter().find(|v| v.name == name).map(|v| v.text.clone());
    let payloads: Vec<_> = material.codes.iter().filter_map(|code| payloads::parse(&code.text)).collect();
    let coded = |name: &str| {
        let mut extras = payloads.iter().flat_map(|payload| &payload.extra);
        extras.find(|(known, _)| known == name).map(|(_, text)| text.clone())
    };
    let capitals =
        stated("total_capitals").and_then(|text| capital_amount(&text)).or_else(|| printed_capitals(material));
    let all_items = |part: &str| sum_of_items(material, part).map(|sum| sum.to_string());
    let mut rates: Vec<String> = (1..=MAX_ITEMS).map_while(|i| stated(&format!("item.{i}.tax_rate"))).collect();
    rates.dedup();
    let is = |name: &str| stated(name).is_some_and(|text| text == "true");
    let of_tolls = speaks_of_tolls(material);
    InvoiceFacts {
        invoice_code: stated("invoice_code").or_else(|| coded("invoice_code")),
        capitals: capitals.map(|amount| amount.to_string()),
        items_net: all_items("amount"),
        items_tax: all_items("tax"),
        rates,
        original_number: stated("original_invoice_number"),
        is_red: is("red") || is("credit_note") || is("refund"),
        of_tolls,
        listed_numbers: if of_tolls { long_numbers(material) } else { Vec::new() },
    }
}

fn speaks_of_tolls(material: &Material) -> bool {
    let mut lines = material.pages.iter().flat_map(|page| &page.lines).take(MAX_LINES);
    lines.any(|line| {
        let text = line.text().to_lowercase();
        text.replace(' ', "").contains("通行费")
            || text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "toll")
    })
}

/// Runs of digits as long as invoices' numbers and codes, each once.
fn long_numbers(material: &Material) -> Vec<String> {
    let words = material.pages.iter().flat_map(|page| &page.lines).take(MAX_LINES).flat_map(|line| &line.words);
    let mut numbers: Vec<String> = Vec::new();
    for word in words {
        for digits in word.text.split(|c: char| !c.is_ascii_digit()) {
            if NUMBER_DIGITS.contains(&digits.len()) && !numbers.iter().any(|known| known == digits) {
                numbers.push(digits.to_owned());
            }
        }
        if numbers.len() >= MAX_LISTED {
            break;
        }
    }
    numbers
}

fn printed_capitals(material: &Material) -> Option<Decimal> {
    let lines = material.pages.iter().flat_map(|page| &page.lines).take(MAX_LINES);
    lines.into_iter().find_map(|line| capital_amount(&line.text().replace(' ', "")))
}

/// The articles' amounts together; `None` unless every article states one.
fn sum_of_items(material: &Material, part: &str) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    let mut count = 0;
    for index in 1..=MAX_ITEMS {
        let of = |part: &str| {
            let name = format!("item.{index}.{part}");
            material.values.iter().find(|v| v.name == name).map(|v| v.text.as_str())
        };
        if of("name").is_none() && of("amount").is_none() {
            break;
        }
        sum = sum.checked_add(Decimal::from_str_exact(of(part)?).ok()?)?;
        count += 1;
    }
    (count > 0).then_some(sum)
}
