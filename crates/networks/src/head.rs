//! The last layer of the recognition network: which character every step of a line shows. It has thousands of outputs
//! of which one a step is wanted, so steps are mixed a few at a time and the rest is not kept.
//!
//! Rounded outputs only say which classes may be the one; those are computed again in floats. A space and no space are
//! often so close that rounding would decide between them.

use rten_simd::SimdOp as _;
use rten_vecmath::Softmax;

use super::backbone::Constants;
use super::best::{Best, best};
use super::pixels::Pixels;
use super::pointwise::{Pointwise, Precision, Scratch};
use crate::{NetworkError, failed};

/// Steps mixed at a time: their outputs stay in the second-level cache.
const STEPS: usize = 24;
/// Outputs this far below the largest in eight bits are not computed again: e^3 times less probable, and several times
/// what rounding moves them.
const MARGIN: f32 = 3.0;
/// Most classes of one step that are computed again; more are that close only where nothing can be read.
const MOST_AGAIN: usize = 64;

/// The loaded layer.
pub struct Head {
    mix: Pointwise,
    /// For every class its weights, where `mix` rounds them.
    whole: Option<Vec<f32>>,
    bias: Vec<f32>,
}

impl Head {
    /// Name of the value the layer starts from: pictures, channels, steps.
    pub const FROM: &'static str = "p2o.pd_op.squeeze.0.0";

    /// Builds it from weights looked up by name; `None` when one is missing or has another size than it should.
    pub fn load(constants: &Constants<'_>, precision: Precision) -> Option<Self> {
        Self::new(&constants.0("linear_8.w_0")?, constants.0("linear_8.b_0")?, precision)
    }

    /// From weights with a row for every input.
    fn new(weights: &[f32], bias: Vec<f32>, precision: Precision) -> Option<Self> {
        let classes = bias.len();
        let by_class: Vec<f32> =
            (0..classes).flat_map(|class| weights.iter().skip(class).step_by(classes).copied()).collect();
        let mix = Pointwise::new(&by_class, bias.clone(), precision)?;
        let whole = (precision != Precision::Floats).then_some(by_class);
        Some(Self { mix, whole, bias })
    }

    /// Classes it tells apart.
    pub fn classes(&self) -> usize {
        self.mix.outputs()
    }

    /// The most probable class of every step; `planes` are `count` pictures of `steps` values for every channel.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when there are other channels than the layer takes.
    pub fn run(
        &self,
        [count, channels, steps]: [usize; 3],
        planes: &[f32],
        scratch: &mut Scratch,
    ) -> Result<Vec<Best>, NetworkError> {
        let (inputs, classes) = (self.mix.inputs(), self.classes());
        if channels != inputs {
            return Err(failed("the recognition network's head was handed other channels than it takes"));
        }
        let steps = Pixels::from_planes([count, channels, 1, steps], planes).values;
        let mut found = Vec::with_capacity(steps.len() / inputs);
        self.mix.mix_some(&steps, STEPS, scratch, |steps, values| {
            for (step, values) in steps.chunks_exact(inputs).zip(values.chunks_exact_mut(classes)) {
                let Best { class, .. } = match &self.whole {
                    Some(whole) => self.settle(whole, step, values),
                    None => best(values),
                };
                let score = Softmax::new_mut(values).dispatch().get(class).copied().unwrap_or(0.0);
                found.push(Best { class, score });
            }
        })?;
        Ok(found)
    }

    /// Computes the largest outputs of a step again and finds the largest of them.
    fn settle(&self, whole: &[f32], step: &[f32], values: &mut [f32]) -> Best {
        /// Values compared side by side; nearly all of them are too small.
        const LANES: usize = 16;
        let rounded = best(values);
        let least = rounded.score - MARGIN;
        let mut settled: Option<Best> = None;
        let mut again = 0;
        for (index, lanes) in values.chunks_mut(LANES).enumerate() {
            if lanes.iter().fold(f32::NEG_INFINITY, |most, value| if *value > most { *value } else { most }) < least {
                continue;
            }
            for (lane, value) in lanes.iter_mut().enumerate().filter(|(_, value)| **value >= least) {
                if again == MOST_AGAIN {
                    break;
                }
                again += 1;
                let class = index * LANES + lane;
                let weights = &whole[class * step.len()..][..step.len()];
                *value = weights.iter().zip(step).map(|(weight, value)| weight * value).sum::<f32>() + self.bias[class];
                if settled.is_none_or(|settled| *value > settled.score) {
                    settled = Some(Best { class, score: *value });
                }
            }
        }
        settled.unwrap_or(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights whose products lie so close that eight bits do not tell them apart.
    fn head(precision: Precision) -> Head {
        let (inputs, classes) = (40, 700);
        let weights: Vec<f32> = (0..inputs * classes).map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
        let bias = (0..classes).map(|class| if class >= 690 { 4.0 } else { 0.0 }).collect();
        Head::new(&weights, bias, precision).unwrap()
    }

    #[test]
    fn rounding_decides_nothing() {
        let steps = 300;
        let planes: Vec<f32> = (0..2 * 40 * steps).map(|i| ((i * 104_729) % 1013) as f32 / 506.5 - 1.0).collect();
        let run = |precision| head(precision).run([2, 40, steps], &planes, &mut Scratch::default()).unwrap();
        let floats = run(Precision::Floats);
        assert_eq!(floats.len(), 2 * steps);
        for precision in [Precision::Bytes, Precision::Shorts].into_iter().filter(|precision| precision.is_there()) {
            for (float, rounded) in floats.iter().zip(run(precision)) {
                assert_eq!(float.class, rounded.class, "{precision:?}");
                assert!((float.score - rounded.score).abs() < 0.02, "{precision:?} {float:?} {rounded:?}");
            }
        }
    }

    #[test]
    fn other_channels_are_refused() {
        let error = head(Precision::Floats).run([1, 39, 2], &[0.0; 78], &mut Scratch::default()).unwrap_err();
        assert!(error.to_string().contains("channels"), "{error}");
    }
}
