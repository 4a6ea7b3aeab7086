//! Whether two documents are the same receipt, by what they say. Pure.

use rust_decimal::Decimal;

use super::Understood;
use crate::{
    classify::merchant_key,
    domain::{field::FieldKey, time::CivilDate},
};

/// What a document is, as far as it decides which of several leads and which is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The invoice as data: XML, the invoice inside an OFD, XBRL.
    Data,
    /// A PDF.
    Pdf,
    /// An OFD without its data.
    Ofd,
    /// A photo or scan.
    Picture,
    /// HTML.
    Html,
    /// The text of a mail.
    Mail,
    /// Plain text.
    Text,
}

impl Form {
    /// Lower leads: data before print before pictures before texts about it.
    pub const fn exactness(self) -> u8 {
        match self {
            Self::Data => 0,
            Self::Ofd => 1,
            Self::Pdf => 2,
            Self::Html => 3,
            Self::Picture => 4,
            Self::Mail => 5,
            Self::Text => 6,
        }
    }

    /// Lower is shown first: what people know as the receipt, before its data.
    pub const fn looks(self) -> u8 {
        match self {
            Self::Pdf => 0,
            Self::Ofd => 1,
            Self::Picture => 2,
            Self::Html => 3,
            Self::Mail => 4,
            Self::Text => 5,
            Self::Data => 6,
        }
    }
}

/// Characters from which an invoice number is one nobody else uses on the same day: 8 digits of old fapiao.
const LONG_NUMBER: usize = 8;
/// Characters below which a number says nothing: a table, a counter.
const SHORT_NUMBER: usize = 4;

/// Whether two documents are renditions of one receipt.
pub fn same_receipt(a: (Form, &Understood), b: (Form, &Understood)) -> bool {
    let (one, two) = (Facts::of(a.1), Facts::of(b.1));
    if let (Some(x), Some(y)) = (&one.number, &two.number) {
        if x == y && x.len() >= SHORT_NUMBER {
            let dates_agree = one.date.is_some() && one.date == two.date;
            let totals_clash = matches!((one.total, two.total), (Some(p), Some(q)) if p != q);
            return !totals_clash || (x.len() >= LONG_NUMBER && dates_agree);
        }
        if x.len() >= LONG_NUMBER && y.len() >= LONG_NUMBER {
            return false;
        }
    }
    // Two slips of one kind with the same total on the same day are two slips (tolls, coffees).
    a.0 != b.0
        && one.date.is_some()
        && one.date == two.date
        && totals_equal(&one, &two)
        && merchants_agree(one.merchant.as_deref(), two.merchant.as_deref())
}

/// Whether both found a total, and the same one.
pub fn same_total(a: &Understood, b: &Understood) -> bool {
    totals_equal(&Facts::of(a), &Facts::of(b))
}

/// Whether a list's total is that of all these receipts together, every one of which found its own.
pub fn adds_up(list: &Understood, receipts: &[&Understood]) -> bool {
    let list = Facts::of(list);
    let sum = receipts.iter().map(|receipt| Facts::of(receipt)).try_fold(Decimal::ZERO, |sum, receipt| {
        let is_foreign = matches!((&list.currency, &receipt.currency), (Some(a), Some(b)) if a != b);
        if is_foreign { None } else { sum.checked_add(receipt.total?) }
    });
    list.total.is_some_and(|total| !total.is_zero()) && sum == list.total
}

struct Facts {
    number: Option<String>,
    date: Option<CivilDate>,
    total: Option<Decimal>,
    currency: Option<String>,
    merchant: Option<String>,
}

impl Facts {
    fn of(understood: &Understood) -> Self {
        let value = |key| understood.extraction.fields.get(&key).map(|f| &f.value);
        let number = value(FieldKey::InvoiceNumber).map(|number| {
            number.to_string().chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
        });
        Self {
            number,
            date: value(FieldKey::Date).and_then(crate::domain::field::FieldValue::as_date),
            total: value(FieldKey::Total).and_then(crate::domain::field::FieldValue::as_amount),
            currency: value(FieldKey::Currency).map(ToString::to_string),
            merchant: value(FieldKey::Merchant).map(|m| merchant_key(&m.to_string())),
        }
    }
}

fn totals_equal(one: &Facts, two: &Facts) -> bool {
    let currencies_clash = matches!((&one.currency, &two.currency), (Some(a), Some(b)) if a != b);
    !currencies_clash && matches!((one.total, two.total), (Some(a), Some(b)) if a == b && !a.is_zero())
}

/// One name holds the other: a mail says `Uber`, its PDF `Uber B.V.`. An unknown one agrees with any.
fn merchants_agree(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(a), Some(b)) => a.contains(b) || b.contains(a),
        _ => true,
    }
}
