//! Layers that mix the channels of a pixel and its neighbours (convolutions of 2 x 2 and 3 x 3).

use rten_simd::ops::{BitOps as _, NumOps};
use rten_simd::{Isa, SimdOp};

use super::depthwise::Pixels;
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
    /// For every neighbour and every channel of it the weights of all outputs, padded.
    weights: Vec<f32>,
    /// Padded.
    bias: Vec<f32>,
}

impl Dense {
    /// A layer from its weights (output, input, row, column) and biases. Even sides look down and right only, as the
    /// networks pad them. `None` when the numbers do not agree.
    pub fn new(side: usize, stride: usize, weights: &[f32], mut bias: Vec<f32>) -> Option<Self> {
        let (area, outputs) = (side * side, bias.len());
        let inputs = weights.len().checked_div(outputs * area)?;
        if inputs == 0 || inputs * outputs * area != weights.len() || stride == 0 {
            return None;
        }
        let padded = outputs.next_multiple_of(PANEL);
        let mut by_neighbour = vec![0.0; area * inputs * padded];
        for (index, weight) in weights.iter().enumerate() {
            let (tap, channel) = (index % area, index / area % inputs);
            by_neighbour[(tap * inputs + channel) * padded + index / (area * inputs)] = *weight;
        }
        bias.resize(padded, 0.0);
        Some(Self { side, before: (side - 1) / 2, stride, inputs, outputs, weights: by_neighbour, bias })
    }

    /// Channels of a pixel after.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Runs the layer; beyond the edges everything is zero.
    ///
    /// # Errors
    /// [`NetworkError::Failed`](crate::NetworkError::Failed) when the input has other channels than the layer takes.
    pub fn run(&self, input: &Pixels) -> Result<Pixels, NetworkError> {
        let (height, width) = (input.height.div_ceil(self.stride), input.width.div_ceil(self.stride));
        let channels = self.outputs;
        let values = vec![0.0; input.count * height * width * channels];
        let mut output = Pixels { count: input.count, height, width, channels, values };
        self.run_into(input, &mut output, 0)?;
        Ok(output)
    }

    /// Runs the layer into the channels of `output` from `first` on.
    ///
    /// # Errors
    /// [`NetworkError::Failed`](crate::NetworkError::Failed) when the input has other channels than the layer takes
    /// or the output is not of the size it gives.
    pub fn run_into(&self, input: &Pixels, output: &mut Pixels, first: usize) -> Result<(), NetworkError> {
        let size = (input.count, input.height.div_ceil(self.stride), input.width.div_ceil(self.stride));
        let fits = size == (output.count, output.height, output.width) && first + self.outputs <= output.channels;
        if input.channels != self.inputs || !fits {
            return Err(failed("a layer was handed pixels of another layer"));
        }
        Run { layer: self, input, output, first }.dispatch();
        Ok(())
    }
}

struct Run<'a> {
    layer: &'a Dense,
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
        let Self { layer, input, output, first } = self;
        if output.width == 0 || output.height == 0 {
            return;
        }
        let beyond = vec![0.0; layer.inputs];
        // Sums that do not fit into the registers go through memory, which takes twice as long: AVX2 has 16 of them.
        let most = if ops.len() < PANEL { 2 } else { REGISTERS };
        let (out_width, out_height, channels) = (output.width, output.height, output.channels);
        for (index, pixels) in output.values.chunks_exact_mut(out_width * channels).enumerate() {
            let row = Row { layer, input, beyond: &beyond, item: index / out_height, line: index % out_height };
            for from in (0..layer.bias.len()).step_by(most * ops.len()) {
                let registers = ((layer.bias.len() - from) / ops.len()).min(most);
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
        let (lanes, padded, inputs) = (ops.len(), layer.bias.len(), layer.inputs);
        let mut held = [[ops.zero(); V]; P];
        for sums in &mut held {
            for (register, sum) in sums.iter_mut().enumerate() {
                *sum = ops.load(&layer.bias[from + register * lanes..]);
            }
        }
        let across = layer.side * inputs;
        for (row, weights) in layer.weights.chunks_exact(across * padded).enumerate() {
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
        for (side, stride) in [(2, 1), (3, 1), (3, 2)] {
            let (inputs, outputs, before) = (3, 4, (side - 1) / 2);
            let weights: Vec<f32> = (0..outputs * inputs * side * side).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32).collect();
            let layer = Dense::new(side, stride, &weights, bias.clone()).unwrap();
            let values = (0..2 * 9 * 10 * inputs).map(|i| ((i * 13) % 17) as f32).collect();
            let input = Pixels { count: 2, height: 9, width: 10, channels: inputs, values };
            let output = layer.run(&input).unwrap();
            for (index, value) in output.values.iter().enumerate() {
                let (pixel, channel) = (index / outputs, index % outputs);
                let (x, rest) = (pixel % output.width, pixel / output.width);
                let (y, item) = (rest % output.height, rest / output.height);
                let mut sum = bias[channel];
                for tap in 0..side * side {
                    let (from_y, from_x) = (y * stride + tap / side, x * stride + tap % side);
                    if from_y < before || from_x < before || from_y - before >= 9 || from_x - before >= 10 {
                        continue;
                    }
                    let at = ((item * 9 + from_y - before) * 10 + from_x - before) * inputs;
                    for from in 0..inputs {
                        sum += input.values[at + from] * weights[(channel * inputs + from) * side * side + tap];
                    }
                }
                assert!((value - sum.max(0.0)).abs() < 1e-2, "{side} {stride}: {value} {sum}");
            }
        }
        assert!(Dense::new(3, 1, &[1.0; 10], vec![0.0; 2]).is_none());
    }
}
