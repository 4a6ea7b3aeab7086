//! Pointwise layers in 16-bit whole numbers, for processors with AVX2 but without AVX-512 VNNI (`docs/adr/0016`).
//!
//! One instruction multiplies 16 of them and adds neighbours, where it would multiply 8 floats. Every pixel and every
//! output has a scale of its own and many times the steps of a byte, so that hardly anything is rounded and nothing needs
//! the care that bytes do (`rounded.rs`). Values are rounded so that no sum can leave 32 bits, whatever the pixels are.
//!
//! Layers over neighbours ([`super::dense`]) are the same sums over values that lie in several rows.

/// Weights of two inputs for eight outputs: what one instruction takes.
type Pairs = [i16; 16];

/// Outputs of a register.
const LANES: usize = 8;
/// Registers of outputs computed at a time.
const REGISTERS: usize = 2;
/// Pixels computed at a time: their sums, the weights and a value fill the 16 registers.
const PIXELS: usize = 6;
/// Pixels rounded at a time: they stay in the first-level cache while all outputs are computed.
const TILE: usize = 10 * PIXELS;
/// Largest rounded weight: shares the 31 bits of a sum about evenly between weights and values in the widest layers.
const LARGEST_WEIGHT: f32 = 8191.0;

/// A layer whose products are computed in 16 bits.
pub struct Shorts {
    inputs: usize,
    outputs: usize,
    /// For every [`REGISTERS`] registers of outputs, for every two inputs, one behind the other.
    weights: Vec<Pairs>,
    /// What the sums of every output are multiplied by, padded with zeros to whole registers.
    scales: Vec<f32>,
    /// Padded.
    bias: Vec<f32>,
    /// Largest rounded value: times the sum of any output's weights it is within 32 bits.
    largest: f32,
}

/// What is used again from tile to tile.
#[derive(Default)]
pub struct ShortsScratch {
    /// Values as whole numbers.
    pub rounded: Vec<i16>,
    /// What every pixel's values are multiplied by.
    pub scales: Vec<f32>,
    /// The largest value of every channel.
    pub most: Vec<f32>,
}

/// Numbers from one pixel to the next: as many channels, or one more.
pub const fn stride(inputs: usize) -> usize {
    inputs.next_multiple_of(2)
}

/// Whether the processor has the instructions.
pub fn is_there() -> bool {
    kernel::is_there()
}

impl Shorts {
    /// From weights, a row of inputs for every bias; `None` where the processor does not have the instructions or the
    /// numbers do not agree.
    pub fn new(weights: &[f32], bias: &[f32]) -> Option<Self> {
        let outputs = bias.len();
        let inputs = weights.len().checked_div(outputs)?;
        if !kernel::is_there() || inputs == 0 || inputs * outputs != weights.len() {
            return None;
        }
        let padded = outputs.next_multiple_of(LANES * REGISTERS);
        let by_group = stride(inputs) / 2 * REGISTERS;
        let mut pairs = vec![[0; 16]; padded / (LANES * REGISTERS) * by_group];
        let mut scales = vec![0.0; padded];
        let mut most = 1i64;
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let scale = row.iter().fold(f32::MIN_POSITIVE, |most, w| most.max(w.abs())) / LARGEST_WEIGHT;
            scales[output] = scale;
            let (register, lane) = (output / LANES, output % LANES);
            let mut sum = 0i64;
            for (input, weight) in row.iter().enumerate() {
                let rounded = (weight / scale + 0.5_f32.copysign(*weight)) as i16;
                sum += i64::from(rounded.unsigned_abs());
                let at = register / REGISTERS * by_group + input / 2 * REGISTERS + register % REGISTERS;
                pairs[at][lane * 2 + input % 2] = rounded;
            }
            most = most.max(sum);
        }
        let largest = (i64::from(i32::MAX) / most).clamp(1, i64::from(i16::MAX)) as f32;
        let mut bias = bias.to_vec();
        bias.resize(padded, 0.0);
        Some(Self { inputs, outputs, weights: pairs, scales, bias, largest })
    }

    /// Mixes `pixels` into `mixed`; their numbers agree.
    pub fn mix(&self, pixels: &[f32], mixed: &mut [f32], scratch: &mut ShortsScratch) {
        let ShortsScratch { rounded, scales, .. } = scratch;
        let (stride, pairs) = (stride(self.inputs), stride(self.inputs) / 2);
        let tiles = pixels.chunks(TILE * self.inputs).zip(mixed.chunks_mut(TILE * self.outputs));
        for (pixels, mixed) in tiles {
            let count = pixels.len() / self.inputs;
            rounded.resize(count * stride, 0);
            scales.resize(count, 0.0);
            kernel::round(pixels, self.inputs, self.largest, rounded, scales);
            let (rounded, _) = rounded.as_chunks::<2>();
            let places = Places { first: 0, step: pairs, of_row: pairs, rows: 0 };
            let outputs = Outputs { channels: self.outputs, first: 0, least: f32::NEG_INFINITY };
            kernel::run(self, rounded, places, scales, mixed, outputs);
        }
    }

    /// Rounds a whole picture of `inputs` channels by one scale into `rounded`, with a border of zeros; gives what the
    /// values are to be multiplied by. `most` is room for the largest value of every channel.
    pub fn round_picture(
        &self,
        picture: &[f32],
        inputs: usize,
        border: &Border,
        rounded: &mut Vec<i16>,
        most: &mut Vec<f32>,
    ) -> f32 {
        let (padded, own) = (stride(inputs), border.width * inputs);
        let row = border.row() * padded;
        rounded.clear();
        rounded.resize(border.rows() * row, 0);
        most.clear();
        most.resize(inputs, f32::MIN_POSITIVE);
        kernel::largest(picture, most);
        let by = self.whole_steps(most);
        for (y, values) in picture.chunks_exact(own.max(1)).enumerate().take(border.height) {
            let rounded = &mut rounded[(y + border.before) * row + border.before * padded..][..border.width * padded];
            if padded == inputs {
                kernel::round_by(values, by, rounded);
                continue;
            }
            for (rounded, values) in rounded.chunks_exact_mut(padded).zip(values.chunks_exact(inputs)) {
                kernel::round_by(values, by, rounded);
            }
        }
        by.recip()
    }

    /// What values may be multiplied by before they are rounded, of which a channel's are no larger than in `most`: the
    /// sum of an output is no larger than all of them times its weights.
    fn whole_steps(&self, most: &[f32]) -> f32 {
        let (padded, pairs) = (stride(most.len()), stride(self.inputs) / 2);
        let mut largest_sum = f32::MIN_POSITIVE;
        for weights in self.weights.chunks_exact(pairs * REGISTERS) {
            let mut sums = [[0.0; LANES]; REGISTERS];
            for (index, weights) in weights.iter().enumerate() {
                let (pair, register) = (index / REGISTERS, index % REGISTERS);
                let [first, second] =
                    [0, 1].map(|of_pair| most.get((pair * 2 + of_pair) % padded).copied().unwrap_or(0.0));
                for (sum, weights) in sums[register].iter_mut().zip(weights.as_chunks::<2>().0) {
                    let [of_first, of_second] = weights.map(|weight| f32::from(weight.unsigned_abs()));
                    *sum += of_first * first + of_second * second;
                }
            }
            largest_sum = sums.into_iter().flatten().fold(largest_sum, f32::max);
        }
        let largest = most.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        // Rounding makes a value larger by up to a half. A hundredth is room for that in sums of 5,000 values, several times
        // as many as these layers have.
        (0.99 * i32::MAX as f32 / largest_sum).min(f32::from(i16::MAX) / largest)
    }

    /// Computes a row of pixels from rounded values that lie as `places` says, every pixel with its scale.
    pub fn run(&self, rounded: &[i16], places: Places, scales: &[f32], outputs: Outputs, values: &mut [f32]) {
        kernel::run(self, rounded.as_chunks::<2>().0, places, scales, values, outputs);
    }
}

/// A picture and how many rows and columns of zeros lie around it.
#[derive(Debug, Clone, Copy)]
pub struct Border {
    /// Of the picture.
    pub height: usize,
    /// Of the picture.
    pub width: usize,
    /// Above and to the left.
    pub before: usize,
    /// Below and to the right.
    pub after: usize,
}

impl Border {
    /// Columns with the border.
    pub fn row(&self) -> usize {
        self.before + self.width + self.after
    }

    /// Rows with the border.
    pub fn rows(&self) -> usize {
        self.before + self.height + self.after
    }
}

/// Where the rounded values of a row of pixels lie, in pairs.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Where the first pixel's begin.
    pub first: usize,
    /// From one pixel to the next.
    pub step: usize,
    /// How many lie one behind the other.
    pub of_row: usize,
    /// From where those begin to where the next of the same pixel do.
    pub rows: usize,
}

/// Where the outputs of a pixel go.
#[derive(Debug, Clone, Copy)]
pub struct Outputs {
    /// Values of a pixel there.
    pub channels: usize,
    /// Which of them is the first output.
    pub first: usize,
    /// What is less becomes this.
    pub least: f32,
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m256, __m256i, _mm256_add_epi32, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_madd_epi16, _mm256_max_ps,
        _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256,
    };

    use super::{LANES, Outputs, PIXELS, Pairs, Places, REGISTERS, Shorts, stride};
    use crate::registers;

    pub fn is_there() -> bool {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
    }

    #[expect(unsafe_code, reason = "layers are made only where the processor has the instructions")]
    pub fn run(
        layer: &Shorts,
        rounded: &[[i16; 2]],
        places: Places,
        scales: &[f32],
        values: &mut [f32],
        outputs: Outputs,
    ) {
        // SAFETY: `Shorts::new` asked `is_there`.
        unsafe { run_here(layer, rounded, places, scales, values, outputs) }
    }

    /// Rounds pixels, each by a scale of its own, so that none is larger than `largest`.
    #[expect(unsafe_code, reason = "layers are made only where the processor has the instructions")]
    pub fn round(pixels: &[f32], inputs: usize, largest: f32, rounded: &mut [i16], scales: &mut [f32]) {
        // SAFETY: as above.
        unsafe { round_here(pixels, inputs, largest, rounded, scales) }
    }

    /// Raises `most` to the largest size of every channel.
    #[expect(unsafe_code, reason = "layers are made only where the processor has the instructions")]
    pub fn largest(pixels: &[f32], most: &mut [f32]) {
        // SAFETY: as above.
        unsafe { largest_of_channels(pixels, most) }
    }

    /// Rounds values times `by`.
    #[expect(unsafe_code, reason = "layers are made only where the processor has the instructions")]
    pub fn round_by(values: &[f32], by: f32, rounded: &mut [i16]) {
        // SAFETY: as above.
        unsafe { round_by_here(values, by, rounded) }
    }

    #[target_feature(enable = "avx2,fma")]
    fn run_here(
        layer: &Shorts,
        rounded: &[[i16; 2]],
        places: Places,
        scales: &[f32],
        values: &mut [f32],
        outputs: Outputs,
    ) {
        let pairs = stride(layer.inputs) / 2;
        for (group, weights) in layer.weights.chunks_exact(pairs * REGISTERS).enumerate() {
            let (weights, _) = weights.as_chunks::<REGISTERS>();
            let block = Block { layer, weights, places, outputs, from: group * REGISTERS * LANES };
            let mut pixel = 0;
            while pixel < scales.len() {
                match scales.len() - pixel {
                    PIXELS.. => {
                        block.run::<PIXELS>(pixel, rounded, scales, values);
                        pixel += PIXELS;
                    }
                    3.. => {
                        block.run::<3>(pixel, rounded, scales, values);
                        pixel += 3;
                    }
                    _ => {
                        block.run::<1>(pixel, rounded, scales, values);
                        pixel += 1;
                    }
                }
            }
        }
    }

    /// Adding this to a float below 2^22 leaves its nearest whole number in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    /// Values compared side by side in a plain loop, which the compiler turns into registers.
    const SIDE_BY_SIDE: usize = 32;

    #[target_feature(enable = "avx2,fma")]
    fn largest_here(values: &[f32]) -> f32 {
        let (chunks, rest) = values.as_chunks::<SIDE_BY_SIDE>();
        let mut lanes = [0.0f32; SIDE_BY_SIDE];
        for chunk in chunks {
            for (most, value) in lanes.iter_mut().zip(chunk) {
                let value = value.abs();
                *most = if value > *most { value } else { *most };
            }
        }
        lanes.iter().chain(rest).fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()))
    }

    #[target_feature(enable = "avx2,fma")]
    fn largest_of_channels(pixels: &[f32], most: &mut [f32]) {
        for pixel in pixels.chunks_exact(most.len()) {
            for (most, value) in most.iter_mut().zip(pixel) {
                let value = value.abs();
                *most = if value > *most { value } else { *most };
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn round_by_here(values: &[f32], by: f32, rounded: &mut [i16]) {
        for (rounded, value) in rounded.iter_mut().zip(values) {
            *rounded = (value * by + ROUNDER).to_bits() as u16 as i16;
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn round_here(pixels: &[f32], inputs: usize, largest: f32, rounded: &mut [i16], scales: &mut [f32]) {
        let rows = pixels.chunks_exact(inputs).zip(rounded.chunks_exact_mut(stride(inputs)));
        for ((pixel, rounded), scale) in rows.zip(scales) {
            let most = largest_here(pixel);
            round_by_here(pixel, largest / most, rounded);
            *scale = most / largest;
        }
    }

    /// What is computed at a time but for the pixels.
    struct Block<'a> {
        layer: &'a Shorts,
        weights: &'a [[Pairs; REGISTERS]],
        places: Places,
        outputs: Outputs,
        /// First output.
        from: usize,
    }

    impl Block<'_> {
        /// Computes `P` pixels from `pixel` on.
        #[target_feature(enable = "avx2,fma")]
        fn run<const P: usize>(&self, pixel: usize, rounded: &[[i16; 2]], scales: &[f32], values: &mut [f32]) {
            let Places { first, step, of_row, rows } = self.places;
            let mut sums = [[_mm256_setzero_si256(); REGISTERS]; P];
            for (row, weights) in self.weights.chunks_exact(of_row).enumerate() {
                let mut pixels: [&[[i16; 2]]; P] = [&[]; P];
                for (index, pairs) in pixels.iter_mut().enumerate() {
                    *pairs = &rounded[first + (pixel + index) * step + row * rows..][..of_row];
                }
                for (pair, weights) in weights.iter().enumerate() {
                    let weights: [__m256i; REGISTERS] = bytemuck::cast(*weights);
                    for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                        let two = _mm256_set1_epi32(bytemuck::cast(pixel[pair]));
                        for (sum, weight) in sums.iter_mut().zip(&weights) {
                            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(two, *weight));
                        }
                    }
                }
            }
            let of_outputs: [__m256; REGISTERS] = registers::load(&self.layer.scales, self.from);
            let bias: [__m256; REGISTERS] = registers::load(&self.layer.bias, self.from);
            let Outputs { channels, first, least } = self.outputs;
            let least = _mm256_set1_ps(least);
            for (index, sums) in sums.iter().enumerate() {
                let pixel = pixel + index;
                let scale = _mm256_set1_ps(scales[pixel]);
                let row = &mut values[pixel * channels + first..][..self.layer.outputs];
                for (register, sum) in sums.iter().enumerate() {
                    let scale = _mm256_mul_ps(scale, of_outputs[register]);
                    let value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(*sum), scale, bias[register]);
                    let value = _mm256_max_ps(value, least);
                    registers::store::<LANES>(bytemuck::cast(value), row, self.from + register * LANES);
                }
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod kernel {
    use super::{Outputs, Places, Shorts};

    pub const fn is_there() -> bool {
        false
    }

    pub const fn largest(_: &[f32], _: &mut [f32]) {}

    pub const fn round_by(_: &[f32], _: f32, _: &mut [i16]) {}

    pub const fn round(_: &[f32], _: usize, _: f32, _: &mut [i16], _: &mut [f32]) {}

    pub const fn run(_: &Shorts, _: &[[i16; 2]], _: Places, _: &[f32], _: &mut [f32], _: Outputs) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(weights: &[f32], bias: &[f32], pixels: &[f32]) -> Option<Vec<f32>> {
        let inputs = weights.len() / bias.len();
        let mut mixed = vec![f32::NAN; pixels.len() / inputs * bias.len()];
        Shorts::new(weights, bias)?.mix(pixels, &mut mixed, &mut ShortsScratch::default());
        Some(mixed)
    }

    #[test]
    fn products_are_those_of_floats_for_every_size() {
        for (inputs, outputs, count) in [(1, 1, 1), (2, 16, 6), (5, 17, 67), (96, 96, 64), (31, 100, 8), (768, 40, 61)]
        {
            let weights: Vec<f32> = (0..inputs * outputs).map(|i| ((i * 7919) % 1009) as f32 / 504.0 - 1.0).collect();
            let bias: Vec<f32> = (0..outputs).map(|i| i as f32 / 8.0).collect();
            let pixels: Vec<f32> = (0..inputs * count).map(|i| ((i * 104_729) % 997) as f32 / 200.0 - 1.0).collect();
            let Some(mixed) = mixed(&weights, &bias, &pixels) else {
                return println!("skipped: this processor has no AVX2");
            };
            for (index, value) in mixed.iter().enumerate() {
                let (pixel, output) = (&pixels[index / outputs * inputs..][..inputs], index % outputs);
                let products = || weights[output * inputs..][..inputs].iter().zip(pixel).map(|(w, v)| w * v);
                let (expected, size) = (products().sum::<f32>() + bias[output], products().map(f32::abs).sum::<f32>());
                assert!((value - expected).abs() <= 1e-3 * size.max(1.0), "{inputs} {outputs} {index}: {value}");
            }
        }
        assert!(Shorts::new(&[1.0, 2.0, 3.0], &[0.0, 0.0]).is_none());
    }

    #[test]
    fn no_sum_leaves_32_bits() {
        // All weights and values as large as they come, of one sign.
        for inputs in [2, 48, 768, 5000] {
            let Some(mixed) = mixed(&vec![3.0; inputs], &[0.5], &vec![7.0; inputs]) else { return };
            let expected = 21.0 * inputs as f32 + 0.5;
            assert!((mixed[0] - expected).abs() < expected * 1e-2, "{inputs}: {} {expected}", mixed[0]);
        }
    }
}
