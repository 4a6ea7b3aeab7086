//! Values out of structures, brought into canonical form: decimals with a point, ISO dates, clean text.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    domain::{
        field::{FieldKey, MAX_TEXT_CHARS},
        receipt::EvidenceKind,
        structured::{StructuredSource, StructuredValue},
    },
    reader::protocol::{MAX_VALUES, clean},
};

/// Items and tax rates kept of one invoice; the rest is counted in `item.count`.
pub const MAX_ITEMS: usize = 300;

/// Collects the values one structure states.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    source: StructuredSource,
    out: Vec<StructuredValue>,
}

impl Values {
    /// For values that `source` states.
    pub const fn new(source: StructuredSource) -> Self {
        Self { source, out: Vec::new() }
    }

    /// All that was stated.
    pub fn into_vec(self) -> Vec<StructuredValue> {
        self.out
    }

    /// Whether a value of this name was stated.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The text of the first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.out.iter().find(|value| value.name == name).map(|value| value.text.as_str())
    }

    /// A text as it stands, spaces folded; nothing when it is absent or empty. The first of a name is kept.
    pub fn text(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        let text = clean(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        let text: String = text.chars().take(MAX_TEXT_CHARS).collect();
        let text = text.trim().to_owned();
        if text.is_empty() || self.has(name) || self.out.len() >= MAX_VALUES / 2 {
            return;
        }
        self.out.push(StructuredValue { source: self.source, name: name.to_owned(), text, page: None, quad: None });
    }

    /// A field's text.
    pub fn field(&mut self, key: FieldKey, text: Option<&str>) {
        self.text(key.as_str(), text);
    }

    /// An amount, when it is one.
    pub fn amount(&mut self, name: &str, text: Option<&str>) {
        if let Some(amount) = text.and_then(amount) {
            self.text(name, Some(&amount.to_string()));
        }
    }

    /// A date, when it is one.
    pub fn date(&mut self, name: &str, text: Option<&str>) {
        if let Some(date) = text.and_then(date) {
            self.text(name, Some(&date.to_string()));
        }
    }

    /// A tax rate as per cent, from `6%`, `0.06` or `19.00`.
    pub fn rate(&mut self, name: &str, text: Option<&str>, is_fraction: bool) {
        let Some(text) = text else { return };
        match amount(text.trim().trim_end_matches(['%', '％'])) {
            Some(number) => {
                let has_sign = text.trim().ends_with(['%', '％']);
                let percent = if is_fraction && !has_sign { number * Decimal::ONE_HUNDRED } else { number };
                self.text(name, Some(&format!("{}%", percent.normalize())));
            }
            // 免税, 不征税, ***.
            None => self.text(name, Some(text)),
        }
    }

    /// The kind of evidence.
    pub fn kind(&mut self, kind: EvidenceKind) {
        self.field(FieldKey::EvidenceKind, Some(kind.as_str()));
    }

    /// The seller: the name people know is the merchant, the registered one beside it when it differs.
    pub fn seller(&mut self, trade: Option<&str>, legal: Option<&str>) {
        self.field(FieldKey::Merchant, trade.or(legal));
        if trade.is_some() && legal.is_some() && trade != legal {
            self.field(FieldKey::MerchantLegal, legal);
        }
    }

    /// A net amount out of total and tax, or a tax out of total and net, where the structure leaves one out.
    pub fn complete_sums(&mut self) {
        let (total, net, tax) = (FieldKey::Total.as_str(), FieldKey::Net.as_str(), FieldKey::Tax.as_str());
        let of = |values: &Self, name: &str| values.get(name).and_then(amount);
        match (of(self, total), of(self, net), of(self, tax)) {
            (None, Some(n), Some(t)) => self.amount(total, n.checked_add(t).map(|v| v.to_string()).as_deref()),
            (Some(sum), None, Some(t)) => self.amount(net, sum.checked_sub(t).map(|v| v.to_string()).as_deref()),
            (Some(sum), Some(n), None) => self.amount(tax, sum.checked_sub(n).map(|v| v.to_string()).as_deref()),
            _ => {}
        }
    }
}

/// Reads plain decimal text; signs of money, grouping commas and spaces fall away, at least two decimals are shown.
pub fn amount(text: &str) -> Option<Decimal> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, ',' | '，' | '¥' | '￥' | '元' | '+'))
        .map(|c| if c == '－' || c == '−' { '-' } else { c })
        .collect();
    let mut amount = Decimal::from_str_exact(&plain).ok()?.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    Some(amount)
}

/// Reads the dates structures use: ISO with or without a time, `20240528`, `2024年5月28日`, `2024/5/28`.
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim();
    let compact: String = text.chars().take_while(char::is_ascii_digit).collect();
    if compact.len() >= 8 {
        let number: i32 = compact.get(..8)?.parse().ok()?;
        return civil(number / 10_000, number / 100 % 100, number % 100);
    }
    let mut parts = text.splitn(3, ['-', '/', '.', '年', '月']).map(str::trim);
    let (year, month, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let day: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (year.len() == 4).then_some(())?;
    civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn civil(year: i32, month: i32, day: i32) -> Option<Date> {
    (1980..2200).contains(&year).then_some(())?;
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_of_every_issuer_become_iso() {
        for text in [
            "2024-05-28",
            "2024-05-28 10:11:12",
            "2024-05-28T10:11:12+08:00",
            "20240528",
            "20240528101112",
            "2024年05月28日",
            "2024年5月28日",
            "2024/5/28",
            "2024.05.28",
        ] {
            assert_eq!(date(text).map(|d| d.to_string()).as_deref(), Some("2024-05-28"), "{text}");
        }
        for text in ["", "2024-13-01", "28.05.2024", "24-05-28", "20240230", "年月日"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_lose_their_ornaments_and_keep_their_value() {
        for (text, shown) in [
            ("¥1,234.50", "1234.50"),
            ("10", "10.00"),
            ("-30.5", "-30.50"),
            ("123.4500", "123.45"),
            ("510.679612", "510.679612"),
            ("￥ 0.00 元", "0.00"),
        ] {
            assert_eq!(amount(text).map(|v| v.to_string()).as_deref(), Some(shown), "{text}");
        }
        assert_eq!(amount("***"), None);
    }

    #[test]
    fn the_missing_one_of_total_net_and_tax_is_worked_out() {
        let mut values = Values::new(StructuredSource::Cii);
        values.amount("total", Some("119"));
        values.amount("net", Some("100"));
        values.complete_sums();
        assert_eq!(values.get("tax"), Some("19.00"));
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC{0,40}") {
            let _ = (amount(&text), date(&text));
        }
    }
}
