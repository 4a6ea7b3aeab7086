//! My receipts: everything a rep handed in, with live state.

use askama::Template;
use rust_decimal::Decimal;

use super::shell::{Choice, Shell, VisitOption, VisitView};
use crate::domain::{
    capture::{CaptureState, Reason},
    draft::DraftState,
    field::FieldKey,
    ids::{CaptureId, ReceiptId},
    money::Currency,
    time::{CivilDate, Timestamp},
};

/// `GET /receipts?state=`. Bulk actions post `id` (repeated), `action` (`visit`, `submit`, `withdraw`), `visit`, `csrf`
/// to `/receipts`; one receipt's actions post to `/drafts/{id}`, a capture's to `/captures/{id}/retry`, a document's
/// password (`password`) to `/captures/{id}/password`.
/// Scripts fetch the same page again while something is being read and swap the list.
#[derive(Debug, Clone, Template)]
#[template(path = "receipts.html")]
pub struct ReceiptsPage {
    /// The frame.
    pub shell: Shell,
    /// Captures that are not receipts yet, newest first.
    pub captures: Vec<CaptureRow>,
    /// Receipts, newest first.
    pub receipts: Vec<ReceiptRow>,
    /// The state shown; empty for all.
    pub filter: String,
    /// States offered, with counts: value is the state's word or empty for all, label is the count.
    pub filters: Vec<Choice>,
    /// Visits to choose from for many at once.
    pub visits: Vec<VisitOption>,
    /// Address of the next page of the list.
    pub more: Option<String>,
}

impl ReceiptsPage {
    /// Whether something moves by itself: scripts look again while it does.
    pub fn is_moving(&self) -> bool {
        self.captures.iter().any(|c| matches!(c.state, CaptureState::Received | CaptureState::Reading))
    }
}

/// A capture on its way or stuck.
#[derive(Debug, Clone)]
pub struct CaptureRow {
    /// The capture.
    pub id: CaptureId,
    /// Where it stands.
    pub state: CaptureState,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// Name of the first file, when known.
    pub file_name: Option<String>,
    /// The message it came with: a mail that is held back is decided about there.
    pub mail_url: Option<String>,
    /// A small picture, when there is one.
    pub thumbnail_url: Option<String>,
    /// When it came in.
    pub captured_at: Timestamp,
}

impl CaptureRow {
    /// Whether trying again is offered.
    pub fn can_retry(&self) -> bool {
        self.state == CaptureState::Failed && self.reason.is_none_or(Reason::is_worth_retrying)
    }

    /// Whether a person may fill in the fields by hand instead.
    pub fn can_fill_in(&self) -> bool {
        matches!(self.state, CaptureState::Failed | CaptureState::PasswordNeeded)
    }

    /// Whether it waits for the password of an encrypted document.
    pub fn wants_password(&self) -> bool {
        self.state == CaptureState::PasswordNeeded
    }
}

/// A receipt in the rep's list.
#[derive(Debug, Clone)]
pub struct ReceiptRow {
    /// The receipt.
    pub id: ReceiptId,
    /// Where it stands.
    pub state: DraftState,
    /// A small picture.
    pub thumbnail_url: Option<String>,
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
    /// Why it was returned or rejected.
    pub reason: Option<String>,
    /// Codes of what the reader noticed: sentences by [`Shell::warning`].
    pub warnings: Vec<String>,
    /// Required fields nobody has filled in.
    pub missing: Vec<FieldKey>,
    /// When it came in.
    pub captured_at: Timestamp,
    /// The draft's revision, for actions.
    pub revision: i64,
}

impl ReceiptRow {
    /// Whether its rep may hand it to the reviewers now.
    pub fn can_submit(&self) -> bool {
        self.missing.is_empty() && matches!(self.state, DraftState::Draft | DraftState::Returned)
    }

    /// Whether its rep may take it back.
    pub fn can_withdraw(&self) -> bool {
        matches!(self.state, DraftState::Draft | DraftState::Submitted | DraftState::Returned)
    }

    /// Whether it was taken back or refused and may become a draft again.
    pub fn can_reopen(&self) -> bool {
        self.state == DraftState::Withdrawn
    }

    /// Whether its fields may be changed.
    pub fn can_edit(&self) -> bool {
        self.can_withdraw()
    }
}
