//! Recognition engines behind one trait.

use std::path::PathBuf;

use image::RgbImage;

use crate::domain::{field::text_enum, page::Line};

pub mod paddle;
pub mod tesseract;
pub mod words;

text_enum! {
    /// Which engine recognises pictures.
    EngineKind {
        /// Tesseract through its C API.
        Tesseract = "tesseract",
        /// PP-OCRv6 on rten.
        Paddle = "paddle",
    }
}

/// How an engine is loaded; the same for every child of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// Which engine.
    pub kind: EngineKind,
    /// Languages by Tesseract's names (`eng`, `chi_sim`, `deu`), most likely first. Never empty.
    pub languages: Vec<String>,
    /// Pictures are scaled down to this longest side in pixels before recognition; boxes are scaled back.
    pub max_side: u32,
    /// Milliseconds one page may take before recognition is given up.
    pub page_deadline_ms: u32,
    /// Directory of the weights of engines that need one.
    pub models: Option<PathBuf>,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            kind: EngineKind::Tesseract,
            languages: vec!["eng".into()],
            // Measured on SROIE: 2000 px reads more totals than full size and takes two thirds of the time.
            max_side: 2000,
            page_deadline_ms: 30_000,
            models: None,
        }
    }
}

/// Loads an engine: all files are opened and all threads started here, none later, because the sandbox closes
/// next and kills what opens or starts. An engine with a lazy thread pool (rten) must run it once in its `load`.
pub fn load(settings: &EngineSettings) -> Result<Box<dyn Engine>, OcrError> {
    match settings.kind {
        EngineKind::Tesseract => Ok(Box::new(tesseract::Tesseract::load(settings)?)),
        EngineKind::Paddle => {
            let weights = settings.models.clone().ok_or_else(|| OcrError::Unavailable {
                engine: "paddle",
                cause: "no directory of weights is configured: set reader.weights_dir".into(),
            })?;
            let paddle = paddle::PaddleSettings {
                deadline_ms: settings.page_deadline_ms,
                ..paddle::PaddleSettings::new(weights)
            };
            Ok(Box::new(paddle::PaddleEngine::load(paddle)?))
        }
    }
}

/// What an engine made of a picture.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recognised {
    /// Lines in reading order, boxes in pixels of the picture that was handed in.
    pub lines: Vec<Line>,
    /// Things a person should know, e.g. `text too small`; stable codes.
    pub warnings: Vec<String>,
}

/// Why recognition failed. Failed recognition never yields text.
#[derive(Debug, thiserror::Error)]
pub enum OcrError {
    /// The engine could not be started (weights, languages).
    #[error("the {engine} engine cannot start: {cause}")]
    Unavailable {
        /// Engine name.
        engine: &'static str,
        /// What is missing and how to get it.
        cause: String,
    },
    /// The engine reported an error while recognising; whatever text it gave is not trusted.
    #[error("the {engine} engine failed: {cause}")]
    Failed {
        /// Engine name.
        engine: &'static str,
        /// What it said, cut to 300 characters, without recognised text.
        cause: String,
    },
    /// A page took longer than it may.
    #[error("the {engine} engine gave up after {limit_ms} ms on one page")]
    Deadline {
        /// Engine name.
        engine: &'static str,
        /// The limit that was set.
        limit_ms: u32,
    },
    /// There is not enough memory left to recognise this picture faithfully.
    #[error("the {engine} engine needs {needed_bytes} bytes more than the reader may use")]
    Memory {
        /// Engine name.
        engine: &'static str,
        /// What it wanted to reserve.
        needed_bytes: usize,
    },
}

/// An optical character recognition engine. Loaded once per child process, before the sandbox closes.
pub trait Engine: Send {
    /// Name and version for readings, e.g. `tesseract 5.3.0 (eng+chi_sim, psm 6)`.
    fn version(&self) -> String;

    /// Recognises the text of an upright picture (after EXIF orientation).
    fn recognise(&mut self, picture: &RgbImage) -> Result<Recognised, OcrError>;
}
