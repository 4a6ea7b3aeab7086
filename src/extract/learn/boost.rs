//! Boosted trees for choosing one proposal of several: every round fits a small tree to what the softmax got wrong.

use crate::extract::model::tree::Tree;

/// Distinct cuts tried per column.
const MAX_BINS: usize = 32;

/// Proposals of one field over many receipts, one row each.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One row per proposal, receipt by receipt, in the order of the columns.
    pub rows: Vec<Vec<f32>>,
    /// Whether the proposal is right.
    pub right: Vec<bool>,
    /// The receipts: which rows are theirs.
    pub queries: Vec<Query>,
}

/// One receipt's rows.
#[derive(Debug, Clone)]
pub struct Query {
    /// Its rows.
    pub rows: std::ops::Range<usize>,
    /// How much it counts.
    pub weight: f32,
}

/// How trees are grown.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Trees per ensemble.
    pub rounds: usize,
    /// Ensembles grown on different samples and averaged.
    pub bags: usize,
    /// Questions from root to leaf.
    pub depth: usize,
    /// Share of a tree's answer that is believed.
    pub rate: f32,
    /// Penalty on leaves.
    pub lambda: f32,
    /// A leaf needs this much evidence (sum of second derivatives).
    pub min_evidence: f32,
    /// Share of receipts each tree sees.
    pub receipts: f32,
    /// Share of columns each tree sees.
    pub columns: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rounds: 60, bags: 3, depth: 3, rate: 0.1, lambda: 3.0, min_evidence: 1.5, receipts: 0.7, columns: 0.6 }
    }
}

/// Deterministic chance (SplitMix64), so that the same data gives the same model.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
    }
}

/// Values sorted into bins: only what is not in the column's usual bin is kept.
struct Binned {
    /// Cuts between the bins of each column.
    cuts: Vec<Vec<f32>>,
    /// The bin that value 0 falls into.
    usual: Vec<usize>,
    /// First bin number of each column in a flat histogram.
    offset: Vec<usize>,
    /// Unusual (column, bin) pairs per row.
    cells: Vec<Vec<(u32, u32)>>,
}

impl Binned {
    fn new(table: &Table) -> Self {
        let columns = table.columns.len();
        let mut cuts = Vec::with_capacity(columns);
        for column in 0..columns {
            let mut values: Vec<f32> = table.rows.iter().map(|row| row[column]).collect();
            values.sort_by(f32::total_cmp);
            let whole = values.clone();
            values.dedup();
            let between = |a: f32, b: f32| f32::midpoint(a, b);
            let mut own: Vec<f32> = if values.len() <= MAX_BINS {
                values.windows(2).map(|w| between(w[0], w[1])).collect()
            } else {
                // Quantiles of what is not 0, and the edge of 0 itself.
                let busy: Vec<f32> = whole.iter().copied().filter(|v| *v != 0.0).collect();
                (1..MAX_BINS).map(|k| busy[k * busy.len() / MAX_BINS]).collect()
            };
            own.dedup();
            cuts.push(own);
        }
        let bin_of = |cuts: &[f32], value: f32| cuts.partition_point(|cut| value >= *cut);
        let usual: Vec<usize> = cuts.iter().map(|c| bin_of(c, 0.0)).collect();
        let mut offset = vec![0];
        for own in &cuts {
            offset.push(offset[offset.len() - 1] + own.len() + 1);
        }
        let cells = table
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .enumerate()
                    .filter_map(|(column, value)| {
                        let bin = bin_of(&cuts[column], *value);
                        (bin != usual[column]).then_some((column as u32, bin as u32))
                    })
                    .collect()
            })
            .collect();
        Self { cuts, usual, offset, cells }
    }

    fn bin(&self, row: usize, column: usize) -> usize {
        self.cells[row].iter().find(|(c, _)| *c as usize == column).map_or(self.usual[column], |(_, bin)| *bin as usize)
    }
}

/// Grows trees onto `scores` (one per row, the linear part), with `none` as the score of "none of them".
/// The trees' answers are already scaled; a model adds them up.
pub fn grow(table: &Table, scores: &[f32], none: f32, settings: &Settings) -> Vec<Tree> {
    let binned = Binned::new(table);
    let mut trees = Vec::new();
    for bag in 0..settings.bags {
        let mut dice = Dice(0x5EED_0000 + bag as u64);
        let mut current = scores.to_vec();
        for _ in 0..settings.rounds {
            let mut slopes = slopes(table, &current, none);
            for query in &table.queries {
                if dice.next() >= settings.receipts {
                    slopes[query.rows.clone()].fill((0.0, 0.0));
                }
            }
            let allowed: Vec<bool> = table.columns.iter().map(|_| dice.next() < settings.columns).collect();
            let mut tree = grow_one(&binned, &slopes, &allowed, settings);
            for value in tree.column.iter().zip(&mut tree.value).filter(|(c, _)| **c < 0).map(|(_, v)| v) {
                *value *= settings.rate;
            }
            for (score, row) in current.iter_mut().zip(&table.rows) {
                *score += tree.score(row);
            }
            for value in tree.column.iter().zip(&mut tree.value).filter(|(c, _)| **c < 0).map(|(_, v)| v) {
                *value /= settings.bags as f32;
            }
            trees.push(tree);
        }
    }
    trees
}

/// First and second derivative of the loss for every row: probability minus how far it is the right answer.
pub fn slopes(table: &Table, scores: &[f32], none: f32) -> Vec<(f32, f32)> {
    let mut out = vec![(0.0, 0.0); scores.len()];
    for query in &table.queries {
        let own = query.rows.clone();
        let top = scores[own.clone()].iter().copied().fold(none, f32::max);
        let whole = own.clone().map(|i| (scores[i] - top).exp()).sum::<f32>() + (none - top).exp();
        let right: f32 = own.clone().filter(|i| table.right[*i]).map(|i| (scores[i] - top).exp()).sum();
        for i in own {
            let power = (scores[i] - top).exp();
            let p = power / whole;
            let wanted = if table.right[i] && right > 0.0 { power / right } else { 0.0 };
            out[i] = (query.weight * (p - wanted), query.weight * (p * (1.0 - p)).max(1e-4));
        }
    }
    out
}

fn grow_one(binned: &Binned, slopes: &[(f32, f32)], allowed: &[bool], settings: &Settings) -> Tree {
    let mut tree = Tree::leaf(0.0);
    // (node, rows): what is still to be split.
    let all: Vec<usize> = (0..slopes.len()).filter(|i| slopes[*i].1 > 0.0).collect();
    let mut open = vec![(0_usize, all)];
    for depth in 0..=settings.depth {
        let mut next = Vec::new();
        for (node, rows) in open {
            let (slope, evidence) = rows.iter().fold((0.0, 0.0), |s, i| (s.0 + slopes[*i].0, s.1 + slopes[*i].1));
            tree.value[node] = -slope / (evidence + settings.lambda);
            if depth == settings.depth {
                continue;
            }
            let Some((column, bin)) = best_cut(binned, slopes, &rows, (slope, evidence), allowed, settings) else {
                continue;
            };
            let first = tree.split(node, column, binned.cuts[column][bin]);
            let (below, above) = rows.into_iter().partition(|row| binned.bin(*row, column) <= bin);
            next.push((first, below));
            next.push((first + 1, above));
        }
        open = next;
    }
    tree
}

/// The cut that explains most: its column and the last bin below it.
fn best_cut(
    binned: &Binned,
    slopes: &[(f32, f32)],
    rows: &[usize],
    (slope, evidence): (f32, f32),
    allowed: &[bool],
    settings: &Settings,
) -> Option<(usize, usize)> {
    let mut histogram = vec![(0.0_f32, 0.0_f32); binned.offset[binned.offset.len() - 1]];
    for row in rows {
        let (g, h) = slopes[*row];
        for (column, bin) in &binned.cells[*row] {
            let slot = &mut histogram[binned.offset[*column as usize] + *bin as usize];
            slot.0 += g;
            slot.1 += h;
        }
    }
    let worth = |g: f32, h: f32| g * g / (h + settings.lambda);
    let mut best: Option<(f32, usize, usize)> = None;
    for column in (0..allowed.len()).filter(|c| allowed[*c]) {
        let own = &mut histogram[binned.offset[column]..binned.offset[column + 1]];
        let unusual = own.iter().fold((0.0, 0.0), |s, v| (s.0 + v.0, s.1 + v.1));
        own[binned.usual[column]] = (slope - unusual.0, evidence - unusual.1);
        let (mut g, mut h) = (0.0, 0.0);
        for (bin, slot) in own.iter().enumerate().take(own.len() - 1) {
            g += slot.0;
            h += slot.1;
            if h < settings.min_evidence || evidence - h < settings.min_evidence {
                continue;
            }
            let gain = worth(g, h) + worth(slope - g, evidence - h) - worth(slope, evidence);
            if gain > 1e-3 && best.is_none_or(|(most, ..)| gain > most) {
                best = Some((gain, column, bin));
            }
        }
    }
    best.map(|(_, column, bin)| (column, bin))
}
