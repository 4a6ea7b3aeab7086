//! The weight files of PP-OCRv6 small: which they are and whether they are installed.

use std::path::{Path, PathBuf};

use super::NAME;
use crate::reader::ocr::OcrError;

/// Text detection, 9.9 MB. From the wheel `rapidocr` 3.10.0, Apache-2.0; see `scripts/fetch-weights.sh`.
pub const DETECTION_FILE: &str = "PP-OCRv6_det_small.onnx";
/// Text recognition, 21.2 MB, with its 18,708 characters in the metadata.
pub const RECOGNITION_FILE: &str = "PP-OCRv6_rec_small.onnx";
/// Upright or upside down, per line, 0.6 MB.
pub const DIRECTION_FILE: &str = "ch_ppocr_mobile_v2.0_cls_mobile.onnx";

/// Paths of the three weight files, each seen to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// The detection network.
    pub detection: PathBuf,
    /// The recognition network.
    pub recognition: PathBuf,
    /// The direction classifier.
    pub direction: PathBuf,
}

impl Weights {
    /// Finds the weights in `directory`.
    ///
    /// # Errors
    /// [`OcrError::Unavailable`] naming the missing file and the script that installs it.
    pub fn find(directory: &Path) -> Result<Self, OcrError> {
        let find = |name: &str| {
            let path = directory.join(name);
            if path.is_file() {
                return Ok(path);
            }
            Err(OcrError::Unavailable {
                engine: NAME,
                cause: format!("`{}` is not there; `scripts/fetch-weights.sh` installs it", path.display()),
            })
        };
        Ok(Self {
            detection: find(DETECTION_FILE)?,
            recognition: find(RECOGNITION_FILE)?,
            direction: find(DIRECTION_FILE)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_weights_name_the_file_and_the_script() {
        let directory = tempfile::tempdir().unwrap();
        let message = Weights::find(directory.path()).unwrap_err().to_string();
        assert!(message.contains(DETECTION_FILE), "{message}");
        assert!(message.contains("scripts/fetch-weights.sh"), "{message}");
    }
}
