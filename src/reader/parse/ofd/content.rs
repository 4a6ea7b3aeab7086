//! A page's content as a list of things to show: text with the place of every character, paths and pictures.

use super::{
    super::xml::tree::Element,
    geometry::{Matrix, numbers, steps},
    resources::{Color, Resources},
};
use crate::domain::page::Point;

/// Characters of one page, as many as the protocol has words.
const MAX_CHARS: usize = 200_000;
/// Objects of one page; the densest list of goods in the corpus has 1,100.
const MAX_OBJECTS: usize = 50_000;
/// Steps of all paths of one page.
const MAX_SEGMENTS: usize = 300_000;
/// Composite objects inside composite objects.
const MAX_NESTING: usize = 4;

/// A character and where its origin on the baseline is, in page millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    /// The character.
    pub letter: char,
    /// Origin in page millimetres.
    pub at: Point,
    /// To the next character's origin, in the text's own millimetres.
    pub advance: f32,
}

/// One `TextCode`: characters set in one go.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Id of the text object; custom tags point at it.
    pub object: String,
    /// The characters.
    pub glyphs: Vec<Glyph>,
    /// Em size in the text's own millimetres.
    pub size: f32,
    /// From the text's own millimetres to the page's, without the shift.
    pub turn: Matrix,
    /// Ink.
    pub color: Color,
}

/// A step of a path, in page millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Segment {
    /// Begin anew.
    Move(Point),
    /// A straight line.
    Line(Point),
    /// A quadratic curve.
    Quad(Point, Point),
    /// A cubic curve.
    Cubic(Point, Point, Point),
    /// Back to where it began.
    Close,
}

/// A path.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Its steps.
    pub segments: Vec<Segment>,
    /// Filled with this.
    pub fill: Option<Color>,
    /// Drawn with this, so many millimetres wide.
    pub stroke: Option<(Color, f32)>,
    /// Whether what is encircled twice is outside.
    pub even_odd: bool,
}

/// A picture: which one, and from the unit square to page millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Id of its resource.
    pub resource: String,
    /// Where it stands.
    pub place: Matrix,
}

/// Something to show.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Text.
    Text(Run),
    /// A path.
    Path(Path),
    /// A picture.
    Picture(Picture),
}

/// Collects the items of one page.
pub struct Collector<'a> {
    resources: &'a Resources,
    items: Vec<Item>,
    chars: usize,
    objects: usize,
    segments: usize,
    /// Something was left out because of a bound.
    pub truncated: bool,
}

impl<'a> Collector<'a> {
    /// For pages with these resources.
    pub fn new(resources: &'a Resources) -> Self {
        Self { resources, items: Vec::new(), chars: 0, objects: 0, segments: 0, truncated: false }
    }

    /// What was collected, in drawing order.
    pub fn into_items(self) -> Vec<Item> {
        self.items
    }

    /// Adds the layers of a `Content`.
    pub fn content(&mut self, content: &Element) {
        for layer in content.all("Layer") {
            self.block(layer, layer.attribute("DrawParam"), &Matrix::IDENTITY, 0);
        }
    }

    /// Adds the objects of a block, layer or annotation.
    pub fn block(&mut self, block: &Element, drawn: Option<&str>, outer: &Matrix, nesting: usize) {
        for object in &block.children {
            self.objects += 1;
            if self.objects > MAX_OBJECTS {
                self.truncated = true;
                return;
            }
            if object.attribute("Visible") == Some("false") {
                continue;
            }
            let drawn = object.attribute("DrawParam").or(drawn);
            match object.name.as_str() {
                "PageBlock" => self.block(object, drawn, outer, nesting),
                "TextObject" => self.text(object, drawn, outer),
                "PathObject" => self.path(object, drawn, outer),
                "ImageObject" => {
                    let Some(resource) = object.attribute("ResourceID") else { continue };
                    let place = place(object, outer);
                    self.items.push(Item::Picture(Picture { resource: resource.to_owned(), place }));
                }
                "CompositeObject" if nesting < MAX_NESTING => {
                    let resources = self.resources;
                    let unit = object.attribute("ResourceID").and_then(|id| resources.vector(id));
                    if let Some(unit) = unit {
                        self.block(unit, drawn, &place(object, outer), nesting + 1);
                    }
                }
                _ => {}
            }
        }
    }

    fn text(&mut self, object: &Element, drawn: Option<&str>, outer: &Matrix) {
        let place = place(object, outer);
        let size = number(object, "Size").filter(|s| *s > 0.0).unwrap_or(3.5);
        let squeeze = number(object, "HScale").filter(|s| *s > 0.0).unwrap_or(1.0);
        // Quarter turns of the line of writing: 0 right, 90 down, 180 left, 270 up.
        let direction = number(object, "ReadDirection").unwrap_or(0.0);
        let color = self.resources.fill(object, drawn).unwrap_or(Color::BLACK);
        let (mut x, mut y) = (0.0, 0.0);
        for code in object.all("TextCode") {
            x = number(code, "X").unwrap_or(x);
            y = number(code, "Y").unwrap_or(y);
            let letters: Vec<char> = code.text.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
            self.chars += letters.len();
            if self.chars > MAX_CHARS {
                self.truncated = true;
                return;
            }
            let delta = |name: &str| steps(code.attribute(name).unwrap_or(""), letters.len());
            let (across, down) = (delta("DeltaX"), delta("DeltaY"));
            let mut at = [x, y];
            let mut glyphs = Vec::with_capacity(letters.len());
            for (index, letter) in letters.iter().enumerate() {
                let natural = width_of(*letter) * size * squeeze;
                // Without steps, characters follow each other by their own width.
                let (dx, dy) = match (across.get(index), down.get(index)) {
                    (None, None) if across.is_empty() && down.is_empty() => match direction as i32 {
                        90 => (0.0, natural),
                        180 => (-natural, 0.0),
                        270 => (0.0, -natural),
                        _ => (natural, 0.0),
                    },
                    (dx, dy) => (dx.copied().unwrap_or(0.0), dy.copied().unwrap_or(0.0)),
                };
                glyphs.push(Glyph { letter: *letter, at: place.apply(at), advance: natural });
                at = [at[0] + dx, at[1] + dy];
            }
            if !glyphs.is_empty() {
                let object = object.attribute("ID").unwrap_or("").to_owned();
                let turn = place.without_shift();
                self.items.push(Item::Text(Run { object, glyphs, size, turn, color }));
            }
        }
    }

    fn path(&mut self, object: &Element, drawn: Option<&str>, outer: &Matrix) {
        let place = place(object, outer);
        let data = object.child("AbbreviatedData").map_or("", |data| data.text.as_str());
        let segments = segments(data, &place, MAX_SEGMENTS.saturating_sub(self.segments));
        self.segments += segments.len();
        self.truncated |= self.segments >= MAX_SEGMENTS;
        let fills = object.attribute("Fill") == Some("true");
        let fill = fills.then(|| self.resources.fill(object, drawn)).flatten();
        let width = number(object, "LineWidth").or_else(|| self.resources.line_width(drawn)).unwrap_or(0.353);
        let strokes = object.attribute("Stroke") != Some("false");
        let stroke = strokes.then(|| {
            let color = self.resources.stroke(object, drawn).unwrap_or(Color::BLACK);
            (color, (width * place.scale()).clamp(0.05, 50.0))
        });
        if !segments.is_empty() && (fill.is_some() || stroke.is_some()) {
            let even_odd = object.attribute("Rule") == Some("Even-Odd");
            self.items.push(Item::Path(Path { segments, fill, stroke, even_odd }));
        }
    }
}

/// From an object's own millimetres to the page's.
fn place(object: &Element, outer: &Matrix) -> Matrix {
    let [x, y, ..] = object.attribute("Boundary").and_then(numbers::<4>).unwrap_or_default();
    let shift = outer.after(&Matrix::shift(x, y));
    match object.attribute("CTM").and_then(numbers::<6>) {
        Some(own) => shift.after(&Matrix(own)),
        None => shift,
    }
}

fn number(element: &Element, name: &str) -> Option<f32> {
    element.attribute(name)?.trim().parse().ok().filter(|n: &f32| n.is_finite())
}

/// Width of a character in em, where the file does not say: full for the wide scripts, half for the others.
pub fn width_of(letter: char) -> f32 {
    if matches!(letter, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}')
    {
        1.0
    } else {
        0.5
    }
}

/// `M x y`, `S x y`, `L x y`, `Q …`, `B …`, `A rx ry angle large sweep x y`, `C`.
fn segments(data: &str, place: &Matrix, most: usize) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut words = data.split_whitespace();
    while let Some(word) = words.next() {
        if out.len() >= most {
            break;
        }
        let mut point = || -> Option<Point> {
            let [x, y] = [words.next()?.parse().ok()?, words.next()?.parse().ok()?];
            let point: Point = place.apply([x, y]);
            point.iter().all(|n: &f32| n.is_finite() && n.abs() < 1e6).then_some(point)
        };
        let segment = match word {
            "M" | "S" => point().map(Segment::Move),
            "L" => point().map(Segment::Line),
            "Q" => point().zip(point()).map(|(a, b)| Segment::Quad(a, b)),
            "B" => point().zip(point()).zip(point()).map(|((a, b), c)| Segment::Cubic(a, b, c)),
            // An arc's chord is enough for a preview.
            "A" => {
                let skipped = words.by_ref().take(5).count();
                let end = (skipped == 5).then(|| [words.next(), words.next()]);
                end.and_then(|[x, y]| Some(place.apply([x?.parse().ok()?, y?.parse().ok()?]))).map(Segment::Line)
            }
            "C" => Some(Segment::Close),
            _ => None,
        };
        // A path that is broken here is drawn as far as it is sound.
        let Some(segment) = segment else { break };
        out.push(segment);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_path_makes_it_panic(data in "[MLQBASC0-9. -]{0,200}") {
            prop_assert!(segments(&data, &Matrix::IDENTITY, 50).len() <= 50);
        }
    }
}
