//! How domain values sit in the portable columns TEXT, BIGINT and DOUBLE PRECISION.

use std::{collections::BTreeSet, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};

use crate::domain::{
    capture::{CaptureState, Channel, Reason, Relation},
    draft::DraftState,
    field::FieldKey,
    finding::{FindingKind, VerificationOutcome},
    ids,
    mail::{Decision, Doubt, Way},
    media::MediaType,
    money::Currency,
    person::{Language, Role},
    receipt::{EvidenceKind, PartRole},
    sha256::Sha256,
    time::{CivilDate, Timestamp},
    visit::{CustomerType, VisitPurpose},
};

/// What a driver wraps into its own column error.
pub(crate) type DecodeError = Box<dyn std::error::Error + Send + Sync>;

/// A domain value as a column of both databases.
pub(crate) trait Column: Sized {
    /// What the driver decodes.
    type Raw;
    /// The domain value, or why the stored one is none.
    fn from_raw(raw: Self::Raw) -> Result<Self, DecodeError>;
}

macro_rules! plain {
    ($($ty:ty),+) => {$(
        impl Column for $ty {
            type Raw = $ty;
            fn from_raw(raw: $ty) -> Result<Self, DecodeError> {
                Ok(raw)
            }
        }
    )+};
}
plain!(String, i64, f64);

impl Column for bool {
    type Raw = i64;
    fn from_raw(raw: i64) -> Result<Self, DecodeError> {
        match raw {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(format!("`{other}` is neither 0 nor 1").into()),
        }
    }
}

impl Column for u32 {
    type Raw = i64;
    fn from_raw(raw: i64) -> Result<Self, DecodeError> {
        Ok(Self::try_from(raw)?)
    }
}

impl Column for Timestamp {
    type Raw = i64;
    fn from_raw(raw: i64) -> Result<Self, DecodeError> {
        Ok(Self::from_micros(raw))
    }
}

macro_rules! text {
    ($($ty:ty),+ $(,)?) => {$(
        impl Column for $ty {
            type Raw = String;
            fn from_raw(raw: String) -> Result<Self, DecodeError> {
                Ok(raw.parse()?)
            }
        }
    )+};
}
text!(
    ids::OrganisationId,
    ids::LegalEntityId,
    ids::UnitId,
    ids::PersonId,
    ids::TokenId,
    ids::SessionId,
    ids::DocumentId,
    ids::CaptureId,
    ids::ReadingId,
    ids::ReceiptId,
    ids::DecisionId,
    ids::ExpenseId,
    ids::ExpenseLineId,
    ids::CustomerId,
    ids::VisitId,
    ids::CategoryId,
    ids::JobId,
    ids::JournalId,
    ids::OutboxId,
    ids::SubmissionId,
    ids::MailAddressId,
    ids::MailMessageId,
    ids::VerificationId,
    FindingKind,
    VerificationOutcome,
    CaptureState,
    Channel,
    Reason,
    DraftState,
    FieldKey,
    MediaType,
    Currency,
    Language,
    Role,
    EvidenceKind,
    PartRole,
    Decision,
    Doubt,
    Way,
    Relation,
    Sha256,
    CivilDate,
    CustomerType,
    VisitPurpose,
);

impl<T: Column> Column for Option<T> {
    type Raw = Option<T::Raw>;
    fn from_raw(raw: Option<T::Raw>) -> Result<Self, DecodeError> {
        raw.map(T::from_raw).transpose()
    }
}

/// A set out of a side table, as `string_agg(word, ',')`; NULL when there is none.
impl<T> Column for BTreeSet<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + Ord,
{
    type Raw = Option<String>;
    fn from_raw(raw: Option<String>) -> Result<Self, DecodeError> {
        raw.unwrap_or_default().split(',').filter(|word| !word.is_empty()).map(|word| Ok(word.parse()?)).collect()
    }
}

/// A value kept as TEXT JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> Column for Json<T> {
    type Raw = String;
    fn from_raw(raw: String) -> Result<Self, DecodeError> {
        Ok(Self(serde_json::from_str(&raw)?))
    }
}

impl<T: Serialize> Json<T> {
    /// The text to bind. Our own types always serialise; a failure would be a map with non-text keys.
    pub(crate) fn text(value: &T) -> String {
        serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
    }
}
