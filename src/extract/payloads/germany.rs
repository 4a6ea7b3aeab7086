//! Germany's technical security equipment of tills (DSFinV-K, annex I):
//! `V0;till;Kassenbeleg-V1;Beleg^19%_7%_10.7%_5.5%_0%^10.00:Bar;…;start;end;…`.

use rust_decimal::Decimal;

use super::{EXACT, NEAR, Payload, iso_moment, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Payments named in one receipt.
const MAX_PAYMENTS: usize = 20;
/// Rates of the five gross amounts, in tenths of a per cent.
const RATES: [i64; 5] = [190, 70, 107, 55, 0];

/// Reads a till receipt; orders and other processes are none.
pub fn tse(text: &str) -> Option<Payload> {
    let fields: Vec<&str> = text.splitn(13, ';').collect();
    let [version, till, kind, data, transaction, _, start, end, ..] = fields[..] else { return None };
    if !version.starts_with('V') || version.len() > 3 || kind != "Kassenbeleg-V1" {
        return None;
    }
    let mut parts = data.split('^');
    let process = parts.next()?;
    if !matches!(process, "Beleg" | "AVBelegstorno") {
        return None;
    }
    let amounts: Vec<Decimal> = parts.next()?.split('_').take(5).map(plain_amount).collect::<Option<_>>()?;
    let mut out = Payload::new("tse");
    let total: Decimal = amounts.iter().copied().try_fold(Decimal::ZERO, Decimal::checked_add)?;
    out.amount(F::Total, Some(total), EXACT);
    let tax: Option<Decimal> = amounts.iter().zip(RATES).try_fold(Decimal::ZERO, |sum, (gross, rate)| {
        let part = gross.checked_mul(Decimal::from(rate))?.checked_div(Decimal::from(1000 + rate))?;
        sum.checked_add(part.round_dp(2))
    });
    out.amount(F::Tax, tax, NEAR);
    out.currency("EUR");
    // The time is UTC: the day may be the one before, the hour is not the one printed.
    let (date, _) = iso_moment(if end.is_empty() { start } else { end });
    out.date(date, NEAR);
    for payment in parts.next().unwrap_or("").split('_').take(MAX_PAYMENTS) {
        let mut of = payment.split(':');
        let (_, how, currency) = (of.next(), of.next(), of.next());
        match how {
            Some("Bar") => out.keep("payment", "cash"),
            Some("Unbar") => out.keep("payment", "not_cash"),
            _ => {}
        }
        if let Some(currency) = currency {
            out.keep("payment_currency", currency);
        }
    }
    out.kind(EvidenceKind::TillSlip);
    out.keep("till", till);
    out.keep("transaction", transaction);
    Some(out)
}
