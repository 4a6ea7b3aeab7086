//! The category model: a softmax over dense evidence and hashed n-grams, and its file.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::classify::brands::Brands;
use crate::classify::features::{BUCKETS, CLASSES, DENSE, Features};
use crate::classify::lexicon;
use crate::domain::sha256::Sha256;

const MAGIC: &[u8; 8] = b"VOUCHCAT";
/// Changes with the features or the file; a model of another version is refused.
pub const VERSION: u32 = 2;
/// No header is longer: it lists about 300 kinds.
const MAX_HEADER: usize = 64 * 1024;

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    header: Header,
    /// `DENSE * CLASSES`, feature by feature.
    dense: Vec<f32>,
    /// Size of one step of the quantised weights, per class.
    steps: Vec<f32>,
    /// `(BUCKETS - DENSE) * CLASSES`, feature by feature.
    hashed: Vec<i8>,
    brands: Brands,
}

/// What the file says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// Category codes in the model's order.
    pub classes: Vec<String>,
    /// Divides the logits; fitted on merchants not trained on.
    pub temperature: f32,
    /// Examples it was trained on.
    pub examples: u32,
    /// OSM kinds with their category index.
    pub kinds: Vec<(String, usize)>,
}

/// Why a model file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not a model, cut short or altered.
    #[error("category model is not intact ({0}); hint: restore `models/category/model.bin` or train it again")]
    NotIntact(&'static str),
    /// Another version or another set of categories.
    #[error("category model is of version {found}, this build reads {VERSION}; hint: train it again")]
    OtherVersion {
        /// The version found.
        found: u32,
    },
}

impl Model {
    /// From trained weights, `BUCKETS * CLASSES` feature by feature.
    pub fn from_weights(weights: &[f32], temperature: f32, examples: u32, brands: Brands) -> Self {
        let (dense, hashed) = weights.split_at(DENSE * CLASSES);
        let mut steps = vec![0.0_f32; CLASSES];
        for (i, w) in hashed.iter().enumerate() {
            steps[i % CLASSES] = steps[i % CLASSES].max(w.abs() / 127.0);
        }
        let quantised = hashed.iter().enumerate().map(|(i, w)| match steps[i % CLASSES] {
            step if step > 0.0 => (w / step).round() as i8,
            _ => 0,
        });
        let header = Header {
            version: VERSION,
            classes: lexicon::WORDS.iter().map(|(code, _)| (*code).to_owned()).collect(),
            temperature,
            examples,
            kinds: brands.kinds().to_vec(),
        };
        Self { header, dense: dense.to_vec(), hashed: quantised.collect(), steps, brands }
    }

    /// The model this build carries.
    pub fn embedded() -> &'static Self {
        static MODEL: LazyLock<Model> = LazyLock::new(|| {
            let bytes = include_bytes!("../../models/category/model.bin");
            Model::from_bytes(bytes).expect("a test reads the embedded model")
        });
        &MODEL
    }

    /// What the file says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The known brands.
    pub fn brands(&self) -> &Brands {
        &self.brands
    }

    /// Probability of each class, in the order of the header; they sum to one.
    pub fn predict(&self, features: &Features) -> Vec<f32> {
        softmax(&self.logits(features), self.header.temperature)
    }

    /// Raw scores of each class.
    pub fn logits(&self, features: &Features) -> Vec<f32> {
        let mut out = vec![0.0; CLASSES];
        for &(index, value) in &features.values {
            for (class, sum) in out.iter_mut().enumerate() {
                *sum += value * self.weight(index as usize, class);
            }
        }
        out
    }

    /// The weight of one feature for one class.
    pub fn weight(&self, feature: usize, class: usize) -> f32 {
        if feature < DENSE {
            self.dense[feature * CLASSES + class]
        } else {
            f32::from(self.hashed[(feature - DENSE) * CLASSES + class]) * self.steps[class]
        }
    }

    /// The file: magic, header length and header (JSON), weights, brands, SHA-256 of all before. Little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let header = serde_json::to_vec(&self.header).unwrap_or_default();
        let mut out = MAGIC.to_vec();
        out.extend((header.len() as u32).to_le_bytes());
        out.extend(header);
        for value in self.dense.iter().chain(&self.steps) {
            out.extend(value.to_le_bytes());
        }
        out.extend(self.hashed.iter().map(|w| *w as u8));
        for (print, kind) in self.brands.entries() {
            out.extend(print.to_le_bytes());
            out.extend(kind.to_le_bytes());
        }
        let sum = Sha256::of(&out);
        out.extend(sum.as_bytes());
        out
    }

    /// Reads a file written by [`Model::to_bytes`]; verifies its checksum, version and categories.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (body, sum) = bytes.split_last_chunk::<32>().ok_or(ModelError::NotIntact("too short"))?;
        if Sha256::of(body).as_bytes() != sum {
            return Err(ModelError::NotIntact("its checksum differs"));
        }
        let mut rest = body.strip_prefix(MAGIC).ok_or(ModelError::NotIntact("it is another kind of file"))?;
        let length = u32::from_le_bytes(*take(&mut rest)?) as usize;
        if length > MAX_HEADER || length > rest.len() {
            return Err(ModelError::NotIntact("its header is too long"));
        }
        let (header, mut rest) = rest.split_at(length);
        let header: Header =
            serde_json::from_slice(header).map_err(|_| ModelError::NotIntact("its header is not JSON"))?;
        let ours = lexicon::WORDS.iter().map(|(code, _)| *code);
        if header.version != VERSION || !header.classes.iter().map(String::as_str).eq(ours) {
            return Err(ModelError::OtherVersion { found: header.version });
        }
        let mut floats = |count: usize| -> Result<Vec<f32>, ModelError> {
            (0..count).map(|_| Ok(f32::from_le_bytes(*take(&mut rest)?))).collect()
        };
        let (dense, steps) = (floats(DENSE * CLASSES)?, floats(CLASSES)?);
        let count = (BUCKETS - DENSE) * CLASSES;
        let (hashed, brands) = rest.split_at_checked(count).ok_or(ModelError::NotIntact("weights are missing"))?;
        let (entries, left) = brands.as_chunks::<6>();
        if !left.is_empty() {
            return Err(ModelError::NotIntact("brands are cut short"));
        }
        let entries = entries
            .iter()
            .map(|[a, b, c, d, e, f]| (u32::from_le_bytes([*a, *b, *c, *d]), u16::from_le_bytes([*e, *f])));
        let brands = Brands::from_entries(header.kinds.clone(), entries.collect());
        Ok(Self { header, dense, steps, hashed: hashed.iter().map(|b| *b as i8).collect(), brands })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], ModelError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(ModelError::NotIntact("it is cut short"))?;
    *rest = tail;
    Ok(head)
}

/// Probabilities of scores divided by a temperature.
pub fn softmax(scores: &[f32], temperature: f32) -> Vec<f32> {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|s| ((s - highest) / temperature).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_model_is_intact_and_reads_back_as_itself() {
        let model = Model::embedded();
        let bytes = model.to_bytes();
        assert_eq!(bytes, include_bytes!("../../models/category/model.bin"));
        assert!(bytes.len() < 1_500_000, "{} bytes", bytes.len());
    }

    #[test]
    fn an_altered_or_cut_file_is_refused() {
        let mut bytes = Model::embedded().to_bytes();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(matches!(Model::from_bytes(&bytes), Err(ModelError::NotIntact(_))));
        bytes[middle] ^= 1;
        bytes.truncate(middle);
        assert!(matches!(Model::from_bytes(&bytes), Err(ModelError::NotIntact(_))));
        assert!(matches!(Model::from_bytes(&[]), Err(ModelError::NotIntact(_))));
    }
}
