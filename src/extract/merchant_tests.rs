//! Which names a paper offers, on heads drawn up for the tests.

use super::{find_merchant, layout::Layout, rank::Proposal, tests::page};
use crate::domain::field::FieldKey;

fn proposals(rows: &[&str]) -> Vec<Proposal> {
    let pages = [page(rows, 0.0)];
    let all = find_merchant::propose(&Layout::new(&pages), jiff::civil::date(2026, 11, 30), &[]);
    all.into_iter().filter(|p| p.key == FieldKey::Merchant).collect()
}

fn names(rows: &[&str]) -> Vec<String> {
    proposals(rows).into_iter().map(|p| p.value.to_string()).collect()
}

fn has(rows: &[&str], name: &str) -> bool {
    names(rows).iter().any(|n| n == name)
}

#[test]
fn a_code_or_a_misread_title_is_no_part_of_a_name() {
    let survey = ["Thank you! ID #:7K2MMA41P0X", "Nordtor", "Hafenstr. 3"];
    assert!(has(&survey, "Nordtor"));
    assert!(
        names(&survey).iter().all(|n| !n.contains("7K2MMA41P0X") || !n.contains("Nordtor")),
        "{:?}",
        names(&survey)
    );
    let title = ["NORDTOR", "Tax Invoise", "Terminal 2"];
    assert!(has(&title, "NORDTOR") && !has(&title, "NORDTOR Tax Invoise"), "{:?}", names(&title));
}

#[test]
fn a_speck_beside_a_name_is_left_out_of_it() {
    let rows = ["Nordtor GmbH      O", "KIELAU", "Hafenstr. 3"];
    assert!(has(&rows, "Nordtor GmbH KIELAU"), "{:?}", names(&rows));
    // Where it may be a letter of a logo, the row as it stands remains.
    assert!(has(&["N      ORDTOR", "Hafenstr. 3"], "N ORDTOR"));
}

#[test]
fn a_legal_form_in_the_middle_is_left_out() {
    assert!(has(&["Nordtor AG Kielau", "Hafenstr. 3"], "Nordtor Kielau"));
    assert!(!has(&["Nordtor AG 24103", "Hafenstr. 3"], "Nordtor 24103"));
}

#[test]
fn a_misread_legal_form_is_mended_and_ends_the_name() {
    for (read, meant) in [
        ("KEDAI LIMA S0N 8HD 31-09", "KEDAI LIMA SDN BHD"),
        ("Kedai Lima Son Bhd", "Kedai Lima Sdn Bhd"),
        ("KEDAI LIMA SDN BHD 7O4T81-K", "KEDAI LIMA SDN BHD"),
        ("KEDAI LIMA SDN BHD (LIMAU)", "KEDAI LIMA SDN BHD (LIMAU)"),
        ("KEDAI LIMA 5/8", "KEDAI LIMA S/B"),
        ("KEDAI LIMA 3/8", "KEDAI LIMA 3/8"),
        ("BINTANG SIN BAHAGIA", "BINTANG SIN BAHAGIA"),
    ] {
        assert_eq!(find_merchant::clean(read).as_deref(), Some(meant));
    }
}

#[test]
fn a_brand_over_two_rows_is_mended_by_one_letter() {
    let mended: Vec<Proposal> = proposals(&["BURGER", "KINC", "Hafenstr. 3"])
        .into_iter()
        .filter(|p| p.features.get("mended") > 0.0 && p.value.to_string() == "BURGER KING")
        .collect();
    assert_eq!(mended.len(), 1);
    assert_eq!(mended[0].evidence[0].text, "BURGER KINC", "the evidence is what was read");
}
