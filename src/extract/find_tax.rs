//! Tax, net and tip: what a chosen total lets add up.

use rust_decimal::Decimal;

use super::{
    layout::Layout,
    money::Mention,
    rank::{Features, Proposal},
    rates::{MAX_RATE, ROUNDING, RateRow},
    words::Label as L,
};
use crate::domain::field::{Evidence, FieldKey, FieldValue};

/// Proposals for tax, net and tip, given the most probable total, its probability and the rows of the tax table.
pub fn propose(
    layout: &Layout<'_>,
    mentions: &[Mention],
    rows: &[RateRow],
    total: Option<Decimal>,
    p_total: f32,
) -> Vec<Proposal> {
    let mut out = Vec::new();
    let mut seen: Vec<(FieldKey, Decimal)> = Vec::new();
    let mut push = |key, value: Decimal, p: f32, evidence: Vec<Evidence>, finder, reason: String| {
        let value = value.normalize();
        if seen.contains(&(key, value)) {
            return;
        }
        seen.push((key, value));
        let mut shown = value;
        shown.rescale(2.max(value.scale()));
        out.push(Proposal {
            key,
            value: FieldValue::Amount(shown),
            evidence,
            finder,
            reasons: vec![reason],
            features: Features(vec![("p", p), ("p_total", p_total)]),
        });
    };
    if let Some(total) = total {
        for row in rows {
            let Some(net) = row.net.filter(|net| net + row.tax == total) else { continue };
            let p = if row.rate.is_some() { 0.96 } else { 0.93 };
            push(FieldKey::Tax, row.tax, p, vec![row.evidence.clone()], "tax:table", "sum:net+tax".to_owned());
            push(FieldKey::Net, net, p, vec![row.net_evidence.clone()], "net:table", "sum:net+tax".to_owned());
        }
        // Several rates: together they make the total.
        let rated: Vec<&RateRow> = rows.iter().filter(|r| r.rate.is_some() && r.net.is_some()).collect();
        let (net, tax) =
            rated.iter().fold((Decimal::ZERO, Decimal::ZERO), |s, r| (s.0 + r.net.unwrap_or_default(), s.1 + r.tax));
        if rated.len() > 1 && (net + tax - total).abs() <= ROUNDING {
            let evidence: Vec<Evidence> = rated.iter().map(|r| r.evidence.clone()).collect();
            push(FieldKey::Tax, tax, 0.9, evidence.clone(), "tax:rates", "sum:rates".to_owned());
            push(FieldKey::Net, net, 0.88, evidence, "net:rates", "sum:rates".to_owned());
        }
    }
    if let Some((value, evidence)) = exempt(layout, mentions, total) {
        push(FieldKey::Tax, Decimal::ZERO, 0.9, vec![evidence.clone()], "tax:exempt", "net=total".to_owned());
        push(FieldKey::Net, value, 0.9, vec![evidence], "net:exempt", "net=total".to_owned());
    }
    for m in mentions.iter().filter(|m| m.amount.decimals == 2 && !m.amount.percent) {
        let value = m.amount.value;
        let evidence = vec![layout.evidence(m.segment, &m.amount.range)];
        let reason = m.label.map_or_else(String::new, |(h, _)| format!("label:{}", h.phrase));
        let below_total = total.is_none_or(|t| value < t);
        if m.is(&[L::Tax]) && below_total && value >= Decimal::ZERO {
            let adds_up =
                total.is_some_and(|t| mentions.iter().any(|o| o.amount.decimals == 2 && o.amount.value + value == t));
            let by_rate = total.is_some_and(|t| rates(mentions, m.row).iter().any(|r| fits_rate(value, t, *r)));
            let small = total.is_none_or(|t| value * Decimal::from(3) < t);
            let p = match (adds_up && !value.is_zero(), by_rate, small) {
                (true, true, _) => 0.97,
                (true, false, true) | (false, true, _) => 0.93,
                (true, false, false) => 0.5,
                (false, false, true) => 0.75,
                (false, false, false) => 0.2,
            };
            push(FieldKey::Tax, value, p, evidence, "tax:label", reason);
        } else if m.is(&[L::Subtotal, L::Net]) && below_total && value > Decimal::ZERO {
            let rest = total.map(|t| t - value);
            let adds_up = rest.is_some_and(|r| mentions.iter().any(|o| o.is(&[L::Tax]) && o.amount.value == r));
            push(FieldKey::Net, value, if adds_up { 0.9 } else { 0.5 }, evidence, "net:label", reason);
        } else if m.is(&[L::Tip]) && below_total && value > Decimal::ZERO {
            push(FieldKey::Tip, value, 0.75, evidence, "tip:label", reason);
        }
    }
    out
}

/// A fapiao whose 合计 (without tax) already is the 价税合计: no tax is due, its column shows asterisks.
fn exempt(layout: &Layout<'_>, mentions: &[Mention], total: Option<Decimal>) -> Option<(Decimal, Evidence)> {
    let total = total?;
    let packed = |row: usize| layout.rows.get(row).map_or(String::new(), |r| r.text.replace(' ', ""));
    if !(0..layout.rows.len()).any(|r| packed(r).contains("价税合计")) {
        return None;
    }
    let sum = mentions.iter().find(|m| {
        let text = packed(m.row);
        m.amount.value == total && m.amount.decimals == 2 && text.contains("合计") && !text.contains("价税")
    })?;
    let alone = mentions.iter().filter(|m| m.row == sum.row && m.amount.decimals == 2).count() == 1;
    alone.then(|| (total, layout.evidence(sum.segment, &sum.amount.range)))
}

/// Rates printed on `row` or anywhere when the row has none.
fn rates(mentions: &[Mention], row: usize) -> Vec<Decimal> {
    let of = |test: &dyn Fn(&Mention) -> bool| {
        mentions
            .iter()
            .filter(|m| m.amount.percent && m.amount.value > Decimal::ZERO && m.amount.value <= MAX_RATE && test(m))
            .map(|m| m.amount.value)
            .collect::<Vec<_>>()
    };
    let here = of(&|m| m.row == row);
    if here.is_empty() { of(&|_| true) } else { here }
}

/// Whether `tax` is what `rate` per cent contribute to `total`, contained in it.
fn fits_rate(tax: Decimal, total: Decimal, rate: Decimal) -> bool {
    let whole = Decimal::ONE_HUNDRED + rate;
    (total * rate).checked_div(whole).is_some_and(|expected| (expected - tax).abs() <= ROUNDING)
}
