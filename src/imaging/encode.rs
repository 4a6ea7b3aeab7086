//! Pictures to baseline JPEG (ITU-T T.81), fast where paper is empty: a block of one colour is known before it is
//! transformed, and most blocks of a page are such. Encoding previews was up to two fifths of reading a document.

use image::{GrayImage, RgbImage};

/// Longest side a JPEG can have.
const MAX_SIDE: u32 = 65_535;

/// Places of coefficients in the order they are written, row by row of the block (T.81, figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];
/// Steps of brightness and of colour at quality 50, row by row (T.81, tables K.1 and K.2).
const STEPS: [[u8; 64]; 2] = [
    [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
        51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
        120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ],
    [
        17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99,
    ],
];
/// How many codes of each length there are, and what they stand for: first coefficients and others, of brightness and of
/// colour (T.81, tables K.3 to K.6).
const FIRST: [([u8; 16], &[u8]); 2] = [
    ([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
    ([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
];
const OTHERS: [([u8; 16], &[u8]); 2] = [
    (
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
        &[
            0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71,
            0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72,
            0x82, 0x09, 0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37,
            0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
            0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83,
            0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3,
            0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3,
            0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2,
            0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
        ],
    ),
    (
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
        &[
            0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22,
            0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1,
            0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36,
            0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
            0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A,
            0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A,
            0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA,
            0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA,
            0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
        ],
    ),
];

/// A grey picture as JPEG of this quality, 1 to 100; `None` when a side is nothing or too long.
pub fn grey(picture: &GrayImage, quality: u8) -> Option<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let mut out = Writer::new((width, height), 1, quality)?;
    let mut band = Plane::new(width as usize, 8);
    let mut before = 0;
    for top in (0..height as usize).step_by(8) {
        for (y, row) in band.rows_mut().enumerate() {
            let from = (top + y).min(height as usize - 1) * width as usize;
            fill(row, &picture.as_raw()[from..from + width as usize]);
        }
        for left in (0..band.width).step_by(8) {
            out.block(&band, left, 0, 0, &mut before);
        }
    }
    Some(out.finish())
}

/// A coloured picture as JPEG of this quality, 1 to 100, its colours at half the resolution; `None` as for [`grey`].
pub fn colour(picture: &RgbImage, quality: u8) -> Option<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let mut out = Writer::new((width, height), 3, quality)?;
    let wide = width as usize;
    let mut luma = Plane::new(wide.next_multiple_of(16), 16);
    let mut chromas = [Plane::new(luma.width / 2, 8), Plane::new(luma.width / 2, 8)];
    let mut before = [0; 3];
    let row_of = |y: usize| {
        let from = y.min(height as usize - 1) * wide * 3;
        &picture.as_raw()[from..from + wide * 3]
    };
    for top in (0..height as usize).step_by(16) {
        for (y, row) in luma.rows_mut().enumerate() {
            for (luma, pixel) in row.iter_mut().zip(row_of(top + y).chunks_exact(3)) {
                let [red, green, blue] = [0, 1, 2].map(|at| u32::from(pixel[at]));
                *luma = ((19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16) as u8;
            }
            let last = row[wide - 1];
            row[wide..].fill(last);
        }
        let [blues, reds] = &mut chromas;
        for (y, (blues, reds)) in blues.rows_mut().zip(reds.rows_mut()).enumerate() {
            let (one, two) = (row_of(top + 2 * y), row_of(top + 2 * y + 1));
            let fours = one.chunks(6).zip(two.chunks(6));
            for ((one, two), (blue, red)) in fours.zip(blues.iter_mut().zip(reds.iter_mut())) {
                // The last pixel of an odd width counts twice.
                let far = one.len() - 3;
                let sum = |at: usize| {
                    i32::from(one[at]) + i32::from(one[far + at]) + i32::from(two[at]) + i32::from(two[far + at])
                };
                let [r, g, b] = [sum(0), sum(1), sum(2)];
                let half = (128 << 18) + (1 << 17);
                *blue = ((-11_059 * r - 21_709 * g + 32_768 * b + half) >> 18).clamp(0, 255) as u8;
                *red = ((32_768 * r - 27_439 * g - 5_329 * b + half) >> 18).clamp(0, 255) as u8;
            }
            for row in [blues, reds] {
                let known = wide.div_ceil(2);
                let last = row[known - 1];
                row[known..].fill(last);
            }
        }
        for left in (0..luma.width).step_by(16) {
            for (x, y) in [(0, 0), (8, 0), (0, 8), (8, 8)] {
                out.block(&luma, left + x, y, 0, &mut before[0]);
            }
            for (chroma, before) in chromas.iter().zip(&mut before[1..]) {
                out.block(chroma, left / 2, 0, 1, before);
            }
        }
    }
    Some(out.finish())
}

/// A row of pixels with the last one repeated where the row goes on.
fn fill(row: &mut [u8], pixels: &[u8]) {
    row[..pixels.len()].copy_from_slice(pixels);
    row[pixels.len()..].fill(pixels[pixels.len() - 1]);
}

/// Rows of one channel, whole blocks wide.
struct Plane {
    width: usize,
    pixels: Vec<u8>,
}

impl Plane {
    fn new(width: usize, height: usize) -> Self {
        let width = width.next_multiple_of(8);
        Self { width, pixels: vec![0; width * height] }
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.pixels.chunks_exact_mut(self.width)
    }

    fn block(&self, left: usize, top: usize) -> [[u8; 8]; 8] {
        std::array::from_fn(|y| {
            let from = (top + y) * self.width + left;
            self.pixels[from..].first_chunk().copied().unwrap_or_default()
        })
    }
}

/// A code of a Huffman table and its length in bits.
#[derive(Clone, Copy, Default)]
struct HuffmanCode {
    bits: u16,
    length: u8,
}

/// Codes by what they stand for (T.81, annex C).
fn codes((counts, values): &([u8; 16], &[u8])) -> [HuffmanCode; 256] {
    let mut codes = [HuffmanCode::default(); 256];
    let (mut next, mut at) = (0_u16, 0);
    for (length, count) in counts.iter().enumerate() {
        for _ in 0..*count {
            codes[usize::from(values[at])] = HuffmanCode { bits: next, length: length as u8 + 1 };
            (next, at) = (next + 1, at + 1);
        }
        next <<= 1;
    }
    codes
}

/// Eight numbers that are worked on at once.
type Lanes = [f32; 8];

fn each(one: Lanes, other: Lanes, made: impl Fn(f32, f32) -> f32) -> Lanes {
    std::array::from_fn(|lane| made(one[lane], other[lane]))
}

fn plus(one: Lanes, other: Lanes) -> Lanes {
    each(one, other, |a, b| a + b)
}

fn minus(one: Lanes, other: Lanes) -> Lanes {
    each(one, other, |a, b| a - b)
}

fn times(one: Lanes, factor: f32) -> Lanes {
    one.map(|value| value * factor)
}

/// The cosine transform down the columns (Arai, Agui and Nakajima 1988), each row of the result [`SCALE`] too large.
fn transformed(rows: [Lanes; 8]) -> [Lanes; 8] {
    let sum = |near: usize| plus(rows[near], rows[7 - near]);
    let rest = |near: usize| minus(rows[near], rows[7 - near]);
    let (sum_0, sum_1, sum_2, sum_3) = (sum(0), sum(1), sum(2), sum(3));
    let (rest_0, rest_1, rest_2, rest_3) = (rest(0), rest(1), rest(2), rest(3));
    let (even_0, even_1) = (plus(sum_0, sum_3), plus(sum_1, sum_2));
    let (even_2, even_3) = (minus(sum_1, sum_2), minus(sum_0, sum_3));
    let turned = times(plus(even_2, even_3), std::f32::consts::FRAC_1_SQRT_2);
    let (odd_0, odd_1, odd_2) = (plus(rest_3, rest_2), plus(rest_2, rest_1), plus(rest_1, rest_0));
    let shared = times(minus(odd_0, odd_2), 0.382_683_43);
    let low = plus(times(odd_0, 0.541_196_1), shared);
    let high = plus(times(odd_2, 1.306_563), shared);
    let middle = times(odd_1, std::f32::consts::FRAC_1_SQRT_2);
    let (near, far) = (plus(rest_0, middle), minus(rest_0, middle));
    [
        plus(even_0, even_1),
        plus(near, high),
        plus(even_3, turned),
        minus(far, low),
        minus(even_0, even_1),
        plus(far, low),
        minus(even_3, turned),
        minus(near, high),
    ]
}

/// How much too large rows of a transform are, but for the factor of eight that both directions share.
const SCALE: [f64; 8] =
    [1.0, 1.387_039_845, 1.306_562_965, 1.175_875_602, 1.0, 0.785_694_958, 0.541_196_1, 0.275_899_379];

/// Writes the blocks of one picture.
struct Writer {
    out: Vec<u8>,
    /// Bits that make no byte yet, the last ones lowest.
    bits: u64,
    count: u32,
    /// What a coefficient is multiplied with, of brightness and of colour, column by column.
    factors: [[Lanes; 8]; 2],
    /// Steps of the first coefficient.
    first_steps: [f32; 2],
    first: [[HuffmanCode; 256]; 2],
    others: [[HuffmanCode; 256]; 2],
    /// The order coefficients are written in, column by column.
    order: [u8; 64],
}

impl Writer {
    /// The head of a picture of one channel or three.
    fn new((width, height): (u32, u32), channels: u8, quality: u8) -> Option<Self> {
        if width.min(height) == 0 || width.max(height) > MAX_SIDE {
            return None;
        }
        let quality = u32::from(quality.clamp(1, 100));
        // As libjpeg understands quality.
        let percent = if quality < 50 { 5_000 / quality } else { 200 - 2 * quality };
        let steps = STEPS.map(|steps| steps.map(|step| ((u32::from(step) * percent + 50) / 100).clamp(1, 255) as u8));
        let mut out = Vec::with_capacity((width as usize * height as usize / 16).max(1_024));
        out.extend([0xFF, 0xD8, 0xFF, 0xE0, 0, 16]);
        out.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
        let kinds = usize::from(channels).min(2);
        for (kind, steps) in steps.iter().enumerate().take(kinds) {
            out.extend([0xFF, 0xDB, 0, 67, kind as u8]);
            out.extend(ZIGZAG.map(|at| steps[usize::from(at)]));
        }
        out.extend([0xFF, 0xC0, 0, 8 + 3 * channels, 8]);
        out.extend((height as u16).to_be_bytes());
        out.extend((width as u16).to_be_bytes());
        out.push(channels);
        for channel in 0..channels {
            let sampling = if channel == 0 && channels > 1 { 0x22 } else { 0x11 };
            out.extend([channel + 1, sampling, channel.min(1)]);
        }
        for kind in 0..kinds {
            for (class, (counts, values)) in [(0, FIRST[kind]), (0x10, OTHERS[kind])] {
                out.extend([0xFF, 0xC4]);
                out.extend((19 + values.len() as u16).to_be_bytes());
                out.push(class | kind as u8);
                out.extend(counts);
                out.extend(values);
            }
        }
        out.extend([0xFF, 0xDA, 0, 6 + 2 * channels, channels]);
        for channel in 0..channels {
            out.extend([channel + 1, 0x11 * channel.min(1)]);
        }
        out.extend([0, 63, 0]);
        let factors = steps.map(|steps| {
            let factor = |x: usize, y: usize| 1.0 / (f64::from(steps[8 * y + x]) * SCALE[x] * SCALE[y] * 8.0);
            std::array::from_fn(|x| std::array::from_fn(|y| factor(x, y) as f32))
        });
        let first_steps = steps.map(|steps| f32::from(steps[0]));
        let order = ZIGZAG.map(|at| at % 8 * 8 + at / 8);
        let (first, others) = (FIRST.each_ref().map(codes), OTHERS.each_ref().map(codes));
        Some(Self { out, bits: 0, count: 0, factors, first_steps, first, others, order })
    }

    /// Writes one block of a plane; `before` is the first coefficient of the block before it.
    fn block(&mut self, plane: &Plane, left: usize, top: usize, kind: usize, before: &mut i32) {
        let pixels = plane.block(left, top);
        let one = pixels[0][0];
        if pixels.iter().all(|row| *row == [one; 8]) {
            // The mean of the block, times eight.
            let first = ((f32::from(one) - 128.0) * 8.0 / self.first_steps[kind]).round() as i32;
            self.first(first - *before, kind);
            *before = first;
            self.code(self.others[kind][0]);
            return;
        }
        let rows = pixels.map(|row| row.map(|pixel| f32::from(pixel) - 128.0));
        let down = transformed(rows);
        let columns: [Lanes; 8] = std::array::from_fn(|x| std::array::from_fn(|y| down[y][x]));
        let both = transformed(columns);
        let mut coefficients = [0_i32; 64];
        for ((row, factors), out) in both.iter().zip(&self.factors[kind]).zip(coefficients.chunks_exact_mut(8)) {
            for ((value, factor), out) in row.iter().zip(factors).zip(out) {
                // To the nearest; adding first, because what is cut off is cut off towards zero.
                *out = (value * factor + 16_384.5) as i32 - 16_384;
            }
        }
        self.first(coefficients[0] - *before, kind);
        *before = coefficients[0];
        let mut zeros = 0;
        let order = self.order;
        for at in &order[1..] {
            let value = coefficients[usize::from(*at)];
            if value == 0 {
                zeros += 1;
                continue;
            }
            while zeros >= 16 {
                self.code(self.others[kind][0xF0]);
                zeros -= 16;
            }
            let size = size_of(value);
            self.code(self.others[kind][zeros << 4 | size as usize]);
            self.value(value, size);
            zeros = 0;
        }
        if zeros > 0 {
            self.code(self.others[kind][0]);
        }
    }

    /// The difference of two first coefficients.
    fn first(&mut self, difference: i32, kind: usize) {
        let size = size_of(difference);
        self.code(self.first[kind][size as usize]);
        self.value(difference, size);
    }

    /// A value in as many bits as it needs: a negative one less one (T.81, F.1.2.1).
    fn value(&mut self, value: i32, size: u32) {
        let bits = if value < 0 { value - 1 } else { value };
        self.put(bits as u32 & ((1 << size) - 1), size);
    }

    fn code(&mut self, code: HuffmanCode) {
        self.put(u32::from(code.bits), u32::from(code.length));
    }

    /// The lowest `count` bits, 16 at most.
    fn put(&mut self, bits: u32, count: u32) {
        self.bits = self.bits << count | u64::from(bits);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.bits >> self.count) as u8;
            self.out.push(byte);
            // What looks like a marker is none.
            if byte == 0xFF {
                self.out.push(0);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        // The last byte ends in ones.
        self.put(0x7F, 7);
        self.out.extend([0xFF, 0xD9]);
        self.out
    }
}

/// Bits that the absolute value needs.
const fn size_of(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, Rgb};

    fn decoded(jpeg: &[u8]) -> image::DynamicImage {
        image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap()
    }

    /// The mean square of the differences, of two pictures of one size.
    fn error(one: &[u8], other: &[u8]) -> f64 {
        assert_eq!(one.len(), other.len());
        let squares = one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        squares.sum::<f64>() / one.len() as f64
    }

    /// Paper with strokes, a gradient and noise, so that every kind of block occurs.
    fn page(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| match (x / 40 + y / 24) % 4 {
            0 => Rgb([255, 255, 255]),
            1 => Rgb([if x % 7 < 2 { 20 } else { 250 }; 3]),
            2 => Rgb([(x * 3) as u8, (y * 5) as u8, 90]),
            _ => Rgb([(x * 7_919 + y * 104_729) as u8, (x * y) as u8, (x ^ y) as u8]),
        })
    }

    #[test]
    fn pictures_of_every_size_come_back_as_well_as_from_the_encoder_of_image() {
        for (width, height) in [(1, 1), (8, 8), (7, 9), (16, 16), (17, 33), (203, 131), (640, 15)] {
            let page = page(width, height);
            let luma = image::DynamicImage::ImageRgb8(page.clone()).into_luma8();
            for quality in [30, 60, 82, 95] {
                let known = |pixels: &[u8], colour: image::ExtendedColorType| {
                    let mut bytes = Vec::new();
                    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
                    encoder.encode(pixels, width, height, colour).unwrap();
                    bytes
                };
                let grey = decoded(&super::grey(&luma, quality).unwrap());
                assert_eq!((grey.color(), grey.width(), grey.height()), (image::ColorType::L8, width, height));
                let theirs = decoded(&known(luma.as_raw(), image::ExtendedColorType::L8)).into_luma8();
                let (own, other) = (error(&grey.into_luma8(), &luma), error(&theirs, &luma));
                assert!(own <= other * 1.05 + 1.0, "grey {width} x {height} at {quality}: {own} against {other}");
                // At half the resolution, colours that change with every pixel are lost: their brightness is not.
                let colour = decoded(&super::colour(&page, quality).unwrap());
                assert_eq!((colour.color(), colour.width()), (image::ColorType::Rgb8, width));
                let theirs = decoded(&known(page.as_raw(), image::ExtendedColorType::Rgb8)).into_luma8();
                let (own, other) = (error(&colour.into_luma8(), &luma), error(&theirs, &luma));
                assert!(own <= other * 1.5 + 30.0, "colour {width} x {height} at {quality}: {own} against {other}");
            }
        }
    }

    #[test]
    fn colours_are_the_colours() {
        for colour in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [12, 200, 99], [255; 3], [0; 3]] {
            let page = RgbImage::from_fn(30, 21, |x, _| if x < 16 { Rgb(colour) } else { Rgb([250, 250, 250]) });
            let decoded = decoded(&super::colour(&page, 90).unwrap()).into_rgb8();
            let found = decoded.get_pixel(4, 18).0;
            assert!(found.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 6), "{found:?} is not {colour:?}");
        }
    }

    #[test]
    fn the_coarsest_and_the_finest_steps_hold_the_widest_range() {
        let board = GrayImage::from_fn(64, 64, |x, y| Luma([if (x + y) % 2 == 0 { 255 } else { 0 }]));
        let halves = GrayImage::from_fn(64, 64, |x, _| Luma([if x % 16 < 8 { 255 } else { 0 }]));
        for picture in [board, halves] {
            let finest = decoded(&super::grey(&picture, 100).unwrap()).into_luma8();
            assert!(error(&finest, &picture) < 2.0);
            decoded(&super::grey(&picture, 1).unwrap());
        }
        assert!(super::grey(&GrayImage::new(0, 4), 80).is_none());
        assert!(super::grey(&GrayImage::new(65_536, 1), 80).is_none());
    }
}
