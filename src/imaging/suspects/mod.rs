//! Where machine-readable codes may be on a picture, cheaply: decoding is tried only there.
//!
//! Two passes over the brightness. [`finders`] looks for the 1:1:3:1:1 squares in the corners of QR codes at full
//! resolution, in any rotation, dark on light or light on dark. [`texture`] looks on smaller copies for stripes (linear
//! codes) and for fields of modules (Data Matrix, Aztec, PDF417, QR codes whose corners are damaged or blurred).

mod finders;
mod texture;

use image::GrayImage;

/// Suspects of one picture.
pub const MAX_SUSPECTS: usize = 16;

/// What a suspect may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likely {
    /// Corners of a QR code were seen.
    Qr,
    /// Stripes across.
    Stripes,
    /// A field of modules.
    Dense,
}

/// A place to look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suspect {
    /// Left, top, right, bottom in pixels, with a margin, inside the picture.
    pub edges: [f32; 4],
    /// What it may be.
    pub likely: Likely,
    /// Width of a module in pixels, where it is known.
    pub module: Option<f32>,
    /// How sure: the larger the sooner it is tried.
    pub weight: f32,
}

impl Suspect {
    /// Its middle, in pixels.
    pub fn centre(&self) -> [f32; 2] {
        let [left, top, right, bottom] = self.edges;
        [f32::midpoint(left, right), f32::midpoint(top, bottom)]
    }

    /// Whether three corners of a QR code were seen well, which text hardly ever shows.
    pub fn has_three_corners(&self) -> bool {
        self.likely == Likely::Qr && self.weight >= finders::THREE_CORNERS
    }

    fn contains(&self, [x, y]: [f32; 2]) -> bool {
        let [left, top, right, bottom] = self.edges;
        (left..=right).contains(&x) && (top..=bottom).contains(&y)
    }
}

/// Places to look at, most promising first.
pub fn suspects(grey: &GrayImage) -> Vec<Suspect> {
    let mut found = finders::suspects(grey);
    found.extend(texture::suspects(grey));
    most_promising(found)
}

/// The most promising first, each once.
fn most_promising(mut found: Vec<Suspect>) -> Vec<Suspect> {
    found.sort_by(|a, b| a.likely.cmp(&b.likely).then(b.weight.total_cmp(&a.weight)));
    // Two corners point at their code from either side, and others may come between.
    let mut known: Vec<Suspect> = Vec::with_capacity(MAX_SUSPECTS);
    for suspect in found {
        if known.len() < MAX_SUSPECTS && !known.contains(&suspect) {
            known.push(suspect);
        }
    }
    known
}

/// A box with `margin` pixels around it, inside the picture.
fn widened([left, top, right, bottom]: [f32; 4], margin: f32, grey: &GrayImage) -> [f32; 4] {
    let (width, height) = (grey.width() as f32, grey.height() as f32);
    [
        (left - margin).clamp(0.0, width),
        (top - margin).clamp(0.0, height),
        (right + margin).clamp(0.0, width),
        (bottom + margin).clamp(0.0, height),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_looked_at_once_however_many_point_at_it() {
        let suspect =
            |at: f32, likely, weight| Suspect { edges: [at, at, at + 50.0, at + 50.0], likely, module: None, weight };
        let [one, other] = [10.0, 200.0].map(|at| suspect(at, Likely::Qr, 4.0));
        let stripes = suspect(10.0, Likely::Stripes, 9.0);
        assert_eq!(most_promising(vec![stripes, one, other, one, other]), [one, other, stripes]);
        let many = (0..100).map(|n| suspect(n as f32, Likely::Dense, n as f32)).collect();
        let kept = most_promising(many);
        assert_eq!((kept.len(), kept[0].weight), (MAX_SUSPECTS, 99.0));
    }
}
