//! Whether stated probabilities mean what they say: per field, pooled over all sources.

use std::fmt::Write as _;

use super::score::{Outcome, calibration_error, coverage_at, wilson};
use crate::{domain::field::FieldKey, extract::learn::TYPED_TOO};

/// Name of the joint probability of total and date.
pub const JOINT: &str = "total and date";
/// Bins of the reliability curve: fine where reviewers look, coarse below.
const BINS: [f32; 8] = [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97, 0.99];

/// One field's stated probabilities, with what came of them.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldCalibration {
    /// The field, or [`JOINT`].
    pub name: String,
    /// Probabilities stated, with whether the value was right.
    pub stated: Vec<(f32, bool)>,
}

/// All fields that enough was said about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibrations(pub Vec<FieldCalibration>);

/// One bin of the reliability curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Mean probability stated.
    pub stated: f32,
    /// Share that was right.
    pub right: f32,
    /// 95 % Wilson interval of the share.
    pub interval: (f64, f64),
    /// Statements.
    pub n: usize,
}

impl Calibrations {
    /// Sums up the outcomes of recognised pictures, and for [`TYPED_TOO`] of `typed` texts. A field that was not proposed
    /// states nothing.
    pub fn new(outcomes: &[Outcome], typed: &[Outcome]) -> Self {
        let mut all = Vec::new();
        let joint: Vec<(f32, bool)> =
            outcomes.iter().filter_map(|o| o.total_and_date.map(|right| (o.p_total_and_date, right))).collect();
        all.push(FieldCalibration { name: JOINT.to_owned(), stated: joint });
        for key in FieldKey::ALL {
            let typed = if TYPED_TOO.contains(key) { typed } else { &[] };
            let own: Vec<(f32, bool)> = outcomes
                .iter()
                .chain(typed)
                .flat_map(|o| &o.stated)
                .filter(|(stated, ..)| stated == key)
                .map(|(_, p, right)| (*p, *right))
                .collect();
            if !own.is_empty() {
                all.push(FieldCalibration { name: key.to_string(), stated: own });
            }
        }
        Self(all)
    }
}

impl FieldCalibration {
    /// Expected calibration error over ten equal bins.
    pub fn error(&self) -> f32 {
        calibration_error(&self.stated)
    }

    /// Share acceptable at this precision.
    pub fn coverage(&self, precision: f32) -> f32 {
        coverage_at(&self.stated, precision)
    }

    /// The reliability curve; empty bins are left out.
    pub fn curve(&self) -> Vec<Bin> {
        let upper = |at: usize| BINS.get(at + 1).copied().unwrap_or(f32::INFINITY);
        let bins = (0..BINS.len()).filter_map(|at| {
            let own: Vec<&(f32, bool)> = self.stated.iter().filter(|(p, _)| *p >= BINS[at] && *p < upper(at)).collect();
            let right = own.iter().filter(|(_, right)| *right).count();
            (!own.is_empty()).then(|| Bin {
                stated: own.iter().map(|(p, _)| p).sum::<f32>() / own.len() as f32,
                right: right as f32 / own.len() as f32,
                interval: wilson(right, own.len()),
                n: own.len(),
            })
        });
        bins.collect()
    }
}

/// The table for terminals.
pub fn table(calibrations: &Calibrations) -> String {
    let mut out = String::from("stated probabilities   n     ECE    cover@99  cover@99.5\n");
    for field in &calibrations.0 {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:<20} {:>5}  {:.3}  {:>7.0}  {:>9.0}",
            field.name,
            field.stated.len(),
            field.error(),
            field.coverage(0.99) * 100.0,
            field.coverage(0.995) * 100.0
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_says_what_was_stated_and_what_came_of_it() {
        let stated = (0..100).map(|i| (0.95, i < 93)).chain((0..10).map(|i| (0.6, i < 6))).collect();
        let field = FieldCalibration { name: "total".to_owned(), stated };
        let curve = field.curve();
        assert_eq!(curve.len(), 2);
        assert_eq!((curve[1].n, curve[0].n), (100, 10));
        assert!((curve[1].right - 0.93).abs() < 1e-6 && (curve[1].stated - 0.95).abs() < 1e-4);
        assert!(field.error() < 0.03);
    }
}
