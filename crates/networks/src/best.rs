//! The most probable of many classes.

/// The most probable class of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// Which.
    pub class: usize,
    /// Its probability, 0 to 1.
    pub score: f32,
}

/// Index and value of the largest; the first of equals.
pub fn best(values: &[f32]) -> Best {
    /// Values compared side by side: fills a vector register at any width the compiler picks.
    const LANES: usize = 16;
    // Two passes vectorise; one that carries the index does not, and this runs over millions of values per receipt.
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = if *value > *lane { *value } else { *lane };
        }
    }
    let largest = lanes.iter().chain(chunks.remainder()).copied().fold(f32::NEG_INFINITY, f32::max);
    let class = values.iter().position(|value| *value >= largest);
    class.map_or(Best { class: 0, score: 0.0 }, |class| Best { class, score: largest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_many_classes_is_found_wherever_it_stands() {
        for winner in [0, 1, 15, 16, 17, 40] {
            let mut values = vec![0.01; 41];
            values[winner] = 0.5;
            assert_eq!(best(&values), Best { class: winner, score: 0.5 });
        }
        assert_eq!(best(&[]), Best { class: 0, score: 0.0 });
    }
}
