//! Whether the sender of a mail is who was paid.

use crate::domain::{
    field::FieldKey,
    structured::{StructuredSource, StructuredValue},
};

/// Words senders put after their name, or in its place.
const AFTER: [&str; 27] = [
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
    "booking",
    "reservation",
    "confirmation",
    "center",
    "centre",
    "info",
    "ticket",
    "tickets",
    "buchung",
];
/// Parts of addresses people do not write from.
const MACHINES: [&str; 27] = [
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
    "confirm",
    "buchung",
    "billet",
    "bigliett",
    "itinerar",
    "webmaster",
    "kontakt@",
];
/// Characters of a name that is one.
const LEAST_CHARS: usize = 2;
/// Characters of a part of a name, or of a domain, that is looked for in the text: shorter ones are words.
const LEAST_PART: usize = 4;
/// Characters of a single word of a name that may stand for it: shorter ones are everybody's, unless its domain has them.
const LEAST_ALONE: usize = 8;
/// Words and characters of a sender's name that are looked for in the text, and lines and characters of the text.
const MAX_WORDS: usize = 8;
const MAX_NAME: usize = 80;
const MAX_LINES: usize = 500;
const MAX_LINE_CHARS: usize = 400;
/// Domains of everybody, and those that send for everybody.
const PROVIDERS: [&str; 20] = [
    "gmail",
    "googlemail",
    "outlook",
    "hotmail",
    "live",
    "yahoo",
    "icloud",
    "proton",
    "protonmail",
    "foxmail",
    "sina",
    "sohu",
    "aliyun",
    "yandex",
    "mail",
    "bluewin",
    "sendgrid",
    "mailgun",
    "amazonses",
    "mailchimp",
];
/// Parts of a domain between a name and its country.
const SECOND_LEVEL: [&str; 8] = ["co", "com", "org", "net", "ac", "or", "ne", "gov"];

/// The merchant, when the sender is a machine or the original of a forward and its text says the same name: a rep who sends
/// a photo signs with a name as well, and a platform that sends for a shop does not name itself where the shop should be.
pub fn of(values: &[StructuredValue], lines: &[String]) -> Option<StructuredValue> {
    let value = |name: &str| values.iter().find(|v| v.name == name).map(|v| v.text.as_str()).unwrap_or_default();
    let address = value("sender_address").to_lowercase();
    let is_original = !value("forwarder_address").is_empty();
    if !is_original && !MACHINES.iter().any(|part| address.contains(part)) {
        return None;
    }
    let is_generic = |word: &str| AFTER.contains(&word.to_lowercase().as_str());
    let mut words: Vec<&str> = value("sender_name").split_whitespace().take(MAX_WORDS).collect();
    while words.last().is_some_and(|last| is_generic(last)) {
        words.pop();
    }
    // The last lines are the headers themselves.
    let headers = lines.iter().rev().take_while(|line| !line.is_empty()).count();
    let body = &lines[..lines.len() - headers];
    let whole = words.join(" ");
    let is_name = (LEAST_CHARS..=MAX_NAME).contains(&whole.chars().count()) && !whole.contains('@');
    // `Example Travel Corporate` signs as Example Travel.
    let is_own = |part: &str| {
        let letters = part.to_lowercase();
        letters.contains(' ')
            || letters.chars().count() >= LEAST_ALONE
            || domain(&address).is_some_and(|d| d.contains(&letters))
    };
    let parts = (1..words.len()).rev().map(|kept| words[..kept].join(" "));
    let parts = parts.filter(|part| is_long(part) && is_own(part));
    let mut names = std::iter::once(whole).chain(parts).filter(|_| is_name);
    let printed = names.find_map(|name| spelled(&name, body).map(|_| name));
    let name = printed.or_else(|| spelled(domain(&address)?, body).map(str::to_owned))?;
    Some(StructuredValue {
        source: StructuredSource::Mail,
        name: FieldKey::Merchant.as_str().to_owned(),
        text: name,
        page: None,
        quad: None,
    })
}

fn is_long(name: &str) -> bool {
    name.chars().filter(|c| c.is_alphanumeric()).count() >= LEAST_PART
}

/// The part of an address's domain that is somebody's name: `example` of `mail.example.co.uk`.
fn domain(address: &str) -> Option<&str> {
    let mut labels = address.rsplit_once('@')?.1.rsplit('.').skip(1);
    let name = labels.next()?;
    let name = if SECOND_LEVEL.contains(&name) { labels.next()? } else { name };
    (is_long(name) && name.len() <= MAX_NAME && !PROVIDERS.contains(&name)).then_some(name)
}

/// A name as the text spells it, where it stands as a word of its own and not in an address.
fn spelled<'a>(name: &str, body: &'a [String]) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    body.iter().take(MAX_LINES).find_map(|line| {
        let starts = line.char_indices().map(|(at, _)| at).take(MAX_LINE_CHARS);
        let is_free = |c: char| !c.is_alphanumeric() && !matches!(c, '@' | '-' | '/' | '_');
        starts.filter(|at| line[..*at].chars().next_back().is_none_or(|c| is_free(c) && c != '.')).find_map(|start| {
            let rest = &line[start..];
            let length = matched(rest, &wanted)?;
            let mut after = rest[length..].chars();
            let ends = match (after.next(), after.next()) {
                (None, _) => true,
                // A full stop, not a domain.
                (Some('.'), next) => next.is_none_or(char::is_whitespace),
                (Some(c), _) => is_free(c),
            };
            ends.then_some(&rest[..length])
        })
    })
}

/// Bytes at the beginning of `text` that are `wanted` in whatever case.
fn matched(text: &str, wanted: &[char]) -> Option<usize> {
    let mut left = wanted.iter();
    let mut length = 0;
    for c in text.chars() {
        for lower in c.to_lowercase() {
            if left.next() != Some(&lower) {
                return None;
            }
        }
        length += c.len_utf8();
        if left.len() == 0 {
            return Some(length);
        }
    }
    None
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

    #[test]
    fn a_sender_is_named_by_a_part_of_its_name_or_by_its_domain_as_the_text_spells_it() {
        let air = "Thank you for flying with Harbour Air.";
        for (name, address, line, expected) in [
            ("Booking", "booking@mail.harbourair.example", "HarbourAir | YOUR BOOKING", Some("HarbourAir")),
            ("Harbour Air Corporate", "no-reply@x.example", air, Some("Harbour Air")),
            ("Service Center", "service@hotel-see.co.uk", "Hotel-See, am Ufer", Some("Hotel-See")),
            // A domain alone in an address says nothing, nor do words or the domains of everybody.
            ("", "info@harbour.example", "see www.harbour.example/terms or info@harbour.example", None),
            ("", "info@the.example", "the receipt", None),
            ("", "receipt@gmail.com", "sent with Gmail", None),
            ("", "info@harbour.example", "harbour.example/terms", None),
            ("", "info@harbour.example", "at www.harbour now", None),
            ("Har", "no-reply@x.example", air, None),
            ("A B Document", "itinerary@x.example", "you flew with A B today", None),
            ("Harbour Document", "itinerary@harbourair.example", air, Some("Harbour")),
            ("Thank Document", "itinerary@x.example", air, None),
            ("Harbour Document", "itinerary@harbour.example", air, Some("Harbour")),
        ] {
            assert_eq!(merchant(name, address, "", line).as_deref(), expected, "{name} {address}: {line}");
        }
    }
}
