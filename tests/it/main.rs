//! The one integration-test binary.

#![expect(clippy::unwrap_used, reason = "in a test a step that fails is the failure to see")]

mod architecture;
mod authorization;
mod documents;
mod durability;
mod early_answers;
mod findings;
mod formats;
mod handover;
mod hostile_bytes;
mod ingest;
mod kill_points;
mod labelled;
mod mail;
mod mail_content;
mod objects;
mod outage;
mod pages;
mod parts;
mod people;
mod process;
mod queue;
mod reader;
mod review;
mod s3_server;
mod same_expense;
mod store;
mod support;
mod tls;
mod trips;
mod visits;
