//! Millimetres and matrices of OFD: points in page millimetres, origin top left.

#![expect(clippy::many_single_char_names, reason = "the six numbers of a matrix are called a to f in the standard")]

use crate::domain::page::{Point, Quad};

/// `[a b c d e f]`: x' = a·x + c·y + e, y' = b·x + d·y + f.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix(pub [f32; 6]);

impl Matrix {
    /// Nothing changes.
    pub const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// A shift.
    pub const fn shift(x: f32, y: f32) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// Only the turning and stretching.
    pub const fn without_shift(&self) -> Self {
        let [a, b, c, d, ..] = self.0;
        Self([a, b, c, d, 0.0, 0.0])
    }

    /// First `inner`, then this.
    pub fn after(&self, inner: &Self) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let [p, q, r, s, t, u] = inner.0;
        Self([a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f])
    }

    /// A point moved.
    pub fn apply(&self, [x, y]: Point) -> Point {
        let [a, b, c, d, e, f] = self.0;
        [a * x + c * y + e, b * x + d * y + f]
    }

    /// A rectangle moved: its four corners.
    pub fn quad(&self, left: f32, top: f32, right: f32, bottom: f32) -> Quad {
        Quad([[left, top], [right, top], [right, bottom], [left, bottom]].map(|corner| self.apply(corner)))
    }

    /// How much larger things become, on average.
    pub fn scale(&self) -> f32 {
        let [a, b, c, d, ..] = self.0;
        (a * d - b * c).abs().sqrt()
    }

    /// What undoes this; `None` when it flattens.
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.0;
        let determinant = a * d - b * c;
        if !determinant.is_finite() || determinant.abs() < 1e-9 {
            return None;
        }
        let [p, q, r, s] = [d / determinant, -b / determinant, -c / determinant, a / determinant];
        Some(Self([p, q, r, s, -(p * e + r * f), -(q * e + s * f)]))
    }
}

/// Up to `N` numbers of a text such as `0 0 210 140`; `None` unless there are `N` finite ones.
pub fn numbers<const N: usize>(text: &str) -> Option<[f32; N]> {
    let mut out = [0.0; N];
    let mut parts = text.split_whitespace();
    for slot in &mut out {
        *slot = parts.next()?.parse().ok().filter(|n: &f32| n.is_finite())?;
    }
    Some(out)
}

/// The steps of `DeltaX`/`DeltaY`: numbers, and `g n v` for n times v; at most `most`.
pub fn steps(text: &str, most: usize) -> Vec<f32> {
    let mut out = Vec::new();
    let mut parts = text.split_whitespace();
    while let Some(part) = parts.next() {
        if out.len() >= most {
            break;
        }
        if part == "g" {
            let count = parts.next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
            let Some(value) = parts.next().and_then(|v| v.parse::<f32>().ok()) else { break };
            out.extend(std::iter::repeat_n(value, count.min(most - out.len())));
        } else if let Ok(value) = part.parse::<f32>() {
            out.push(value);
        }
    }
    out.retain(|step| step.is_finite());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn groups_of_steps_are_spelt_out_within_their_bound() {
        assert_eq!(steps("g 3 1.5 2 g 2 1", 100), [1.5, 1.5, 1.5, 2.0, 1.0, 1.0]);
        assert_eq!(steps("g 4000000000 1", 5).len(), 5);
        assert_eq!(steps("g x", 5), Vec::<f32>::new());
        assert_eq!(steps("NaN inf 1", 5), [1.0]);
    }

    proptest! {
        #[test]
        fn a_matrix_and_its_inverse_lead_back(a in 0.1_f32..9.0, d in 0.1_f32..9.0, e in -99.0_f32..99.0, f in -99.0_f32..99.0) {
            let matrix = Matrix([a, 0.2, 0.1, d + 0.2, e, f]);
            let Some(inverse) = matrix.inverse() else { return Ok(()) };
            let [x, y] = inverse.apply(matrix.apply([3.0, 5.0]));
            prop_assert!((x - 3.0).abs() < 0.05 && (y - 5.0).abs() < 0.05);
        }
    }
}
