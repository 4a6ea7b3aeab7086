//! Links of south-eastern tills: Croatia, Montenegro and Albania put total and time into the address.

use super::{EXACT, Payload, compact_date, iso_moment, parameter, plain_amount, url_parts};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Reads a verification link of one of the three.
pub fn verify(text: &str) -> Option<Payload> {
    let (host, _, query) = url_parts(text)?;
    let get = |name: &str| parameter(query, name);
    let mut out;
    match host {
        // `datv=20200512_1234`, `izn=123,45`; older tills leave the point out of `izn` and write cents.
        "porezna.gov.hr" | "www.porezna.gov.hr" => {
            out = Payload::new("croatia");
            let (day, sum) = (get("datv")?, get("izn")?);
            out.date(day.get(..8).and_then(compact_date), EXACT);
            let total = plain_amount(&sum)?;
            let is_cents = !sum.contains([',', '.']);
            let total = if is_cents { total.checked_div(rust_decimal::Decimal::ONE_HUNDRED)? } else { total };
            out.amount(F::Total, Some(total), EXACT);
            out.currency(if day.get(..4)? < "2023" { "HRK" } else { "EUR" });
            out.text(F::InvoiceNumber, &get("jir").or_else(|| get("zki")).unwrap_or_default());
        }
        "mapr.tax.gov.me" | "efiskalizimi-app.tatime.gov.al" => {
            let is_albania = host == "efiskalizimi-app.tatime.gov.al";
            out = Payload::new(if is_albania { "albania" } else { "montenegro" });
            let (date, time) = iso_moment(&get("crtd")?);
            out.date(date, EXACT);
            out.time(time, EXACT);
            out.amount(F::Total, get("prc").as_deref().and_then(plain_amount), EXACT);
            out.currency(if is_albania { "ALL" } else { "EUR" });
            out.text(F::SellerTaxId, &get("tin").unwrap_or_default());
            out.text(F::InvoiceNumber, &get("ord").unwrap_or_default());
        }
        _ => return None,
    }
    out.kind(EvidenceKind::TillSlip);
    out.keep("url", text);
    Some(out)
}
