//! What speaks for and against a total, amount by amount, on slips drawn up for the tests.

use std::collections::BTreeMap;

use super::{
    arithmetic::Sums,
    find_total,
    layout::Layout,
    money,
    rank::Features,
    region::Region,
    tests::{context, page, read},
};
use crate::domain::field::FieldKey;

/// Features of every amount that may be the total.
fn features(rows: &[&str]) -> BTreeMap<String, Features> {
    let pages = [page(rows, 0.0)];
    let layout = Layout::new(&pages);
    let mentions = money::collect(&layout);
    let region = Region::new(&layout, &context());
    let proposals = find_total::propose(&layout, &mentions, &Sums::new(&layout, &mentions), &region);
    proposals.into_iter().map(|p| (p.value.to_string(), p.features)).collect()
}

fn with(rows: &[&str], feature: &str) -> Vec<String> {
    features(rows).into_iter().filter(|(_, f)| f.get(feature) > 0.0).map(|(value, _)| value).collect()
}

#[test]
fn a_column_without_labels_adds_up_to_its_last_amount() {
    assert_eq!(with(&["LATTE  3.90", "MUFFIN  2.50", "6.40", "0.45", "6.85"], "sum_stacked"), ["6.85"]);
    let three = ["SOUP  8.00", "TEA  2.50", "Subtotal  10.50", "          0.84", "          1.05", "          12.39"];
    assert_eq!(with(&three, "sum_stacked"), ["12.39"]);
    // One tax rate's part of a receipt is labelled, and is not the whole.
    let rates = ["Total 6% supplies  20.50", "GST  1.23", "21.73", "Total 0% supplies  31.00", "Payable  52.73"];
    assert!(with(&rates, "sum_stacked").is_empty());
    // Articles of one price are no column, nor is what was handed over and given back.
    let articles = ["TEA  2.50", "TEA  2.50", "TOTAL  5.00", "CASH  10.00", "CHANGE  5.00"];
    assert!(with(&articles, "sum_stacked").is_empty());
}

#[test]
fn cash_is_rounded_to_a_coin_only_where_there_is_no_smaller_one() {
    let slip = |sign: &str| {
        let rows = ["Latte  3.14".to_owned(), format!("Total {sign}  7.38"), "Paid  7.40".to_owned()];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        with(&rows, "coin_of_twin")
    };
    assert_eq!(slip("CHF"), ["7.40"]);
    assert_eq!(slip("RM"), ["7.40"]);
    assert!(slip("US$").is_empty());
    assert!(slip("€").is_empty());
}

#[test]
fn the_price_of_a_kilometre_is_told_by_the_distance_below_it() {
    let ride = ["深圳市出租汽车专用发票", "2.70元", "6.31KM", "00:02:10", "21.40元"];
    assert_eq!(with(&ride, "before_distance"), ["2.70"]);
    // A distance is none of the amounts to choose from, whatever it ends in.
    assert!(features(&ride).get("6.31").is_none_or(|f| f.get("unit") > 0.0));
}

#[test]
fn a_number_of_rides_is_no_money() {
    for row in ["共1笔行程，合计38.00元", "共 1 笔行程， 合计 38.00 元"] {
        let sheet = ["行程单", row];
        assert_eq!(read(&sheet).fields.get(&FieldKey::Total).map(|f| f.value.to_string()).as_deref(), Some("38.00"));
        assert!(features(&sheet).get("1").is_none_or(|f| f.get("unit") > 0.0), "{row}");
    }
}

#[test]
fn a_total_with_its_tip_is_told_from_the_one_before() {
    let slip = ["SOUP  8.00", "STEW  14.50", "Total  22.50", "Tip  3.50", "Cash  26.00"];
    assert_eq!(with(&slip, "sum_tipped"), ["26.00"]);
    assert_eq!(with(&slip, "sum_untipped"), ["22.50"]);
    assert!(with(&["Total  22.50", "Tip  3.50", "Cash  30.00"], "sum_tipped").is_empty(), "26.00 is not printed");
}

#[test]
fn a_total_far_over_its_articles_lost_its_decimal_point() {
    let slip = |total: &str| ["Massage  1650", "Oil  140", "Towels  310", total].map(str::to_owned);
    let over = |total: &str| {
        let rows = slip(total);
        with(&rows.iter().map(String::as_str).collect::<Vec<_>>(), "over_articles")
    };
    assert_eq!(over("Grand Total  23520"), ["23520"]);
    assert!(over("Grand Total  2352").is_empty());
}

#[test]
fn a_rounding_line_counts_although_its_amount_was_not_read() {
    let slip = ["TEA  6.13", "Total with tax  6.13", "Rounding  O.O2", "lotal rounded  6.15", "CASH  10.00"];
    assert!(with(&slip, "after_rounding").contains(&"6.15".to_owned()));
}

#[test]
fn a_total_rounded_to_a_whole_unit_adds_up() {
    let slip = ["THALI  760.00", "Sub Total  760.00", "S.Charge 15%  114.00", "GST 5%  36.55", "Grand Total  911"];
    assert!(with(&slip, "sum_built").contains(&"911".to_owned()), "{:?}", with(&slip, "sum_built"));
}

#[test]
fn what_was_paid_by_card_is_told_from_another_total() {
    let ticket = ["Fahrschein  52.00  52.00  52.70", "Summe  52.00  52.70", "Kreditkartenzahlung", "Betrag 52.00"];
    assert_eq!(with(&ticket, "card_paid"), ["52.00"]);
    assert_eq!(with(&ticket, "rival_card_paid"), ["52.70"]);
    // Further down it is of something else.
    let apart = ["Summe  52.00", "Kartenzahlung", "Danke", "Bis bald", "Betrag 9.00"];
    assert!(with(&apart, "card_paid").is_empty(), "{:?}", with(&apart, "card_paid"));
}

#[test]
fn the_total_of_a_rate_is_told_from_the_total_below_it() {
    let slip =
        ["Oat Milk  12.50", "Total 0% supplies  -9.20", "Total 6% supplies (Inc. GST)  21.73", "Total Payable  12.53"];
    assert_eq!(with(&slip, "of_rate"), ["-9.20", "21.73"]);
    assert_eq!(with(&slip, "below_of_rate"), ["12.53"]);
    // The only total may name the rate that is in it.
    let one = ["Oat Milk  12.50", "Total incl. 6% GST  12.50", "Cash  20.00"];
    assert!(with(&one, "of_rate").is_empty());
}
