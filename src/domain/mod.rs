//! Types and rules everyone shares: money, dates, ids, the draft machine, the journal entry.
//!
//! Pure: no I/O, no async, no clock, no randomness. Besides `std` and `serde` it uses only value-type
//! crates (`jiff`, `rust_decimal`, `uuid`, `iso_currency`, `sha2`), as decided in ADR 0001.

pub mod breakdown;
pub mod capture;
pub mod category;
pub mod credit_code;
pub mod draft;
pub mod field;
pub mod finding;
pub mod ids;
pub mod journal;
pub mod mail;
pub mod media;
pub mod money;
pub mod page;
pub mod person;
pub mod policy;
pub mod receipt;
pub mod sha256;
pub mod structured;
pub mod time;
pub mod trip;
pub mod visit;
