//! Layers that mix the channels of a pixel and its neighbours (convolutions of 2 x 2 and 3 x 3), in 32-bit floats or in
//! sixteen bits ([`super::shorts`]).

use rten_simd::ops::{BitOps as _, NumOps};
use rten_simd::{Isa, SimdOp};

use super::pixels::Pixels;
use super::pointwise::{Precision, Scratch};
use super::shorts::{self, Border, Outputs, Places, Shorts, ShortsScratch};
use crate::{NetworkError, failed};

/// Outputs are padded to a multiple of this: the lanes of the widest registers.
const PANEL: usize = 16;
/// Registers of outputs computed at a time.
const REGISTERS: usize = 3;

/// A layer followed by a rectifier: what is below zero becomes zero.
pub struct Dense {
    /// Neighbours looked at per axis.
    side: usize,
    /// How far up and left of a pixel they begin.
    before: usize,
    /// Every how many rows and columns a pixel is computed.
    stride: usize,
    inputs: usize,
    outputs: usize,
    weights: Weights,
}

enum Weights {
    Floats {
        /// For every neighbour and every channel of it the weights of all outputs, padded.
        weights: Vec<f32>,
        /// Padded.
        bias: Vec<f32>,
    },
    /// Of which the inputs are all channels of all neighbours, channels padded to an even number.
    Shorts(Shorts),
}

impl Dense {
    /// A layer from its weights (output, input, row, column) and biases. Even sides look down and right only, as the
    /// networks pad them. Eight bits are too few here (`docs/adr/0016`): it computes in floats then. `None` when the numbers
    /// do not agree or the processor cannot compute in that precision.
    pub fn new(side: usize, stride: usize, weights: &[f32], bias: &[f32], precision: Precision) -> Option<Self> {
        let (area, outputs) = (side * side, bias.len());
        let inputs = weights.len().checked_div(outputs * area)?;
        if inputs == 0 || inputs * outputs * area != weights.len() || stride == 0 {
            return None;
        }
        let in_place = weights.iter().enumerate().map(|(index, weight)| {
            let (tap, channel) = (index % area, index / area % inputs);
            (tap, channel, index / (area * inputs), *weight)
        });
        let weights = match precision {
            Precision::Shorts => {
                let padded = shorts::stride(inputs);
                let mut by_output = vec![0.0; outputs * area * padded];
                for (tap, channel, output, weight) in in_place {
                    by_output[(output * area + tap) * padded + channel] = weight;
                }
                Weights::Shorts(Shorts::new(&by_output, bias)?)
            }
            Precision::Bytes | Precision::Floats => {
                let padded = outputs.next_multiple_of(PANEL);
                let mut by_neighbour = vec![0.0; area * inputs * padded];
                for (tap, channel, output, weight) in in_place {
                    by_neighbour[(tap * inputs + channel) * padded + output] = weight;
                }
                let mut bias = bias.to_vec();
                bias.resize(padded, 0.0);
                Weights::Floats { weights: by_neighbour, bias }
            }
        };
        Some(Self { side, before: (side - 1) / 2, stride, inputs, outputs, weights })
    }

    /// Channels of a pixel after.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Runs the layer; beyond the edges everything is zero.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the input has other channels than the layer takes.
    pub fn run(&self, input: &Pixels, scratch: &mut Scratch) -> Result<Pixels, NetworkError> {
        let (height, width) = (input.height.div_ceil(self.stride), input.width.div_ceil(self.stride));
        let channels = self.outputs;
        let values = scratch.rooms.take(input.count * height * width * channels);
        let mut output = Pixels { count: input.count, height, width, channels, values };
        self.run_into(input, &mut output, 0, scratch)?;
        Ok(output)
    }

    /// Runs the layer into the channels of `output` from `first` on.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the input has other channels than the layer takes or the output is not of the size it
    /// gives.
    pub fn run_into(
        &self,
        input: &Pixels,
        output: &mut Pixels,
        first: usize,
        scratch: &mut Scratch,
    ) -> Result<(), NetworkError> {
        let size = (input.count, input.height.div_ceil(self.stride), input.width.div_ceil(self.stride));
        let fits = size == (output.count, output.height, output.width) && first + self.outputs <= output.channels;
        if input.channels != self.inputs || !fits {
            return Err(failed("a layer was handed pixels of another layer"));
        }
        match &self.weights {
            Weights::Floats { weights, bias } => Run { layer: self, weights, bias, input, output, first }.dispatch(),
            Weights::Shorts(shorts) => self.run_rounded(shorts, input, output, first, &mut scratch.shorts),
        }
        Ok(())
    }

    fn run_rounded(
        &self,
        shorts: &Shorts,
        input: &Pixels,
        output: &mut Pixels,
        first: usize,
        scratch: &mut ShortsScratch,
    ) {
        let (height, width, channels) = (output.height, output.width, output.channels);
        let border = Border {
            height: input.height,
            width: input.width,
            before: self.before,
            after: self.side - 1 - self.before,
        };
        let pairs = shorts::stride(self.inputs) / 2;
        let row = border.row() * pairs;
        let outputs = Outputs { channels, first, least: 0.0 };
        let of_one = (input.height * input.width * self.inputs).max(1);
        let pictures = input.values.chunks_exact(of_one);
        for (picture, values) in pictures.zip(output.values.chunks_exact_mut((height * width * channels).max(1))) {
            let ShortsScratch { rounded, scales, most } = scratch;
            let scale = shorts.round_picture(picture, self.inputs, &border, rounded, most);
            scales.clear();
            scales.resize(width, scale);
            for (line, values) in values.chunks_exact_mut(width * channels).enumerate() {
                let places = Places {
                    first: line * self.stride * row,
                    step: self.stride * pairs,
                    of_row: self.side * pairs,
                    rows: row,
                };
                shorts.run(rounded, places, scales, outputs, values);
            }
        }
    }
}

struct Run<'a> {
    layer: &'a Dense,
    weights: &'a [f32],
    bias: &'a [f32],
    input: &'a Pixels,
    output: &'a mut Pixels,
    first: usize,
}

impl SimdOp for Run<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "the loops take the vector registers of the function they are inlined into"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        let Self { layer, weights, bias, input, output, first } = self;
        if output.width == 0 || output.height == 0 {
            return;
        }
        let beyond = vec![0.0; layer.inputs];
        // Sums that do not fit into the registers go through memory, which takes twice as long: AVX2 has 16 of them.
        let most = if ops.len() < PANEL { 2 } else { REGISTERS };
        let (out_width, out_height, channels) = (output.width, output.height, output.channels);
        for (index, pixels) in output.values.chunks_exact_mut(out_width * channels).enumerate() {
            let row = Row {
                layer,
                weights,
                bias,
                input,
                beyond: &beyond,
                item: index / out_height,
                line: index % out_height,
            };
            for from in (0..bias.len()).step_by(most * ops.len()) {
                let registers = ((bias.len() - from) / ops.len()).min(most);
                let together = match registers {
                    1 => 8,
                    2 if most == 2 => 6,
                    _ => 4,
                };
                let mut column = 0;
                while column < out_width {
                    let count = if out_width - column < together { 1 } else { together };
                    let pixels = &mut pixels[column * channels + first..];
                    match (count, registers) {
                        (8, _) => row.block::<_, 8, 1>(ops, column, from, channels, pixels),
                        (6, _) => row.block::<_, 6, 2>(ops, column, from, channels, pixels),
                        (4, 3) => row.block::<_, 4, 3>(ops, column, from, channels, pixels),
                        (4, _) => row.block::<_, 4, 2>(ops, column, from, channels, pixels),
                        (_, 3) => row.block::<_, 1, 3>(ops, column, from, channels, pixels),
                        (_, 2) => row.block::<_, 1, 2>(ops, column, from, channels, pixels),
                        (_, _) => row.block::<_, 1, 1>(ops, column, from, channels, pixels),
                    }
                    column += count;
                }
            }
        }
    }
}

/// A row of the output.
struct Row<'a> {
    layer: &'a Dense,
    weights: &'a [f32],
    bias: &'a [f32],
    input: &'a Pixels,
    /// A pixel beyond the edge.
    beyond: &'a [f32],
    item: usize,
    line: usize,
}

impl Row<'_> {
    /// Computes `V` registers of outputs from output `from` on of `P` pixels from `column` on; `pixels` begins with the
    /// first of them and has `stride` values from one to the next.
    #[expect(clippy::inline_always, reason = "it takes the vector registers of the function it is inlined into")]
    #[inline(always)]
    fn block<O: NumOps<f32>, const P: usize, const V: usize>(
        &self,
        ops: O,
        column: usize,
        from: usize,
        stride: usize,
        pixels: &mut [f32],
    ) {
        let Self { layer, input, .. } = self;
        let (lanes, padded, inputs) = (ops.len(), self.bias.len(), layer.inputs);
        let mut held = [[ops.zero(); V]; P];
        for sums in &mut held {
            for (register, sum) in sums.iter_mut().enumerate() {
                *sum = ops.load(&self.bias[from + register * lanes..]);
            }
        }
        let across = layer.side * inputs;
        for (row, weights) in self.weights.chunks_exact(across * padded).enumerate() {
            let y = (self.line * layer.stride + row).wrapping_sub(layer.before);
            if y >= input.height {
                continue;
            }
            let line = &input.values[(self.item * input.height + y) * input.width * inputs..][..input.width * inputs];
            let first = (column * layer.stride).checked_sub(layer.before);
            if let Some(first) = first.filter(|first| first + (P - 1) * layer.stride + layer.side <= input.width) {
                // A pixel's neighbours in a row lie one behind the other.
                let line = &line[first * inputs..];
                let values = std::array::from_fn(|pixel| &line[pixel * layer.stride * inputs..][..across]);
                add(ops, &values, &weights[from..], padded, &mut held);
                continue;
            }
            for (tap, weights) in weights.chunks_exact(inputs * padded).enumerate() {
                let values = std::array::from_fn(|pixel| {
                    let x = ((column + pixel) * layer.stride + tap).wrapping_sub(layer.before);
                    if x < input.width { &line[x * inputs..][..inputs] } else { self.beyond }
                });
                add(ops, &values, &weights[from..], padded, &mut held);
            }
        }
        for (pixel, sums) in held.iter().enumerate() {
            let pixel = &mut pixels[pixel * stride..];
            for (register, sum) in sums.iter().enumerate() {
                let sum = ops.max(*sum, ops.zero());
                let at = from + register * lanes;
                if at + lanes <= layer.outputs {
                    ops.store(sum, &mut pixel[at..]);
                } else if at < layer.outputs {
                    // The last outputs of a layer whose number does not fill a register.
                    let mut values = [0.0; PANEL];
                    ops.store(sum, &mut values);
                    pixel[at..layer.outputs].copy_from_slice(&values[..layer.outputs - at]);
                }
            }
        }
    }
}

/// Adds to the sums of `P` pixels their values times `V` registers of weights; the weights of a value and of the next
/// are `padded` apart.
#[expect(clippy::inline_always, reason = "it takes the vector registers of the function it is inlined into")]
#[inline(always)]
fn add<O: NumOps<f32>, const P: usize, const V: usize>(
    ops: O,
    values: &[&[f32]; P],
    weights: &[f32],
    padded: usize,
    held: &mut [[O::Simd; V]; P],
) {
    let count = values[0].len();
    // So that the compiler sees that all are of one length.
    let values = values.map(|values| &values[..count]);
    let mut held_here = *held;
    for index in 0..count {
        let weights = &weights[index * padded..][..V * ops.len()];
        let weights: [O::Simd; V] = std::array::from_fn(|register| ops.load(&weights[register * ops.len()..]));
        for (sums, values) in held_here.iter_mut().zip(&values) {
            let value = ops.splat(values[index]);
            for (sum, weight) in sums.iter_mut().zip(&weights) {
                *sum = ops.mul_add(value, *weight, *sum);
            }
        }
    }
    *held = held_here;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_mixes_all_channels_of_its_neighbours_and_nothing_is_below_zero() {
        let sizes = [(1, 1), (2, 1), (3, 1), (3, 2)];
        let precisions = [Precision::Floats, Precision::Shorts].into_iter().filter(|precision| precision.is_there());
        for ((side, stride), precision) in sizes.into_iter().flat_map(|size| precisions.clone().map(move |p| (size, p)))
        {
            let (inputs, outputs, before) = (3, 4, (side - 1) / 2);
            let weights: Vec<f32> = (0..outputs * inputs * side * side).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
            let layer = Dense::new(side, stride, &weights, &bias, precision).unwrap();
            let values: Vec<f32> = (0..2 * 9 * 10 * inputs).map(|i| ((i * 13) % 17) as f32).collect();
            let values = values.into();
            let input = Pixels { count: 2, height: 9, width: 10, channels: inputs, values };
            let output = layer.run(&input, &mut Scratch::default()).unwrap();
            for (index, value) in output.values.iter().enumerate() {
                let (pixel, channel) = (index / outputs, index % outputs);
                let (x, rest) = (pixel % output.width, pixel / output.width);
                let (y, item) = (rest % output.height, rest / output.height);
                let (mut sum, mut size) = (bias[channel], 0.0);
                for tap in 0..side * side {
                    let (from_y, from_x) = (y * stride + tap / side, x * stride + tap % side);
                    if from_y < before || from_x < before || from_y - before >= 9 || from_x - before >= 10 {
                        continue;
                    }
                    let at = ((item * 9 + from_y - before) * 10 + from_x - before) * inputs;
                    for from in 0..inputs {
                        let product = input.values[at + from] * weights[(channel * inputs + from) * side * side + tap];
                        (sum, size) = (sum + product, size + product.abs());
                    }
                }
                assert!((value - sum.max(0.0)).abs() < 1e-3 * size.max(1.0), "{side} {stride}: {value} {sum}");
            }
        }
        assert!(Dense::new(3, 1, &[1.0; 10], &[0.0; 2], Precision::Floats).is_none());
    }

    #[test]
    fn no_sum_of_a_picture_leaves_32_bits() {
        let (inputs, side) = (48, 3);
        let weights = vec![3.0; inputs * side * side];
        let Some(layer) = Dense::new(side, 1, &weights, &[0.5], Precision::Shorts) else {
            return println!("skipped: this processor has no AVX2");
        };
        // All as large as they come and of one sign, and channels of very different sizes.
        for small in [7.0, 0.01] {
            let values: Vec<f32> = (0..3 * 3 * inputs).map(|i| if i % inputs == 0 { 7.0 } else { small }).collect();
            let input = Pixels { count: 1, height: 3, width: 3, channels: inputs, values: values.into() };
            let output = layer.run(&input, &mut Scratch::default()).unwrap();
            let expected = 9.0 * 3.0 * (7.0 + (inputs - 1) as f32 * small) + 0.5;
            assert!((output.values[4] - expected).abs() < expected * 1e-2, "{} {expected}", output.values[4]);
        }
    }
}
