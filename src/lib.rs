//! Vouch turns receipts into expense drafts that a person vouches for. `ARCHITECTURE.md` is the map.
//!
//! Modules are rooms; imports point downwards only (`tests/it/architecture/` enforces it).

// drivers
pub mod cli;
pub mod config;
pub mod web;
// doors
pub mod capture;
// use cases
pub mod findings;
pub mod health;
pub mod organisation;
pub mod people;
pub mod pipeline;
pub mod review;
pub mod sealer;
pub mod visits;
// what use cases are handed
pub mod app;
// adapters
pub mod kill_points;
pub mod objects;
pub mod queue;
pub mod reader;
pub mod store;
// pure
pub mod classify;
pub mod domain;
pub mod extract;
pub mod imaging;
