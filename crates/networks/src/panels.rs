//! Products of bytes with AVX-512 VNNI, whose instruction multiplies four bytes with four and adds the products to a sum.
//!
//! `rten-gemm` has the same instruction, but first copies the left side, keeps the sums in memory and knows nothing of what
//! they are for; for the small layers of recognition that costs more than multiplying. Here a block of pixels and outputs
//! stays in registers from the first byte to the value.

/// Sums as values: `(sum - zero * total) * (pixel_scale * scale) + middle`.
pub struct Scales<'a> {
    /// For every pixel what its bytes are multiplied by, and its byte for zero times that.
    pub pixels: &'a [[f32; 2]],
    /// For every output what its weights are multiplied by, padded as [`padded`] says.
    pub outputs: &'a [f32],
    /// For every output the sum of its weights times that, padded.
    pub totals: &'a [f32],
    /// For every output what is added, padded.
    pub middle: &'a [f32],
}

/// Weights of four inputs for 16 outputs: what one instruction takes.
type Quad = [i8; 64];

/// Outputs of a register.
const LANES: usize = 16;
/// Registers of outputs computed at a time.
const REGISTERS: usize = 3;
/// Pixels computed at a time: their sums, the weights and a value fill the 32 registers.
const PIXELS: usize = 8;

/// How many outputs are computed when there are `outputs`.
pub const fn padded(outputs: usize) -> usize {
    outputs.next_multiple_of(LANES * REGISTERS)
}

/// How many bytes lie between one pixel and the next.
pub const fn stride(inputs: usize) -> usize {
    inputs.next_multiple_of(4)
}

/// Weights of a layer as the instruction takes them.
pub struct Panels {
    inputs: usize,
    outputs: usize,
    /// For every [`REGISTERS`] registers of outputs, for every four inputs, one behind the other.
    quads: Vec<Quad>,
}

impl Panels {
    /// From `outputs` rows of `inputs` weights; `None` where the processor does not have the instruction or a number is zero.
    pub fn new(weights: &[i8], inputs: usize, outputs: usize) -> Option<Self> {
        if !kernel::is_there() || inputs == 0 || outputs == 0 || weights.len() != inputs * outputs {
            return None;
        }
        let by_group = stride(inputs) / 4 * REGISTERS;
        let mut quads = vec![[0; 64]; padded(outputs) / (LANES * REGISTERS) * by_group];
        for (output, row) in weights.chunks_exact(inputs).enumerate() {
            let (register, lane) = (output / LANES, output % LANES);
            for (input, weight) in row.iter().enumerate() {
                let at = register / REGISTERS * by_group + input / 4 * REGISTERS + register % REGISTERS;
                quads[at][lane * 4 + input % 4] = *weight;
            }
        }
        Some(Self { inputs, outputs, quads })
    }

    /// Multiplies `bytes` ([`stride`] for every pixel) with the weights and writes the values of all outputs of every pixel
    /// into `mixed`. Nothing is written where the lengths do not agree.
    pub fn mix(&self, bytes: &[u8], scales: &Scales<'_>, mixed: &mut [f32]) {
        let (stride, padded) = (stride(self.inputs), padded(self.outputs));
        let count = scales.pixels.len();
        let fits = bytes.len() == count * stride
            && mixed.len() == count * self.outputs
            && [scales.outputs, scales.totals, scales.middle].iter().all(|values| values.len() == padded);
        debug_assert!(fits, "a layer was handed pixels of another layer");
        if fits {
            kernel::run(self, bytes, scales, mixed);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod kernel {
    use std::arch::x86_64::{
        __m512, __m512i, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_fnmadd_ps, _mm512_mul_ps,
        _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_si512,
    };

    use super::{LANES, PIXELS, Panels, Quad, REGISTERS, Scales, stride};
    use crate::registers;

    pub fn is_there() -> bool {
        std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vnni")
    }

    #[expect(unsafe_code, reason = "panels are made only where the processor has the instructions")]
    pub fn run(panels: &Panels, bytes: &[u8], scales: &Scales<'_>, mixed: &mut [f32]) {
        // SAFETY: `Panels::new` asked `is_there`.
        unsafe { run_here(panels, bytes, scales, mixed) }
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    fn run_here(panels: &Panels, bytes: &[u8], scales: &Scales<'_>, mixed: &mut [f32]) {
        let count = scales.pixels.len();
        let quads = stride(panels.inputs) / 4;
        for (group, weights) in panels.quads.chunks_exact(quads * REGISTERS).enumerate() {
            let from = group * REGISTERS * LANES;
            let mut pixel = 0;
            while pixel < count {
                let block = Block { bytes, weights, scales, outputs: panels.outputs, quads, pixel, from };
                match count - pixel {
                    PIXELS.. => {
                        block.run::<PIXELS>(mixed);
                        pixel += PIXELS;
                    }
                    4.. => {
                        block.run::<4>(mixed);
                        pixel += 4;
                    }
                    _ => {
                        block.run::<1>(mixed);
                        pixel += 1;
                    }
                }
            }
        }
    }

    struct Block<'a> {
        bytes: &'a [u8],
        weights: &'a [Quad],
        scales: &'a Scales<'a>,
        outputs: usize,
        quads: usize,
        /// First pixel.
        pixel: usize,
        /// First output.
        from: usize,
    }

    impl Block<'_> {
        #[target_feature(enable = "avx512f,avx512vnni")]
        fn run<const P: usize>(&self, mixed: &mut [f32]) {
            let (bytes, _) = self.bytes.as_chunks::<4>();
            let mut pixels: [&[[u8; 4]]; P] = [&[]; P];
            for (index, pixel) in pixels.iter_mut().enumerate() {
                *pixel = &bytes[(self.pixel + index) * self.quads..][..self.quads];
            }
            let (weights, _) = self.weights.as_chunks::<REGISTERS>();
            let mut sums = [[_mm512_setzero_si512(); REGISTERS]; P];
            for (quad, weights) in weights[..self.quads].iter().enumerate() {
                let weights: [__m512i; REGISTERS] = bytemuck::cast(*weights);
                for (sums, pixel) in sums.iter_mut().zip(&pixels) {
                    let four = _mm512_set1_epi32(i32::from_le_bytes(pixel[quad]));
                    for (sum, weight) in sums.iter_mut().zip(&weights) {
                        *sum = _mm512_dpbusd_epi32(*sum, four, *weight);
                    }
                }
            }
            let scales: [__m512; REGISTERS] = registers::load(self.scales.outputs, self.from);
            let totals: [__m512; REGISTERS] = registers::load(self.scales.totals, self.from);
            let middle: [__m512; REGISTERS] = registers::load(self.scales.middle, self.from);
            for (index, sums) in sums.iter().enumerate() {
                let pixel = self.pixel + index;
                let [scale, zero] = self.scales.pixels[pixel];
                let (scale, zero) = (_mm512_set1_ps(scale), _mm512_set1_ps(zero));
                let row = &mut mixed[pixel * self.outputs..][..self.outputs];
                for (register, sum) in sums.iter().enumerate() {
                    let around = _mm512_fnmadd_ps(zero, totals[register], middle[register]);
                    let value =
                        _mm512_fmadd_ps(_mm512_cvtepi32_ps(*sum), _mm512_mul_ps(scale, scales[register]), around);
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

    pub const fn run(_: &super::Panels, _: &[u8], _: &super::Scales<'_>, _: &mut [f32]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_plain_arithmetic_for_every_size() {
        if Panels::new(&[1], 1, 1).is_none() {
            return println!("skipped: this processor has no AVX-512 VNNI");
        }
        for (inputs, outputs, count) in [(1, 1, 1), (4, 48, 8), (5, 49, 13), (96, 96, 64), (31, 100, 7), (768, 16, 3)] {
            let weights: Vec<i8> = (0..inputs * outputs).map(|i| ((i * 7919) % 255) as u8 as i8).collect();
            let bytes: Vec<u8> = (0..count * stride(inputs)).map(|i| ((i * 104_729) % 256) as u8).collect();
            let values = |seed: usize, count: usize| -> Vec<f32> {
                (0..count).map(|i| ((i * seed) % 31) as f32 / 8.0 - 1.0).collect()
            };
            let pixels: Vec<[f32; 2]> =
                values(7, count).into_iter().zip(values(11, count)).map(<[f32; 2]>::from).collect();
            let [scale, total, middle] = [13, 17, 19].map(|seed| values(seed, padded(outputs)));
            let scales = Scales { pixels: &pixels, outputs: &scale, totals: &total, middle: &middle };
            let mut mixed = vec![f32::NAN; count * outputs];
            Panels::new(&weights, inputs, outputs).unwrap().mix(&bytes, &scales, &mut mixed);
            for (index, value) in mixed.iter().enumerate() {
                let (pixel, output) = (index / outputs, index % outputs);
                let sum: i32 = (0..inputs)
                    .map(|i| i32::from(bytes[pixel * stride(inputs) + i]) * i32::from(weights[output * inputs + i]))
                    .sum();
                let [scale_of, zero] = pixels[pixel];
                let expected = sum as f32 * (scale_of * scale[output]) + (middle[output] - zero * total[output]);
                assert!((value - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{inputs} {outputs} {index}");
            }
        }
        assert!(Panels::new(&[1, 2, 3], 2, 2).is_none());
    }
}
