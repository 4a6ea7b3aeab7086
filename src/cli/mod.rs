//! Commands of the `vouch` binary: one file per command.

pub mod train;
