//! Layers that mix the channels of every pixel by itself (1 x 1 convolutions): most of what recognition computes. In
//! 32-bit floats, in eight bits ([`super::rounded`]) where the processor multiplies bytes, or in sixteen
//! ([`super::shorts`]) where it has AVX2.

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_tensor::NdTensorView;

use super::rooms::Rooms;
use super::rounded::{Rounded, RoundedScratch};
use super::shorts::{self, Shorts, ShortsScratch};
use crate::{NetworkError, failed};

/// How pointwise layers compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Bytes times bytes, summed in 32 bits.
    Bytes,
    /// 16-bit whole numbers, summed in 32 bits.
    Shorts,
    /// 32-bit floats.
    Floats,
}

impl Precision {
    /// What this processor does best for recognition: bytes only where their products are summed without overflow.
    pub fn best() -> Self {
        if has_fast_bytes() && Self::Bytes.is_there() { Self::Bytes } else { Self::nearly_exact() }
    }

    /// What this processor does best where hardly anything may be rounded. With AVX-512, floats are as fast as shorts.
    pub fn nearly_exact() -> Self {
        if !has_fast_bytes() && Self::Shorts.is_there() { Self::Shorts } else { Self::Floats }
    }

    /// Whether this processor can compute so: without AVX-512 VNNI the library's sums of bytes overflow on x86-64.
    pub fn is_there(self) -> bool {
        match self {
            Self::Bytes => !GemmExecutor::<u8, i8, i32>::new().may_saturate(),
            Self::Shorts => shorts::is_there(),
            Self::Floats => true,
        }
    }
}

/// Whether multiplying bytes has instructions of its own; the portable fallback is slower than floats.
#[cfg(target_arch = "x86_64")]
fn has_fast_bytes() -> bool {
    std::arch::is_x86_feature_detected!("avx512vnni")
}

#[cfg(target_arch = "aarch64")]
fn has_fast_bytes() -> bool {
    std::arch::is_aarch64_feature_detected!("dotprod")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const fn has_fast_bytes() -> bool {
    false
}

/// A layer from `inputs` to `outputs` channels.
pub struct Pointwise {
    inputs: usize,
    outputs: usize,
    weights: Weights,
    bias: Vec<f32>,
}

enum Weights {
    Bytes(Box<Rounded>),
    Shorts(Shorts),
    Floats(PackedBMatrix<f32>),
}

/// What is used again from tile to tile.
#[derive(Default)]
pub struct Scratch {
    /// Making one asks the processor what it can do, which virtual machines answer slowly.
    pub(crate) floats_by: GemmExecutor<f32>,
    pub(crate) rounded: RoundedScratch,
    pub(crate) shorts: ShortsScratch,
    /// For the values between layers.
    pub(crate) rooms: Rooms,
}

impl Pointwise {
    /// A layer from its weights, `outputs` rows of `inputs`, and its biases. `None` when their numbers do not agree or the
    /// processor cannot compute in that precision.
    pub fn new(weights: &[f32], bias: Vec<f32>, precision: Precision) -> Option<Self> {
        let outputs = bias.len();
        let inputs = weights.len().checked_div(outputs)?;
        if inputs == 0 || inputs * outputs != weights.len() || !precision.is_there() {
            return None;
        }
        let weights = match precision {
            Precision::Bytes => Weights::Bytes(Box::new(Rounded::new(weights, &bias))),
            Precision::Shorts => Weights::Shorts(Shorts::new(weights, &bias)?),
            Precision::Floats => Weights::Floats(packed_floats(weights, inputs, outputs, outputs)),
        };
        Some(Self { inputs, outputs, weights, bias })
    }

    /// Channels of a pixel before.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Channels of a pixel after.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Mixes `pixels` (any number, channel after channel of each) into `mixed`.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the lengths do not agree.
    pub fn mix(&self, pixels: &[f32], mixed: &mut [f32], scratch: &mut Scratch) -> Result<(), NetworkError> {
        let count = pixels.len() / self.inputs;
        if pixels.len() != count * self.inputs || mixed.len() != count * self.outputs {
            return Err(failed("a layer was handed pixels of another layer"));
        }
        match &self.weights {
            Weights::Floats(packed) => {
                let options = GemmOptions { bias: Some(BiasVector::Row(&self.bias)), ..GemmOptions::default() };
                let pixels = NdTensorView::from_data([count, self.inputs], pixels);
                scratch
                    .floats_by
                    .gemm(mixed, GemmInputA::Unpacked(pixels), GemmInputB::Packed(packed), options)
                    .map_err(failed)
            }
            Weights::Bytes(rounded) => rounded.mix(pixels, mixed, scratch),
            Weights::Shorts(shorts) => {
                shorts.mix(pixels, mixed, &mut scratch.shorts);
                Ok(())
            }
        }
    }

    /// As [`Pointwise::mix`], `some` pixels at a time, each time handing `with` the pixels and their outputs. In eight bits
    /// the mean of all pixels is what is not rounded.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the lengths do not agree.
    pub fn mix_some(
        &self,
        pixels: &[f32],
        some: usize,
        scratch: &mut Scratch,
        mut with: impl FnMut(&[f32], &mut [f32]),
    ) -> Result<(), NetworkError> {
        let count = pixels.len() / self.inputs;
        if pixels.len() != count * self.inputs {
            return Err(failed("a layer was handed pixels of another layer"));
        }
        if let Weights::Bytes(rounded) = &self.weights {
            rounded.find_middle(pixels, pixels.len().max(1), scratch)?;
        }
        let mut mixed = vec![0.0; some.min(count) * self.outputs];
        for pixels in pixels.chunks(some * self.inputs) {
            let mixed = &mut mixed[..pixels.len() / self.inputs * self.outputs];
            match &self.weights {
                Weights::Shorts(_) | Weights::Floats(_) => self.mix(pixels, mixed, scratch)?,
                Weights::Bytes(rounded) => rounded.mix_around(pixels, 0, mixed, &mut scratch.rounded)?,
            }
            with(pixels, mixed);
        }
        Ok(())
    }
}

/// Weights, `outputs` rows of `inputs`, as the right side of a product, with columns of zeros up to `padded`.
pub(crate) fn packed_floats(weights: &[f32], inputs: usize, outputs: usize, padded: usize) -> PackedBMatrix<f32> {
    let mut turned = vec![0.0; inputs * padded];
    for (output, row) in weights.chunks_exact(inputs).enumerate().take(outputs) {
        for (input, weight) in row.iter().enumerate() {
            turned[input * padded + output] = *weight;
        }
    }
    GemmExecutor::<f32>::new().prepack_b(NdTensorView::from_data([inputs, padded], turned.as_slice()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(weights: &[f32], bias: &[f32], pixels: &[f32]) -> Vec<f32> {
        let inputs = weights.len() / bias.len();
        pixels
            .chunks_exact(inputs)
            .flat_map(|pixel| {
                weights
                    .chunks_exact(inputs)
                    .zip(bias)
                    .map(move |(row, bias)| row.iter().zip(pixel).map(|(w, v)| w * v).sum::<f32>() + bias)
            })
            .collect()
    }

    fn values(count: usize) -> impl Strategy<Value = Vec<f32>> {
        proptest::collection::vec(-2.0f32..6.0, count)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn all_precisions_agree_with_plain_arithmetic(
            (weights, bias, pixels) in (1usize..70, 1usize..40, 1usize..9)
                .prop_flat_map(|(inputs, outputs, count)| (values(inputs * outputs), values(outputs), values(inputs * count)))
        ) {
            let expected = plain(&weights, &bias, &pixels);
            let largest = expected.iter().fold(1.0f32, |most, v| most.max(v.abs()));
            let tolerances = [(Precision::Floats, 1e-4), (Precision::Shorts, 1e-3), (Precision::Bytes, 0.02)];
            for (precision, tolerance) in tolerances {
                if !precision.is_there() {
                    continue;
                }
                let layer = Pointwise::new(&weights, bias.clone(), precision).unwrap();
                let mut mixed = vec![0.0; expected.len()];
                layer.mix(&pixels, &mut mixed, &mut Scratch::default()).unwrap();
                for (value, expected) in mixed.iter().zip(&expected) {
                    prop_assert!((value - expected).abs() <= tolerance * largest, "{precision:?} {value} {expected}");
                }
            }
        }
    }

    #[test]
    fn rounding_weights_does_not_move_what_all_pixels_share() {
        if !Precision::Bytes.is_there() {
            return println!("skipped: sums of bytes overflow on this processor");
        }
        let (inputs, outputs, count) = (48, 12, 100);
        let weights: Vec<f32> = (0..inputs * outputs).map(|i| ((i * 7919) % 997) as f32 / 498.0 - 1.0).collect();
        let pixels: Vec<f32> = (0..inputs * count).map(|i| 50.0 + ((i * 104_729) % 1009) as f32 / 504.0).collect();
        let expected = plain(&weights, &vec![0.0; outputs], &pixels);
        let layer = Pointwise::new(&weights, vec![0.0; outputs], Precision::Bytes).unwrap();
        let mut mixed = vec![0.0; expected.len()];
        layer.mix(&pixels, &mut mixed, &mut Scratch::default()).unwrap();
        let worst = mixed.iter().zip(&expected).map(|(value, expected)| (value - expected).abs()).fold(0.0, f32::max);
        // Plainly rounded, a weight of up to 1 is wrong by up to 1/254, times 50, 48 times.
        assert!(worst < 0.1, "{worst}");
    }

    #[test]
    fn blank_pixels_and_wrong_sizes_are_answered() {
        for precision in [Precision::Bytes, Precision::Shorts, Precision::Floats].into_iter().filter(|p| p.is_there()) {
            let layer = Pointwise::new(&[1.0; 6], vec![0.5, -0.5], precision).unwrap();
            let mut mixed = vec![9.0; 4];
            layer.mix(&[0.0; 6], &mut mixed, &mut Scratch::default()).unwrap();
            assert_eq!(mixed, [0.5, -0.5, 0.5, -0.5], "{precision:?}");
            assert!(layer.mix(&[0.0; 5], &mut mixed, &mut Scratch::default()).is_err());
        }
        assert!(Pointwise::new(&[1.0; 5], vec![0.0; 2], Precision::Floats).is_none());
    }
}
