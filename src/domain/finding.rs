//! Findings: what a check noticed about a receipt. People decide what follows; nothing is refused because of one.

use serde::{Deserialize, Serialize};

use super::{field::text_enum, ids::ReceiptId};

text_enum! {
    /// What was noticed.
    FindingKind {
        /// The same invoice is filed already, whatever its format and whoever filed it.
        DuplicateInvoice = "duplicate_invoice",
        /// Same merchant, day and amount as another receipt.
        PossibleDuplicate = "possible_duplicate",
        /// Sources of one field say different things.
        SourcesDisagree = "sources_disagree",
        /// Net and tax do not make the total.
        SumsDoNotAddUp = "sums_do_not_add_up",
        /// The articles do not make the net amount or the tax.
        ItemsDoNotAddUp = "items_do_not_add_up",
        /// The amount in capital numerals is another than the one in digits.
        CapitalsDiffer = "capitals_differ",
        /// No rate the law knows.
        TaxRateUnusual = "tax_rate_unusual",
        /// The invoice names no buyer.
        BuyerMissing = "buyer_missing",
        /// Made out to a person, not to a company.
        BuyerIsPerson = "buyer_is_person",
        /// The buyer is none of the organisation's legal entities.
        BuyerNameDiffers = "buyer_name_differs",
        /// The buyer's number is not that of the legal entity.
        BuyerTaxIdDiffers = "buyer_tax_id_differs",
        /// A credit code whose check digit is wrong.
        TaxIdInvalid = "tax_id_invalid",
        /// Numbers of one seller that follow each other.
        ConsecutiveNumbers = "consecutive_numbers",
        /// Older than a year when it was handed in.
        OverAge = "over_age",
        /// Issued in another year than it was handed in.
        CrossYear = "cross_year",
        /// Issued after it was handed in.
        FutureDate = "future_date",
        /// A red invoice without the blue one it cancels.
        RedUnpaired = "red_unpaired",
        /// A red invoice and the blue one it cancels.
        RedPaired = "red_paired",
        /// A blue invoice that a red one cancels.
        CancelledByRed = "cancelled_by_red",
        /// Paper that supports another receipt of the same expense.
        SameExpense = "same_expense",
        /// Paper that was proposed as one of the same expense, and a reviewer said that it is not.
        KeptApart = "kept_apart",
        /// Paper that supports another receipt, which is not there.
        SupportingAlone = "supporting_alone",
        /// The tax bureau knows the invoice and confirms its figures.
        Verified = "verified",
        /// The tax bureau does not confirm it.
        VerificationFailed = "verification_failed",
        /// Nobody has asked the tax bureau: legible is not genuine.
        NotVerified = "not_verified",
    }
}

text_enum! {
    /// How much it matters.
    Severity {
        /// Good to know.
        Info = "info",
        /// Should be looked at.
        Warning = "warning",
        /// Should not be paid as it is.
        Error = "error",
    }
}

impl FindingKind {
    /// How much findings of this kind matter.
    pub const fn severity(self) -> Severity {
        match self {
            Self::DuplicateInvoice | Self::CapitalsDiffer | Self::CancelledByRed | Self::VerificationFailed => {
                Severity::Error
            }
            Self::PossibleDuplicate
            | Self::SourcesDisagree
            | Self::SumsDoNotAddUp
            | Self::ItemsDoNotAddUp
            | Self::TaxRateUnusual
            | Self::BuyerMissing
            | Self::BuyerIsPerson
            | Self::BuyerNameDiffers
            | Self::BuyerTaxIdDiffers
            | Self::TaxIdInvalid
            | Self::ConsecutiveNumbers
            | Self::OverAge
            | Self::FutureDate
            | Self::RedUnpaired
            | Self::SupportingAlone => Severity::Warning,
            Self::CrossYear
            | Self::RedPaired
            | Self::SameExpense
            | Self::KeptApart
            | Self::Verified
            | Self::NotVerified => Severity::Info,
        }
    }
}

text_enum! {
    /// What the tax bureau says of an invoice.
    VerificationOutcome {
        /// It exists and its figures are these.
        Genuine = "genuine",
        /// It exists with other figures.
        Mismatched = "mismatched",
        /// It was voided.
        Voided = "voided",
        /// It was cancelled by a red invoice.
        Cancelled = "cancelled",
        /// The bureau does not know it.
        NotFound = "not_found",
    }
}

/// Something noticed about a receipt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The other receipt it is about.
    pub other: Option<ReceiptId>,
    /// What pages put into the sentence: names and values, by the kind's own keys.
    pub detail: serde_json::Map<String, serde_json::Value>,
}

impl Finding {
    /// A finding without details.
    pub fn new(kind: FindingKind) -> Self {
        Self { kind, other: None, detail: serde_json::Map::new() }
    }

    /// About this other receipt.
    #[must_use]
    pub fn about(mut self, other: &ReceiptId) -> Self {
        self.other = Some(other.clone());
        self
    }

    /// With a detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// What an invoice says of itself beyond its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvoiceFacts {
    /// Code of an older invoice, 10 or 12 digits.
    pub invoice_code: Option<String>,
    /// The amount in capital numerals, as a decimal.
    pub capitals: Option<String>,
    /// Net amounts of the articles together, when all state one.
    pub items_net: Option<String>,
    /// Taxes of the articles together, when all state one.
    pub items_tax: Option<String>,
    /// Rates of the articles, e.g. `6%`.
    pub rates: Vec<String>,
    /// The number of the invoice this one cancels.
    pub original_number: Option<String>,
    /// It gives money back.
    pub is_red: bool,
    /// Its pages speak of tolls: a list of journeys that does is a toll list.
    pub of_tolls: bool,
    /// Numbers and codes of other invoices that a toll list names.
    pub listed_numbers: Vec<String>,
}
