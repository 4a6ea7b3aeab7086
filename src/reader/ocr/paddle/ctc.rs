//! Connectionist temporal classification: from per-step probabilities to characters.

use vouch_networks::Best;

/// A recognised character.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Symbol {
    /// The character.
    pub character: char,
    /// The recogniser's probability of it, 0 to 1.
    pub score: f32,
    /// Middle of the steps it was seen in, in steps from the left edge.
    pub position: f32,
}

/// The characters a recogniser can say. Class 0 is the blank, the last class the space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    characters: Vec<char>,
}

impl Alphabet {
    /// Reads the list stored in the weights: one character per line, blank and space not among them.
    /// `None` when a line does not hold exactly one character.
    pub fn parse(list: &str) -> Option<Self> {
        let mut characters = vec!['\0'];
        for line in list.split('\n') {
            let mut of_line = line.chars();
            characters.push(of_line.next()?);
            if of_line.next().is_some() {
                return None;
            }
        }
        characters.push(' ');
        Some(Self { characters })
    }

    /// Number of classes, blank and space included.
    pub fn classes(&self) -> usize {
        self.characters.len()
    }

    /// Greedy decoding: the best class of every step, repeats joined, blanks dropped.
    ///
    /// Classes are below `classes()`. A character's score is that of its first step, as in the reference.
    pub fn decode(&self, steps: &[Best]) -> Vec<Symbol> {
        let mut symbols = Vec::new();
        let mut current: Option<(usize, Symbol, usize)> = None;
        for (step, &Best { class, score }) in steps.iter().enumerate() {
            if let Some((same, symbol, first)) = current.as_mut()
                && *same == class
            {
                symbol.position = (*first + step + 1) as f32 / 2.0;
                continue;
            }
            symbols.extend(current.take().map(|(_, symbol, _)| symbol));
            if class != 0 {
                let symbol = Symbol { character: self.characters[class], score, position: step as f32 + 0.5 };
                current = Some((class, symbol, step));
            }
        }
        symbols.extend(current.map(|(_, symbol, _)| symbol));
        symbols
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alphabet() -> Alphabet {
        Alphabet::parse("a\nb\n汉").unwrap()
    }

    /// One step per entry: the class that wins and its probability.
    fn steps(winners: &[(usize, f32)]) -> Vec<Best> {
        winners.iter().map(|&(class, score)| Best { class, score }).collect()
    }

    fn text(symbols: &[Symbol]) -> String {
        symbols.iter().map(|s| s.character).collect()
    }

    #[test]
    fn repeats_join_unless_a_blank_parts_them() {
        let cases: [(&[usize], &str); 6] = [
            (&[1, 1, 1], "a"),
            (&[1, 0, 1], "aa"),
            (&[0, 0, 0], ""),
            (&[1, 2, 2, 0, 2, 3], "abb汉"),
            (&[1, 4, 4, 2], "a b"),
            (&[], ""),
        ];
        for (classes, expected) in cases {
            let winners: Vec<_> = classes.iter().map(|c| (*c, 0.9)).collect();
            assert_eq!(text(&alphabet().decode(&steps(&winners))), expected, "{classes:?}");
        }
    }

    #[test]
    fn a_character_has_its_first_steps_score_and_its_middle_position() {
        let symbols = alphabet().decode(&steps(&[(0, 0.9), (1, 0.6), (1, 0.8), (1, 0.7), (2, 0.95)]));
        assert_eq!(symbols[0], Symbol { character: 'a', score: 0.6, position: 2.5 });
        assert_eq!(symbols[1], Symbol { character: 'b', score: 0.95, position: 4.5 });
    }

    #[test]
    fn an_alphabet_needs_one_character_per_line() {
        assert!(Alphabet::parse("a\nbc").is_none());
        assert!(Alphabet::parse("a\n\nb").is_none());
        assert_eq!(alphabet().classes(), 5);
    }
}
