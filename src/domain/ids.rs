//! Identifiers: UUIDv7 in lower-case hyphenated text, one newtype per table so they cannot be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The text was not a UUID. Holds the offending text, cut to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id: expected a UUID such as `0192f0c1-7d3a-7c44-9a51-6f1e2b3c4d5e`")]
pub struct IdError(String);

/// Any of the id types; lets a source of chance make whichever is asked for.
pub trait Id: Sized {
    /// A new id for the instant `now`, its random bits from `rng`.
    fn generate(now: Timestamp, rng: &mut dyn rand::RngCore) -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new id for the instant `now`, its random bits from `rng`.
            pub fn new(now: Timestamp, rng: &mut impl rand::RngCore) -> Self {
                Self(uuid_v7(now, rng))
            }

            /// The id as stored: 36 lower-case characters.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Id for $name {
            fn generate(now: Timestamp, rng: &mut dyn rand::RngCore) -> Self {
                let mut rng = rng;
                Self::new(now, &mut rng)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                uuid::Uuid::try_parse(text)
                    .map(|id| Self(id.hyphenated().to_string()))
                    .map_err(|_| IdError(text.chars().take(64).collect()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    )+};
}

ids! {
    /// The one organisation of an instance.
    OrganisationId,
    /// A legal entity of the organisation.
    LegalEntityId,
    /// An organisational unit; reviewers see the receipts of their units.
    UnitId,
    /// A person with an account.
    PersonId,
    /// An API token.
    TokenId,
    /// A browser session.
    SessionId,
    /// Immutable bytes that came in.
    DocumentId,
    /// One act of handing in.
    CaptureId,
    /// One run of the reader over a capture.
    ReadingId,
    /// One piece of expense evidence, and the draft made of it.
    ReceiptId,
    /// A person's decision about a draft.
    DecisionId,
    /// A confirmed expense.
    ExpenseId,
    /// A line of an expense.
    ExpenseLineId,
    /// A customer.
    CustomerId,
    /// A visit to a customer.
    VisitId,
    /// An expense category of the organisation.
    CategoryId,
    /// A job in the queue.
    JobId,
    /// An entry of the journal.
    JournalId,
    /// A message waiting to leave.
    OutboxId,
    /// An answer of the tax bureau.
    VerificationId,
    /// A submission: the receipts of a trip or period handed in together.
    SubmissionId,
    /// A secret mail address of a person or visit.
    MailAddressId,
    /// A message that came in.
    MailMessageId,
}

/// UUIDv7 text: 48 bits of `now` in milliseconds, 12 bits of its microseconds (RFC 9562, section 6.2, method 3),
/// the other 62 from `rng`. Ids of different microseconds sort by time.
pub fn uuid_v7(now: Timestamp, rng: &mut impl rand::RngCore) -> String {
    let mut random = [0_u8; 10];
    rng.fill_bytes(&mut random);
    let micros = u64::try_from(now.as_micros()).unwrap_or(0);
    let millis = micros / 1000;
    let fraction = (micros % 1000) * 4096 / 1000;
    random[..2].copy_from_slice(&(fraction as u16).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn ids_of_later_instants_sort_later_and_survive_a_round_trip() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let a = ReceiptId::new(Timestamp::from_micros(1_000_000), &mut rng);
        let b = ReceiptId::new(Timestamp::from_micros(1_000_001), &mut rng);
        let c = ReceiptId::new(Timestamp::from_micros(2_000_000), &mut rng);
        assert!(a < b && b < c);
        assert_eq!(a.as_str().parse::<ReceiptId>(), Ok(a));
    }

    #[test]
    fn text_that_is_no_uuid_is_refused_with_the_text_named() {
        let error = "../../etc".parse::<ReceiptId>().unwrap_err();
        assert!(error.to_string().contains("../../etc"));
    }
}
