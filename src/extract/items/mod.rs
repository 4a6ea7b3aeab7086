//! The lines of what was bought, by layout first: a name and an amount on one row, a name above its numbers, quantity ×
//! unit price on a row of its own before or after, wrapped names, discounts, charges. The first total ends them.

mod row;

use rust_decimal::Decimal;

use self::row::{ItemRow, Pieces, letters};
use super::{
    layout::Layout,
    money::Mention,
    words::{Hit, Label as L},
};
use crate::domain::{
    breakdown::{ItemKind, LineItem},
    field::{Evidence, MAX_TEXT_CHARS},
};

/// Rows searched: a metre of slip has 400.
const MAX_ROWS: usize = 1_000;
/// Lines kept; a longer slip is cut and says so by its sum.
pub const MAX_ITEMS: usize = 400;
/// Fewer amounts with decimals than this, and the paper is taken to print whole amounts.
const FEW_DECIMALS: usize = 2;
/// Rows further apart than this many text heights do not belong together.
const NEAR: f32 = 2.6;
/// A name that fills this share of its column may go on below.
const FILLED: f32 = 0.86;
/// Lines at the head that may be something else, where the rest adds up.
const MAX_FALSE_HEAD: usize = 2;
/// The same at the end: totals, taxes and payments nobody recognised.
const MAX_FALSE_TAIL: usize = 10;
/// Names above their numbers: rows of one name at most.
const MAX_NAME_ROWS: usize = 2;

/// How the paper prints its lines.
struct Style {
    /// Most amounts stand below their names.
    name_above: bool,
    /// Right edge of names, in de-skewed pixels.
    column_end: f32,
}

/// A line being put together.
struct Open {
    item: LineItem,
    row: usize,
    pieces: Option<Pieces>,
    head: Option<Decimal>,
    legibility: f32,
}

/// Every line between the head of the paper and its first total; `total` is the most probable one.
pub fn find(layout: &Layout<'_>, mentions: &[Mention], total: Option<Decimal>) -> Vec<LineItem> {
    let rows = read_rows(layout, mentions);
    let style = Style::of(layout, &rows);
    let mut open: Vec<Open> = Vec::new();
    let mut names: Vec<&ItemRow> = Vec::new();
    let mut waiting: Option<(Pieces, usize)> = None;
    for row in &rows {
        if open.len() >= MAX_ITEMS || (ends(row) && !open.is_empty()) {
            break;
        }
        let Some(amount) = &row.amount else {
            if let Some(pieces) = row.pieces.filter(|_| row.free_letters < 4) {
                // `2 x 1,10` belongs to the line whose amount it makes: the one above, else the one below.
                if !belongs_above(layout, open.last_mut(), pieces, row.row) {
                    waiting = Some((pieces, row.row));
                }
            } else if is_name(row) {
                match open.last_mut().filter(|last| !style.name_above && wraps(layout, &style, last, row)) {
                    Some(last) => extend(layout, last, row),
                    None => names.push(row),
                }
            } else {
                names.clear();
            }
            continue;
        };
        let Some(kind) = kind_of(row, amount.value) else {
            names.clear();
            continue;
        };
        let own = row.free_letters >= 3 || (kind != ItemKind::Article && letters(&row.name) > 0);
        let mut name = row.name.clone();
        let mut parts = vec![row.row];
        if !own {
            let above: Vec<&ItemRow> = names
                .iter()
                .rev()
                .take(MAX_NAME_ROWS)
                .scan(row.row, |below, above| {
                    let near = is_near(layout, above.row, *below);
                    *below = above.row;
                    near.then_some(*above)
                })
                .collect();
            // The nearest one is the name; the one above it only where it fills its column.
            let Some(nearest) = above.first() else {
                if row.pieces.is_some_and(|p| p.proved) && !open.is_empty() {
                    attach_proved(layout, &mut open, row);
                }
                continue;
            };
            name.clone_from(&nearest.name);
            parts.insert(0, nearest.row);
            if let Some(first) = above.get(1).filter(|first| fills(layout, &style, first.row)) {
                name = joined(&first.name, &name);
                parts.insert(0, first.row);
            }
        }
        names.clear();
        let value = if kind == ItemKind::Discount { -amount.value.abs() } else { amount.value };
        let mut pieces = row.pieces;
        if let Some((before, at)) = waiting.take()
            && pieces.is_none_or(|p| !p.proved)
            && is_near(layout, at, parts[0])
            && makes(before, value)
        {
            pieces = Some(Pieces { proved: true, ..before });
            parts.insert(0, at);
        }
        open.push(Open {
            item: LineItem {
                kind,
                name: name.chars().take(MAX_TEXT_CHARS).collect(),
                quantity: None,
                unit_price: None,
                amount: value,
                p: 0.0,
                evidence: evidence_of(layout, &parts),
                reasons: Vec::new(),
            },
            row: row.row,
            pieces,
            head: row.head,
            legibility: amount.legibility,
        });
    }
    finish(open, mentions, total)
}

fn read_rows(layout: &Layout<'_>, mentions: &[Mention]) -> Vec<ItemRow> {
    let with_decimals =
        mentions.iter().filter(|m| m.amount.decimals == 2 && !m.amount.percent && !m.amount.repaired).count();
    let whole = with_decimals < FEW_DECIMALS;
    let mut by_row: Vec<Vec<&Mention>> = vec![Vec::new(); layout.rows.len().min(MAX_ROWS)];
    for m in mentions {
        if let Some(own) = by_row.get_mut(m.row)
            // A lost point is offered a second time at the same place; the first one counts here.
            && own.iter().all(|o| o.segment != m.segment || o.amount.range != m.amount.range)
        {
            own.push(m);
        }
    }
    by_row.iter().enumerate().map(|(at, own)| row::read(layout, own, at, whole)).collect()
}

impl Style {
    fn of(layout: &Layout<'_>, rows: &[ItemRow]) -> Self {
        let (mut above, mut beside) = (0_usize, 0_usize);
        let mut column_end = 0.0_f32;
        for (at, row) in rows.iter().enumerate() {
            let Some(amount) = &row.amount else { continue };
            if ends(row) && above + beside > 0 {
                break;
            }
            if row.free_letters >= 3 {
                beside += 1;
                let name_end = layout.rows[row.row]
                    .segments
                    .iter()
                    .map(|s| &layout.segments[*s])
                    .filter(|s| s.text.len() > 3 && letters(&s.text) > 2);
                column_end = name_end
                    .map(|s| s.bounds.right)
                    .fold(column_end, f32::max)
                    .min(layout.segments[amount.segment].bounds.right);
            } else if at.checked_sub(1).and_then(|i| rows.get(i)).is_some_and(is_name) {
                above += 1;
            }
        }
        Self { name_above: above > beside, column_end }
    }
}

/// The row announces what is to be paid: the lines are over.
fn ends(row: &ItemRow) -> bool {
    let strong =
        |label: L| matches!(label, L::Subtotal | L::Total | L::GrandTotal | L::Tax | L::Net | L::Change | L::Rounding);
    let weak = |label: L| matches!(label, L::Tendered | L::Card);
    row.amount.is_some()
        && row
            .label
            .is_some_and(|h: Hit| (strong(h.label) && row.free_letters < 12) || (weak(h.label) && row.free_letters < 4))
}

/// What a row with an amount stands for; `None` when it is no line.
fn kind_of(row: &ItemRow, amount: Decimal) -> Option<ItemKind> {
    if row.is_other {
        return None;
    }
    let Some(hit) = row.label else {
        return Some(if amount.is_sign_negative() && !amount.is_zero() {
            ItemKind::Discount
        } else {
            ItemKind::Article
        });
    };
    match hit.label {
        L::Discount => Some(ItemKind::Discount),
        L::Service | L::Tip => Some(if row.free_letters >= 6 { ItemKind::Article } else { ItemKind::Charge }),
        L::Subtotal | L::Total | L::GrandTotal | L::Tax | L::Net | L::Change | L::Rounding => {
            (row.free_letters >= 12).then_some(ItemKind::Article)
        }
        // `Choc bar 2.50`, `Price cut pan`: a word of the lexicon inside a name.
        _ => (row.free_letters >= 4).then_some(ItemKind::Article),
    }
}

/// A row that may be the name of the numbers below it.
fn is_name(row: &ItemRow) -> bool {
    row.amount.is_none() && row.free_letters >= 3 && !row.is_other && row.label.is_none_or(|_| row.free_letters >= 4)
}

fn is_near(layout: &Layout<'_>, upper: usize, lower: usize) -> bool {
    let (a, b) = (&layout.rows[upper], &layout.rows[lower]);
    a.page == b.page
        && (b.bounds.middle() - a.bounds.middle()).abs() <= NEAR * a.height.max(b.height).max(layout.median_height)
}

fn fills(layout: &Layout<'_>, style: &Style, row: usize) -> bool {
    style.column_end > 0.0 && {
        let bounds = &layout.rows[row].bounds;
        bounds.right >= bounds.left + (style.column_end - bounds.left) * FILLED
    }
}

/// The name of `last` fills its column and `row` stands right below it, in line with it.
fn wraps(layout: &Layout<'_>, style: &Style, last: &Open, row: &ItemRow) -> bool {
    let (own, below) = (&layout.rows[last.row], &layout.rows[row.row]);
    let name = own.segments.iter().map(|s| &layout.segments[*s]).find(|s| letters(&s.text) > 2);
    let Some(name) = name else { return false };
    let in_line = (below.bounds.left - name.bounds.left).abs() <= 1.2 * own.height;
    let full = name.bounds.right >= name.bounds.left + (style.column_end - name.bounds.left) * FILLED;
    let pitch = below.bounds.middle() - own.bounds.middle();
    row.row == last.row + 1
        && in_line
        && full
        && pitch <= 1.7 * own.height
        && below.bounds.right <= style.column_end + own.height
}

fn joined(first: &str, second: &str) -> String {
    let glue = if first.chars().last().is_some_and(super::fold::is_cjk) { "" } else { " " };
    format!("{first}{glue}{second}")
}

fn extend(layout: &Layout<'_>, last: &mut Open, row: &ItemRow) {
    last.item.name = joined(&last.item.name, &row.name).chars().take(MAX_TEXT_CHARS).collect();
    last.item.evidence = last.item.evidence.take().into_iter().chain(layout.row_evidence(row.row)).reduce(union);
    last.row = row.row;
}

/// Whether quantity × unit price is the amount; weighed goods are rounded.
fn makes(pieces: Pieces, amount: Decimal) -> bool {
    pieces
        .unit_price
        .and_then(|unit| unit.checked_mul(pieces.quantity))
        .is_some_and(|product| (product - amount.abs()).abs() <= Decimal::new(1, 2))
}

fn belongs_above(layout: &Layout<'_>, last: Option<&mut Open>, pieces: Pieces, row: usize) -> bool {
    let Some(last) = last else { return false };
    if last.pieces.is_some_and(|p| p.proved) || !makes(pieces, last.item.amount) || !is_near(layout, last.row, row) {
        return false;
    }
    last.pieces = Some(Pieces { proved: true, ..pieces });
    last.item.evidence = last.item.evidence.take().into_iter().chain(layout.row_evidence(row)).reduce(union);
    true
}

/// `2 x 3.50 7.00` below a line that already has the amount 7.00.
fn attach_proved(layout: &Layout<'_>, open: &mut [Open], row: &ItemRow) {
    let Some(pieces) = row.pieces else { return };
    belongs_above(layout, open.last_mut(), pieces, row.row);
}

fn evidence_of(layout: &Layout<'_>, rows: &[usize]) -> Option<Evidence> {
    rows.iter().filter_map(|row| layout.row_evidence(*row)).reduce(union)
}

fn union(a: Evidence, b: Evidence) -> Evidence {
    Evidence {
        page: a.page,
        quad: a.quad.zip(b.quad).map(|(x, y)| x.union(&y)).or(a.quad),
        text: format!("{} {}", a.text, b.text),
    }
}

/// Quantities, sums and probabilities once all lines are known.
fn finish(mut open: Vec<Open>, mentions: &[Mention], total: Option<Decimal>) -> Vec<LineItem> {
    keep_what_adds_up(&mut open, mentions, total);
    // 1, 2, 3 … at the head of the rows are positions, unless they are proved to be counts.
    let heads: Vec<Option<Decimal>> =
        open.iter().filter(|o| o.item.kind == ItemKind::Article).map(|o| o.head).collect();
    let numbered = heads.len() >= 2 && heads.iter().enumerate().all(|(i, head)| *head == Some(Decimal::from(i + 1)));
    for line in &mut open {
        let Some(pieces) = line.pieces else { continue };
        if numbered && !pieces.proved && Some(pieces.quantity) == line.head {
            continue;
        }
        line.item.quantity = Some(pieces.quantity.normalize());
        line.item.unit_price = pieces.unit_price;
        if pieces.proved {
            line.item.reasons.push("sum:quantity".to_owned());
        }
    }
    let sum = open.iter().try_fold(Decimal::ZERO, |sum, o| sum.checked_add(o.item.amount));
    let adds_up = sum.is_some_and(|sum| is_sum(mentions, total, sum, open.len()));
    open.into_iter()
        .map(|line| {
            let mut item = line.item;
            let proved = line.pieces.is_some_and(|p| p.proved);
            if adds_up {
                item.reasons.push("sum:items".to_owned());
            }
            item.p = probability(adds_up, proved, line.legibility);
            item
        })
        .collect()
}

/// `sum` of `count` lines is what is to be paid, or stands at a label of a total, subtotal or net amount. A single line
/// proves itself only by the total.
fn is_sum(mentions: &[Mention], total: Option<Decimal>, sum: Decimal, count: usize) -> bool {
    let sums = [L::Subtotal, L::Total, L::GrandTotal, L::Net, L::Amount];
    match count {
        0 => false,
        1 => total == Some(sum),
        _ => total == Some(sum) || mentions.iter().any(|m| m.is(&sums) && m.amount.value == sum),
    }
}

/// Where the lines add up without a few at their head (a table's number, a telephone) or at their end (a total in a
/// language nobody taught, the tax), those are none.
fn keep_what_adds_up(open: &mut Vec<Open>, mentions: &[Mention], total: Option<Decimal>) {
    let mut running = vec![Decimal::ZERO];
    for line in open.iter() {
        let Some(next) = running[running.len() - 1].checked_add(line.item.amount) else { return };
        running.push(next);
    }
    let count = open.len();
    let mut best: Option<(usize, usize)> = None;
    for from in 0..=MAX_FALSE_HEAD.min(count) {
        for to in (from + 1..=count).rev().take(MAX_FALSE_TAIL + 1) {
            let longer = best.is_none_or(|(a, b)| to - from > b - a);
            if longer && is_sum(mentions, total, running[to] - running[from], to - from) {
                best = Some((from, to));
            }
        }
    }
    // A single line that is the total says little when others stand beside it.
    if let Some((from, to)) = best.filter(|(from, to)| to - from > 1 || count <= 3) {
        open.truncate(to);
        open.drain(..from);
    }
}

/// Measured on the transcripts of wildreceipt by `cli::eval::fields`.
fn probability(adds_up: bool, proved: bool, legibility: f32) -> f32 {
    let base = match (adds_up, proved) {
        (true, _) => 0.96,
        (false, true) => 0.93,
        (false, false) => 0.78,
    };
    base * legibility.clamp(0.3, 1.0).sqrt()
}

#[cfg(test)]
mod tests;
