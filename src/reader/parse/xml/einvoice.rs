//! 数电票 XML (root `EInvoice`) and the older `eInvoice` of OFD files, spelt as issuers spell them.

use super::{
    tree::Element,
    values::{MAX_ITEMS, Values},
};
use crate::domain::{
    field::FieldKey as F,
    receipt::EvidenceKind,
    structured::{StructuredSource, StructuredValue},
};

/// Reads the root `EInvoice` of a 数电票.
pub fn digital(root: &Element) -> Vec<StructuredValue> {
    let mut out = Values::new(StructuredSource::EInvoiceXml);
    let empty = Element::default();
    let data = root.child("EInvoiceData").unwrap_or(&empty);
    let supervision = root.child("TaxSupervisionInfo").unwrap_or(&empty);
    let basic = data.child("BasicInformation").unwrap_or(&empty);

    let number = supervision.text_at(&["InvoiceNumber"]).or_else(|| root.text_at(&["Header", "EIid"]));
    out.field(F::InvoiceNumber, number);
    let issued = supervision.text_at(&["IssueTime"]).or_else(|| basic.text_at(&["RequestTime"]));
    out.date(F::Date.as_str(), issued);
    out.amount(F::Total.as_str(), basic.text_at(&["TotalTax-includedAmount"]));
    out.amount(F::Net.as_str(), basic.text_at(&["TotalAmWithoutTax"]));
    out.amount(F::Tax.as_str(), basic.text_at(&["TotalTaxAm"]));
    out.complete_sums();
    out.field(F::Currency, Some("CNY"));
    out.text("total_capitals", basic.text_at(&["TotalTax-includedAmountInChinese"]));

    let seller = data.child("SellerInformation").unwrap_or(&empty);
    out.seller(None, seller.text_at(&["SellerName"]));
    out.field(F::SellerTaxId, seller.text_at(&["SellerIdNum"]));
    out.field(F::Address, seller.text_at(&["SellerAddr"]));
    out.field(F::Phone, seller.text_at(&["SellerTelNum"]));
    let buyer = data.child("BuyerInformation").unwrap_or(&empty);
    out.field(F::BuyerName, buyer.text_at(&["BuyerName"]));
    out.field(F::BuyerTaxId, buyer.text_at(&["BuyerIdNum"]));

    let label = root.at(&["Header", "InherentLabel"]).unwrap_or(&empty);
    match label.text_at(&["GeneralOrSpecialVAT", "LabelCode"]) {
        Some("01") => out.kind(EvidenceKind::SpecialFapiao),
        Some(_) | None => out.kind(EvidenceKind::OrdinaryFapiao),
    }
    out.text("invoice_type", label.text_at(&["EInvoiceType", "LabelName"]));
    // `Y` is a blue invoice; anything else said is a red one. Both labels have been seen to carry it.
    let issue = label.text_at(&["InIssuType", "LabelCode"]);
    if issue.is_some_and(|code| !code.eq_ignore_ascii_case("Y")) {
        out.text("red", Some("true"));
    }
    for item in data.all("IssuItemInformation").take(MAX_ITEMS).enumerate() {
        item_of(&mut out, item, ["ItemName", "Quantity", "MeaUnits", "UnPrice", "Amount", "TaxRate", "ComTaxAm"], true);
    }
    trips(&mut out, data);
    out.text("remark", data.text_at(&["AdditionalInformation", "Remark"]));
    out.text("drawer", basic.text_at(&["Drawer"]));
    out.text("tax_bureau", supervision.text_at(&["TaxBureauName"]));
    red_pair(&mut out);
    out.into_vec()
}

/// Names of item `index`, price, amount and tax, taken from the children `names` are given for.
fn item_of(out: &mut Values, (index, item): (usize, &Element), names: [&str; 7], rate_is_fraction: bool) {
    let [name, quantity, unit, price, amount, rate, tax] = names;
    let key = |what: &str| format!("item.{}.{what}", index + 1);
    out.text(&key("name"), item.text_at(&[name]));
    out.text(&key("quantity"), item.text_at(&[quantity]));
    out.text(&key("unit"), item.text_at(&[unit]));
    out.text(&key("unit_price"), item.text_at(&[price]));
    out.amount(&key("amount"), item.text_at(&[amount]));
    out.rate(&key("tax_rate"), item.text_at(&[rate]), rate_is_fraction);
    out.amount(&key("tax"), item.text_at(&[tax]));
}

/// Journeys and toll roads of the specific part; identity numbers of travellers are left where they are.
fn trips(out: &mut Values, data: &Element) {
    let Some(specific) = data.child("SpecificInformation") else { return };
    let mut last = None;
    for (index, trip) in specific.all("PassengerTransportation").take(MAX_ITEMS).enumerate() {
        let key = |what: &str| format!("trip.{}.{what}", index + 1);
        out.text(&key("traveller"), trip.text_at(&["Traveler"]));
        out.date(&key("on"), trip.text_at(&["TravelDate"]));
        out.text(&key("from"), trip.text_at(&["Departure"]));
        out.text(&key("to"), trip.text_at(&["Destination"]));
        out.text(&key("class"), trip.text_at(&["Grade"]));
        out.text(&key("vehicle"), trip.text_at(&["Vehicletype"]));
        last = trip.text_at(&["TravelDate"]).or(last);
    }
    for (index, toll) in specific.all("Toll").take(MAX_ITEMS).enumerate() {
        let key = |what: &str| format!("toll.{}.{what}", index + 1);
        out.text(&key("plate"), toll.text_at(&["PlateNumber"]));
        out.date(&key("from_on"), toll.text_at(&["StartDatesOfPassage"]));
        out.date(&key("to_on"), toll.text_at(&["EndDatesOfPassage"]));
        last = toll.text_at(&["EndDatesOfPassage"]).or(last);
    }
    out.date(F::OccurredOn.as_str(), last);
}

/// The number a red invoice cancels: `被红冲蓝字数电票号码：…` in the remark.
fn red_pair(out: &mut Values) {
    let original = out.get("remark").and_then(original_of_red).map(str::to_owned);
    if let Some(original) = original {
        out.text("red", Some("true"));
        out.text("original_invoice_number", Some(&original));
    }
}

/// The blue invoice number a remark says was cancelled.
fn original_of_red(remark: &str) -> Option<&str> {
    let (_, after) = remark.split_once("红冲").or_else(|| remark.split_once("对应正数发票"))?;
    after.split(|c: char| !c.is_ascii_digit()).find(|digits| matches!(digits.len(), 8 | 20))
}

/// Reads `original_invoice.xml` of an OFD: `eInvoice`, flat, often with the prefix `fp:`.
pub fn classic(root: &Element) -> Vec<StructuredValue> {
    let mut out = Values::new(StructuredSource::OfdInvoice);
    out.field(F::InvoiceNumber, root.text_at(&["InvoiceNo"]));
    out.text("invoice_code", root.text_at(&["InvoiceCode"]));
    out.text("check_code", root.text_at(&["InvoiceCheckCode"]));
    out.date(F::Date.as_str(), root.text_at(&["IssueDate"]));
    out.amount(F::Total.as_str(), root.text_at(&["TaxInclusiveTotalAmount"]));
    out.amount(F::Net.as_str(), root.text_at(&["TaxExclusiveTotalAmount"]));
    out.amount(F::Tax.as_str(), root.text_at(&["TaxTotalAmount"]));
    out.complete_sums();
    out.field(F::Currency, Some("CNY"));
    out.seller(None, root.text_at(&["Seller", "SellerName"]));
    out.field(F::SellerTaxId, root.text_at(&["Seller", "SellerTaxID"]));
    out.text("seller_contact", root.text_at(&["Seller", "SellerAddrTel"]));
    out.field(F::BuyerName, root.text_at(&["Buyer", "BuyerName"]));
    out.field(F::BuyerTaxId, root.text_at(&["Buyer", "BuyerTaxID"]));
    // The tax bureau's payload in the QR code names the kind; some issuers put a picture there instead.
    let kind = root.text_at(&["GraphCode"]).and_then(|payload| payload.split(',').nth(1));
    match kind {
        Some("01" | "08" | "31") => out.kind(EvidenceKind::SpecialFapiao),
        Some(_) | None => out.kind(EvidenceKind::OrdinaryFapiao),
    }
    if let Some(goods) = root.child("GoodsInfos") {
        for item in goods.all("GoodsInfo").take(MAX_ITEMS).enumerate() {
            let names = ["Item", "Quantity", "MeasurementDimension", "Price", "Amount", "TaxScheme", "TaxAmount"];
            item_of(&mut out, item, names, true);
        }
    }
    out.text("remark", root.text_at(&["Note"]));
    out.text("drawer", root.text_at(&["InvoiceClerk"]));
    red_pair(&mut out);
    out.into_vec()
}

#[cfg(test)]
mod tests {
    use super::{super::tree, *};

    #[test]
    fn a_red_invoice_names_the_blue_one_it_cancels() {
        for (remark, expected) in [
            (
                "被红冲蓝字数电票号码：24112000000000000001 红字发票信息确认单编号：44011024051000000001",
                Some("24112000000000000001"),
            ),
            ("对应正数发票代码:011002000111号码:12345678", Some("12345678")),
            ("住宿三晚", None),
        ] {
            assert_eq!(original_of_red(remark), expected, "{remark}");
        }
    }

    #[test]
    fn an_empty_invoice_states_little_and_does_not_fail() {
        let root = tree::parse(b"<EInvoice/>").unwrap();
        assert!(digital(&root).iter().all(|v| v.name == "currency" || v.name == "evidence_kind"));
        assert!(classic(&root).iter().all(|v| v.name == "currency" || v.name == "evidence_kind"));
    }
}
