//! Whether the sender of a mail is who was paid.

use crate::domain::{
    field::FieldKey,
    structured::{StructuredSource, StructuredValue},
};

/// Words senders put after their name.
const AFTER: [&str; 18] = [
    "receipts",
    "receipt",
    "invoices",
    "invoice",
    "billing",
    "support",
    "team",
    "notifications",
    "no-reply",
    "noreply",
    "orders",
    "bookings",
    "reservations",
    "rechnung",
    "online",
    "customer",
    "service",
    "via",
];
/// Parts of addresses people do not write from.
const MACHINES: [&str; 20] = [
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "receipt",
    "invoice",
    "billing",
    "rechnung",
    "facture",
    "order",
    "booking",
    "reserv",
    "ticket",
    "service",
    "info@",
    "einvoice",
    "fapiao",
    "notification",
    "mailer",
];
/// Characters of a name that is one.
const LEAST_CHARS: usize = 2;

/// The merchant, when the sender is a machine or the original of a forward and its text says the same name: a rep who sends
/// a photo signs with a name as well, and a platform that sends for a shop does not name itself where the shop should be.
pub fn of(values: &[StructuredValue], lines: &[String]) -> Option<StructuredValue> {
    let value = |name: &str| values.iter().find(|v| v.name == name).map(|v| v.text.as_str()).unwrap_or_default();
    let address = value("sender_address").to_lowercase();
    let is_original = !value("forwarder_address").is_empty();
    if !is_original && !MACHINES.iter().any(|part| address.contains(part)) {
        return None;
    }
    let mut words: Vec<&str> = value("sender_name").split_whitespace().collect();
    while words.last().is_some_and(|last| words.len() > 1 && AFTER.contains(&last.to_lowercase().as_str())) {
        words.pop();
    }
    let name = words.join(" ");
    if name.chars().count() < LEAST_CHARS || name.contains('@') {
        return None;
    }
    let wanted = name.to_lowercase();
    // The last lines are the headers themselves.
    let body = lines.iter().rev().skip_while(|line| !line.is_empty());
    body.into_iter().any(|line| line.to_lowercase().contains(&wanted)).then(|| StructuredValue {
        source: StructuredSource::Mail,
        name: FieldKey::Merchant.as_str().to_owned(),
        text: name,
        page: None,
        quad: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merchant(name: &str, address: &str, forwarder: &str, line: &str) -> Option<String> {
        let value = |name: &str, text: &str| StructuredValue {
            source: StructuredSource::Mail,
            name: name.into(),
            text: text.into(),
            page: None,
            quad: None,
        };
        let values =
            [value("sender_name", name), value("sender_address", address), value("forwarder_address", forwarder)];
        let lines = [line.to_owned(), String::new(), format!("From: {name} {address}")];
        of(&values, &lines).map(|value| value.text)
    }

    #[test]
    fn a_sender_is_the_merchant_only_when_its_text_says_so_and_it_is_no_colleague() {
        let cafe = "Thank you for visiting Harbour Cafe";
        assert_eq!(merchant("Harbour Cafe Receipts", "noreply@c.example", "", cafe).as_deref(), Some("Harbour Cafe"));
        assert_eq!(
            merchant("Harbour Cafe", "hello@c.example", "ann@corp.example", cafe).as_deref(),
            Some("Harbour Cafe")
        );
        assert_eq!(merchant("PayPlatform", "noreply@p.example", "", cafe), None);
        assert_eq!(merchant("Ann Rep", "ann@corp.example", "", "Best, Ann Rep"), None);
    }
}
