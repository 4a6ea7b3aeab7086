//! The GELU between a block's two pointwise layers: `x` times the share of a normal distribution below `x`.
//!
//! `rten-vecmath` computes the error function to seven digits, with an exponential and a division for every value, and
//! takes longer. What follows is rounded in those blocks; blocks in floats use the library's.

use rten_simd::ops::{BitOps as _, NumOps as _};
use rten_simd::{Isa, SimdUnaryOp};

/// Beyond this the share is taken to be what it is here.
const FAR: f32 = 4.4;

/// The share below `x`, less a half and divided by `x`, as a polynomial of `x` squared: of degree 8, with the least
/// largest error of `x` times it up to [`FAR`] (iteratively reweighted least squares).
const SHARE: [f32; 9] = [
    0.398_761_84,
    -0.066_076_9,
    0.009_643_327,
    -0.001_055_084_4,
    8.430_85e-5,
    -4.726_376_6e-6,
    1.741_693_6e-7,
    -3.756_586_6e-9,
    3.572_576_6e-11,
];

/// GELU to 1e-4.
pub struct Gelu;

impl SimdUnaryOp<f32> for Gelu {
    #[expect(clippy::inline_always, reason = "it takes the vector registers of the function it is inlined into")]
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
        let ops = isa.f32();
        let near = ops.min(ops.max(x, ops.splat(-FAR)), ops.splat(FAR));
        let square = ops.mul(near, near);
        let mut share = ops.splat(SHARE[8]);
        for coefficient in SHARE[..8].iter().rev() {
            share = ops.mul_add(share, square, ops.splat(*coefficient));
        }
        ops.mul(x, ops.mul_add(near, share, ops.splat(0.5)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_function_of_the_reference_within_a_ten_thousandth() {
        let values: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 / 1000.0).collect();
        let mut here = values.clone();
        let mut there = values.clone();
        Gelu.map_mut(&mut here);
        rten_vecmath::Gelu {}.map_mut(&mut there);
        for ((x, here), there) in values.iter().zip(here).zip(there) {
            assert!((here - there).abs() < 1e-4, "{x}: {here} {there}");
        }
    }
}
