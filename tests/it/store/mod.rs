//! Every store function, on both databases.

mod catalogue;
mod journal;
mod people;
mod schema;
mod secrets;
mod visits;
