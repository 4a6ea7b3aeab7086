//! Every amount on the receipt with the label it stands under.

use rust_decimal::Decimal;

use super::{
    layout::Layout,
    numbers::{self, Amount},
    words::{self, Hit, Label},
};

/// Amounts of one receipt that are considered; a metre of slip has about 300.
pub const MAX_MENTIONS: usize = 600;
/// How far above its amount a label may stand, in text heights.
const REACH_ABOVE: f32 = 3.0;

/// Where a label stands relative to its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// To the left on the same row.
    SameRow,
    /// At the head of the row, with other amounts in between.
    RowHead,
    /// In the same column above, or on the row above.
    Above,
    /// On the row below: the paper is curled or the label is printed lower.
    Below,
}

/// An amount where it stands.
#[derive(Debug, Clone)]
pub struct Mention {
    /// Index into [`Layout::segments`].
    pub segment: usize,
    /// Index into [`Layout::rows`].
    pub row: usize,
    /// The amount.
    pub amount: Amount,
    /// Its label and where that stands.
    pub label: Option<(Hit, Place)>,
    /// The label text holds letters that no lexicon knows: an article.
    pub named: bool,
    /// Lowest recogniser score of its characters.
    pub legibility: f32,
}

impl Mention {
    /// Whether its label is one of `labels`.
    pub fn is(&self, labels: &[Label]) -> bool {
        self.label.is_some_and(|(hit, _)| labels.contains(&hit.label))
    }
}

/// All amounts in reading order.
pub fn collect(layout: &Layout<'_>) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    let mut has_amount = vec![false; layout.rows.len()];
    for (at, segment) in layout.segments.iter().enumerate() {
        for amount in numbers::find(&segment.text) {
            if mentions.len() >= MAX_MENTIONS {
                break;
            }
            has_amount[segment.row] |= amount.decimals == 2;
            let legibility = segment.score_of(&amount.range);
            mentions.push(Mention { segment: at, row: segment.row, amount, label: None, named: false, legibility });
        }
    }
    for i in 0..mentions.len() {
        let (label, named) = label_of(layout, &mentions, &has_amount, i);
        mentions[i].label = label;
        mentions[i].named = named;
    }
    let lost = lost_points(&mentions);
    mentions.extend(lost);
    mentions
}

/// `Total 8817` where every other amount has two decimals: 88.17 as well.
fn lost_points(mentions: &[Mention]) -> Vec<Mention> {
    let with_decimals = mentions.iter().filter(|m| m.amount.decimals == 2).count();
    if with_decimals < 2 {
        return Vec::new();
    }
    mentions
        .iter()
        .filter(|m| m.amount.decimals == 0 && m.amount.value.abs() >= Decimal::ONE_HUNDRED && m.label.is_some())
        .filter_map(|m| {
            let mut lost = m.clone();
            lost.amount.value = m.amount.value.checked_div(Decimal::ONE_HUNDRED)?;
            lost.amount.decimals = 2;
            lost.amount.repaired = true;
            Some(lost)
        })
        .collect()
}

fn label_of(layout: &Layout<'_>, mentions: &[Mention], has_amount: &[bool], i: usize) -> (Option<(Hit, Place)>, bool) {
    let mention = &mentions[i];
    let row = &layout.rows[mention.row];
    let own = &layout.segments[mention.segment];
    // Text on the row since the last decimal amount, and all text of the row before this amount.
    let mut near = String::new();
    let mut whole = String::new();
    let fresh_from = mentions[..i]
        .iter()
        .rev()
        .find(|m| m.row == mention.row && m.amount.decimals == 2)
        .map(|m| (m.segment, m.amount.range.end));
    for at in row.segments.iter().copied().filter(|at| *at <= mention.segment) {
        let segment = &layout.segments[at];
        let end = if at == mention.segment { mention.amount.range.start } else { segment.text.len() };
        push_text(&mut whole, segment.text.get(..end).unwrap_or(""));
        let start = match fresh_from {
            Some((seen, _)) if at < seen => continue,
            Some((seen, from)) if at == seen => from,
            _ => 0,
        };
        push_text(&mut near, segment.text.get(start..end).unwrap_or(""));
    }
    if let Some(hit) = words::money_label(&words::find(&near)) {
        return (Some((hit, Place::SameRow)), false);
    }
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    // `RM`, `CHF`, a tax letter or a unit are no name.
    let named = letters(&near) > 3 || (letters(&near) > 1 && near.chars().any(super::fold::is_cjk));
    if named {
        return (None, true);
    }
    if let Some(hit) = words::money_label(&words::find(&whole)) {
        return (Some((hit, Place::RowHead)), false);
    }
    let whole_named = letters(&whole) > 3;
    if whole_named {
        return (None, true);
    }
    // Labels with amounts of their own belong to those.
    if let Some(above) = layout.vertical(mention.segment, false, REACH_ABOVE)
        && numbers::find(&above.text).iter().all(|a| a.decimals != 2)
        && let Some(hit) = words::money_label(&words::find(&above.text))
    {
        return (Some((hit, Place::Above)), false);
    }
    for (step, place) in [(-1_i64, Place::Above), (1, Place::Below)] {
        let at = mention.row as i64 + step;
        let Some(other) = usize::try_from(at).ok().and_then(|at| layout.rows.get(at)) else { continue };
        let near = (other.bounds.middle() - own.bounds.middle()).abs() < 1.7 * own.bounds.height();
        let free = usize::try_from(at).ok().and_then(|at| has_amount.get(at)).is_some_and(|has| !has);
        if other.page == row.page
            && near
            && free
            && other.bounds.left < own.bounds.left
            && let Some(hit) = words::money_label(&words::find(&other.text))
        {
            return (Some((hit, place)), false);
        }
    }
    (None, false)
}

fn push_text(into: &mut String, text: &str) {
    if !into.is_empty() {
        into.push(' ');
    }
    into.push_str(text);
}
