//! Taiwan's 電子發票: the left code has 77 characters at fixed places, the right one the rest of the articles.

use rust_decimal::Decimal;

use super::{EXACT, Payload};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind, time::CivilDate};

/// Characters before the articles.
const FIXED: usize = 77;
/// Articles kept.
const MAX_ITEMS: usize = 60;

/// Reads the left code: number, date in the Republic's years, amounts in hexadecimal.
pub fn left(text: &str) -> Option<Payload> {
    let fixed = text.get(..FIXED).filter(|fixed| fixed.is_ascii())?;
    let number = fixed.get(..10)?;
    let (letters, digits) = number.split_at(2);
    let is_number = letters.bytes().all(|b| b.is_ascii_uppercase()) && digits.bytes().all(|b| b.is_ascii_digit());
    let date = roc_date(fixed.get(10..17)?)?;
    if !is_number || !fixed.get(17..21)?.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let net = i64::from_str_radix(fixed.get(21..29)?, 16).ok()?;
    let total = i64::from_str_radix(fixed.get(29..37)?, 16).ok()?;
    let mut out = Payload::new("taiwan_left");
    out.text(F::InvoiceNumber, number);
    out.date(Some(date), EXACT);
    out.currency("TWD");
    out.amount(F::Total, Some(Decimal::from(total)), EXACT);
    // Shops that sell to consumers leave the amount without tax at zero.
    if net > 0 && net <= total {
        out.amount(F::Net, Some(Decimal::from(net)), EXACT);
        out.amount(F::Tax, Some(Decimal::from(total - net)), EXACT);
    }
    let buyer = fixed.get(37..45)?;
    if buyer != "00000000" {
        out.text(F::BuyerTaxId, buyer);
    }
    out.text(F::SellerTaxId, fixed.get(45..53)?);
    out.kind(EvidenceKind::TillSlip);
    out.keep("random_code", fixed.get(17..21)?);
    if let Some(rest) = text.get(FIXED..) {
        articles(&mut out, rest.trim_start_matches(':').splitn(5, ':').nth(4).unwrap_or(""));
    }
    Some(out)
}

/// Reads the right code: `**`, then articles as name, count, price.
pub fn right(text: &str) -> Option<Payload> {
    let rest = text.strip_prefix("**").filter(|rest| rest.starts_with(':') || rest.contains(':'))?;
    let mut out = Payload::new("taiwan_right");
    articles(&mut out, rest.trim_start_matches(':'));
    Some(out)
}

fn articles(out: &mut Payload, text: &str) {
    let parts: Vec<&str> = text.split(':').take(MAX_ITEMS * 3).collect();
    for (index, article) in parts.chunks_exact(3).enumerate() {
        out.keep(&format!("item.{}", index + 1), &article.join(" "));
    }
}

/// `1070427`: year 107 of the Republic is 2018.
fn roc_date(text: &str) -> Option<CivilDate> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = text.parse().ok()?;
    let year = i16::try_from(number / 10_000 + 1911).ok()?;
    CivilDate::new(year, (number / 100 % 100) as i8, (number % 100) as i8).ok()
}
