//! The headers of pictures are judged without a panic before anything is decoded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouch::{domain::media::MediaType, imaging::header};

fuzz_target!(|data: &[u8]| {
    if let Some(media_type) = MediaType::sniff(data) {
        let _ = header::probe_bytes(data, media_type);
    }
});
