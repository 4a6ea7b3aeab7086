//! `vouch eval`: how much of a labelled corpus is read right, source by source. Pure but for [`labels::read`].
//!
//! The reading itself is an argument: the command hands in the reader pool, tests hand in cached pages.

pub mod cached;
pub mod labels;
pub mod report;
pub mod score;

use crate::{domain::time::CivilDate, extract::Extraction};

/// What was read of one receipt of a file.
#[derive(Debug, Clone, Default)]
pub struct ReceiptRead {
    /// The fields and candidates.
    pub extraction: Extraction,
    /// Wall-clock seconds the whole file took, shared by its receipts.
    pub seconds: f32,
}

/// The day receipts are handed in when measuring: fixed, so that a measurement can be repeated.
pub const fn eval_today() -> CivilDate {
    jiff::civil::date(2026, 11, 30)
}
