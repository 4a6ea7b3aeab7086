//! XBRL vouchers of the Chinese ministry of finance: rail (`rai:`) and air (`atr:`) tickets as electronic invoices.

use super::{tree::Element, values::Values};
use crate::domain::{
    field::FieldKey as F,
    receipt::EvidenceKind,
    structured::{StructuredSource, StructuredValue},
};

/// Reads an `xbrl` instance; `None` when it is neither a rail nor an air ticket. Facts of the air ticket stand in tuples,
/// so names are looked for at every depth.
pub fn voucher(root: &Element) -> Option<Vec<StructuredValue>> {
    let facts = Facts::new(root);
    if facts.has("ElectronicInvoiceRailwayETicketNumber") {
        return Some(rail(&facts));
    }
    facts.has("ElectronicInvoiceAirTransportReceiptNumber").then(|| air(&facts))
}

/// Facts by name; the first of a name counts, `xsi:nil` ones do not.
struct Facts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Facts<'a> {
    fn new(root: &'a Element) -> Self {
        let mut facts = Vec::new();
        root.walk(&mut |element| {
            if let Some(text) = element.content().filter(|_| element.children.is_empty()) {
                facts.push((element.name.as_str(), text));
            }
        });
        Self(facts)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, text)| *text)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

fn shared(out: &mut Values, facts: &Facts<'_>) {
    out.field(F::Currency, Some("CNY"));
    out.seller(None, facts.get("NameOfSeller").or_else(|| facts.get("IssueParty")));
    out.field(F::SellerTaxId, facts.get("UnifiedSocialCreditCodeOfSeller"));
    out.field(F::BuyerName, facts.get("NameOfPurchaser"));
    out.field(F::BuyerTaxId, facts.get("UnifiedSocialCreditCodeOfPurchaser"));
    out.text("invoice_type", facts.get("TypeOfVoucher"));
    out.text("ticket_number", facts.get("ETicketNumber").or_else(|| facts.get("ElectronicTicketNum")));
    out.text("from", facts.get("DepartureStation"));
    out.text("departure_time", facts.get("DepartureTime"));
    out.text("remark", facts.get("Remarks"));
    if facts.get("TypeOfBusiness").is_some_and(|kind| kind.contains('退')) {
        out.text("refund", Some("true"));
    }
    out.text("original_invoice_number", facts.get("NumberOfOriginalInvoice"));
}

fn rail(facts: &Facts<'_>) -> Vec<StructuredValue> {
    let mut out = Values::new(StructuredSource::Xbrl);
    out.field(F::InvoiceNumber, facts.get("ElectronicInvoiceRailwayETicketNumber"));
    out.date(F::Date.as_str(), facts.get("DateOfIssue"));
    out.date(F::OccurredOn.as_str(), facts.get("TravelDate"));
    // Fare = without tax + tax holds in every sample.
    out.amount(F::Total.as_str(), facts.get("Fare"));
    out.amount(F::Net.as_str(), facts.get("TotalAmountExcludingTax"));
    out.amount(F::Tax.as_str(), facts.get("TaxAmount"));
    out.complete_sums();
    out.rate("tax_rate", facts.get("TaxRate"), true);
    out.kind(EvidenceKind::RailTicket);
    shared(&mut out, facts);
    out.text("to", facts.get("DestinationStation"));
    out.text("train_number", facts.get("TrainNumber"));
    out.text("class", facts.get("SeatLevel"));
    out.text("carriage", facts.get("Carriage"));
    out.text("seat", facts.get("Seat"));
    out.text("traveller", facts.get("Name"));
    out.into_vec()
}

fn air(facts: &Facts<'_>) -> Vec<StructuredValue> {
    let mut out = Values::new(StructuredSource::Xbrl);
    out.field(F::InvoiceNumber, facts.get("ElectronicInvoiceAirTransportReceiptNumber"));
    out.date(F::Date.as_str(), facts.get("IssueDate").or_else(|| facts.get("DateOfIssue")));
    out.date(F::OccurredOn.as_str(), facts.get("CarrierDate").or_else(|| facts.get("TravelDate")));
    out.amount(F::Total.as_str(), facts.get("TotalAmount"));
    out.amount(F::Tax.as_str(), facts.get("VatTaxAmount"));
    // Fare and fuel are taxed; the development fund and other levies are in the total, but not in the tax base.
    let sum = |names: [&str; 2]| {
        let parts: Vec<_> = names.iter().filter_map(|n| facts.get(n)).filter_map(super::values::amount).collect();
        (!parts.is_empty()).then(|| parts.iter().sum::<rust_decimal::Decimal>().to_string())
    };
    out.amount(F::Net.as_str(), sum(["Fare", "FuelSurcharge"]).as_deref());
    out.amount("levies", sum(["CivilAviationDevelopmentFund", "OtherTaxes"]).as_deref());
    out.rate("tax_rate", facts.get("VatRate"), true);
    out.kind(EvidenceKind::AirTicket);
    shared(&mut out, facts);
    // The last leg's destination is where the journey ends.
    out.text("to", facts.all("DestinationStation").last());
    out.text("flight", facts.get("Flight"));
    out.text("carrier", facts.get("Carrier"));
    out.text("class", facts.get("Class"));
    out.text("traveller", facts.get("PassengerName"));
    out.text("check_code", facts.get("VerificationCode"));
    out.into_vec()
}
