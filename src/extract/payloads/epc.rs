//! The European Payments Council's transfer code (GiroCode, `BCD`) and the Czech and Slovak `SPD*1.0*…`.

use super::{NEAR, Payload, compact_date, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Lines of one payload; twelve are defined.
const MAX_LINES: usize = 16;
/// Fields of a Czech payload.
const MAX_FIELDS: usize = 40;

/// Reads an order to transfer money: who is paid and how much, but not when anything was sold.
pub fn transfer(text: &str) -> Option<Payload> {
    girocode(text).or_else(|| spayd(text))
}

fn girocode(text: &str) -> Option<Payload> {
    let lines: Vec<&str> = text.lines().map(str::trim).take(MAX_LINES).collect();
    let [service, version, _, kind, ..] = lines[..] else { return None };
    if service != "BCD" || !version.starts_with("00") || !matches!(kind, "SCT" | "INST") {
        return None;
    }
    let line = |index: usize| lines.get(index).copied().unwrap_or("");
    let mut out = Payload::new("epc");
    out.text(F::Merchant, line(5));
    if let Some(amount) = line(7).strip_prefix("EUR").and_then(plain_amount) {
        out.amount(F::Total, Some(amount), NEAR);
        out.currency("EUR");
    }
    lower(&mut out);
    out.kind(EvidenceKind::Invoice);
    out.keep("iban", line(6));
    out.keep("payment_reference", line(9));
    out.keep("remark", line(10));
    Some(out)
}

fn spayd(text: &str) -> Option<Payload> {
    let rest = text.strip_prefix("SPD*1.0*")?;
    let fields: Vec<(&str, &str)> = rest.split('*').take(MAX_FIELDS).filter_map(|f| f.split_once(':')).collect();
    let get = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.trim());
    let mut out = Payload::new("spayd");
    out.text(F::Merchant, get("RN").unwrap_or(""));
    out.amount(F::Total, get("AM").and_then(plain_amount), NEAR);
    out.currency(get("CC").unwrap_or("CZK"));
    lower(&mut out);
    out.kind(EvidenceKind::Invoice);
    out.keep("iban", get("ACC").unwrap_or(""));
    out.keep("payment_reference", get("X-VS").unwrap_or(""));
    out.keep("due_on", &get("DT").and_then(compact_date).map(|d| d.to_string()).unwrap_or_default());
    out.keep("remark", get("MSG").unwrap_or(""));
    Some(out)
}

/// Who is paid is usually, not always, who sold.
fn lower(out: &mut Payload) {
    for (_, _, p) in out.values.iter_mut().filter(|(key, _, _)| *key == F::Merchant) {
        *p = 0.9;
    }
}
