//! The trunk both networks share, computed here instead of by `rten`: a stem and 13 blocks, most of all their work.
//!
//! The stem shrinks the picture to a quarter. A block looks at neighbours (depthwise), weighs its channels by what the whole picture shows (some blocks), and mixes
//! them twice (pointwise, with GELU between). The weights are `rten`'s own constants, found by their names; when one
//! is missing the weights are other ones than those this was written for, and the whole network runs on `rten`.

use rten_simd::SimdUnaryOp as _;

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::gelu::Gelu;
use super::pixels::Pixels;
use super::pointwise::{Pointwise, Precision, Scratch};
use crate::{NetworkError, failed};

/// Which network's trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trunk {
    /// Of the detection network: halves both sides three times.
    Detection,
    /// Of the recognition network: halves the height twice and keeps the width.
    Recognition,
}

/// Where a block's weights are: numbers of its convolutions as the weights name them.
struct Named {
    /// Depthwise; the two pointwise ones follow it.
    depthwise: u32,
    /// First of the two convolutions that weigh channels.
    weighing: Option<u32>,
    /// Whether the picture is halved; those blocks change the number of channels and add nothing of what they were given.
    halves: bool,
    /// Name of the block's result, where the rest of the network needs it.
    result: Option<&'static str>,
}

const fn named(depthwise: u32, weighing: Option<u32>) -> Named {
    Named { depthwise, weighing, halves: false, result: None }
}

const fn halving(depthwise: u32) -> Named {
    Named { depthwise, weighing: None, halves: true, result: None }
}

const fn resulting(depthwise: u32, result: &'static str) -> Named {
    Named { depthwise, weighing: None, halves: false, result: Some(result) }
}

const DETECTION: [Named; 13] = [
    named(118, Some(7)),
    resulting(122, "Add.33"),
    halving(125),
    named(129, Some(20)),
    resulting(133, "Add.65"),
    halving(136),
    named(140, Some(33)),
    named(144, None),
    named(148, Some(43)),
    resulting(152, "Add.121"),
    halving(155),
    named(159, Some(56)),
    resulting(163, "Add.153"),
];

const RECOGNITION: [Named; 13] = [
    named(74, Some(7)),
    named(78, None),
    named(82, None),
    halving(85),
    named(89, Some(24)),
    named(93, None),
    named(97, Some(34)),
    named(101, None),
    named(105, Some(44)),
    named(109, None),
    halving(112),
    named(116, Some(57)),
    resulting(120, "Add.155"),
];

/// Pixels mixed at a time: what lies between a block's two layers stays in the second-level cache.
const STRIP: usize = 256;

/// The hard sigmoid of the blocks.
const SLOPE: f32 = 0.166_666_7;

/// Weights looked up by the names they have in the file.
pub struct Constants<'a>(pub &'a dyn Fn(&str) -> Option<Vec<f32>>);

impl Constants<'_> {
    /// Weights of a convolution.
    pub fn weights(&self, number: u32) -> Option<Vec<f32>> {
        self.0(&format!("conv2d_{number}.w_0"))
    }

    /// Biases are numbered in the order they are used.
    pub fn bias(&self, number: u32) -> Option<Vec<f32>> {
        self.0(&format!("p2o.pd_op.reshape.{number}.0"))
    }
}

impl Trunk {
    /// Number of the stem's first convolution; the other four follow it.
    const fn stem(self) -> u32 {
        match self {
            Self::Detection => 112,
            Self::Recognition => 68,
        }
    }

    const fn blocks(self) -> &'static [Named; 13] {
        match self {
            Self::Detection => &DETECTION,
            Self::Recognition => &RECOGNITION,
        }
    }

    const fn stride(self, halves: bool) -> [usize; 2] {
        match (self, halves) {
            (Self::Detection, true) => [2, 2],
            (Self::Recognition, true) => [2, 1],
            (Self::Detection | Self::Recognition, false) => [1, 1],
        }
    }

    /// Names of the values the rest of the network starts from.
    pub fn results(self) -> impl Iterator<Item = &'static str> {
        self.blocks().iter().filter_map(|block| block.result)
    }
}

/// A loaded trunk.
pub struct Backbone {
    stem: Stem,
    blocks: Vec<Block>,
}

struct Block {
    depthwise: Depthwise,
    weighing: Option<[Pointwise; 2]>,
    widen: Pointwise,
    narrow: Pointwise,
    adds: bool,
    is_result: bool,
    /// Whether what it computes is rounded, so that what rounding hides may be left out.
    rounds: bool,
}

impl Backbone {
    /// Builds the trunk from weights looked up by name; `None` when one is missing or has another size than it should.
    pub fn load(trunk: Trunk, precision: Precision, constants: &Constants<'_>) -> Option<Self> {
        let mut next_bias = 0;
        let mut bias = || {
            next_bias += 1;
            constants.bias(next_bias - 1)
        };
        let weights = |number: u32| constants.weights(number);
        let first = trunk.stem();
        let stem = Stem {
            halve: Dense::new(3, 2, &weights(first)?, &bias()?, precision)?,
            squeeze: Dense::new(2, 1, &weights(first + 1)?, &bias()?, precision)?,
            expand: Dense::new(2, 1, &weights(first + 2)?, &bias()?, precision)?,
            halve_again: Dense::new(3, 2, &weights(first + 3)?, &bias()?, precision)?,
            widen: Dense::new(1, 1, &weights(first + 4)?, &bias()?, precision)?,
        };
        let mut blocks = Vec::new();
        for named in trunk.blocks() {
            let first = named.depthwise;
            let depthwise = Depthwise::new(3, &weights(first)?, bias()?, trunk.stride(named.halves))?;
            let weighing = match named.weighing {
                // So few values that bytes would save nothing.
                Some(number) => Some([
                    Pointwise::new(&weights(number)?, bias()?, Precision::Floats)?,
                    Pointwise::new(&weights(number + 1)?, bias()?, Precision::Floats)?,
                ]),
                None => None,
            };
            let widen = Pointwise::new(&weights(first + 1)?, bias()?, precision)?;
            let narrow = Pointwise::new(&weights(first + 2)?, bias()?, precision)?;
            let fits = widen.inputs() == depthwise.channels()
                && narrow.inputs() == widen.outputs()
                && (named.halves || narrow.outputs() == depthwise.channels());
            if !fits {
                return None;
            }
            let is_result = named.result.is_some();
            let rounds = precision != Precision::Floats;
            blocks.push(Block { depthwise, weighing, widen, narrow, adds: !named.halves, is_result, rounds });
        }
        Some(Self { stem, blocks })
    }

    /// Runs the trunk over pictures of three channels; gives the results in the order of [`Trunk::results`].
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the input is not what the stem takes.
    pub fn run(&self, input: &Pixels, scratch: &mut Scratch) -> Result<Vec<Pixels>, NetworkError> {
        let mut results: Vec<Pixels> = Vec::new();
        let mut pixels = self.stem.run(input, scratch)?;
        for (index, block) in self.blocks.iter().enumerate() {
            let after = block.run(&pixels, scratch)?;
            let before = std::mem::replace(&mut pixels, after);
            if index > 0 && self.blocks[index - 1].is_result {
                results.push(before);
            } else {
                scratch.rooms.give_back(before.values);
            }
        }
        if self.blocks.last().is_some_and(|block| block.is_result) {
            results.push(pixels);
        }
        Ok(results)
    }
}

impl Block {
    fn run(&self, input: &Pixels, scratch: &mut Scratch) -> Result<Pixels, NetworkError> {
        if input.channels != self.depthwise.channels() {
            return Err(failed("a block was handed pixels of another block"));
        }
        let mut seen = self.depthwise.run(input, &mut scratch.rooms);
        if let Some(layers) = &self.weighing {
            weigh(&mut seen, layers, SLOPE, 0.0, scratch)?;
        }
        let Pixels { count, height, width, channels, values } = seen;
        let outputs = self.narrow.outputs();
        let mut mixed = scratch.rooms.take(count * height * width * outputs);
        let mut strip = scratch.rooms.take(STRIP * self.widen.outputs());
        for (pixels, mixed) in values.chunks(STRIP * channels).zip(mixed.chunks_mut(STRIP * outputs)) {
            let hidden = &mut strip[..pixels.len() / channels * self.widen.outputs()];
            self.widen.mix(pixels, hidden, scratch)?;
            if self.rounds {
                Gelu.map_mut(hidden);
            } else {
                rten_vecmath::Gelu {}.map_mut(hidden);
            }
            self.narrow.mix(hidden, mixed, scratch)?;
            if self.adds {
                for (mixed, pixel) in mixed.iter_mut().zip(pixels) {
                    *mixed += pixel;
                }
            }
        }
        scratch.rooms.give_back(values);
        scratch.rooms.give_back(strip);
        Ok(Pixels { count, height, width, channels: outputs, values: mixed })
    }
}

/// From a picture to a quarter of its size.
struct Stem {
    halve: Dense,
    squeeze: Dense,
    expand: Dense,
    halve_again: Dense,
    widen: Dense,
}

impl Stem {
    fn run(&self, input: &Pixels, scratch: &mut Scratch) -> Result<Pixels, NetworkError> {
        let halved = self.halve.run(input, scratch)?;
        let squeezed = self.squeeze.run(&halved, scratch)?;
        // What is largest and what is mixed, one behind the other.
        let channels = halved.channels + self.expand.outputs();
        let values = scratch.rooms.take(halved.count * halved.height * halved.width * channels);
        let mut both = Pixels { channels, values, ..halved };
        largest_of_four(&halved, &mut both);
        self.expand.run_into(&squeezed, &mut both, halved.channels, scratch)?;
        scratch.rooms.give_back(halved.values);
        scratch.rooms.give_back(squeezed.values);
        let halved = self.halve_again.run(&both, scratch)?;
        scratch.rooms.give_back(both.values);
        let widened = self.widen.run(&halved, scratch)?;
        scratch.rooms.give_back(halved.values);
        Ok(widened)
    }
}

/// Of every pixel and the three to its right and below the largest value of each channel, in the first channels of
/// `largest`. Values are not negative.
fn largest_of_four(input: &Pixels, largest: &mut Pixels) {
    let Pixels { height, width, channels, .. } = *input;
    for (index, pixel) in largest.values.chunks_exact_mut(largest.channels).enumerate() {
        let (x, y) = (index % width, index / width % height);
        let right = if x + 1 < width { channels } else { 0 };
        let down = if y + 1 < height { width * channels } else { 0 };
        let values = &input.values[index * channels..];
        let four = [0, right, down, down + right].map(|offset| &values[offset..][..channels]);
        for (channel, value) in pixel[..channels].iter_mut().enumerate() {
            let above = if four[0][channel] > four[1][channel] { four[0][channel] } else { four[1][channel] };
            let below = if four[2][channel] > four[3][channel] { four[2][channel] } else { four[3][channel] };
            *value = if above > below { above } else { below };
        }
    }
}

/// Multiplies every channel by `plus` and a weight found from the channels' means over the whole picture; `slope` is of
/// the hard sigmoid the weight ends with.
pub fn weigh(
    pixels: &mut Pixels,
    [first, second]: &[Pointwise; 2],
    slope: f32,
    plus: f32,
    scratch: &mut Scratch,
) -> Result<(), NetworkError> {
    let channels = pixels.channels;
    let area = pixels.height * pixels.width;
    let (mut squeezed, mut weights) = (vec![0.0; first.outputs()], vec![0.0; second.outputs()]);
    for picture in pixels.values.chunks_exact_mut((area * channels).max(1)) {
        let mut means = vec![0.0f32; channels];
        for pixel in picture.chunks_exact(channels) {
            for (mean, value) in means.iter_mut().zip(pixel) {
                *mean += value;
            }
        }
        for mean in &mut means {
            *mean /= area as f32;
        }
        first.mix(&means, &mut squeezed, scratch)?;
        for value in &mut squeezed {
            *value = value.max(0.0);
        }
        second.mix(&squeezed, &mut weights, scratch)?;
        for weight in &mut weights {
            *weight = plus + (*weight * slope + 0.5).clamp(0.0, 1.0);
        }
        for pixel in picture.chunks_exact_mut(channels) {
            for (value, weight) in pixel.iter_mut().zip(&weights) {
                *value *= weight;
            }
        }
    }
    Ok(())
}
