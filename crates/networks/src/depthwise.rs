//! Layers that look at a pixel's neighbours, every channel by itself (depthwise convolutions).

use rten_simd::ops::NumOps;
use rten_simd::{Isa, SimdOp};

use super::pixels::Pixels;
use super::rooms::Rooms;

/// Pixels beside each other whose sums are held in registers while their neighbours are gone through.
const TOGETHER: usize = 8;

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
    pub fn run(&self, input: &Pixels, rooms: &mut Rooms) -> Pixels {
        let [down, across] = self.stride;
        let (height, width) = (input.height.div_ceil(down), input.width.div_ceil(across));
        let values = rooms.take(input.count * height * width * input.channels);
        let mut output = Pixels { height, width, values, ..*input };
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
                    inside(isa.f32(), rows, side, across, &layer.bias, sums);
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
/// neighbour on and their weights, `across` is how many columns lie between neighbouring pixels' first neighbours.
#[expect(clippy::inline_always, reason = "it takes the vector registers of the function it is inlined into")]
#[inline(always)]
fn inside<'a, O: NumOps<f32>>(
    ops: O,
    rows: impl Iterator<Item = (&'a [f32], &'a [f32])> + Clone,
    side: usize,
    across: usize,
    bias: &[f32],
    sums: &mut [f32],
) {
    let channels = bias.len();
    let lanes = ops.len();
    let whole = channels / lanes * lanes;
    for channel in (0..whole).step_by(lanes) {
        let mut held = [ops.load(&bias[channel..]); TOGETHER];
        for (values, taps) in rows.clone() {
            let (values, taps) = (&values[channel..], &taps[channel..]);
            match (side, across) {
                (3, 1) => row::<_, 3, 1, 10>(ops, values, taps, channels, &mut held),
                (7, 1) => row::<_, 7, 1, 14>(ops, values, taps, channels, &mut held),
                (3, 2) => row::<_, 3, 2, 17>(ops, values, taps, channels, &mut held),
                _ => {
                    for x in 0..side {
                        let weight = ops.load(&taps[x * channels..]);
                        for (pixel, sum) in held.iter_mut().enumerate() {
                            let value = ops.load(&values[(pixel * across + x) * channels..]);
                            *sum = ops.mul_add(value, weight, *sum);
                        }
                    }
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
                    sum += values[(pixel * across + x) * channels + channel] * taps[x * channels + channel];
                }
            }
            sums[pixel * channels + channel] = sum;
        }
    }
}

/// Adds a row of `SIDE` neighbours to the sums of pixels `ACROSS` columns apart. Neighbouring pixels share most of their
/// neighbours: each of the `COLUMNS` they have together is fetched once.
#[expect(clippy::inline_always, reason = "it takes the vector registers of the function it is inlined into")]
#[inline(always)]
fn row<O: NumOps<f32>, const SIDE: usize, const ACROSS: usize, const COLUMNS: usize>(
    ops: O,
    values: &[f32],
    taps: &[f32],
    channels: usize,
    held: &mut [O::Simd; TOGETHER],
) {
    let weights: [O::Simd; SIDE] = std::array::from_fn(|x| ops.load(&taps[x * channels..]));
    for column in 0..COLUMNS {
        let value = ops.load(&values[column * channels..]);
        for (pixel, sum) in held.iter_mut().enumerate() {
            if let Some(weight) = column.checked_sub(pixel * ACROSS).and_then(|x| weights.get(x)) {
                *sum = ops.mul_add(value, *weight, *sum);
            }
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
        // More than a register of channels and some over; rows with many pixels inside, and with none.
        let channels = 21;
        for (side, count, height, width, stride) in [
            (3, 2, 6, 7, [1, 1]),
            (3, 2, 6, 19, [1, 1]),
            (3, 1, 5, 4, [2, 1]),
            (3, 3, 5, 5, [2, 2]),
            (3, 2, 5, 41, [2, 2]),
            (3, 1, 5, 22, [2, 1]),
            (7, 1, 9, 4, [1, 1]),
            (7, 1, 9, 31, [1, 1]),
            (5, 1, 6, 26, [1, 1]),
            (3, 1, 4, 40, [1, 3]),
            (3, 1, 1, 1, [1, 1]),
        ] {
            let weights: Vec<f32> = (0..channels * side * side).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            let bias = (1..=channels).map(|channel| channel as f32 / 2.0).collect();
            let layer = Depthwise::new(side, &weights, bias, stride).unwrap();
            let values: Vec<f32> = (0..count * height * width * channels).map(|i| ((i * 13) % 17) as f32).collect();
            let values = values.into();
            let input = Pixels { count, height, width, channels, values };
            let output = layer.run(&input, &mut Rooms::default());
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
}
