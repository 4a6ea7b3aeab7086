//! India's e-invoice: a signed token (JWT) whose middle part holds the invoice as JSON. The signature is not checked.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{EXACT, Payload};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind, time::CivilDate};

/// Reads the token of the invoice registration portal.
pub fn signed(text: &str) -> Option<Payload> {
    let mut parts = text.split('.');
    let (head, body, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    if !head.starts_with("eyJ") {
        return None;
    }
    let claims: Value =
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?).ok()?;
    let data = match &claims["data"] {
        Value::String(inner) => serde_json::from_str(inner).ok()?,
        other => other.clone(),
    };
    let text_of = |name: &str| data[name].as_str().unwrap_or("").to_owned();
    if text_of("Irn").is_empty() {
        return None;
    }
    let mut out = Payload::new("india_irp");
    out.text(F::InvoiceNumber, &text_of("DocNo"));
    out.text(F::SellerTaxId, &text_of("SellerGstin"));
    out.text(F::BuyerTaxId, &text_of("BuyerGstin"));
    let day = text_of("DocDt");
    let mut parts = day.splitn(3, '/');
    let date = parts.next().zip(parts.next()).zip(parts.next()).and_then(|((day, month), year)| {
        CivilDate::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
    });
    out.date(date, EXACT);
    out.currency("INR");
    let total = Decimal::from_str_exact(&data["TotInvVal"].to_string()).ok();
    let is_credit = text_of("DocTyp") == "CRN";
    out.amount(F::Total, total.map(|t| if is_credit { -t.abs() } else { t }), EXACT);
    out.kind(EvidenceKind::Invoice);
    out.keep("irn", &text_of("Irn"));
    Some(out)
}
