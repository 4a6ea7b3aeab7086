//! The draft machine. A draft changes state only through [`Draft::apply`].

use serde::{Deserialize, Serialize};

use super::{
    field::text_enum,
    ids::{PersonId, ReceiptId},
    time::Timestamp,
};

text_enum! {
    /// Where a receipt stands.
    DraftState {
        /// With its rep, waiting for required fields or for the rep to submit.
        Draft = "draft",
        /// In the reviewers' queue.
        Submitted = "submitted",
        /// Vouched for; an expense exists.
        Confirmed = "confirmed",
        /// Back with its rep, with a reason.
        Returned = "returned",
        /// Refused, with a reason.
        Rejected = "rejected",
        /// Taken back by its rep.
        Withdrawn = "withdrawn",
        /// Part of another receipt now.
        Merged = "merged",
    }
}

/// The part of a receipt the machine decides about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The receipt.
    pub id: ReceiptId,
    /// Whose it is.
    pub owner: PersonId,
    /// Where it stands.
    pub state: DraftState,
    /// Counts every change; an update names the revision it saw.
    pub revision: i64,
    /// A person has changed or decided something: workers keep their hands off.
    pub touched: bool,
    /// When it entered the reviewers' queue, while it is there or after.
    pub submitted_at: Option<Timestamp>,
    /// Who decided last (confirmed, returned, rejected).
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why it was returned or rejected.
    pub reason: Option<String>,
    /// The receipt it was merged into.
    pub merged_into: Option<ReceiptId>,
}

/// What can happen to a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The pipeline filled the fields. Refused once a person has touched the draft.
    Filled {
        /// Required fields are there and nobody asked to wait: it goes to the reviewers by itself.
        submit: bool,
        /// When.
        at: Timestamp,
    },
    /// A person changed fields, category, visit or allocation.
    Edited {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Handed to the reviewers.
    Submitted {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Vouched for.
    Confirmed {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Back to the rep.
    Returned {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
        /// Why; shown to the rep.
        reason: String,
    },
    /// Refused.
    Rejected {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
        /// Why; shown to the rep.
        reason: String,
    },
    /// Taken back by the rep.
    Withdrawn {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// A confirmed, rejected or withdrawn one becomes a draft again.
    Reopened {
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
    /// Part of another receipt.
    Merged {
        /// The receipt that stays.
        into: ReceiptId,
        /// Who.
        by: PersonId,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// The event's word in messages and journal entries.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Filled { .. } => "filled",
            Self::Edited { .. } => "edited",
            Self::Submitted { .. } => "submitted",
            Self::Confirmed { .. } => "confirmed",
            Self::Returned { .. } => "returned",
            Self::Rejected { .. } => "rejected",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Reopened { .. } => "reopened",
            Self::Merged { .. } => "merged",
        }
    }
}

/// An event that does not fit the draft's state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The state does not allow it.
    #[error("a {state} draft cannot be {event}")]
    Illegal {
        /// Where the draft stands.
        state: DraftState,
        /// What was tried.
        event: &'static str,
    },
    /// A worker came after a person.
    #[error("a person has touched this draft: the reading is kept, the fields stay as they are")]
    Touched,
    /// Return and reject need a reason.
    #[error("a draft cannot be {event} without a reason")]
    ReasonMissing {
        /// What was tried.
        event: &'static str,
    },
    /// A receipt cannot be merged into itself.
    #[error("a draft cannot be merged into itself")]
    IntoItself,
}

impl Draft {
    /// A new, empty draft with its rep.
    pub fn new(id: ReceiptId, owner: PersonId) -> Self {
        Self {
            id,
            owner,
            state: DraftState::Draft,
            revision: 1,
            touched: false,
            submitted_at: None,
            decided_by: None,
            decided_at: None,
            reason: None,
            merged_into: None,
        }
    }

    /// The draft after `event`, one revision on; or why that cannot be.
    pub fn apply(&self, event: Event) -> Result<Self, TransitionError> {
        use DraftState as S;
        let illegal = || TransitionError::Illegal { state: self.state, event: event.name() };
        let mut next = self.clone();
        next.revision += 1;
        match &event {
            Event::Filled { submit, at } => {
                match self.state {
                    S::Draft | S::Submitted => {}
                    S::Confirmed | S::Returned | S::Rejected | S::Withdrawn | S::Merged => return Err(illegal()),
                }
                if self.touched {
                    return Err(TransitionError::Touched);
                }
                if *submit && self.state == S::Draft {
                    next.state = S::Submitted;
                    next.submitted_at = Some(*at);
                }
            }
            Event::Edited { .. } => match self.state {
                S::Draft | S::Submitted | S::Returned => next.touched = true,
                S::Confirmed | S::Rejected | S::Withdrawn | S::Merged => return Err(illegal()),
            },
            Event::Submitted { at, .. } => match self.state {
                S::Draft | S::Returned => {
                    next.state = S::Submitted;
                    next.submitted_at = Some(*at);
                    next.touched = true;
                    next.reason = None;
                }
                S::Submitted | S::Confirmed | S::Rejected | S::Withdrawn | S::Merged => return Err(illegal()),
            },
            Event::Confirmed { by, at } => match self.state {
                S::Submitted => next.decide(S::Confirmed, by, *at, None),
                S::Draft | S::Confirmed | S::Returned | S::Rejected | S::Withdrawn | S::Merged => {
                    return Err(illegal());
                }
            },
            Event::Returned { by, at, reason } => match self.state {
                S::Submitted if reason.trim().is_empty() => {
                    return Err(TransitionError::ReasonMissing { event: event.name() });
                }
                S::Submitted => next.decide(S::Returned, by, *at, Some(reason)),
                S::Draft | S::Confirmed | S::Returned | S::Rejected | S::Withdrawn | S::Merged => {
                    return Err(illegal());
                }
            },
            Event::Rejected { by, at, reason } => match self.state {
                S::Submitted if reason.trim().is_empty() => {
                    return Err(TransitionError::ReasonMissing { event: event.name() });
                }
                S::Submitted => next.decide(S::Rejected, by, *at, Some(reason)),
                S::Draft | S::Confirmed | S::Returned | S::Rejected | S::Withdrawn | S::Merged => {
                    return Err(illegal());
                }
            },
            Event::Withdrawn { .. } => match self.state {
                S::Draft | S::Submitted | S::Returned => {
                    next.state = S::Withdrawn;
                    next.touched = true;
                }
                S::Confirmed | S::Rejected | S::Withdrawn | S::Merged => return Err(illegal()),
            },
            Event::Reopened { .. } => match self.state {
                S::Confirmed | S::Rejected | S::Withdrawn => {
                    next.state = S::Draft;
                    next.touched = true;
                    next.reason = None;
                    next.decided_by = None;
                    next.decided_at = None;
                    next.submitted_at = None;
                }
                S::Draft | S::Submitted | S::Returned | S::Merged => return Err(illegal()),
            },
            Event::Merged { into, .. } => match self.state {
                _ if *into == self.id => return Err(TransitionError::IntoItself),
                S::Draft | S::Submitted | S::Returned => {
                    next.state = S::Merged;
                    next.touched = true;
                    next.merged_into = Some(into.clone());
                }
                S::Confirmed | S::Rejected | S::Withdrawn | S::Merged => return Err(illegal()),
            },
        }
        Ok(next)
    }

    fn decide(&mut self, state: DraftState, by: &PersonId, at: Timestamp, reason: Option<&String>) {
        self.state = state;
        self.touched = true;
        self.decided_by = Some(by.clone());
        self.decided_at = Some(at);
        self.reason = reason.map(|r| r.trim().to_owned());
    }

    /// Whether a person may still change its fields.
    pub fn is_editable(&self) -> bool {
        match self.state {
            DraftState::Draft | DraftState::Submitted | DraftState::Returned => true,
            DraftState::Confirmed | DraftState::Rejected | DraftState::Withdrawn | DraftState::Merged => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0192f0c1-7d3a-7c44-9a51-6f1e2b3c4d5e";
    const OTHER: &str = "0192f0c1-7d3a-7c44-9a51-6f1e2b3c4d5f";

    fn draft() -> Draft {
        Draft::new(ID.parse().unwrap(), ID.parse().unwrap())
    }

    fn by() -> PersonId {
        ID.parse().unwrap()
    }

    fn event() -> impl Strategy<Value = Event> {
        let at = (0..1_000_000_i64).prop_map(Timestamp::from_micros);
        (0..9_u8, at, any::<bool>(), "[ a-z]{0,5}").prop_map(|(kind, at, flag, reason)| match kind {
            0 => Event::Filled { submit: flag, at },
            1 => Event::Edited { by: by(), at },
            2 => Event::Submitted { by: by(), at },
            3 => Event::Confirmed { by: by(), at },
            4 => Event::Returned { by: by(), at, reason },
            5 => Event::Rejected { by: by(), at, reason },
            6 => Event::Withdrawn { by: by(), at },
            7 => Event::Reopened { by: by(), at },
            _ => Event::Merged { into: if flag { ID } else { OTHER }.parse().unwrap(), by: by(), at },
        })
    }

    #[test]
    fn a_late_worker_never_overwrites_what_a_person_has_touched() {
        let at = Timestamp::from_micros(1);
        let edited = draft().apply(Event::Edited { by: by(), at }).unwrap();
        assert_eq!(edited.apply(Event::Filled { submit: true, at }), Err(TransitionError::Touched));
    }

    #[test]
    fn what_is_refused_names_the_state_and_the_event() {
        let error = draft().apply(Event::Confirmed { by: by(), at: Timestamp::from_micros(1) }).unwrap_err();
        assert_eq!(error.to_string(), "a draft draft cannot be confirmed");
    }

    proptest! {
        #[test]
        fn any_sequence_of_events_keeps_the_draft_legal(events in prop::collection::vec(event(), 0..40)) {
            let mut now = draft();
            for event in events {
                let Ok(next) = now.apply(event.clone()) else { continue };
                prop_assert_eq!(next.revision, now.revision + 1);
                prop_assert!(next.touched || !now.touched, "touch is never forgotten");
                prop_assert_eq!(next.state == DraftState::Merged, next.merged_into.is_some());
                prop_assert_eq!(&next.id, &now.id);
                prop_assert_eq!(&next.owner, &now.owner);
                match next.state {
                    DraftState::Confirmed => prop_assert!(next.decided_by.is_some() && next.decided_at.is_some() && next.submitted_at.is_some()),
                    DraftState::Returned | DraftState::Rejected => prop_assert!(next.reason.as_ref().is_some_and(|r| !r.is_empty())),
                    DraftState::Submitted => prop_assert!(next.submitted_at.is_some() && next.reason.is_none()),
                    DraftState::Draft | DraftState::Withdrawn | DraftState::Merged => {}
                }
                if now.touched {
                    prop_assert!(!matches!(event, Event::Filled { .. }), "a worker got past a person");
                }
                now = next;
            }
        }
    }
}
