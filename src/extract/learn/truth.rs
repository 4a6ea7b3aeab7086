//! What people say is on a receipt, and whether a proposal says the same.

use rust_decimal::Decimal;

use crate::{
    domain::{
        field::{FieldKey, FieldValue},
        money::Currency,
        time::{CivilDate, CivilTime},
    },
    extract::{
        fold::{fold_name, similarity},
        rank::Proposal,
    },
};

/// Similarity from which a merchant's name counts as read.
pub const NEARLY: f32 = 0.9;

/// The right values; what is absent was not said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// The total.
    pub total: Option<Decimal>,
    /// Dates of which any is right.
    pub dates: Vec<CivilDate>,
    /// The time of day.
    pub time: Option<CivilTime>,
    /// Who was paid.
    pub merchant: Option<String>,
    /// The currency.
    pub currency: Option<Currency>,
    /// Tax.
    pub tax: Option<Decimal>,
    /// Total without tax.
    pub net: Option<Decimal>,
    /// Invoice number.
    pub invoice_number: Option<String>,
}

impl Truth {
    /// Whether people said anything about the field.
    pub fn is_labelled(&self, key: FieldKey) -> bool {
        match key {
            FieldKey::Total => self.total.is_some(),
            FieldKey::Date => !self.dates.is_empty(),
            FieldKey::Time => self.time.is_some(),
            FieldKey::Merchant => self.merchant.is_some(),
            FieldKey::Currency => self.currency.is_some(),
            FieldKey::Tax => self.tax.is_some(),
            FieldKey::Net => self.net.is_some(),
            FieldKey::InvoiceNumber => self.invoice_number.is_some(),
            _ => false,
        }
    }

    /// Whether `value` is right for the field; `None` when nothing was said about it.
    pub fn judge(&self, key: FieldKey, value: &FieldValue) -> Option<bool> {
        let amount = |wanted: Option<Decimal>| wanted.map(|w| value.as_amount() == Some(w));
        match key {
            FieldKey::Total => amount(self.total),
            FieldKey::Tax => amount(self.tax),
            FieldKey::Net => amount(self.net),
            FieldKey::Date => {
                (!self.dates.is_empty()).then(|| value.as_date().is_some_and(|d| self.dates.contains(&d)))
            }
            FieldKey::Time => self.time.map(|wanted| match value {
                FieldValue::Time(time) => time.hour() == wanted.hour() && time.minute() == wanted.minute(),
                _ => false,
            }),
            FieldKey::Currency => self.currency.map(|c| *value == FieldValue::Currency(c)),
            FieldKey::Merchant => self.likeness(value).map(|likeness| likeness >= NEARLY),
            FieldKey::InvoiceNumber => {
                self.invoice_number.as_ref().map(|wanted| fold_name(wanted) == fold_name(&value.to_string()))
            }
            _ => None,
        }
    }

    /// How alike a merchant's name is to the right one, 0 to 1.
    pub fn likeness(&self, value: &FieldValue) -> Option<f32> {
        let wanted = self.merchant.as_ref()?;
        Some(similarity(&fold_name(wanted), &fold_name(&value.to_string())))
    }

    /// Which proposals a ranker should prefer: the right ones, of merchants the ones most alike.
    pub fn marks(&self, key: FieldKey, proposals: &[Proposal]) -> Vec<bool> {
        if key == FieldKey::Merchant {
            let likeness: Vec<f32> = proposals.iter().map(|p| self.likeness(&p.value).unwrap_or(0.0)).collect();
            let most = likeness.iter().copied().fold(0.0, f32::max);
            return likeness.into_iter().map(|l| l >= NEARLY && l >= most - 1e-6).collect();
        }
        proposals.iter().map(|p| self.judge(key, &p.value) == Some(true)).collect()
    }
}
