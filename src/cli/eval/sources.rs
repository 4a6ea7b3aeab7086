//! One corpus folder with its labels.

use std::path::{Path, PathBuf};

use super::labels::{self, Label, LabelError};

/// One corpus folder with its labels.
#[derive(Debug, Clone)]
pub struct Source {
    /// The folder's name.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its labels.
    pub labels: Vec<Label>,
}

impl Source {
    /// Reads the labels of `folder`.
    pub fn open(folder: &Path) -> Result<Self, LabelError> {
        Ok(Self { name: name_of(folder), folder: folder.to_owned(), labels: labels::read(folder)? })
    }

    /// Keeps at most `most` labelled pictures, spread evenly.
    pub fn thin(&mut self, most: usize) {
        self.labels.retain(|label| label.file.is_some());
        let step = self.labels.len().div_ceil(most.max(1)).max(1);
        self.labels = self.labels.drain(..).step_by(step).collect();
    }

    /// Labels that name a picture.
    pub fn with_file(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter().filter(|l| l.file.is_some())
    }
}

/// The name of a corpus folder in tables and in the cache of readings.
pub fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(|| folder.display().to_string(), |n| n.to_string_lossy().into_owned())
}
