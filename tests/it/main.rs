//! The one integration-test binary.

mod objects;
mod s3_server;
mod store;
mod support;
