//! What a code says never makes a payload reader panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouch::extract::payloads;

fuzz_target!(|text: &str| {
    let _ = payloads::parse(text);
});
