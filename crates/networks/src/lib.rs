//! The two networks of PP-OCRv6 small: pixels in, probabilities out. Nearly all of what reading a photo costs is computed
//! here, so this is a crate of its own, optimised in every build.
//!
//! What both networks share and what the detection network ends with is computed by layers written for it (`backbone`,
//! `pyramid`, `head`), in the precision the processor does best (`pointwise`); `rten` reads the weights and runs the
//! rest. `docs/adr/0016` says what is rounded and why. Nothing here knows of lines, boxes or characters.

mod backbone;
mod best;
mod dense;
mod depthwise;
mod gelu;
mod head;
mod network;
mod panels;
mod pixels;
mod pointwise;
mod pyramid;
mod registers;
mod rooms;
mod rounded;
mod shorts;

use std::fmt::Display;
use std::path::PathBuf;

pub use self::backbone::Trunk;
pub use self::best::Best;
pub use self::network::{CHANNELS, Map, Network, Steps, threads};
pub use self::pixels::Pixels;
pub use self::pointwise::Precision;
pub use self::rooms::Room;

/// Why a network cannot be had or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The file cannot be read or is not a network that can be run.
    #[error("`{}` cannot be loaded: {cause}; fetch the weights again", path.display())]
    Load {
        /// Which file.
        path: PathBuf,
        /// What `rten` says.
        cause: String,
    },
    /// A run failed; cut to 300 characters so that it cannot carry a page's text.
    #[error("{0}")]
    Failed(String),
}

/// An error of a run.
fn failed(cause: impl Display) -> NetworkError {
    NetworkError::Failed(cause.to_string().chars().take(300).collect())
}
