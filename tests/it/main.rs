//! The one integration-test binary.

mod architecture;
mod objects;
mod people;
mod reader;
mod s3_server;
mod store;
mod support;
mod tls;
mod visits;
