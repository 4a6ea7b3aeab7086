//! Checks that notice things about a receipt: duplicates, buyer, sums, numbers in a row, age, red invoices, papers of one
//! expense, and what the tax bureau said. A finding never refuses anything: people decide what follows.
//!
//! [`refresh`] replaces a receipt's findings in the transaction that changed it, and those of the receipts they name.
//! The checks themselves are pure: [`alone`] looks at one receipt, [`against`] at others beside it, [`tolls`] at a toll list
//! and its bills.

mod against;
mod alone;
mod facts;
mod refresh;
mod subject;
mod tax_id;
mod tolls;
mod verify;

pub use facts::facts_of;
pub use refresh::{Touched, refresh, set_facts};
pub use verify::{
    Invoice, MAX_BATCH_BYTES, Provider, ProviderError, RecordError, Verdict, ask, import, may_record, may_record_of,
    record_by_hand,
};
