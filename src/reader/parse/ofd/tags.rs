//! Custom tags: names that point at text on the pages, so that a value comes with its exact box.

use super::{
    super::xml::{
        tree::Element,
        values::{MAX_ITEMS, amount, date},
    },
    text::{ByObject, Printed},
};
use crate::domain::{
    field::{FieldKey as F, MAX_TEXT_CHARS},
    page::Quad,
    structured::{StructuredSource, StructuredValue},
};

/// How the text of a tag becomes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Amount,
    Date,
}

/// Tags by name: those of fapiao, and those of rail and air tickets.
const NAMES: [(&str, &str, Shape); 29] = [
    ("InvoiceNo", F::InvoiceNumber.as_str(), Shape::Text),
    ("InvoiceNumber", F::InvoiceNumber.as_str(), Shape::Text),
    ("InvoiceCode", "invoice_code", Shape::Text),
    ("InvoiceCheckCode", "check_code", Shape::Text),
    ("IssueDate", F::Date.as_str(), Shape::Date),
    ("BuyerName", F::BuyerName.as_str(), Shape::Text),
    ("BuyerTaxID", F::BuyerTaxId.as_str(), Shape::Text),
    ("SellerName", F::Merchant.as_str(), Shape::Text),
    ("SellerTaxID", F::SellerTaxId.as_str(), Shape::Text),
    ("SellerAddrTel", "seller_contact", Shape::Text),
    ("TaxInclusiveTotalAmount", F::Total.as_str(), Shape::Amount),
    ("TaxExclusiveTotalAmount", F::Net.as_str(), Shape::Amount),
    ("TaxTotalAmount", F::Tax.as_str(), Shape::Amount),
    ("Note", "remark", Shape::Text),
    ("InvoiceClerk", "drawer", Shape::Text),
    ("ElectronicInvoiceRailwayETicketNumber", F::InvoiceNumber.as_str(), Shape::Text),
    ("ElectronicInvoiceAirTransportReceiptNumber", F::InvoiceNumber.as_str(), Shape::Text),
    ("DateOfIssue", F::Date.as_str(), Shape::Date),
    ("TravelDate", F::OccurredOn.as_str(), Shape::Date),
    ("CarrierDate", F::OccurredOn.as_str(), Shape::Date),
    ("TotalAmount", F::Total.as_str(), Shape::Amount),
    ("TotalAmountExcludingTax", F::Net.as_str(), Shape::Amount),
    ("TaxAmountTotal", F::Tax.as_str(), Shape::Amount),
    ("NameOfPurchaser", F::BuyerName.as_str(), Shape::Text),
    ("UnifiedSocialCreditCodeOfPurchaser", F::BuyerTaxId.as_str(), Shape::Text),
    ("NameOfSeller", F::Merchant.as_str(), Shape::Text),
    ("TrainNumber", "train_number", Shape::Text),
    ("DepartureStation", "from", Shape::Text),
    ("DestinationStation", "to", Shape::Text),
];

/// Tags of goods, which repeat.
const ITEM_NAMES: [(&str, &str, Shape); 6] = [
    ("Item", "name", Shape::Text),
    ("Quantity", "quantity", Shape::Text),
    ("Price", "unit_price", Shape::Text),
    ("Amount", "amount", Shape::Amount),
    ("TaxScheme", "tax_rate", Shape::Text),
    ("TaxAmount", "tax", Shape::Amount),
];

/// Objects one tag names.
const MAX_OBJECTS_PER_TAG: usize = 32;

/// The values a tag file names on the pages.
pub fn values(root: &Element, objects: &ByObject) -> Vec<StructuredValue> {
    let mut out: Vec<StructuredValue> = Vec::new();
    // Item tags come one after another, or inside `GoodsInfo`: the first that repeats begins the next item.
    let mut item = 1;
    let mut seen: Vec<&str> = Vec::new();
    root.walk(&mut |tag| {
        let Some(printed) = printed(tag, objects) else { return };
        let known = NAMES.iter().find(|(name, _, _)| *name == tag.name);
        if let Some((_, name, shape)) = known {
            push(&mut out, name, *shape, &printed);
        } else if let Some((name, part, shape)) = ITEM_NAMES.iter().find(|(name, _, _)| *name == tag.name) {
            if seen.contains(name) {
                item += 1;
                seen.clear();
            }
            seen.push(name);
            if item <= MAX_ITEMS {
                push(&mut out, &format!("item.{item}.{part}"), *shape, &printed);
            }
        }
    });
    out
}

/// What the objects of a tag print, joined; `None` when it names none that is on a page.
fn printed(tag: &Element, objects: &ByObject) -> Option<Printed> {
    let mut parts =
        tag.all("ObjectRef").take(MAX_OBJECTS_PER_TAG).filter_map(|reference| objects.get(reference.text.trim()));
    let mut whole = parts.next()?.clone();
    for part in parts {
        whole.text.push_str(&part.text);
        if part.page == whole.page {
            whole.quad = whole.quad.union(&part.quad);
        }
    }
    Some(whole)
}

fn push(out: &mut Vec<StructuredValue>, name: &str, shape: Shape, printed: &Printed) {
    let text = match shape {
        Shape::Text => Some(printed.text.chars().take(MAX_TEXT_CHARS).collect::<String>()),
        Shape::Amount => amount(&printed.text).map(|a| a.to_string()),
        Shape::Date => date(&printed.text).map(|d| d.to_string()),
    };
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return };
    if out.iter().any(|value| value.name == name) {
        return;
    }
    out.push(StructuredValue {
        source: StructuredSource::OfdTag,
        name: name.to_owned(),
        text: text.trim().to_owned(),
        page: Some(printed.page),
        quad: Some(Quad::from_edges(
            printed.quad.left(),
            printed.quad.top(),
            printed.quad.right(),
            printed.quad.bottom(),
        )),
    });
}

/// Gives values that know no place the box of the tag of the same name, when both say the same.
pub fn lend_boxes(values: &mut [StructuredValue], tagged: &[StructuredValue]) {
    for value in values.iter_mut().filter(|value| value.quad.is_none()) {
        let twin = tagged.iter().find(|tag| tag.name == value.name && squeezed(&tag.text) == squeezed(&value.text));
        if let Some(twin) = twin {
            (value.page, value.quad) = (twin.page, twin.quad);
        }
    }
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The values of the package's own list of custom data (`OFD.xml`): Chinese names, net and tax instead of a total.
pub fn of_info(info: &Element) -> Vec<StructuredValue> {
    let mut out = super::super::xml::values::Values::new(StructuredSource::OfdInfo);
    let Some(datas) = info.child("CustomDatas") else { return Vec::new() };
    for data in datas.all("CustomData").take(MAX_ITEMS) {
        let text = data.content();
        match data.attribute("Name").unwrap_or("") {
            "发票号码" => out.field(F::InvoiceNumber, text),
            "发票代码" => out.text("invoice_code", text),
            "开票日期" => out.date(F::Date.as_str(), text),
            "合计金额" => out.amount(F::Net.as_str(), text),
            "合计税额" => out.amount(F::Tax.as_str(), text),
            "价税合计" => out.amount(F::Total.as_str(), text),
            "销售方纳税人识别号" => out.field(F::SellerTaxId, text),
            "购买方纳税人识别号" => out.field(F::BuyerTaxId, text),
            "校验码" => out.text("check_code", text),
            _ => {}
        }
    }
    out.complete_sums();
    out.into_vec()
}
