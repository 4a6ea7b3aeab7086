//! Tax per rate: rows that hold a rate with what it applies to and what it comes to, proved by arithmetic.

use rust_decimal::Decimal;

use super::{layout::Layout, money::Mention, words::Label as L};
use crate::domain::{breakdown::TaxLine, field::Evidence};

/// Cents by which a printed tax may differ from rate times base: rounding per line.
pub const ROUNDING: Decimal = Decimal::from_parts(3, 0, 0, false, 2);
/// Rates above this are no tax on a receipt (Hungary has 27 %, India 28 %).
pub const MAX_RATE: Decimal = Decimal::from_parts(30, 0, 0, false, 0);
/// Amounts of one row that are combined.
const MAX_AMOUNTS: usize = 6;
/// Rates of one receipt; a table of taxes has up to five.
const MAX_LINES: usize = 12;
/// A rate without a per cent sign is believed this many rows below the head of a tax table.
const TABLE_ROWS: usize = 6;

/// Rates by law that are printed without a per cent sign in tables: Germany, Austria, Switzerland, France, Italy, China,
/// Malaysia, the United Kingdom, as of 2026 with those of the ten years before.
const LEGAL_RATES: &[(i64, u32)] = &[
    (1, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (13, 0),
    (16, 0),
    (19, 0),
    (20, 0),
    (22, 0),
    (21, 1),
    (25, 1),
    (26, 1),
    (37, 1),
    (38, 1),
    (55, 1),
    (77, 1),
    (80, 1),
    (81, 1),
];

/// A row of a tax table.
#[derive(Debug, Clone)]
pub struct RateRow {
    /// Per cent, when printed.
    pub rate: Option<Decimal>,
    /// Without tax; `None` when only the tax is printed.
    pub net: Option<Decimal>,
    /// The tax.
    pub tax: Decimal,
    /// Where the tax stands.
    pub evidence: Evidence,
    /// Where the net amount stands, or the row when it was computed.
    pub net_evidence: Evidence,
}

/// How a base and a tax belong together at a rate.
enum Base {
    Net,
    Gross,
}

/// Rows that hold an amount and its tax: by a printed rate, or because they add up to the total.
pub fn rows(layout: &Layout<'_>, mentions: &[Mention], total: Option<Decimal>) -> Vec<RateRow> {
    let mut out: Vec<RateRow> = Vec::new();
    let mut table_until = 0;
    for row in 0..layout.rows.len() {
        let own: Vec<&Mention> = mentions.iter().filter(|m| m.row == row).collect();
        if own.iter().all(|m| m.amount.decimals != 2)
            && super::words::find(&layout.rows[row].text).iter().any(|h| h.label == L::Tax)
        {
            table_until = row + TABLE_ROWS;
        }
        let amounts: Vec<&Mention> =
            own.iter().copied().filter(|m| m.amount.decimals == 2 && !m.amount.percent).take(MAX_AMOUNTS).collect();
        let found = rates_of(&own, row <= table_until && table_until > 0)
            .into_iter()
            .find_map(|rate| rated(layout, &amounts, rate, row))
            .or_else(|| unrated(layout, &own, &amounts, total))
            .or_else(|| tax_alone(layout, &own, mentions, total));
        let Some(found) = found else { continue };
        let repeated = out.iter().any(|o| o.rate == found.rate && o.net == found.net && o.tax == found.tax);
        if !repeated && out.len() < MAX_LINES {
            out.push(found);
        }
    }
    out
}

/// Rates a row prints: with a per cent sign, else as a number of a table of taxes.
fn rates_of(own: &[&Mention], in_table: bool) -> Vec<Decimal> {
    let plausible = |v: Decimal| v >= Decimal::ZERO && v <= MAX_RATE;
    let signed: Vec<Decimal> =
        own.iter().filter(|m| m.amount.percent && plausible(m.amount.value)).map(|m| m.amount.value).collect();
    if !signed.is_empty() {
        return signed;
    }
    let labelled = own.iter().any(|m| m.is(&[L::Tax]));
    if !in_table && !labelled {
        return Vec::new();
    }
    let by_law = |v: Decimal| LEGAL_RATES.iter().any(|(n, scale)| Decimal::new(*n, *scale) == v);
    own.iter().filter(|m| plausible(m.amount.value) && by_law(m.amount.value)).map(|m| m.amount.value).collect()
}

fn rated(layout: &Layout<'_>, amounts: &[&Mention], rate: Decimal, row: usize) -> Option<RateRow> {
    let mut best: Option<(Decimal, usize, usize, Base)> = None;
    for (i, base) in amounts.iter().enumerate() {
        for (j, tax) in amounts.iter().enumerate().filter(|(j, _)| *j != i) {
            let (b, t) = (base.amount.value, tax.amount.value);
            if t < Decimal::ZERO || t >= b || t == rate || b == rate || (t.is_zero() != rate.is_zero()) {
                continue;
            }
            let as_net = (b.checked_mul(rate)? / Decimal::ONE_HUNDRED - t).abs();
            let as_gross = (b.checked_mul(rate)? / (Decimal::ONE_HUNDRED + rate) - t).abs();
            // The third amount of the row settles which of the two the base is.
            let third =
                |wanted: Decimal| amounts.iter().enumerate().any(|(k, m)| k != i && k != j && m.amount.value == wanted);
            for (off, base, sure) in [(as_net, Base::Net, third(b + t)), (as_gross, Base::Gross, third(b - t))] {
                let off = if sure { off - Decimal::ONE } else { off };
                if off <= ROUNDING && best.as_ref().is_none_or(|(least, ..)| off < *least) {
                    best = Some((off, i, j, base));
                }
            }
        }
    }
    let (_, base, tax, kind) = best?;
    let (base, tax) = (amounts[base], amounts[tax]);
    let net = match kind {
        Base::Net => base.amount.value,
        Base::Gross => base.amount.value - tax.amount.value,
    };
    let printed = amounts.iter().find(|m| m.amount.value == net);
    let evidence = layout.evidence(tax.segment, &tax.amount.range);
    let net_evidence = match printed {
        Some(m) => layout.evidence(m.segment, &m.amount.range),
        None => layout.row_evidence(row).unwrap_or_else(|| evidence.clone()),
    };
    Some(RateRow { rate: Some(rate), net: Some(net), tax: tax.amount.value, evidence, net_evidence })
}

/// Without a rate only a clear case: both on one row, together the total, the tax below a third, no name beside them.
fn unrated(layout: &Layout<'_>, own: &[&Mention], amounts: &[&Mention], total: Option<Decimal>) -> Option<RateRow> {
    if own.iter().any(|m| m.amount.percent) {
        return None;
    }
    let total = total?;
    let pair = amounts.iter().flat_map(|net| amounts.iter().map(move |tax| (*net, *tax))).find(|(net, tax)| {
        let (n, t) = (net.amount.value, tax.amount.value);
        t > Decimal::ZERO && total == n + t && t * Decimal::from(3) < n && !net.named && !tax.named
    })?;
    let (net, tax) = pair;
    Some(RateRow {
        rate: None,
        net: Some(net.amount.value),
        tax: tax.amount.value,
        evidence: layout.evidence(tax.segment, &tax.amount.range),
        net_evidence: layout.evidence(net.segment, &net.amount.range),
    })
}

/// `MwSt 8,1 % 3.59`, `TAX 7.000 % 3.05`: a tax with its rate that fits the total, or another amount it is added to.
fn tax_alone(layout: &Layout<'_>, own: &[&Mention], all: &[Mention], total: Option<Decimal>) -> Option<RateRow> {
    let rate = own
        .iter()
        .find(|m| m.amount.percent && m.amount.value > Decimal::ZERO && m.amount.value <= MAX_RATE)?
        .amount
        .value;
    let mut taxes =
        own.iter().filter(|m| m.amount.decimals == 2 && !m.amount.percent && m.amount.value > Decimal::ZERO);
    let tax = taxes.next().filter(|t| taxes.next().is_none() && t.is(&[L::Tax]))?;
    let t = tax.amount.value;
    let evidence = layout.evidence(tax.segment, &tax.amount.range);
    let contained = |base: Decimal| {
        base.checked_mul(rate).is_some_and(|v| (v / (Decimal::ONE_HUNDRED + rate) - t).abs() <= ROUNDING)
    };
    let added =
        |base: Decimal| base.checked_mul(rate).is_some_and(|v| (v / Decimal::ONE_HUNDRED - t).abs() <= ROUNDING);
    let bases = [L::Subtotal, L::Net, L::Amount, L::Total];
    let (net, net_evidence) =
        if let Some(base) = all.iter().find(|m| m.is(&bases) && m.amount.value > t && added(m.amount.value)) {
            (Some(base.amount.value), layout.evidence(base.segment, &base.amount.range))
        } else if let Some(total) = total.filter(|total| contained(*total)) {
            (Some(total - t), evidence.clone())
        } else {
            (None, evidence.clone())
        };
    Some(RateRow { rate: Some(rate), net, tax: t, evidence, net_evidence })
}

/// One line per rate; rows of the same rate (articles of a fapiao) are added up.
pub fn lines(rows: &[RateRow], total: Option<Decimal>) -> Vec<TaxLine> {
    let mut out: Vec<TaxLine> = Vec::new();
    for row in rows {
        let Some(rate) = row.rate.map(|r| r.normalize()) else { continue };
        match out.iter_mut().find(|line| line.rate == rate) {
            // The same tax once more, with less said about it.
            Some(line) if row.net.is_none() || line.tax == Some(row.tax) => {}
            Some(line) => {
                line.net = line.net.zip(row.net).and_then(|(a, b)| a.checked_add(b));
                line.tax = line.tax.and_then(|t| t.checked_add(row.tax));
            }
            None => out.push(TaxLine {
                rate,
                net: row.net,
                tax: Some(row.tax),
                p: 0.0,
                evidence: Some(row.evidence.clone()),
                reasons: Vec::new(),
            }),
        }
    }
    let sum = out.iter().try_fold(Decimal::ZERO, |sum, l| sum.checked_add(l.net?)?.checked_add(l.tax?));
    let whole = sum.zip(total).is_some_and(|(sum, total)| (sum - total).abs() <= ROUNDING);
    for line in &mut out {
        line.reasons.push(if line.net.is_some() { "sum:rate" } else { "label:tax" }.to_owned());
        if whole {
            line.reasons.push("sum:rates".to_owned());
        }
        line.p = match (whole, line.net.is_some()) {
            (true, _) => 0.97,
            (false, true) => 0.85,
            (false, false) => 0.7,
        };
    }
    out
}
