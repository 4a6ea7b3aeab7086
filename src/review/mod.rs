//! People act on drafts: look, correct, submit, confirm, return, reject, withdraw, reopen, merge.
//!
//! Every act is one write transaction with a journal entry.

mod access;
mod captures;
mod current;
mod decide;
mod edit;
mod findings;
mod list;
mod view;

pub use access::{may_see, visible_filter};
pub use captures::{
    CaptureView, ListedCaptures, MAX_PASSWORD_CHARS, capture, captures_without_receipts, give_password,
    trips_of_capture, waiting_for_password,
};
pub use current::{DraftField, current_values, draft_fields};
pub use decide::{Verb, confirm, decide, fill_by_hand, merge, retry_capture, retry_job};
pub use edit::{Edit, MAX_BULK, edit, set_visit_of_many};
pub use findings::{FindingView, Pairing, attach, findings, pair, receipt};
pub use list::{Listed, MAX_PAGE, Place, count_queue, list_mine, list_queue, next_in_queue, place_in_queue};
pub use view::{DocumentView, DraftView, PageView, page_picture, view};

use crate::{
    domain::{
        draft::{DraftState, TransitionError},
        field::{FieldError, FieldKey},
        ids::{CaptureId, JobId, ReceiptId, VisitId},
        money::MoneyError,
        policy::ConfirmRefusal,
    },
    store::StoreError,
};

/// Why an act of review was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Not there, or not the actor's to see: the two are not told apart.
    #[error("there is no draft `{0}`")]
    NoSuchDraft(ReceiptId),
    /// Same for captures.
    #[error("there is no capture `{0}`")]
    NoSuchCapture(CaptureId),
    /// No such job.
    #[error("there is no job `{0}`")]
    NoSuchJob(JobId),
    /// Seen, but not theirs to change.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Somebody was faster.
    #[error("the draft has changed meanwhile: it is {state} at revision {revision} now; load it again")]
    Conflict {
        /// Its state now.
        state: DraftState,
        /// Its revision now.
        revision: i64,
    },
    /// The draft's state does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A value does not fit its field.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// An amount does not fit the currency.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Fields are missing.
    #[error("these fields are missing: {}", .0.iter().map(|k| k.as_str()).collect::<Vec<_>>().join(", "))]
    Missing(Vec<FieldKey>),
    /// Confirmation is refused by policy.
    #[error(transparent)]
    Refused(#[from] ConfirmRefusal),
    /// Not a category of the organisation.
    #[error("`{0}` is not an active category")]
    UnknownCategory(String),
    /// Not a visit the actor can name.
    #[error("there is no visit `{0}`")]
    UnknownVisit(VisitId),
    /// The proposal was answered or has gone meanwhile.
    #[error("these two receipts are not proposed as papers of one expense any more: load the draft again")]
    NotProposed,
    /// Its expense has left the house.
    #[error("the expense has already been exported: correct it with a new receipt instead of reopening this one")]
    AlreadyExported,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
