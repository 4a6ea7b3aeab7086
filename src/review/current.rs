//! The current value of each field: decided where a person decided, else proposed.

use std::collections::BTreeMap;

use crate::{
    classify::merchant_key,
    domain::{
        field::{FieldKey, FieldValue},
        money::{Currency, Money},
    },
    store::{
        fields::{DecisionRow, FieldRow},
        receipts::Current,
    },
};

/// One field of a draft: what was proposed, what was decided, and so what counts.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftField {
    /// What the reading proposes.
    pub proposed: Option<FieldRow>,
    /// The last decision.
    pub decided: Option<DecisionRow>,
}

impl DraftField {
    /// The value that counts, as canonical text.
    pub fn value(&self) -> Option<&str> {
        match (&self.decided, &self.proposed) {
            (Some(decision), _) => decision.value.as_deref(),
            (None, Some(field)) => Some(&field.value),
            (None, None) => None,
        }
    }

    /// Whether a person replaced what was proposed.
    pub fn is_corrected(&self) -> bool {
        self.decided.as_ref().is_some_and(|d| d.value.as_deref() != self.proposed.as_ref().map(|f| f.value.as_str()))
    }
}

/// Brings proposals and decisions together, by key.
pub fn draft_fields(proposed: Vec<FieldRow>, decisions: Vec<DecisionRow>) -> BTreeMap<FieldKey, DraftField> {
    let mut fields: BTreeMap<FieldKey, DraftField> =
        proposed.into_iter().map(|f| (f.key, DraftField { proposed: Some(f), decided: None })).collect();
    // Oldest first, so the last one stays.
    for decision in decisions {
        let field = fields.entry(decision.key).or_insert(DraftField { proposed: None, decided: None });
        field.decided = Some(decision);
    }
    fields
}

/// The values kept beside the state of the receipt, for lists and findings.
pub fn current_values(fields: &BTreeMap<FieldKey, DraftField>) -> Current {
    let text = |key| fields.get(&key).and_then(DraftField::value).map(str::to_owned);
    let parsed = |key| {
        let value = fields.get(&key).and_then(DraftField::value)?;
        FieldValue::parse(key, value).ok()
    };
    let currency: Option<Currency> = text(FieldKey::Currency).and_then(|code| code.parse().ok());
    let total = parsed(FieldKey::Total).and_then(|value| value.as_amount());
    let merchant = text(FieldKey::Merchant);
    Current {
        merchant_key: merchant.as_deref().map(merchant_key),
        merchant,
        issued_on: parsed(FieldKey::Date).and_then(|value| value.as_date()),
        total: text(FieldKey::Total),
        total_minor: currency
            .zip(total)
            .and_then(|(currency, total)| Money::from_decimal(total, currency).ok())
            .map(|money| money.minor),
        currency,
        category_code: text(FieldKey::Category),
        invoice_number: text(FieldKey::InvoiceNumber),
        evidence_kind: text(FieldKey::EvidenceKind).and_then(|kind| kind.parse().ok()),
    }
}
