//! Accuracy, confusion and reliability of category proposals.

use std::collections::BTreeMap;
use std::fmt;

/// Bins of stated probability.
const BINS: usize = 5;

/// Which category was proposed for which.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Confusion {
    counts: BTreeMap<(String, String), u32>,
    /// Per bin of stated probability: how many, how many right, sum of stated.
    bins: [(u32, u32, f32); BINS],
}

impl Confusion {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one proposal made with probability `p`.
    pub fn add(&mut self, truth: &str, proposed: &str, p: f32) {
        *self.counts.entry((truth.to_owned(), proposed.to_owned())).or_insert(0) += 1;
        let bin = &mut self.bins[((p * BINS as f32) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += u32::from(truth == proposed);
        bin.2 += p;
    }

    /// Adds another table's counts.
    pub fn merge(&mut self, other: &Self) {
        for (key, n) in &other.counts {
            *self.counts.entry(key.clone()).or_insert(0) += n;
        }
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            *bin = (bin.0 + more.0, bin.1 + more.1, bin.2 + more.2);
        }
    }

    /// Counted and right.
    pub fn totals(&self) -> (u32, u32) {
        let all = self.counts.values().sum();
        (all, self.counts.iter().filter(|((t, p), _)| t == p).map(|(_, n)| n).sum())
    }

    /// Share of right proposals; 0 when none was counted.
    pub fn accuracy(&self) -> f32 {
        let (all, right) = self.totals();
        right as f32 / (all.max(1)) as f32
    }

    /// Expected calibration error over the bins.
    pub fn calibration_error(&self) -> f32 {
        let all = self.totals().0.max(1) as f32;
        self.bins.iter().map(|(_, right, stated)| (*right as f32 - stated).abs() / all).sum()
    }

    /// Per true category: counted and right.
    pub fn by_truth(&self) -> BTreeMap<&str, (u32, u32)> {
        let mut out: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
        for ((truth, proposed), n) in &self.counts {
            let row = out.entry(truth).or_default();
            row.0 += n;
            row.1 += if truth == proposed { *n } else { 0 };
        }
        out
    }
}

impl fmt::Display for Confusion {
    /// One row per true category with its mistakes, then the reliability bins.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, right) = self.totals();
        writeln!(f, "| category | n | right | proposed instead |\n|---|---|---|---|")?;
        for (truth, (n, ok)) in self.by_truth() {
            let mut wrong: Vec<_> =
                self.counts.iter().filter(|((t, p), _)| t == truth && t != p).map(|((_, p), n)| (n, p)).collect();
            wrong.sort_by(|a, b| b.cmp(a));
            let wrong: Vec<String> = wrong.into_iter().map(|(n, p)| format!("{p} {n}")).collect();
            writeln!(f, "| {truth} | {n} | {ok} | {} |", wrong.join(", "))?;
        }
        writeln!(f, "| all | {all} | {right} ({:.1} %) | |", self.accuracy() * 100.0)?;
        writeln!(f, "\n| stated p | n | right | mean stated |\n|---|---|---|---|")?;
        for (i, (n, ok, stated)) in self.bins.iter().enumerate().filter(|(_, bin)| bin.0 > 0) {
            let (from, share) = (i as f32 / BINS as f32, *ok as f32 / *n as f32);
            writeln!(f, "| {from:.1}–{:.1} | {n} | {:.2} | {:.2} |", from + 0.2, share, stated / *n as f32)?;
        }
        writeln!(f, "\nexpected calibration error {:.3}", self.calibration_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_and_calibration_are_counted() {
        let mut confusion = Confusion::new();
        for (truth, proposed, p) in
            [("fuel", "fuel", 0.9), ("fuel", "other", 0.3), ("air", "air", 0.9), ("rail", "air", 0.9)]
        {
            confusion.add(truth, proposed, p);
        }
        assert_eq!(confusion.totals(), (4, 2));
        assert_eq!(confusion.by_truth()["fuel"], (2, 1));
        assert!((confusion.calibration_error() - (0.3 + 0.7) / 4.0).abs() < 1e-6);
        assert!(confusion.to_string().contains("| fuel | 2 | 1 | other 1 |"));
    }
}
