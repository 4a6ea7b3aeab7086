//! What a receipt says beyond single values: the lines of what was bought, and the tax per rate.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::field::{Evidence, text_enum};

text_enum! {
    /// What a line of a receipt stands for.
    ItemKind {
        /// Something bought.
        Article = "article",
        /// Taken off; its amount is negative.
        Discount = "discount",
        /// Added by the seller besides the articles: service, delivery, packing.
        Charge = "charge",
    }
}

/// One line of what was bought, as printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineItem {
    /// What it is.
    pub kind: ItemKind,
    /// The name as printed, without numbers of the row that mean something else.
    pub name: String,
    /// How many, or how much of a unit (0.596 kg).
    pub quantity: Option<Decimal>,
    /// Price of one, in the draft's currency.
    pub unit_price: Option<Decimal>,
    /// What the line adds to the bill, in the draft's currency; without tax where the paper adds tax below.
    pub amount: Decimal,
    /// Probability that name and amount belong together and are both right, 0 to 1.
    pub p: f32,
    /// Where it was seen: the whole line.
    pub evidence: Option<Evidence>,
    /// Reason codes, e.g. `sum:quantity`, `sum:items`.
    pub reasons: Vec<String>,
}

/// The tax of one rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaxLine {
    /// Per cent: `8.1`.
    pub rate: Decimal,
    /// The amount the rate applies to, without tax.
    pub net: Option<Decimal>,
    /// The tax.
    pub tax: Option<Decimal>,
    /// Probability that everything stated is right, 0 to 1.
    pub p: f32,
    /// Where it was seen.
    pub evidence: Option<Evidence>,
    /// Reason codes, e.g. `sum:rate`, `sum:rates`.
    pub reasons: Vec<String>,
}

/// Lines and rates of one receipt; empty where none were read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Lines in the order of the paper.
    #[serde(default)]
    pub items: Vec<LineItem>,
    /// Rates in the order of the paper.
    #[serde(default)]
    pub taxes: Vec<TaxLine>,
}

impl Breakdown {
    /// Nothing was read.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.taxes.is_empty()
    }

    /// What the lines add up to; `None` without lines or beyond what a decimal holds.
    pub fn items_sum(&self) -> Option<Decimal> {
        let first = self.items.first()?.amount;
        self.items[1..].iter().try_fold(first, |sum, item| sum.checked_add(item.amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_json_with_their_decimals() {
        let item = LineItem {
            kind: ItemKind::Article,
            name: "茶叶".to_owned(),
            quantity: Some(Decimal::new(2, 0)),
            unit_price: Some(Decimal::new(350, 2)),
            amount: Decimal::new(700, 2),
            p: 0.9,
            evidence: None,
            reasons: vec!["sum:quantity".to_owned()],
        };
        let discount = LineItem { kind: ItemKind::Discount, amount: Decimal::new(-50, 2), ..item.clone() };
        let breakdown = Breakdown { items: vec![item, discount], taxes: Vec::new() };
        let json = serde_json::to_string(&breakdown).unwrap();
        assert!(json.contains(r#""amount":"7.00""#), "{json}");
        assert_eq!(serde_json::from_str::<Breakdown>(&json).unwrap(), breakdown);
        assert_eq!(breakdown.items_sum(), Some(Decimal::new(650, 2)));
        assert_eq!(Breakdown::default().items_sum(), None);
    }
}
