//! The Swiss QR-bill (SIX Implementation Guidelines 2.x): thirty-odd lines, and Swico's billing information.

use super::{EXACT, NEAR, Payload, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind, time::CivilDate};

/// Lines of one payload.
const MAX_LINES: usize = 40;
/// A bill names who is paid, which is usually, not always, who sold.
const CREDITOR: f32 = 0.9;

/// Reads an `SPC` payload.
pub fn qr_bill(text: &str) -> Option<Payload> {
    let lines: Vec<&str> = text.lines().map(str::trim).take(MAX_LINES).collect();
    if lines.first() != Some(&"SPC") || !lines.get(1)?.starts_with("02") {
        return None;
    }
    let line = |index: usize| lines.get(index).copied().filter(|l| !l.is_empty());
    let mut out = Payload::new("swiss_qr_bill");
    if let Some(name) = line(5) {
        out.text(F::Merchant, name);
        if let Some(last) = out.values.last_mut() {
            last.2 = CREDITOR;
        }
    }
    let street = if line(4) == Some("S") { [line(6), line(7)] } else { [line(6), None] };
    let town = if line(4) == Some("S") { [line(8), line(9)] } else { [line(7), None] };
    let address: Vec<String> = [street, town]
        .iter()
        .map(|part| part.iter().flatten().copied().collect::<Vec<_>>().join(" "))
        .filter(|p| !p.is_empty())
        .collect();
    out.text(F::Address, &address.join(", "));
    out.amount(F::Total, line(18).and_then(plain_amount), EXACT);
    out.currency(line(19).unwrap_or("CHF"));
    if let Some(buyer) = line(21) {
        out.text(F::BuyerName, buyer);
    }
    out.keep("iban", line(3).unwrap_or(""));
    out.keep("payment_reference", line(28).unwrap_or(""));
    out.keep("remark", line(29).unwrap_or(""));
    out.kind(EvidenceKind::Invoice);
    if let Some(billing) = line(31).or_else(|| line(29)).filter(|b| b.starts_with("//S1")) {
        swico(&mut out, billing);
    }
    Some(out)
}

/// `//S1/10/10201409/11/190512/20/1400.000-53/30/106017086/31/180508/32/7.7/40/2:10;0:30`.
fn swico(out: &mut Payload, billing: &str) {
    let mut parts = billing.trim_start_matches("//S1").split('/').filter(|p| !p.is_empty());
    while let (Some(tag), Some(value)) = (parts.next(), parts.next()) {
        match tag {
            "10" => out.text(F::InvoiceNumber, value),
            "11" => out.date(short_date(value), EXACT),
            "30" => out.text(F::SellerTaxId, &format!("CHE{value}")),
            "31" => {
                let day = short_date(value.get(..6).unwrap_or(value));
                out.values.extend(day.map(|d| (F::OccurredOn, crate::domain::field::FieldValue::Date(d), NEAR)));
            }
            "20" => out.keep("customer_reference", value),
            "32" => out.keep("tax_rates", value),
            _ => {}
        }
    }
}

/// `190512`.
fn short_date(text: &str) -> Option<CivilDate> {
    if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    super::compact_date(&format!("20{text}"))
}
