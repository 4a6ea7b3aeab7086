//! A receipt as the checks see it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::tax_id;
use crate::{
    domain::{
        field::FieldKey,
        finding::InvoiceFacts,
        ids::{PersonId, ReceiptId},
        money::Currency,
        receipt::EvidenceKind,
        time::CivilDate,
    },
    store::{
        fields::{DecisionRow, FieldRow},
        receipts::ReceiptRow,
    },
};

/// A receipt with what counts now: decided where a person decided, else proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The receipt.
    pub id: ReceiptId,
    /// Whose it is.
    pub owner: PersonId,
    /// Kind of evidence.
    pub kind: Option<EvidenceKind>,
    /// Merchant, folded.
    pub merchant_key: Option<String>,
    /// Date on the paper.
    pub issued_on: Option<CivilDate>,
    /// The day it was handed in.
    pub handed_in_on: CivilDate,
    /// Total.
    pub total: Option<Decimal>,
    /// Total in minor units.
    pub total_minor: Option<i64>,
    /// Currency.
    pub currency: Option<Currency>,
    /// Values of the fields.
    pub values: BTreeMap<FieldKey, String>,
    /// Reasons of proposals that stand: `conflict:…`.
    pub conflicts: Vec<(FieldKey, String)>,
    /// What else the invoice says.
    pub facts: InvoiceFacts,
}

impl Subject {
    /// Puts a receipt together from its rows.
    pub fn new(
        row: &ReceiptRow,
        proposed: Vec<FieldRow>,
        decided: Vec<DecisionRow>,
        facts: InvoiceFacts,
        handed_in_on: CivilDate,
    ) -> Self {
        let mut values = BTreeMap::new();
        let mut conflicts = Vec::new();
        for field in proposed {
            // A person who decided has seen the conflict.
            if decided.iter().all(|d| d.key != field.key) {
                let of = field.reasons.0.iter().filter_map(|reason| reason.strip_prefix("conflict:"));
                conflicts.extend(of.map(|what| (field.key, what.to_owned())));
            }
            values.insert(field.key, field.value);
        }
        // Oldest first, so the last decision stays.
        for decision in decided {
            match decision.value {
                Some(value) => drop(values.insert(decision.key, value)),
                None => drop(values.remove(&decision.key)),
            }
        }
        Self {
            id: row.id.clone(),
            owner: row.owner_id.clone(),
            kind: row.evidence_kind,
            merchant_key: row.merchant_key.clone(),
            issued_on: row.issued_on,
            handed_in_on,
            total: values.get(&FieldKey::Total).and_then(|text| Decimal::from_str_exact(text).ok()),
            total_minor: row.total_minor,
            currency: row.currency,
            values,
            conflicts,
            facts,
        }
    }

    /// The value of a field.
    pub fn value(&self, key: FieldKey) -> Option<&str> {
        self.values.get(&key).map(String::as_str)
    }

    /// The value of a field as an amount.
    pub fn amount(&self, key: FieldKey) -> Option<Decimal> {
        self.value(key).and_then(|text| Decimal::from_str_exact(text).ok())
    }

    /// The invoice number in comparable form.
    pub fn number_key(&self) -> Option<String> {
        self.value(FieldKey::InvoiceNumber).map(number_key).filter(|key| !key.is_empty())
    }

    /// The seller: tax number before name.
    pub fn seller_key(&self) -> Option<String> {
        let number = self.value(FieldKey::SellerTaxId).map(tax_id::normal).filter(|key| key.len() >= 6);
        number.or_else(|| self.value(FieldKey::Merchant).map(tax_id::name_key)).filter(|key| !key.is_empty())
    }

    /// Whether it is an invoice of the Chinese tax administration.
    pub fn is_chinese_invoice(&self) -> bool {
        match self.kind {
            Some(
                EvidenceKind::SpecialFapiao
                | EvidenceKind::OrdinaryFapiao
                | EvidenceKind::RailTicket
                | EvidenceKind::AirTicket,
            ) => self.currency.is_none_or(|c| c.code() == "CNY") && self.number_key().is_some_and(|n| is_chinese(&n)),
            Some(
                EvidenceKind::TaxiSlip
                | EvidenceKind::TripSheet
                | EvidenceKind::TillSlip
                | EvidenceKind::CardSlip
                | EvidenceKind::PaymentScreenshot
                | EvidenceKind::Invoice
                | EvidenceKind::ForeignReceipt
                | EvidenceKind::Other,
            )
            | None => false,
        }
    }
}

/// Eight digits beside a code, or twenty without.
fn is_chinese(number_key: &str) -> bool {
    matches!(number_key.len(), 8 | 20) && number_key.bytes().all(|b| b.is_ascii_digit())
}

/// An invoice number in comparable form: half width, upper case, without spaces and signs.
pub fn number_key(text: &str) -> String {
    tax_id::normal(text)
}
