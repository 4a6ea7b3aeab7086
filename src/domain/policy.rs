//! What a draft needs before it may move on.

use super::{
    field::FieldKey,
    person::{Actor, Role},
    receipt::EvidenceKind,
    visit::VisitChoice,
};

/// Fields a draft needs before reviewers see it. Without them a reviewer would have to retype the paper.
pub const REQUIRED_TO_SUBMIT: &[FieldKey] = &[FieldKey::Merchant, FieldKey::Date, FieldKey::Total, FieldKey::Currency];

/// Fields a draft needs before it becomes an expense.
pub const REQUIRED_TO_CONFIRM: &[FieldKey] =
    &[FieldKey::Merchant, FieldKey::Date, FieldKey::Total, FieldKey::Currency, FieldKey::Category];

/// Which of `required` are absent.
pub fn missing(required: &[FieldKey], is_present: impl Fn(FieldKey) -> bool) -> Vec<FieldKey> {
    required.iter().copied().filter(|key| !is_present(*key)).collect()
}

/// Why a confirmation is refused, apart from missing fields and the draft's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmRefusal {
    /// Four eyes.
    #[error("reviewers do not confirm their own receipts: leave it to another reviewer")]
    Own,
    /// A visit or explicitly none.
    #[error("the draft names no visit: choose one, or say that there was none")]
    VisitUndecided,
    /// Supporting paper only.
    #[error("{0} only supports another receipt: attach it there instead of confirming it by itself")]
    OnlySupports(EvidenceKind),
}

/// Whether `actor` may confirm a receipt of `is_own`; `active_reviewers` counts people who could do it instead.
pub fn may_confirm(
    is_own: bool,
    active_reviewers: i64,
    visit: &VisitChoice,
    evidence_kind: Option<EvidenceKind>,
) -> Result<(), ConfirmRefusal> {
    if is_own && active_reviewers > 1 {
        return Err(ConfirmRefusal::Own);
    }
    if *visit == VisitChoice::Undecided {
        return Err(ConfirmRefusal::VisitUndecided);
    }
    match evidence_kind {
        Some(kind @ EvidenceKind::TripSheet) => Err(ConfirmRefusal::OnlySupports(kind)),
        _ => Ok(()),
    }
}

/// Whether `actor` may act as a reviewer at all.
pub fn is_reviewer(actor: &Actor) -> bool {
    actor.is(Role::Reviewer)
}

/// Whether `actor` decides about a receipt for the organisation: a reviewer, and on `is_own` only while no colleague could;
/// `active_reviewers` counts people who could.
pub fn may_judge(actor: &Actor, is_own: bool, active_reviewers: i64) -> bool {
    is_reviewer(actor) && (!is_own || active_reviewers <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_reviewer_may_confirm_their_own_but_not_with_a_colleague_around() {
        let visit = VisitChoice::NoVisit;
        assert_eq!(may_confirm(true, 1, &visit, None), Ok(()));
        assert_eq!(may_confirm(true, 2, &visit, None), Err(ConfirmRefusal::Own));
        assert_eq!(may_confirm(false, 2, &visit, None), Ok(()));
    }

    #[test]
    fn a_draft_that_names_no_visit_is_not_confirmed() {
        assert_eq!(may_confirm(false, 2, &VisitChoice::Undecided, None), Err(ConfirmRefusal::VisitUndecided));
    }

    #[test]
    fn what_is_missing_is_named_in_order() {
        let absent = missing(REQUIRED_TO_CONFIRM, |key| key == FieldKey::Date);
        assert_eq!(absent, [FieldKey::Merchant, FieldKey::Total, FieldKey::Currency, FieldKey::Category]);
    }
}
