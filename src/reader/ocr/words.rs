//! Words of scripts without spaces: engines cut them between characters, extraction wants them whole.

use crate::domain::page::Word;

/// Gap below which two CJK words belong together, in heights of the taller one: characters of one word stand
/// closer than half a character; columns of a table stand wider.
const CJK_GAP: f32 = 0.6;
/// The same between a digit and a CJK character (`2024 年`), which engines separate more readily.
const MIXED_GAP: f32 = 0.35;

/// Joins neighbouring words of one line, given left to right, where no space would be written between them.
pub fn join_unspaced(words: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        match joined.last_mut() {
            Some(last) if belongs_to(last, &word) => append(last, word),
            Some(_) | None => joined.push(word),
        }
    }
    joined
}

fn belongs_to(left: &Word, right: &Word) -> bool {
    let (Some(end), Some(start)) = (left.text.chars().next_back(), right.text.chars().next()) else {
        return false;
    };
    let limit = match (is_cjk(end), is_cjk(start)) {
        (true, true) => CJK_GAP,
        (true, false) if start.is_ascii_digit() => MIXED_GAP,
        (false, true) if end.is_ascii_digit() => MIXED_GAP,
        (true | false, false) | (false, true) => return false,
    };
    let height = left.quad.text_height().max(right.quad.text_height());
    right.quad.left() - left.quad.right() < limit * height
}

fn append(left: &mut Word, right: Word) {
    let (left_chars, right_chars) = (left.text.chars().count(), right.text.chars().count());
    let weighted = left.score * left_chars as f32 + right.score * right_chars as f32;
    left.score = weighted / (left_chars + right_chars) as f32;
    let both_scored = left.char_scores.len() == left_chars && right.char_scores.len() == right_chars;
    if both_scored {
        left.char_scores.extend(right.char_scores);
    } else {
        left.char_scores.clear();
    }
    left.text.push_str(&right.text);
    left.quad = left.quad.union(&right.quad);
}

/// Characters written without spaces around them: ideographs, kana, CJK punctuation and full-width forms.
pub const fn is_cjk(c: char) -> bool {
    matches!(c,
        '\u{2E80}'..='\u{303F}' | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::page::Quad;

    fn word(text: &str, left: f32, right: f32) -> Word {
        let char_scores = vec![0.5; text.chars().count()];
        Word { text: text.into(), quad: Quad::from_edges(left, 0.0, right, 20.0), score: 0.5, char_scores }
    }

    fn texts(words: Vec<Word>) -> Vec<String> {
        join_unspaced(words).into_iter().map(|w| w.text).collect()
    }

    #[test]
    fn chinese_characters_close_together_become_one_word() {
        let line = vec![word("北京", 0.0, 40.0), word("出", 44.0, 64.0), word("租", 66.0, 86.0)];
        let joined = join_unspaced(line);
        assert_eq!(joined.len(), 1);
        assert_eq!(joined[0].text, "北京出租");
        assert_eq!(joined[0].char_scores.len(), 4);
        assert!((joined[0].quad.right() - 86.0).abs() < 1e-3);
    }

    #[test]
    fn columns_latin_words_and_amounts_stay_apart() {
        assert_eq!(texts(vec![word("单价", 0.0, 40.0), word("数量", 80.0, 120.0)]), ["单价", "数量"]);
        assert_eq!(texts(vec![word("GRAND", 0.0, 40.0), word("TOTAL", 44.0, 84.0)]), ["GRAND", "TOTAL"]);
        assert_eq!(texts(vec![word("金额", 0.0, 40.0), word("12.50", 60.0, 90.0)]), ["金额", "12.50"]);
    }

    #[test]
    fn dates_with_chinese_units_become_one_word() {
        let line =
            vec![word("2024", 0.0, 40.0), word("年", 44.0, 64.0), word("5", 68.0, 78.0), word("月", 80.0, 100.0)];
        assert_eq!(texts(line), ["2024年5月"]);
    }
}
