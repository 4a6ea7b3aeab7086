//! What a child says never makes the parent panic; most of it is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouch::{domain::capture::Limits, reader::in_process};

fuzz_target!(|data: &[u8]| {
    let _ = in_process::check(data, Limits::default());
});
