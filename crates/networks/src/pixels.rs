//! What goes into the networks and from layer to layer.

use super::rooms::Room;

/// Pixels of several pictures of one size: channels of a pixel beside each other, then columns, rows and pictures.
#[derive(Debug, Clone, Default)]
pub struct Pixels {
    /// Pictures.
    pub count: usize,
    /// Rows of a picture.
    pub height: usize,
    /// Columns of a picture.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
    /// `count * height * width * channels` values.
    pub values: Room,
}

impl Pixels {
    /// From planes: channel after channel of each picture.
    pub fn from_planes([count, channels, height, width]: [usize; 4], planes: &[f32]) -> Self {
        let mut values = vec![0.0; planes.len()];
        let area = height * width;
        if area > 0 && channels > 0 {
            for (planes, values) in planes.chunks_exact(area * channels).zip(values.chunks_exact_mut(area * channels)) {
                for (channel, plane) in planes.chunks_exact(area).enumerate() {
                    for (pixel, value) in values.chunks_exact_mut(channels).zip(plane) {
                        pixel[channel] = *value;
                    }
                }
            }
        }
        Self { count, height, width, channels, values: values.into() }
    }

    /// As planes: channel after channel of each picture.
    pub fn planes(&self) -> Vec<f32> {
        let mut planes = vec![0.0; self.values.len()];
        let area = self.height * self.width;
        if area > 0 && self.channels > 0 {
            let of_one = area * self.channels;
            for (values, planes) in self.values.chunks_exact(of_one).zip(planes.chunks_exact_mut(of_one)) {
                for (channel, plane) in planes.chunks_exact_mut(area).enumerate() {
                    for (pixel, value) in values.chunks_exact(self.channels).zip(plane) {
                        *value = pixel[channel];
                    }
                }
            }
        }
        planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_and_pixels_are_the_same_picture() {
        let planes: Vec<f32> = (0..2 * 3 * 4 * 5).map(|v| v as f32).collect();
        let pixels = Pixels::from_planes([2, 3, 4, 5], &planes);
        assert_eq!(pixels.values[..3], [0.0, 20.0, 40.0]);
        assert_eq!(pixels.planes(), planes);
    }
}
