//! How many printed lines are read right: against transcripts whose boxes say what they are (`Prod_item_value` …).

use std::path::Path;

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::{
    domain::{
        breakdown::{ItemKind, LineItem},
        page::{Line, Page, Quad, TextSource, Word},
    },
    extract::{fold, numbers},
};

/// Size of a transcript that is still read.
const MAX_BYTES: u64 = 16 << 20;
/// Names this alike are the same: a wrong letter in five is the transcript's or the reader's.
const SAME_NAME: f32 = 0.8;

/// A box of a transcript with what it stands for.
#[derive(Debug, Clone, Deserialize)]
pub struct Labelled {
    /// The text; empty boxes are left out.
    pub text: String,
    /// `Prod_item_value`, `Prod_price_value`, `Prod_quantity_value`, `Others` …
    #[serde(default)]
    pub label: String,
    #[serde(rename = "box")]
    corners: Vec<f32>,
}

impl Labelled {
    fn quad(&self) -> Option<Quad> {
        let (xs, ys): (Vec<f32>, Vec<f32>) = self.corners.chunks_exact(2).map(|c| (c[0], c[1])).unzip();
        let least = |v: &[f32]| v.iter().copied().fold(f32::INFINITY, f32::min);
        let most = |v: &[f32]| v.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        (xs.len() == 4).then(|| Quad::from_edges(least(&xs), least(&ys), most(&xs), most(&ys)))
    }
}

/// A line as a person labelled it.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Its name.
    pub name: String,
    /// Its amount.
    pub amount: Decimal,
    /// How many, where printed on the same row.
    pub quantity: Option<Decimal>,
}

/// Reads a transcript of labelled boxes; `None` when there is none.
pub fn read(path: &Path) -> Option<Vec<Labelled>> {
    let size = std::fs::metadata(path).ok()?.len();
    (size <= MAX_BYTES).then(|| serde_json::from_slice(&std::fs::read(path).ok()?).ok()).flatten()
}

/// The page a perfect reader would see.
pub fn page(boxes: &[Labelled]) -> Page {
    let lines: Vec<Line> = boxes
        .iter()
        .filter(|b| !b.text.trim().is_empty())
        .filter_map(|b| {
            let word = Word { text: b.text.trim().to_owned(), quad: b.quad()?, score: 1.0, char_scores: Vec::new() };
            Line::from_words(vec![word])
        })
        .collect();
    let edge = |value: fn(&Quad) -> f32| lines.iter().map(|l| value(&l.quad)).fold(1.0, f32::max) as u32;
    let (width, height) = (edge(Quad::right), edge(Quad::bottom));
    Page { index: 0, width, height, lines, source: TextSource::Recognition }
}

/// The labelled lines: every price with the names and counts standing beside it.
pub fn truth(boxes: &[Labelled]) -> Vec<Truth> {
    let of = |label: &str| -> Vec<(Quad, &str)> {
        boxes
            .iter()
            .filter(|b| b.label == label && !b.text.is_empty())
            .filter_map(|b| Some((b.quad()?, b.text.as_str())))
            .collect()
    };
    let (names, prices, counts) = (of("Prod_item_value"), of("Prod_price_value"), of("Prod_quantity_value"));
    let beside =
        |a: &Quad, b: &Quad| (a.centre()[1] - b.centre()[1]).abs() < 0.6 * a.text_height().min(b.text_height());
    let nearest = |to: &Quad, all: &[(Quad, &str)]| {
        all.iter().filter(|(q, _)| beside(to, q)).map(|(q, _)| *q).min_by(|a, b| {
            let off = |q: &Quad| (q.centre()[1] - to.centre()[1]).abs();
            off(a).total_cmp(&off(b))
        })
    };
    let mut out = Vec::new();
    for (quad, text) in &prices {
        // Two prices on a row: the right one is the amount.
        if prices.iter().any(|(other, _)| beside(quad, other) && other.left() > quad.right()) {
            continue;
        }
        let Some(amount) = numbers::find(text).into_iter().find(|a| !a.percent).map(|a| a.value) else { continue };
        let Some(first) = nearest(quad, &names) else { continue };
        let mut parts: Vec<&(Quad, &str)> = names.iter().filter(|(q, _)| beside(&first, q)).collect();
        parts.sort_by(|a, b| a.0.left().total_cmp(&b.0.left()));
        let name = parts.iter().map(|(_, t)| *t).collect::<Vec<_>>().join(" ");
        let quantity = nearest(quad, &counts)
            .and_then(|q| counts.iter().find(|(other, _)| *other == q))
            .and_then(|(_, t)| numbers::find(t).into_iter().next())
            .map(|a| a.value.normalize());
        out.push(Truth { name, amount, quantity });
    }
    out
}

/// Counts of one or many receipts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ItemScore {
    /// Receipts with labelled lines.
    pub receipts: u32,
    /// Receipts of which every labelled line was read and nothing else.
    pub whole: u32,
    /// Labelled lines.
    pub lines: u32,
    /// Lines read.
    pub read: u32,
    /// Lines whose amount and name are both right.
    pub right: u32,
    /// Lines whose amount is right.
    pub amounts: u32,
    /// Right lines with a labelled quantity, and those of them whose quantity was read right.
    pub counted: (u32, u32),
    /// Stated probability and whether the line is right, for calibration.
    pub stated: Vec<(f32, bool)>,
}

impl ItemScore {
    /// Compares one receipt.
    pub fn add(&mut self, truth: &[Truth], read: &[LineItem]) {
        if truth.is_empty() {
            return;
        }
        let mut left: Vec<&Truth> = truth.iter().collect();
        let articles: Vec<&LineItem> = read.iter().filter(|i| i.kind == ItemKind::Article).collect();
        let before = self.right;
        for item in &articles {
            let same_amount = |t: &&Truth| t.amount == item.amount;
            let same = left.iter().position(|t| same_amount(t) && same_name(&t.name, &item.name));
            self.stated.push((item.p, same.is_some()));
            if let Some(at) = same {
                let found = left.remove(at);
                self.right += 1;
                self.amounts += 1;
                if let Some(quantity) = found.quantity {
                    self.counted.0 += 1;
                    // One of something need not be said.
                    self.counted.1 += u32::from(item.quantity.unwrap_or(Decimal::ONE) == quantity);
                }
            } else if left.iter().any(same_amount) {
                self.amounts += 1;
            }
        }
        self.receipts += 1;
        self.lines += truth.len() as u32;
        self.read += articles.len() as u32;
        self.whole += u32::from(self.right - before == truth.len() as u32 && articles.len() == truth.len());
    }

    /// Expected calibration error over ten bins of the stated probability.
    pub fn calibration_error(&self) -> f32 {
        let mut bins = [(0_u32, 0.0_f32); 10];
        for (p, right) in &self.stated {
            let bin = &mut bins[((p * 10.0) as usize).min(9)];
            *bin = (bin.0 + 1, bin.1 + p - f32::from(u8::from(*right)));
        }
        bins.iter().map(|(_, off)| off.abs()).sum::<f32>() / self.stated.len().max(1) as f32
    }
}

fn same_name(truth: &str, read: &str) -> bool {
    let (a, b) = (fold::fold_name(truth), fold::fold_name(read));
    a == b
        || fold::similarity(&a, &b) >= SAME_NAME
        || (a.len() >= 4 && b.contains(&a))
        || (b.len() >= 4 && a.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(text: &str, label: &str, left: f32, top: f32) -> Labelled {
        let right = left + 50.0;
        let corners = vec![left, top + 20.0, right, top + 20.0, right, top, left, top];
        Labelled { text: text.to_owned(), label: label.to_owned(), corners }
    }

    #[test]
    fn prices_meet_the_names_and_counts_beside_them() {
        let boxes = [
            labelled("2", "Prod_quantity_value", 0.0, 0.0),
            labelled("GREEN", "Prod_item_value", 60.0, 0.0),
            labelled("TEA", "Prod_item_value", 120.0, 3.0),
            labelled("3.50", "Prod_price_value", 180.0, 2.0),
            labelled("7.00", "Prod_price_value", 300.0, 2.0),
            labelled("TOTAL", "Total_key", 0.0, 40.0),
        ];
        let truth = truth(&boxes);
        let expected =
            Truth { name: "GREEN TEA".to_owned(), amount: Decimal::new(700, 2), quantity: Some(Decimal::TWO) };
        assert_eq!(truth, [expected]);
        assert_eq!(page(&boxes).lines.len(), 6);
    }
}
