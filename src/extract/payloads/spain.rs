//! Spain: VERI*FACTU links of the tax agency and TicketBAI links of the Basque provinces.

use super::{EXACT, NEAR, Payload, parameter, plain_amount, url_parts};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind, time::CivilDate};

/// `https://www2.agenciatributaria.gob.es/wlpl/TIKE-CONT/ValidarQR?nif=…&numserie=…&fecha=01-09-2024&importe=241.4`.
pub fn verifactu(text: &str) -> Option<Payload> {
    let (_, path, query) = url_parts(text)?;
    if !path.contains("/TIKE-CONT/ValidarQR") {
        return None;
    }
    let get = |name: &str| parameter(query, name).unwrap_or_default();
    let mut out = Payload::new("verifactu");
    out.text(F::SellerTaxId, &get("nif"));
    out.text(F::InvoiceNumber, &get("numserie"));
    out.date(day_first(&get("fecha")), EXACT);
    out.currency("EUR");
    out.amount(F::Total, plain_amount(&get("importe")), EXACT);
    out.kind(EvidenceKind::Invoice);
    out.keep("url", text);
    Some(out)
}

/// `https://batuz.eus/QRTBAI/?id=TBAI-00000006Y-251019-btFpwP8dcLGAF-237&s=T&nf=27174&i=4.70&cr=007`.
pub fn ticket_bai(text: &str) -> Option<Payload> {
    let (_, _, query) = url_parts(text)?;
    let id = parameter(query, "id").filter(|id| id.starts_with("TBAI-"))?;
    let mut parts = id.split('-').skip(1);
    let (seller, day) = (parts.next()?, parts.next()?);
    let get = |name: &str| parameter(query, name).unwrap_or_default();
    let mut out = Payload::new("ticketbai");
    out.text(F::SellerTaxId, seller);
    out.text(F::InvoiceNumber, &format!("{}{}", get("s"), get("nf")));
    let number = |range: std::ops::Range<usize>| day.get(range).and_then(|t| t.parse::<i8>().ok());
    let date = number(4..6).zip(number(2..4)).zip(number(0..2));
    out.date(date.and_then(|((year, month), day)| CivilDate::new(2000 + i16::from(year), month, day).ok()), NEAR);
    out.currency("EUR");
    out.amount(F::Total, plain_amount(&get("i")), EXACT);
    out.kind(EvidenceKind::TillSlip);
    out.keep("url", text);
    Some(out)
}

/// `01-09-2024`.
fn day_first(text: &str) -> Option<CivilDate> {
    let mut parts = text.splitn(3, '-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    CivilDate::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}
