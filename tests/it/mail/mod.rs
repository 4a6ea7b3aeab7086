//! Mail over real sockets, from real senders.

mod amazon;
mod bombs;
mod crash;
mod dns;
mod dovecot;
mod hooks;
mod imap;
mod listener;
mod page;
mod peers;
mod preview;
mod senders;
mod world;
