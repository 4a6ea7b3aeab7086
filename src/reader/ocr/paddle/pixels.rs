//! Pictures in the values the networks are fed.

use image::RgbImage;
use vouch_networks::{CHANNELS, Pixels};

/// The networks were trained on OpenCV's order: blue, green, red.
const ORDER: [usize; CHANNELS] = [2, 1, 0];

/// `count` pictures of one size for a network; what no picture is written to is a grey.
pub fn grey(count: usize, height: usize, width: usize) -> Pixels {
    Pixels { count, height, width, channels: CHANNELS, values: vec![0.0; count * height * width * CHANNELS].into() }
}

/// Writes `picture` into the upper left of the `item`th picture of `pixels`, which is not smaller, scaled from 0..255 to
/// -1..1.
pub fn write(picture: &RgbImage, item: usize, pixels: &mut Pixels) {
    let own_row = picture.width() as usize * CHANNELS;
    let row = pixels.width * CHANNELS;
    if own_row == 0 {
        return;
    }
    let values = &mut pixels.values[item * pixels.height * row..];
    for (values, bytes) in values.chunks_exact_mut(row).zip(picture.as_raw().chunks_exact(own_row)) {
        for (value, pixel) in values.chunks_exact_mut(CHANNELS).zip(bytes.chunks_exact(CHANNELS)) {
            for (value, channel) in value.iter_mut().zip(ORDER) {
                *value = f32::from(pixel[channel]) / 127.5 - 1.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_blue_green_red_and_padding_stays_grey() {
        let mut pixels = grey(2, 1, 2);
        write(&RgbImage::from_pixel(1, 1, image::Rgb([255, 0, 51])), 1, &mut pixels);
        let mut expected = [0.0; 12];
        expected[6..9].copy_from_slice(&[51.0 / 127.5 - 1.0, -1.0, 1.0]);
        assert_eq!(*pixels.values, expected);
        write(&RgbImage::new(0, 0), 0, &mut pixels);
        assert_eq!(*pixels.values, expected);
    }
}
