//! Reading lines: scale to the recogniser's height, batch by width, decode.

use image::RgbImage;
use vouch_networks::{Network, NetworkError, Steps};

use super::crop::Crop;
use super::ctc::{Alphabet, Symbol};
use super::{Watch, pixels, resize};
use crate::reader::ocr::OcrError;

/// Height of every line the recogniser sees.
pub const LINE_HEIGHT: u32 = 48;
/// Lines are padded to a multiple of this width: as many sizes as memory likes, hardly any waste.
const BUCKET: u32 = 32;
/// Widest line read, in pixels at [`LINE_HEIGHT`]; longer ones are squeezed. 3200 holds about 160 characters.
const WIDEST: u32 = 3200;
/// Most pixels of width in one batch; bounds what the trunk's first layers hold to about 40 MB.
const BATCH_WIDTH: u32 = 2560;

/// What the recogniser made of one line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LineReading {
    /// Its characters, spaces included.
    pub symbols: Vec<Symbol>,
    /// The line's width in recogniser steps, padding left out: what `Symbol::position` is measured in.
    pub steps: f32,
}

/// Width of a line at [`LINE_HEIGHT`].
fn scaled_width(picture: &RgbImage) -> u32 {
    let width = (f64::from(LINE_HEIGHT) * f64::from(picture.width()) / f64::from(picture.height().max(1))).ceil();
    (width as u32).clamp(1, WIDEST)
}

/// Reads every crop; the result is in the crops' order.
///
/// # Errors
/// [`OcrError::Failed`] when the network cannot run, [`OcrError::Deadline`] when there is no time left.
pub fn recognise(
    network: &Network,
    alphabet: &Alphabet,
    crops: &[&Crop],
    watch: Watch,
) -> Result<Vec<LineReading>, OcrError> {
    let mut order: Vec<(u32, usize)> =
        crops.iter().enumerate().map(|(index, crop)| (scaled_width(&crop.picture), index)).collect();
    order.sort_unstable();
    let mut readings = vec![LineReading::default(); crops.len()];
    for bucket in order.chunk_by(|a, b| a.0.div_ceil(BUCKET) == b.0.div_ceil(BUCKET)) {
        let width = bucket[0].0.div_ceil(BUCKET) * BUCKET;
        for batch in bucket.chunks((BATCH_WIDTH / width).max(1) as usize) {
            watch.check()?;
            let pictures: Vec<&RgbImage> = batch.iter().map(|(_, index)| &crops[*index].picture).collect();
            let decoded = read_batch(network, alphabet, &pictures, width)?;
            for ((own_width, index), (symbols, steps)) in batch.iter().zip(decoded) {
                readings[*index] = LineReading { symbols, steps: steps * *own_width as f32 / width as f32 };
            }
        }
    }
    network.forget();
    Ok(readings)
}

/// Reads pictures padded to one width; gives each one's characters and the steps of the padded width.
fn read_batch(
    network: &Network,
    alphabet: &Alphabet,
    pictures: &[&RgbImage],
    width: u32,
) -> Result<Vec<(Vec<Symbol>, f32)>, OcrError> {
    let mut input = pixels::grey(pictures.len(), LINE_HEIGHT as usize, width as usize);
    for (item, picture) in pictures.iter().enumerate() {
        pixels::write(&resize::bilinear(picture, scaled_width(picture), LINE_HEIGHT), item, &mut input);
    }
    let Steps { found, classes } = network.steps(input)?;
    let steps = found.len() / pictures.len().max(1);
    if classes != alphabet.classes() || steps == 0 || steps * pictures.len() != found.len() {
        return Err(NetworkError::Failed("the recognition network's output has the wrong shape".to_owned()).into());
    }
    Ok(found.chunks_exact(steps).map(|line| (alphabet.decode(line), steps as f32)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_keeps_its_shape_at_the_recognisers_height() {
        for ((width, height), expected) in
            [((100, 48), 100), ((100, 50), 96), ((10, 1000), 1), ((1, 1), 48), ((90_000, 10), WIDEST)]
        {
            assert_eq!(scaled_width(&RgbImage::new(width, height)), expected, "{width} x {height}");
        }
    }
}
