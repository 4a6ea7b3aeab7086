//! How fast the two networks are computed, each way, against `rten` alone as the reference: `docs/adr/0016`.
//!
//! `cargo run --release -p vouch-networks --example rate -- models/weights [rounds [arithmetic]]` runs the detection network over a
//! picture as high as is looked at first and the recognition network over a batch of lines, one thread, and prints
//! milliseconds (the least of all rounds) and the ratio to `rten`, or to the one arithmetic named (for a profiler).

use std::path::Path;
use std::time::{Duration, Instant};

use vouch_networks::{CHANNELS, Network, NetworkError, Pixels, Precision, Trunk, threads};

/// Count, height and width: a narrow till slip, and lines of the usual length as many as share a batch.
const PICTURE: [usize; 3] = [1, 960, 448];
const LINES: [usize; 3] = [8, 48, 320];

/// Dark strokes on light paper; what they show does not change what is computed.
fn pixels([count, height, width]: [usize; 3]) -> Pixels {
    let value = |index: usize| {
        let (x, y) = (index / CHANNELS % width, index / CHANNELS / width % height);
        if (x / 3 + y / 7).is_multiple_of(4) { -0.8 } else { 0.7 + 0.001 * (index % 200) as f32 }
    };
    let values = (0..count * height * width * CHANNELS).map(value).collect::<Vec<_>>().into();
    Pixels { count, height, width, channels: CHANNELS, values }
}

fn least(rounds: usize, mut run: impl FnMut() -> Result<(), NetworkError>) -> Result<Duration, NetworkError> {
    let mut least = Duration::MAX;
    for _ in 0..rounds {
        let started = Instant::now();
        run()?;
        least = least.min(started.elapsed());
    }
    Ok(least)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let weights = arguments.next().ok_or("usage: rate <weights> [rounds [arithmetic]]")?;
    let rounds = arguments.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let only = arguments.next();
    let file = |name: &str| Path::new(&weights).join(format!("PP-OCRv6_{name}_small.onnx"));
    let (picture, lines) = (pixels(PICTURE), pixels(LINES));
    let mut reference: Option<[Duration; 2]> = None;
    println!("{:<10}{:>24}{:>24}", "", "detection", "recognition");
    for precision in [None, Some(Precision::Floats), Some(Precision::Shorts), Some(Precision::Bytes)] {
        let name = precision.map_or("rten".to_owned(), |precision| format!("{precision:?}").to_lowercase());
        let is_asked = only.as_ref().is_none_or(|only| *only == name);
        if !is_asked || precision.is_some_and(|precision| !precision.is_there()) {
            continue;
        }
        let detection = Network::load(&file("det"), threads(1), Trunk::Detection, precision)?;
        let recognition = Network::load(&file("rec"), threads(1), Trunk::Recognition, precision)?;
        let taken = [
            least(rounds, || detection.map(picture.clone()).map(drop))?,
            least(rounds, || recognition.steps(lines.clone()).map(drop))?,
        ];
        let reference = reference.get_or_insert(taken);
        print!("{name:<10}");
        for (taken, reference) in taken.iter().zip(reference) {
            let ratio = taken.as_secs_f64() / reference.as_secs_f64();
            print!("{:>14.1} ms ({ratio:.2})", taken.as_secs_f64() * 1e3);
        }
        println!();
    }
    Ok(())
}
