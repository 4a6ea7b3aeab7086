//! Pointwise layers in eight bits. They are enough because of what is not rounded (`docs/adr/0016`):
//!
//! - Of the pixels of a tile about the mean is mixed in floats, once for all of them, and only what a pixel differs from it
//!   is rounded: otherwise the rounding of the weights moves every output to one side.
//! - Weights are divided by what their input channel's largest one comes to, values multiplied by it, so that a channel
//!   with small weights does not lose them to one with large weights.
//! - Weights have one scale per output channel, values a scale and a zero of their own for every pixel.

use rten_gemm::{BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::{Isa, SimdOp};
use rten_tensor::NdTensorView;

use super::panels::{Panels, Scales, padded, stride};
use super::pointwise::{Scratch, packed_floats};
use crate::{NetworkError, failed};

/// Pixels that share a mean: their sums and outputs stay in the second-level cache.
pub const TILE: usize = 64;
/// Tiles whose means are mixed at once: reading the weights once for each is what that would cost.
const MEANS: usize = 4;

/// How the share of a weight that goes to its input channel grows with the channel's largest weight: half of it in
/// logarithms, as activations grow where weights shrink (SmoothQuant, arXiv 2211.10438).
const BALANCE: f32 = 0.5;

/// A layer whose products are computed in bytes.
pub struct Rounded {
    inputs: usize,
    outputs: usize,
    product: Product,
    /// What every output channel's bytes are multiplied by, padded.
    scales: Vec<f32>,
    /// Sum of every output channel's bytes times that, padded.
    totals: Vec<f32>,
    /// What every input channel's values are multiplied by before they are rounded.
    balance: Vec<f32>,
    /// The weights as they are, for the mean, padded.
    whole: PackedBMatrix<f32>,
    /// Padded.
    bias: Vec<f32>,
}

enum Product {
    /// In registers from the bytes to the values.
    Panels(Panels),
    /// In memory, by the library.
    Packed(PackedBMatrix<i8>),
}

/// What is used again from tile to tile.
#[derive(Default)]
pub struct RoundedScratch {
    bytes_by: GemmExecutor<u8, i8, i32>,
    bytes: Vec<u8>,
    /// Scale and zero times scale of every pixel.
    pixels: Vec<[f32; 2]>,
    sums: Vec<i32>,
    /// Mean of every tile.
    means: Vec<f32>,
    /// The means, mixed.
    middles: Vec<f32>,
}

impl Rounded {
    /// From weights, a row of inputs for every bias.
    pub fn new(weights: &[f32], bias: &[f32]) -> Self {
        let (inputs, outputs) = (weights.len() / bias.len().max(1), bias.len());
        Self::with(weights, bias, |bytes| Panels::new(bytes, inputs, outputs))
    }

    fn with(weights: &[f32], bias: &[f32], panels: impl FnOnce(&[i8]) -> Option<Panels>) -> Self {
        let (inputs, outputs) = (weights.len() / bias.len().max(1), bias.len());
        let mut balance = vec![f32::MIN_POSITIVE; inputs];
        for row in weights.chunks_exact(inputs) {
            for (most, weight) in balance.iter_mut().zip(row) {
                *most = most.max(weight.abs());
            }
        }
        for most in &mut balance {
            *most = most.powf(BALANCE);
        }
        let mut bytes = Vec::with_capacity(weights.len());
        let (mut scales, mut totals) = (vec![0.0f32; padded(outputs)], vec![0.0f32; padded(outputs)]);
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let balanced = row.iter().zip(&balance).map(|(weight, balance)| weight / balance);
            let scale = balanced.clone().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs())) / 127.0;
            let from = bytes.len();
            bytes.extend(balanced.map(|weight| (weight / scale).round() as i8));
            scales[output] = scale;
            totals[output] = bytes[from..].iter().map(|byte| i32::from(*byte)).sum::<i32>() as f32 * scale;
        }
        let product = panels(&bytes).map_or_else(
            || {
                let mut turned = vec![0i8; stride(inputs) * outputs];
                for (output, row) in bytes.chunks_exact(inputs).enumerate() {
                    for (input, byte) in row.iter().enumerate() {
                        turned[input * outputs + output] = *byte;
                    }
                }
                let turned = NdTensorView::from_data([stride(inputs), outputs], turned.as_slice());
                Product::Packed(GemmExecutor::<u8, i8, i32>::new().prepack_b(turned))
            },
            Product::Panels,
        );
        let whole = packed_floats(weights, inputs, outputs, padded(outputs));
        let mut bias = bias.to_vec();
        bias.resize(padded(outputs), 0.0);
        Self { inputs, outputs, product, scales, totals, balance, whole, bias }
    }

    /// Mixes `pixels` into `mixed`; their numbers agree.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the product fails.
    pub fn mix(&self, pixels: &[f32], mixed: &mut [f32], scratch: &mut Scratch) -> Result<(), NetworkError> {
        let strips = pixels.chunks(MEANS * TILE * self.inputs).zip(mixed.chunks_mut(MEANS * TILE * self.outputs));
        for (pixels, mixed) in strips {
            self.find_middle(pixels, TILE * self.inputs, scratch)?;
            let tiles = pixels.chunks(TILE * self.inputs).zip(mixed.chunks_mut(TILE * self.outputs));
            for (tile, (pixels, mixed)) in tiles.enumerate() {
                self.mix_around(pixels, tile, mixed, &mut scratch.rounded)?;
            }
        }
        Ok(())
    }

    /// Finds the mean of every `tile` values of `pixels` and mixes it in floats.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the product fails.
    pub fn find_middle(&self, pixels: &[f32], tile: usize, scratch: &mut Scratch) -> Result<(), NetworkError> {
        let count = pixels.len().div_ceil(tile);
        let RoundedScratch { means, middles, .. } = &mut scratch.rounded;
        means.clear();
        means.resize(count * self.inputs, 0.0);
        middles.resize(count * padded(self.outputs), 0.0);
        for (pixels, mean) in pixels.chunks(tile).zip(means.chunks_exact_mut(self.inputs)) {
            Mean { pixels, mean }.dispatch();
        }
        let options = GemmOptions { bias: Some(BiasVector::Row(&self.bias)), ..GemmOptions::default() };
        let means = NdTensorView::from_data([count, self.inputs], means.as_slice());
        scratch
            .floats_by
            .gemm(middles, GemmInputA::Unpacked(means), GemmInputB::Packed(&self.whole), options)
            .map_err(failed)
    }

    /// Mixes `pixels` into `mixed`, of what [`Rounded::find_middle`] found taking the tile numbered `tile`.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the product fails.
    pub fn mix_around(
        &self,
        pixels: &[f32],
        tile: usize,
        mixed: &mut [f32],
        scratch: &mut RoundedScratch,
    ) -> Result<(), NetworkError> {
        let count = pixels.len() / self.inputs;
        let (stride, padded) = (stride(self.inputs), padded(self.outputs));
        let RoundedScratch { bytes_by, bytes, pixels: of_pixels, sums, means, middles } = scratch;
        bytes.resize(count * stride, 0);
        of_pixels.resize(count, [0.0; 2]);
        let mean = &means[tile * self.inputs..][..self.inputs];
        let middle = &middles[tile * padded..][..padded];
        ToBytes { pixels, mean, balance: &self.balance, bytes, stride, of_pixels }.dispatch();
        let scales = Scales { pixels: of_pixels, outputs: &self.scales, totals: &self.totals, middle };
        match &self.product {
            Product::Panels(panels) => panels.mix(bytes, &scales, mixed),
            Product::Packed(packed) => {
                sums.resize(count * self.outputs, 0);
                // `rten-gemm` 0.27 mixes up the zeros of more than 32 pixels, so they are taken off afterwards.
                let bytes = NdTensorView::from_data([count, stride], bytes.as_slice());
                bytes_by
                    .gemm(sums, GemmInputA::Unpacked(bytes), GemmInputB::Packed(packed), GemmOptions::default())
                    .map_err(failed)?;
                FromSums { sums, scales: &scales, outputs: self.outputs, mixed }.dispatch();
            }
        }
        Ok(())
    }
}

/// Lanes handled side by side in plain loops; the compiler turns them into the widest registers there are, because
/// [`SimdOp::dispatch`] inlines them where those are enabled.
const LANES: usize = 16;

/// Adding this to a float below 2^22 leaves its nearest whole number in the lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// Every how many pixels one counts for the mean: it need only be near the others.
const SAMPLED: usize = 4;

/// The mean of the pixels, of some of them.
struct Mean<'a> {
    pixels: &'a [f32],
    mean: &'a mut [f32],
}

impl SimdOp for Mean<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "the loops take the vector registers of the function they are inlined into"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let Self { pixels, mean } = self;
        let channels = mean.len();
        mean.fill(0.0);
        let sampled = pixels.chunks_exact(channels).step_by(SAMPLED);
        let share = 1.0 / sampled.len().max(1) as f32;
        for pixel in sampled {
            for (mean, value) in mean.iter_mut().zip(pixel) {
                *mean += value;
            }
        }
        for mean in mean.iter_mut() {
            *mean *= share;
        }
    }
}

/// What every pixel of a tile differs from their mean, in bytes:
/// `value = mean + (byte - zero) * scale / balance`.
struct ToBytes<'a> {
    pixels: &'a [f32],
    mean: &'a [f32],
    balance: &'a [f32],
    bytes: &'a mut [u8],
    /// Bytes from one pixel to the next.
    stride: usize,
    /// Scale and zero times scale of every pixel.
    of_pixels: &'a mut [[f32; 2]],
}

impl SimdOp for ToBytes<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "the loops take the vector registers of the function they are inlined into"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, _: I) {
        let Self { pixels, mean, balance, bytes, stride, of_pixels } = self;
        let channels = mean.len();
        let rows = pixels.chunks_exact(channels).zip(bytes.chunks_exact_mut(stride));
        for ((pixel, bytes), of_pixel) in rows.zip(of_pixels) {
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
            // Halves against each other: lane after lane every comparison would wait for the one before.
            for half in [8, 4, 2, 1] {
                for lane in 0..half {
                    least[lane] = if least[lane + half] < least[lane] { least[lane + half] } else { least[lane] };
                    most[lane] = if most[lane + half] > most[lane] { most[lane + half] } else { most[lane] };
                }
            }
            let mut ends = (least[0], most[0]);
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
            *of_pixel = [step, origin * step];
        }
    }
}

/// Sums of byte products as values, the mixed mean added.
struct FromSums<'a> {
    sums: &'a [i32],
    scales: &'a Scales<'a>,
    outputs: usize,
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
        let Self { sums, scales, outputs, mixed } = self;
        let rows = sums.chunks_exact(outputs).zip(mixed.chunks_exact_mut(outputs));
        for ((sums, mixed), [pixel_scale, zero]) in rows.zip(scales.pixels) {
            let channels = scales.outputs.iter().zip(scales.totals).zip(scales.middle);
            for ((value, sum), ((scale, total), middle)) in mixed.iter_mut().zip(sums).zip(channels) {
                *value = *sum as f32 * (pixel_scale * scale) + (middle - zero * total);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_computes_what_the_panels_do() {
        for (inputs, outputs, count) in [(6, 5, 300), (96, 192, 70), (33, 48, 1)] {
            let weights: Vec<f32> = (0..inputs * outputs).map(|i| ((i * 7919) % 997) as f32 / 498.0 - 1.0).collect();
            let pixels: Vec<f32> = (0..inputs * count).map(|i| ((i * 104_729) % 1009) as f32 / 200.0).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
            let mixed = [true, false].map(|panels| {
                let layer =
                    Rounded::with(
                        &weights,
                        &bias,
                        |bytes| {
                            if panels { Panels::new(bytes, inputs, outputs) } else { None }
                        },
                    );
                let mut mixed = vec![0.0; outputs * count];
                layer.mix(&pixels, &mut mixed, &mut Scratch::default()).unwrap();
                mixed
            });
            for (here, there) in mixed[0].iter().zip(&mixed[1]) {
                assert!((here - there).abs() <= 1e-4 * here.abs().max(1.0), "{inputs} {outputs}: {here} {there}");
            }
        }
    }
}
