//! Pointwise layers in 16-bit whole numbers, for processors with AVX2 but without AVX-512 VNNI (`docs/adr/0016`).
//!
//! One instruction multiplies 16 of them and adds neighbours, where it would multiply 8 floats. Every pixel and every
//! output has a scale of its own and many times the steps of a byte, so that hardly anything is rounded and nothing needs
//! the care that bytes do (`rounded.rs`). Values are rounded so that no sum can leave 32 bits, whatever the pixels are.

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
const LARGEST_WEIGHT: f32 = 4095.0;

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
    rounded: Vec<i16>,
    /// What every pixel's values are multiplied by.
    scales: Vec<f32>,
}

/// Numbers from one pixel to the next.
const fn stride(inputs: usize) -> usize {
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
        let tiles = pixels.chunks(TILE * self.inputs).zip(mixed.chunks_mut(TILE * self.outputs));
        for (pixels, mixed) in tiles {
            let count = pixels.len() / self.inputs;
            scratch.rounded.resize(count * stride(self.inputs), 0);
            scratch.scales.resize(count, 0.0);
            kernel::run(self, pixels, scratch, mixed);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m256, __m256i, _mm256_add_epi32, _mm256_cvtepi32_ps, _mm256_fmadd_ps, _mm256_madd_epi16, _mm256_mul_ps,
        _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256,
    };

    use super::{LANES, PIXELS, Pairs, REGISTERS, Shorts, ShortsScratch, stride};
    use crate::registers;

    pub fn is_there() -> bool {
        std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
    }

    #[expect(unsafe_code, reason = "layers are made only where the processor has the instructions")]
    pub fn run(layer: &Shorts, pixels: &[f32], scratch: &mut ShortsScratch, mixed: &mut [f32]) {
        // SAFETY: `Shorts::new` asked `is_there`.
        unsafe { run_here(layer, pixels, scratch, mixed) }
    }

    #[target_feature(enable = "avx2,fma")]
    fn run_here(layer: &Shorts, pixels: &[f32], scratch: &mut ShortsScratch, mixed: &mut [f32]) {
        let ShortsScratch { rounded, scales } = scratch;
        let stride = stride(layer.inputs);
        let rows = pixels.chunks_exact(layer.inputs).zip(rounded.chunks_exact_mut(stride));
        for ((pixel, rounded), scale) in rows.zip(scales.iter_mut()) {
            *scale = round(pixel, layer.largest, rounded);
        }
        let (rounded, _) = rounded.as_chunks::<2>();
        for (group, weights) in layer.weights.chunks_exact(stride / 2 * REGISTERS).enumerate() {
            let (weights, _) = weights.as_chunks::<REGISTERS>();
            let mut pixel = 0;
            while pixel < scales.len() {
                let block = Block { layer, weights, pixel, from: group * REGISTERS * LANES };
                match scales.len() - pixel {
                    PIXELS.. => {
                        block.run::<PIXELS>(rounded, scales, mixed);
                        pixel += PIXELS;
                    }
                    3.. => {
                        block.run::<3>(rounded, scales, mixed);
                        pixel += 3;
                    }
                    _ => {
                        block.run::<1>(rounded, scales, mixed);
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

    /// Rounds a pixel's values to whole numbers up to `largest`; gives what they are multiplied by.
    #[target_feature(enable = "avx2,fma")]
    fn round(pixel: &[f32], largest: f32, rounded: &mut [i16]) -> f32 {
        let (chunks, rest) = pixel.as_chunks::<SIDE_BY_SIDE>();
        let mut lanes = [0.0f32; SIDE_BY_SIDE];
        for chunk in chunks {
            for (most, value) in lanes.iter_mut().zip(chunk) {
                let value = value.abs();
                *most = if value > *most { value } else { *most };
            }
        }
        let most = lanes.iter().chain(rest).fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
        let by = largest / most;
        for (rounded, value) in rounded.iter_mut().zip(pixel) {
            *rounded = (value * by + ROUNDER).to_bits() as u16 as i16;
        }
        most / largest
    }

    struct Block<'a> {
        layer: &'a Shorts,
        weights: &'a [[Pairs; REGISTERS]],
        /// First pixel.
        pixel: usize,
        /// First output.
        from: usize,
    }

    impl Block<'_> {
        #[target_feature(enable = "avx2,fma")]
        fn run<const P: usize>(&self, rounded: &[[i16; 2]], of_pixels: &[f32], mixed: &mut [f32]) {
            let pairs = self.weights.len();
            let mut pixels: [&[[i16; 2]]; P] = [&[]; P];
            for (index, pixel) in pixels.iter_mut().enumerate() {
                *pixel = &rounded[(self.pixel + index) * pairs..][..pairs];
            }
            let mut sums = [[_mm256_setzero_si256(); REGISTERS]; P];
            for (pair, weights) in self.weights.iter().enumerate() {
                let weights: [__m256i; REGISTERS] = bytemuck::cast(*weights);
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let two = _mm256_set1_epi32(bytemuck::cast(pixel[pair]));
                    for (sum, weight) in sums.iter_mut().zip(&weights) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(two, *weight));
                    }
                }
            }
            let scales: [__m256; REGISTERS] = registers::load(&self.layer.scales, self.from);
            let bias: [__m256; REGISTERS] = registers::load(&self.layer.bias, self.from);
            let outputs = self.layer.outputs;
            for (index, sums) in sums.iter().enumerate() {
                let pixel = self.pixel + index;
                let scale = _mm256_set1_ps(of_pixels[pixel]);
                let row = &mut mixed[pixel * outputs..][..outputs];
                for (register, sum) in sums.iter().enumerate() {
                    let scale = _mm256_mul_ps(scale, scales[register]);
                    let value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(*sum), scale, bias[register]);
                    registers::store::<LANES>(bytemuck::cast(value), row, self.from + register * LANES);
                }
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod kernel {
    pub const fn is_there() -> bool {
        false
    }

    pub const fn run(_: &super::Shorts, _: &[f32], _: &mut super::ShortsScratch, _: &mut [f32]) {}
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
