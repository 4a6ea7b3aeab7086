//! The page `docs/accuracy.md`, written by the measurement itself.

use std::fmt::Write as _;

use super::report::{Share, SourceReport};

/// What was measured, how.
#[derive(Debug, Clone)]
pub struct Measurement<'a> {
    /// The day of the measurement.
    pub on: String,
    /// Engine and version.
    pub engine: String,
    /// At most so many files of a source; `None` for all.
    pub most: Option<usize>,
    /// One row per source.
    pub reports: &'a [SourceReport],
}

/// The page as Markdown.
pub fn page(measurement: &Measurement<'_>) -> String {
    let Measurement { on, engine, most, reports } = measurement;
    let sample = most.map_or_else(String::new, |most| format!(" --most {most}"));
    let mut out = format!(
        "# How well it reads\n\n\
         Written by `vouch eval{sample} --record docs/accuracy.md DIR…` on {on} with {engine}. Change nothing here by hand.\n\n\
         Every row is a source of its own; there is no average. Beside each percentage stands right/labelled; for total and \
         date both right also the 95 % Wilson interval. Merchants are compared without case, spaces and punctuation, exactly \
         and with a similarity of at least 0.9. `cover@99` is the share of receipts that could be accepted unseen at 99 % \
         precision of total and date; ECE is the expected calibration error over all stated probabilities. A source's folder \
         holds public documents that are not in this repository.\n\n\
         The weights of the ranker and the constants of the rules were chosen on the training halves of these sources (by \
         hash of the file name): receipts of both halves are in these rows, so they flatter where they are small.\n\n\
         | source | files | total | date | total and date (interval) | merchant = | merchant ≥ 0.9 | currency | cover@99 | ECE | s/file |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for r in *reports {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} {} | {} | {} | {} | {:.0} % | {:.3} | {:.2} |",
            r.source,
            r.n,
            cell(&r.total),
            cell(&r.date),
            cell(&r.total_and_date),
            interval(&r.total_and_date),
            cell(&r.merchant),
            cell(&r.merchant_nearly),
            cell(&r.currency),
            r.coverage_at_99 * 100.0,
            r.calibration_error,
            r.seconds
        );
    }
    out
}

fn cell(share: &Share) -> String {
    match share.share {
        Some(value) => format!("{:.1} % ({}/{})", value * 100.0, share.right, share.n),
        None => "–".to_owned(),
    }
}

fn interval(share: &Share) -> String {
    match share.share {
        Some(_) => format!("[{:.0}–{:.0}]", share.low * 100.0, share.high * 100.0),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::score::Outcome, *};

    #[test]
    fn the_page_gives_counts_and_an_interval_beside_the_percentage() {
        let right = Outcome { total_and_date: Some(true), ..Outcome::default() };
        let reports = [SourceReport::new("till", &[right.clone(), right])];
        let measurement = Measurement {
            on: "2026-11-23".to_owned(),
            engine: "an engine".to_owned(),
            most: Some(40),
            reports: &reports,
        };
        let page = page(&measurement);
        assert!(page.contains("| till | 2 | – | – | 100.0 % (2/2) [34–100] |"), "{page}");
        assert!(page.contains("--most 40"));
    }
}
