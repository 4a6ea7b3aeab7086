//! Saudi Arabia's ZATCA code: base64 of tag, length, value. Tags 1 to 5 are seller, VAT number, time, total and VAT.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{EXACT, NEAR, Payload, iso_moment, plain_amount};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Tags of one payload; nine are defined.
const MAX_TAGS: usize = 16;

/// Reads a payload of either phase.
pub fn zatca(text: &str) -> Option<Payload> {
    let bytes = BASE64_STANDARD.decode(text.trim()).ok()?;
    let mut tags: Vec<(u8, &[u8])> = Vec::new();
    let mut rest = bytes.as_slice();
    while let [tag, length, after @ ..] = rest {
        let value = after.get(..usize::from(*length))?;
        tags.push((*tag, value));
        rest = after.get(usize::from(*length)..)?;
        if tags.len() > MAX_TAGS {
            return None;
        }
    }
    let get = |wanted: u8| {
        let value = tags.iter().find(|(tag, _)| *tag == wanted)?.1;
        std::str::from_utf8(value).ok().map(str::trim)
    };
    let (seller, number, moment, total) = (get(1)?, get(2)?, get(3)?, plain_amount(get(4)?)?);
    let (date, time) = iso_moment(moment);
    date?;
    let mut out = Payload::new("zatca");
    out.text(F::Merchant, seller);
    out.text(F::SellerTaxId, number);
    out.date(date, EXACT);
    // With a `Z` it is UTC, three hours before the clock in the shop.
    out.time(time.filter(|_| !moment.ends_with('Z')), NEAR);
    out.currency("SAR");
    let tax = get(5).and_then(plain_amount);
    out.amount(F::Total, Some(total), EXACT);
    out.amount(F::Tax, tax, EXACT);
    out.amount(F::Net, tax.and_then(|tax| total.checked_sub(tax)), EXACT);
    out.kind(EvidenceKind::Invoice);
    Some(out)
}
