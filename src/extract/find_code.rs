//! The QR payload of Chinese fapiao as exact candidates: `01,32,,23442000000014209621,112,20230215,,74AE`.
//!
//! Fields: version, kind, code, number, amount, date, check code, CRC, … (six to nine of them). The amount is
//! what is to be paid for 数电 and rail kinds (31, 32, 51) and without tax for the older ones.

use rust_decimal::Decimal;

use super::{
    arithmetic::Sums,
    money::Mention,
    rank::{Features, Proposal},
};
use crate::domain::{
    field::{Evidence, FieldKey, FieldValue},
    page::Code,
    receipt::EvidenceKind,
    time::CivilDate,
};

/// Codes of one receipt that are looked at.
const MAX_CODES: usize = 16;
/// A code says what the issuer's machine printed: wrong only when it belongs to another paper on the picture.
const EXACT: f32 = 0.985;

/// What a payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fapiao {
    /// Kind of invoice, two digits.
    pub kind: String,
    /// The invoice number, 8 or 20 digits.
    pub number: String,
    /// The amount as printed in the code.
    pub amount: Option<Decimal>,
    /// The date.
    pub date: Option<CivilDate>,
}

impl Fapiao {
    /// Parses a payload; `None` when it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.trim().splitn(10, ',').map(str::trim).collect();
        if !(6..=10).contains(&fields.len()) || fields[0] != "01" {
            return None;
        }
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        let number = fields[3];
        if fields[1].len() != 2 || !digits(fields[1]) || !digits(number) || !matches!(number.len(), 8 | 20) {
            return None;
        }
        let date = fields[5];
        let date = (date.len() == 8 && digits(date))
            .then(|| {
                let number: i32 = date.parse().ok()?;
                CivilDate::new((number / 10_000) as i16, (number / 100 % 100) as i8, (number % 100) as i8).ok()
            })
            .flatten();
        let amount = Decimal::from_str_exact(fields[4]).ok().filter(|a| *a > Decimal::ZERO);
        Some(Self { kind: fields[1].to_owned(), number: number.to_owned(), amount, date })
    }

    /// Whether the amount contains the tax.
    pub fn is_gross(&self) -> bool {
        matches!(self.kind.as_str(), "31" | "32" | "51")
    }
}

/// Exact proposals from the codes; feature `exact` overrules the ranker.
pub fn propose(codes: &[Code], mentions: &[Mention], sums: &Sums) -> Vec<Proposal> {
    let mut out = Vec::new();
    for code in codes.iter().take(MAX_CODES) {
        let Some(fapiao) = Fapiao::parse(&code.text) else { continue };
        let evidence = Evidence { page: code.page, quad: Some(code.quad), text: code.text.chars().take(120).collect() };
        let mut push = |key, value, p| {
            out.push(Proposal {
                key,
                value,
                evidence: vec![evidence.clone()],
                finder: "code:fapiao",
                reasons: vec!["code".to_owned()],
                features: Features(vec![("exact", p), ("p", p)]),
            });
        };
        push(FieldKey::InvoiceNumber, FieldValue::Text(fapiao.number.clone()), EXACT);
        if let Some(date) = fapiao.date {
            push(FieldKey::Date, FieldValue::Date(date), EXACT);
        }
        let kind = match fapiao.kind.as_str() {
            "01" | "31" | "08" => Some(EvidenceKind::SpecialFapiao),
            "04" | "10" | "11" | "14" | "32" => Some(EvidenceKind::OrdinaryFapiao),
            "51" => Some(EvidenceKind::RailTicket),
            _ => None,
        };
        if let Some(kind) = kind {
            push(FieldKey::EvidenceKind, FieldValue::Text(kind.as_str().to_owned()), EXACT);
        }
        let Some(amount) = fapiao.amount else { continue };
        if fapiao.is_gross() {
            push(FieldKey::Total, FieldValue::Amount(amount), EXACT);
        } else {
            push(FieldKey::Net, FieldValue::Amount(amount), 0.9);
            if let Some(total) = gross_of(amount, mentions, sums) {
                push(FieldKey::Total, FieldValue::Amount(total), 0.97);
            }
        }
    }
    out
}

/// The printed total a net amount leads to: written out in capitals, or net + a printed tax that is itself printed.
fn gross_of(net: Decimal, mentions: &[Mention], sums: &Sums) -> Option<Decimal> {
    let plausible = |total: Decimal| total >= net && total * Decimal::from(100) <= net * Decimal::from(120);
    let printed = |value: Decimal| mentions.iter().any(|m| m.amount.value == value);
    if let Some(total) = sums.capitals.iter().copied().find(|t| plausible(*t)) {
        let mut total = total;
        total.rescale(2);
        return Some(total);
    }
    mentions.iter().map(|m| net + m.amount.value).find(|total| *total > net && plausible(*total) && printed(*total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_of_both_generations_are_read() {
        let new = Fapiao::parse("01,32,,23000000000000000001,112,20230215,,74AE").unwrap();
        assert_eq!((new.number.len(), new.is_gross()), (20, true));
        assert_eq!(new.amount, Some(Decimal::from(112)));
        assert_eq!(new.date.unwrap().to_string(), "2023-02-15");
        let old = Fapiao::parse("01,10,050000000000,29000001,104.72,20180613,02418567008427471889,1774,").unwrap();
        assert!(!old.is_gross());
        for other in
            ["https://example.org/1,2", "01,32", "02,10,1,12345678,1,20200101,,", "01,xx,,12345678,1,20200101,,", ""]
        {
            assert_eq!(Fapiao::parse(other), None, "{other}");
        }
    }
}
