//! A regression tree over a row of features.

use serde::{Deserialize, Serialize};

/// Nodes of one tree that are believed when a model is loaded; a tree of depth 6 has 127.
const MAX_NODES: usize = 1023;

/// A binary tree, its nodes in three parallel lists; node 0 is the root.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Column asked about, -1 for a leaf.
    pub column: Vec<i32>,
    /// The cut of a question (`value < cut` goes to the first child) or the score of a leaf.
    pub value: Vec<f32>,
    /// First child of a question; the second stands right after it. 0 for a leaf.
    pub child: Vec<u32>,
}

impl Tree {
    /// A tree of one leaf.
    pub fn leaf(value: f32) -> Self {
        Self { column: vec![-1], value: vec![value], child: vec![0] }
    }

    /// Turns leaf `node` into the question `column < cut`; gives the number of the first of its two new leaves.
    pub fn split(&mut self, node: usize, column: usize, cut: f32) -> usize {
        let first = self.column.len();
        self.column[node] = column as i32;
        self.value[node] = cut;
        self.child[node] = first as u32;
        for _ in 0..2 {
            self.column.push(-1);
            self.value.push(0.0);
            self.child.push(0);
        }
        first
    }

    /// The leaf's score for a row; columns beyond the row count as 0.
    pub fn score(&self, row: &[f32]) -> f32 {
        let mut at = 0_usize;
        // Children come after their parents, so this ends.
        while let (Some(column), Some(value), Some(child)) =
            (self.column.get(at), self.value.get(at), self.child.get(at))
        {
            let Ok(column) = usize::try_from(*column) else { return *value };
            let goes_on = row.get(column).copied().unwrap_or(0.0) >= *value;
            at = *child as usize + usize::from(goes_on);
        }
        0.0
    }

    /// Whether the lists fit together, every path ends and every number is finite: what a file must prove before use.
    pub fn is_sound(&self, columns: usize) -> bool {
        let n = self.column.len();
        let nodes = self.column.iter().zip(&self.value).zip(&self.child);
        n > 0
            && n <= MAX_NODES
            && self.value.len() == n
            && self.child.len() == n
            && nodes.enumerate().all(|(at, ((column, value), child))| {
                let asks = usize::try_from(*column).is_ok();
                let known = usize::try_from(*column).is_ok_and(|c| c < columns);
                let child = *child as usize;
                value.is_finite() && (!asks || (known && child > at && child + 1 < n))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_answers_by_its_cuts_and_an_unsound_one_is_told() {
        let mut tree = Tree::leaf(0.0);
        let first = tree.split(0, 1, 0.5);
        tree.value[first] = -1.0;
        tree.value[first + 1] = 2.0;
        assert!((tree.score(&[9.0, 0.4]) + 1.0).abs() < 1e-6);
        assert!((tree.score(&[0.0, 0.5]) - 2.0).abs() < 1e-6);
        assert!((tree.score(&[]) + 1.0).abs() < 1e-6);
        assert!(tree.is_sound(2));
        assert!(!tree.is_sound(1), "a column the model does not have");
        tree.child[0] = 0;
        assert!(!tree.is_sound(2), "a circle");
        assert!(!Tree::default().is_sound(2));
    }
}
