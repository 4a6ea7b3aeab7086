//! Reads documents in sandboxed child processes: protocol, sandbox, pool; the roles `parse` and `see`; OCR engines.
//!
//! Parent side: [`pool`] keeps children ready, [`process`] talks to one, [`checked`] believes nothing it says.
//! Child side: [`child`] is the life of one process, [`sandbox`] closes it, [`see`] decodes and recognises.
//! Between them: [`protocol`]. One document per child, then it exits: nothing of one document reaches the next.

pub mod checked;
pub mod child;
pub mod failure;
pub mod fonts;
pub mod in_process;
pub mod ocr;
pub(crate) mod output;
pub mod paper;
mod parse;
mod pdf;
pub mod pool;
pub mod probe;
pub mod process;
pub mod protocol;
pub mod sandbox;
pub mod see;

pub use failure::ReadFailure;
pub(crate) use parse::legible_header;
pub use pool::{PoolSettings, ReadRequest, ReaderPool, Reading};
pub use protocol::{ReceiptRegion, Role};
