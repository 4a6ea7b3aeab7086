//! The linear part: conditional logit by gradient descent with momentum, and plain logistic regression.

use super::boost::{Table, slopes};

/// Steps of descent; the loss moves in the fifth digit by then.
const STEPS: usize = 300;
/// Iterations of Newton's method for few weights.
const NEWTON_STEPS: usize = 25;

/// Weights per column and the score of "none", by maximum likelihood with an L2 penalty.
pub fn fit(table: &Table, penalty: f32) -> (Vec<f32>, f32) {
    let columns = table.columns.len();
    let mut weights = vec![0.0_f32; columns];
    let mut none = 0.0_f32;
    // RMS-scaled steps (Adam): columns differ a thousandfold in how often they are set.
    let (mut first, mut second) = (vec![0.0_f32; columns + 1], vec![0.0_f32; columns + 1]);
    let sparse: Vec<Vec<(usize, f32)>> = table
        .rows
        .iter()
        .map(|row| row.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(c, v)| (c, *v)).collect())
        .collect();
    let scores = |weights: &[f32]| -> Vec<f32> {
        sparse.iter().map(|row| row.iter().map(|(c, v)| weights[*c] * v).sum()).collect()
    };
    for step in 1..=STEPS {
        let current = scores(&weights);
        let mut gradient = vec![0.0_f32; columns + 1];
        for (row, (slope, _)) in sparse.iter().zip(slopes(table, &current, none)) {
            for (column, value) in row {
                gradient[*column] += slope * value;
            }
        }
        gradient[columns] = none_slope(table, &current, none);
        for (g, w) in gradient.iter_mut().zip(&weights) {
            *g += penalty * w;
        }
        let rate = 0.1 * (1.0 - step as f32 / (STEPS + 1) as f32) + 0.002;
        let warm = |decay: f32| 1.0 - decay.powi(i32::try_from(step).unwrap_or(i32::MAX));
        for (at, g) in gradient.iter().enumerate() {
            first[at] = 0.9 * first[at] + 0.1 * g;
            second[at] = 0.99 * second[at] + 0.01 * g * g;
            let move_by = rate * (first[at] / warm(0.9)) / ((second[at] / warm(0.99)).sqrt() + 1e-6);
            match weights.get_mut(at) {
                Some(weight) => *weight -= move_by,
                None => none -= move_by,
            }
        }
    }
    (weights, none)
}

fn none_slope(table: &Table, scores: &[f32], none: f32) -> f32 {
    table
        .queries
        .iter()
        .map(|query| {
            let own = query.rows.clone();
            let top = scores[own.clone()].iter().copied().fold(none, f32::max);
            let whole = own.clone().map(|i| (scores[i] - top).exp()).sum::<f32>() + (none - top).exp();
            let wanted = if table.right[own].contains(&true) { 0.0 } else { 1.0 };
            query.weight * ((none - top).exp() / whole - wanted)
        })
        .sum()
}

/// Logistic regression: rows of a few numbers and whether they were right; gives the base and a weight per column.
pub fn logistic(rows: &[Vec<f32>], right: &[bool], penalty: f32) -> (f32, Vec<f32>) {
    let columns = rows.first().map_or(0, Vec::len);
    let n = columns + 1;
    let mut weights = vec![0.0_f64; n];
    for _ in 0..NEWTON_STEPS {
        let mut gradient = vec![0.0_f64; n];
        let mut hessian = vec![vec![0.0_f64; n]; n];
        for (row, right) in rows.iter().zip(right) {
            let x: Vec<f64> = std::iter::once(1.0).chain(row.iter().map(|v| f64::from(*v))).collect();
            let z: f64 = x.iter().zip(&weights).map(|(a, b)| a * b).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            let error = p - f64::from(u8::from(*right));
            for i in 0..n {
                gradient[i] += error * x[i];
                for j in 0..n {
                    hessian[i][j] += (p * (1.0 - p)).max(1e-6) * x[i] * x[j];
                }
            }
        }
        for i in 0..n {
            let own = if i == 0 { 1e-3 } else { f64::from(penalty) };
            gradient[i] += own * weights[i];
            hessian[i][i] += own;
        }
        let step = solve(hessian, gradient);
        for (weight, step) in weights.iter_mut().zip(step) {
            *weight -= step.clamp(-2.0, 2.0);
        }
    }
    (weights[0] as f32, weights[1..].iter().map(|w| *w as f32).collect())
}

/// Solves a small symmetric positive system by elimination.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for i in 0..n {
        let pivot = if a[i][i].abs() < 1e-12 { 1e-12 } else { a[i][i] };
        for row in i + 1..n {
            let factor = a[row][i] / pivot;
            let (head, tail) = a.split_at_mut(row);
            for (to, from) in tail[0].iter_mut().zip(&head[i]).skip(i) {
                *to -= factor * from;
            }
            b[row] -= factor * b[i];
        }
        a[i][i] = pivot;
    }
    for i in (0..n).rev() {
        let rest: f64 = (i + 1..n).map(|j| a[i][j] * b[j]).sum();
        b[i] = (b[i] - rest) / a[i][i];
    }
    b
}
