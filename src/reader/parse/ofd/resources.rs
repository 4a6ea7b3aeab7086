//! Colours, drawing parameters, pictures and vector units an OFD's pages name by id.

use std::collections::HashMap;

use super::{super::xml::tree::Element, package::Package};
use crate::reader::output::Stopped;

/// Drawing parameters inherit from each other so many times at most.
const MAX_INHERITED: usize = 8;

/// Red, green, blue, opacity, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub [u8; 4]);

impl Color {
    /// Ink without a colour of its own.
    pub const BLACK: Self = Self([0, 0, 0, 255]);
}

/// What pages name by id.
#[derive(Debug, Default)]
pub struct Resources {
    draw_params: HashMap<String, Element>,
    color_spaces: HashMap<String, String>,
    vectors: HashMap<String, Element>,
    /// Entry name of each picture.
    media: HashMap<String, String>,
}

impl Resources {
    /// Adds the resources of the file at `location`, named by the file `from`.
    pub fn load(&mut self, package: &mut Package<'_>, from: &str, location: &str) -> Result<(), Stopped> {
        let Some((name, root)) = package.optional_xml(from, location)? else { return Ok(()) };
        let base = root.attribute("BaseLoc").unwrap_or("").to_owned();
        for group in root.children {
            for element in group.children {
                let Some(id) = element.attribute("ID").map(str::to_owned) else { continue };
                match element.name.as_str() {
                    "DrawParam" => drop(self.draw_params.insert(id, element)),
                    "ColorSpace" => {
                        let kind = element.attribute("Type").unwrap_or("RGB").to_owned();
                        self.color_spaces.insert(id, kind);
                    }
                    "CompositeGraphicUnit" => {
                        if let Some(content) = element.child("Content") {
                            self.vectors.insert(id, content.clone());
                        }
                    }
                    "MultiMedia" => {
                        let Some(file) = element.text_at(&["MediaFile"]) else { continue };
                        let found =
                            package.find(&name, &format!("{base}/{file}")).or_else(|| package.find(&name, file));
                        if let Some(found) = found {
                            self.media.insert(id, found);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Entry name of a picture.
    pub fn media(&self, id: &str) -> Option<&str> {
        self.media.get(id).map(String::as_str)
    }

    /// Content of a vector unit.
    pub fn vector(&self, id: &str) -> Option<&Element> {
        self.vectors.get(id)
    }

    /// The colour an object is filled with.
    pub fn fill(&self, object: &Element, drawn: Option<&str>) -> Option<Color> {
        self.color(object, drawn, "FillColor")
    }

    /// The colour an object is drawn with.
    pub fn stroke(&self, object: &Element, drawn: Option<&str>) -> Option<Color> {
        self.color(object, drawn, "StrokeColor")
    }

    /// Millimetres.
    pub fn line_width(&self, drawn: Option<&str>) -> Option<f32> {
        self.params(drawn).find_map(|p| p.attribute("LineWidth")?.parse().ok()).filter(|w: &f32| w.is_finite())
    }

    fn params<'a>(&'a self, drawn: Option<&str>) -> impl Iterator<Item = &'a Element> {
        let first = drawn.and_then(|id| self.draw_params.get(id));
        std::iter::successors(first, |param| self.draw_params.get(param.attribute("Relative")?)).take(MAX_INHERITED)
    }

    fn color(&self, object: &Element, drawn: Option<&str>, name: &str) -> Option<Color> {
        let own = object.child(name);
        let color = own.or_else(|| self.params(drawn).find_map(|param| param.child(name)))?;
        let alpha = |element: &Element| element.attribute("Alpha").and_then(|a| a.parse::<u8>().ok());
        let opacity = alpha(color).unwrap_or(255).min(alpha(object).unwrap_or(255));
        let value = color.attribute("Value")?;
        let parts: Vec<u8> = value.split_whitespace().filter_map(channel).take(4).collect();
        let space = color.attribute("ColorSpace").and_then(|id| self.color_spaces.get(id));
        match (space.map(|s| s.to_ascii_uppercase()).as_deref(), parts.as_slice()) {
            (Some("CMYK") | None, &[c, m, y, k]) => {
                let mix = |ink: u8| ((255 - u32::from(ink)) * (255 - u32::from(k)) / 255) as u8;
                Some(Color([mix(c), mix(m), mix(y), opacity]))
            }
            (_, &[gray]) => Some(Color([gray, gray, gray, opacity])),
            (_, &[red, green, blue, ..]) => Some(Color([red, green, blue, opacity])),
            _ => None,
        }
    }
}

/// `156`, `#9C`, or `0.6` where an issuer thinks in fractions of 255.
fn channel(text: &str) -> Option<u8> {
    match text.strip_prefix('#') {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => text.parse::<f32>().ok().filter(|n| n.is_finite()).map(|n| n.clamp(0.0, 255.0) as u8),
    }
}
