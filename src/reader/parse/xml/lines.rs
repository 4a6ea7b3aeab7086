//! The values of an invoice as lines a person can read: an XML has no page of its own.

use crate::domain::structured::{StructuredSource, StructuredValue};

/// Label by name, Chinese and English; what is not listed is shown under its own name.
const LABELS: [(&str, &str, &str); 48] = [
    ("invoice_type", "票种", "Type"),
    ("invoice_code", "发票代码", "Invoice code"),
    ("invoice_number", "发票号码", "Invoice number"),
    ("issued_on", "开票日期", "Invoice date"),
    ("occurred_on", "发生日期", "Delivered on"),
    ("due_on", "到期日期", "Due date"),
    ("merchant", "销售方名称", "Seller"),
    ("merchant_legal", "销售方法定名称", "Registered name"),
    ("seller_tax_id", "销售方纳税人识别号", "Seller VAT ID"),
    ("address", "销售方地址", "Seller address"),
    ("phone", "销售方电话", "Seller telephone"),
    ("seller_contact", "销售方地址电话", "Seller contact"),
    ("buyer_name", "购买方名称", "Buyer"),
    ("buyer_tax_id", "购买方纳税人识别号", "Buyer VAT ID"),
    ("net", "合计金额", "Net amount"),
    ("tax", "合计税额", "Tax amount"),
    ("tax_rate", "税率", "Tax rate"),
    ("total", "价税合计（小写）", "Total amount"),
    ("total_capitals", "价税合计（大写）", "Total in words"),
    ("currency", "币种", "Currency"),
    ("amount_due", "应付金额", "Still to be paid"),
    ("prepaid", "已付金额", "Already paid"),
    ("levies", "民航发展基金及其他税费", "Levies"),
    ("evidence_kind", "", ""),
    ("traveller", "旅客姓名", "Traveller"),
    ("from", "出发地", "From"),
    ("to", "到达地", "To"),
    ("train_number", "车次", "Train"),
    ("flight", "航班", "Flight"),
    ("carrier", "承运人", "Carrier"),
    ("class", "席别", "Class"),
    ("carriage", "车厢", "Carriage"),
    ("seat", "座位", "Seat"),
    ("departure_time", "开车时间", "Departure"),
    ("ticket_number", "电子客票号", "Ticket number"),
    ("check_code", "校验码", "Check code"),
    ("remark", "备注", "Note"),
    ("drawer", "开票人", "Drawn by"),
    ("tax_bureau", "税务机关", "Tax office"),
    ("red", "红字发票", "Cancels an invoice"),
    ("credit_note", "贷记", "Credit note"),
    ("refund", "退票", "Refund"),
    ("original_invoice_number", "原蓝字发票号码", "Original invoice"),
    ("payment_reference", "付款参考号", "Payment reference"),
    ("plate", "车牌号", "Plate"),
    ("vehicle", "交通工具", "Vehicle"),
    ("on", "日期", "Date"),
    ("name", "项目", "Item"),
];

/// One line per value; the parts of an item, a trip or a tax rate share one.
pub fn of(values: &[StructuredValue]) -> Vec<String> {
    let chinese = values.first().is_some_and(|value| is_chinese(value.source));
    let mut lines: Vec<String> = Vec::new();
    let mut group = String::new();
    for value in values {
        let (head, part) = value.name.rsplit_once('.').unwrap_or(("", &value.name));
        let label = label(part, chinese);
        if label.is_empty() {
            continue;
        }
        let text = &value.text;
        match lines.last_mut() {
            Some(line) if !head.is_empty() && head == group => {
                line.push_str("   ");
                line.push_str(text);
            }
            _ if head.is_empty() => lines.push(format!("{label}: {text}")),
            _ => lines.push(format!("{}: {text}", title(head, chinese))),
        }
        head.clone_into(&mut group);
    }
    lines
}

const fn is_chinese(source: StructuredSource) -> bool {
    match source {
        StructuredSource::EInvoiceXml
        | StructuredSource::OfdInvoice
        | StructuredSource::OfdTag
        | StructuredSource::OfdInfo
        | StructuredSource::Xbrl
        | StructuredSource::PdfInfo => true,
        StructuredSource::Cii
        | StructuredSource::Ubl
        | StructuredSource::JsonLd
        | StructuredSource::Microdata
        | StructuredSource::Mail
        | StructuredSource::Calendar
        | StructuredSource::Pass => false,
    }
}

fn label(name: &str, chinese: bool) -> &str {
    let known = LABELS.iter().find(|(known, _, _)| *known == name);
    known.map_or(name, |(_, zh, en)| if chinese { zh } else { en })
}

/// `item.3` becomes `项目 3`.
fn title(head: &str, chinese: bool) -> String {
    let (kind, number) = head.split_once('.').unwrap_or((head, ""));
    let name = match (kind, chinese) {
        ("item", true) => "项目",
        ("item", false) => "Item",
        ("rate", true) => "税率",
        ("rate", false) => "Tax rate",
        ("trip", true) => "行程",
        ("trip", false) => "Trip",
        ("toll", true) => "通行",
        ("toll", false) => "Toll",
        _ => kind,
    };
    format!("{name} {number}")
}
