//! The one integration-test binary.

#![expect(clippy::unwrap_used, reason = "in a test a step that fails is the failure to see")]

mod architecture;
mod authorization;
mod findings;
mod objects;
mod pages;
mod people;
mod process;
mod queue;
mod reader;
mod review;
mod s3_server;
mod store;
mod support;
mod tls;
mod visits;
