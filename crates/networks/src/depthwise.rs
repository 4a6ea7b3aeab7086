//! Layers that look at a pixel's neighbours, every channel by itself (depthwise convolutions).

use rten_simd::ops::NumOps;
use rten_simd::{Isa, SimdOp};

/// Pixels beside each other whose sums are held in registers while their neighbours are gone through.
const TOGETHER: usize = 4;

/// Pixels of several pictures of one size: channels of a pixel beside each other, then columns, rows and pictures.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pixels {
    /// Pictures.
    pub count: usize,
    /// Rows of a picture.
    pub height: usize,
    /// Columns of a picture.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
    /// `count * height * width * channels` values.
    pub values: Vec<f32>,
}

impl Pixels {
    /// From planes: channel after channel of each picture.
    pub fn from_planes([count, channels, height, width]: [usize; 4], planes: &[f32]) -> Self {
        let mut values = vec![0.0; planes.len()];
        let area = height * width;
        if area > 0 && channels > 0 {
            for (planes, values) in planes.chunks_exact(area * channels).zip(values.chunks_exact_mut(area * channels)) {
                for (channel, plane) in planes.chunks_exact(area).enumerate() {
                    for (pixel, value) in values.chunks_exact_mut(channels).zip(plane) {
                        pixel[channel] = *value;
                    }
                }
            }
        }
        Self { count, height, width, channels, values }
    }

    /// As planes: channel after channel of each picture.
    pub fn planes(&self) -> Vec<f32> {
        let mut planes = vec![0.0; self.values.len()];
        let area = self.height * self.width;
        if area > 0 && self.channels > 0 {
            let of_one = area * self.channels;
            for (values, planes) in self.values.chunks_exact(of_one).zip(planes.chunks_exact_mut(of_one)) {
                for (channel, plane) in planes.chunks_exact_mut(area).enumerate() {
                    for (pixel, value) in values.chunks_exact(self.channels).zip(plane) {
                        *value = pixel[channel];
                    }
                }
            }
        }
        planes
    }
}

/// A depthwise layer.
pub struct Depthwise {
    /// Neighbours looked at per axis, odd.
    side: usize,
    /// Weights of each neighbour, row by row, for all channels.
    taps: Vec<f32>,
    bias: Vec<f32>,
    /// Every how many rows and columns a pixel is computed.
    stride: [usize; 2],
}

impl Depthwise {
    /// A layer from its weights, `side * side` for each channel, and its biases. `None` when their numbers do not agree.
    pub fn new(side: usize, weights: &[f32], bias: Vec<f32>, stride: [usize; 2]) -> Option<Self> {
        let area = side * side;
        if weights.len() != bias.len() * area || bias.is_empty() || side.is_multiple_of(2) || stride.contains(&0) {
            return None;
        }
        let taps = (0..area).flat_map(|tap| weights.iter().skip(tap).step_by(area).copied()).collect();
        Some(Self { side, taps, bias, stride })
    }

    /// Channels of a pixel, before and after.
    pub fn channels(&self) -> usize {
        self.bias.len()
    }

    /// Runs the layer; beyond the edges everything is zero.
    pub fn run(&self, input: &Pixels) -> Pixels {
        let [down, across] = self.stride;
        let (height, width) = (input.height.div_ceil(down), input.width.div_ceil(across));
        let mut output = Pixels { height, width, values: Vec::new(), ..*input };
        output.values.resize(input.count * height * width * input.channels, 0.0);
        Run { layer: self, input, output: &mut output }.dispatch();
        output
    }
}

struct Run<'a> {
    layer: &'a Depthwise,
    input: &'a Pixels,
    output: &'a mut Pixels,
}

impl SimdOp for Run<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "the loops take the vector registers of the function they are inlined into"
    )]
    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let Self { layer, input, output } = self;
        let channels = input.channels;
        let row = input.width * channels;
        let picture = input.height * row;
        if picture == 0 {
            return;
        }
        let ([down, across], side) = (layer.stride, layer.side);
        let reach = side / 2;
        let (out_height, out_width) = (output.height, output.width);
        // Columns whose neighbours all lie inside: positions are counted from `reach` beyond the edge.
        let inner_from = reach.div_ceil(across).min(out_width);
        let inner_to = ((input.width + reach).saturating_sub(side) / across + 1).clamp(inner_from, out_width);
        for (index, sums) in output.values.chunks_exact_mut(out_width * channels).enumerate() {
            let (line, item) = (index % out_height, index / out_height);
            let top = line * down;
            let rows = top.max(reach)..(top + side).min(input.height + reach);
            let values = &input.values[item * picture..][..picture];
            let row_of = |y: usize| (&values[(y - reach) * row..][..row], &layer.taps[(y - top) * side * channels..]);
            let mut column = 0;
            while column < out_width {
                let left = column * across;
                if column >= inner_from && column + TOGETHER <= inner_to {
                    let sums = &mut sums[column * channels..][..TOGETHER * channels];
                    let start = (left - reach) * channels;
                    let rows = rows.clone().map(|y| (&row_of(y).0[start..], row_of(y).1));
                    inside(isa.f32(), rows, side, across * channels, &layer.bias, sums);
                    column += TOGETHER;
                    continue;
                }
                let pixel = &mut sums[column * channels..][..channels];
                pixel.copy_from_slice(&layer.bias);
                let columns = left.max(reach)..(left + side).min(input.width + reach);
                for y in rows.clone() {
                    let (values, taps) = row_of(y);
                    for x in columns.clone() {
                        let values = &values[(x - reach) * channels..][..channels];
                        let weights = &taps[(x - left) * channels..][..channels];
                        for ((sum, value), weight) in pixel.iter_mut().zip(values).zip(weights) {
                            *sum += value * weight;
                        }
                    }
                }
                column += 1;
            }
        }
    }
}

/// The sums of [`TOGETHER`] pixels none of whose neighbours lies beyond the edge. `rows` are the values from the first
/// neighbour on and their weights, `step` is how many values lie between neighbouring pixels' first neighbours.
#[expect(clippy::inline_always, reason = "it takes the vector registers of the function it is inlined into")]
#[inline(always)]
fn inside<'a, O: NumOps<f32>>(
    ops: O,
    rows: impl Iterator<Item = (&'a [f32], &'a [f32])> + Clone,
    side: usize,
    step: usize,
    bias: &[f32],
    sums: &mut [f32],
) {
    let channels = bias.len();
    let lanes = ops.len();
    let whole = channels / lanes * lanes;
    for channel in (0..whole).step_by(lanes) {
        let mut held = [ops.load(&bias[channel..]); TOGETHER];
        for (values, taps) in rows.clone() {
            for x in 0..side {
                let weight = ops.load(&taps[x * channels + channel..]);
                for (pixel, sum) in held.iter_mut().enumerate() {
                    let value = ops.load(&values[pixel * step + x * channels + channel..]);
                    *sum = ops.mul_add(value, weight, *sum);
                }
            }
        }
        for (pixel, sum) in held.into_iter().enumerate() {
            ops.store(sum, &mut sums[pixel * channels + channel..]);
        }
    }
    for channel in whole..channels {
        for pixel in 0..TOGETHER {
            let mut sum = bias[channel];
            for (values, taps) in rows.clone() {
                for x in 0..side {
                    sum += values[pixel * step + x * channels + channel] * taps[x * channels + channel];
                }
            }
            sums[pixel * channels + channel] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(layer: &Depthwise, input: &Pixels, item: usize, y: usize, x: usize, channel: usize) -> f32 {
        let (side, reach) = (layer.side, layer.side / 2);
        let mut sum = layer.bias[channel];
        for tap in 0..side * side {
            let (from_y, from_x) = (y * layer.stride[0] + tap / side, x * layer.stride[1] + tap % side);
            if (reach..input.height + reach).contains(&from_y) && (reach..input.width + reach).contains(&from_x) {
                let pixel = (item * input.height + from_y - reach) * input.width + from_x - reach;
                sum += input.values[pixel * input.channels + channel] * layer.taps[tap * input.channels + channel];
            }
        }
        sum
    }

    #[test]
    fn every_pixel_is_the_weighted_sum_of_its_neighbours() {
        let channels = 5;
        for (side, count, height, width, stride) in [
            (3, 2, 6, 7, [1, 1]),
            (3, 1, 5, 4, [2, 1]),
            (3, 3, 5, 5, [2, 2]),
            (7, 1, 9, 4, [1, 1]),
            (3, 1, 1, 1, [1, 1]),
        ] {
            let weights: Vec<f32> = (0..channels * side * side).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            let layer = Depthwise::new(side, &weights, vec![0.5, 1.0, 1.5, 2.0, 2.5], stride).unwrap();
            let values = (0..count * height * width * channels).map(|i| ((i * 13) % 17) as f32).collect();
            let input = Pixels { count, height, width, channels, values };
            let output = layer.run(&input);
            assert_eq!((output.height, output.width), (height.div_ceil(stride[0]), width.div_ceil(stride[1])));
            for (index, value) in output.values.iter().enumerate() {
                let (pixel, channel) = (index / channels, index % channels);
                let (x, rest) = (pixel % output.width, pixel / output.width);
                let expected = plain(&layer, &input, rest / output.height, rest % output.height, x, channel);
                assert!((value - expected).abs() < 1e-2, "{value} {expected}");
            }
            assert!(Depthwise::new(side, &weights[1..], vec![0.0; channels], [1, 1]).is_none());
        }
    }

    #[test]
    fn planes_and_pixels_are_the_same_picture() {
        let planes: Vec<f32> = (0..2 * 3 * 4 * 5).map(|v| v as f32).collect();
        let pixels = Pixels::from_planes([2, 3, 4, 5], &planes);
        assert_eq!(pixels.values[..3], [0.0, 20.0, 40.0]);
        assert_eq!(pixels.planes(), planes);
    }
}
