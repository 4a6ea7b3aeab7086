//! One row of the paper as name, quantity, unit price and amount.

use std::ops::Range;

use rust_decimal::Decimal;

use crate::extract::{
    fold::is_cjk,
    layout::Layout,
    money::Mention,
    words::{self, Hit, Label as L},
};

/// Numbers of one row that are combined; a table has up to about ten columns.
const MAX_NUMBERS: usize = 12;
/// Money by which quantity × unit price may differ from the amount: weighed goods are rounded.
const ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
/// More pieces than this on one line are an article number.
const MAX_PIECES: Decimal = Decimal::from_parts(999, 0, 0, false, 0);

/// A number of the row.
#[derive(Debug, Clone)]
pub struct Number {
    /// Index into [`Layout::segments`].
    pub segment: usize,
    /// Bytes of the segment's text.
    pub range: Range<usize>,
    /// Its value.
    pub value: Decimal,
    /// Decimals printed.
    pub decimals: u32,
    /// A rate or a share.
    pub percent: bool,
    /// Multiplied, by its neighbours (`2 x`, `@ 3.50`).
    pub factor: bool,
    /// Letters were read as digits: `0,5l`.
    pub repaired: bool,
    /// Lowest recogniser score of its characters.
    pub legibility: f32,
}

/// Quantity and unit price with how they are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pieces {
    /// How many.
    pub quantity: Decimal,
    /// Price of one.
    pub unit_price: Option<Decimal>,
    /// Quantity × unit price is the amount.
    pub proved: bool,
}

/// What a row says.
#[derive(Debug, Clone)]
pub struct ItemRow {
    /// Index into [`Layout::rows`].
    pub row: usize,
    /// Text that is neither a number in use, nor a code of tax, nor a currency.
    pub name: String,
    /// What the row adds to the bill.
    pub amount: Option<Number>,
    /// How many and for how much each.
    pub pieces: Option<Pieces>,
    /// The row begins with a small whole number that may be a count or a position.
    pub head: Option<Decimal>,
    /// What its label announces, when it has one.
    pub label: Option<Hit>,
    /// Letters of the name that no label explains.
    pub free_letters: usize,
    /// A row of column heads or of another kind of text: date, telephone, title, number.
    pub is_other: bool,
}

/// Letters that say something: a Chinese character counts for two.
pub fn letters(text: &str) -> usize {
    text.chars().map(|c| if is_cjk(c) { 2 } else { usize::from(c.is_alphabetic()) }).sum()
}

/// Reads row `row`. `whole` allows amounts without decimals.
pub fn read(layout: &Layout<'_>, mentions: &[&Mention], row: usize, whole: bool) -> ItemRow {
    let numbers: Vec<Number> = mentions.iter().take(MAX_NUMBERS).map(|m| number(m)).collect();
    let amount_at = amount_of(layout, row, &numbers, whole);
    let pieces = amount_at.and_then(|at| pieces_of(layout, row, &numbers, at));
    let lone = amount_at.is_none().then(|| lone_pieces(&numbers)).flatten();
    let used: Vec<&Number> = numbers
        .iter()
        .enumerate()
        .filter(|(i, n)| {
            Some(*i) == amount_at
                || pieces.as_ref().is_some_and(|(_, used)| used.contains(i))
                || lone.as_ref().is_some_and(|(_, used)| used.contains(i))
                || n.percent
                || (n.decimals == 2 && !n.repaired)
        })
        .map(|(_, n)| n)
        .collect();
    let amount = amount_at.map(|at| numbers[at].clone());
    let until = amount.as_ref().map(|n| (n.segment, n.range.start));
    let mut name = name_of(layout, row, &used, until, true);
    if letters(&name) < 2 && until.is_some() {
        // The amount stands first: `¥58 红烧肉`.
        name = name_of(layout, row, &used, None, true);
    }
    let counted = leading_count(&name);
    if let Some((_, from)) = counted {
        name.replace_range(..name.len() - name[from..].trim_start().len(), "");
    }
    let hits = words::find(&name);
    let explained: usize = hits.iter().map(|h| letters(name.get(h.start..h.end).unwrap_or(""))).sum();
    let free_letters = letters(&name).saturating_sub(explained);
    let label = words::money_label(&hits);
    let is_other = hits.iter().any(|h| {
        matches!(
            h.label,
            L::Date
                | L::OtherDate
                | L::Phone
                | L::TaxId
                | L::Bank
                | L::Title
                | L::OtherNumber
                | L::InvoiceNumber
                | L::Time
        )
    }) && free_letters < 4;
    let head = numbers
        .first()
        .filter(|n| n.decimals == 0 && !n.percent && n.value > Decimal::ZERO && n.value < MAX_PIECES)
        .filter(|n| Some(n.segment) == layout.rows[row].segments.first().copied() && n.range.start == 0)
        .map(|n| n.value);
    let counted = counted.map(|(quantity, _)| Pieces { quantity, unit_price: None, proved: false });
    let pieces = match (pieces.or(lone).map(|(p, _)| p), counted) {
        (Some(p), _) if p.proved || p.unit_price.is_some() => Some(p),
        (found, counted) => counted.or(found),
    };
    ItemRow { row, name, amount, pieces, head, label, free_letters, is_other }
}

fn number(m: &Mention) -> Number {
    Number {
        segment: m.segment,
        range: m.amount.range.clone(),
        value: m.amount.value,
        decimals: m.amount.decimals,
        percent: m.amount.percent,
        factor: m.amount.factor,
        repaired: m.amount.repaired,
        legibility: m.legibility,
    }
}

/// Which number is the amount: the rightmost with two decimals, unless a rate stands before it (then it is the tax) or
/// quantity × unit price is the one before it.
fn amount_of(layout: &Layout<'_>, row: usize, numbers: &[Number], whole: bool) -> Option<usize> {
    let money =
        |n: &Number| !n.percent && (n.decimals == 2 || (whole && n.decimals == 0 && n.value.abs() >= Decimal::ONE));
    let last = numbers.iter().rposition(money)?;
    let is_glued = |n: &Number| {
        // `330ML`, `1.50L`: a size.
        let text = &layout.segments[n.segment].text;
        text[n.range.end..].chars().next().is_some_and(|c| c.is_alphabetic() && !is_cjk(c) && !c.is_uppercase())
    };
    if whole && numbers[last].decimals == 0 {
        // Without decimals only a number that stands alone at the right end is money.
        let segment = &layout.segments[numbers[last].segment];
        let is_last = layout.rows[row].segments.last() == Some(&numbers[last].segment);
        let alone = letters(&segment.text) <= 2;
        return (is_last && alone && layout.rows[row].segments.len() > 1).then_some(last);
    }
    if is_glued(&numbers[last]) || (numbers[last].factor && numbers[..last].iter().all(|n| !money(n))) {
        return None;
    }
    let rate = numbers[..last].iter().rposition(|n| n.percent);
    if let Some(rate) = rate
        && let Some(before) = numbers[..rate].iter().rposition(money)
    {
        // 金额 税率 税额: the amount is before the rate.
        return Some(before);
    }
    if let Some(before) = numbers[..last].iter().rposition(money) {
        let product = |c: usize| product_of(numbers, c, &[last]).is_some();
        if !product(last) && product_of(numbers, last, &[]).is_none() && product(before) {
            return Some(before);
        }
    }
    Some(last)
}

/// Two earlier numbers whose product is number `amount`, and which they are.
fn product_of(numbers: &[Number], amount: usize, without: &[usize]) -> Option<(usize, usize)> {
    let target = numbers[amount].value.abs();
    let usable =
        |i: &usize| *i != amount && !without.contains(i) && !numbers[*i].percent && numbers[*i].value > Decimal::ZERO;
    let candidates: Vec<usize> = (0..numbers.len()).filter(usable).collect();
    let mut found: Option<(usize, usize)> = None;
    for &q in &candidates {
        for &u in candidates.iter().filter(|u| **u != q) {
            let (quantity, unit) = (numbers[q].value, numbers[u].value);
            // A price has decimals where the amount has them; pieces do not.
            if numbers[u].decimals < numbers[amount].decimals.min(2)
                || (numbers[q].decimals == 2 && !is_weight(&numbers[q]))
            {
                continue;
            }
            let Some(product) = quantity.checked_mul(unit) else { continue };
            let tolerance = if numbers[q].decimals > 0 { ROUNDING } else { Decimal::ZERO };
            if (product - target).abs() <= tolerance && quantity <= MAX_PIECES {
                // Written in the usual order first.
                if q < u {
                    return Some((q, u));
                }
                found = Some((q, u));
            }
        }
    }
    found
}

fn is_weight(n: &Number) -> bool {
    n.value < Decimal::ONE_HUNDRED
}

fn pieces_of(layout: &Layout<'_>, row: usize, numbers: &[Number], amount: usize) -> Option<(Pieces, Vec<usize>)> {
    if let Some((q, u)) = product_of(numbers, amount, &[]) {
        let pieces = Pieces { quantity: numbers[q].value, unit_price: Some(numbers[u].value), proved: true };
        return Some((pieces, vec![q, u]));
    }
    // A count in words: `2 x Tea`, `Tea x2`, or a small number standing alone before the amount.
    let counted = numbers.iter().enumerate().find(|(i, n)| {
        *i != amount
            && n.decimals == 0
            && !n.percent
            && n.value > Decimal::ZERO
            && n.value <= Decimal::ONE_HUNDRED
            && (n.factor || stands_alone(layout, row, n))
    });
    counted.map(|(i, n)| (Pieces { quantity: n.value, unit_price: None, proved: false }, vec![i]))
}

/// A segment of its own, or the first or last word of one that is not the only segment.
fn stands_alone(layout: &Layout<'_>, row: usize, n: &Number) -> bool {
    let text = layout.segments[n.segment].text.trim();
    let own = layout.segments[n.segment].text.get(n.range.clone()).unwrap_or("").trim();
    if text == own {
        return true;
    }
    let first_of_row = layout.rows[row].segments.first() == Some(&n.segment) && n.range.start == 0;
    let after = layout.segments[n.segment].text[n.range.end..].chars().next();
    first_of_row && after == Some(' ')
}

/// `2 x 3.50`, `0.596 kg x 15.99`: a row of quantity and unit price alone.
fn lone_pieces(numbers: &[Number]) -> Option<(Pieces, Vec<usize>)> {
    let factors: Vec<usize> = (0..numbers.len()).filter(|i| numbers[*i].factor && !numbers[*i].percent).collect();
    let unit = factors.iter().copied().find(|i| numbers[*i].decimals == 2)?;
    let quantity =
        (0..numbers.len()).find(|i| *i != unit && numbers[*i].decimals != 2 && numbers[*i].value > Decimal::ZERO)?;
    let pieces = Pieces { quantity: numbers[quantity].value, unit_price: Some(numbers[unit].value), proved: false };
    Some((pieces, vec![quantity, unit]))
}

/// The row's words before `until` (segment and byte) without the numbers in use and without codes.
fn name_of(layout: &Layout<'_>, row: usize, used: &[&Number], until: Option<(usize, usize)>, clean: bool) -> String {
    let mut out = String::new();
    for at in layout.rows[row].segments.iter().copied() {
        if until.is_some_and(|(segment, _)| at > segment) {
            break;
        }
        let text = &layout.segments[at].text;
        let end = until.filter(|(segment, _)| *segment == at).map_or(text.len(), |(_, end)| end);
        let mut piece = String::new();
        for (i, c) in text.char_indices().take_while(|(i, _)| *i < end) {
            let cut = used.iter().any(|n| n.segment == at && n.range.contains(&i));
            piece.push(if cut { ' ' } else { c });
        }
        for token in piece.split_whitespace().filter(|t| !clean || is_word(t)) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(token);
        }
    }
    let trimmed =
        out.trim_matches(|c: char| c.is_whitespace() || matches!(c, '-' | ':' | '*' | '=' | '.' | ',' | '|' | '@'));
    // `*分类*名称` of a fapiao keeps its star.
    if out.starts_with('*') && out.chars().filter(|c| *c == '*').count() == 2 { out } else { trimmed.to_owned() }
}

/// `2x Espresso`, `2×拿铁`: the count and where the name goes on.
fn leading_count(name: &str) -> Option<(Decimal, usize)> {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    let rest = name.get(digits..).filter(|_| (1..=3).contains(&digits))?.trim_start();
    let after = rest.strip_prefix(['x', 'X', '×'])?;
    let begins = after.trim_start().chars().next().is_some_and(char::is_alphanumeric);
    // `3XL shirt` is a size.
    let apart = after.starts_with(' ')
        || after.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit() || is_cjk(c));
    let quantity: Decimal = name[..digits].parse().ok()?;
    (begins && apart && !rest.starts_with("XL") && quantity > Decimal::ZERO)
        .then_some((quantity, name.len() - after.len()))
}

/// Neither a sign of money or multiplication, nor a bar code.
fn is_word(token: &str) -> bool {
    const NOISE: &[&str] = &[
        "x", "X", "@", "*", "×", "$", "€", "£", "¥", "￥", "RM", "CHF", "EUR", "USD", "Fr.", "Rs.", "Rs", "元", "=",
        "|", "-", "S$", "SR", "ZR", "pcs", "PCS", "Stk", "Stk.",
    ];
    let digits = token.chars().filter(char::is_ascii_digit).count();
    let barcode = digits >= 7 && digits + 1 >= token.chars().count();
    let says = token.chars().any(char::is_alphanumeric) || matches!(token, "&" | "+" | "/");
    says && !NOISE.contains(&token) && !barcode
}
