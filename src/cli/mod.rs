//! Commands of the `vouch` binary: one file per command.

pub mod eval;
pub mod read_output;
