//! What the detection network does with its trunk's four results: each is brought to 24 channels with what the
//! coarser ones saw added, and all are laid over each other at a quarter of the picture's size.

use super::backbone::{Constants, weigh};
use super::dense::Dense;
use super::depthwise::Depthwise;
use super::pixels::Pixels;
use super::pointwise::{Pointwise, Precision, Scratch};
use crate::{NetworkError, failed};

/// Scales, finest first.
const LEVELS: usize = 4;
/// The hard sigmoid of these layers.
const SLOPE: f32 = 0.2;

/// Numbers of a level's convolutions and biases as the weights name them.
struct Named {
    /// To 96 channels; the two that weigh them follow.
    inward: u32,
    inward_bias: u32,
    /// Looks at neighbours.
    depthwise: u32,
    depthwise_bias: u32,
    /// To 24 channels; the two that weigh them follow, and so do their biases.
    outward: u32,
}

const NAMED: [Named; LEVELS] = [
    Named { inward: 64, inward_bias: 60, depthwise: 166, depthwise_bias: 71, outward: 71 },
    Named { inward: 74, inward_bias: 58, depthwise: 167, depthwise_bias: 68, outward: 81 },
    Named { inward: 84, inward_bias: 56, depthwise: 168, depthwise_bias: 65, outward: 91 },
    Named { inward: 94, inward_bias: 54, depthwise: 169, depthwise_bias: 62, outward: 101 },
];
/// The last convolution and its bias.
const LAST: (u32, u32) = (170, 74);

/// A loaded pyramid.
pub struct Pyramid {
    levels: Vec<Level>,
    last: Dense,
}

struct Level {
    inward: Pointwise,
    inward_weighing: [Pointwise; 2],
    depthwise: Depthwise,
    outward: Pointwise,
    outward_weighing: [Pointwise; 2],
}

impl Pyramid {
    /// Name of the value computed.
    pub const RESULT: &'static str = "p2o.pd_op.relu.18.0";

    /// Builds it from weights looked up by name; `None` when one is missing or has another size than it should.
    pub fn load(constants: &Constants<'_>, precision: Precision) -> Option<Self> {
        let unbiased =
            |number: u32, outputs: usize| Pointwise::new(&constants.weights(number)?, vec![0.0; outputs], precision);
        let weighing = |number: u32, bias: u32| {
            let layer = |step: u32| {
                Pointwise::new(&constants.weights(number + step)?, constants.bias(bias + step)?, Precision::Floats)
            };
            Some([layer(0)?, layer(1)?])
        };
        let levels = NAMED.iter().map(|named| {
            let depthwise_bias = constants.bias(named.depthwise_bias)?;
            let channels = depthwise_bias.len();
            let outward_weighing = weighing(named.outward + 1, named.depthwise_bias + 1)?;
            Some(Level {
                inward: unbiased(named.inward, channels)?,
                inward_weighing: weighing(named.inward + 1, named.inward_bias)?,
                depthwise: Depthwise::new(7, &constants.weights(named.depthwise)?, depthwise_bias, [1, 1])?,
                outward: unbiased(named.outward, outward_weighing[1].outputs())?,
                outward_weighing,
            })
        });
        let levels = levels.collect::<Option<Vec<_>>>()?;
        let last = Dense::new(3, 1, &constants.weights(LAST.0)?, &constants.bias(LAST.1)?, precision)?;
        Some(Self { levels, last })
    }

    /// Lays the four results of the trunk, finest first, over each other.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when they are not what the layers take.
    pub fn run(&self, results: Vec<Pixels>, scratch: &mut Scratch) -> Result<Pixels, NetworkError> {
        let Some(finest) = results.first().filter(|_| results.len() == LEVELS) else {
            return Err(failed("the trunk of the detection network gave other results than it should"));
        };
        let (height, width) = (finest.height, finest.width);
        let mut coarser: Option<Pixels> = None;
        let mut seen = Vec::new();
        for (level, result) in self.levels.iter().zip(results).rev() {
            let mut inward = mix(&level.inward, &result, scratch)?;
            scratch.rooms.give_back(result.values);
            weigh(&mut inward, &level.inward_weighing, SLOPE, 1.0, scratch)?;
            if let Some(coarser) = coarser.take() {
                add_doubled(&mut inward, &coarser);
                scratch.rooms.give_back(coarser.values);
            }
            let around = level.depthwise.run(&inward, &mut scratch.rooms);
            let mut outward = mix(&level.outward, &around, scratch)?;
            scratch.rooms.give_back(around.values);
            weigh(&mut outward, &level.outward_weighing, SLOPE, 1.0, scratch)?;
            seen.push(outward);
            coarser = Some(inward);
        }
        self.last.run(&laid_over(&seen, height, width), scratch)
    }
}

fn mix(layer: &Pointwise, pixels: &Pixels, scratch: &mut Scratch) -> Result<Pixels, NetworkError> {
    let mut values = scratch.rooms.take(pixels.count * pixels.height * pixels.width * layer.outputs());
    layer.mix(&pixels.values, &mut values, scratch)?;
    Ok(Pixels { channels: layer.outputs(), values, ..*pixels })
}

/// Adds a picture of half the size, every pixel of it four times.
fn add_doubled(pixels: &mut Pixels, half: &Pixels) {
    let Pixels { height, width, channels, .. } = *pixels;
    for (index, pixel) in pixels.values.chunks_exact_mut(channels).enumerate() {
        let (x, rest) = (index % width, index / width);
        let (y, item) = (rest % height, rest / height);
        let at = ((item * half.height + y / 2) * half.width + x / 2) * channels;
        for (value, coarse) in pixel.iter_mut().zip(&half.values[at..at + channels]) {
            *value += coarse;
        }
    }
}

/// The levels, coarsest first, at the finest one's size, their channels one behind the other.
fn laid_over(levels: &[Pixels], height: usize, width: usize) -> Pixels {
    let count = levels.first().map_or(0, |level| level.count);
    let channels = levels.iter().map(|level| level.channels).sum();
    let mut values = Vec::with_capacity(count * height * width * channels);
    for item in 0..count {
        for y in 0..height {
            for x in 0..width {
                for level in levels {
                    let (from_y, from_x) = (y * level.height / height, x * level.width / width);
                    let at = ((item * level.height + from_y) * level.width + from_x) * level.channels;
                    values.extend_from_slice(&level.values[at..at + level.channels]);
                }
            }
        }
    }
    Pixels { count, height, width, channels, values: values.into() }
}
