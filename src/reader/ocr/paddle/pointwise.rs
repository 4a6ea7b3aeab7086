//! Layers that mix the channels of every pixel by itself (1 x 1 convolutions): most of what recognition computes.
//!
//! In 32-bit floats, or in eight bits where the processor multiplies bytes (AVX-512 VNNI, ARM dot product): weights with
//! one scale per output channel, activations with a scale and a zero of their own for every pixel. One scale for a whole
//! picture, which is what ONNX's dynamic quantisation does, changed a third of all lines (`docs/adr/0009`).

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
    /// With each output channel's scale and the sum of its weights.
    Bytes {
        packed: PackedBMatrix<i8>,
        scales: Vec<f32>,
        totals: Vec<i32>,
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
}

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
                let scales: Vec<f32> = weights
                    .chunks_exact(inputs)
                    .map(|row| row.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs())) / 127.0)
                    .collect();
                let mut bytes = vec![0i8; weights.len()];
                let mut totals = vec![0i32; outputs];
                for (output, (row, scale)) in weights.chunks_exact(inputs).zip(&scales).enumerate() {
                    for (input, weight) in row.iter().enumerate() {
                        let byte = (weight / scale).round() as i8;
                        bytes[input * outputs + output] = byte;
                        totals[output] += i32::from(byte);
                    }
                }
                let packed = GemmExecutor::<u8, i8, i32>::new()
                    .prepack_b(NdTensorView::from_data([inputs, outputs], bytes.as_slice()));
                Weights::Bytes { packed, scales, totals }
            }
            Precision::Floats => {
                let mut turned = vec![0.0; weights.len()];
                for (output, row) in weights.chunks_exact(inputs).enumerate() {
                    for (input, weight) in row.iter().enumerate() {
                        turned[input * outputs + output] = *weight;
                    }
                }
                let packed =
                    GemmExecutor::<f32>::new().prepack_b(NdTensorView::from_data([inputs, outputs], turned.as_slice()));
                Weights::Floats { packed }
            }
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
            Weights::Bytes { packed, scales, totals } => {
                scratch.bytes.resize(count * self.inputs, 0);
                scratch.zeros.resize(count, 0);
                scratch.scales.resize(count, 0.0);
                scratch.sums.resize(count * self.outputs, 0);
                let Scratch { bytes_by, bytes, zeros, scales: pixel_scales, sums, .. } = scratch;
                ToBytes { pixels, channels: self.inputs, bytes, zeros, scales: pixel_scales }.dispatch();
                // `rten-gemm` 0.27 mixes up the zeros of more than 32 pixels, so they are taken off here.
                let options = GemmOptions::default();
                let pixels = NdTensorView::from_data([count, self.inputs], bytes.as_slice());
                bytes_by
                    .gemm(sums, GemmInputA::Unpacked(pixels), GemmInputB::Packed(packed), options)
                    .map_err(failed)?;
                FromSums { sums, zeros, pixel_scales, scales, totals, bias: &self.bias, mixed }.dispatch();
                Ok(())
            }
        }
    }
}

/// Lanes handled side by side in plain loops; the compiler turns them into the widest registers there are, because
/// [`SimdOp::dispatch`] inlines them where those are enabled.
const LANES: usize = 16;

/// Adding this to a float below 2^22 leaves its nearest whole number in the lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// Every pixel in bytes: `value = (byte - zero) * scale`.
struct ToBytes<'a> {
    pixels: &'a [f32],
    channels: usize,
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
        let rows = self.pixels.chunks_exact(self.channels).zip(self.bytes.chunks_exact_mut(self.channels));
        for ((pixel, bytes), (zero, scale)) in rows.zip(self.zeros.iter_mut().zip(self.scales)) {
            let (mut least, mut most) = ([0.0f32; LANES], [0.0f32; LANES]);
            let mut chunks = pixel.chunks_exact(LANES);
            for chunk in &mut chunks {
                for ((least, most), value) in least.iter_mut().zip(&mut most).zip(chunk) {
                    *least = if *value < *least { *value } else { *least };
                    *most = if *value > *most { *value } else { *most };
                }
            }
            let rest = chunks.remainder();
            let least = least.iter().chain(rest).copied().fold(0.0, f32::min);
            let most = most.iter().chain(rest).copied().fold(0.0, f32::max);
            let step = ((most - least) / 255.0).max(f32::MIN_POSITIVE);
            let inverse = 1.0 / step;
            let origin = (-least * inverse).round_ties_even().clamp(0.0, 255.0);
            let shift = ROUNDER + origin;
            for (byte, value) in bytes.iter_mut().zip(pixel) {
                let moved = value * inverse + shift;
                let low = if moved < ROUNDER { ROUNDER } else { moved };
                let held = if low > ROUNDER + 255.0 { ROUNDER + 255.0 } else { low };
                *byte = (held.to_bits() & 0xFF) as u8;
            }
            *zero = origin as i32;
            *scale = step;
        }
    }
}

/// Sums of byte products as values, biases added.
struct FromSums<'a> {
    sums: &'a [i32],
    zeros: &'a [i32],
    pixel_scales: &'a [f32],
    scales: &'a [f32],
    totals: &'a [i32],
    bias: &'a [f32],
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
        let outputs = self.bias.len();
        let rows = self.sums.chunks_exact(outputs).zip(self.mixed.chunks_exact_mut(outputs));
        for ((sums, mixed), (zero, pixel_scale)) in rows.zip(self.zeros.iter().zip(self.pixel_scales)) {
            let channels = self.scales.iter().zip(self.totals).zip(self.bias);
            for ((value, sum), ((scale, total), bias)) in mixed.iter_mut().zip(sums).zip(channels) {
                *value = (*sum - zero * total) as f32 * (pixel_scale * scale) + bias;
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
    fn blank_pixels_and_wrong_sizes_are_answered() {
        let layer = Pointwise::new(&[1.0; 6], vec![0.5, -0.5], Precision::Bytes).unwrap();
        let mut mixed = vec![9.0; 4];
        layer.mix(&[0.0; 6], &mut mixed, &mut Scratch::default()).unwrap();
        assert_eq!(mixed, [0.5, -0.5, 0.5, -0.5]);
        assert!(layer.mix(&[0.0; 5], &mut mixed, &mut Scratch::default()).is_err());
        assert!(Pointwise::new(&[1.0; 5], vec![0.0; 2], Precision::Floats).is_none());
    }
}
