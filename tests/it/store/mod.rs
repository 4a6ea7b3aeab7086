//! Every store function, on both databases.

mod catalogue;
mod people;
mod schema;
mod secrets;
mod visits;
