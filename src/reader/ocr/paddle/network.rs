//! A network loaded by `rten` and the pictures it is fed.

use std::path::Path;
use std::sync::Arc;

use image::RgbImage;
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, TryFromValueError, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::backbone::{Backbone, Constants, Trunk};
use super::ctc::{Best, best};
use super::depthwise::Pixels;
use super::head::Head;
use super::pointwise::{Precision, Scratch};
use super::pyramid::Pyramid;
use super::{NAME, failed};
use crate::reader::ocr::OcrError;

/// Colour channels of every input.
pub const CHANNELS: usize = 3;

/// A loaded network with one input and one output.
pub struct Network {
    model: Model,
    options: RunOptions,
    threads: Arc<ThreadPool>,
    /// The trunk computed here; `None` when the weights are not the ones it was written for.
    trunk: Option<LoadedTrunk>,
}

/// The part of a network computed here, and where in the network it hands back.
struct LoadedTrunk {
    backbone: Backbone,
    /// What follows the trunk in the detection network.
    pyramid: Option<Pyramid>,
    /// The last layer of the recognition network.
    head: Option<Head>,
    output: NodeId,
    to: Vec<NodeId>,
}

impl Network {
    /// Loads an ONNX file; it will run on `threads`, its trunk in `precision`, or all of it on `rten` when there is none.
    ///
    /// # Errors
    /// [`OcrError::Unavailable`] when the file cannot be read or is not a network `rten` can run.
    pub fn load(
        path: &Path,
        threads: Arc<ThreadPool>,
        trunk: Trunk,
        precision: Option<Precision>,
    ) -> Result<Self, OcrError> {
        let model = ModelOptions::with_all_ops().load_file(path).map_err(|error| OcrError::Unavailable {
            engine: NAME,
            cause: format!("`{}` cannot be loaded: {error}; fetch the weights again", path.display()),
        })?;
        let options = RunOptions::default().with_thread_pool(Some(threads.clone()));
        let trunk = precision.and_then(|precision| LoadedTrunk::load(&model, &options, trunk, precision));
        Ok(Self { model, options, threads, trunk })
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
        NdTensor<f32, N>: TryFrom<Value, Error = TryFromValueError>,
    {
        let Some(trunk) = &self.trunk else {
            let output = self.model.run_one(input.into(), Some(self.options.clone())).map_err(failed)?;
            return output.into_shape_vec::<f32, N>().map_err(failed);
        };
        self.run_from(trunk, input)?.into_shape_vec::<f32, N>().map_err(failed)
    }

    /// Runs the trunk over `input` and `rten` over what follows, up to the head if there is one.
    fn run_from(&self, trunk: &LoadedTrunk, input: NdTensor<f32, 4>) -> Result<Value, OcrError> {
        let pixels = Pixels::from_planes(input.shape(), input.data().unwrap_or_default());
        drop(input);
        let results = self.threads.run(|| trunk.run(&pixels))?;
        drop(pixels);
        let results = trunk.to.iter().zip(results).map(|(node, pixels)| {
            let shape = [pixels.count, pixels.channels, pixels.height, pixels.width];
            (*node, NdTensor::from_data(shape, pixels.planes()).into())
        });
        let options = Some(self.options.clone());
        let [output] = self.model.run_n(results.collect(), [trunk.output], options).map_err(failed)?;
        Ok(output)
    }

    /// Runs the recognition network over `input` (batch, channel, height, width): the most probable class of every step,
    /// the steps of a picture one behind the other, and how many classes there are.
    ///
    /// # Errors
    /// [`OcrError::Failed`] when the run fails or the network gives something else than steps.
    pub fn run_steps(&self, input: NdTensor<f32, 4>) -> Result<(Vec<Best>, usize), OcrError> {
        if let Some(trunk) = &self.trunk
            && let Some(head) = &trunk.head
        {
            let (shape, planes) = self.run_from(trunk, input)?.into_shape_vec::<f32, 3>().map_err(failed)?;
            let found = self.threads.run(|| head.run(shape, &planes, &mut Scratch::default()))?;
            return Ok((found, head.classes()));
        }
        let ([_, _, classes], values) = self.run::<3>(input)?;
        if classes == 0 {
            return Err(failed("the recognition network's output has the wrong shape"));
        }
        Ok((values.chunks_exact(classes).map(best).collect(), classes))
    }
}

impl LoadedTrunk {
    fn load(model: &Model, options: &RunOptions, trunk: Trunk, precision: Precision) -> Option<Self> {
        let constant = |name: &str| {
            let node = model.find_node(name)?;
            let [value] = model.run_n(vec![], [node], Some(options.clone())).ok()?;
            Some(Tensor::<f32>::try_from(value).ok()?.into_data())
        };
        let constants = Constants(&constant);
        let pyramid = match trunk {
            Trunk::Detection => Some(Pyramid::load(&constants, precision)?),
            Trunk::Recognition => None,
        };
        let to = match &pyramid {
            Some(_) => vec![model.find_node(Pyramid::RESULT)?],
            None => trunk.results().map(|name| model.find_node(name)).collect::<Option<_>>()?,
        };
        let head = match trunk {
            Trunk::Detection => None,
            Trunk::Recognition => Some(Head::load(&constants, precision)?),
        };
        let output = match head {
            Some(_) => model.find_node(Head::FROM)?,
            None => *model.output_ids().first()?,
        };
        let backbone = Backbone::load(trunk, precision, &constants)?;
        Some(Self { backbone, pyramid, head, output, to })
    }

    fn run(&self, pixels: &Pixels) -> Result<Vec<Pixels>, OcrError> {
        let mut scratch = Scratch::default();
        let results = self.backbone.run(pixels, &mut scratch)?;
        match &self.pyramid {
            Some(pyramid) => Ok(vec![pyramid.run(&results, &mut scratch)?]),
            None => Ok(results),
        }
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
    use crate::reader::ocr::paddle::weights::Weights;

    /// Something with edges and flat parts, in the values networks are fed.
    fn picture(height: usize, width: usize) -> NdTensor<f32, 4> {
        NdTensor::from_fn([2, CHANNELS, height, width], |[item, channel, y, x]| {
            let stroke = (x / 3 + y / 7 + item).is_multiple_of(4);
            if stroke { -0.8 } else { 0.7 + 0.001 * ((x * y + channel) % 200) as f32 }
        })
    }

    #[test]
    fn a_trunk_computed_here_gives_what_the_whole_network_gives() {
        let directory = std::env::var_os("VOUCH_WEIGHTS_DIR").unwrap_or_else(|| "models/weights".into());
        let weights = match Weights::find(Path::new(&directory)) {
            Ok(weights) => weights,
            Err(error) => return println!("skipped: {error}"),
        };
        let threads = Arc::new(ThreadPool::with_num_threads(1));
        // Floats only add in another order. Bytes round: the same class nearly everywhere, even on what is no text.
        for (precision, largest, mean, same) in [
            (Precision::Floats, 1e-3, 1e-5, 1.0),
            (Precision::Shorts, 0.02, 1e-3, 1.0),
            (Precision::Bytes, 0.3, 0.03, 0.9),
        ] {
            if !precision.is_there() {
                continue;
            }
            let networks = |path, trunk| {
                [Some(precision), None].map(|precision| Network::load(path, threads.clone(), trunk, precision).unwrap())
            };
            let apart = |pairs: Vec<(f32, f32)>| {
                let apart: Vec<f32> = pairs.iter().map(|(a, b)| (a - b).abs()).collect();
                assert!(apart.iter().copied().fold(0.0, f32::max) <= largest, "{precision:?} {apart:?}");
                assert!(apart.iter().sum::<f32>() / apart.len() as f32 <= mean, "{precision:?}");
            };
            let [here, there] = networks(&weights.detection, Trunk::Detection);
            assert!(here.trunk.is_some() && there.trunk.is_none());
            let [here, there] = [here, there].map(|network| network.run::<4>(picture(96, 128)).unwrap());
            assert_eq!(here.0, there.0);
            apart(here.1.into_iter().zip(there.1).collect());
            let [here, there] = networks(&weights.recognition, Trunk::Recognition);
            assert!(here.trunk.is_some() && there.trunk.is_none());
            let [here, there] = [here, there].map(|network| network.run_steps(picture(48, 160)).unwrap());
            assert_eq!((here.0.len(), here.1), (there.0.len(), there.1));
            let agree: Vec<(Best, Best)> =
                here.0.iter().copied().zip(there.0).filter(|(here, there)| here.class == there.class).collect();
            assert!(agree.len() as f32 >= same * here.0.len() as f32, "{precision:?} {}", agree.len());
            apart(agree.into_iter().map(|(here, there)| (here.score, there.score)).collect());
        }
    }

    #[test]
    fn planes_are_blue_green_red_and_padding_stays_zero() {
        let picture = RgbImage::from_pixel(1, 1, image::Rgb([255, 0, 51]));
        let mut planes = vec![0.0; 6];
        write_planes(&picture, 2, &mut planes);
        assert_eq!(planes, [51.0 / 127.5 - 1.0, 0.0, -1.0, 0.0, 1.0, 0.0]);
    }
}
