//! Austria's Registrierkassensicherheitsverordnung: `_R1-AT0_till_receipt_time_20%_10%_13%_0%_19%_…`.

use rust_decimal::Decimal;

use super::{EXACT, NEAR, Payload, iso_moment, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Rates of the five amounts, which are gross, in per cent.
const RATES: [i64; 5] = [20, 10, 13, 0, 19];

/// Reads the first kind of signature (`R1`).
pub fn rksv(text: &str) -> Option<Payload> {
    let fields: Vec<&str> = text.strip_prefix("_R1-AT")?.splitn(14, '_').collect();
    let [_, till, receipt, moment, normal, reduced, other, zero, special, _, certificate, ..] = fields[..] else {
        return None;
    };
    let amounts: Vec<Decimal> =
        [normal, reduced, other, zero, special].iter().map(|a| plain_amount(a)).collect::<Option<_>>()?;
    let mut out = Payload::new("rksv");
    out.text(F::InvoiceNumber, receipt);
    let (date, time) = iso_moment(moment);
    out.date(date, EXACT);
    out.time(time, EXACT);
    out.currency("EUR");
    let total: Decimal = amounts.iter().copied().try_fold(Decimal::ZERO, Decimal::checked_add)?;
    out.amount(F::Total, Some(total), EXACT);
    let tax: Option<Decimal> = amounts.iter().zip(RATES).try_fold(Decimal::ZERO, |sum, (gross, rate)| {
        let part = gross.checked_mul(Decimal::from(rate))?.checked_div(Decimal::from(100 + rate))?;
        sum.checked_add(part.round_dp(2))
    });
    out.amount(F::Tax, tax, NEAR);
    out.amount(F::Net, tax.and_then(|tax| total.checked_sub(tax)), NEAR);
    // A closed system names the company instead of a certificate: `U:ATU12345678-01`.
    let company = certificate.strip_prefix("U:").and_then(|c| c.split('-').next());
    if let Some(vat) = company.filter(|c| c.starts_with("ATU")) {
        out.text(F::SellerTaxId, vat);
    }
    out.kind(EvidenceKind::TillSlip);
    out.keep("till", till);
    Some(out)
}
