//! OASIS UBL 2 `Invoice` and `CreditNote` (XRechnung, Peppol BIS).

use super::{
    tree::Element,
    values::{MAX_ITEMS, Values, amount},
};
use crate::domain::{
    field::FieldKey as F,
    receipt::EvidenceKind,
    structured::{StructuredSource, StructuredValue},
};

/// Whether this root is a UBL document: other vocabularies have an `Invoice` too.
pub fn is_ubl(root: &Element) -> bool {
    matches!(root.name.as_str(), "Invoice" | "CreditNote")
        && root.child("AccountingSupplierParty").is_some()
        && root.child("LegalMonetaryTotal").is_some()
}

/// Reads an `Invoice` or `CreditNote`.
pub fn invoice(root: &Element) -> Vec<StructuredValue> {
    let mut out = Values::new(StructuredSource::Ubl);
    let gives_back = root.name == "CreditNote";
    if gives_back {
        out.text("credit_note", Some("true"));
    }
    out.field(F::InvoiceNumber, root.text_at(&["ID"]));
    out.date(F::Date.as_str(), root.text_at(&["IssueDate"]));
    let delivered = root.text_at(&["Delivery", "ActualDeliveryDate"]);
    out.date(F::OccurredOn.as_str(), delivered.or_else(|| root.text_at(&["TaxPointDate"])));
    let currency = root.text_at(&["DocumentCurrencyCode"]);
    out.field(F::Currency, currency);

    let empty = Element::default();
    let seller = root.at(&["AccountingSupplierParty", "Party"]).unwrap_or(&empty);
    let legal = seller.text_at(&["PartyLegalEntity", "RegistrationName"]);
    out.seller(seller.text_at(&["PartyName", "Name"]), legal);
    out.field(F::SellerTaxId, tax_id(seller));
    out.field(F::Address, address(seller).as_deref());
    out.field(F::Phone, seller.text_at(&["Contact", "Telephone"]));
    let buyer = root.at(&["AccountingCustomerParty", "Party"]).unwrap_or(&empty);
    let registered = buyer.text_at(&["PartyLegalEntity", "RegistrationName"]);
    out.field(F::BuyerName, registered.or_else(|| buyer.text_at(&["PartyName", "Name"])));
    out.field(F::BuyerTaxId, tax_id(buyer));

    let signed = |text: Option<&str>| {
        let value = text.and_then(amount)?;
        Some(if gives_back && value.is_sign_positive() && !value.is_zero() { -value } else { value }.to_string())
    };
    let sums = root.child("LegalMonetaryTotal").unwrap_or(&empty);
    let gross = sums.text_at(&["TaxInclusiveAmount"]).or_else(|| sums.text_at(&["PayableAmount"]));
    out.amount(F::Total.as_str(), signed(gross).as_deref());
    out.amount(F::Net.as_str(), signed(sums.text_at(&["TaxExclusiveAmount"])).as_deref());
    // The tax may be stated once more in the currency of the books.
    let tax = root
        .all("TaxTotal")
        .filter_map(|total| total.child("TaxAmount"))
        .find(|a| a.attribute("currencyID").is_none_or(|c| Some(c) == currency))
        .and_then(Element::content);
    out.amount(F::Tax.as_str(), signed(tax).as_deref());
    out.complete_sums();
    out.amount("amount_due", signed(sums.text_at(&["PayableAmount"])).as_deref());
    out.amount("prepaid", sums.text_at(&["PrepaidAmount"]));
    let rates = root.all("TaxTotal").flat_map(|total| total.all("TaxSubtotal"));
    for (index, rate) in rates.take(MAX_ITEMS).enumerate() {
        let key = |what: &str| format!("rate.{}.{what}", index + 1);
        out.rate(&key("percent"), rate.text_at(&["TaxCategory", "Percent"]), false);
        out.amount(&key("net"), rate.text_at(&["TaxableAmount"]));
        out.amount(&key("tax"), rate.text_at(&["TaxAmount"]));
    }
    out.kind(EvidenceKind::Invoice);
    let lines = root.all("InvoiceLine").chain(root.all("CreditNoteLine"));
    for (index, line) in lines.take(MAX_ITEMS).enumerate() {
        item(&mut out, index, line);
    }
    out.date("due_on", root.text_at(&["DueDate"]));
    out.text("remark", root.text_at(&["Note"]));
    out.into_vec()
}

/// The number of the scheme `VAT` before any other.
fn tax_id(party: &Element) -> Option<&str> {
    let of = |vat: bool| {
        party
            .all("PartyTaxScheme")
            .find(|scheme| !vat || scheme.text_at(&["TaxScheme", "ID"]) == Some("VAT"))
            .and_then(|scheme| scheme.text_at(&["CompanyID"]))
    };
    of(true).or_else(|| of(false))
}

fn address(party: &Element) -> Option<String> {
    let address = party.child("PostalAddress")?;
    let mut parts: Vec<&str> = ["StreetName", "AdditionalStreetName", "PostalZone", "CityName"]
        .iter()
        .filter_map(|name| address.text_at(&[name]))
        .collect();
    parts.extend(address.text_at(&["Country", "IdentificationCode"]));
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn item(out: &mut Values, index: usize, line: &Element) {
    let key = |what: &str| format!("item.{}.{what}", index + 1);
    out.text(&key("name"), line.text_at(&["Item", "Name"]));
    let quantity = line.child("InvoicedQuantity").or_else(|| line.child("CreditedQuantity"));
    out.text(&key("quantity"), quantity.and_then(Element::content));
    out.text(&key("unit"), quantity.and_then(|q| q.attribute("unitCode")));
    out.text(&key("unit_price"), line.text_at(&["Price", "PriceAmount"]));
    out.amount(&key("amount"), line.text_at(&["LineExtensionAmount"]));
    out.rate(&key("tax_rate"), line.text_at(&["Item", "ClassifiedTaxCategory", "Percent"]), false);
}
