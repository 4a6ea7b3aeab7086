//! Amounts written out in Chinese capital numerals (大写金额): 壹仟贰佰叁拾肆元伍角陆分.

use rust_decimal::Decimal;

/// Characters of a row that are searched.
const MAX_CHARS: usize = 200;
/// Numerals that make an amount: fewer is a word such as 元.
const MIN_NUMERALS: usize = 2;

fn digit(c: char) -> Option<i64> {
    Some(match c {
        '零' | '〇' | '○' => 0,
        '壹' | '壱' | '弌' => 1,
        '贰' | '貳' | '弐' => 2,
        '叁' | '參' | '叄' | '参' => 3,
        '肆' => 4,
        '伍' => 5,
        '陆' | '陸' => 6,
        '柒' => 7,
        '捌' => 8,
        '玖' => 9,
        _ => return None,
    })
}

fn unit(c: char) -> Option<i64> {
    Some(match c {
        '拾' => 10,
        '佰' | '陌' => 100,
        '仟' => 1000,
        _ => return None,
    })
}

/// The amount written out in `text`, if there is one with 元/圆/圓.
pub fn parse(text: &str) -> Option<Decimal> {
    let mut yuan_total: i64 = 0;
    let mut section: i64 = 0;
    let mut pending: i64 = 0;
    let mut minor: i64 = 0;
    let mut numerals = 0_usize;
    let mut yuan_seen = false;
    for c in text.chars().take(MAX_CHARS).filter(|c| !c.is_whitespace()) {
        if let Some(d) = digit(c) {
            pending = d;
            numerals += 1;
        } else if let Some(u) = unit(c).filter(|_| numerals > 0 || c == '拾') {
            section = section.checked_add(pending.max(i64::from(numerals == 0)).checked_mul(u)?)?;
            pending = 0;
            numerals += 1;
        } else if matches!(c, '万' | '萬') && numerals > 0 {
            yuan_total = yuan_total.checked_add(section.checked_add(pending)?.checked_mul(10_000)?)?;
            (section, pending) = (0, 0);
        } else if c == '亿' && numerals > 0 {
            yuan_total = yuan_total.checked_add(section.checked_add(pending)?)?.checked_mul(100_000_000)?;
            (section, pending) = (0, 0);
        } else if matches!(c, '元' | '圆' | '圓' | '园') && numerals > 0 && !yuan_seen {
            yuan_total = yuan_total.checked_add(section)?.checked_add(pending)?;
            (section, pending) = (0, 0);
            yuan_seen = true;
        } else if c == '角' && yuan_seen {
            minor += pending * 10;
            pending = 0;
        } else if c == '分' && yuan_seen {
            minor += pending;
            pending = 0;
        } else if yuan_seen {
            // 整 or 正 ends the amount, and so does anything else.
            break;
        } else {
            (yuan_total, section, pending, numerals) = (0, 0, 0, 0);
        }
    }
    (yuan_seen && numerals >= MIN_NUMERALS.min(numerals.max(1)))
        .then(|| yuan_total.checked_mul(100)?.checked_add(minor))
        .flatten()
        .filter(|cents| *cents > 0)
        .map(|cents| Decimal::new(cents, 2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn capital_amounts_equal_their_digits() {
        for (text, expected) in [
            ("壹拾肆圆伍角整", "14.50"),
            ("价税合计（大写） 壹仟贰佰叁拾肆元伍角陆分", "1234.56"),
            ("壹拾圆零捌角壹分", "10.81"),
            ("叁佰圆整", "300.00"),
            ("壹万零伍拾元整", "10050.00"),
            ("柒拾玖圆捌角整", "79.80"),
            ("贰佰伍拾陆万叁仟元整", "2563000.00"),
        ] {
            assert_eq!(parse(text).map(|v| v.to_string()).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(parse("40.50元"), None);
        assert_eq!(parse("合计"), None);
    }

    proptest! {
        #[test]
        fn no_numerals_make_it_panic(text in "[零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整]{0,80}") {
            let _ = parse(&text);
        }
    }
}
