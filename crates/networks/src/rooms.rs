//! Memory for the values between layers, used again from layer to layer and from run to run: pages the system has to give
//! and to clear take longer than some layers do.

use std::ops::{Deref, DerefMut};

/// Rooms kept for later: more than layers hold at a time.
const MOST: usize = 16;

/// Values, and behind them perhaps more that are left over from something else.
#[derive(Debug, Clone, Default)]
pub struct Room {
    all: Vec<f32>,
    count: usize,
}

impl Deref for Room {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.all[..self.count]
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.all[..self.count]
    }
}

impl From<Vec<f32>> for Room {
    fn from(all: Vec<f32>) -> Self {
        Self { count: all.len(), all }
    }
}

/// Rooms nobody uses.
#[derive(Debug, Default)]
pub struct Rooms(Vec<Room>);

impl Rooms {
    /// Room for `count` values, with whatever was in it before.
    pub fn take(&mut self, count: usize) -> Room {
        let fits = |at: &usize| self.0[*at].all.len() >= count;
        match (0..self.0.len()).filter(fits).min_by_key(|at| self.0[*at].all.len()) {
            Some(at) => Room { count, ..self.0.swap_remove(at) },
            None => vec![0.0; count].into(),
        }
    }

    /// Takes room back; the smallest is let go when there are too many.
    pub fn give_back(&mut self, room: Room) {
        self.0.push(room);
        if self.0.len() > MOST
            && let Some(least) = (0..self.0.len()).min_by_key(|at| self.0[*at].all.len())
        {
            self.0.swap_remove(least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_room_that_is_large_enough_is_used_again() {
        let mut rooms = Rooms::default();
        let [large, small] = [1000, 10].map(|count| rooms.take(count));
        let at = small.as_ptr();
        rooms.give_back(large);
        rooms.give_back(small);
        let again = rooms.take(8);
        assert_eq!((again.len(), again.as_ptr()), (8, at));
        rooms.give_back(again);
        assert_eq!(rooms.take(10).as_ptr(), at, "what a smaller use left is still there");
        assert_eq!(rooms.take(2000).len(), 2000, "none is large enough");
        assert_eq!(rooms.0.len(), 1);
        for count in 1..=2 * MOST {
            rooms.give_back(vec![0.0; count].into());
        }
        assert_eq!(rooms.0.len(), MOST);
        assert!(rooms.0.iter().all(|room| room.len() > MOST), "the larger ones stay");
    }
}
