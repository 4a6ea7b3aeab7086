//! The page `docs/accuracy.md` and its curve, written by the measurement itself.

use std::{fmt::Write as _, io, path::Path};

use super::{
    Measured,
    calibration::{Bin, Calibrations, JOINT},
    failures::Causes,
    report::{Share, SourceReport},
};

/// What was measured, how.
#[derive(Debug, Clone)]
pub struct Measurement<'a> {
    /// The day of the measurement.
    pub on: String,
    /// Engine and version.
    pub engine: String,
    /// At most so many files of a source; `None` for all.
    pub most: Option<usize>,
    /// Names of the corpus folders.
    pub dirs: Vec<String>,
    /// Receipts held out.
    pub receipts: &'a Measured,
    /// Merchants held out.
    pub merchants: &'a Measured,
}

/// Writes the page and, beside it, `<page>-reliability.svg`.
pub fn write(path: &Path, measurement: &Measurement<'_>) -> io::Result<()> {
    let stem = path.file_stem().map_or_else(|| "accuracy".to_owned(), |s| s.to_string_lossy().into_owned());
    let curve = format!("{stem}-reliability.svg");
    std::fs::write(path, page(measurement, &curve))?;
    std::fs::write(path.with_file_name(&curve), svg(&measurement.merchants.calibrations))
}

/// The page as Markdown; `curve` is the file name of the picture.
pub fn page(measurement: &Measurement<'_>, curve: &str) -> String {
    let Measurement { on, engine, most, dirs, receipts, merchants } = measurement;
    let sample = most.map_or_else(String::new, |most| format!(" --most {most}"));
    let dirs = dirs.iter().map(|d| format!("../shared/corpus/{d}")).collect::<Vec<_>>().join(" ");
    let mut out = format!(
        "# How well it reads\n\n\
         Written by `vouch eval{sample} --pages-cache DIR --record docs/accuracy.md {dirs}` on {on} with {engine}. Change \
         nothing here by hand.\n\n\
         Every row is a source of its own; there is no average. Beside each percentage stands right/labelled; for total and \
         date both right also the 95 % Wilson interval. Merchants are compared without case, spaces and punctuation, exactly \
         and with a similarity of at least 0.9. `cover@99` is the share of receipts that could be accepted unseen at 99 % \
         precision of total and date. A source's folder holds public documents that are not in this repository; rows \
         ending in `:text` are typed transcripts, which need no recognition; `:several` is a photo of several receipts, \
         told apart.\n\n\
         **No receipt was read by a model that knew it.** The labelled receipts of all sources are dealt into five parts; \
         each part is read by a ranker trained, and calibrated, on the other four. The constants of the rules (how dates \
         and amounts are written, which words are labels) were not held out: whoever wrote them had looked at receipts of \
         these sources. The model that comes with the program is trained on all parts.\n\n"
    );
    let _ = writeln!(
        out,
        "## Receipts held out\n\nThe same merchant may be in training and test, as with an organisation's regular merchants.\n"
    );
    out.push_str(&table(&receipts.reports));
    let _ = writeln!(
        out,
        "\n## Merchants held out\n\nNo merchant (nor a similar name) is in training and test: receipts of somebody new.\n"
    );
    out.push_str(&table(&merchants.reports));
    let _ = writeln!(
        out,
        "\n## What probabilities mean\n\nAll recognised pictures pooled, merchants held out; for tax and invoice numbers the typed transcripts as well. ECE is the expected calibration error over ten bins. Coverage is \
         the share of what was proposed that could be accepted unseen at that precision.\n"
    );
    out.push_str(&calibration_table(&merchants.calibrations));
    let _ = writeln!(
        out,
        "\n![Stated probability against share right]({curve})\n\n## What went wrong\n\nAll recognised pictures pooled, merchants held out.\n"
    );
    out.push_str(&causes_table(&merchants.causes));
    out.push_str(
        "\n## How to measure again\n\n\
         With the corpus at `../shared/corpus` (its README says where it comes from): the command at the top. \
         `--pages-cache` keeps what was recognised, so that the second run takes a minute. `vouch eval DIR…` without \
         `--record` measures the model that comes with the program on any folder with a `labels.jsonl`; \
         `--held-out receipts|merchants` prints one of the tables above. `vouch train extraction` trains the model again \
         (`models/extract/CARD.md`).\n",
    );
    out
}

fn table(reports: &[SourceReport]) -> String {
    let mut out = String::from(
        "| source | read | total | date | total and date (interval) | merchant = | merchant ≥ 0.9 | currency | cover@99 | s/file |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for r in reports {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} {} | {} | {} | {} | {:.0} % | {:.2} |",
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
            r.seconds
        );
    }
    out
}

fn calibration_table(calibrations: &Calibrations) -> String {
    let mut out = String::from("| probability of | n | ECE | cover@99 | cover@99.5 |\n|---|---|---|---|---|\n");
    for field in &calibrations.0 {
        let _ = writeln!(
            out,
            "| {} | {} | {:.3} | {:.0} % | {:.0} % |",
            field.name,
            field.stated.len(),
            field.error(),
            field.coverage(0.99) * 100.0,
            field.coverage(0.995) * 100.0
        );
    }
    out
}

fn causes_table(causes: &Causes) -> String {
    let mut out = String::from("| field | cause | receipts |\n|---|---|---|\n");
    for ((key, cause), n) in causes {
        let _ = writeln!(out, "| {key} | {cause} | {n} |");
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

/// Fields drawn, with their colours.
const DRAWN: [(&str, &str); 4] =
    [(JOINT, "#1b5e20"), ("total", "#1565c0"), ("issued_on", "#c62828"), ("merchant", "#6a1b9a")];
/// Side of the square the curves are in, and its margins, in SVG units.
const SIDE: f32 = 400.0;
const MARGIN: f32 = 50.0;

/// The reliability curve: stated probability across, share right upwards, one dot per bin with its interval.
pub fn svg(calibrations: &Calibrations) -> String {
    let whole = SIDE + 2.0 * MARGIN;
    let x = |p: f32| MARGIN + p * SIDE;
    let y = |p: f32| MARGIN + (1.0 - p) * SIDE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {whole}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <path d=\"M{} {}L{} {}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n",
        whole + 130.0,
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    );
    for tenth in 0..=5_u8 {
        let at = f32::from(tenth) / 5.0;
        let _ = writeln!(
            out,
            "<path d=\"M{0} {1}H{2}M{3} {4}V{5}\" stroke=\"#eee\"/><text x=\"{6}\" y=\"{1}\" text-anchor=\"end\">{at:.1}</text>\
             <text x=\"{3}\" y=\"{7}\" text-anchor=\"middle\">{at:.1}</text>",
            x(0.0),
            y(at),
            x(1.0),
            x(at),
            y(0.0),
            y(1.0),
            MARGIN - 6.0,
            MARGIN + SIDE + 18.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\">stated probability</text>\
         <text transform=\"translate(14 {0}) rotate(-90)\" text-anchor=\"middle\">share right</text>",
        whole / 2.0,
        whole - 8.0
    );
    let drawn =
        DRAWN.iter().filter_map(|(name, colour)| Some((calibrations.0.iter().find(|f| f.name == *name)?, colour)));
    for (at, (field, colour)) in drawn.enumerate() {
        let curve = field.curve();
        let points: Vec<String> = curve.iter().map(|b| format!("{:.1},{:.1}", x(b.stated), y(b.right))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        for Bin { stated, right, interval, n } in curve {
            let _ = writeln!(
                out,
                "<path d=\"M{0:.1} {1:.1}V{2:.1}\" stroke=\"{colour}\" opacity=\"0.35\"/>\
                 <circle cx=\"{0:.1}\" cy=\"{3:.1}\" r=\"3.5\" fill=\"{colour}\"><title>{4}: stated {stated:.3}, right {right:.3}, n {n}</title></circle>",
                x(stated),
                y(interval.0 as f32),
                y(interval.1 as f32),
                y(right),
                field.name
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{} (n {})</text>",
            MARGIN + SIDE + 12.0,
            MARGIN + 20.0 + at as f32 * 18.0,
            field.name,
            field.stated.len()
        );
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::{super::score::Outcome, *};
    use crate::domain::field::FieldKey;

    #[test]
    fn the_page_gives_counts_and_an_interval_beside_the_percentage_and_names_its_command() {
        let right = Outcome {
            total_and_date: Some(true),
            p_total_and_date: 0.95,
            stated: vec![(FieldKey::Total, 0.97, true)],
            ..Outcome::default()
        };
        let outcomes = [right.clone(), right];
        let mut causes = Causes::new();
        causes.insert((FieldKey::Total, "its characters were misread"), 3);
        let measured = Measured {
            reports: vec![SourceReport::new("till", &outcomes)],
            calibrations: Calibrations::new(&outcomes, &[]),
            causes,
            failures: Vec::new(),
        };
        let measurement = Measurement {
            on: "2026-11-23".to_owned(),
            engine: "an engine".to_owned(),
            most: Some(40),
            dirs: vec!["till".to_owned()],
            receipts: &measured,
            merchants: &measured,
        };
        let page = page(&measurement, "curve.svg");
        assert!(page.contains("| till | 2 | – | – | 100.0 % (2/2) [34–100] |"), "{page}");
        assert!(page.contains("--most 40") && page.contains("../shared/corpus/till"));
        assert!(page.contains("| total | its characters were misread | 3 |"));
        let picture = svg(&measured.calibrations);
        assert!(picture.contains("total and date (n 2)") && picture.ends_with("</svg>\n"));
    }
}
