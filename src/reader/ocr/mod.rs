//! Recognition engines behind one trait.

pub mod paddle;

use image::RgbImage;

use crate::domain::page::Line;

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
}

/// An optical character recognition engine. Loaded once per child process, before the sandbox closes.
pub trait Engine: Send {
    /// Name and version for readings, e.g. `tesseract 5.3.0 (eng+chi_sim, psm 6)`.
    fn version(&self) -> String;

    /// Recognises the text of an upright picture (after EXIF orientation).
    fn recognise(&mut self, picture: &RgbImage) -> Result<Recognised, OcrError>;
}
