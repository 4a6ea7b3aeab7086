//! The trained ranker: a linear part and boosted trees per field, then a calibration; read from a file of numbers.
//!
//! Scores of the proposals of one field compete with each other and with "none of them" (softmax). What comes out is
//! then set against how often such an answer was right ([`calibrate`]).

pub mod calibrate;
pub mod tree;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use self::{calibrate::Calibration, tree::Tree};
use super::rank::{Features, Proposal, Ranker, softmax};
use crate::domain::field::FieldKey;

/// Version of the file; another one is refused.
pub const VERSION: u32 = 1;
/// Features of one field that are believed when a model is loaded.
const MAX_COLUMNS: usize = 2000;
/// Trees of one field that are believed when a model is loaded.
const MAX_TREES: usize = 5000;
/// Scores stay within this, so that no sum of trees loses its differences.
const MAX_SCORE: f32 = 60.0;

/// The ranker of every field that has one, and the calibrations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Must be [`VERSION`].
    pub version: u32,
    /// Scores per field, by the field's text.
    pub fields: BTreeMap<FieldKey, Scorer>,
    /// Probabilities per field.
    pub calibrations: BTreeMap<FieldKey, Calibration>,
    /// Probability that total and date are both right.
    pub joint: Calibration,
}

/// Scores proposals of one field.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Scorer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Weight per column of the linear part.
    pub weights: Vec<f32>,
    /// Score of "none of the proposals is right".
    pub none: f32,
    /// Added to the linear part.
    pub trees: Vec<Tree>,
}

/// Why a model file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not the JSON of a model.
    #[error("it is no extraction model: {0}; hint: write one with `vouch train extraction`")]
    Malformed(#[from] serde_json::Error),
    /// Written by another version.
    #[error(
        "it has version {0}, this program reads version {VERSION}; hint: write a new one with `vouch train extraction`"
    )]
    Version(u32),
    /// Numbers that do not fit together.
    #[error("the scorer of `{0}` does not fit together; hint: write a new one with `vouch train extraction`")]
    Unsound(FieldKey),
}

static EMBEDDED: LazyLock<Model> = LazyLock::new(|| {
    // A test proves that it parses; without it every field is left to people rather than the service refusing to start.
    Model::from_json(include_bytes!("../../../models/extract/model.json")).unwrap_or_default()
});

impl Model {
    /// The model that comes with the program.
    pub fn embedded() -> &'static Self {
        &EMBEDDED
    }

    /// Reads and checks the text of a model file.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_slice(bytes)?;
        if model.version != VERSION {
            return Err(ModelError::Version(model.version));
        }
        match model.fields.iter().find(|(_, scorer)| !scorer.is_sound()) {
            Some((key, _)) => Err(ModelError::Unsound(*key)),
            None => Ok(model),
        }
    }

    /// The text of the model file; the same model gives the same bytes.
    pub fn to_json(&self) -> Result<Vec<u8>, ModelError> {
        Ok(serde_json::to_vec(self)?)
    }
}

impl Scorer {
    fn is_sound(&self) -> bool {
        self.columns.len() <= MAX_COLUMNS
            && self.weights.len() == self.columns.len()
            && self.trees.len() <= MAX_TREES
            && self.none.is_finite()
            && self.weights.iter().all(|w| w.is_finite())
            && self.trees.iter().all(|tree| tree.is_sound(self.columns.len()))
    }

    /// The features as a row in the order of the columns; unknown names are left out.
    pub fn row(&self, features: &Features) -> Vec<f32> {
        self.columns.iter().map(|name| features.get(name)).collect()
    }

    /// The score of one proposal, comparable within its field and receipt.
    pub fn score(&self, row: &[f32]) -> f32 {
        let linear: f32 = self.weights.iter().zip(row).map(|(w, v)| w * v).sum();
        let trees: f32 = self.trees.iter().map(|tree| tree.score(row)).sum();
        (linear + trees).clamp(-MAX_SCORE, MAX_SCORE)
    }

    /// Probabilities of the proposals of one receipt before calibration.
    pub fn probabilities(&self, proposals: &[Proposal]) -> Vec<f32> {
        let scores: Vec<f32> = proposals.iter().map(|p| self.score(&self.row(&p.features))).collect();
        softmax(&scores, self.none)
    }
}

impl Ranker for Model {
    fn rank(&self, key: FieldKey, proposals: &[Proposal]) -> Vec<f32> {
        match self.fields.get(&key) {
            Some(scorer) => scorer.probabilities(proposals),
            None => proposals.iter().map(|p| p.features.get("p")).collect(),
        }
    }

    fn calibrate(&self, key: FieldKey, ranked: &mut [(f32, Proposal)]) {
        if let Some(calibration) = self.calibrations.get(&key) {
            calibration.apply(key, ranked);
        }
    }

    fn joint(&self, total: Option<f32>, date: Option<f32>) -> f32 {
        match (total, date) {
            (Some(total), Some(date)) => self.joint.probability(&calibrate::joint_signs(total, date)),
            _ => 0.0,
        }
    }
}
