//! Right or wrong, field by field.

use super::{ReceiptRead, labels::Label};
use crate::{
    domain::field::{FieldKey, FieldValue},
    extract::fold::{fold_name, similarity},
};

/// Similarity from which a merchant counts as right in the second column.
pub const NEARLY: f32 = 0.9;

/// Outcome of one receipt; `None` where the field was not labelled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The total is exact.
    pub total: Option<bool>,
    /// The date is exact, or one of the labelled ones.
    pub date: Option<bool>,
    /// The merchant is equal after folding (lower case, NFKC, no spaces or punctuation).
    pub merchant: Option<bool>,
    /// The folded merchant's similarity (1 − Levenshtein / longer) is at least [`NEARLY`].
    pub merchant_nearly: Option<bool>,
    /// The currency is right.
    pub currency: Option<bool>,
    /// The tax is right.
    pub tax: Option<bool>,
    /// The invoice number is right after folding.
    pub invoice_number: Option<bool>,
    /// Total and date are both right; `None` unless both were labelled.
    pub total_and_date: Option<bool>,
    /// Probability stated for total and date.
    pub p_total_and_date: f32,
    /// Stated probability of each field that was filled, with whether it was right.
    pub stated: Vec<(FieldKey, f32, bool)>,
    /// Seconds for the file.
    pub seconds: f32,
}

/// Compares what was read of a file with its label. A file with several receipts is scored by the best of them.
pub fn score(label: &Label, reads: &[ReceiptRead]) -> Outcome {
    reads
        .iter()
        .map(|read| score_one(label, read))
        .max_by_key(|o| [o.total, o.date, o.merchant_nearly].iter().filter(|r| **r == Some(true)).count())
        .unwrap_or_else(|| score_one(label, &ReceiptRead::default()))
}

/// Compares the receipts found on one picture with the labels of all receipts it shows, each read used once.
pub fn score_many(labels: &[&Label], reads: &[ReceiptRead]) -> Vec<Outcome> {
    let mut free: Vec<&ReceiptRead> = reads.iter().collect();
    labels
        .iter()
        .map(|label| {
            let rightness = |o: &Outcome| {
                let right = |r: Option<bool>| usize::from(r == Some(true));
                right(o.invoice_number) * 2 + right(o.total) * 2 + right(o.date) + right(o.merchant_nearly)
            };
            let best = free
                .iter()
                .enumerate()
                .map(|(at, read)| (at, score_one(label, read)))
                .max_by_key(|(_, outcome)| rightness(outcome))
                .filter(|(_, outcome)| rightness(outcome) > 0);
            match best {
                Some((at, outcome)) => {
                    free.remove(at);
                    outcome
                }
                None => score_one(label, &ReceiptRead::default()),
            }
        })
        .collect()
}

fn score_one(label: &Label, read: &ReceiptRead) -> Outcome {
    let value = |key: FieldKey| read.extraction.fields.get(&key).map(|f| &f.value);
    let amount = |key: FieldKey| value(key).and_then(FieldValue::as_amount);
    let text = |key: FieldKey| value(key).map(ToString::to_string);
    let dates = label.dates();
    let total = label.total.map(|t| amount(FieldKey::Total) == Some(t));
    let date = (!dates.is_empty())
        .then(|| value(FieldKey::Date).and_then(FieldValue::as_date).is_some_and(|d| dates.contains(&d)));
    let merchants = label.merchant.as_ref().filter(|_| !label.merchant_not_printed).map(|wanted| {
        let (wanted, read) = (fold_name(wanted), fold_name(&text(FieldKey::Merchant).unwrap_or_default()));
        (wanted == read, similarity(&wanted, &read) >= NEARLY)
    });
    let number = label
        .invoice_number
        .as_ref()
        .map(|wanted| text(FieldKey::InvoiceNumber).is_some_and(|read| fold_name(&read) == fold_name(wanted)));
    let mut outcome = Outcome {
        total,
        date,
        merchant: merchants.map(|m| m.0),
        merchant_nearly: merchants.map(|m| m.1),
        currency: label.currency.map(|c| value(FieldKey::Currency) == Some(&FieldValue::Currency(c))),
        tax: label.tax.map(|t| amount(FieldKey::Tax) == Some(t)),
        invoice_number: number,
        total_and_date: total.zip(date).map(|(t, d)| t && d),
        p_total_and_date: read.extraction.p_total_and_date,
        stated: Vec::new(),
        seconds: read.seconds,
    };
    for (key, right) in [
        (FieldKey::Total, outcome.total),
        (FieldKey::Date, outcome.date),
        (FieldKey::Merchant, outcome.merchant_nearly),
        (FieldKey::Currency, outcome.currency),
        (FieldKey::Tax, outcome.tax),
        (FieldKey::InvoiceNumber, outcome.invoice_number),
    ] {
        if let (Some(right), Some(field)) = (right, read.extraction.fields.get(&key)) {
            outcome.stated.push((key, field.p, right));
        }
    }
    outcome
}

/// The 95 % Wilson interval of `right` out of `n`, as shares of 1; `(0, 1)` when `n` is 0.
pub fn wilson(right: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    // 1.96: 97.5 % quantile of the normal distribution.
    let (n, z) = (n as f64, 1.959_964_f64);
    let share = right as f64 / n;
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let middle = share + z * z / (2.0 * n);
    let scale = 1.0 + z * z / n;
    (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
}

/// Expected calibration error over ten equal bins of stated probability, weighted by count; 0 when nothing was stated.
pub fn calibration_error(stated: &[(f32, bool)]) -> f32 {
    let mut bins = [(0_usize, 0.0_f32, 0_usize); 10];
    for (p, right) in stated {
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += p;
        bin.2 += usize::from(*right);
    }
    let error: f32 = bins.iter().map(|(_, p, right)| (p - *right as f32).abs()).sum();
    error / stated.len().max(1) as f32
}

/// The largest share of receipts that can be accepted by stated probability with at least `precision` of them right.
pub fn coverage_at(stated: &[(f32, bool)], precision: f32) -> f32 {
    let mut ordered: Vec<&(f32, bool)> = stated.iter().collect();
    ordered.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut best) = (0_usize, 0_usize);
    for (i, (_, ok)) in ordered.iter().enumerate() {
        right += usize::from(*ok);
        if right as f32 >= precision * (i + 1) as f32 {
            best = i + 1;
        }
    }
    best as f32 / stated.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_intervals_match_the_textbook() {
        let (low, high) = wilson(90, 100);
        assert!((low - 0.8256).abs() < 1e-3 && (high - 0.9448).abs() < 1e-3, "{low} {high}");
        assert_eq!(wilson(0, 0), (0.0, 1.0));
        assert!((wilson(10, 10).1 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn calibration_and_coverage_punish_certainty_that_is_wrong() {
        let honest: Vec<(f32, bool)> = (0..100).map(|i| (0.9, i < 90)).collect();
        assert!(calibration_error(&honest) < 1e-4);
        let boastful: Vec<(f32, bool)> = (0..100).map(|i| (0.99, i < 50)).collect();
        assert!(calibration_error(&boastful) > 0.4);
        assert!((coverage_at(&[(0.9, true), (0.8, true), (0.7, false), (0.6, true)], 1.0) - 0.5).abs() < 1e-6);
    }
}
