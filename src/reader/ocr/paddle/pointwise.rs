//! Layers that mix the channels of every pixel by itself (1 x 1 convolutions): most of what recognition computes.
//!
//! In 32-bit floats, or in eight bits where the processor multiplies bytes (AVX-512 VNNI, ARM dot product). Eight bits
//! are enough because of what is not rounded (`docs/adr/0016`):
//!
//! - Of the pixels of a tile the mean is mixed in floats, once for all of them, and only what a pixel differs from it
//!   is rounded: otherwise the rounding of the weights moves every output to one side.
//! - Weights are divided by what their input channel's largest one comes to, values multiplied by it, so that a channel
//!   with small weights does not lose them to one with large weights.
//! - Weights have one scale per output channel, values a scale and a zero of their own for every pixel.

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::{Isa, SimdOp};
use rten_tensor::NdTensorView;

use super::failed;
use crate::reader::ocr::OcrError;

/// Pixels mixed at a time: their sums and outputs stay in the second-level cache.
pub const TILE: usize = 64;

/// How pointwise layers compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Bytes times bytes, summed in 32 bits.
    Bytes,
    /// 32-bit floats.
    Floats,
}

impl Precision {
    /// What this processor does best: bytes only where their products are summed without overflow.
    pub fn best() -> Self {
        if GemmExecutor::<u8, i8, i32>::new().may_saturate() || !has_fast_bytes() { Self::Floats } else { Self::Bytes }
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
    Bytes {
        packed: PackedBMatrix<i8>,
        /// What every output channel's bytes are multiplied by.
        scales: Vec<f32>,
        /// Sum of every output channel's bytes.
        totals: Vec<i32>,
        /// What every input channel's values are multiplied by before they are rounded.
        balance: Vec<f32>,
        /// The weights as they are, for the mean.
        whole: PackedBMatrix<f32>,
    },
    Floats {
        packed: PackedBMatrix<f32>,
    },
}

/// What is used again from tile to tile.
#[derive(Default)]
pub struct Scratch {
    /// Making one asks the processor what it can do, which virtual machines answer slowly.
    bytes_by: GemmExecutor<u8, i8, i32>,
    floats_by: GemmExecutor<f32>,
    bytes: Vec<u8>,
    zeros: Vec<i32>,
    scales: Vec<f32>,
    sums: Vec<i32>,
    mean: Vec<f32>,
    /// The mean, mixed.
    middle: Vec<f32>,
}

/// How the share of a weight that goes to its input channel grows with the channel's largest weight: half of it in
/// logarithms, as activations grow where weights shrink (SmoothQuant, arXiv 2211.10438).
const BALANCE: f32 = 0.5;

impl Pointwise {
    /// A layer from its weights, `outputs` rows of `inputs`, and its biases. `None` when their numbers do not agree.
    pub fn new(weights: &[f32], bias: Vec<f32>, precision: Precision) -> Option<Self> {
        let outputs = bias.len();
        let inputs = weights.len().checked_div(outputs)?;
        if inputs == 0 || inputs * outputs != weights.len() {
            return None;
        }
        let weights = match precision {
            Precision::Bytes => {
                let mut balance = vec![f32::MIN_POSITIVE; inputs];
                for row in weights.chunks_exact(inputs) {
                    for (most, weight) in balance.iter_mut().zip(row) {
                        *most = most.max(weight.abs());
                    }
                }
                for most in &mut balance {
                    *most = most.powf(BALANCE);
                }
                let mut bytes = vec![0i8; weights.len()];
                let (mut scales, mut totals) = (vec![0.0f32; outputs], vec![0i32; outputs]);
                for (output, row) in weights.chunks_exact(inputs).enumerate() {
                    let balanced = row.iter().zip(&balance).map(|(weight, balance)| weight / balance);
                    let scale = balanced.clone().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs())) / 127.0;
                    for (input, weight) in balanced.enumerate() {
                        let byte = (weight / scale).round() as i8;
                        bytes[input * outputs + output] = byte;
                        totals[output] += i32::from(byte);
                    }
                    scales[output] = scale;
                }
                let packed = GemmExecutor::<u8, i8, i32>::new()
                    .prepack_b(NdTensorView::from_data([inputs, outputs], bytes.as_slice()));
                Weights::Bytes { packed, scales, totals, balance, whole: packed_floats(weights, inputs, outputs) }
            }
            Precision::Floats => Weights::Floats { packed: packed_floats(weights, inputs, outputs) },
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
    /// [`OcrError::Failed`] when the lengths do not agree.
    pub fn mix(&self, pixels: &[f32], mixed: &mut [f32], scratch: &mut Scratch) -> Result<(), OcrError> {
        let count = pixels.len() / self.inputs;
        if pixels.len() != count * self.inputs || mixed.len() != count * self.outputs {
            return Err(failed("a layer was handed pixels of another layer"));
        }
        match &self.weights {
            Weights::Floats { packed } => {
                let options = GemmOptions { bias: Some(BiasVector::Row(&self.bias)), ..GemmOptions::default() };
                let pixels = NdTensorView::from_data([count, self.inputs], pixels);
                scratch
                    .floats_by
                    .gemm(mixed, GemmInputA::Unpacked(pixels), GemmInputB::Packed(packed), options)
                    .map_err(failed)
            }
            Weights::Bytes { packed, scales, totals, balance, whole } => {
                for (pixels, mixed) in pixels.chunks(TILE * self.inputs).zip(mixed.chunks_mut(TILE * self.outputs)) {
                    let count = pixels.len() / self.inputs;
                    scratch.bytes.resize(pixels.len(), 0);
                    scratch.zeros.resize(count, 0);
                    scratch.scales.resize(count, 0.0);
                    scratch.sums.resize(mixed.len(), 0);
                    scratch.mean.resize(self.inputs, 0.0);
                    scratch.middle.resize(self.outputs, 0.0);
                    let Scratch { bytes_by, floats_by, bytes, zeros, scales: pixel_scales, sums, mean, middle } =
                        &mut *scratch;
                    ToBytes { pixels, mean, balance, bytes, zeros, scales: pixel_scales }.dispatch();
                    let options = GemmOptions { bias: Some(BiasVector::Row(&self.bias)), ..GemmOptions::default() };
                    let one = NdTensorView::from_data([1, self.inputs], mean.as_slice());
                    floats_by
                        .gemm(middle, GemmInputA::Unpacked(one), GemmInputB::Packed(whole), options)
                        .map_err(failed)?;
                    // `rten-gemm` 0.27 mixes up the zeros of more than 32 pixels, so they are taken off here.
                    let options = GemmOptions::default();
                    let bytes = NdTensorView::from_data([count, self.inputs], bytes.as_slice());
                    bytes_by
                        .gemm(sums, GemmInputA::Unpacked(bytes), GemmInputB::Packed(packed), options)
                        .map_err(failed)?;
                    FromSums { sums, zeros, pixel_scales, scales, totals, middle, mixed }.dispatch();
                }
                Ok(())
            }
        }
    }
}

/// Weights, `outputs` rows of `inputs`, as the right side of a product.
fn packed_floats(weights: &[f32], inputs: usize, outputs: usize) -> PackedBMatrix<f32> {
    let mut turned = vec![0.0; weights.len()];
    for (output, row) in weights.chunks_exact(inputs).enumerate() {
        for (input, weight) in row.iter().enumerate() {
            turned[input * outputs + output] = *weight;
        }
    }
    GemmExecutor::<f32>::new().prepack_b(NdTensorView::from_data([inputs, outputs], turned.as_slice()))
}

/// Lanes handled side by side in plain loops; the compiler turns them into the widest registers there are, because
/// [`SimdOp::dispatch`] inlines them where those are enabled.
const LANES: usize = 16;

/// Adding this to a float below 2^22 leaves its nearest whole number in the lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// What every pixel of a tile differs from their mean, in bytes:
/// `value = mean + (byte - zero) * scale / balance`.
struct ToBytes<'a> {
    pixels: &'a [f32],
    mean: &'a mut [f32],
    balance: &'a [f32],
    bytes: &'a mut [u8],
    zeros: &'a mut [i32],
    scales: &'a mut [f32],
}

impl SimdOp for ToBytes<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "the loops take the vector registers of the function they are inlined into"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let Self { pixels, mean, balance, bytes, zeros, scales } = self;
        let channels = mean.len();
        mean.fill(0.0);
        for pixel in pixels.chunks_exact(channels) {
            for (mean, value) in mean.iter_mut().zip(pixel) {
                *mean += value;
            }
        }
        let share = channels as f32 / pixels.len() as f32;
        for mean in mean.iter_mut() {
            *mean *= share;
        }
        let mean = &*mean;
        let rows = pixels.chunks_exact(channels).zip(bytes.chunks_exact_mut(channels));
        for ((pixel, bytes), (zero, scale)) in rows.zip(zeros.iter_mut().zip(scales)) {
            let (mut least, mut most) = ([0.0f32; LANES], [0.0f32; LANES]);
            let whole = channels / LANES * LANES;
            let lanes = pixel[..whole].chunks_exact(LANES);
            let others = mean[..whole].chunks_exact(LANES).zip(balance[..whole].chunks_exact(LANES));
            for (values, (mean, balance)) in lanes.zip(others) {
                for lane in 0..LANES {
                    let value = (values[lane] - mean[lane]) * balance[lane];
                    least[lane] = if value < least[lane] { value } else { least[lane] };
                    most[lane] = if value > most[lane] { value } else { most[lane] };
                }
            }
            let mut ends = (least.iter().copied().fold(0.0, f32::min), most.iter().copied().fold(0.0, f32::max));
            for channel in whole..channels {
                let value = (pixel[channel] - mean[channel]) * balance[channel];
                ends = (ends.0.min(value), ends.1.max(value));
            }
            let step = ((ends.1 - ends.0) / 255.0).max(f32::MIN_POSITIVE);
            let inverse = 1.0 / step;
            let origin = (-ends.0 * inverse).round_ties_even().clamp(0.0, 255.0);
            let shift = ROUNDER + origin;
            for ((byte, value), (mean, balance)) in bytes.iter_mut().zip(pixel).zip(mean.iter().zip(balance)) {
                let moved = (value - mean) * balance * inverse + shift;
                let low = if moved < ROUNDER { ROUNDER } else { moved };
                let held = if low > ROUNDER + 255.0 { ROUNDER + 255.0 } else { low };
                *byte = (held.to_bits() & 0xFF) as u8;
            }
            *zero = origin as i32;
            *scale = step;
        }
    }
}

/// Sums of byte products as values, the mixed mean added.
struct FromSums<'a> {
    sums: &'a [i32],
    zeros: &'a [i32],
    pixel_scales: &'a [f32],
    scales: &'a [f32],
    totals: &'a [i32],
    middle: &'a [f32],
    mixed: &'a mut [f32],
}

impl SimdOp for FromSums<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "the loops take the vector registers of the function they are inlined into"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let outputs = self.middle.len();
        let rows = self.sums.chunks_exact(outputs).zip(self.mixed.chunks_exact_mut(outputs));
        for ((sums, mixed), (zero, pixel_scale)) in rows.zip(self.zeros.iter().zip(self.pixel_scales)) {
            let channels = self.scales.iter().zip(self.totals).zip(self.middle);
            for ((value, sum), ((scale, total), middle)) in mixed.iter_mut().zip(sums).zip(channels) {
                *value = (*sum - zero * total) as f32 * (pixel_scale * scale) + middle;
            }
        }
    }
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
        fn both_precisions_agree_with_plain_arithmetic(
            (weights, bias, pixels) in (1usize..70, 1usize..40, 1usize..9)
                .prop_flat_map(|(inputs, outputs, count)| (values(inputs * outputs), values(outputs), values(inputs * count)))
        ) {
            let expected = plain(&weights, &bias, &pixels);
            let largest = expected.iter().fold(1.0f32, |most, v| most.max(v.abs()));
            for (precision, tolerance) in [(Precision::Floats, 1e-4), (Precision::Bytes, 0.02)] {
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
        let layer = Pointwise::new(&[1.0; 6], vec![0.5, -0.5], Precision::Bytes).unwrap();
        let mut mixed = vec![9.0; 4];
        layer.mix(&[0.0; 6], &mut mixed, &mut Scratch::default()).unwrap();
        assert_eq!(mixed, [0.5, -0.5, 0.5, -0.5]);
        assert!(layer.mix(&[0.0; 5], &mut mixed, &mut Scratch::default()).is_err());
        assert!(Pointwise::new(&[1.0; 5], vec![0.0; 2], Precision::Floats).is_none());
    }
}
