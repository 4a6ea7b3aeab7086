//! UN/CEFACT Cross Industry Invoice: ZUGFeRD 1 and 2, Factur-X and XRechnung in every profile.
//!
//! ZUGFeRD 1 (`CrossIndustryDocument`) has the same tree under longer names; both are looked up side by side.

use super::{
    tree::Element,
    values::{MAX_ITEMS, Values, amount},
};
use crate::domain::{
    field::FieldKey as F,
    receipt::EvidenceKind,
    structured::{StructuredSource, StructuredValue},
};

/// The first child that has one of the names.
fn either<'a>(element: &'a Element, names: &[&str]) -> Option<&'a Element> {
    names.iter().find_map(|name| element.child(name))
}

/// Document types that give money back (UNTDID 1001): credit notes, self-billed and factored ones.
const CREDIT_TYPES: [&str; 5] = ["381", "261", "262", "296", "396"];

/// Reads a `CrossIndustryInvoice` or `CrossIndustryDocument`.
pub fn invoice(root: &Element) -> Vec<StructuredValue> {
    let mut out = Values::new(StructuredSource::Cii);
    let empty = Element::default();
    let head = either(root, &["ExchangedDocument", "HeaderExchangedDocument"]).unwrap_or(&empty);
    let trade =
        either(root, &["SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction"]).unwrap_or(&empty);
    let agreement = either(trade, &["ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement"]);
    let delivery = either(trade, &["ApplicableHeaderTradeDelivery", "ApplicableSupplyChainTradeDelivery"]);
    let settlement = either(trade, &["ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement"]);

    out.field(F::InvoiceNumber, head.text_at(&["ID"]));
    out.date(F::Date.as_str(), head.text_at(&["IssueDateTime", "DateTimeString"]));
    let type_code = head.text_at(&["TypeCode"]);
    let gives_back = type_code.is_some_and(|code| CREDIT_TYPES.contains(&code));
    if gives_back {
        out.text("credit_note", Some("true"));
    }
    if let Some(agreement) = agreement {
        parties(&mut out, agreement);
    }
    if let Some(settlement) = settlement {
        sums(&mut out, settlement, gives_back);
    }
    let delivered =
        delivery.and_then(|d| d.text_at(&["ActualDeliverySupplyChainEvent", "OccurrenceDateTime", "DateTimeString"]));
    out.date(F::OccurredOn.as_str(), delivered);
    out.kind(EvidenceKind::Invoice);
    for (index, line) in trade.all("IncludedSupplyChainTradeLineItem").take(MAX_ITEMS).enumerate() {
        item(&mut out, index, line);
    }
    let note = head.all("IncludedNote").find_map(|note| note.text_at(&["Content"]));
    out.text("remark", note);
    out.into_vec()
}

fn parties(out: &mut Values, agreement: &Element) {
    if let Some(seller) = agreement.child("SellerTradeParty") {
        let trading = seller.text_at(&["SpecifiedLegalOrganization", "TradingBusinessName"]);
        out.seller(trading, seller.text_at(&["Name"]));
        out.field(F::SellerTaxId, tax_id(seller));
        out.field(F::Address, address(seller).as_deref());
        let phone = seller.text_at(&["DefinedTradeContact", "TelephoneUniversalCommunication", "CompleteNumber"]);
        out.field(F::Phone, phone);
    }
    if let Some(buyer) = agreement.child("BuyerTradeParty") {
        out.field(F::BuyerName, buyer.text_at(&["Name"]));
        out.field(F::BuyerTaxId, tax_id(buyer));
    }
}

/// The VAT number (`VA`) before the local tax number (`FC`).
fn tax_id(party: &Element) -> Option<&str> {
    let of = |scheme: &str| {
        party
            .all("SpecifiedTaxRegistration")
            .filter_map(|registration| registration.child("ID"))
            .find(|id| id.attribute("schemeID") == Some(scheme))
            .and_then(Element::content)
    };
    of("VA").or_else(|| of("FC"))
}

fn address(party: &Element) -> Option<String> {
    let address = party.child("PostalTradeAddress")?;
    let parts: Vec<&str> = ["LineOne", "LineTwo", "LineThree", "PostcodeCode", "CityName", "CountryID"]
        .iter()
        .filter_map(|name| address.text_at(&[name]))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn sums(out: &mut Values, settlement: &Element, gives_back: bool) {
    let currency = settlement.text_at(&["InvoiceCurrencyCode"]);
    out.field(F::Currency, currency);
    let names = ["SpecifiedTradeSettlementHeaderMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"];
    let empty = Element::default();
    let sum = either(settlement, &names).unwrap_or(&empty);
    // A tax total may be repeated in the currency of the books; the one in the invoice's currency counts.
    let in_currency = |name: &'static str| {
        let mut all = sum.all(name);
        let same = sum.all(name).find(|a| a.attribute("currencyID").is_none_or(|c| Some(c) == currency));
        same.or_else(|| all.next()).and_then(Element::content)
    };
    // A credit note states what comes back as positive amounts.
    let signed = |text: Option<&str>| {
        let value = text.and_then(amount)?;
        Some(if gives_back && value.is_sign_positive() && !value.is_zero() { -value } else { value }.to_string())
    };
    out.amount(F::Total.as_str(), signed(in_currency("GrandTotalAmount")).as_deref());
    out.amount(F::Net.as_str(), signed(in_currency("TaxBasisTotalAmount")).as_deref());
    out.amount(F::Tax.as_str(), signed(in_currency("TaxTotalAmount")).as_deref());
    out.complete_sums();
    out.amount("amount_due", signed(in_currency("DuePayableAmount")).as_deref());
    out.amount("prepaid", in_currency("TotalPrepaidAmount"));
    for (index, tax) in settlement.all("ApplicableTradeTax").take(MAX_ITEMS).enumerate() {
        let key = |what: &str| format!("rate.{}.{what}", index + 1);
        out.rate(
            &key("percent"),
            tax.text_at(&["RateApplicablePercent"]).or_else(|| tax.text_at(&["ApplicablePercent"])),
            false,
        );
        out.amount(&key("net"), tax.text_at(&["BasisAmount"]));
        out.amount(&key("tax"), tax.text_at(&["CalculatedAmount"]));
    }
    let due = settlement.text_at(&["SpecifiedTradePaymentTerms", "DueDateDateTime", "DateTimeString"]);
    out.date("due_on", due);
    out.text("payment_reference", settlement.text_at(&["PaymentReference"]));
}

fn item(out: &mut Values, index: usize, line: &Element) {
    let key = |what: &str| format!("item.{}.{what}", index + 1);
    let empty = Element::default();
    let part = |names: [&str; 2]| either(line, &names).unwrap_or(&empty);
    let agreement = part(["SpecifiedLineTradeAgreement", "SpecifiedSupplyChainTradeAgreement"]);
    let delivery = part(["SpecifiedLineTradeDelivery", "SpecifiedSupplyChainTradeDelivery"]);
    let settlement = part(["SpecifiedLineTradeSettlement", "SpecifiedSupplyChainTradeSettlement"]);
    out.text(&key("name"), line.text_at(&["SpecifiedTradeProduct", "Name"]));
    let quantity = delivery.child("BilledQuantity");
    out.text(&key("quantity"), quantity.and_then(Element::content));
    out.text(&key("unit"), quantity.and_then(|q| q.attribute("unitCode")));
    out.text(&key("unit_price"), agreement.text_at(&["NetPriceProductTradePrice", "ChargeAmount"]));
    let total = either(
        settlement,
        &["SpecifiedTradeSettlementLineMonetarySummation", "SpecifiedTradeSettlementMonetarySummation"],
    );
    out.amount(&key("amount"), total.and_then(|t| t.text_at(&["LineTotalAmount"])));
    let tax = settlement.child("ApplicableTradeTax");
    let rate = tax.and_then(|t| t.text_at(&["RateApplicablePercent"]).or_else(|| t.text_at(&["ApplicablePercent"])));
    out.rate(&key("tax_rate"), rate, false);
}
