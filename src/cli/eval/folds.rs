//! Which receipts must not be divided between training and test, and how the rest is dealt out.

use std::collections::BTreeMap;

use super::labels::Label;
use crate::extract::fold::{fold_name, similarity};

/// Names this similar are taken for one merchant: a branch, a misprint.
const SAME_MERCHANT: f32 = 0.8;
/// A name of at least so many characters inside another is the same merchant (`coop`, `coop city`).
const MIN_PART: usize = 4;

/// What train and test differ by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// No receipt is in both; its merchant may be.
    Receipts,
    /// No merchant is in both.
    Merchants,
}

/// The fold of every label, 0 to `folds` − 1: what belongs together shares one, and folds are about equally large.
///
/// `labels` with their source; the same paper labelled twice (same merchant, date and total) belongs together.
pub fn deal(labels: &[(&str, &Label)], apart: Apart, folds: usize) -> Vec<usize> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let merchants = merchant_groups(labels);
    for (at, (source, label)) in labels.iter().enumerate() {
        let own = match (&merchants[at], apart) {
            (Some(group), Apart::Merchants) => format!("merchant {group:05}"),
            (Some(group), Apart::Receipts) if label.total.is_some() && label.date.is_some() => {
                format!("paper {group:05} {:?} {:?}", label.date, label.total)
            }
            // Crops of one photo stand together.
            _ => format!("file {source} {}", label.name().split("_cropped").next().unwrap_or_default()),
        };
        groups.entry(own).or_default().push(at);
    }
    let mut ordered: Vec<(&String, &Vec<usize>)> = groups.iter().collect();
    ordered.sort_by_key(|(name, members)| (std::cmp::Reverse(members.len()), hash(name)));
    let mut sizes = vec![0_usize; folds.max(1)];
    let mut out = vec![0; labels.len()];
    for (_, members) in ordered {
        let smallest = (0..sizes.len()).min_by_key(|f| sizes[*f]).unwrap_or(0);
        sizes[smallest] += members.len();
        for at in members {
            out[*at] = smallest;
        }
    }
    out
}

/// A group number for every label with a merchant; names that look like one merchant share theirs.
fn merchant_groups(labels: &[(&str, &Label)]) -> Vec<Option<usize>> {
    let mut names: Vec<String> =
        labels.iter().filter_map(|(_, l)| l.merchant.as_deref().map(fold_name)).filter(|n| !n.is_empty()).collect();
    names.sort();
    names.dedup();
    let mut group: Vec<usize> = (0..names.len()).collect();
    for a in 0..names.len() {
        for b in a + 1..names.len() {
            let part = |x: &str, y: &str| x.chars().count() >= MIN_PART && y.contains(x);
            let (x, y) = (names[a].as_str(), names[b].as_str());
            if group[a] != group[b] && (part(x, y) || part(y, x) || similarity(x, y) >= SAME_MERCHANT) {
                let (from, to) = (group[b].max(group[a]), group[b].min(group[a]));
                group.iter_mut().filter(|g| **g == from).for_each(|g| *g = to);
            }
        }
    }
    labels
        .iter()
        .map(|(_, l)| {
            let name = fold_name(l.merchant.as_deref()?);
            names.binary_search(&name).ok().map(|at| group[at])
        })
        .collect()
}

/// FNV-1a: an order that has nothing to do with the files' names.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_a_merchant_and_copies_of_a_paper_stay_in_one_fold() {
        let label = |file: &str, merchant: &str, total: &str| Label {
            file: Some(file.to_owned()),
            merchant: Some(merchant.to_owned()),
            total: total.parse().ok(),
            date: Some(jiff::civil::date(2024, 5, 6)),
            ..Label::default()
        };
        let mut all: Vec<Label> =
            (0..40).map(|i| label(&format!("{i}"), &format!("{i}{i}{i}{i}{i}{i}"), "5.00")).collect();
        all.push(label("a", "Nordtor", "1.00"));
        all.push(label("b", "Nordtor GmbH Kiel", "2.00"));
        all.push(label("c", "Nordtor", "1.00"));
        let labels: Vec<(&str, &Label)> = all.iter().map(|l| ("till", l)).collect();
        let merchants = deal(&labels, Apart::Merchants, 5);
        assert_eq!((merchants[40], merchants[40]), (merchants[41], merchants[42]));
        let receipts = deal(&labels, Apart::Receipts, 5);
        assert_eq!(receipts[40], receipts[42], "the same paper twice");
        for fold in 0..5 {
            let size = merchants.iter().filter(|f| **f == fold).count();
            assert!((6..=11).contains(&size), "fold {fold} has {size}");
        }
    }
}
