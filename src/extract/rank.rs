//! The ranker's seam: features of competing proposals in, probabilities out.

use crate::domain::field::{Evidence, FieldKey, FieldValue};

/// Named features of one proposal; a name that is absent is 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features(pub Vec<(&'static str, f32)>);

impl Features {
    /// Sets a feature; zero is not kept. A feature is a plain number, usually 0 to 1.
    pub fn set(&mut self, name: &'static str, value: f32) {
        if value != 0.0 && value.is_finite() {
            self.0.push((name, value));
        }
    }

    /// Sets a feature that may have been set before.
    pub fn update(&mut self, name: &'static str, value: f32) {
        self.0.retain(|(known, _)| *known != name);
        self.set(name, value);
    }

    /// Sets a yes-or-no feature.
    pub fn flag(&mut self, name: &'static str, value: bool) {
        self.set(name, f32::from(u8::from(value)));
    }

    /// The value of a feature, 0 when absent.
    pub fn get(&self, name: &str) -> f32 {
        self.0.iter().find(|(n, _)| *n == name).map_or(0.0, |(_, v)| *v)
    }
}

/// A possible value of a field with everything a ranker may know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The field it would fill.
    pub key: FieldKey,
    /// The value.
    pub value: FieldValue,
    /// Where it was seen, best first.
    pub evidence: Vec<Evidence>,
    /// Who found it, e.g. `total:label_same_row`.
    pub finder: &'static str,
    /// Reason codes, e.g. `label:TOTAL`, `sum:subtotal+tax`.
    pub reasons: Vec<String>,
    /// What a ranker sees.
    pub features: Features,
}

/// Turns the proposals of one field of one receipt into probabilities.
pub trait Ranker {
    /// The probability of each proposal being right, in the given order; they sum to at most 1,
    /// the rest being the probability that none is right.
    fn rank(&self, key: FieldKey, proposals: &[Proposal]) -> Vec<f32>;

    /// Makes the probabilities of one field's proposals mean what they say.
    fn calibrate(&self, _key: FieldKey, _ranked: &mut [(f32, Proposal)]) {}

    /// The probability that total and date are both right, from the calibrated ones of each; 0 when one was not found.
    fn joint(&self, total: Option<f32>, date: Option<f32>) -> f32 {
        total.unwrap_or(0.0) * date.unwrap_or(0.0)
    }
}

/// Softmax of `scores` against an outside option with score `none`; without overflow.
pub(super) fn softmax(scores: &[f32], none: f32) -> Vec<f32> {
    let top = scores.iter().copied().fold(none, f32::max);
    let powers: Vec<f32> = scores.iter().map(|s| (s - top).exp()).collect();
    let sum = powers.iter().sum::<f32>() + (none - top).exp();
    powers.into_iter().map(|p| p / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_and_none_share_one_whole() {
        let p = softmax(&[2.0, 1.0, -50.0], 0.0);
        assert!(p.iter().sum::<f32>() < 1.0);
        assert!(p[0] > p[1] && p[1] > p[2]);
        assert_eq!(softmax(&[1e30, f32::NEG_INFINITY], 0.0), [1.0, 0.0]);
        assert!(softmax(&[], 0.0).is_empty());
    }
}
