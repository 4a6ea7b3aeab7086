//! The one integration-test binary.

mod architecture;
mod objects;
mod s3_server;
mod people;
mod store;
mod support;
mod reader;
