//! Customers and the visits to them.

use super::field::text_enum;

text_enum! {
    /// What a customer is to the organisation; costs are shown by it.
    CustomerType {
        /// Won recently.
        New = "new",
        /// Buys already.
        Existing = "existing",
        /// May buy one day.
        Potential = "potential",
    }
}

text_enum! {
    /// Why a visit was made.
    VisitPurpose {
        /// First contact.
        Introduction = "introduction",
        /// Offer or negotiation.
        Sales = "sales",
        /// Demonstration or trial.
        Demonstration = "demonstration",
        /// Delivery, installation, training.
        Delivery = "delivery",
        /// Service or complaint.
        Service = "service",
        /// Keeping in touch.
        Relationship = "relationship",
        /// Fair or conference.
        Event = "event",
        /// Anything else.
        Other = "other",
    }
}

/// Which visit a draft is for. A draft names a visit or says explicitly that there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VisitChoice {
    /// Nobody has said yet.
    Undecided,
    /// Explicitly none.
    NoVisit,
    /// This visit.
    Visit(super::ids::VisitId),
}
