//! A network loaded by `rten`, part of which is computed here.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, TryFromValueError, Value};
use rten_tensor::{NdTensor, Tensor};

use super::backbone::{Backbone, Constants, Trunk};
use super::best::{Best, best};
use super::head::Head;
use super::pixels::Pixels;
use super::pointwise::{Precision, Scratch};
use super::pyramid::Pyramid;
use super::rooms::Rooms;
use crate::{NetworkError, failed};

/// Colour channels of every input.
pub const CHANNELS: usize = 3;

/// Threads networks run on, shared by all that are loaded with them.
pub fn threads(count: usize) -> Arc<ThreadPool> {
    Arc::new(ThreadPool::with_num_threads(count.max(1)))
}

/// A value for every pixel of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `height * width` probabilities, row by row.
    pub values: Vec<f32>,
}

/// What the recognition network sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// The most probable class of every step, left to right, picture after picture.
    pub found: Vec<Best>,
    /// Classes told apart.
    pub classes: usize,
}

/// A loaded network with one input and one output.
pub struct Network {
    model: Model,
    options: RunOptions,
    threads: Arc<ThreadPool>,
    /// Kept from one run to the next.
    rooms: Mutex<Rooms>,
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
    /// [`NetworkError::Load`] when the file cannot be read or is not a network `rten` can run.
    pub fn load(
        path: &Path,
        threads: Arc<ThreadPool>,
        trunk: Trunk,
        precision: Option<Precision>,
    ) -> Result<Self, NetworkError> {
        let model = ModelOptions::with_all_ops()
            .load_file(path)
            .map_err(|error| NetworkError::Load { path: path.to_owned(), cause: error.to_string() })?;
        let options = RunOptions::default().with_thread_pool(Some(threads.clone()));
        let trunk = precision.and_then(|precision| LoadedTrunk::load(&model, &options, trunk, precision));
        Ok(Self { model, options, threads, rooms: Mutex::default(), trunk })
    }

    /// A text stored in the model's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.model.metadata().get(key)
    }

    /// Runs the detection network over one picture of [`CHANNELS`] channels, blue, green and red from -1 to 1.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the run fails or the network gives something else than a map.
    pub fn map(&self, picture: Pixels) -> Result<Map, NetworkError> {
        let ([_, _, height, width], values) = self.run::<4>(picture)?;
        if height * width != values.len() {
            return Err(failed("the detection network's map has the wrong shape"));
        }
        Ok(Map { height, width, values })
    }

    /// Runs the recognition network over pictures of one size, as [`Network::map`] takes them.
    ///
    /// # Errors
    /// [`NetworkError::Failed`] when the run fails or the network gives something else than steps.
    pub fn steps(&self, pictures: Pixels) -> Result<Steps, NetworkError> {
        if let Some(trunk) = &self.trunk
            && let Some(head) = &trunk.head
        {
            let (shape, planes) = self.run_from(trunk, pictures)?.into_shape_vec::<f32, 3>().map_err(failed)?;
            let found = self.run_with(|scratch| head.run(shape, &planes, scratch))?;
            return Ok(Steps { found, classes: head.classes() });
        }
        let ([_, _, classes], values) = self.run::<3>(pictures)?;
        if classes == 0 {
            return Err(failed("the recognition network's output has the wrong shape"));
        }
        Ok(Steps { found: values.chunks_exact(classes).map(best).collect(), classes })
    }

    /// Gives the memory back that is kept from one run to the next.
    pub fn forget(&self) {
        *self.rooms() = Rooms::default();
    }

    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something on the network's threads, with the rooms that are kept.
    fn run_with<T: Send>(&self, run: impl FnOnce(&mut Scratch) -> T + Send) -> T {
        self.threads.run(|| {
            let mut scratch = Scratch { rooms: std::mem::take(&mut *self.rooms()), ..Scratch::default() };
            let result = run(&mut scratch);
            *self.rooms() = scratch.rooms;
            result
        })
    }

    /// The output's shape and values.
    fn run<const N: usize>(&self, pixels: Pixels) -> Result<([usize; N], Vec<f32>), NetworkError>
    where
        NdTensor<f32, N>: TryFrom<Value, Error = TryFromValueError>,
    {
        let output = match &self.trunk {
            Some(trunk) => self.run_from(trunk, pixels)?,
            None => self.model.run_one(planes(&pixels).into(), Some(self.options.clone())).map_err(failed)?,
        };
        output.into_shape_vec::<f32, N>().map_err(failed)
    }

    /// Runs the trunk over `pixels` and `rten` over what follows, up to the head if there is one.
    fn run_from(&self, trunk: &LoadedTrunk, pixels: Pixels) -> Result<Value, NetworkError> {
        let results = self.run_with(|scratch| trunk.run(&pixels, scratch))?;
        drop(pixels);
        let results = trunk.to.iter().zip(results).map(|(node, pixels)| {
            let planes = planes(&pixels);
            self.rooms().give_back(pixels.values);
            (*node, planes.into())
        });
        let results = results.collect();
        let options = Some(self.options.clone());
        let [output] = self.model.run_n(results, [trunk.output], options).map_err(failed)?;
        Ok(output)
    }
}

/// As `rten` takes it.
fn planes(pixels: &Pixels) -> NdTensor<f32, 4> {
    NdTensor::from_data([pixels.count, pixels.channels, pixels.height, pixels.width], pixels.planes())
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

    fn run(&self, pixels: &Pixels, scratch: &mut Scratch) -> Result<Vec<Pixels>, NetworkError> {
        let results = self.backbone.run(pixels, scratch)?;
        match &self.pyramid {
            Some(pyramid) => Ok(vec![pyramid.run(results, scratch)?]),
            None => Ok(results),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Something with edges and flat parts, in the values networks are fed.
    fn pictures(count: usize, height: usize, width: usize) -> Pixels {
        let value = |index: usize| {
            let (channel, x, rest) = (index % CHANNELS, index / CHANNELS % width, index / CHANNELS / width);
            let (y, item) = (rest % height, rest / height);
            let stroke = (x / 3 + y / 7 + item).is_multiple_of(4);
            if stroke { -0.8 } else { 0.7 + 0.001 * ((x * y + channel) % 200) as f32 }
        };
        let values = (0..count * height * width * CHANNELS).map(value).collect::<Vec<_>>().into();
        Pixels { count, height, width, channels: CHANNELS, values }
    }

    #[test]
    fn a_trunk_computed_here_gives_what_the_whole_network_gives() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let directory = top.join(std::env::var_os("VOUCH_WEIGHTS_DIR").unwrap_or_else(|| "models/weights".into()));
        let [detection, recognition] = ["det", "rec"].map(|name| directory.join(format!("PP-OCRv6_{name}_small.onnx")));
        if !detection.is_file() {
            return println!("skipped: `{}` is not there; `scripts/fetch-weights.sh` installs it", detection.display());
        }
        let threads = threads(1);
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
                let on_average = apart.iter().sum::<f32>() / apart.len() as f32;
                assert!(on_average <= mean, "{precision:?} {on_average}");
            };
            let [here, there] = networks(&detection, Trunk::Detection);
            assert!(here.trunk.is_some() && there.trunk.is_none());
            let [here, there] = [here, there].map(|network| network.map(pictures(1, 96, 128)).unwrap());
            assert_eq!((here.height, here.width), (there.height, there.width));
            apart(here.values.into_iter().zip(there.values).collect());
            let [here, there] = networks(&recognition, Trunk::Recognition);
            assert!(here.trunk.is_some() && there.trunk.is_none());
            let [here, there] = [here, there].map(|network| network.steps(pictures(2, 48, 160)).unwrap());
            assert_eq!((here.found.len(), here.classes), (there.found.len(), there.classes));
            let agree: Vec<(Best, Best)> =
                here.found.iter().copied().zip(there.found).filter(|(here, there)| here.class == there.class).collect();
            assert!(agree.len() as f32 >= same * here.found.len() as f32, "{precision:?} {}", agree.len());
            apart(agree.into_iter().map(|(here, there)| (here.score, there.score)).collect());
        }
    }
}
