//! Portugal's QR code of invoices (Portaria 195/2020): `A:…*B:…*…*O:10.50*…`, single letters with values.

use super::{EXACT, Payload, compact_date, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Fields of one payload; the specification names about forty.
const MAX_FIELDS: usize = 80;
/// The buyer "final consumer" has no number of their own.
const CONSUMERS: [&str; 2] = ["999999990", "999999999"];

/// Reads an ATCUD payload. Credit notes (`NC`) give money back.
pub fn atcud(text: &str) -> Option<Payload> {
    let fields: Vec<(&str, &str)> =
        text.split('*').take(MAX_FIELDS).filter_map(|field| field.split_once(':')).collect();
    let get = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim());
    if !text.starts_with("A:") || get("H").is_none() || get("O").is_none() {
        return None;
    }
    let mut out = Payload::new("atcud");
    let sign = |amount: rust_decimal::Decimal| if get("D") == Some("NC") { -amount.abs() } else { amount };
    let total = get("O").and_then(plain_amount).map(sign);
    let tax = get("N").and_then(plain_amount).map(sign);
    out.text(F::InvoiceNumber, get("G").unwrap_or(""));
    out.text(F::SellerTaxId, get("A").unwrap_or(""));
    if let Some(buyer) = get("B").filter(|b| !CONSUMERS.contains(b)) {
        out.text(F::BuyerTaxId, buyer);
    }
    out.date(get("F").and_then(compact_date), EXACT);
    out.currency("EUR");
    out.amount(F::Total, total, EXACT);
    out.amount(F::Tax, tax, EXACT);
    out.amount(F::Net, total.zip(tax).and_then(|(total, tax)| total.checked_sub(tax)), EXACT);
    out.kind(EvidenceKind::Invoice);
    out.keep("atcud", get("H").unwrap_or(""));
    out.keep("document_type", get("D").unwrap_or(""));
    if get("E") == Some("A") {
        out.keep("cancelled", "true");
    }
    Some(out)
}
