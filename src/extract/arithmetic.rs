//! What adds up: subtotal + tax = total, cash − change = total, articles, rounding.

use rust_decimal::Decimal;

use super::{capitals, layout::Layout, money::Mention, rank::Features, words::Label as L};

/// Distinct labelled values of one kind that are combined.
const MAX_PARTS: usize = 12;
/// Taxes, services, discounts and roundings that are combined with a subtotal.
const MAX_STEPS: usize = 12;
/// Amounts called a total that are combined by two.
const MAX_TOTALS: usize = 24;
/// Amounts between a subtotal and what the column adds up to.
const MAX_STACK: usize = 3;
/// Articles summed; a longer slip is not checked.
const MAX_ITEMS: usize = 400;
/// Rounding lines move a total by at most this: five rappen, ten sen, and Swedish rounding.
const MAX_ROUNDING: Decimal = Decimal::from_parts(50, 0, 0, false, 2);

/// How far rounding to a whole unit moves a total at most.
const HALF: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// The sums a receipt supports.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// Values that equal cash − change.
    pub paid: Vec<Decimal>,
    /// Values from which a printed change was given: what was handed over.
    pub handed: Vec<Decimal>,
    /// Values that equal subtotal or net + tax (+ service − discount).
    pub built: Vec<Decimal>,
    /// Values that grow into another printed value by tax, service, discount or rounding.
    pub bases: Vec<Decimal>,
    /// Values reached by adding a printed rounding line to a labelled total.
    pub rounded: Vec<Decimal>,
    /// Values a printed rounding line starts from.
    pub unrounded: Vec<Decimal>,
    /// Sums of the articles read from the top.
    pub items: Vec<Decimal>,
    /// Values written out in Chinese capital numerals.
    pub capitals: Vec<Decimal>,
    /// Totals that two other totals add up to: one per tax rate, then the whole.
    pub wholes: Vec<Decimal>,
    /// Totals that are a part of such a whole.
    pub parts: Vec<Decimal>,
    /// Printed values that a total and a tip add up to: what was paid.
    pub tipped: Vec<Decimal>,
    /// Totals to which a tip was added.
    pub untipped: Vec<Decimal>,
    /// Amounts that a subtotal and the unlabelled amounts right below it add up to: 6.40, 0.45, 6.85.
    pub stacked: Vec<Decimal>,
}

fn values(mentions: &[Mention], labels: &[L]) -> Vec<Decimal> {
    let mut out: Vec<Decimal> = Vec::new();
    for m in mentions.iter().filter(|m| m.is(labels) && !m.amount.percent && m.amount.decimals > 0) {
        let value = m.amount.value.normalize();
        if !out.contains(&value) && out.len() < MAX_PARTS {
            out.push(value);
        }
    }
    out
}

impl Sums {
    /// Everything that adds up on this receipt.
    pub fn new(layout: &Layout<'_>, mentions: &[Mention]) -> Self {
        let mut sums = Self::default();
        let tendered = values(mentions, &[L::Tendered, L::Card, L::Total, L::GrandTotal]);
        for change in values(mentions, &[L::Change]) {
            for paid in &tendered {
                // No change proves nothing: the same amount stands there twice anyway.
                if !change.is_zero() && *paid > change.abs() {
                    sums.paid.push((*paid - change.abs()).normalize());
                }
            }
        }
        let printed: Vec<Decimal> = mentions
            .iter()
            .filter(|m| m.amount.decimals > 0 && !m.amount.percent)
            .map(|m| m.amount.value.normalize())
            .collect();
        for (change, paid) in values(mentions, &[L::Change]).iter().flat_map(|c| tendered.iter().map(move |p| (c, p))) {
            if !change.is_zero() && *paid > change.abs() && printed.contains(&(*paid - change.abs()).normalize()) {
                sums.handed.push(*paid);
            }
        }
        sums.build(mentions, &printed);
        sums.join_totals(mentions);
        sums.tip(mentions, &printed);
        sums.stack(mentions);
        let totals = values(mentions, &[L::Total, L::GrandTotal, L::Subtotal, L::Net]);
        for rounding in values(mentions, &[L::Rounding]).iter().filter(|r| !r.is_zero() && r.abs() <= MAX_ROUNDING) {
            for total in &totals {
                // The minus is often lost: believe the direction in which the other total is printed.
                for step in [*rounding, -*rounding] {
                    let after = (*total + step).normalize();
                    if mentions.iter().any(|m| m.amount.value.normalize() == after && m.row > 0) {
                        let on_coin = |v: Decimal| (v * Decimal::from(20)).fract().is_zero();
                        if on_coin(after) && !on_coin(*total) {
                            sums.rounded.push(after);
                            sums.unrounded.push(*total);
                        }
                    }
                }
            }
        }
        sums.items = running_items(mentions);
        sums.capitals = layout.rows.iter().filter_map(|r| capitals::parse(&r.text)).map(|v| v.normalize()).collect();
        sums
    }

    /// Subtotals and what is added to them, up to three steps, where the result is printed.
    fn build(&mut self, mentions: &[Mention], printed: &[Decimal]) {
        let steps: Vec<Decimal> = values(mentions, &[L::Tax, L::Service, L::Tip])
            .into_iter()
            .chain(values(mentions, &[L::Discount]).into_iter().map(|d| -d.abs()))
            .chain(
                values(mentions, &[L::Rounding]).into_iter().filter(|r| r.abs() <= MAX_ROUNDING).flat_map(|r| [r, -r]),
            )
            .filter(|step| !step.is_zero())
            .take(MAX_STEPS)
            .collect();
        let whole: Vec<Decimal> = mentions
            .iter()
            .filter(|m| m.is(&[L::Total, L::GrandTotal]) && m.amount.decimals == 0 && !m.amount.percent)
            .map(|m| m.amount.value)
            .take(MAX_TOTALS)
            .collect();
        for base in values(mentions, &[L::Subtotal, L::Net, L::Total, L::Amount]) {
            let mut reached = |sum: Decimal| {
                let sum = sum.normalize();
                // `911` under 760.00 + 114.00 + 36.55: rounded to a whole rupee.
                let rounded = || whole.iter().find(|w| (sum - **w).abs() <= HALF && **w != base);
                if sum != base && printed.contains(&sum) {
                    self.built.push(sum);
                    self.bases.push(base);
                } else if let Some(rounded) = rounded() {
                    self.built.push(rounded.normalize());
                    self.bases.push(base);
                }
            };
            let fits = |step: &Decimal| step.abs() < base.abs();
            for (at, one) in steps.iter().enumerate().filter(|(_, s)| fits(s)) {
                reached(base + *one);
                for (next, two) in steps.iter().enumerate().skip(at + 1).filter(|(_, s)| fits(s)) {
                    reached(base + *one + *two);
                    for three in steps.iter().skip(next + 1).filter(|s| fits(s)) {
                        reached(base + *one + *two + *three);
                    }
                }
            }
        }
    }

    /// `Total 40.00`, `Tip 6.00`, and 46.00 is printed as well: paid, or signed for.
    fn tip(&mut self, mentions: &[Mention], printed: &[Decimal]) {
        let tips = values(mentions, &[L::Tip]);
        for total in values(mentions, &[L::GrandTotal, L::Total, L::Subtotal, L::Amount]) {
            for tip in tips.iter().filter(|tip| **tip > Decimal::ZERO && **tip < total) {
                let whole = (total + *tip).normalize();
                if printed.contains(&whole) {
                    self.tipped.push(whole);
                    self.untipped.push(total);
                }
            }
        }
    }

    /// `Total 6 % supplies 53.00`, `Total 0 % supplies 21.50`, `Total payable 74.50`: the last is the whole. The whole
    /// stands below its parts, or two lines of a table of taxes would make one.
    fn join_totals(&mut self, mentions: &[Mention]) {
        let called = |labels: &'static [L]| {
            let own = mentions.iter().filter(move |m| m.is(labels) && m.amount.decimals > 0 && !m.amount.percent);
            own.map(|m| (m.row, m.amount.value.normalize())).take(MAX_TOTALS).collect::<Vec<_>>()
        };
        let parts = called(&[L::Total, L::GrandTotal, L::Subtotal]);
        for (row, whole) in called(&[L::Total, L::GrandTotal]) {
            let above = || parts.iter().filter(|(at, value)| *at < row && !value.is_zero() && *value != whole);
            for (i, (first_row, first)) in above().enumerate() {
                for (second_row, second) in above().skip(i + 1) {
                    if first_row != second_row && (*first + *second).normalize() == whole {
                        self.wholes.push(whole);
                        self.parts.extend([*first, *second]);
                    }
                }
            }
        }
    }

    /// A column of amounts whose labels were not read, or stand too far away to be sure of: the last is what those before it
    /// add up to, from a subtotal down. Every step is smaller than where the column starts, so that articles of
    /// the same price do not make one.
    fn stack(&mut self, mentions: &[Mention]) {
        let column: Vec<&Mention> = mentions
            .iter()
            .enumerate()
            .filter(|(i, m)| mentions.get(i + 1).is_none_or(|next| next.row != m.row))
            .map(|(_, m)| m)
            .filter(|m| m.amount.decimals == 2 && !m.amount.percent && !m.amount.factor && !m.named)
            .take(MAX_ITEMS)
            .collect();
        for (at, base) in column.iter().enumerate() {
            if !(base.label.is_none() || base.is(&[L::Subtotal, L::Net, L::Total, L::Amount])) {
                continue;
            }
            let mut sum = base.amount.value;
            for pair in column[at + 1..].windows(2).take(MAX_STACK) {
                let (step, next) = (pair[0], pair[1]);
                // What has a label is `build`'s, which knows what it means.
                let is_step =
                    step.label.is_none() && step.amount.value > Decimal::ZERO && step.amount.value < base.amount.value;
                let Some(longer) = sum.checked_add(step.amount.value).filter(|_| is_step) else { break };
                sum = longer;
                if next.amount.value == sum && !next.is(&[L::Tendered, L::Change]) {
                    self.stacked.push(sum.normalize());
                }
            }
        }
    }

    /// Sets the features of `value` and says why in words.
    pub fn explain(&self, value: Decimal, features: &mut Features, reasons: &mut Vec<String>) {
        let mut note = |name: &'static str, reason: &str, list: &[Decimal]| {
            if list.contains(&value) {
                features.flag(name, true);
                if !reason.is_empty() {
                    reasons.push(reason.to_owned());
                }
            }
        };
        note("sum_paid", "sum:cash-change", &self.paid);
        note("sum_handed", "", &self.handed);
        note("sum_built", "sum:subtotal+tax", &self.built);
        note("sum_base", "", &self.bases);
        note("sum_rounded", "sum:rounding", &self.rounded);
        note("sum_unrounded", "", &self.unrounded);
        note("sum_items", "sum:items", &self.items);
        note("capitals", "capitals", &self.capitals);
        note("sum_whole", "sum:totals", &self.wholes);
        note("sum_part", "", &self.parts);
        note("sum_tipped", "sum:total+tip", &self.tipped);
        note("sum_untipped", "", &self.untipped);
        note("sum_stacked", "sum:subtotal+tax", &self.stacked);
    }
}

/// Sums of the articles from the top down to each label: articles are amounts with a name, one per row, the rightmost.
fn running_items(mentions: &[Mention]) -> Vec<Decimal> {
    let mut sums: Vec<Decimal> = Vec::new();
    let mut total = Decimal::ZERO;
    let mut count = 0_usize;
    for (i, m) in mentions.iter().enumerate().take(MAX_ITEMS) {
        let rightmost = mentions.get(i + 1).is_none_or(|next| next.row != m.row || next.amount.decimals != 2);
        if m.amount.decimals != 2 || m.amount.factor || m.amount.percent || !rightmost {
            continue;
        }
        if m.label.is_some() && !m.is(&[L::Discount, L::Service]) {
            continue;
        }
        let step = if m.is(&[L::Discount]) { -m.amount.value.abs() } else { m.amount.value };
        let Some(next) = total.checked_add(step) else { break };
        total = next;
        count += 1;
        if count >= 2 {
            sums.push(total.normalize());
        }
    }
    sums
}
