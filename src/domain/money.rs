//! Money: whole minor units with an ISO 4217 currency, and the decimal text people write.

use std::{fmt, str::FromStr};

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code, e.g. `CNY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

/// Why an amount or currency was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217.
    #[error("`{0}` is not an ISO 4217 currency code")]
    UnknownCurrency(String),
    /// Not a decimal number.
    #[error("`{0}` is not an amount: write digits with a point, such as `1234.56`")]
    NotANumber(String),
    /// More decimals than the currency has.
    #[error("`{amount}` has more decimals than {currency} has ({digits})")]
    TooPrecise {
        /// The amount as given.
        amount: String,
        /// The currency.
        currency: Currency,
        /// The decimals the currency has.
        digits: u32,
    },
    /// Beyond 64-bit minor units.
    #[error("`{0}` is too large an amount")]
    TooLarge(String),
}

impl Currency {
    /// Decimals of the minor unit: 2 for CNY, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(&text.trim().to_ascii_uppercase())
            .map(Self)
            .ok_or_else(|| MoneyError::UnknownCurrency(text.chars().take(16).collect()))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount of money in whole minor units (cents, fen, yen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; negative for refunds.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// From a decimal amount; refuses more decimals than the currency has.
    pub fn from_decimal(amount: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let digits = currency.digits();
        let scale = Decimal::from(10_i64.pow(digits));
        let scaled = amount.checked_mul(scale).ok_or_else(|| MoneyError::TooLarge(amount.to_string()))?;
        if !scaled.fract().is_zero() {
            return Err(MoneyError::TooPrecise { amount: amount.to_string(), currency, digits });
        }
        let minor = scaled.to_i64().ok_or_else(|| MoneyError::TooLarge(amount.to_string()))?;
        Ok(Self { minor, currency })
    }

    /// From plain decimal text such as `1234.56`; for text off a receipt use `extract::numbers`.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let amount = Decimal::from_str_exact(text.trim())
            .map_err(|_| MoneyError::NotANumber(text.chars().take(40).collect()))?;
        Self::from_decimal(amount, currency)
    }

    /// The amount as a decimal with exactly the currency's decimals.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.digits())
    }
}

impl fmt::Display for Money {
    /// Code, then amount: `CNY 12.30`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.to_decimal())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_keep_the_decimals_of_their_currency() {
        for (text, code, minor, shown) in [
            ("12.30", "CNY", 1230, "CNY 12.30"),
            ("12.3", "EUR", 1230, "EUR 12.30"),
            ("1200", "JPY", 1200, "JPY 1200"),
            ("1.234", "KWD", 1234, "KWD 1.234"),
            ("-5.00", "USD", -500, "USD -5.00"),
        ] {
            let money = Money::parse(text, code.parse().unwrap()).unwrap();
            assert_eq!(money.minor, minor, "{text} {code}");
            assert_eq!(money.to_string(), shown);
        }
    }

    #[test]
    fn a_tenth_of_a_cent_is_refused_not_rounded() {
        let error = Money::parse("1.005", "EUR".parse().unwrap()).unwrap_err();
        assert!(matches!(error, MoneyError::TooPrecise { digits: 2, .. }));
    }

    proptest! {
        #[test]
        fn money_survives_the_round_trip_through_text(minor in any::<i64>(), code in prop::sample::select(vec!["CNY", "JPY", "KWD", "EUR"])) {
            let money = Money { minor, currency: code.parse().unwrap() };
            let again = Money::parse(&money.to_decimal().to_string(), money.currency).unwrap();
            prop_assert_eq!(money, again);
        }
    }
}
