//! What rounding changes in what the paddle engine reads, and what it saves: `docs/adr/0016`.
//!
//! `cargo run --release --example paddle_rounded -- <weights> <picture>...` reads every picture in floats and in what this
//! processor does best (8 or 16 bits) and prints lines whose text differs and, last, how many are equal and how the
//! seconds compare. Both run on one thread, one after the other picture by picture, so that a busy machine slows both.

use std::path::Path;
use std::time::{Duration, Instant};

use vouch::domain::page::Line;
use vouch::reader::ocr::Engine;
use vouch::reader::ocr::paddle::{PaddleEngine, PaddleSettings, Precision};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(weights) = arguments.next() else {
        anyhow::bail!("usage: paddle_rounded <weights> <picture>...");
    };
    anyhow::ensure!(Precision::best() != Precision::Floats, "this processor is best at floats");
    let engine = |precision| {
        let settings = PaddleSettings::new(&weights);
        // Measured on busy machines too.
        PaddleEngine::load(PaddleSettings { precision: Some(precision), deadline_ms: u32::MAX, ..settings })
    };
    let mut engines = [engine(Precision::Floats)?, engine(Precision::best())?];
    let mut taken = [Duration::ZERO; 2];
    let (mut lines, mut equal) = (0, 0);
    for file in arguments {
        let picture = image::open(Path::new(&file))?.into_rgb8();
        let mut readings: [Vec<Line>; 2] = Default::default();
        for ((engine, reading), taken) in engines.iter_mut().zip(&mut readings).zip(&mut taken) {
            let started = Instant::now();
            *reading = engine.recognise(&picture)?.lines;
            *taken += started.elapsed();
        }
        let [floats, rounded] = &readings;
        for float in floats {
            lines += 1;
            // A line read badly enough to be dropped has no counterpart; boxes may differ by a pixel.
            let [x, y] = float.quad.centre();
            let is_same = |other: &&Line| {
                let [other_x, other_y] = other.quad.centre();
                (x - other_x).abs() < 3.0 && (y - other_y).abs() < 3.0
            };
            let other = rounded.iter().find(is_same).map(Line::text);
            if other.as_ref() == Some(&float.text()) {
                equal += 1;
            } else {
                println!("{file}: {:?} is {:?}", float.text(), other.unwrap_or_default());
            }
        }
    }
    let [floats, rounded] = taken.map(|taken| taken.as_secs_f64());
    println!("{equal} of {lines} lines are equal; {rounded:.1} s instead of {floats:.1} s ({:.2})", rounded / floats);
    Ok(())
}
