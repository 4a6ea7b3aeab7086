//! PP-OCRv6 small on `rten`: finds lines, straightens them, reads them. Weights: `scripts/fetch-weights.sh`.
//!
//! `detect` -> `crop` -> `recognise` -> `words`; every step but the two networks, which are a crate of their own
//! (`crates/networks`), is a pure function.

mod boxes;
mod crop;
mod ctc;
mod detect;
mod order;
mod orient;
mod pixels;
mod recognise;
mod rectangle;
mod resize;
mod weights;
mod words;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use image::{RgbImage, imageops};
use vouch_networks::{Network, NetworkError, Trunk};

use self::crop::{Crop, crop};
use self::ctc::Alphabet;
use self::detect::Detection;
use self::recognise::LineReading;
use crate::domain::page::{Line, Point, Quad};
use crate::imaging::{regions, turn::Turn};
use crate::reader::ocr::{Engine, OcrError, Recognised};

pub use self::boxes::BoxSettings;
pub use self::detect::DetectionSettings;
pub use self::weights::Weights;
pub use vouch_networks::Precision;

/// Name used in errors and in configuration.
pub const NAME: &str = "paddle";

/// Everything the engine can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct PaddleSettings {
    /// Directory with the weight files.
    pub weights: PathBuf,
    /// Threads one recognition uses. Readers are many processes, so one each is usually right.
    pub threads: usize,
    /// How lines are looked for.
    pub detection: DetectionSettings,
    /// Lines whose characters score lower on average are dropped (0.5 in the reference).
    pub least_line_score: f32,
    /// Milliseconds one picture may take; looked at before every run of a network.
    pub deadline_ms: u32,
    /// How the recognition network computes; `None` leaves both networks to `rten`, as the reference does it. Detection
    /// computes nearly exactly: a line more or less changes more than a character does.
    pub precision: Option<Precision>,
}

impl PaddleSettings {
    /// The defaults with weights from a directory.
    pub fn new(weights: impl Into<PathBuf>) -> Self {
        Self {
            weights: weights.into(),
            threads: 1,
            detection: DetectionSettings::default(),
            least_line_score: 0.5,
            deadline_ms: 30_000,
            precision: Some(Precision::best()),
        }
    }
}

/// The engine with its networks in memory.
pub struct PaddleEngine {
    detection: Network,
    recognition: Network,
    alphabet: Alphabet,
    settings: PaddleSettings,
}

impl PaddleEngine {
    /// Loads the networks and runs each once on an empty picture, so that every thread and buffer exists before a
    /// sandbox closes.
    ///
    /// # Errors
    /// [`OcrError::Unavailable`] when weights are missing or are not what they should be.
    pub fn load(settings: PaddleSettings) -> Result<Self, OcrError> {
        let weights = Weights::find(&settings.weights)?;
        let threads = vouch_networks::threads(settings.threads);
        let recognition = Network::load(&weights.recognition, threads.clone(), Trunk::Recognition, settings.precision)?;
        let alphabet = recognition.metadata("character").and_then(Alphabet::parse).ok_or_else(|| {
            let cause =
                format!("`{}` holds no list of characters; fetch the weights again", weights.recognition.display());
            OcrError::Unavailable { engine: NAME, cause }
        })?;
        let exact = settings.precision.map(|precision| match precision {
            Precision::Floats => Precision::Floats,
            Precision::Bytes | Precision::Shorts => Precision::nearly_exact(),
        });
        let detection = Network::load(&weights.detection, threads, Trunk::Detection, exact)?;
        let engine = Self { detection, recognition, alphabet, settings };
        engine.warm_up().map_err(|error| OcrError::Unavailable { engine: NAME, cause: error.to_string() })?;
        Ok(engine)
    }

    fn warm_up(&self) -> Result<(), OcrError> {
        let watch = Watch::start(self.settings.deadline_ms);
        let blank = RgbImage::from_pixel(64, 48, image::Rgb([255; 3]));
        detect::detect(&self.detection, &blank, &self.settings.detection, watch)?;
        let quad = Quad::from_edges(0.0, 0.0, 64.0, 48.0);
        self.read(&[&Crop { picture: blank, quad }], watch)?;
        Ok(())
    }

    fn read(&self, crops: &[&Crop], watch: Watch) -> Result<Vec<LineReading>, OcrError> {
        recognise::recognise(&self.recognition, &self.alphabet, crops, watch)
    }

    /// Reads every crop that has no reading yet.
    fn read_rest(
        &self,
        crops: &[Crop],
        known: Vec<Option<LineReading>>,
        watch: Watch,
    ) -> Result<Vec<LineReading>, OcrError> {
        let unread: Vec<&Crop> = crops.iter().zip(&known).filter(|(_, k)| k.is_none()).map(|(crop, _)| crop).collect();
        let mut rest = self.read(&unread, watch)?.into_iter();
        Ok(known.into_iter().map(|reading| reading.or_else(|| rest.next()).unwrap_or_default()).collect())
    }
}

impl Engine for PaddleEngine {
    fn version(&self) -> String {
        let arithmetic = match self.settings.precision {
            Some(Precision::Bytes) => "8-bit",
            Some(Precision::Shorts) => "16-bit",
            Some(Precision::Floats) | None => "32-bit",
        };
        let side = self.settings.detection.longest_side;
        format!("{NAME} PP-OCRv6-small (rten 0.27, {arithmetic}, longest side {side})")
    }

    fn recognise(&mut self, picture: &RgbImage) -> Result<Recognised, OcrError> {
        if picture.width() == 0 || picture.height() == 0 {
            return Ok(Recognised::default());
        }
        let watch = Watch::start(self.settings.deadline_ms);
        let mut lines = self.page(picture, watch)?;
        if self.settings.detection.closer_look {
            lines = self.each_receipt(picture, lines, watch);
        }
        Ok(Recognised { lines: order::sort_for_reading(lines, picture.dimensions()), warnings: Vec::new() })
    }
}

/// Most receipts of one picture that are read again one by one.
const MOST_READ_AGAIN: usize = 16;

impl PaddleEngine {
    /// Reads the lines of a picture, however it is turned.
    fn page(&self, picture: &RgbImage, watch: Watch) -> Result<Vec<Line>, OcrError> {
        let found = detect::detect(&self.detection, picture, &self.settings.detection, watch)?;
        if !orient::mostly_down(&found) {
            return self.lines(picture, &found, watch);
        }
        // Lines running down are found less completely: look again at the page turned back.
        let turned = imageops::rotate270(picture);
        let found = detect::detect(&self.detection, &turned, &self.settings.detection, watch)?;
        let mut lines = self.lines(&turned, &found, watch)?;
        for line in &mut lines {
            move_line(line, |quad| Turn::Quarter.on_page(quad, picture.dimensions()));
        }
        Ok(lines)
    }

    /// Reads every receipt of a picture that shows several once more by itself: alone it is looked at in more detail,
    /// and whichever reading has more well-read characters stays.
    fn each_receipt(&self, picture: &RgbImage, lines: Vec<Line>, watch: Watch) -> Vec<Line> {
        let regions = regions::regions(&lines, picture.dimensions());
        if regions.len() < 2 || regions.len() > MOST_READ_AGAIN {
            return lines;
        }
        let mut kept = Vec::with_capacity(lines.len());
        for region in regions {
            let before: Vec<Line> = region.lines.iter().map(|index| lines[*index].clone()).collect();
            let (left, top) = (region.quad.left().max(0.0).floor(), region.quad.top().max(0.0).floor());
            let size = [region.quad.right() - left, region.quad.bottom() - top].map(|side| side.ceil() as u32);
            // A reading that exists is not given up for one that may take too long.
            if watch.is_half_over() || size.contains(&0) {
                kept.extend(before);
                continue;
            }
            let alone = imageops::crop_imm(picture, left as u32, top as u32, size[0], size[1]).to_image();
            let Ok(mut again) = self.page(&alone, watch) else {
                kept.extend(before);
                continue;
            };
            for line in &mut again {
                move_line(line, |quad| Quad(quad.0.map(|[x, y]| [x + left, y + top])));
            }
            // What lies beyond its own text is cut off its neighbours.
            let text = before.iter().map(|line| line.quad).reduce(|a, b| a.union(&b));
            again.retain(|line| text.is_some_and(|text| is_inside(line.quad.centre(), &text)));
            kept.extend(if well_read(&again) > well_read(&before) { again } else { before });
        }
        kept
    }
}

fn is_inside([x, y]: Point, edges: &Quad) -> bool {
    (edges.left()..=edges.right()).contains(&x) && (edges.top()..=edges.bottom()).contains(&y)
}

/// How much was read how well: half sure counts nothing, less counts against.
fn well_read(lines: &[Line]) -> f32 {
    let words = lines.iter().flat_map(|line| &line.words);
    words.map(|word| (word.score - 0.5) * word.text.chars().count() as f32).sum()
}

impl PaddleEngine {
    /// Reads what was found, each line the right way up.
    fn lines(&self, picture: &RgbImage, found: &[Detection], watch: Watch) -> Result<Vec<Line>, OcrError> {
        let corners: Vec<[Point; 4]> = found.iter().map(|found| found.corners).collect();
        let (mut crops, down): (Vec<Crop>, Vec<bool>) = corners
            .iter()
            .zip(orient::running_down(&corners))
            .filter_map(|(corners, down)| Some((crop(picture, *corners, down)?, down)))
            .unzip();
        let known = orient::settle(&mut crops, &down, |crops| self.read(crops, watch))?;
        let readings = self.read_rest(&crops, known, watch)?;
        Ok(crops
            .iter()
            .zip(&readings)
            .filter(|(_, reading)| words::line_score(&reading.symbols) >= self.settings.least_line_score)
            .filter_map(|(crop, reading)| words::line(&reading.symbols, crop.quad, reading.steps))
            .collect())
    }
}

/// Moves a line and its words.
fn move_line(line: &mut Line, place: impl Fn(&Quad) -> Quad) {
    line.quad = place(&line.quad);
    for word in &mut line.words {
        word.quad = place(&word.quad);
    }
}

/// When a picture has taken too long.
#[derive(Debug, Clone, Copy)]
struct Watch {
    started: Instant,
    limit_ms: u32,
}

impl Watch {
    fn start(limit_ms: u32) -> Self {
        Self { started: Instant::now(), limit_ms }
    }

    /// Whether more than half of the time is gone.
    fn is_half_over(self) -> bool {
        self.started.elapsed() > Duration::from_millis(self.limit_ms.into()) / 2
    }

    fn check(self) -> Result<(), OcrError> {
        if self.started.elapsed() > Duration::from_millis(self.limit_ms.into()) {
            return Err(OcrError::Deadline { engine: NAME, limit_ms: self.limit_ms });
        }
        Ok(())
    }
}

impl From<NetworkError> for OcrError {
    fn from(error: NetworkError) -> Self {
        let cause = error.to_string();
        match error {
            NetworkError::Load { .. } => Self::Unavailable { engine: NAME, cause },
            NetworkError::Failed(_) => Self::Failed { engine: NAME, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine, or a printed line saying why the test is skipped.
    fn engine() -> Option<PaddleEngine> {
        engine_in(Precision::best())
    }

    fn engine_in(precision: Precision) -> Option<PaddleEngine> {
        let directory = std::env::var_os("VOUCH_WEIGHTS_DIR").map_or_else(|| "models/weights".into(), PathBuf::from);
        // No deadline: tests may run unoptimised.
        let settings =
            PaddleSettings { precision: Some(precision), deadline_ms: u32::MAX, ..PaddleSettings::new(directory) };
        match PaddleEngine::load(settings) {
            Ok(engine) => Some(engine),
            Err(error) => {
                println!("skipped: {error}");
                None
            }
        }
    }

    /// Lines drawn from filled rectangles: `#` is ink, each a block of 5 pixels.
    fn drawn(rows: &[&str]) -> RgbImage {
        let width = rows.iter().map(|row| row.len()).max().unwrap_or(0) as u32;
        RgbImage::from_fn((width + 16) * 5, (rows.len() as u32 + 16) * 5, |x, y| {
            let cell = |v: u32| (v / 5).checked_sub(8).map(|v| v as usize);
            let ink = cell(y)
                .and_then(|row| rows.get(row))
                .zip(cell(x))
                .is_some_and(|(row, column)| row.as_bytes().get(column) == Some(&b'#'));
            image::Rgb([if ink { 20 } else { 245 }; 3])
        })
    }

    const TOTAL: [&str; 7] = [
        "##### ##### #####  ###  #      ####",
        "  #   #   #   #   #   # #     #",
        "  #   #   #   #   #   # #     #",
        "  #   #   #   #   ##### #      ###",
        "  #   #   #   #   #   # #         #",
        "  #   #   #   #   #   # #         #",
        "  #   #####   #   #   # ##### ####",
    ];

    #[test]
    fn print_is_read_and_its_box_lies_on_it() {
        let Some(mut engine) = engine() else { return };
        let recognised = engine.recognise(&drawn(&TOTAL)).unwrap();
        let [line] = &recognised.lines[..] else { panic!("{recognised:?}") };
        assert_eq!(line.text(), "TOTALS");
        let word = &line.words[0];
        assert_eq!(word.char_scores.len(), 6);
        // Ink lies between 40 and 215 across and 40 and 75 down.
        assert!((word.quad.left() - 40.0).abs() < 15.0 && (word.quad.right() - 215.0).abs() < 15.0, "{word:?}");
        assert!((word.quad.centre()[1] - 57.5).abs() < 8.0, "{word:?}");
    }

    #[test]
    fn fewer_bits_read_what_floats_read() {
        let rows: Vec<&str> = (0..6).flat_map(|_| TOTAL.into_iter().chain([""; 8])).collect();
        let picture = drawn(&rows);
        let read = |precision| Some(engine_in(precision)?.recognise(&picture).unwrap().lines);
        let Some(floats) = read(Precision::Floats) else { return };
        for precision in [Precision::Shorts, Precision::Bytes].into_iter().filter(|precision| precision.is_there()) {
            let rounded = read(precision).unwrap();
            assert_eq!((floats.len(), rounded.len()), (6, 6), "{precision:?}");
            for (float, rounded) in floats.iter().zip(&rounded) {
                assert_eq!((float.text(), float.quad), (rounded.text(), rounded.quad), "{precision:?}");
                let scores =
                    |line: &Line| line.words.iter().flat_map(|word| word.char_scores.clone()).collect::<Vec<_>>();
                for (float, rounded) in scores(float).into_iter().zip(scores(rounded)) {
                    assert!((float - rounded).abs() < 0.05, "{precision:?} {float} {rounded}");
                }
            }
        }
    }

    #[test]
    fn the_lines_of_a_small_paper_on_a_large_table_are_found() {
        let Some(engine) = engine() else { return };
        let rows: Vec<&str> = (0..8).flat_map(|_| TOTAL.into_iter().chain([""; 8])).collect();
        let paper = drawn(&rows);
        let (width, height) = (paper.width() * 2 / 5, paper.height() * 2 / 5);
        let paper = imageops::resize(&paper, width, height, imageops::FilterType::Triangle);
        let mut table = RgbImage::from_pixel(3000, 2250, image::Rgb([120, 110, 100]));
        imageops::replace(&mut table, &paper, 1900, 500);
        // No deadline: what is asked is what is seen, and tests may run unoptimised.
        let watch = Watch::start(u32::MAX);
        let found = detect::detect(&engine.detection, &table, &engine.settings.detection, watch).unwrap();
        assert_eq!(found.len(), 8, "{found:?}");
        for [x, y] in found.iter().flat_map(|line| line.corners) {
            let (x, y) = (x - 1900.0, y - 500.0);
            assert!((0.0..width as f32).contains(&x) && (0.0..height as f32).contains(&y), "{x} {y}");
        }
        let all_at_once = DetectionSettings { closer_look: false, ..engine.settings.detection };
        let seen = detect::detect(&engine.detection, &table, &all_at_once, watch).unwrap();
        assert!(seen.len() < 8, "the print is too large to need a closer look");
    }

    #[test]
    fn a_page_is_read_however_it_is_turned_and_its_boxes_say_how() {
        let Some(mut engine) = engine() else { return };
        let twice = TOTAL.map(|row| format!("{row:42}{row}"));
        let rows: Vec<&str> = (0..6).flat_map(|_| twice.iter().map(String::as_str).chain([""; 8])).collect();
        let mut picture = drawn(&rows);
        for turn in Turn::ALL {
            let lines = engine.recognise(&picture).unwrap().lines;
            assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), ["TOTALS TOTALS"; 6], "{turn:?}");
            assert_eq!(Turn::of_most(lines.iter().map(|line| &line.quad)), turn);
            picture = imageops::rotate90(&picture);
        }
    }

    #[test]
    fn a_picture_that_takes_too_long_is_given_up() {
        let Some(mut engine) = engine() else { return };
        engine.settings.deadline_ms = 0;
        let error = engine.recognise(&drawn(&TOTAL)).unwrap_err();
        assert!(matches!(error, OcrError::Deadline { limit_ms: 0, .. }), "{error}");
    }

    #[test]
    fn an_empty_picture_has_no_text_however_small() {
        let Some(mut engine) = engine() else { return };
        for (width, height) in [(0, 0), (1, 1), (3, 900), (400, 300)] {
            let blank = RgbImage::from_pixel(width, height, image::Rgb([250; 3]));
            assert_eq!(engine.recognise(&blank).unwrap(), Recognised::default(), "{width} x {height}");
        }
    }
}
