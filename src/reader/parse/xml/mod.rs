//! XML invoices alone or inside PDF and OFD: 数电票, `original_invoice`, rail and air XBRL, CII and UBL.
//!
//! Only known roots are read; every other one is a typed refusal. No document type definition is ever looked at.

mod cii;
mod einvoice;
mod encoding;
mod lines;
pub(super) mod tree;
mod ubl;
pub(super) mod values;
mod xbrl;

use tree::{Element, XmlError};

use crate::{
    domain::{capture::Reason, page::TextSource, structured::StructuredValue},
    reader::{
        output::{Output, Stopped, failed},
        paper,
        protocol::{Kind, Request},
    },
};

/// Reads an XML document: its values, and a page of readable lines for the reviewer. Returns the number of pages.
pub(super) fn read(request: &Request, document: &[u8], out: &mut impl Output) -> Result<u32, Stopped> {
    let root = tree::parse(document).map_err(|error| refused(&error))?;
    let values = understand(&root)
        .ok_or_else(|| failed(Reason::UnsupportedType, "an XML root that is no invoice Vouch knows"))?;
    let pages = paper::send_text(&lines::of(&values), TextSource::Structured, &request.limits, out)?;
    for value in &values {
        out.send(Kind::Value, value, &[])?;
    }
    Ok(pages)
}

/// The values of an invoice found inside another document (PDF attachment, OFD attachment); `None` for an unknown root.
pub(super) fn values_of(bytes: &[u8]) -> Result<Option<Vec<StructuredValue>>, XmlError> {
    tree::parse(bytes).map(|root| understand(&root))
}

/// The failure an unreadable XML is.
pub(super) fn refused(error: &XmlError) -> Stopped {
    failed(error.reason(), error.to_string())
}

/// The values of a known vocabulary.
fn understand(root: &Element) -> Option<Vec<StructuredValue>> {
    match root.name.as_str() {
        "EInvoice" => Some(einvoice::digital(root)),
        "eInvoice" => Some(einvoice::classic(root)),
        "xbrl" => xbrl::voucher(root),
        "CrossIndustryInvoice" | "CrossIndustryDocument" => Some(cii::invoice(root)),
        _ if ubl::is_ubl(root) => Some(ubl::invoice(root)),
        // Signed invoices stand inside the root of the signature, and some issuers wrap `eInvoice` once more.
        "Signed" | "SignedInvoice" | "e-invoice" | "Data" => root.children.iter().find_map(understand),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
