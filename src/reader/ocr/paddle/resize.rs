//! Bilinear scaling the way the networks saw it in training.

use image::RgbImage;
use vouch_networks::CHANNELS;

/// Weights are fractions of this (OpenCV's fixed-point scale).
const ONE: i32 = 2048;

/// The two source positions of a target position and the second's weight in 1/2048.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tap {
    first: usize,
    second: usize,
    weight: i32,
}

/// Where each of `target` positions along an axis lies among `source` positions.
fn taps(source: u32, target: u32) -> Vec<Tap> {
    let scale = f64::from(source) / f64::from(target);
    let last = source as usize - 1;
    (0..target)
        .map(|index| {
            let at = ((f64::from(index) + 0.5) * scale - 0.5) as f32;
            let whole = at.floor();
            if whole < 0.0 {
                return Tap { first: 0, second: 0, weight: 0 };
            }
            let first = (whole as usize).min(last);
            let weight = if first == last { 0.0 } else { at - whole };
            Tap { first, second: (first + 1).min(last), weight: (weight * ONE as f32).round_ties_even() as i32 }
        })
        .collect()
}

/// Scales without smoothing first: two source pixels per axis whatever the ratio, OpenCV's `INTER_LINEAR` to the bit.
///
/// A general resizer rounds between its two passes; those single grey levels move box edges and then letters.
/// Touching only the rows it needs, it also shrinks a 12-megapixel photo faster. Sides must not be zero.
pub fn bilinear(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    if picture.dimensions() == (width, height) {
        return picture.clone();
    }
    let columns = taps(picture.width(), width);
    let stride = picture.width() as usize * CHANNELS;
    let pixels = picture.as_raw();
    // The two source rows of the current target row, scaled across, with their positions.
    let mut rows =
        [(usize::MAX, vec![0i32; columns.len() * CHANNELS]), (usize::MAX, vec![0i32; columns.len() * CHANNELS])];
    let mut scaled = Vec::with_capacity(columns.len() * CHANNELS * height as usize);
    for tap in taps(picture.height(), height) {
        if rows[1].0 == tap.first {
            rows.swap(0, 1);
        }
        for (row, position) in rows.iter_mut().zip([tap.first, tap.second]) {
            if row.0 != position {
                across(&pixels[position * stride..][..stride], &columns, &mut row.1);
                row.0 = position;
            }
        }
        let [(_, upper), (_, lower)] = &rows;
        scaled.extend(upper.iter().zip(lower).map(|(upper, lower)| {
            let sum = (((ONE - tap.weight) * (upper >> 4)) >> 16) + ((tap.weight * (lower >> 4)) >> 16);
            ((sum + 2) >> 2).clamp(0, 255) as u8
        }));
    }
    RgbImage::from_raw(width, height, scaled).unwrap_or_default()
}

/// One source row scaled to the target's width, in 1/2048 of a grey level.
fn across(row: &[u8], columns: &[Tap], scaled: &mut [i32]) {
    for (pixel, tap) in scaled.chunks_exact_mut(CHANNELS).zip(columns) {
        let (first, second) = (&row[tap.first * CHANNELS..][..CHANNELS], &row[tap.second * CHANNELS..][..CHANNELS]);
        for ((value, first), second) in pixel.iter_mut().zip(first).zip(second) {
            *value = i32::from(*first) * (ONE - tap.weight) + i32::from(*second) * tap.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_samples_two_pixels_per_axis_and_does_not_average_the_rest() {
        // Eight columns to two: columns 1, 2 and 5, 6 and nothing else.
        let picture = RgbImage::from_fn(8, 8, |x, _| image::Rgb([if x == 1 || x == 2 { 200 } else { 0 }; 3]));
        let small = bilinear(&picture, 2, 2);
        assert_eq!(small.get_pixel(0, 0).0, [200; 3]);
        assert_eq!(small.get_pixel(1, 0).0, [0; 3]);
    }

    #[test]
    fn growing_keeps_the_edges_and_blends_between() {
        let picture = RgbImage::from_fn(2, 1, |x, _| image::Rgb([100 * x as u8, 255, 0]));
        let large = bilinear(&picture, 4, 3);
        let row: Vec<u8> = (0..4).map(|x| large.get_pixel(x, 1).0[0]).collect();
        assert_eq!(row, [0, 25, 75, 100]);
        assert!(large.pixels().all(|p| p.0[1] == 255 && p.0[2] == 0));
    }

    #[test]
    fn every_row_comes_from_its_own_two_rows() {
        let picture = RgbImage::from_fn(3, 50, |_, y| image::Rgb([5 * y as u8; 3]));
        for height in [7, 20, 50, 93] {
            let scaled = bilinear(&picture, 3, height);
            for y in 0..height {
                let at = ((f64::from(y) + 0.5) * 50.0 / f64::from(height) - 0.5).clamp(0.0, 49.0);
                let value = f64::from(scaled.get_pixel(1, y).0[0]);
                assert!((value - 5.0 * at).abs() <= 1.0, "{height} {y} {value}");
            }
        }
    }
}
