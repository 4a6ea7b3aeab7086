//! Rectangles around point sets, turned any way.

use imageproc::geometry::convex_hull;
use imageproc::point::Point;

/// A corner or point as `[x, y]`.
pub type Corner = [f64; 2];

/// A rectangle, corners in order around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Corners, each joined to the next by an edge.
    pub corners: [Corner; 4],
    /// Length of the shorter edges.
    pub short_side: f64,
}

/// The corner an outline starts from, which decides between rectangles of the same area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The leftmost of the topmost, as contours do.
    TopLeft,
    /// The rightmost of the topmost, as Clipper's grown outlines do.
    TopRight,
}

/// The rectangle of least area around `points`; `None` when the points have no area.
///
/// Rotating calipers in the 32-bit arithmetic of the reference (OpenCV): it cuts these corners to whole pixels next, and
/// for one box in eight a corner on a pixel's edge falls to the other side when computed more exactly.
/// `imageproc::geometry::min_area_rect` rounds outwards, a fifth of small print's height, so only its hull is used.
pub fn least_area(points: &[Point<i32>], start: Start) -> Option<Rectangle> {
    let hull = hull(points, start);
    let edges: Vec<Edge> = hull.iter().zip(hull.iter().cycle().skip(1)).map(|(a, b)| Edge::between(*a, *b)).collect();
    if hull.len() < 3 {
        return None;
    }
    let first = |better: fn(Vector, Vector) -> bool| {
        (1..hull.len()).fold(0, |best, i| if better(hull[i], hull[best]) { i } else { best })
    };
    // The hull's corners the four sides touch: top, right, bottom, left, as long as the rectangle is level.
    let mut touched =
        [first(|a, b| a[1] < b[1]), first(|a, b| a[0] > b[0]), first(|a, b| a[1] > b[1]), first(|a, b| a[0] < b[0])];
    let mut along: Vector = [1.0, 0.0];
    let mut best: Option<(f32, Turned)> = None;
    for _ in 0..hull.len() {
        // Turn to the edge nearest in direction to the side that touches it.
        let mut side = 0;
        let mut nearest = f32::NEG_INFINITY;
        for (candidate, corner) in touched.into_iter().enumerate() {
            let edge = &edges[corner];
            let cosine = dot(quarter_turns(along, candidate), edge.vector) * edge.inverse_length;
            if cosine > nearest {
                (side, nearest) = (candidate, cosine);
            }
        }
        let edge = &edges[touched[side]];
        let lead = edge.vector.map(|v| v * edge.inverse_length);
        along = quarter_turns(lead, 4 - side);
        touched[side] = (touched[side] + 1) % hull.len();
        let [top, right, bottom, left] = touched.map(|corner| hull[corner]);
        let size = [dot(minus(right, left), along), dot(minus(bottom, top), quarter_turns(along, 1))];
        let area = size[0] * size[1];
        if best.is_none_or(|(least, _)| area <= least) {
            best = Some((area, Turned { along, size, left, top }));
        }
    }
    best.map(|(_, turned)| turned.rectangle())
}

type Vector = [f32; 2];

fn dot(a: Vector, b: Vector) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

fn minus(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1]]
}

fn quarter_turns(v: Vector, count: usize) -> Vector {
    match count % 4 {
        0 => v,
        1 => [-v[1], v[0]],
        2 => [-v[0], -v[1]],
        _ => [v[1], -v[0]],
    }
}

/// The convex hull, clockwise on screen; its last corner is where the outline starts.
fn hull(points: &[Point<i32>], start: Start) -> Vec<Vector> {
    let mut distinct = points.to_vec();
    // `convex_hull` sorts with an order that equal points break.
    distinct.sort_by_key(|p| (p.y, p.x));
    distinct.dedup();
    if distinct.len() < 3 {
        return Vec::new();
    }
    let mut hull = convex_hull(distinct);
    let first = (0..hull.len())
        .min_by_key(|i| match start {
            Start::TopLeft => (hull[*i].y, hull[*i].x),
            Start::TopRight => (hull[*i].y, -hull[*i].x),
        })
        .unwrap_or(0);
    let corners = hull.len();
    hull.rotate_left((first + 1) % corners);
    hull.into_iter().map(|p: Point<i32>| [p.x as f32, p.y as f32]).collect()
}

/// An edge of a hull.
struct Edge {
    vector: Vector,
    inverse_length: f32,
}

impl Edge {
    fn between(a: Vector, b: Vector) -> Self {
        let vector = minus(b, a);
        let [x, y] = vector.map(f64::from);
        Self { vector, inverse_length: (1.0 / (x * x + y * y).sqrt()) as f32 }
    }
}

/// A turned rectangle by what it touches.
#[derive(Clone, Copy)]
struct Turned {
    /// Direction of its upper side, a unit vector as near as 32 bits get.
    along: Vector,
    /// Width along it and height across.
    size: [f32; 2],
    /// A point on the left side.
    left: Vector,
    /// A point on the upper side.
    top: Vector,
}

impl Turned {
    fn rectangle(self) -> Rectangle {
        let across = quarter_turns(self.along, 1);
        let (from_left, from_top) = (dot(self.along, self.left), dot(across, self.top));
        let scale = 1.0 / (self.along[0] * across[1] - across[0] * self.along[1]);
        let corner = [
            (from_left * across[1] - from_top * self.along[1]) * scale,
            (self.along[0] * from_top - across[0] * from_left) * scale,
        ];
        let (width, height) = (self.along.map(|v| v * self.size[0]), across.map(|v| v * self.size[1]));
        let centre: Vector = std::array::from_fn(|i| corner[i] + (width[i] + height[i]) * 0.5);
        let length = |v: Vector| f64::from(v[0]).hypot(f64::from(v[1])) as f32;
        let (long, high) = (length(width), length(height));
        // The reference keeps the angle in degrees; going there and back is part of its rounding.
        let degrees = f64::from(f64::from(width[1]).atan2(f64::from(width[0])) as f32).to_degrees() as f32;
        let (sine, cosine) = f64::from(degrees).to_radians().sin_cos();
        let (half_sine, half_cosine) = (sine as f32 * 0.5, cosine as f32 * 0.5);
        let a = [centre[0] - half_sine * high - half_cosine * long, centre[1] + half_cosine * high - half_sine * long];
        let b = [centre[0] + half_sine * high - half_cosine * long, centre[1] - half_cosine * high - half_sine * long];
        let opposite = |p: Vector| [2.0 * centre[0] - p[0], 2.0 * centre[1] - p[1]];
        Rectangle {
            // In this order they run clockwise on screen.
            corners: [a, b, opposite(a), opposite(b)].map(|corner| corner.map(f64::from)),
            short_side: f64::from(long.min(high)),
        }
    }
}

/// Area (without sign) and circumference of a polygon.
pub fn area_and_length(corners: &[Corner]) -> (f64, f64) {
    let (mut doubled, mut length) = (0.0, 0.0);
    for (index, a) in corners.iter().enumerate() {
        let b = corners[(index + 1) % corners.len()];
        doubled += a[0] * b[1] - b[0] * a[1];
        length += (b[0] - a[0]).hypot(b[1] - a[1]);
    }
    (doubled.abs() / 2.0, length)
}

/// Puts four corners in the order top left, top right, bottom right, bottom left as they lie in the picture.
pub fn clockwise(mut corners: [Corner; 4]) -> [Corner; 4] {
    corners.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let [mut left_top, mut left_bottom, mut right_top, mut right_bottom] = corners;
    if left_bottom[1] < left_top[1] {
        std::mem::swap(&mut left_top, &mut left_bottom);
    }
    if right_bottom[1] < right_top[1] {
        std::mem::swap(&mut right_top, &mut right_bottom);
    }
    [left_top, right_top, right_bottom, left_bottom]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rectangle_around_a_tilted_strip_is_as_thin_as_the_strip() {
        // A strip along the direction (4, 3), 50 long and 5 wide.
        let points = [[0, 0], [40, 30], [37, 34], [-3, 4], [20, 15], [20, 15]].map(|[x, y]| Point::new(x, y));
        let rectangle = least_area(&points, Start::TopLeft).unwrap();
        assert!((rectangle.short_side - 5.0).abs() < 1e-4, "{rectangle:?}");
        assert!((area_and_length(&rectangle.corners).0 - 250.0).abs() < 1e-2);
    }

    #[test]
    fn points_without_area_have_no_rectangle() {
        assert!(least_area(&[], Start::TopLeft).is_none());
        assert!(least_area(&[Point::new(3, 4); 5], Start::TopLeft).is_none());
        assert!(least_area(&[Point::new(0, 0), Point::new(9, 9), Point::new(4, 4)], Start::TopLeft).is_none());
    }

    #[test]
    fn no_rectangle_is_smaller_whatever_the_shape() {
        let mut state = 7u32;
        let mut next = |limit: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % limit
        };
        for _ in 0..200 {
            let points: Vec<_> = (0..12).map(|_| Point::new(next(90) as i32, next(40) as i32)).collect();
            let found = area_and_length(&least_area(&points, Start::TopLeft).unwrap().corners).0;
            let least = (0..900)
                .map(|tenth| {
                    let (sin, cos) = (f64::from(tenth) / 10.0).to_radians().sin_cos();
                    let extent = |x: f64, y: f64| {
                        let along = points.iter().map(|p| f64::from(p.x) * x + f64::from(p.y) * y);
                        along.clone().fold(f64::MIN, f64::max) - along.fold(f64::MAX, f64::min)
                    };
                    extent(cos, sin) * extent(-sin, cos)
                })
                .fold(f64::INFINITY, f64::min);
            assert!(found <= least + 1e-2, "{found} {least} {points:?}");
        }
    }

    #[test]
    fn corners_start_at_the_top_left_and_go_clockwise() {
        let ordered = clockwise([[10.0, 5.0], [0.0, 0.0], [10.0, 0.0], [0.0, 5.0]]);
        assert_eq!(ordered, [[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 5.0]]);
    }
}
