//! Candidates and fields: what a receipt may say, what the draft proposes, and why.

use std::{collections::BTreeMap, fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{
    money::Currency,
    page::Quad,
    time::{CivilDate, CivilTime},
};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order people see them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The text in columns, JSON and URLs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::field::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::domain::field::UnknownWord {
                        word: text.chars().take(64).collect(),
                        expected: &[$($text),+],
                    }),
                }
            }
        }
    };
}
pub(crate) use text_enum;

/// A word outside a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {}", .expected.join(", "))]
pub struct UnknownWord {
    /// What was given, cut to 64 characters.
    pub word: String,
    /// What would have been understood.
    pub expected: &'static [&'static str],
}

text_enum! {
    /// What a field is about.
    FieldKey {
        /// Trade name of who was paid.
        Merchant = "merchant",
        /// Legal name, when printed apart from the trade name.
        MerchantLegal = "merchant_legal",
        /// The date the paper was issued. `vouch read` prints it as `date`.
        Date = "issued_on",
        /// The date of the expense itself, when it differs (a ride, a night).
        OccurredOn = "occurred_on",
        /// Wall-clock time on the paper.
        Time = "time",
        /// What was to be paid in the end, after tax, discount and rounding.
        Total = "total",
        /// ISO 4217 code.
        Currency = "currency",
        /// Tax included in or added to the total.
        Tax = "tax",
        /// Total without tax.
        Net = "net",
        /// Tip or gratuity.
        Tip = "tip",
        /// Invoice or receipt number.
        InvoiceNumber = "invoice_number",
        /// Tax id of the seller.
        SellerTaxId = "seller_tax_id",
        /// Tax id of the buyer.
        BuyerTaxId = "buyer_tax_id",
        /// Name of the buyer.
        BuyerName = "buyer_name",
        /// Payment method.
        Payment = "payment",
        /// Last four digits of the card.
        CardLast4 = "card_last4",
        /// What kind of evidence it is.
        EvidenceKind = "evidence_kind",
        /// Address of the merchant.
        Address = "address",
        /// Telephone of the merchant.
        Phone = "phone",
        /// Expense category (its stable code).
        Category = "category",
    }
}

/// The typed value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldValue {
    /// A name, number, address …
    Text(String),
    /// A calendar date.
    Date(CivilDate),
    /// A wall-clock time.
    Time(CivilTime),
    /// A decimal amount in the draft's currency.
    Amount(Decimal),
    /// A currency.
    Currency(Currency),
}

/// The most characters a text field holds; longer text is cut by finders and refused from people.
pub const MAX_TEXT_CHARS: usize = 500;

/// Why a value was refused for a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The text is not of the field's type.
    #[error("`{key}` cannot be `{text}`: {expected}")]
    Invalid {
        /// The field.
        key: FieldKey,
        /// What was given, cut to 80 characters.
        text: String,
        /// What would be understood.
        expected: &'static str,
    },
    /// Over [`MAX_TEXT_CHARS`].
    #[error("`{key}` is longer than {MAX_TEXT_CHARS} characters")]
    TooLong {
        /// The field.
        key: FieldKey,
    },
}

impl FieldValue {
    /// Parses the canonical text of `key`'s type: dates `YYYY-MM-DD`, times `HH:MM[:SS]`, amounts with a point, codes.
    pub fn parse(key: FieldKey, text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        let invalid = |expected| FieldError::Invalid { key, text: text.chars().take(80).collect(), expected };
        match key {
            FieldKey::Date | FieldKey::OccurredOn => {
                CivilDate::from_str(text).map(Self::Date).map_err(|_| invalid("write a date as YYYY-MM-DD"))
            }
            FieldKey::Time => CivilTime::from_str(text).map(Self::Time).map_err(|_| invalid("write a time as HH:MM")),
            FieldKey::Total | FieldKey::Tax | FieldKey::Net | FieldKey::Tip => Decimal::from_str_exact(text)
                .map(Self::Amount)
                .map_err(|_| invalid("write an amount as digits with a point, such as 1234.56")),
            FieldKey::Currency => {
                text.parse().map(Self::Currency).map_err(|_| invalid("write an ISO 4217 code such as CNY or EUR"))
            }
            FieldKey::Merchant
            | FieldKey::MerchantLegal
            | FieldKey::InvoiceNumber
            | FieldKey::SellerTaxId
            | FieldKey::BuyerTaxId
            | FieldKey::BuyerName
            | FieldKey::Payment
            | FieldKey::CardLast4
            | FieldKey::EvidenceKind
            | FieldKey::Address
            | FieldKey::Phone
            | FieldKey::Category => {
                if text.is_empty() {
                    return Err(invalid("it is empty; send null to clear it"));
                }
                if text.chars().count() > MAX_TEXT_CHARS {
                    return Err(FieldError::TooLong { key });
                }
                Ok(Self::Text(text.to_owned()))
            }
        }
    }

    /// The amount, when this is one.
    pub fn as_amount(&self) -> Option<Decimal> {
        match self {
            Self::Amount(amount) => Some(*amount),
            Self::Text(_) | Self::Date(_) | Self::Time(_) | Self::Currency(_) => None,
        }
    }

    /// The date, when this is one.
    pub fn as_date(&self) -> Option<CivilDate> {
        match self {
            Self::Date(date) => Some(*date),
            Self::Text(_) | Self::Amount(_) | Self::Time(_) | Self::Currency(_) => None,
        }
    }
}

impl fmt::Display for FieldValue {
    /// The canonical text, which [`FieldValue::parse`] reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Date(date) => write!(f, "{date}"),
            Self::Time(time) if time.second() == 0 => write!(f, "{:02}:{:02}", time.hour(), time.minute()),
            Self::Time(time) => write!(f, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second()),
            Self::Amount(amount) => write!(f, "{amount}"),
            Self::Currency(currency) => write!(f, "{currency}"),
        }
    }
}

/// Where a value was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// 0-based page of the receipt.
    pub page: u32,
    /// The box around the words, in page pixels; `None` when the value is not printed anywhere.
    #[serde(rename = "box")]
    pub quad: Option<Quad>,
    /// The text as it was read, before normalisation.
    pub text: String,
}

/// A possible value of a field, by one finder.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The field it would fill.
    pub key: FieldKey,
    /// The value.
    pub value: FieldValue,
    /// Where it was seen; the first is the one to show.
    pub evidence: Vec<Evidence>,
    /// Who found it, e.g. `total:label_same_row`; stable, for statistics and tests.
    pub finder: &'static str,
    /// The finder's own score, comparable within one key only; not a probability.
    pub score: f32,
    /// Why, as stable reason codes with an optional detail, e.g. `label:Gesamt`.
    pub reasons: Vec<String>,
}

/// A value that was not chosen, with its probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Canonical text.
    pub value: String,
    /// Probability that it is right, 0 to 1.
    pub p: f32,
    /// Where it was seen.
    pub evidence: Option<Evidence>,
}

/// What a draft proposes for one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The field.
    pub key: FieldKey,
    /// The proposed value.
    pub value: FieldValue,
    /// Probability that it is right, 0 to 1.
    pub p: f32,
    /// Where it was seen; `None` for derived values (a category).
    pub evidence: Option<Evidence>,
    /// The finder that won.
    pub source: String,
    /// Reason codes a page can put into words, e.g. `label:合计`, `memory:12`.
    pub reasons: Vec<String>,
    /// What else it could be, most probable first, at most [`MAX_ALTERNATIVES`].
    pub alternatives: Vec<Alternative>,
}

/// Alternatives kept per field: what a reviewer can pick from without scrolling.
pub const MAX_ALTERNATIVES: usize = 5;

/// The proposed fields of one receipt, at most one per key.
pub type Fields = BTreeMap<FieldKey, Field>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_canonical_text_reads_back_as_itself() {
        for (key, text) in [
            (FieldKey::Merchant, "川味小馆"),
            (FieldKey::Date, "2024-02-29"),
            (FieldKey::Time, "19:05"),
            (FieldKey::Total, "1234.50"),
            (FieldKey::Currency, "CNY"),
        ] {
            assert_eq!(FieldValue::parse(key, text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_says_what_to_write() {
        let error = FieldValue::parse(FieldKey::Date, "29.2.2023").unwrap_err();
        assert_eq!(error.to_string(), "`issued_on` cannot be `29.2.2023`: write a date as YYYY-MM-DD");
        assert!(FieldValue::parse(FieldKey::Total, "1,5").is_err());
        assert!(FieldValue::parse(FieldKey::Merchant, " ").is_err());
    }

    #[test]
    fn keys_survive_text() {
        for key in FieldKey::ALL {
            assert_eq!(key.as_str().parse::<FieldKey>().unwrap(), *key);
        }
    }
}
