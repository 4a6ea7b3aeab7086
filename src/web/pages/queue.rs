//! The review queue: what waits for a reviewer, oldest first.

use askama::Template;
use rust_decimal::Decimal;

use super::shell::{Choice, Problem, Shell, VisitView};
use crate::domain::{
    draft::DraftState,
    finding::VerificationOutcome,
    ids::ReceiptId,
    money::Currency,
    time::{CivilDate, Timestamp},
};

/// `GET /review?state=&person=&unit=&category=&text=&after=`.
#[derive(Debug, Clone, Template)]
#[template(path = "queue.html")]
pub struct QueuePage {
    /// The frame.
    pub shell: Shell,
    /// Drafts, oldest first.
    pub rows: Vec<QueueRow>,
    /// How many of the queue fit the filter; other lists are not counted.
    pub total: Option<u64>,
    /// The filter as set.
    pub filter: QueueFilter,
    /// People to filter by (value: id).
    pub people: Vec<Choice>,
    /// Units to filter by (value: id).
    pub units: Vec<Choice>,
    /// Categories to filter by (value: code).
    pub categories: Vec<Choice>,
    /// Address of the next page of the list (keyset).
    pub more: Option<String>,
    /// Whether the viewer may import answers of the tax bureau.
    pub may_import: bool,
    /// How many answers were just imported.
    pub imported: Option<usize>,
    /// Why the last act did not work.
    pub problem: Option<Problem>,
}

/// The filter, as text from the address; empty means all.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// A state's word.
    pub state: String,
    /// A person's id.
    pub person: String,
    /// A unit's id.
    pub unit: String,
    /// A category's code.
    pub category: String,
    /// Words to find.
    pub text: String,
}

/// A draft in the queue.
#[derive(Debug, Clone)]
pub struct QueueRow {
    /// The receipt.
    pub id: ReceiptId,
    /// Where it stands.
    pub state: DraftState,
    /// Address of its draft page, carrying the filter so that "next" stays in it.
    pub url: String,
    /// A small picture.
    pub thumbnail_url: Option<String>,
    /// Whose it is.
    pub owner: String,
    /// Who was paid.
    pub merchant: Option<String>,
    /// How much.
    pub total: Option<Decimal>,
    /// In which currency.
    pub currency: Option<Currency>,
    /// The date on the paper.
    pub issued_on: Option<CivilDate>,
    /// Name of the category in the page's language.
    pub category: Option<String>,
    /// What it was for.
    pub visit: VisitView,
    /// Probability that total and date are both right; `None` when nothing was read.
    pub p: Option<f32>,
    /// Codes of what to look out for: `flag.{code}`.
    pub flags: Vec<String>,
    /// Since when it waits.
    pub submitted_at: Option<Timestamp>,
}

impl QueuePage {
    /// Whether a select other than the state's is set: then they are unfolded on phones too.
    pub fn is_filtered(&self) -> bool {
        !(self.filter.person.is_empty() && self.filter.unit.is_empty() && self.filter.category.is_empty())
    }

    /// What the tax bureau may have said.
    pub fn outcomes(&self) -> &'static [VerificationOutcome] {
        VerificationOutcome::ALL
    }

    /// States one can filter by.
    pub fn states(&self) -> &'static [DraftState] {
        DraftState::ALL
    }
}
