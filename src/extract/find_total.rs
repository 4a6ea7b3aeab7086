//! The total among everything that looks like money.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    arithmetic::Sums,
    layout::Layout,
    money::{Mention, Place},
    rank::{Features, Proposal},
    region::Region,
    words::{self, Label as L},
};
use crate::domain::field::{FieldKey, FieldValue};

/// Proposals kept; the ranker never needs the hundredth amount of a slip.
const MAX_PROPOSALS: usize = 120;

/// Rows looked at for words alone; a metre of slip has about 300.
const MAX_ROWS: usize = 400;
/// Rounding to five cents moves an amount by at most this.
const COIN: Decimal = Decimal::from_parts(4, 0, 0, false, 2);
/// Currencies whose smallest coin is worth five hundredths, so that cash is rounded to it.
const ROUNDED: &[&str] = &["MYR", "CHF", "SGD", "AUD", "NZD", "CAD", "BND", "ILS"];
/// A distance driven: `6.31KM`, `里程 4.20 公里`.
const DISTANCES: &[&str] = &["km", "公里", "miles"];
/// What is counted in Chinese: `共1笔行程`.
const COUNTED: &[&str] = &["笔", "单", "次", "张", "件", "份", "位", "人", "桌", "项"];
/// Units that are no money, as they stand right after a number.
const UNITS: &[&str] = &["km", "kg", "ml", "ltr", "pcs", "pc", "oz", "lb", "公里", "小时", "分钟", "day", "std", "min"];

/// Feature per label; the order is the order of the weights table.
const LABELS: &[(L, &str)] = &[
    (L::GrandTotal, "label_grand_total"),
    (L::Total, "label_total"),
    (L::Amount, "label_amount"),
    (L::Subtotal, "label_subtotal"),
    (L::Net, "label_net"),
    (L::Tax, "label_tax"),
    (L::Service, "label_service"),
    (L::Tip, "label_tip"),
    (L::Discount, "label_discount"),
    (L::Rounding, "label_rounding"),
    (L::Tendered, "label_tendered"),
    (L::Change, "label_change"),
    (L::Card, "label_card"),
    (L::Count, "label_count"),
    (L::UnitPrice, "label_unit_price"),
    (L::Aside, "label_aside"),
];

/// Every distinct amount that may be the total.
pub fn propose(layout: &Layout<'_>, mentions: &[Mention], sums: &Sums, region: &Region) -> Vec<Proposal> {
    let mut groups: BTreeMap<Decimal, Vec<&Mention>> = BTreeMap::new();
    for mention in mentions.iter().filter(|m| is_possible(m)) {
        groups.entry(mention.amount.value.normalize()).or_default().push(mention);
    }
    let page = Page::new(layout, mentions, region);
    let mut largest: Vec<Decimal> = groups
        .iter()
        .filter(|(_, g)| g.iter().any(|m| !m.amount.factor && !m.is(&[L::Tendered, L::Change, L::Count, L::Aside])))
        .map(|(v, _)| *v)
        .collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let alone = groups.len() == 1;
    groups
        .iter()
        // From the largest: what is cut are cents on endless slips.
        .rev()
        .take(MAX_PROPOSALS)
        .map(|(value, group)| {
            let mut features = group_features(layout, group, &page);
            let rank = largest.iter().position(|v| v == value);
            features.flag("largest", rank == Some(0));
            features.flag("second", rank == Some(1));
            features.flag("third", rank == Some(2));
            features.flag("alone", alone);
            let mut reasons: Vec<String> = Vec::new();
            sums.explain(*value, &mut features, &mut reasons);
            twins(*value, group, &groups, page.rounds, &mut features);
            page.against_totals(*value, group, sums, &mut features);
            proposal(layout, *value, group, features, reasons)
        })
        .collect()
}

/// What other printed amounts nearly the same say: rounded to a coin, or one of the two misread.
fn twins(
    value: Decimal,
    group: &[&Mention],
    groups: &BTreeMap<Decimal, Vec<&Mention>>,
    rounds: bool,
    f: &mut Features,
) {
    let on_coin = |v: Decimal| (v * Decimal::from(20)).fract().is_zero();
    let coin = on_coin(value);
    f.flag("off_coin", !coin);
    let legible = |group: &[&Mention]| group.iter().map(|m| m.legibility).fold(0.0, f32::max);
    for (other, others) in groups.iter().filter(|(other, _)| **other != value) {
        if rounds && (*other - value).abs() <= COIN && on_coin(*other) != coin {
            f.flag(if coin { "coin_of_twin" } else { "twin_on_coin" }, true);
        } else if others.iter().any(|m| m.amount.decimals == 2) && is_one_digit_off(value, *other) {
            f.flag("misread_twin", true);
            f.set("twin_more", (others.len() as f32 - group.len() as f32).clamp(-2.0, 2.0));
            f.set("twin_clearer", legible(others) - legible(group));
        }
    }
}

/// Whether two amounts differ in one digit only.
fn is_one_digit_off(a: Decimal, b: Decimal) -> bool {
    let shown = |v: Decimal| format!("{v:.2}");
    let (a, b) = (shown(a), shown(b));
    a.len() == b.len() && a.len() >= 4 && a.bytes().zip(b.bytes()).filter(|(x, y)| x != y).count() == 1
}

fn is_possible(mention: &Mention) -> bool {
    let amount = &mention.amount;
    let labelled = mention.is(&[L::GrandTotal, L::Total, L::Amount, L::Tendered, L::Card, L::Subtotal]);
    let written = amount.decimals == 2
        || (amount.decimals == 0 && (amount.money || labelled))
        || (amount.decimals == 1 && (amount.money || labelled));
    // A total is positive and below ten million: beyond that it is a number of something.
    // Only what calls itself a total may be negative: a refund.
    let signed = amount.value > Decimal::ZERO || (mention.is(&[L::GrandTotal, L::Total]) && !amount.value.is_zero());
    written && !amount.percent && signed && amount.value < Decimal::from(1_000_000_000)
}

fn proposal(
    layout: &Layout<'_>,
    value: Decimal,
    group: &[&Mention],
    features: Features,
    mut reasons: Vec<String>,
) -> Proposal {
    let good = |m: &&&Mention| match m.label {
        Some((hit, place)) => {
            let class = match hit.label {
                L::GrandTotal => 0,
                L::Total => 1,
                L::Amount | L::Subtotal | L::Net | L::Card => 2,
                _ => 3,
            };
            (class, place as u8)
        }
        None => (4, 0),
    };
    let mut ordered: Vec<&&Mention> = group.iter().collect();
    ordered.sort_by_key(|m| good(m));
    let best = ordered.first();
    let finder = match best.and_then(|m| m.label) {
        Some((hit, Place::SameRow | Place::RowHead)) if matches!(hit.label, L::GrandTotal | L::Total) => {
            "total:label_same_row"
        }
        Some((hit, Place::Above)) if matches!(hit.label, L::GrandTotal | L::Total) => "total:label_above",
        Some((hit, Place::Below)) if matches!(hit.label, L::GrandTotal | L::Total) => "total:label_below",
        Some(_) => "total:other_label",
        None => "total:unlabelled",
    };
    if let Some((hit, _)) = best.and_then(|m| m.label) {
        reasons.insert(0, format!("label:{}", hit.phrase));
    }
    if group.len() > 1 {
        reasons.push(format!("printed:{}", group.len()));
    }
    let evidence = ordered.iter().take(4).map(|m| layout.evidence(m.segment, &m.amount.range)).collect();
    let scale = group.iter().map(|m| m.amount.decimals).max().unwrap_or(2);
    let mut shown = value;
    shown.rescale(scale);
    Proposal { key: FieldKey::Total, value: FieldValue::Amount(shown), evidence, finder, reasons, features }
}

/// What the whole receipt says about where a total stands.
struct Page {
    /// First row labelled as money handed over or back.
    first_tender: Option<usize>,
    /// Last row labelled subtotal, tax or service.
    last_part: Option<usize>,
    first_total: Option<usize>,
    last_total: Option<usize>,
    has_grand: bool,
    /// Most money on it has cents.
    decimals_usual: bool,
    /// Rows that name another currency than the paper's.
    foreign_rows: Vec<usize>,
    /// Rows labelled as rounding.
    rounding_rows: Vec<usize>,
    /// Rows that pay with a card or wallet.
    card_rows: Vec<usize>,
    /// What was paid by card, as a terminal's lines say it.
    card_paid: Vec<Decimal>,
    /// Distinct amounts that are called a total.
    totals: Vec<Decimal>,
    /// Rows of a table of taxes: a rate and at least two amounts.
    rate_rows: Vec<usize>,
    /// Rows that name a rate: `Total 6% supplies 12.00` is the total of a rate.
    percent_rows: Vec<usize>,
    /// Those of them whose amount is called a total.
    rated_total_rows: Vec<usize>,
    /// Last row of a total without a rate.
    last_plain_total: Option<usize>,
    /// Rows that give a distance: the amount on the row before is the price of one kilometre.
    distance_rows: Vec<usize>,
    /// What the articles above the first total add up to, when there are at least two.
    articles: Option<Decimal>,
    /// Cash is rounded to five hundredths in the paper's currency, or the currency is not known.
    rounds: bool,
}

impl Page {
    fn new(layout: &Layout<'_>, mentions: &[Mention], region: &Region) -> Self {
        let with_decimals = mentions.iter().filter(|m| m.amount.decimals == 2).count();
        let rows = |labels: &'static [L]| mentions.iter().filter(move |m| m.is(labels)).map(|m| m.row);
        let spoken = spoken(layout);
        let percent_rows: Vec<usize> = mentions.iter().filter(|m| m.amount.percent).map(|m| m.row).collect();
        let spoken_of = |label: L| spoken.iter().filter(move |(_, own)| *own == label).map(|(row, _)| *row);
        Self {
            first_tender: rows(&[L::Tendered, L::Change, L::Card]).min(),
            last_part: rows(&[L::Subtotal, L::Tax, L::Service, L::Rounding]).max(),
            first_total: rows(&[L::GrandTotal, L::Total]).min(),
            last_total: rows(&[L::GrandTotal, L::Total]).max(),
            has_grand: rows(&[L::GrandTotal]).next().is_some(),
            decimals_usual: with_decimals >= 3,
            foreign_rows: region.foreign_rows(layout),
            rounding_rows: spoken_of(L::Rounding).collect(),
            card_rows: rows(&[L::Card]).collect(),
            card_paid: card_paid(&spoken_of(L::Card).collect::<Vec<_>>(), mentions),
            totals: distinct_totals(mentions),
            rate_rows: rate_rows(mentions),
            rated_total_rows: rows(&[L::GrandTotal, L::Total]).filter(|row| percent_rows.contains(row)).collect(),
            last_plain_total: rows(&[L::GrandTotal, L::Total]).filter(|row| !percent_rows.contains(row)).max(),
            percent_rows,
            distance_rows: distance_rows(layout, mentions),
            articles: articles(mentions, rows(&[L::GrandTotal, L::Total, L::Subtotal]).min()),
            rounds: region.currency().is_none_or(|code| ROUNDED.contains(&code.as_str())),
        }
    }
}

/// Articles that are added up; a longer slip is not checked.
const MAX_ARTICLES: usize = 300;
/// A total over the articles by more than this factor lacks a decimal point or has a digit too many: tax, service and tip
/// come to a third at most.
const OVER_ARTICLES: Decimal = Decimal::from_parts(14, 0, 0, false, 1);

/// The sum of the rightmost amount of every row above `end` that names an article, when there are at least two.
fn articles(mentions: &[Mention], end: Option<usize>) -> Option<Decimal> {
    let end = end?;
    let is_last = |i: usize, m: &Mention| mentions.get(i + 1).is_none_or(|next| next.row != m.row);
    let mut own = mentions
        .iter()
        .enumerate()
        .take_while(|(_, m)| m.row < end)
        .filter(|(i, m)| is_last(*i, m) && m.named && m.label.is_none() && !m.amount.percent && !m.amount.factor)
        .map(|(_, m)| m.amount.value)
        .filter(|v| *v > Decimal::ZERO)
        .take(MAX_ARTICLES);
    let first = own.next()?;
    let second = own.next()?;
    own.try_fold(first.checked_add(second)?, Decimal::checked_add)
}

/// Rows with a percentage and at least two amounts, `20.00% 150.00 30.00 180.00`.
fn rate_rows(mentions: &[Mention]) -> Vec<usize> {
    let on = |row: usize| mentions.iter().filter(move |m| m.row == row);
    let rated = mentions.iter().filter(|m| m.amount.percent).map(|m| m.row);
    rated.filter(|row| on(*row).filter(|m| !m.amount.percent && m.amount.decimals == 2).count() >= 2).collect()
}

/// Whether one of `units` stands right after the amount.
fn is_followed_by(layout: &Layout<'_>, mention: &Mention, units: &[&str]) -> bool {
    let text = &layout.segments[mention.segment].text;
    let text = text.get(mention.amount.range.end..).unwrap_or("").trim_start().to_lowercase();
    units.iter().any(|unit| text.strip_prefix(unit).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)))
}

/// Whether it is the whole number of something in Chinese, which needs no space after its counter.
fn is_counted(layout: &Layout<'_>, mention: &Mention) -> bool {
    let after = layout.segments[mention.segment].text.get(mention.amount.range.end..).unwrap_or("").trim_start();
    mention.amount.decimals == 0 && COUNTED.iter().any(|counter| after.starts_with(counter))
}

/// Labels and the rows they stand on, whether or not an amount was read there: that of a rounding is small and often
/// misread, a heading has none.
fn spoken(layout: &Layout<'_>) -> Vec<(usize, L)> {
    let rows = layout.rows.iter().enumerate().take(MAX_ROWS);
    rows.flat_map(|(at, row)| words::find(&row.text).into_iter().map(move |hit| (at, hit.label))).collect()
}

/// Rows after one that speaks of a card within which a terminal says its amount.
const CARD_ROWS: usize = 2;

/// What the lines of a terminal say was paid: `Kreditkartenzahlung`, `Betrag 12.80`.
fn card_paid(card_rows: &[usize], mentions: &[Mention]) -> Vec<Decimal> {
    let by_card = |m: &&Mention| card_rows.iter().any(|row| (*row..=row + CARD_ROWS).contains(&m.row));
    let amounts = mentions.iter().filter(|m| m.is(&[L::Amount, L::Card]) && !m.amount.percent && !m.amount.factor);
    amounts.filter(by_card).map(|m| m.amount.value).filter(|value| *value > Decimal::ZERO).take(MAX_PROPOSALS).collect()
}

fn distance_rows(layout: &Layout<'_>, mentions: &[Mention]) -> Vec<usize> {
    mentions.iter().filter(|m| is_followed_by(layout, m, DISTANCES)).map(|m| m.row).collect()
}

fn distinct_totals(mentions: &[Mention]) -> Vec<Decimal> {
    let called = mentions.iter().filter(|m| m.is(&[L::GrandTotal, L::Total]) && m.amount.decimals > 0);
    let mut totals: Vec<Decimal> = called.map(|m| m.amount.value.normalize()).collect();
    totals.sort_unstable();
    totals.dedup();
    totals
}

impl Page {
    /// Whether a total without a rate stands below one with a rate.
    fn is_below_of_rate(&self, row: usize) -> bool {
        let is_plain = !self.percent_rows.contains(&row);
        is_plain && self.rated_total_rows.iter().any(|rated| *rated < row)
    }

    /// How an amount stands to the ones that are called a total, above all to one that adds up.
    fn against_totals(&self, value: Decimal, group: &[&Mention], sums: &Sums, f: &mut Features) {
        let adds_up = |v: &Decimal| {
            sums.built.contains(v) || sums.paid.contains(v) || sums.rounded.contains(v) || sums.wholes.contains(v)
        };
        let called = group.iter().any(|m| m.is(&[L::GrandTotal, L::Total]));
        let others = || self.totals.iter().filter(|t| **t != value);
        f.flag("no_total_at_all", self.totals.is_empty());
        f.flag("beside_totals", !called && !self.totals.is_empty());
        f.flag("over_all_totals", !called && !self.totals.is_empty() && self.totals.iter().all(|t| value > *t));
        f.flag("under_all_totals", !called && !self.totals.is_empty() && self.totals.iter().all(|t| value < *t));
        f.flag("largest_total", called && others().all(|t| *t < value));
        f.flag("only_total", called && others().next().is_none());
        f.flag("rival_adds_up", !adds_up(&value) && others().any(adds_up));
        f.flag("called_and_adds_up", called && adds_up(&value));
        let paid = group.iter().any(|m| m.is(&[L::Tendered]));
        let over = |sum: Decimal| sum.checked_mul(OVER_ARTICLES).is_some_and(|most| value > most);
        let total_rows = || group.iter().filter(|m| m.is(&[L::GrandTotal, L::Total])).map(|m| m.row);
        let is_of_rate =
            |row: usize| self.percent_rows.contains(&row) && self.last_plain_total.is_some_and(|plain| plain > row);
        f.flag("of_rate", called && total_rows().all(is_of_rate));
        f.flag("below_of_rate", called && total_rows().any(|row| self.is_below_of_rate(row)));
        f.flag("over_articles", !adds_up(&value) && self.articles.is_some_and(over));
        let by_card = self.card_paid.contains(&value);
        f.flag("card_paid", by_card);
        f.flag("rival_card_paid", !by_card && !self.card_paid.is_empty());
        f.flag("only_tendered", paid && !called && !adds_up(&value) && !self.totals.is_empty());
    }
}

fn group_features(layout: &Layout<'_>, group: &[&Mention], page: &Page) -> Features {
    let mut f = Features::default();
    for (label, name) in LABELS {
        let placed = group.iter().filter_map(|m| m.label).filter(|(hit, _)| hit.label == *label);
        // A label on another row counts half.
        let weight = placed
            .map(|(_, place)| match place {
                Place::SameRow => 1.0,
                Place::RowHead | Place::Above => 0.6,
                Place::Below => 0.4,
            })
            .fold(0.0_f32, f32::max);
        f.set(name, weight);
    }
    let any = |test: &dyn Fn(&Mention) -> bool| group.iter().any(|m| test(m));
    let all = |test: &dyn Fn(&Mention) -> bool| group.iter().all(|m| test(m));
    f.flag("label_fuzzy", any(&|m| m.label.is_some_and(|(h, _)| h.fuzzy)));
    f.flag("article", any(&|m| m.named));
    f.flag("bare", all(&|m| m.label.is_none() && !m.named));
    f.flag("twice", group.len() >= 2);
    f.flag("thrice", group.len() >= 3);
    f.flag("money_sign", any(&|m| m.amount.money));
    f.flag("whole", all(&|m| m.amount.decimals == 0));
    f.flag("whole_unusual", page.decimals_usual && all(&|m| m.amount.decimals != 2));
    f.flag("rate_row", all(&|m| page.rate_rows.contains(&m.row)));
    f.flag("before_distance", all(&|m| page.distance_rows.contains(&(m.row + 1))));
    f.flag("foreign", all(&|m| page.foreign_rows.contains(&m.row)));
    f.flag("negative", any(&|m| m.amount.value < Decimal::ZERO));
    f.flag("one_decimal", all(&|m| m.amount.decimals == 1));
    f.flag("factor", any(&|m| m.amount.factor));
    f.flag("repaired", all(&|m| m.amount.repaired));
    f.flag("after_rounding", any(&|m| page.rounding_rows.iter().any(|r| m.row > *r && m.row - r <= 2)));
    f.flag("before_rounding", any(&|m| page.rounding_rows.iter().any(|r| m.row < *r && r - m.row <= 2)));
    f.flag("near_card", any(&|m| page.card_rows.iter().any(|r| m.row.abs_diff(*r) <= 2)));
    f.set("times", (group.len() as f32).min(5.0));
    let follows_unit = |m: &Mention| is_followed_by(layout, m, UNITS) || is_counted(layout, m);
    f.flag("unit", all(&follows_unit));
    let alone = |m: &Mention| layout.rows[m.row].segments.len() == 1 && layout.segments[m.segment].spans.len() <= 2;
    f.flag("alone_on_row", any(&alone));
    if let Some(frame) = layout.frame {
        let width = (frame.right - frame.left).max(1.0);
        let right = group.iter().map(|m| layout.segments[m.segment].bounds.right).fold(0.0, f32::max);
        f.set("right_edge", ((right - frame.left) / width).clamp(0.0, 1.0));
    }
    let fuzzy = |labels: &'static [L]| any(&|m| m.is(labels) && m.label.is_some_and(|(h, _)| !h.fuzzy));
    f.flag("sure_total", fuzzy(&[L::GrandTotal, L::Total]));
    let rows_of_total: Vec<usize> =
        group.iter().filter(|m| m.is(&[L::GrandTotal, L::Total, L::Amount])).map(|m| m.row).collect();
    // Two columns of amounts on a row called total: the last is the one to pay.
    f.flag(
        "row_end",
        rows_of_total
            .iter()
            .any(|r| layout.rows[*r].segments.last() == group.iter().find(|m| m.row == *r).map(|m| &m.segment)),
    );
    let total_rows: Vec<usize> = group.iter().filter(|m| m.is(&[L::GrandTotal, L::Total])).map(|m| m.row).collect();
    let on = |row: Option<usize>| row.is_some_and(|r| total_rows.contains(&r));
    f.flag("first_total", on(page.first_total));
    f.flag("last_total", on(page.last_total));
    f.flag("total_beside_grand", page.has_grand && !any(&|m| m.is(&[L::GrandTotal])) && any(&|m| m.is(&[L::Total])));
    f.flag("before_tender", page.first_tender.is_some_and(|t| any(&|m| m.row < t && t - m.row <= 4)));
    f.flag("just_before_tender", page.first_tender.is_some_and(|t| any(&|m| m.row < t && t - m.row <= 1)));
    f.flag("after_tender", page.first_tender.is_some_and(|t| all(&|m| m.row > t)));
    f.flag("after_parts", page.last_part.is_some_and(|p| any(&|m| m.row > p && m.row - p <= 4)));
    let height = group.iter().map(|m| layout.segments[m.segment].bounds.height()).fold(0.0, f32::max);
    f.set("tall", (height / layout.median_height.max(1.0) - 1.0).clamp(-0.5, 2.0));
    let depth = group.iter().map(|m| layout.depth(m.row)).fold(0.0, f32::max);
    f.set("depth", depth);
    f.flag("top", depth < 0.25);
    let legible = group.iter().map(|m| m.legibility).fold(0.0, f32::max);
    f.set("illegible", 1.0 - legible);
    f
}
