//! What is read as `MediaType::Zip` never panics, and never sends what the parent would not believe.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouch::{
    domain::{capture::Limits, media::MediaType},
    reader::in_process,
};

fuzz_target!(|data: &[u8]| {
    in_process::parse(MediaType::Zip, Limits::default(), data).expect("every frame is believed");
});
