//! Every store function, on both databases.

mod catalogue;
mod journal;
mod mail;
mod people;
mod schema;
mod secrets;
mod visits;
