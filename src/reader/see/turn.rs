//! Quarter turns of pictures, and of boxes back again.

use image::{RgbImage, imageops};

use crate::{domain::page::Quad, reader::protocol::Rotation};

/// The picture turned clockwise; `None` when there is nothing to turn.
pub(super) fn picture(picture: &RgbImage, rotation: Rotation) -> Option<RgbImage> {
    match rotation {
        Rotation::None => None,
        Rotation::Quarter => Some(imageops::rotate90(picture)),
        Rotation::Half => Some(imageops::rotate180(picture)),
        Rotation::ThreeQuarters => Some(imageops::rotate270(picture)),
    }
}

/// A box on the turned picture, as it stands on the unturned one of `width` × `height` pixels. The corners keep
/// their order: clockwise from the text's own top left.
pub(super) fn back(quad: Quad, rotation: Rotation, width: f32, height: f32) -> Quad {
    Quad(quad.0.map(|[x, y]| match rotation {
        Rotation::None => [x, y],
        Rotation::Quarter => [y, height - x],
        Rotation::Half => [width - x, height - y],
        Rotation::ThreeQuarters => [width - y, x],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_pixel_is_found_again_after_every_turn() {
        let (width, height) = (7, 4);
        let mut original = RgbImage::new(width, height);
        original.put_pixel(5, 1, image::Rgb([255, 0, 0]));
        for rotation in [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters] {
            let turned = picture(&original, rotation).unwrap_or_else(|| original.clone());
            let (x, y, _) = turned.enumerate_pixels().find(|(_, _, p)| p[0] == 255).unwrap();
            let quad = Quad::from_edges(x as f32, y as f32, x as f32 + 1.0, y as f32 + 1.0);
            let found = back(quad, rotation, width as f32, height as f32);
            assert_eq!(
                (found.left(), found.top(), found.right(), found.bottom()),
                (5.0, 1.0, 6.0, 2.0),
                "{rotation:?}"
            );
        }
    }
}
