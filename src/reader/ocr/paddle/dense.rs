//! Layers that mix the channels of a pixel and its neighbours (convolutions of 2 x 2 and 3 x 3).

use super::depthwise::Pixels;
use super::pointwise::{Pointwise, Precision, Scratch, TILE};
use crate::reader::ocr::OcrError;

/// A layer followed by a rectifier: what is below zero becomes zero.
pub struct Dense {
    /// Neighbours looked at per axis.
    side: usize,
    /// How far up and left of a pixel they begin.
    before: usize,
    /// Every how many rows and columns a pixel is computed.
    stride: usize,
    mix: Pointwise,
}

impl Dense {
    /// A layer from its weights (output, input, row, column) and biases. Even sides look down and right only, as the
    /// networks pad them. `None` when the numbers do not agree.
    pub fn new(side: usize, stride: usize, weights: &[f32], bias: Vec<f32>, precision: Precision) -> Option<Self> {
        let area = side * side;
        let inputs = weights.len().checked_div(bias.len() * area)?;
        if inputs * bias.len() * area != weights.len() || stride == 0 {
            return None;
        }
        // Gathered neighbours lie one behind the other, the channels of each together.
        let mut gathered = Vec::with_capacity(weights.len());
        for output in weights.chunks_exact(inputs * area) {
            gathered.extend((0..area).flat_map(|tap| output.iter().skip(tap).step_by(area)));
        }
        Some(Self { side, before: (side - 1) / 2, stride, mix: Pointwise::new(&gathered, bias, precision)? })
    }

    /// Runs the layer; beyond the edges everything is zero.
    ///
    /// # Errors
    /// [`OcrError::Failed`](crate::reader::ocr::OcrError::Failed) when the input has other channels than the layer takes.
    pub fn run(&self, input: &Pixels, scratch: &mut Scratch) -> Result<Pixels, OcrError> {
        let (height, width) = (input.height.div_ceil(self.stride), input.width.div_ceil(self.stride));
        let outputs = self.mix.outputs();
        let pixels = input.count * height * width;
        let mut values = vec![0.0; pixels * outputs];
        let gathered_channels = self.side * self.side * input.channels;
        let mut gathered = vec![0.0; TILE * gathered_channels];
        for (tile, mixed) in values.chunks_mut(TILE * outputs).enumerate() {
            let count = mixed.len() / outputs;
            let gathered = &mut gathered[..count * gathered_channels];
            for (pixel, neighbours) in gathered.chunks_exact_mut(gathered_channels.max(1)).enumerate() {
                self.gather(input, (height, width), tile * TILE + pixel, neighbours);
            }
            self.mix.mix(gathered, mixed, scratch)?;
            for value in mixed {
                *value = if *value > 0.0 { *value } else { 0.0 };
            }
        }
        Ok(Pixels { count: input.count, height, width, channels: outputs, values })
    }

    fn gather(&self, input: &Pixels, (height, width): (usize, usize), index: usize, neighbours: &mut [f32]) {
        let (column, rest) = (index % width, index / width);
        let (line, item) = (rest % height, rest / height);
        for (tap, neighbour) in neighbours.chunks_exact_mut(input.channels).enumerate() {
            let y = (line * self.stride + tap / self.side).wrapping_sub(self.before);
            let x = (column * self.stride + tap % self.side).wrapping_sub(self.before);
            if y < input.height && x < input.width {
                let at = ((item * input.height + y) * input.width + x) * input.channels;
                neighbour.copy_from_slice(&input.values[at..at + input.channels]);
            } else {
                neighbour.fill(0.0);
            }
        }
    }
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
            let layer = Dense::new(side, stride, &weights, bias.clone(), Precision::Floats).unwrap();
            let values = (0..2 * 9 * 10 * inputs).map(|i| ((i * 13) % 17) as f32).collect();
            let input = Pixels { count: 2, height: 9, width: 10, channels: inputs, values };
            let output = layer.run(&input, &mut Scratch::default()).unwrap();
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
        assert!(Dense::new(3, 1, &[1.0; 10], vec![0.0; 2], Precision::Floats).is_none());
    }
}
