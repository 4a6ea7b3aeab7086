//! Values an issuer wrote into the information dictionary: Chinese e-invoices carry number, date and amounts there.

use hayro::hayro_syntax::{
    Pdf,
    object::{Dict, Object, ObjectIdentifier},
};

use super::{Document, guarded};
use crate::{
    domain::{
        field::FieldKey,
        structured::{StructuredSource, StructuredValue},
    },
    reader::{
        output::Stopped,
        protocol::{MAX_NAME_CHARS, MAX_VALUE_CHARS, clean},
    },
};

/// Keys of ISO 32000, table 349, which say something about the file and nothing about an expense.
const STANDARD_KEYS: [&str; 9] =
    ["Title", "Author", "Subject", "Keywords", "Creator", "Producer", "CreationDate", "ModDate", "Trapped"];
/// Keys of one dictionary that are looked at.
const MAX_KEYS: usize = 64;
/// Bytes of a key or value.
const MAX_TEXT_BYTES: usize = 4_096;
/// Trailers looked at for the dictionary: an incremental update adds one each.
const MAX_TRAILERS: usize = 64;

/// What the dictionary says beyond the standard keys, fields under their field's name.
pub fn values(document: &Document) -> Result<Vec<StructuredValue>, Stopped> {
    guarded(|| {
        let Some(dictionary) = dictionary(&document.pdf) else { return Vec::new() };
        let mut values: Vec<StructuredValue> = dictionary
            .entries()
            .take(MAX_KEYS)
            .filter(|(key, _)| !STANDARD_KEYS.contains(&key.as_str()))
            .filter_map(|(key, _)| {
                let name: String = clean(key.as_str()).chars().take(MAX_NAME_CHARS).collect();
                let text = text_of(&dictionary.get::<Object<'_>>(&*key)?)?;
                let (name, text) = canonical(&name, text.trim());
                (!name.is_empty() && !text.is_empty()).then_some(StructuredValue {
                    source: StructuredSource::PdfInfo,
                    name,
                    text,
                    page: None,
                    quad: None,
                })
            })
            .collect();
        // The library keeps no order; people and tests like one.
        values.sort_by(|a, b| a.name.cmp(&b.name));
        values
    })
}

/// The dictionary the last trailer names. The library keeps the trailer to itself, but its reference to the
/// dictionary is always in plain sight: in a trailer, or in the dictionary of a cross-reference stream.
fn dictionary(pdf: &Pdf) -> Option<Dict<'_>> {
    let bytes = pdf.data().as_ref();
    let places = memchr_all(bytes, b"/Info");
    places.into_iter().rev().take(MAX_TRAILERS).find_map(|at| {
        let reference = reference(bytes.get(at + 5..)?)?;
        pdf.xref().get::<Dict<'_>>(reference)
    })
}

fn memchr_all(bytes: &[u8], needle: &[u8]) -> Vec<usize> {
    bytes.windows(needle.len()).enumerate().filter(|(_, window)| *window == needle).map(|(at, _)| at).collect()
}

/// `12 0 R` after white space.
fn reference(bytes: &[u8]) -> Option<ObjectIdentifier> {
    let text = std::str::from_utf8(bytes.get(..bytes.len().min(40))?).ok().or_else(|| {
        let end = bytes.iter().position(|byte| !byte.is_ascii())?;
        std::str::from_utf8(&bytes[..end]).ok()
    })?;
    let mut parts = text.split_ascii_whitespace();
    let (number, generation, word) = (parts.next()?, parts.next()?, parts.next()?);
    word.starts_with('R').then_some(())?;
    Some(ObjectIdentifier::new(number.parse().ok()?, generation.parse().ok()?))
}

/// A value as text: strings in UTF-16, UTF-8 or Latin letters, names and numbers as they are written.
fn text_of(object: &Object<'_>) -> Option<String> {
    let text = match object {
        Object::String(string) => {
            super::files::text_string(string.as_bytes().get(..MAX_TEXT_BYTES).unwrap_or(string.as_bytes()))
        }
        Object::Name(name) => name.as_str().to_owned(),
        Object::Number(number) => number.as_f64().to_string(),
        _ => return None,
    };
    Some(clean(&text).chars().take(MAX_VALUE_CHARS).collect())
}

/// The field a key fills, with its value in the field's own form; other keys keep name and text.
fn canonical(key: &str, text: &str) -> (String, String) {
    let field = match key {
        "InvoiceNumber" => FieldKey::InvoiceNumber,
        "IssueTime" => FieldKey::Date,
        "TotalAmWithoutTax" => FieldKey::Net,
        "TotalTaxAm" => FieldKey::Tax,
        "TotalTax-includedAmount" => FieldKey::Total,
        "SellerIdNum" => FieldKey::SellerTaxId,
        "SellerName" => FieldKey::Merchant,
        "BuyerIdNum" => FieldKey::BuyerTaxId,
        "BuyerName" => FieldKey::BuyerName,
        _ => return (key.to_owned(), text.to_owned()),
    };
    let value = match field {
        FieldKey::Date => iso_date(text),
        FieldKey::Net | FieldKey::Tax | FieldKey::Total => decimal(text),
        _ => Some(text.to_owned()),
    };
    // What is not of the field's form is kept under the document's own name.
    value.map_or_else(|| (key.to_owned(), text.to_owned()), |value| (field.as_str().to_owned(), value))
}

/// The date of `2024-06-30`, `2024年06月30日` or `2024-06-30 10:11:12`.
fn iso_date(text: &str) -> Option<String> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let first = numbers.next()?;
    let (year, month, day) = if first.len() >= 8 {
        (first.get(..4)?, first.get(4..6)?, first.get(6..8)?)
    } else {
        (first, numbers.next()?, numbers.next()?)
    };
    let date = jiff::civil::Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some(date.to_string())
}

fn decimal(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ',' | '¥' | '￥' | ' ')).collect();
    rust_decimal::Decimal::from_str_exact(&plain).ok().map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_fields_come_in_the_fields_own_form() {
        for (key, text, name, value) in [
            ("InvoiceNumber", "24442000000012345678", "invoice_number", "24442000000012345678"),
            ("IssueTime", "2024年06月30日", "issued_on", "2024-06-30"),
            ("IssueTime", "20240630101112", "issued_on", "2024-06-30"),
            ("IssueTime", "soon", "IssueTime", "soon"),
            ("TotalTax-includedAmount", "1,234.50", "total", "1234.50"),
            ("TotalTaxAm", "***", "TotalTaxAm", "***"),
            ("Locale", "zh", "Locale", "zh"),
        ] {
            assert_eq!(canonical(key, text), (name.to_owned(), value.to_owned()), "{key} {text}");
        }
    }

    #[test]
    fn references_are_read_and_nothing_else() {
        assert_eq!(reference(b" 12 0 R/Root 1 0 R"), Some(ObjectIdentifier::new(12, 0)));
        assert_eq!(reference(b" 7 1 R>>\n\xff\xfe"), Some(ObjectIdentifier::new(7, 1)));
        for other in [&b" (12 0 R)"[..], b" 12 0", b"", b" x y R", b" 99999999999999 0 R"] {
            assert_eq!(reference(other), None);
        }
    }
}
