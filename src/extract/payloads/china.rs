//! Chinese fapiao `01,32,,23442000000014209621,112,20230215,,74AE`, and the URLs issuers print instead.
//!
//! Fields: version, kind, code, number, amount, date, check code, CRC (six to ten of them, some padded with spaces). The
//! amount is what is to be paid for fully digital invoices and tickets, and without tax for the older kinds.

use rust_decimal::Decimal;

use super::{EXACT, Payload, compact_date, plain_amount, url_parts};
use crate::domain::{field::FieldKey as F, receipt::EvidenceKind};

/// Reads the comma list of the tax bureau.
pub fn fapiao(text: &str) -> Option<Payload> {
    let fields: Vec<&str> = text.splitn(11, ',').map(str::trim).collect();
    if !(6..=10).contains(&fields.len()) || fields[0] != "01" {
        return None;
    }
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let [_, kind, code, number, amount, date, ..] = fields[..] else { return None };
    if kind.len() != 2 || !digits(kind) || !digits(number) || !matches!(number.len(), 8 | 20) {
        return None;
    }
    let mut out = Payload::new("fapiao");
    out.text(F::InvoiceNumber, number);
    out.keep("invoice_code", code);
    out.keep("check_code", fields.get(6).copied().unwrap_or(""));
    out.keep("fapiao_kind", kind);
    out.date(compact_date(date), EXACT);
    out.currency("CNY");
    match kind {
        "01" | "08" | "31" => out.kind(EvidenceKind::SpecialFapiao),
        "04" | "10" | "11" | "14" | "32" => out.kind(EvidenceKind::OrdinaryFapiao),
        "51" => out.kind(EvidenceKind::RailTicket),
        "61" => out.kind(EvidenceKind::AirTicket),
        _ => {}
    }
    let Some(amount) = plain_amount(amount).filter(|a| !a.is_zero()) else { return Some(out) };
    if is_gross(kind, code, number) {
        out.amount(F::Total, Some(amount), EXACT);
    } else {
        out.amount(F::Net, Some(amount), EXACT);
        out.needs_gross = Some(amount.max(Decimal::ZERO)).filter(|a| !a.is_zero());
    }
    Some(out)
}

/// Fully digital invoices and tickets have no code and twenty digits, whatever their kind is called.
fn is_gross(kind: &str, code: &str, number: &str) -> bool {
    matches!(kind, "31" | "32" | "51" | "61") || (code.is_empty() && number.len() == 20)
}

/// Hosts of tax bureaus, treasuries and invoice services; their links lead to the invoice.
const ISSUERS: [&str; 10] = [
    "chinatax.gov.cn",
    "einvoice.jsczt.cn",
    "czt.",
    "cz.gov.cn",
    "jss.com.cn",
    "nuonuo.com",
    "bwjf.cn",
    "bwfapiao.com",
    "51fapiao.cn",
    "fapiao.",
];

/// Reads a link to an invoice: kept, never followed. The treasury's toll bills carry code, number and check code in it.
pub fn url(text: &str) -> Option<Payload> {
    let (host, path, _) = url_parts(text)?;
    let host = host.to_ascii_lowercase();
    if !ISSUERS.iter().any(|issuer| host.contains(issuer)) {
        return None;
    }
    let mut out = Payload::new("fapiao_url");
    out.keep("url", text);
    let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
    if let [.., code, number, check] = steps[..] {
        let digits = |t: &str, lengths: std::ops::RangeInclusive<usize>| {
            lengths.contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit())
        };
        let is_check = (4..=8).contains(&check.len()) && check.bytes().all(|b| b.is_ascii_alphanumeric());
        if digits(code, 8..=12) && digits(number, 8..=12) && is_check {
            out.text(F::InvoiceNumber, number);
            out.keep("invoice_code", code);
            out.keep("check_code", check);
            out.currency("CNY");
        }
    }
    Some(out)
}
