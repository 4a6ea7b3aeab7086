//! Links that may lead to a receipt: kept and shown, never followed from here.

use crate::domain::structured::{StructuredSource, StructuredValue};

/// Links kept of one document.
const MAX_KEPT: usize = 20;
/// Characters of an address that is kept.
const MAX_ADDRESS: usize = 2_000;

/// The name links have among a reading's values.
pub const NAME: &str = "link";

/// Words, in address or text, of links that lead to receipts. Issuers write `发票下载`, `查看发票`, `Download invoice`.
const WORDS: [&str; 28] = [
    "发票",
    "發票",
    "票据",
    "电子票",
    "行程单",
    "账单",
    "领收",
    "領収",
    "請求書",
    "fapiao",
    "invoice",
    "receipt",
    "einvoice",
    "e-invoice",
    "rechnung",
    "beleg",
    "quittung",
    "facture",
    "recu",
    "reçu",
    "factura",
    "recibo",
    "fattura",
    "ricevuta",
    "faktura",
    "nota-fiscal",
    ".pdf",
    ".ofd",
];
/// Words of links that never do.
const OTHERWISE: [&str; 5] = ["unsubscribe", "abmelden", "退订", "privacy", "désabonner"];

/// A link as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads.
    pub address: String,
    /// What it says.
    pub text: String,
}

/// Puts the links that may lead to a receipt among `values`, each once.
pub fn keep(links: &[Link], values: &mut Vec<StructuredValue>) {
    let mut kept: Vec<&str> = Vec::new();
    let known: Vec<String> = values.iter().filter(|v| v.name == NAME).map(|v| v.text.clone()).collect();
    for link in links {
        let is_web = link.address.starts_with("https://") || link.address.starts_with("http://");
        if !is_web
            || link.address.chars().count() > MAX_ADDRESS
            || kept.contains(&link.address.as_str())
            || known.contains(&link.address)
        {
            continue;
        }
        let said = format!("{} {}", link.address, link.text).to_lowercase();
        if OTHERWISE.iter().any(|word| said.contains(word)) || !WORDS.iter().any(|word| said.contains(word)) {
            continue;
        }
        kept.push(&link.address);
        values.push(StructuredValue {
            source: StructuredSource::Mail,
            name: NAME.to_owned(),
            text: link.address.clone(),
            page: None,
            quad: None,
        });
        if known.len() + kept.len() >= MAX_KEPT {
            return;
        }
    }
}

/// Addresses written out in plain text, each with its line as what it says.
pub fn written(lines: &[String]) -> Vec<Link> {
    let mut links = Vec::new();
    for line in lines {
        for start in ["https://", "http://"].iter().filter_map(|scheme| line.find(scheme)) {
            let rest = &line[start..];
            let ends = |c: char| {
                c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '，' | '。' | '）' | '】' | '」')
            };
            let address = rest.split(ends).next().unwrap_or_default().trim_end_matches(['.', ',', ')', ';']);
            links.push(Link { address: address.to_owned(), text: line.clone() });
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_receipts_are_kept_and_others_are_not() {
        let link = |address: &str, text: &str| Link { address: address.into(), text: text.into() };
        let links = [
            link("https://fp.example.cn/d?id=1", "点击下载发票"),
            link("https://shop.example/orders/9/invoice.pdf", "here"),
            link("https://shop.example/orders/9/invoice.pdf", "again"),
            link("https://shop.example/unsubscribe?from=receipt", "Unsubscribe"),
            link("javascript:alert('invoice')", "invoice"),
            link("https://shop.example/sale", "Sale"),
        ];
        let mut values = Vec::new();
        keep(&links, &mut values);
        let kept: Vec<&str> = values.iter().map(|v| v.text.as_str()).collect();
        assert_eq!(kept, ["https://fp.example.cn/d?id=1", "https://shop.example/orders/9/invoice.pdf"]);
    }

    #[test]
    fn addresses_in_plain_text_are_found_with_their_line() {
        let lines = ["发票下载：https://fp.example.cn/a?b=c。".to_owned(), "no link".to_owned()];
        assert_eq!(written(&lines), [Link { address: "https://fp.example.cn/a?b=c".into(), text: lines[0].clone() }]);
    }
}
