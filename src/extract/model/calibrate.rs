//! From a ranker's probability to one that means what it says.
//!
//! A ranker is over-sure about misread digits: it never saw the right ones. So the probability of the first proposal is
//! set against the recogniser's scores of its very characters and against what corroborates it. Weights are fitted on
//! predictions for receipts the ranker was not trained on.

use serde::{Deserialize, Serialize};

use crate::{
    domain::field::FieldKey,
    extract::{
        fold::fold_name,
        rank::{Features, Proposal},
    },
};

/// Log-odds stay within this: nobody has seen enough receipts to state more than 99.97 %.
const MAX_LOGIT: f32 = 8.0;

/// A country known by its currency settles the order of day and month; below this only the locale does.
const SURE_ORDER: f32 = 0.95;
/// What is missing to a score of 1 when a character begins to be doubtful.
const HINT: f32 = 0.01;

/// A logistic model over a few signs of certainty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Log-odds when all signs are 0.
    pub base: f32,
    /// Weight per sign.
    pub weights: Vec<(String, f32)>,
}

impl Calibration {
    /// The probability that signs with these values come with a right answer.
    pub fn probability(&self, signs: &Features) -> f32 {
        let sum: f32 = self.weights.iter().map(|(name, weight)| weight * signs.get(name)).sum();
        sigmoid((self.base + sum).clamp(-MAX_LOGIT, MAX_LOGIT))
    }

    /// Puts the most probable first, gives it its calibrated probability and shares the rest among the others.
    pub fn apply(&self, key: FieldKey, ranked: &mut [(f32, Proposal)]) {
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        let Some(signs) = signs(key, ranked) else { return };
        let stated = self.probability(&signs).min(order_limit(key, &ranked[0].1));
        let before = ranked[0].0;
        // What the first gives up, the others may be; they never get more than the doubt that is left.
        let rest = if before < 1.0 { (1.0 - stated) / (1.0 - before).max(1e-6) } else { 1.0 };
        for (at, (p, _)) in ranked.iter_mut().enumerate() {
            *p = if at == 0 { stated } else { (*p * rest).min(stated) };
        }
    }
}

/// Signs of certainty of the first of `ranked` (most probable first); `None` when there is nothing to state.
pub fn signs(key: FieldKey, ranked: &[(f32, Proposal)]) -> Option<Features> {
    let (p, first) = ranked.first().filter(|(p, _)| *p > 0.0)?;
    let second = ranked.get(1).map_or(0.0, |(p, _)| *p);
    let mut signs = Features::default();
    signs.set("logit", logit(*p));
    signs.set("margin", (p / second.max(1e-4)).ln().clamp(0.0, MAX_LOGIT));
    let features = &first.features;
    match key {
        FieldKey::Total => {
            let sums = ["sum_paid", "sum_built", "sum_rounded", "sum_items", "sum_whole", "capitals"];
            let sums = sums.iter().filter(|name| features.get(name) > 0.0).count();
            let twice = features.get("twice") > 0.0;
            doubt(&mut signs, features, twice || sums > 0);
            signs.flag("twice", twice);
            signs.flag("adds_up", sums > 0);
            // Two sums that have nothing in common but their result.
            signs.flag("adds_up_twice", sums > 1);
            signs.flag("repaired", features.get("repaired") > 0.0);
            signs.flag("misread_twin", features.get("misread_twin") > 0.0);
            signs.flag("rival_adds_up", features.get("rival_adds_up") > 0.0);
            signs.flag("whole", features.get("whole") > 0.0);
        }
        FieldKey::Date => {
            let twice = features.get("twice") > 0.0;
            doubt(&mut signs, features, twice);
            signs.flag("twice", twice);
            signs.flag("thrice", features.get("thrice") > 0.0);
            signs.flag("with_time", features.get("with_time") > 0.0);
            signs.flag("sure_elsewhere", features.get("sure_elsewhere") > 0.0);
            signs.set("order", -features.get("order"));
        }
        FieldKey::Merchant => {
            signs.set("illegible", features.get("illegible"));
            // A guess at a misread logo, a name put together of rows; names on Malaysian papers end in a legal form, which
            // tells where they end.
            for sign in ["mended", "joined", "paper_malaysia"] {
                signs.flag(sign, features.get(sign) > 0.0);
            }
            signs.set("overlap", overlap(first, &ranked[1..]));
        }
        FieldKey::Tax | FieldKey::Net => {
            // What does not fit a wrong total may fit the right one.
            signs.set("total", logit(features.get("p_total")));
            signs.flag("table", first.finder.ends_with(":table") || first.finder.ends_with(":rates"));
        }
        _ => {}
    }
    Some(signs)
}

/// How probable the names are that contain `first` or are contained in it: where the name begins and ends is in doubt.
fn overlap(first: &Proposal, others: &[(f32, Proposal)]) -> f32 {
    let own = fold_name(&first.value.to_string());
    let overlaps = |other: &Proposal| {
        let other = fold_name(&other.value.to_string());
        other != own && (other.contains(&own) || own.contains(&other))
    };
    others.iter().filter(|(_, other)| overlaps(other)).map(|(p, _)| p).sum()
}

/// Nobody is surer of a date than of which number is the month. Labelled receipts say little about this (most come from
/// countries with one order), so it limits what is stated instead of being fitted.
fn order_limit(key: FieldKey, first: &Proposal) -> f32 {
    // The log-probability of the order; 0 when only one reading is a date.
    let order = first.features.get("order").min(0.0).exp();
    if key == FieldKey::Date && order < SURE_ORDER { order } else { 1.0 }
}

/// What the least sure of the characters says. Scores lie close to 1, so the scale is logarithmic: 0.99 is a hint, 0.9 a
/// doubt, 0.5 a coin thrown. `corroborated`: the same value was read or computed from other characters.
fn doubt(signs: &mut Features, features: &Features, corroborated: bool) {
    let doubt = (features.get("illegible").clamp(0.0, 1.0) / HINT).ln_1p();
    signs.set("doubt", doubt);
    if !corroborated {
        signs.set("doubt_alone", doubt);
    }
}

/// Signs for total and date together, from their calibrated probabilities.
pub fn joint_signs(total: f32, date: f32) -> Features {
    let mut signs = Features::default();
    signs.set("logit", logit(total * date));
    signs.set("lower", logit(total.min(date)));
    signs
}

/// Log-odds of a probability, within ±[`MAX_LOGIT`].
pub fn logit(p: f32) -> f32 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln().clamp(-MAX_LOGIT, MAX_LOGIT)
}

/// The probability of log-odds.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::field::FieldValue;

    fn proposal(text: &str, features: &[(&'static str, f32)]) -> Proposal {
        Proposal {
            key: FieldKey::Merchant,
            value: FieldValue::Text(text.to_owned()),
            evidence: Vec::new(),
            finder: "test",
            reasons: Vec::new(),
            features: Features(features.to_vec()),
        }
    }

    #[test]
    fn a_name_whose_ends_are_in_doubt_says_so() {
        let ranked = |other: &str| [(0.5, proposal("Nordtor", &[])), (0.3, proposal(other, &[]))];
        let overlap = |other: &str| signs(FieldKey::Merchant, &ranked(other)).unwrap().get("overlap");
        assert!((overlap("NORDTOR Kielau") - 0.3).abs() < 1e-6);
        assert!(overlap("Kielau").abs() < 1e-6);
    }

    #[test]
    fn an_illegible_character_counts_for_more_where_nothing_corroborates_it() {
        let doubts = |features: &[(&'static str, f32)]| {
            let signs = signs(FieldKey::Total, &[(0.9, proposal("1.00", features))]).unwrap();
            (signs.get("doubt"), signs.get("doubt_alone"))
        };
        let (clear, alone) = (doubts(&[("illegible", 0.001)]), doubts(&[("illegible", 0.1)]));
        assert!(clear.0 < 0.1 && alone.0 > 2.0 && alone.1 > 2.0, "{clear:?} {alone:?}");
        assert!(doubts(&[("illegible", 0.1), ("twice", 1.0)]).1.abs() < 1e-6);
    }
}
