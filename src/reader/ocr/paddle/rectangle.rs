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

/// The rectangle of least area around `points`; `None` when there are no points.
///
/// `imageproc::geometry::min_area_rect` rounds outwards to whole pixels, a fifth of small print's height at
/// detection scale, so only its hull is used.
pub fn least_area(points: &[Point<i32>]) -> Option<Rectangle> {
    let mut distinct = points.to_vec();
    // `convex_hull` sorts with an order that equal points break.
    distinct.sort_by_key(|p| (p.y, p.x));
    distinct.dedup();
    if distinct.is_empty() {
        return None;
    }
    let hull: Vec<Corner> =
        convex_hull(distinct).into_iter().map(|p: Point<i32>| [f64::from(p.x), f64::from(p.y)]).collect();
    let mut best: Option<(f64, Rectangle)> = None;
    for (index, &from) in hull.iter().enumerate() {
        let to = hull[(index + 1) % hull.len()];
        let length = (to[0] - from[0]).hypot(to[1] - from[1]);
        let along = if length > 0.0 { [(to[0] - from[0]) / length, (to[1] - from[1]) / length] } else { [1.0, 0.0] };
        let (area, rectangle) = around(&hull, along);
        if best.is_none_or(|(least, _)| area < least) {
            best = Some((area, rectangle));
        }
    }
    best.map(|(_, rectangle)| rectangle)
}

/// Area and corners of the rectangle around `hull` with one edge parallel to the unit vector `along`.
fn around(hull: &[Corner], along: Corner) -> (f64, Rectangle) {
    let across = [-along[1], along[0]];
    let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for point in hull {
        let position = [point[0] * along[0] + point[1] * along[1], point[0] * across[0] + point[1] * across[1]];
        for axis in 0..2 {
            low[axis] = low[axis].min(position[axis]);
            high[axis] = high[axis].max(position[axis]);
        }
    }
    let corner = |a: f64, b: f64| [a * along[0] + b * across[0], a * along[1] + b * across[1]];
    let (width, height) = (high[0] - low[0], high[1] - low[1]);
    let corners = [corner(low[0], low[1]), corner(high[0], low[1]), corner(high[0], high[1]), corner(low[0], high[1])];
    (width * height, Rectangle { corners, short_side: width.min(height) })
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
        let rectangle = least_area(&points).unwrap();
        assert!((rectangle.short_side - 5.0).abs() < 1e-9, "{rectangle:?}");
        assert!((area_and_length(&rectangle.corners).0 - 250.0).abs() < 1e-6);
    }

    #[test]
    fn a_single_point_and_a_line_have_no_width() {
        assert!(least_area(&[]).is_none());
        for points in [vec![Point::new(3, 4)], vec![Point::new(0, 0), Point::new(9, 9), Point::new(4, 4)]] {
            assert!(least_area(&points).unwrap().short_side.abs() < 1e-9);
        }
    }

    #[test]
    fn corners_start_at_the_top_left_and_go_clockwise() {
        let ordered = clockwise([[10.0, 5.0], [0.0, 0.0], [10.0, 0.0], [0.0, 5.0]]);
        assert_eq!(ordered, [[0.0, 0.0], [10.0, 0.0], [10.0, 5.0], [0.0, 5.0]]);
    }
}
