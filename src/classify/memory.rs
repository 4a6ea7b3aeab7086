//! What reviewers confirmed before, by merchant.

use std::collections::BTreeMap;

use crate::classify::text::merchant_key;

/// Pseudo-confirmations that pull a young memory towards "probably so again".
const PRIOR_FOR: f32 = 1.7;
/// Pseudo-confirmations for anything else. Together: 0.9 after one confirmation, 0.98 after twelve.
const PRIOR_AGAINST: f32 = 0.3;
/// The last decision of a person weighs at least this much, however many came before it.
const LATEST_AT_LEAST: f32 = 0.5;

/// The confirmations of one merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Confirmations per category code.
    pub counts: BTreeMap<String, u32>,
    /// The code confirmed last: a correction changes the next proposal at once.
    pub latest: String,
}

impl Remembered {
    /// How often a code was confirmed.
    pub fn count(&self, code: &str) -> u32 {
        self.counts.get(code).copied().unwrap_or(0)
    }

    /// Probability that the next receipt of this merchant is of the latest code.
    pub fn p(&self) -> f32 {
        let all: u32 = self.counts.values().sum();
        let share = (self.count(&self.latest) as f32 + PRIOR_FOR) / (all as f32 + PRIOR_FOR + PRIOR_AGAINST);
        share.max(LATEST_AT_LEAST)
    }
}

/// An organisation's confirmed merchants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    merchants: BTreeMap<String, Remembered>,
}

impl Memory {
    /// Nothing remembered.
    pub fn new() -> Self {
        Self::default()
    }

    /// One confirmation or correction by a person. A name without letters or digits is not remembered.
    pub fn confirm(&mut self, merchant: &str, code: &str) {
        let key = merchant_key(merchant);
        if !key.is_empty() {
            self.add(key, code, 1);
        }
    }

    /// Adds stored counts. Call with the code confirmed last coming last.
    pub fn add(&mut self, key: String, code: &str, count: u32) {
        let remembered = self
            .merchants
            .entry(key)
            .or_insert_with(|| Remembered { counts: BTreeMap::new(), latest: code.to_owned() });
        let sum = remembered.counts.entry(code.to_owned()).or_insert(0);
        *sum = sum.saturating_add(count);
        code.clone_into(&mut remembered.latest);
    }

    /// What is known about a merchant, by [`merchant_key`].
    pub fn find(&self, merchant: &str) -> Option<&Remembered> {
        self.merchants.get(&merchant_key(merchant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_correction_changes_what_is_proposed_next() {
        let mut memory = Memory::new();
        for _ in 0..12 {
            memory.confirm("Old Tannery Tavern", "meals");
        }
        let before = memory.find("OLD TANNERY TAVERN LLC").unwrap().clone();
        assert_eq!((before.latest.as_str(), before.count("meals")), ("meals", 12));
        assert!(before.p() > 0.97);
        memory.confirm("Old Tannery Tavern", "entertainment");
        let after = memory.find("Old Tannery Tavern").unwrap();
        assert_eq!(after.latest, "entertainment");
        assert!((after.p() - LATEST_AT_LEAST).abs() < 1e-6, "a single correction is not a certainty");
    }

    #[test]
    fn a_name_without_letters_is_not_remembered() {
        let mut memory = Memory::new();
        memory.confirm("***", "meals");
        assert_eq!(memory, Memory::new());
    }
}
