//! A network loaded by `rten` and the pictures it is fed.

use std::path::Path;
use std::sync::Arc;

use image::RgbImage;
use rten::{Model, ModelOptions, RunOptions, ThreadPool};
use rten_tensor::NdTensor;

use super::{NAME, failed};
use crate::reader::ocr::OcrError;

/// Colour channels of every input.
pub const CHANNELS: usize = 3;

/// A loaded network with one input and one output.
pub struct Network {
    model: Model,
    options: RunOptions,
}

impl Network {
    /// Loads an ONNX file; it will run on `threads`.
    ///
    /// # Errors
    /// [`OcrError::Unavailable`] when the file cannot be read or is not a network `rten` can run.
    pub fn load(path: &Path, threads: Arc<ThreadPool>) -> Result<Self, OcrError> {
        let model = ModelOptions::with_all_ops().load_file(path).map_err(|error| OcrError::Unavailable {
            engine: NAME,
            cause: format!("`{}` cannot be loaded: {error}; fetch the weights again", path.display()),
        })?;
        Ok(Self { model, options: RunOptions::default().with_thread_pool(Some(threads)) })
    }

    /// A text stored in the model's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.model.metadata().get(key)
    }

    /// Runs the network over `input` (batch, channel, height, width) and returns the output's shape and values.
    ///
    /// # Errors
    /// [`OcrError::Failed`] when the run fails or the output does not have `N` dimensions.
    pub fn run<const N: usize>(&self, input: NdTensor<f32, 4>) -> Result<([usize; N], Vec<f32>), OcrError>
    where
        NdTensor<f32, N>: TryFrom<rten::Value, Error = rten::TryFromValueError>,
    {
        let output = self.model.run_one(input.into(), Some(self.options.clone())).map_err(failed)?;
        output.into_shape_vec::<f32, N>().map_err(failed)
    }
}

/// Writes `picture` into one item of a batch: planes in the order blue, green, red (the networks were trained on
/// OpenCV's order), values scaled from 0..255 to -1..1. Rows are `stride` values long; what lies right of the
/// picture is left as it is.
pub fn write_planes(picture: &RgbImage, stride: usize, planes: &mut [f32]) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let plane = stride * height;
    let row_bytes = width * CHANNELS;
    if row_bytes == 0 {
        return;
    }
    for (y, row) in picture.as_raw().chunks_exact(row_bytes).enumerate() {
        for (channel, source) in [2, 1, 0].into_iter().enumerate() {
            let start = channel * plane + y * stride;
            for (value, pixel) in planes[start..start + width].iter_mut().zip(row.chunks_exact(CHANNELS)) {
                *value = f32::from(pixel[source]) / 127.5 - 1.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_blue_green_red_and_padding_stays_zero() {
        let picture = RgbImage::from_pixel(1, 1, image::Rgb([255, 0, 51]));
        let mut planes = vec![0.0; 6];
        write_planes(&picture, 2, &mut planes);
        assert_eq!(planes, [51.0 / 127.5 - 1.0, 0.0, -1.0, 0.0, 1.0, 0.0]);
    }
}
