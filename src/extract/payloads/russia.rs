//! Russia's till receipts: `t=20190418T211655&s=3943.26&fn=…&i=…&fp=…&n=1`.

use super::{EXACT, Payload, compact_date, parameter, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind, time::CivilTime};

/// Reads a payload of the federal tax service. `n=2` is a return.
pub fn fns(text: &str) -> Option<Payload> {
    let get = |name: &str| parameter(text, name);
    let (moment, sum) = (get("t")?, get("s")?);
    if get("fn").is_none() || get("fp").is_none() {
        return None;
    }
    let total = plain_amount(&sum)?;
    let mut out = Payload::new("fns");
    out.date(moment.get(..8).and_then(compact_date), EXACT);
    let time = moment.get(9..).map(|t| t.replace(':', "")).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    out.time(time.and_then(|t| clock(&t)), EXACT);
    out.currency("RUB");
    let is_return = get("n").as_deref() == Some("2");
    out.amount(F::Total, Some(if is_return { -total } else { total }), EXACT);
    out.text(F::InvoiceNumber, &get("i").unwrap_or_default());
    out.kind(EvidenceKind::TillSlip);
    out.keep("fiscal_drive", &get("fn").unwrap_or_default());
    out.keep("fiscal_sign", &get("fp").unwrap_or_default());
    Some(out)
}

/// `2116` or `211655`.
fn clock(text: &str) -> Option<CivilTime> {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|t| t.parse::<i8>().ok());
    CivilTime::new(part(0..2)?, part(2..4)?, part(4..6).unwrap_or(0), 0).ok()
}
