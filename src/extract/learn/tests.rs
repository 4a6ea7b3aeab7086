//! The learner on drawn-up proposals: it finds what decides, says how sure it is, and repeats itself.

use rust_decimal::Decimal;

use super::*;
use crate::{domain::field::FieldValue, extract::rank::Ranker};

fn proposal(cents: i64, features: &[(&'static str, f32)]) -> Proposal {
    Proposal {
        key: FieldKey::Total,
        value: FieldValue::Amount(Decimal::new(cents, 2)),
        evidence: Vec::new(),
        finder: "test",
        reasons: Vec::new(),
        features: Features(features.to_vec()),
    }
}

/// Receipts whose total is labelled; when a card amount stands there as well, it is that one. Every tenth was misread, so
/// that nothing is right, and one can tell by the recogniser's score.
fn receipts(n: i64) -> Vec<Prepared> {
    (0..n)
        .map(|i| {
            let (misread, card) = (i % 10 == 0, i % 3 == 0);
            let blur = if misread { 0.6 } else { 0.02 };
            let mut own = vec![
                proposal(100 + i, &[("base", 1.0)]),
                proposal(5000 + i, &[("base", 1.0), ("label", 1.0), ("illegible", blur)]),
            ];
            if card {
                own.push(proposal(9000 + i, &[("base", 1.0), ("label", 1.0), ("card", 1.0), ("illegible", blur)]));
            }
            let right = if misread { 1 } else { (if card { 9000 } else { 5000 }) + i };
            Prepared {
                proposals: [(FieldKey::Total, own)].into(),
                with_known: Vec::new(),
                truth: Truth { total: Some(Decimal::new(right, 2)), ..Truth::default() },
                weight: 1.0,
                is_recognised: true,
                taxed: None,
            }
        })
        .collect()
}

#[test]
fn it_learns_what_decides_and_how_sure_to_be() {
    let examples = receipts(300);
    // Misread receipts are in every fold.
    let fold: Vec<usize> = (0..300).map(|i| i / 10 % 5).collect();
    let validated = cross_validate(&examples, &fold, &Settings::default());
    let (mut right, mut clear, mut blurred) = (0, Vec::new(), Vec::new());
    for (at, example) in examples.iter().enumerate() {
        let model = &validated.models[fold[at]];
        let own = example.proposals[&FieldKey::Total].clone();
        let mut ranked = assemble::rank_raw(model, FieldKey::Total, own);
        model.calibrate(FieldKey::Total, &mut ranked);
        let is_right = example.truth.judge(FieldKey::Total, &ranked[0].1.value) == Some(true);
        right += usize::from(is_right);
        if at % 10 == 0 { &mut blurred } else { &mut clear }.push(ranked[0].0);
        assert!(ranked.iter().all(|(p, _)| (0.0..=1.0).contains(p)));
    }
    assert!(right >= 265, "{right} of 270 that can be right");
    let mean = |list: &[f32]| list.iter().sum::<f32>() / list.len() as f32;
    assert!(mean(&clear) > 0.9, "{}", mean(&clear));
    assert!(mean(&blurred) < 0.3, "a misread amount is not certain: {}", mean(&blurred));
}

#[test]
fn the_same_receipts_give_the_same_bytes() {
    let examples = receipts(120);
    let fold: Vec<usize> = (0..120).map(|i| i % 4).collect();
    let train = || {
        let validated = cross_validate(&examples, &fold, &Settings::default());
        finish(&examples, &validated, &Settings::default()).to_json().unwrap()
    };
    let (one, two) = (train(), train());
    assert_eq!(one, two);
    assert_eq!(Model::from_json(&one).unwrap().to_json().unwrap(), one);
}

#[test]
fn nothing_to_learn_from_gives_a_model_that_is_not_sure() {
    let validated = cross_validate(&[], &[], &Settings::default());
    let model = finish(&[], &validated, &Settings::default());
    let p = model.rank(FieldKey::Total, &[proposal(100, &[("base", 1.0)])]);
    assert!(p[0] <= 0.5, "{p:?}");
}

#[test]
fn tax_is_calibrated_on_what_follows_from_the_total_a_model_chooses() {
    let slip = |cents: i64| {
        let amount = |c: i64| format!("{}.{:02}", c / 100, c % 100);
        let (net, tax, total) = (amount(cents), amount(cents / 10), amount(cents + cents / 10));
        let rows = [format!("Subtotal  {net}"), format!("Tax  {tax}"), format!("Total  {total}")];
        let page = crate::extract::tests::page(&rows.iter().map(String::as_str).collect::<Vec<_>>(), 0.0);
        let wrong = i64::from(cents % 7 == 0);
        Example {
            material: Material { pages: vec![page], ..Material::default() },
            truth: Truth {
                total: Some(Decimal::new(cents + cents / 10, 2)),
                tax: Some(Decimal::new(cents / 10 + wrong, 2)),
                ..Truth::default()
            },
            weight: 1.0,
            // Typed text calibrates tax as well.
            is_recognised: cents % 20 == 0,
        }
    };
    let examples: Vec<Prepared> =
        (0..80).map(|i| prepare(&slip(1000 + 10 * i), &crate::extract::tests::context(), &[])).collect();
    let fold: Vec<usize> = (0..80).map(|i| i % 4).collect();
    let validated = cross_validate(&examples, &fold, &Settings::default());
    let calibration = validated.calibrations.get(&FieldKey::Tax).expect("80 answers");
    let proposals = examples[0].proposals_of(&validated.models[0], FieldKey::Tax).expect("tax is labelled");
    let ranked = assemble::rank_raw(&validated.models[0], FieldKey::Tax, proposals);
    let p = calibration.probability(&signs(FieldKey::Tax, &ranked).expect("a tax is proposed"));
    assert!((0.75..0.95).contains(&p), "one in seven is wrong: {p}");
}
