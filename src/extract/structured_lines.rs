//! Lines and rates out of structured data: `item.1.name`, `item.1.amount` …, `rate.1.percent` …

use rust_decimal::Decimal;

use crate::domain::{
    breakdown::{Breakdown, ItemKind, LineItem, TaxLine},
    structured::StructuredValue,
};

/// Lines and rates that are looked for.
const MAX_LINES: usize = 400;
/// A structured line is as sure as its source.
const P: f32 = 0.99;

/// What the values say; lists they say nothing of are empty.
pub fn breakdown(values: &[StructuredValue]) -> Breakdown {
    Breakdown { items: items(values), taxes: taxes(values) }
}

/// The first value of a part of line `index`.
fn part<'a>(values: &'a [StructuredValue], kind: &str, index: usize, part: &str) -> Option<&'a StructuredValue> {
    let name = format!("{kind}.{index}.{part}");
    values.iter().find(|value| value.name == name)
}

fn amount(value: Option<&StructuredValue>) -> Option<Decimal> {
    value.and_then(|value| Decimal::from_str_exact(value.text.trim_end_matches('%')).ok())
}

fn items(values: &[StructuredValue]) -> Vec<LineItem> {
    let mut out = Vec::new();
    for index in 1..=MAX_LINES {
        let (name, total) = (part(values, "item", index, "name"), part(values, "item", index, "amount"));
        if name.is_none() && total.is_none() {
            break;
        }
        let (Some(name), Some(amount_of_line)) = (name, amount(total)) else { continue };
        // 折扣行: Chinese invoices give a discount as a line of its own with a negative amount.
        let kind = if amount_of_line.is_sign_negative() { ItemKind::Discount } else { ItemKind::Article };
        out.push(LineItem {
            kind,
            name: name.text.clone(),
            quantity: amount(part(values, "item", index, "quantity")),
            unit_price: amount(part(values, "item", index, "unit_price")),
            amount: amount_of_line,
            p: P,
            evidence: None,
            reasons: vec![format!("source:{}", name.source)],
        });
    }
    out
}

fn taxes(values: &[StructuredValue]) -> Vec<TaxLine> {
    let line = |rate: Decimal, net, tax, source: &StructuredValue| TaxLine {
        rate,
        net,
        tax,
        p: P,
        evidence: None,
        reasons: vec![format!("source:{}", source.source)],
    };
    let stated: Vec<TaxLine> = (1..=MAX_LINES)
        .map_while(|index| part(values, "rate", index, "percent").map(|percent| (index, percent)))
        .filter_map(|(index, percent)| {
            let of = |name: &str| amount(part(values, "rate", index, name));
            Some(line(amount(Some(percent))?, of("net"), of("tax"), percent))
        })
        .collect();
    if !stated.is_empty() {
        return stated;
    }
    // Chinese invoices state rate and tax of each line: together they make the rates.
    let mut rates: Vec<TaxLine> = Vec::new();
    for index in 1..=MAX_LINES {
        let Some(percent) = part(values, "item", index, "tax_rate") else { break };
        let of = |name: &str| amount(part(values, "item", index, name));
        let (Some(rate), Some(net), Some(tax)) = (amount(Some(percent)), of("amount"), of("tax")) else { continue };
        match rates.iter_mut().find(|known| known.rate == rate) {
            Some(known) => {
                known.net = known.net.and_then(|sum| sum.checked_add(net));
                known.tax = known.tax.and_then(|sum| sum.checked_add(tax));
            }
            None => rates.push(line(rate, Some(net), Some(tax), percent)),
        }
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::structured::StructuredSource;

    fn values(pairs: &[(&str, &str)]) -> Vec<StructuredValue> {
        pairs
            .iter()
            .map(|(name, text)| StructuredValue {
                source: StructuredSource::EInvoiceXml,
                name: (*name).to_owned(),
                text: (*text).to_owned(),
                page: None,
                quad: None,
            })
            .collect()
    }

    #[test]
    fn lines_of_one_rate_make_one_rate_and_a_discount_is_no_article() {
        let found = breakdown(&values(&[
            ("item.1.name", "*餐饮服务*餐费"),
            ("item.1.quantity", "2"),
            ("item.1.amount", "200.00"),
            ("item.1.tax_rate", "6%"),
            ("item.1.tax", "12.00"),
            ("item.2.name", "*餐饮服务*餐费"),
            ("item.2.amount", "-20.00"),
            ("item.2.tax_rate", "6%"),
            ("item.2.tax", "-1.20"),
        ]));
        assert_eq!(found.items.iter().map(|i| i.kind).collect::<Vec<_>>(), [ItemKind::Article, ItemKind::Discount]);
        assert_eq!(found.items[0].quantity, Some(Decimal::from(2)));
        let [rate] = found.taxes.as_slice() else { panic!("one rate: {:?}", found.taxes) };
        assert_eq!(
            (rate.rate, rate.net, rate.tax),
            (Decimal::from(6), Some(Decimal::from(180)), Some(Decimal::new(1080, 2)))
        );
    }
}
