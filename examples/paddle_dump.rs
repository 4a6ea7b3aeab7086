//! Prints what the paddle engine reads in pictures, one JSON object per picture: for `scripts/compare-rapidocr.py`.
//!
//! `cargo run --example paddle_dump -- [--plain] <weights> <longest side> <picture>...`

use std::path::Path;
use std::time::Instant;

use vouch::imaging::regions::regions;
use vouch::reader::ocr::Engine;
use vouch::reader::ocr::paddle::{PaddleEngine, PaddleSettings, Precision};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let plain = arguments.next_if(|first| first == "--plain").is_some();
    let (Some(weights), Some(side)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: paddle_dump [--plain] <weights> <longest side> <picture>...");
    };
    let mut settings = PaddleSettings::new(weights);
    settings.detection.longest_side = side.parse()?;
    // Measured on busy machines too.
    settings.deadline_ms = u32::MAX;
    if plain {
        // As the reference does it.
        settings.detection.shortest_side = 0;
        settings.detection.closer_look = false;
        settings.precision = Some(Precision::Floats);
    }
    let mut engine = PaddleEngine::load(settings)?;
    for file in arguments {
        let picture = image::open(Path::new(&file))?.into_rgb8();
        let started = Instant::now();
        let recognised = engine.recognise(&picture)?;
        let milliseconds = started.elapsed().as_millis() as u64;
        let regions = regions(&recognised.lines, picture.dimensions());
        let regions: Vec<_> = regions.iter().map(|r| serde_json::json!({ "box": r.quad, "lines": r.lines })).collect();
        println!(
            "{}",
            serde_json::json!({ "file": file, "ms": milliseconds, "lines": recognised.lines, "regions": regions })
        );
    }
    Ok(())
}
