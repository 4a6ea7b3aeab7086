//! Pages and context in, candidates and fields out. Pure: no I/O, no async, no clock.

use crate::domain::{
    field::{Candidate, Fields},
    money::Currency,
    page::{Code, Page},
    time::CivilDate,
};

/// What the extractor knows besides the paper.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// The day the paper was handed in, in the organisation's time zone; dates after it are unlikely.
    pub today: CivilDate,
    /// The organisation's home currency; evidence only, never a silent default.
    pub home_currency: Option<Currency>,
    /// BCP 47 tags in order of preference, e.g. `zh-CN`, `en-GB`; decides 03/04.
    pub locales: Vec<String>,
    /// Merchants the organisation has confirmed, as additional candidates.
    pub known_merchants: Vec<String>,
}

/// What was read of one receipt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Material {
    /// The pages (or regions of pages) of this receipt.
    pub pages: Vec<Page>,
    /// Codes found on them.
    pub codes: Vec<Code>,
}

/// Everything the extractor has to say about one receipt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extraction {
    /// The chosen fields with probabilities.
    pub fields: Fields,
    /// All candidates, for pages, statistics and training.
    pub candidates: Vec<Candidate>,
    /// Probability that total and date are both right, 0 to 1.
    pub p_total_and_date: f32,
}
