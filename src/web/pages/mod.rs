//! Server-rendered pages: one file per page with its view types, its template and samples of it.
//!
//! A page is a plain struct that renders to HTML: no store, no session. Handlers fill it. `samples()` gives example
//! contexts; the tests render every sample in both languages and write them to `target/pages` to be looked at.

pub mod capture;
pub mod categories;
pub mod draft;
pub mod error;
pub mod failed;
pub mod field;
pub mod html;
pub mod https_help;
pub mod mail;
pub mod people;
pub mod queue;
pub mod receipts;
pub mod shell;
pub mod sign_in;
pub mod status;
pub mod tokens;
pub mod trips;
pub mod visits;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use shell::{Notice, Shell, Tone, Viewer};
