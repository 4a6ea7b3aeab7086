//! The table of an evaluation, source by source, for terminals and as JSON.

use serde::Serialize;

use super::score::{Outcome, calibration_error, coverage_at, wilson};

/// Right out of labelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Share {
    /// Right.
    pub right: usize,
    /// Labelled.
    pub n: usize,
    /// `right / n`, 0 to 1; absent when nothing was labelled.
    pub share: Option<f64>,
    /// 95 % Wilson interval.
    pub low: f64,
    /// 95 % Wilson interval.
    pub high: f64,
}

impl Share {
    /// Counts labelled outcomes.
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>, field: impl Fn(&Outcome) -> Option<bool>) -> Self {
        let (mut right, mut n) = (0, 0);
        for outcome in outcomes {
            if let Some(ok) = field(outcome) {
                n += 1;
                right += usize::from(ok);
            }
        }
        let (low, high) = wilson(right, n);
        Self { right, n, share: (n > 0).then(|| right as f64 / n as f64), low, high }
    }

    fn cell(&self) -> String {
        match self.share {
            Some(share) => format!("{:.1} ({}/{})", share * 100.0, self.right, self.n),
            None => "–".to_owned(),
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceReport {
    /// The corpus folder.
    pub source: String,
    /// Files read.
    pub n: usize,
    /// Total exact.
    pub total: Share,
    /// Date exact.
    pub date: Share,
    /// Total and date both.
    pub total_and_date: Share,
    /// Merchant equal after folding.
    pub merchant: Share,
    /// Merchant at least 0.9 similar after folding.
    pub merchant_nearly: Share,
    /// Currency.
    pub currency: Share,
    /// Tax.
    pub tax: Share,
    /// Invoice number.
    pub invoice_number: Share,
    /// Expected calibration error of all stated probabilities, ten bins.
    pub calibration_error: f32,
    /// Share of receipts acceptable at 99 % precision of total and date.
    pub coverage_at_99: f32,
    /// Share of receipts acceptable at 99.5 % precision of total and date.
    pub coverage_at_995: f32,
    /// Mean seconds per file.
    pub seconds: f32,
}

impl SourceReport {
    /// Sums up the outcomes of one source.
    pub fn new(source: &str, outcomes: &[Outcome]) -> Self {
        let share = |field: fn(&Outcome) -> Option<bool>| Share::of(outcomes, field);
        let stated: Vec<(f32, bool)> =
            outcomes.iter().flat_map(|o| &o.stated).map(|(_, p, right)| (*p, *right)).collect();
        let both: Vec<(f32, bool)> =
            outcomes.iter().filter_map(|o| o.total_and_date.map(|right| (o.p_total_and_date, right))).collect();
        Self {
            source: source.to_owned(),
            n: outcomes.len(),
            total: share(|o| o.total),
            date: share(|o| o.date),
            total_and_date: share(|o| o.total_and_date),
            merchant: share(|o| o.merchant),
            merchant_nearly: share(|o| o.merchant_nearly),
            currency: share(|o| o.currency),
            tax: share(|o| o.tax),
            invoice_number: share(|o| o.invoice_number),
            calibration_error: calibration_error(&stated),
            coverage_at_99: coverage_at(&both, 0.99),
            coverage_at_995: coverage_at(&both, 0.995),
            seconds: outcomes.iter().map(|o| o.seconds).sum::<f32>() / outcomes.len().max(1) as f32,
        }
    }
}

const HEADS: [&str; 13] = [
    "source",
    "n",
    "total",
    "date",
    "total+date",
    "merchant =",
    "merchant ≥0.9",
    "currency",
    "tax",
    "number",
    "ECE",
    "cover@99",
    "s/file",
];

/// The table for people: per cent with counts, one row per source.
pub fn table(reports: &[SourceReport]) -> String {
    let mut rows: Vec<Vec<String>> = vec![HEADS.iter().map(ToString::to_string).collect()];
    for r in reports {
        let mut row = vec![r.source.clone(), r.n.to_string()];
        for share in [
            &r.total,
            &r.date,
            &r.total_and_date,
            &r.merchant,
            &r.merchant_nearly,
            &r.currency,
            &r.tax,
            &r.invoice_number,
        ] {
            row.push(share.cell());
        }
        row.push(format!("{:.3}", r.calibration_error));
        row.push(format!("{:.0}", r.coverage_at_99 * 100.0));
        row.push(format!("{:.2}", r.seconds));
        rows.push(row);
    }
    let widths: Vec<usize> =
        (0..HEADS.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.chars().count())))
            .collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_counts_beside_every_percentage() {
        let right = Outcome { total: Some(true), date: Some(true), total_and_date: Some(true), ..Outcome::default() };
        let wrong = Outcome { total: Some(false), ..Outcome::default() };
        let report = SourceReport::new("till", &[right.clone(), right, wrong]);
        let table = table(&[report]);
        assert!(table.contains("66.7 (2/3)"), "{table}");
        assert!(table.contains("100.0 (2/2)"), "{table}");
        assert!(table.contains('–'), "what was not labelled is no 0: {table}");
    }
}
