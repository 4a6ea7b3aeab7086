//! Quarter turns: how content stands on a page, and boxes moved between the page and its upright view.

use crate::domain::page::{Line, Point, Quad};

/// How far text is turned clockwise on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turn {
    /// Reads left to right.
    #[default]
    Upright,
    /// Reads downwards.
    Quarter,
    /// Upside down.
    Half,
    /// Reads upwards.
    ThreeQuarters,
}

impl Turn {
    /// Every turn, least first.
    pub const ALL: [Self; 4] = [Self::Upright, Self::Quarter, Self::Half, Self::ThreeQuarters];

    /// Degrees clockwise.
    pub const fn degrees(self) -> u16 {
        match self {
            Self::Upright => 0,
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }

    /// How the text of a box stands, from the direction of its top edge.
    pub fn of(quad: &Quad) -> Self {
        let [from, to, ..] = quad.0;
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        if dx.abs() >= dy.abs() {
            if dx >= 0.0 { Self::Upright } else { Self::Half }
        } else if dy >= 0.0 {
            Self::Quarter
        } else {
            Self::ThreeQuarters
        }
    }

    /// How most text of some boxes stands, weighed by its length; upright when there is none.
    pub fn of_most<'a>(quads: impl IntoIterator<Item = &'a Quad>) -> Self {
        let mut weights = [0.0f32; 4];
        for quad in quads {
            weights[Self::of(quad) as usize] += quad.text_width();
        }
        let mut most = Self::Upright;
        for turn in Self::ALL {
            if weights[turn as usize] > weights[most as usize] {
                most = turn;
            }
        }
        most
    }

    /// Size of the upright view of a page of this size.
    pub const fn upright_size(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Upright | Self::Half => (width, height),
            Self::Quarter | Self::ThreeQuarters => (height, width),
        }
    }

    /// Where a point of a page of this size lies in its upright view.
    pub fn upright_point(self, [x, y]: Point, (width, height): (u32, u32)) -> Point {
        match self {
            Self::Upright => [x, y],
            Self::Quarter => [y, width as f32 - x],
            Self::Half => [width as f32 - x, height as f32 - y],
            Self::ThreeQuarters => [height as f32 - y, x],
        }
    }

    /// Where a point of the upright view lies on the page; `size` is the page's.
    pub fn page_point(self, [x, y]: Point, (width, height): (u32, u32)) -> Point {
        match self {
            Self::Upright => [x, y],
            Self::Quarter => [width as f32 - y, x],
            Self::Half => [width as f32 - x, height as f32 - y],
            Self::ThreeQuarters => [y, height as f32 - x],
        }
    }

    /// A page's box in its upright view; corners keep their order.
    pub fn upright(self, quad: &Quad, size: (u32, u32)) -> Quad {
        Quad(quad.0.map(|point| self.upright_point(point, size)))
    }

    /// A box of the upright view on the page; corners keep their order.
    pub fn on_page(self, quad: &Quad, size: (u32, u32)) -> Quad {
        Quad(quad.0.map(|point| self.page_point(point, size)))
    }
}

/// Lines of a page of this size moved to its upright view: what layout needs to see rows and columns.
pub fn upright_lines(lines: &[Line], turn: Turn, size: (u32, u32)) -> Vec<Line> {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        line.quad = turn.upright(&line.quad, size);
        for word in &mut line.words {
            word.quad = turn.upright(&word.quad, size);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u32, u32) = (300, 200);

    #[test]
    fn the_upright_view_is_the_page_turned_back() {
        // Text that reads downwards along the right edge stands along the top when upright.
        let quad = Quad([[290.0, 10.0], [290.0, 110.0], [270.0, 110.0], [270.0, 10.0]]);
        assert_eq!(Turn::of(&quad), Turn::Quarter);
        assert_eq!(Turn::Quarter.upright(&quad, SIZE), Quad::from_edges(10.0, 10.0, 110.0, 30.0));
        assert_eq!(Turn::Quarter.upright_size(SIZE), (200, 300));
    }

    #[test]
    fn there_and_back_is_where_it_was_and_upright_text_is_upright() {
        for turn in Turn::ALL {
            let upright = Quad::from_edges(20.0, 30.0, 120.0, 50.0);
            let page = turn.on_page(&upright, SIZE);
            assert_eq!(Turn::of(&page), turn);
            assert_eq!(turn.upright(&page, SIZE), upright);
            assert!(page.left() >= 0.0 && page.top() >= 0.0, "{page:?}");
            assert!(page.right() <= 300.0 && page.bottom() <= 200.0, "{page:?}");
        }
    }

    #[test]
    fn most_text_decides_by_length_not_by_count() {
        let long = Turn::Half.on_page(&Quad::from_edges(0.0, 0.0, 200.0, 20.0), SIZE);
        let short = Quad::from_edges(0.0, 100.0, 50.0, 120.0);
        assert_eq!(Turn::of_most([&short, &short, &long]), Turn::Half);
        assert_eq!(Turn::of_most([]), Turn::Upright);
    }
}
